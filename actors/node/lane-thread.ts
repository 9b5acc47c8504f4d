/** The file that piscina's threads load: a lane. */
import { laneEntry } from '../../runtime/pool/lane-entry.js';
import { runThread, type ThreadData } from './thread-entry.js';

export default laneEntry<ThreadData>(runThread);
