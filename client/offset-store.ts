/** Where a group stands in each queue: kept by the brokers, for all members. Source: RemoteBrokerOffsetStore. */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import type { QueueClient } from './queue-client.js';
import { queueKey } from './route.js';

/** Offsets are of the next message to consume. */
export interface OffsetStore {
  /** Errors: of the file system. */
  load(): Promise<void>;
  /** What this consumer reached; undefined before it consumed anything of the queue. */
  read(queue: MessageQueue): number | undefined;
  /** What is stored; null when nothing is. Errors: those of {@link QueueClient.fetchConsumeOffset}. */
  fetch(queue: MessageQueue): Promise<number | null>;
  /** Remembers an offset; with `increaseOnly` unless it is lower than the one before. */
  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void;
  /** Stores what has changed of these queues. Errors: of the first queue that failed; the others are stored. */
  persist(queues: readonly MessageQueue[]): Promise<void>;
  /** Forgets what is remembered and not stored. */
  forget(queue: MessageQueue): void;
}

/** Offsets that were reached, and those that were stored. */
export class OffsetTable {
  readonly #reached = new Map<string, number>();
  readonly #stored = new Map<string, number>();

  read(queue: MessageQueue): number | undefined {
    return this.#reached.get(queueKey(queue));
  }

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    const before = this.read(queue);
    if (before === undefined || !increaseOnly || offset > before) this.#reached.set(queueKey(queue), offset);
  }

  /** The offset of a queue when it is not the one that was stored last. */
  changeOf(queue: MessageQueue): number | undefined {
    const offset = this.read(queue);
    return offset === this.#stored.get(queueKey(queue)) ? undefined : offset;
  }

  markStored(queue: MessageQueue, offset: number): void {
    this.#stored.set(queueKey(queue), offset);
  }

  forget(queue: MessageQueue): void {
    this.#reached.delete(queueKey(queue));
    this.#stored.delete(queueKey(queue));
  }
}

export class BrokerOffsetStore implements OffsetStore {
  readonly #client: QueueClient;
  readonly #table = new OffsetTable();

  constructor(client: QueueClient) {
    this.#client = client;
  }

  async load(): Promise<void> {}

  read(queue: MessageQueue): number | undefined {
    return this.#table.read(queue);
  }

  fetch(queue: MessageQueue): Promise<number | null> {
    return this.#client.fetchConsumeOffset(queue);
  }

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    this.#table.update(queue, offset, increaseOnly);
  }

  async persist(queues: readonly MessageQueue[]): Promise<void> {
    const outcomes = await Promise.allSettled(queues.map(queue => this.#persistOne(queue)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  forget(queue: MessageQueue): void {
    this.#table.forget(queue);
  }

  /** Answered, where Java sends it oneway: who takes the queue over must find it. */
  async #persistOne(queue: MessageQueue): Promise<void> {
    const offset = this.#table.changeOf(queue);
    if (offset === undefined) return;
    await this.#client.updateConsumeOffset(queue, offset);
    this.#table.markStored(queue, offset);
  }
}
