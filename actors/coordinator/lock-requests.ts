/** Requests of ordered consumption: lock and unlock queues. Source: spec remoting 7.5; AdminBrokerProcessor. */
import { decodeLockBatchRequestBody } from '../../protocol/bodies.js';
import { RequestCode } from '../../protocol/codes.js';
import { type Handler, success, successWithBody } from './handler.js';

const lockBatch: Handler = (state, request) => {
  const { consumerGroup, clientId, mqSet } = decodeLockBatchRequestBody(request.body);
  const lockOKMQSet = state.locks.lock(consumerGroup, clientId, mqSet, state.nowMs);
  return successWithBody(request, { lockOKMQSet });
};

const unlockBatch: Handler = (state, request) => {
  const { consumerGroup, clientId, mqSet } = decodeLockBatchRequestBody(request.body);
  state.locks.unlock(consumerGroup, clientId, mqSet);
  return success(request);
};

export const lockHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.LOCK_BATCH_MQ, lockBatch],
  [RequestCode.UNLOCK_BATCH_MQ, unlockBatch],
]);
