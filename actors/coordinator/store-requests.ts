/**
 * Requests about the files of the store: entries of a queue, cleaning up. Source: spec remoting 4.2.2;
 * AdminBrokerProcessor.
 */
import { encodeBody } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { type Handler, longField, success, systemError } from './handler.js';
import { boundsOf, type CoordinatorState } from './state.js';

/** Entries of one answer. */
const ENTRIES_MAX = 10_000;

/** Entries of a consume queue as they are stored, and what a group that is named wants of the topic. */
const queryConsumeQueue: Handler = (state, request) => {
  const { topic = '', queueId: queueText, consumerGroup } = request.extFields;
  const queueId = Number(queueText ?? 0);
  if (state.numbers.find(topic, queueId) < 0) return systemError(request, `${queueText}@${topic} is not exist!`);
  const index = longField(request.extFields.index, 0);
  const count = longField(request.extFields.count, 0);
  if (Number.isNaN(index) || Number.isNaN(count)) return systemError(request, 'index and count are integers');
  const { min, max } = boundsOf(state, topic, queueId);
  const wanted = Math.min(count, ENTRIES_MAX, max - index);
  const entries = index >= min && wanted > 0 ? state.store.entriesOf(topic, queueId, index, wanted) : undefined;
  const queueData = entries?.map(({ physicalOffset, size, tagsCode }) => ({
    physicOffset: physicalOffset,
    physicSize: size,
    tagsCode,
    eval: false,
  }));
  const subscription = consumerGroup === undefined ? {} : subscriptionOf(state, consumerGroup, topic);
  const body = encodeBody({ ...subscription, minQueueIndex: min, maxQueueIndex: max, queueData });
  const remark = queueData === undefined ? `Index ${index} of ${queueId}@${topic} is not exist!` : null;
  return createResponse(request, ResponseCode.SUCCESS, remark, {}, body);
};

function subscriptionOf(state: CoordinatorState, group: string, topic: string): object {
  const subscriptionData = state.clients.consumerGroup(group)?.subscriptions.get(topic);
  if (subscriptionData === undefined) return { filterData: `${group}@${topic} is not online!` };
  const filter = state.filters.of(group)?.find(one => one.topic === topic);
  // Without one it is the text `null`: mqadmin prints it as it is.
  return { subscriptionData, filterData: JSON.stringify(filter ?? null) };
}

/** Files of consume queues and index that point to nothing the log still has. The dispatcher deletes them. */
const cleanExpired: Handler = (state, request) => {
  state.news.clean('expired');
  return success(request);
};

/** Consume queues of topics that are no more. */
const cleanUnused: Handler = (state, request) => {
  state.news.clean('unused');
  return success(request);
};

export const storeHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.QUERY_CONSUME_QUEUE, queryConsumeQueue],
  [RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, cleanExpired],
  [RequestCode.CLEAN_UNUSED_TOPIC, cleanUnused],
]);
