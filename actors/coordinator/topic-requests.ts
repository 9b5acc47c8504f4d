/** Requests about topics: make, change, delete, list. Source: spec remoting 4.2.2; AdminBrokerProcessor. */

import { createTopicConfig } from '../../protocol/bodies/topic.js';
import { createMessageQueue, encodeBody, enumOf, messageQueueMap, topicFilterTypes } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { topicFault } from '../../protocol/topic-names.js';
import { type Handler, refuseOnSlave } from './handler.js';
import { announceTopic, type CoordinatorState } from './state.js';

/** Most queues of one topic. */
const TOPIC_QUEUES_MAX = 65_536;

const updateAndCreateTopic: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const { extFields } = request;
  const { topic = '' } = extFields;
  const fault = changeFault(state, topic);
  if (fault !== undefined) return createResponse(request, ResponseCode.SYSTEM_ERROR, fault);
  const readQueueNums = Number(extFields.readQueueNums ?? 16);
  const writeQueueNums = Number(extFields.writeQueueNums ?? 16);
  const perm = Number(extFields.perm ?? 6);
  for (const [name, value] of Object.entries({ readQueueNums, writeQueueNums })) {
    if (Number.isInteger(value) && value >= 0 && value <= TOPIC_QUEUES_MAX) continue;
    return createResponse(request, ResponseCode.SYSTEM_ERROR, `${name} must be 0 to ${TOPIC_QUEUES_MAX}: ${value}`);
  }
  if (!Number.isInteger(perm) || perm < 0 || perm > 15) {
    return createResponse(
      request,
      ResponseCode.SYSTEM_ERROR,
      `perm must be a sum of 1 inherit, 2 write, 4 read: ${perm}`,
    );
  }
  const config = createTopicConfig(topic, {
    readQueueNums,
    writeQueueNums,
    perm,
    topicFilterType: enumOf(extFields.topicFilterType, topicFilterTypes, 'SINGLE_TAG'),
    topicSysFlag: Number(extFields.topicSysFlag ?? 0) | 0,
    // The request's flag is not taken: name servers know which topics are ordered.
    order: state.topics.get(topic)?.order ?? false,
  });
  state.numbers.of(topic, Math.max(readQueueNums, writeQueueNums));
  announceTopic(state, state.topics.put(config, state.nowMs));
  return createResponse(request, ResponseCode.SUCCESS);
};

/** Why a topic can neither be made nor deleted; undefined when it can. */
function changeFault({ topics }: CoordinatorState, topic: string): string | undefined {
  const isSystem = topics.isSystem(topic);
  return (
    topicFault(topic, TOPIC_SIZE_MAX) ?? (isSystem ? `The topic[${topic}] is conflict with system topic.` : undefined)
  );
}

const deleteTopic: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const { topic = '' } = request.extFields;
  const fault = changeFault(state, topic);
  if (fault !== undefined) return createResponse(request, ResponseCode.SYSTEM_ERROR, fault);
  state.topics.delete(topic, state.nowMs);
  state.news.topicDeleted(topic);
  if (state.settings.autoDeleteUnusedStats) state.stats.forgetTopic(topic);
  state.register();
  return createResponse(request, ResponseCode.SUCCESS);
};

const allTopics: Handler = (state, request) =>
  createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(state.topics.wrapper()));

const topicConfig: Handler = (state, request) => {
  const { topic = '' } = request.extFields;
  const config = state.topics.get(topic);
  if (config !== undefined) return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(config));
  return createResponse(request, ResponseCode.TOPIC_NOT_EXIST, `No topic in this broker. topic: ${topic}`);
};

const systemTopics: Handler = (state, request) => {
  const topicList = [...state.topics.all()].map(topic => topic.topicName).filter(name => state.topics.isSystem(name));
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody({ topicList }));
};

const topicStats: Handler = (state, request) => {
  const { topic = '' } = request.extFields;
  const config = state.topics.get(topic);
  if (config === undefined) {
    return createResponse(request, ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  }
  const rows = Array.from({ length: config.writeQueueNums }, (_, queueId) => {
    const number = state.numbers.find(topic, queueId);
    const maxOffset = number < 0 ? 0 : state.table.max(number);
    const minOffset = number < 0 ? 0 : state.table.min(number);
    const lastUpdateTimestamp = maxOffset > minOffset ? state.store.storeTimeOf(topic, queueId, maxOffset - 1) : 0;
    return [
      createMessageQueue(topic, state.brokerName, queueId),
      { lastUpdateTimestamp, maxOffset, minOffset },
    ] as const;
  });
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody({ offsetTable: messageQueueMap(rows) }));
};

export const topicHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.UPDATE_AND_CREATE_TOPIC, updateAndCreateTopic],
  [RequestCode.DELETE_TOPIC_IN_BROKER, deleteTopic],
  [RequestCode.GET_ALL_TOPIC_CONFIG, allTopics],
  [RequestCode.GET_TOPIC_CONFIG, topicConfig],
  [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, systemTopics],
  [RequestCode.GET_TOPIC_STATS_INFO, topicStats],
]);
