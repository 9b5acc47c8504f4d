/**
 * Names that topics may have, and topics that clients may not send to. Source: spec remoting 5.3, 12.3; TopicValidator.
 */

const LEGAL = /^[%|a-zA-Z0-9_-]+$/;

const forbidden: ReadonlySet<string> = new Set([
  'SCHEDULE_TOPIC_XXXX',
  'RMQ_SYS_TRANS_HALF_TOPIC',
  'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  'TRANS_CHECK_MAX_TIME_TOPIC',
  'SELF_TEST_TOPIC',
  'OFFSET_MOVED_EVENT',
]);

/** Topics that administrators may neither make nor delete. */
const system: ReadonlySet<string> = new Set([...forbidden, 'TBW102', 'BenchmarkTest', 'RMQ_SYS_TRACE_TOPIC']);
const SYSTEM_PREFIX = 'rmq_sys_';

/** What is wrong with a topic's name, undefined when nothing is. */
export function topicFault(name: string, sizeMax: number): string | undefined {
  if (name.trim() === '') return 'The specified topic is blank.';
  if (!LEGAL.test(name)) {
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
