/**
 * Locks of queues, for ordered consumption: one member of the group at a time has a queue, also while the members do
 * not agree who it is. Source: spec remoting 7.5; RebalanceImpl.
 */
import { decodeBody, encodeBody, objectsOf } from '../protocol/bodies/fields.js';
import { type MessageQueue, messageQueueOf } from '../protocol/bodies/message-queue.js';
import { RequestCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import type { ClientInstance } from './client-instance.js';
import { MQClientError } from './errors.js';
import { decodeAnswer, queueKey } from './route.js';

/** Locks are renewed this often; brokers keep them for 60 s. Units: ms. */
export const LOCK_INTERVAL_MS = 20_000;
/** Source: RebalanceImpl. Units: ms. */
const LOCK_TIMEOUT_MS = 1000;

/** What came of an attempt at one broker: the keys of the queues that were locked, or the error. */
export interface LockOutcome {
  readonly queues: readonly MessageQueue[];
  readonly locked: ReadonlySet<string>;
  readonly error?: unknown;
}

export class QueueLock {
  readonly #instance: ClientInstance;
  readonly #consumerGroup: string;

  constructor(instance: ClientInstance, consumerGroup: string) {
    this.#instance = instance;
    this.#consumerGroup = consumerGroup;
  }

  /** Locks queues, or renews their locks, with one request a broker. */
  lock(queues: readonly MessageQueue[]): Promise<LockOutcome[]> {
    return Promise.all([...byBroker(queues)].map(([brokerName, owned]) => this.#lockAt(brokerName, owned)));
  }

  /** Gives locks back. Errors: MQBrokerError, MQTimeoutError, MQClientError of a broker; locks run out after 60 s. */
  async unlock(queues: readonly MessageQueue[]): Promise<void> {
    await Promise.all(
      [...byBroker(queues)].map(([name, owned]) => this.#ask(RequestCode.UNLOCK_BATCH_MQ, name, owned)),
    );
  }

  async #lockAt(brokerName: string, queues: readonly MessageQueue[]): Promise<LockOutcome> {
    try {
      const { answer, address } = await this.#ask(RequestCode.LOCK_BATCH_MQ, brokerName, queues);
      const body = decodeAnswer(bytes => decodeBody(bytes, 'LockBatchResponseBody'), answer.body, address);
      return { queues, locked: new Set(objectsOf(body.lockOKMQSet, messageQueueOf).map(queueKey)) };
    } catch (error) {
      return { queues, locked: new Set(), error };
    }
  }

  async #ask(code: number, brokerName: string, mqSet: readonly MessageQueue[]) {
    const address = this.#instance.brokerAddress(brokerName);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${brokerName} has no master`);
    const body = encodeBody({ clientId: this.#instance.clientId, consumerGroup: this.#consumerGroup, mqSet });
    const answer = await this.#instance.invoke(address, createRequest(code, {}, body), LOCK_TIMEOUT_MS);
    return { answer, address };
  }
}

function byBroker(queues: readonly MessageQueue[]): Map<string, MessageQueue[]> {
  const brokers = new Map<string, MessageQueue[]>();
  for (const queue of queues) brokers.set(queue.brokerName, [...(brokers.get(queue.brokerName) ?? []), queue]);
  return brokers;
}
