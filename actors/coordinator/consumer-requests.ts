/**
 * Requests about consumers: heartbeats, members, offsets, groups. Source: spec remoting 4.2, 7;
 * ConsumerManageProcessor.
 */

import { createTopicConfig } from '../../protocol/bodies/topic.js';
import { decodeHeartbeatData, decodeSubscriptionGroupConfig, encodeBody } from '../../protocol/bodies.js';
import { Permission, RequestCode, ResponseCode, WATCH_BROKER_METADATA } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { RETRY_TOPIC_PREFIX, topicFault } from '../../protocol/topic-names.js';
import { announceGroup, announceTopic, applyGroupChanges, type CoordinatorState } from './state.js';

export type Handler = (state: CoordinatorState, request: RemotingCommand, connectionId: number) => RemotingCommand;

/** Source: spec ha 6; AdminBrokerProcessor.validateSlave. */
export function refuseOnSlave(request: RemotingCommand): RemotingCommand {
  const remark = "Can't modify topic or subscription group from slave broker, please execute it from master broker.";
  return createResponse(request, ResponseCode.SYSTEM_ERROR, remark);
}

const ok = (request: RemotingCommand): RemotingCommand => createResponse(request, ResponseCode.SUCCESS);

const heartbeat: Handler = (state, request, connectionId) => {
  const data = decodeHeartbeatData(request.body);
  const { groups, settings, nowMs, clients } = state;
  for (const { groupName, unitMode } of data.consumerDataSet) {
    const config = groups.findOrCreate(groupName, settings.autoCreateSubscriptionGroup, nowMs);
    if (config !== undefined) ensureRetryTopic(state, groupName, config.retryQueueNums, unitMode);
  }
  applyGroupChanges(state, clients.heartbeat(connectionId, request.language, request.version, data, nowMs));
  return ok(request);
};

/** A group is found through the route of its retry topic, so that exists from the first heartbeat on. */
function ensureRetryTopic(state: CoordinatorState, group: string, queues: number, unitMode: boolean): void {
  // A slave's topics are its master's, to which the client sends the same heartbeat.
  if (state.isSlave()) return;
  const name = `${RETRY_TOPIC_PREFIX}${group}`;
  // A group whose name no topic may have (a path, for example) gets no retry topic, and so no folder.
  if (state.topics.get(name) !== undefined || topicFault(name, TOPIC_SIZE_MAX) !== undefined) return;
  const perm = Permission.READ | Permission.WRITE;
  const topic = createTopicConfig(name, {
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicSysFlag: unitMode ? 2 : 0,
  });
  announceTopic(state, state.topics.put(topic, state.nowMs));
}

const unregisterClient: Handler = (state, request, connectionId) => {
  const { consumerGroup, producerGroup } = request.extFields;
  applyGroupChanges(state, state.clients.unregister(connectionId, consumerGroup, producerGroup));
  return ok(request);
};

const consumerList: Handler = (state, request) => {
  const { consumerGroup = '' } = request.extFields;
  const group = state.clients.consumerGroup(consumerGroup);
  if (group === undefined) {
    return createResponse(request, ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${consumerGroup}`);
  }
  const consumerIdList = [...group.members.values()].map(member => member.clientId);
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody({ consumerIdList }));
};

/**
 * A group that a young queue has never seen starts at 0; only when the start of the queue is no longer "in memory" is
 * the answer "none", and the client applies its own start policy.
 */
const queryOffset: Handler = (state, request) => {
  const { consumerGroup = '', topic = '' } = request.extFields;
  const queueId = Number(request.extFields.queueId ?? 0);
  const offset = state.offsets.query(consumerGroup, topic, queueId);
  if (offset >= 0) return createResponse(request, ResponseCode.SUCCESS, null, { offset });
  const { numbers, table, positions, settings } = state;
  const number = numbers.find(topic, queueId);
  const min = number < 0 ? 0 : table.min(number);
  if (min <= 0) {
    const position = number >= 0 && table.max(number) > 0 ? state.physicalOffsetOf(topic, queueId, 0) : -1;
    const onDisk = position >= 0 && positions.read('appended') - position > settings.inMemoryBytes;
    if (!onDisk) return createResponse(request, ResponseCode.SUCCESS, null, { offset: 0 });
  }
  return createResponse(
    request,
    ResponseCode.QUERY_NOT_FOUND,
    'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first',
  );
};

const updateOffset: Handler = (state, request) => {
  const { consumerGroup = '', topic = '' } = request.extFields;
  const queueId = Number(request.extFields.queueId ?? 0);
  const offset = Number(request.extFields.commitOffset ?? -1);
  if (!Number.isSafeInteger(offset) || !Number.isInteger(queueId)) {
    const remark = `an offset is an integer: queueId ${request.extFields.queueId}, commitOffset ${request.extFields.commitOffset}`;
    return createResponse(request, ResponseCode.SYSTEM_ERROR, remark);
  }
  state.offsets.commit(consumerGroup, topic, queueId, offset);
  return ok(request);
};

const allOffsets: Handler = (state, request) =>
  createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(state.offsets.toObject()));

const allDelayOffsets: Handler = (state, request) => {
  const text = state.delayOffsets();
  if (text !== undefined) return createResponse(request, ResponseCode.SUCCESS, null, {}, encoder.encode(text));
  return createResponse(request, ResponseCode.SYSTEM_ERROR, 'No delay offset in this broker');
};

/** Of a slave that is RingMQ's. */
const watchMetadata: Handler = (state, request, connectionId) => {
  state.desk.watch(connectionId, state);
  return ok(request);
};

const updateGroup: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const group = decodeSubscriptionGroupConfig(request.body);
  state.groups.put(group, state.nowMs);
  announceGroup(state, group.groupName);
  return ok(request);
};

const allGroups: Handler = (state, request) =>
  createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(state.groups.wrapper()));

const deleteGroup: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const { groupName = '', removeOffset, cleanOffset } = request.extFields;
  if (state.groups.delete(groupName, state.nowMs)) state.news.groupDeleted(groupName);
  if (removeOffset === 'true' || cleanOffset === 'true') state.offsets.deleteGroup(groupName);
  return ok(request);
};

const encoder = new TextEncoder();

export const consumerHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.HEART_BEAT, heartbeat],
  [RequestCode.UNREGISTER_CLIENT, unregisterClient],
  [RequestCode.GET_CONSUMER_LIST_BY_GROUP, consumerList],
  [RequestCode.QUERY_CONSUMER_OFFSET, queryOffset],
  [RequestCode.UPDATE_CONSUMER_OFFSET, updateOffset],
  [RequestCode.GET_ALL_CONSUMER_OFFSET, allOffsets],
  [RequestCode.GET_ALL_DELAY_OFFSET, allDelayOffsets],
  [WATCH_BROKER_METADATA, watchMetadata],
  [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, updateGroup],
  [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, allGroups],
  [RequestCode.DELETE_SUBSCRIPTIONGROUP, deleteGroup],
]);
