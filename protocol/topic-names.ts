/**
 * Names that topics and groups may have, and the topics that brokers keep for themselves.
 * Source: spec remoting 5.3, 12.3; TopicValidator.
 */

/** What topics and groups are named with. */
export const LEGAL_NAME = /^[%|a-zA-Z0-9_-]+$/;
/** Before the name of a group: the topic of what it failed to consume. */
export const RETRY_TOPIC_PREFIX = '%RETRY%';
/** Before the name of a group: the topic of what it failed to consume too often. */
export const DLQ_TOPIC_PREFIX = '%DLQ%';
/** Where delayed messages wait. */
export const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX';
/** Where half messages wait for the end of their transaction. */
export const HALF_TOPIC = 'RMQ_SYS_TRANS_HALF_TOPIC';
/** What says of a half message that its transaction ended. */
export const OP_HALF_TOPIC = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
/** Where half messages go that nobody decided about. */
export const DISCARD_TOPIC = 'TRANS_CHECK_MAX_TIME_TOPIC';
/** The group under whose name it is kept how far half messages were checked. */
export const TRANSACTION_GROUP = 'CID_RMQ_SYS_TRANS';
/** The template of topics that are made by their first message. */
export const AUTO_CREATE_TOPIC = 'TBW102';

const forbidden: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  OP_HALF_TOPIC,
  DISCARD_TOPIC,
  'SELF_TEST_TOPIC',
  'OFFSET_MOVED_EVENT',
]);

/** Topics that administrators may neither make nor delete. */
const system: ReadonlySet<string> = new Set([...forbidden, AUTO_CREATE_TOPIC, 'BenchmarkTest', 'RMQ_SYS_TRACE_TOPIC']);
const SYSTEM_PREFIX = 'rmq_sys_';

/** What is wrong with a topic's name, undefined when nothing is. */
export function topicFault(name: string, sizeMax: number): string | undefined {
  if (name.trim() === '') return 'The specified topic is blank.';
  if (!LEGAL_NAME.test(name)) {
    return `The specified topic[${name}] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`;
  }
  if (name.length > sizeMax) return `The specified topic is longer than topic max length ${sizeMax}.`;
  return undefined;
}

export function isForbiddenTarget(name: string): boolean {
  return forbidden.has(name);
}

export function isSystemTopic(name: string): boolean {
  return system.has(name) || name.startsWith(SYSTEM_PREFIX);
}
