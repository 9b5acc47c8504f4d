/** Public door: a whole node inside another program, or a test. */
export { loadBrokerConfig, loadNamesrvConfig } from '../../config/index.js';
export { type Hop, hopsOf, mergeRecording, type Recording, toChromeTrace } from '../../runtime/trace/timeline.js';
export { type NodeOptions, type NodePorts, RingNode } from './node.js';
