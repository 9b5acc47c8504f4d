/**
 * Requests about consumers: heartbeats, members, offsets, groups. Source: spec remoting 4.2, 7;
 * ConsumerManageProcessor.
 */

import { decodeHeartbeatData, decodeSubscriptionGroupConfig } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode, WATCH_BROKER_METADATA } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { type Handler, refuseOnSlave, success, successWithBody, systemError } from './handler.js';
import { ensureRetryTopic } from './retry-topics.js';
import { announceGroup, applyGroupChanges } from './state.js';

const heartbeat: Handler = (state, request, sender) => {
  const data = decodeHeartbeatData(request.body);
  const { groups, settings, nowMs, clients } = state;
  for (const { groupName, unitMode } of data.consumerDataSet) {
    const config = groups.findOrCreate(groupName, settings.autoCreateSubscriptionGroup, nowMs);
    if (config !== undefined) ensureRetryTopic(state, groupName, config.retryQueueNums, unitMode);
  }
  const { language, version } = request;
  const changes = clients.heartbeat({ ...sender, language, version }, data, nowMs);
  const refiltered = data.consumerDataSet
    .filter(({ groupName, subscriptionDataSet }) => state.filters.register(groupName, subscriptionDataSet, nowMs))
    .map(({ groupName }) => groupName);
  applyGroupChanges(
    state,
    changes.map(change => (refiltered.includes(change.group.name) ? { ...change, subscriptionChanged: true } : change)),
  );
  return success(request);
};

const unregisterClient: Handler = (state, request, { connectionId }) => {
  const { consumerGroup, producerGroup } = request.extFields;
  applyGroupChanges(state, state.clients.unregister(connectionId, consumerGroup, producerGroup));
  return success(request);
};

const consumerList: Handler = (state, request) => {
  const { consumerGroup = '' } = request.extFields;
  const group = state.clients.consumerGroup(consumerGroup);
  if (group === undefined) return systemError(request, `no consumer for this group, ${consumerGroup}`);
  const consumerIdList = [...group.members.values()].map(member => member.clientId);
  return successWithBody(request, { consumerIdList });
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
    const position = number >= 0 && table.max(number) > 0 ? state.store.physicalOffsetOf(topic, queueId, 0) : -1;
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
    return systemError(request, remark);
  }
  state.offsets.commit(consumerGroup, topic, queueId, offset);
  return success(request);
};

const allOffsets: Handler = (state, request) => successWithBody(request, state.offsets.toObject());

/** Of a slave that is RingMQ's. */
const watchMetadata: Handler = (state, request, { connectionId }) => {
  state.desk.watch(connectionId, state);
  return success(request);
};

const updateGroup: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const group = decodeSubscriptionGroupConfig(request.body);
  state.groups.put(group, state.nowMs);
  announceGroup(state, group.groupName);
  return success(request);
};

const allGroups: Handler = (state, request) => successWithBody(request, state.groups.wrapper());

/** Code 352, which dashboards of 5.x ask. */
const groupConfig: Handler = (state, request) => {
  const { group = '' } = request.extFields;
  const config = state.groups.get(group);
  if (config !== undefined) return successWithBody(request, config);
  const remark = `No group in this broker. group: ${group}`;
  return createResponse(request, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark);
};

const deleteGroup: Handler = (state, request) => {
  if (state.isSlave()) return refuseOnSlave(request);
  const { groupName = '', removeOffset, cleanOffset } = request.extFields;
  if (state.groups.delete(groupName, state.nowMs)) state.news.groupDeleted(groupName);
  if (removeOffset === 'true' || cleanOffset === 'true') state.offsets.deleteGroup(groupName);
  if (state.settings.autoDeleteUnusedStats) state.stats.forgetGroup(groupName);
  return success(request);
};

export const consumerHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.HEART_BEAT, heartbeat],
  [RequestCode.UNREGISTER_CLIENT, unregisterClient],
  [RequestCode.GET_CONSUMER_LIST_BY_GROUP, consumerList],
  [RequestCode.QUERY_CONSUMER_OFFSET, queryOffset],
  [RequestCode.UPDATE_CONSUMER_OFFSET, updateOffset],
  [RequestCode.GET_ALL_CONSUMER_OFFSET, allOffsets],
  [WATCH_BROKER_METADATA, watchMetadata],
  [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, updateGroup],
  [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, allGroups],
  [RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, groupConfig],
  [RequestCode.DELETE_SUBSCRIPTIONGROUP, deleteGroup],
]);
