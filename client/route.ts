/** Which queues of a topic can be written and read, from its route. Source: spec remoting 5.7, 9.4. */
import { createMessageQueue, type MessageQueue } from '../protocol/bodies/message-queue.js';
import { type BrokerData, MASTER_ID, type QueueData, type TopicRouteData } from '../protocol/bodies/route.js';
import { Permission } from '../protocol/codes.js';
import { messageOf } from '../runtime/base/errors.js';
import { MQClientError } from './errors.js';

/**
 * Decodes the body of an answer of `address`.
 * Errors: MQClientError BAD_ANSWER.
 */
export function decodeAnswer<Body>(
  decode: (bytes: Uint8Array | null) => Body,
  bytes: Uint8Array | null,
  address: string,
): Body {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new MQClientError('BAD_ANSWER', `${address}: ${messageOf(cause)}`, { cause });
  }
}

/** The queues a producer may send to: only brokers with a master count. */
export function publishQueues(topic: string, route: TopicRouteData): MessageQueue[] {
  if (route.orderTopicConf !== undefined) {
    return route.orderTopicConf.split(';').flatMap(item => {
      const [brokerName = '', count = '0'] = item.split(':');
      return queuesOf(topic, brokerName, Number(count));
    });
  }
  return sortByBrokerName(route.queueDatas).flatMap(data =>
    (data.perm & Permission.WRITE) !== 0 && hasMaster(route.brokerDatas, data.brokerName)
      ? queuesOf(topic, data.brokerName, data.writeQueueNums)
      : [],
  );
}

/** The queues of a topic that a broker will create on the first send, from the template's route. */
export function provisionalQueues(
  topic: string,
  template: TopicRouteData,
  defaultTopicQueueNums: number,
): MessageQueue[] {
  const queueDatas = template.queueDatas.map(data => ({
    ...data,
    writeQueueNums: Math.min(defaultTopicQueueNums, data.readQueueNums),
  }));
  return publishQueues(topic, { ...template, queueDatas });
}

/** In words: which brokers of a topic that could be written have no master; '' when that is not the reason. */
export function whyUnwritable({ queueDatas, brokerDatas }: TopicRouteData): string {
  const missing = sortByBrokerName(queueDatas)
    .filter(data => (data.perm & Permission.WRITE) !== 0 && !hasMaster(brokerDatas, data.brokerName))
    .map(data => data.brokerName);
  return missing.length === 0 ? '' : `: its queues are on ${missing.join(', ')}, without a master now`;
}

/** The queues a consumer may read. */
export function subscribeQueues(topic: string, route: TopicRouteData): MessageQueue[] {
  return sortByBrokerName(route.queueDatas).flatMap(data =>
    (data.perm & Permission.READ) !== 0 ? queuesOf(topic, data.brokerName, data.readQueueNums) : [],
  );
}

/** What tells a queue from all others, for the keys of maps. */
export function queueKey({ topic, brokerName, queueId }: MessageQueue): string {
  return `${topic}@${brokerName}@${queueId}`;
}

/** By topic and broker in Java's string order, then by number. Source: MessageQueue.compareTo. */
export function compareQueues(left: MessageQueue, right: MessageQueue): number {
  return (
    compareText(left.topic, right.topic) ||
    compareText(left.brokerName, right.brokerName) ||
    left.queueId - right.queueId
  );
}

/** Java's string order: UTF-16 code units. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortByBrokerName(queueDatas: readonly QueueData[]): QueueData[] {
  return [...queueDatas].sort((left, right) => compareText(left.brokerName, right.brokerName));
}

function hasMaster(brokerDatas: readonly BrokerData[], brokerName: string): boolean {
  return brokerDatas.some(broker => broker.brokerName === brokerName && broker.brokerAddrs[MASTER_ID] !== undefined);
}

function queuesOf(topic: string, brokerName: string, count: number): MessageQueue[] {
  const size = Number.isInteger(count) && count > 0 ? count : 0;
  return Array.from({ length: size }, (_, queueId) => createMessageQueue(topic, brokerName, queueId));
}
