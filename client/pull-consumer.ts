/**
 * Reads queues at the caller's pace; nothing is assigned, acknowledged or retried on its own.
 *
 * @example
 * const consumer = new PullConsumer({ namesrvAddr: '127.0.0.1:9876', consumerGroup: 'billing' });
 * await consumer.start();
 * for (const queue of await consumer.fetchSubscribeMessageQueues('Orders')) {
 *   const { messages, nextBeginOffset } = await consumer.pull(queue, 'created || paid', 0);
 *   for (const message of messages) console.log(message.msgId, message.bodyText);
 *   await consumer.updateConsumeOffset(queue, nextBeginOffset);
 * }
 * await consumer.shutdown();
 *
 * Source: spec remoting 6, 7.4, 11.3; DefaultMQPullConsumer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { RequestCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { MQClientError } from './errors.js';
import { decodeMessages, type MessageExt } from './message-ext.js';
import type { PullResult } from './pull-result.js';
import { QueueClient } from './queue-client.js';
import { parseTags } from './tag-filter.js';
import { parseOffsetMsgId } from './unique-id.js';

export interface PullConsumerOptions extends ClientOptions {
  readonly consumerGroup: string;
  /** How long an answer to {@link PullConsumer.pull} may take. Default 10000. */
  readonly consumerPullTimeoutMs?: number | undefined;
  /** How long a broker may hold {@link PullConsumer.pullBlockIfNotFound} when there is nothing. Default 20000. */
  readonly brokerSuspendMaxTimeMs?: number | undefined;
  /** How long an answer to it may take; longer than the above. Default 30000. */
  readonly consumerTimeoutWhenSuspendMs?: number | undefined;
}

export interface ConsumeOptions {
  /** An offset, a point in time, or a place; `committed` goes back to `earliest` for a group that committed nothing. */
  readonly from?: number | Date | 'committed' | 'earliest' | 'latest' | undefined;
  /** Tags, `a || b`. Default all. */
  readonly subExpression?: string | undefined;
  /** Messages a pull. Default 32. */
  readonly maxNums?: number | undefined;
  /** Ends the iteration, also while it waits for messages. */
  readonly signal?: AbortSignal | undefined;
}

/** Messages a pull asks for when not told. */
const PULL_BATCH_SIZE = 32;
/** Pause of {@link PullConsumer.consume} after an answer that brought it nowhere. Units: ms. */
const NO_PROGRESS_PAUSE_MS = 100;

