/**
 * A topic in one line of text, as the compressed registration carries it: `name readQ writeQ perm filterType`.
 * The form has no topicSysFlag and no order. Source: spec remoting 9.2; TopicConfig.encode.
 *
 * @example
 * encodeTopicConfigText(createTopicConfig('T')); // 'T 16 16 6 SINGLE_TAG'
 */
import { RingError } from '../runtime/base/errors.js';
import { createTopicConfig, type TopicConfig, topicFilterTypes } from './bodies/topic.js';

export function encodeTopicConfigText(config: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType } = config;
  return `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType}`;
}

const FORM = /^(\S+) (-?\d{1,9}) (-?\d{1,9}) (\d{1,9}) (\S+)(?: .*)?$/s;

/** The sixth word of 5.x, attributes, is passed over. Errors: RingError PROTOCOL_VIOLATION. */
export function decodeTopicConfigText(text: string): TopicConfig {
  const found = FORM.exec(text);
  const topicFilterType = topicFilterTypes.find(name => name === found?.[5]);
  if (found === null || topicFilterType === undefined) {
    throw new RingError('PROTOCOL_VIOLATION', `TopicConfig: cannot be read: ${JSON.stringify(text.slice(0, 200))}`);
  }
  return createTopicConfig(found[1]!, {
    readQueueNums: Number(found[2]),
    writeQueueNums: Number(found[3]),
    perm: Number(found[4]),
    topicFilterType,
  });
}
