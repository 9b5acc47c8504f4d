/**
 * Requests about who consumes what, and how far. Source: spec remoting 4.2.2, 10.3; AdminBrokerProcessor.
 */
import { createMessageQueue, type MessageQueue, messageQueueMap, type TopicConfig } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { type Handler, successWithBody } from './handler.js';
import { boundsOf, type CoordinatorState } from './state.js';

interface OffsetWrapper {
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  /** Store time of the last message that was consumed, 0 when there is none. Units: ms since the epoch. */
  readonly lastTimestamp: number;
}

type OffsetRow = readonly [MessageQueue, OffsetWrapper];

/** How far a group is in the first `queues` queues of a topic. */
function offsetRows(state: CoordinatorState, group: string, topic: string, queues: number): OffsetRow[] {
  return Array.from({ length: queues }, (_, queueId) => {
    const { max: brokerOffset } = boundsOf(state, topic, queueId);
    const consumerOffset = Math.max(0, state.offsets.query(group, topic, queueId));
    const lastTimestamp = consumerOffset > 0 ? state.store.storeTimeOf(topic, queueId, consumerOffset - 1) : 0;
    return [
      createMessageQueue(topic, state.brokerName, queueId),
      { brokerOffset, consumerOffset, lastTimestamp },
    ] as const;
  });
}

/** The topics whose statistics count for a group: they exist, and the group did not unsubscribe from them. */
function topicsOf(state: CoordinatorState, group: string, names: readonly string[]): TopicConfig[] {
  return names
    .filter(name => !state.clients.isUnsubscribed(group, name))
    .map(name => state.topics.get(name))
    .filter(config => config !== undefined);
}

const consumeStats: Handler = (state, request) => {
  const { consumerGroup = '', topic = '' } = request.extFields;
  const names = topic.trim() === '' ? state.offsets.topicsOf(consumerGroup) : [topic];
  const rows: OffsetRow[] = [];
  let consumeTps = 0;
  for (const { topicName, readQueueNums } of topicsOf(state, consumerGroup, names)) {
    rows.push(...offsetRows(state, consumerGroup, topicName, readQueueNums));
    consumeTps += state.stats.groupGetTps(consumerGroup, topicName);
  }
  return successWithBody(request, { consumeTps, offsetTable: messageQueueMap(rows) });
};

/** All groups of the broker, one entry for each topic they consumed. */
const brokerConsumeStats: Handler = (state, request) => {
  const isOrder = request.extFields.isOrder?.toLowerCase() === 'true';
  let totalDiff = 0;
  const consumeStatsList = [...state.groups.all()].map(({ groupName: group }) => {
    const topics = topicsOf(state, group, state.offsets.topicsOf(group)).filter(({ order }) => order || !isOrder);
    const stats = topics.map(({ topicName, writeQueueNums }) => {
      const rows = offsetRows(state, group, topicName, writeQueueNums);
      for (const [, { brokerOffset, consumerOffset }] of rows) totalDiff += brokerOffset - consumerOffset;
      return { consumeTps: state.stats.groupGetTps(group, topicName), offsetTable: messageQueueMap(rows) };
    });
    return { [group]: stats };
  });
  return successWithBody(request, { brokerAddr: state.brokerAddr(), consumeStatsList, totalDiff });
};

const topicConsumeByWho: Handler = (state, request) => {
  const { topic = '' } = request.extFields;
  const groups = new Set([...state.clients.groupsOfTopic(topic), ...state.offsets.groupsOf(topic)]);
  return successWithBody(request, { groupList: [...groups] });
};

/** Between which times the messages of each queue were stored, and where a group is between them. */
const consumeTimeSpan: Handler = (state, request) => {
  const { topic = '', group = '' } = request.extFields;
  const config = state.topics.get(topic);
  if (config === undefined) return createResponse(request, ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  const consumeTimeSpanSet = Array.from({ length: config.writeQueueNums }, (_, queueId) => {
    const { min, max } = boundsOf(state, topic, queueId);
    const timeOf = (offset: number): number =>
      offset >= min && offset < max ? state.store.storeTimeOf(topic, queueId, offset) : -1;
    const consumed = state.offsets.query(group, topic, queueId);
    const minTimeStamp = timeOf(min);
    return {
      messageQueue: createMessageQueue(topic, state.brokerName, queueId),
      minTimeStamp,
      maxTimeStamp: timeOf(max - 1),
      consumeTimeStamp: consumed > 0 ? timeOf(consumed - 1) : minTimeStamp,
      // How long the next message of the group has been waiting.
      delayTime: consumed < max ? state.nowMs - timeOf(Math.max(min, consumed)) : 0,
    };
  });
  return successWithBody(request, { consumeTimeSpanSet });
};

/** Code 343, which dashboards of 5.x ask. */
const topicsByConsumer: Handler = (state, request) => {
  const { group = '' } = request.extFields;
  return successWithBody(request, { topicList: state.offsets.topicsOf(group) });
};

/** Code 345, which dashboards of 5.x ask. */
const subscriptionByConsumer: Handler = (state, request) => {
  const { group = '', topic = '' } = request.extFields;
  const subscriptionData = state.clients.consumerGroup(group)?.subscriptions.get(topic);
  return successWithBody(request, { group, topic, subscriptionData });
};

export const consumeStatsHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.GET_CONSUME_STATS, consumeStats],
  [RequestCode.GET_BROKER_CONSUME_STATS, brokerConsumeStats],
  [RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, topicConsumeByWho],
  [RequestCode.QUERY_CONSUME_TIME_SPAN, consumeTimeSpan],
  [RequestCode.QUERY_TOPICS_BY_CONSUMER, topicsByConsumer],
  [RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, subscriptionByConsumer],
]);
