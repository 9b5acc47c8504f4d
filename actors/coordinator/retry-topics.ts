/** Topics that belong to a consumer group: what it failed to consume, and what it gave up. */
import { createTopicConfig } from '../../protocol/bodies/topic.js';
import { Permission } from '../../protocol/codes.js';
import { TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { DLQ_TOPIC_PREFIX, RETRY_TOPIC_PREFIX, topicFault } from '../../protocol/topic-names.js';
import { announceTopic, type CoordinatorState } from './state.js';

/** Bit of topicSysFlag for topics of a unit. Source: TopicSysFlag. */
const UNIT_SUB = 2;
const DLQ_QUEUES = 1;

/**
 * A group is found through the route of its retry topic, so that exists from the first heartbeat on.
 * Errors: RingError DISK_WRITE_FAILED.
 */
export function ensureRetryTopic(state: CoordinatorState, group: string, queues: number, unitMode: boolean): void {
  ensureTopic(state, `${RETRY_TOPIC_PREFIX}${group}`, queues, unitMode ? UNIT_SUB : 0);
}

/** Dead letters may be read, as in RocketMQ since 4.9. Errors: RingError DISK_WRITE_FAILED. */
export function ensureDeadLetterTopic(state: CoordinatorState, group: string): void {
  ensureTopic(state, `${DLQ_TOPIC_PREFIX}${group}`, DLQ_QUEUES, 0);
}

function ensureTopic(state: CoordinatorState, name: string, queues: number, topicSysFlag: number): void {
  // A slave's topics are its master's, to which the client turns too.
  if (state.isSlave()) return;
  // A group whose name no topic may have (a path, for example) gets no topic, and so no folder.
  if (state.topics.get(name) !== undefined || topicFault(name, TOPIC_SIZE_MAX) !== undefined) return;
  const perm = Permission.READ | Permission.WRITE;
  const topic = createTopicConfig(name, { readQueueNums: queues, writeQueueNums: queues, perm, topicSysFlag });
  // Numbers first: a broker that has no more of them stores no topic it cannot serve.
  state.numbers.of(name, queues);
  announceTopic(state, state.topics.put(topic, state.nowMs));
}
