/**
 * Requests of administrators about consumer offsets: reset, clone, correct. Source: spec remoting 4.2.2, 4.2.3;
 * AdminBrokerProcessor, Broker2Client, ConsumerOffsetManager.
 */
import { createMessageQueue, encodeBody, type MessageQueue, messageQueueMap } from '../../protocol/bodies.js';
import { LanguageCode, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { searchOffset } from '../offset-search.js';
import { VERSION_WITH_OFFSET_REQUESTS } from './client-requests.js';
import { type Handler, longField, success, successWithBody, systemError } from './handler.js';
import { boundsOf, type CoordinatorState } from './state.js';

const LONG_MAX = 9_223_372_036_854_775_807n;

/**
 * Tells the online consumers of a group to go on somewhere else. They change the stored offsets, not the broker: it
 * would be overwritten by their next commit.
 */
const resetOffset: Handler = (state, request) => {
  const { topic = '', group = '', isForce } = request.extFields;
  const timestampMs = longField(request.extFields.timestamp, Number.NaN);
  if (Number.isNaN(timestampMs)) return systemError(request, `timestamp is no time: ${request.extFields.timestamp}`);
  const config = state.topics.get(topic);
  if (config === undefined) {
    return systemError(request, `[reset-offset] reset offset failed, no topic in this broker. topic=${topic}`);
  }
  const force = isForce?.toLowerCase() === 'true';
  const offsets: [MessageQueue, number][] = [];
  for (let queueId = 0; queueId < config.writeQueueNums; queueId++) {
    const consumed = state.offsets.query(group, topic, queueId);
    if (consumed === -1) return systemError(request, `The consumer group <${group}> not exist`);
    const wanted = offsetAt(state, topic, queueId, timestampMs);
    const offset = force ? wanted : Math.min(wanted, consumed);
    offsets.push([createMessageQueue(topic, state.brokerName, queueId), offset]);
  }
  const members = [...(state.clients.consumerGroup(group)?.members.values() ?? [])];
  if (members.length === 0) {
    const remark = `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topic} Timestamp: ${timestampMs}`;
    return createResponse(request, ResponseCode.CONSUMER_NOT_ONLINE, remark);
  }
  const tooOld = members.find(member => member.version < VERSION_WITH_OFFSET_REQUESTS);
  if (tooOld !== undefined) {
    return systemError(request, `the client does not support this feature. version=${tooOld.version}`);
  }
  const body = { offsetTable: messageQueueMap(offsets) };
  // A C++ administrator's consumers are C++ too, and read no objects as keys.
  const isC = request.language === LanguageCode.CPP;
  const list = { offsetTable: offsets.map(([queue, offset]) => ({ ...queue, offset })) };
  const told = encodeBody(isC ? list : body);
  const fields = { topic, group, timestamp: timestampMs, isForce: force };
  for (const { connectionId } of members) {
    state.push(connectionId, RequestCode.RESET_CONSUMER_CLIENT_OFFSET, fields, told);
  }
  state.log.info(
    { topic, group, timestampMs, force, members: members.length },
    'consumers are told to start elsewhere',
  );
  return successWithBody(request, body);
};

/** -1 is the end of the queue. Units: ms. */
function offsetAt(state: CoordinatorState, topic: string, queueId: number, timestampMs: number): number {
  const { min, max } = boundsOf(state, topic, queueId);
  if (timestampMs === -1) return max;
  return searchOffset(min, max, timestampMs, offset => state.store.storeTimeOf(topic, queueId, offset));
}

/** A group starts where another one is, in one topic or in all of them. */
const cloneOffset: Handler = (state, request) => {
  const { srcGroup = '', destGroup = '', topic = '', offline } = request.extFields;
  const topics = topic.trim() === '' ? state.offsets.topicsOf(srcGroup) : [topic];
  for (const name of topics) {
    if (state.topics.get(name) === undefined) continue;
    if (offline?.toLowerCase() !== 'true' && state.clients.isUnsubscribed(srcGroup, name)) continue;
    state.offsets.clone(srcGroup, destGroup, name);
  }
  return success(request);
};

/**
 * How far the slowest group is in each queue, leaving out groups that are named; a queue where the group to compare
 * with is slower still has no bound.
 */
const correctionOffset: Handler = (state, request) => {
  const { topic = '', filterGroups = '', compareGroup = '' } = request.extFields;
  const left = new Set(filterGroups.split(',').map(group => group.trim()));
  const correctionOffsets: Record<number, number | bigint> = {};
  for (const group of state.offsets.groupsOf(topic)) {
    if (left.has(group)) continue;
    for (const [queueId, offset] of state.offsets.queuesOf(group, topic)) {
      if (offset < boundsOf(state, topic, queueId).min) continue;
      const known = correctionOffsets[queueId];
      correctionOffsets[queueId] = known === undefined ? offset : Math.min(Number(known), offset);
    }
  }
  for (const [queueId, offset] of state.offsets.queuesOf(compareGroup, topic)) {
    const known = correctionOffsets[queueId];
    if (known !== undefined && known > offset) correctionOffsets[queueId] = LONG_MAX;
  }
  return successWithBody(request, { correctionOffsets });
};

export const offsetHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, resetOffset],
  [RequestCode.CLONE_GROUP_OFFSET, cloneOffset],
  [RequestCode.QUERY_CORRECTION_OFFSET, correctionOffset],
]);