export class PullConsumer {
  readonly #instance: ClientInstance;
  readonly #options: PullConsumerOptions;
  readonly #queues: QueueClient;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: PullConsumerOptions) {
    this.#instance = new ClientInstance(options, { consumerGroup: options.consumerGroup });
    this.#queues = new QueueClient(this.#instance, options.consumerGroup);
    this.#options = options;
  }

  get clientId(): string {
    return this.#instance.clientId;
  }

  /** Makes the consumer ready. Name servers and brokers are contacted when first needed. */
  async start(): Promise<void> {
    this.#instance.start();
  }

  /** Unregisters and closes every connection; pulls that wait are rejected, iterations end. */
  async shutdown(): Promise<void> {
    await this.#instance.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * The queues of a topic that can be read, as the name server says now.
   * Errors: MQClientError NO_ROUTE when it does not know the topic.
   */
  async fetchSubscribeMessageQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.#instance.checkRunning();
    const view = await this.#instance.refreshTopic(topic);
    if (view === null) throw new MQClientError('NO_ROUTE', `topic ${topic} does not exist`);
    return view.subscribeQueues;
  }

  /**
   * Reads up to `maxNums` messages from `offset` on; the broker may give fewer (32 and 256 KiB at most by default).
   * Errors: MQBrokerError; MQTimeoutError; MQClientError.
   */
  pull(queue: MessageQueue, subExpression: string, offset: number, maxNums = PULL_BATCH_SIZE): Promise<PullResult> {
    return this.#pull(queue, subExpression, offset, maxNums, 0, this.#options.consumerPullTimeoutMs ?? 10_000);
  }

  /** As {@link pull}, but at the end of the queue the broker waits for the next message before it answers. */
  pullBlockIfNotFound(
    queue: MessageQueue,
    subExpression: string,
    offset: number,
    maxNums = PULL_BATCH_SIZE,
  ): Promise<PullResult> {
    const { brokerSuspendMaxTimeMs = 20_000, consumerTimeoutWhenSuspendMs = 30_000 } = this.#options;
    return this.#pull(queue, subExpression, offset, maxNums, brokerSuspendMaxTimeMs, consumerTimeoutWhenSuspendMs);
  }

  /**
   * The messages of a queue one after another, waiting for new ones at its end. An offset that the queue no longer or
   * not yet reaches is corrected to its nearest bound. Ends on `signal`, `break` or {@link shutdown}.
   * Errors: those of {@link pull}; go on after one with `from: last.queueOffset + 1`.
   *
   * @example
   * for await (const message of consumer.consume(queue, { from: 'earliest' })) console.log(message.bodyText);
   */
  async *consume(queue: MessageQueue, options: ConsumeOptions = {}): AsyncGenerator<MessageExt, void, void> {
    const { subExpression = '*', maxNums = PULL_BATCH_SIZE, signal } = options;
    let offset = await this.#startOffset(queue, options.from ?? 'committed');
    while (this.#instance.running && signal?.aborted !== true) {
      const startedMs = performance.now();
      let result: PullResult | undefined;
      try {
        result = await unlessAborted(this.pullBlockIfNotFound(queue, subExpression, offset, maxNums), signal);
      } catch (error) {
        if (!this.#instance.running) return;
        throw error;
      }
      if (result === undefined) return;
      yield* result.messages;
      const stuck = result.nextBeginOffset === offset && performance.now() - startedMs < NO_PROGRESS_PAUSE_MS;
      if (stuck) await sleep(NO_PROGRESS_PAUSE_MS);
      offset = result.nextBeginOffset;
    }
  }

  /** Offset of the oldest message; equal to {@link maxOffset} when there is none. */
  minOffset(queue: MessageQueue): Promise<number> {
    return this.#queues.minOffset(queue);
  }

  /** One past the offset of the newest message. */
  maxOffset(queue: MessageQueue): Promise<number> {
    return this.#queues.maxOffset(queue);
  }

  /** Offset of the first message stored at `timestampMs` or later. Units: ms since the epoch. */
  searchOffset(queue: MessageQueue, timestampMs: number): Promise<number> {
    return this.#queues.searchOffset(queue, timestampMs);
  }

  /** When the oldest message was stored; -1 when there is none. Units: ms since the epoch. */
  earliestMsgStoreTime(queue: MessageQueue): Promise<number> {
    return this.#queues.earliestMsgStoreTime(queue);
  }

  /** The offset the group committed; null when it committed none. A young queue answers 0 instead (spec 7.4). */
  fetchConsumeOffset(queue: MessageQueue): Promise<number | null> {
    return this.#queues.fetchConsumeOffset(queue);
  }

  /** Commits where the group goes on, the offset of the next message to read. It may move backwards. */
  updateConsumeOffset(queue: MessageQueue, offset: number): Promise<void> {
    return this.#queues.updateConsumeOffset(queue, offset);
  }

  /**
   * The message an offset message id stands for, from the broker named in it.
   * Errors: MQBrokerError SYSTEM_ERROR when it is no longer there; MQClientError INVALID_ARGUMENT.
   */
  async viewMessage(offsetMsgId: string): Promise<MessageExt> {
    this.#instance.checkRunning();
    const { address, physicalOffset } = parseOffsetMsgId(offsetMsgId);
    const request = createRequest(RequestCode.VIEW_MESSAGE_BY_ID, { offset: physicalOffset });
    const answer = await this.#instance.invoke(address, request);
    const message = decodeMessages(answer.body ?? new Uint8Array(0))[0];
    if (message === undefined) throw new MQClientError('BAD_ANSWER', `${address} gave no record for ${offsetMsgId}`);
    return message;
  }

  #pull(
    queue: MessageQueue,
    subExpression: string,
    offset: number,
    maxNums: number,
    suspendMs: number,
    timeoutMs: number,
  ): Promise<PullResult> {
    return this.#queues.pull(queue, {
      offset,
      maxNums,
      suspendMs,
      timeoutMs,
      expressionType: 'TAG',
      subscription: subExpression.trim() === '' ? '*' : subExpression,
      subVersion: 0,
      tags: parseTags(subExpression),
    });
  }

  async #startOffset(queue: MessageQueue, from: NonNullable<ConsumeOptions['from']>): Promise<number> {
    if (typeof from === 'number') return from;
    if (from instanceof Date) return this.searchOffset(queue, from.getTime());
    if (from === 'latest') return this.maxOffset(queue);
    const committed = from === 'committed' ? await this.fetchConsumeOffset(queue) : null;
    return committed ?? (await this.minOffset(queue));
  }
}

/** `promise`, or undefined once `signal` fires; the promise's own outcome is dropped then. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value | undefined> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
