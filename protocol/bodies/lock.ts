/** Locking queues for ordered consumption: bodies of 41 and 42. Source: spec remoting 7.5; LockBatchRequestBody. */
import { decodeBody, objectsOf, textOf } from './fields.js';
import { type MessageQueue, messageQueueOf } from './message-queue.js';

export interface LockBatchRequestBody {
  readonly consumerGroup: string;
  readonly clientId: string;
  readonly mqSet: readonly MessageQueue[];
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeLockBatchRequestBody(bytes: Uint8Array | null): LockBatchRequestBody {
  const fields = decodeBody(bytes, 'LockBatchRequestBody');
  return {
    consumerGroup: textOf(fields.consumerGroup),
    clientId: textOf(fields.clientId),
    mqSet: objectsOf(fields.mqSet, messageQueueOf),
  };
}
