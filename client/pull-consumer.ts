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
import { PullSysFlag, RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type ExtFields, type RemotingCommand } from '../protocol/command.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { MQBrokerError, MQClientError } from './errors.js';
import { decodeMessages, type MessageExt } from './message-ext.js';
import { numberField, type PullResult, pullCodes, pullResultOf } from './pull-result.js';
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
/** Source: ClientConfig, offset requests. Units: ms. */
const OFFSET_TIMEOUT_MS = 5000;

export class PullConsumer {
  readonly #instance: ClientInstance;
  readonly #options: PullConsumerOptions;
  /** The broker id each queue is to be read from, as the last answer suggested. */
  readonly #suggestedBrokerIds = new Map<string, number>();

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: PullConsumerOptions) {
    this.#instance = new ClientInstance(options, { consumerGroup: options.consumerGroup });
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
    return this.#askOffset(queue, RequestCode.GET_MIN_OFFSET);
  }

  /** One past the offset of the newest message. */
  maxOffset(queue: MessageQueue): Promise<number> {
    return this.#askOffset(queue, RequestCode.GET_MAX_OFFSET);
  }

  /** Offset of the first message stored at `timestampMs` or later. Units: ms since the epoch. */
  searchOffset(queue: MessageQueue, timestampMs: number): Promise<number> {
    return this.#askOffset(queue, RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, { timestamp: Math.trunc(timestampMs) });
  }

  /** When the oldest message was stored; -1 when there is none. Units: ms since the epoch. */
  async earliestMsgStoreTime(queue: MessageQueue): Promise<number> {
    const answer = await this.#askMaster(queue, RequestCode.GET_EARLIEST_MSG_STORETIME);
    return numberField(answer, 'timestamp');
  }

  /** The offset the group committed; null when it committed none. A young queue answers 0 instead (spec 7.4). */
  async fetchConsumeOffset(queue: MessageQueue): Promise<number | null> {
    const fields = { consumerGroup: this.#options.consumerGroup };
    const codes = [ResponseCode.SUCCESS, ResponseCode.QUERY_NOT_FOUND];
    const answer = await this.#askMaster(queue, RequestCode.QUERY_CONSUMER_OFFSET, fields, codes);
    return answer.code === ResponseCode.QUERY_NOT_FOUND ? null : numberField(answer, 'offset');
  }

  /** Commits where the group goes on, the offset of the next message to read. It may move backwards. */
  async updateConsumeOffset(queue: MessageQueue, offset: number): Promise<void> {
    const fields = { consumerGroup: this.#options.consumerGroup, commitOffset: offset };
    await this.#askMaster(queue, RequestCode.UPDATE_CONSUMER_OFFSET, fields);
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

  async #pull(
    queue: MessageQueue,
    subExpression: string,
    offset: number,
    maxNums: number,
    suspendMs: number,
    timeoutMs: number,
  ): Promise<PullResult> {
    await this.#ensureRoute(queue);
    const key = `${queue.topic}@${queue.brokerName}@${queue.queueId}`;
    const address = this.#instance.readableBrokerAddress(queue.brokerName, this.#suggestedBrokerIds.get(key) ?? 0);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} is not known`);
    const request = createRequest(RequestCode.PULL_MESSAGE, {
      consumerGroup: this.#options.consumerGroup,
      topic: queue.topic,
      queueId: queue.queueId,
      queueOffset: offset,
      maxMsgNums: maxNums,
      sysFlag: PullSysFlag.SUBSCRIPTION | (suspendMs > 0 ? PullSysFlag.SUSPEND : 0),
      commitOffset: 0,
      suspendTimeoutMillis: suspendMs,
      subscription: subExpression.trim() === '' ? '*' : subExpression,
      subVersion: 0,
      expressionType: 'TAG',
    });
    const answer = await this.#withRefresh(queue, () => this.#instance.invoke(address, request, timeoutMs, pullCodes));
    this.#suggestedBrokerIds.set(key, Number(answer.extFields.suggestWhichBrokerId ?? 0));
    return pullResultOf(answer, subExpression);
  }

  #askOffset(queue: MessageQueue, code: number, fields: ExtFields = {}): Promise<number> {
    return this.#askMaster(queue, code, fields).then(answer => numberField(answer, 'offset'));
  }

  async #askMaster(
    queue: MessageQueue,
    code: number,
    fields: ExtFields = {},
    codes: readonly number[] = [ResponseCode.SUCCESS],
  ): Promise<RemotingCommand> {
    await this.#ensureRoute(queue);
    const address = this.#instance.brokerAddress(queue.brokerName);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} has no master`);
    const request = createRequest(code, { ...fields, topic: queue.topic, queueId: queue.queueId });
    return this.#withRefresh(queue, () => this.#instance.invoke(address, request, OFFSET_TIMEOUT_MS, codes));
  }

  async #ensureRoute(queue: MessageQueue): Promise<void> {
    this.#instance.checkRunning();
    if (this.#instance.knowsBroker(queue.brokerName)) return;
    await this.#instance.refreshTopic(queue.topic);
    // A topic created by the send before has a broker already, and no route yet.
    if (!this.#instance.knowsBroker(queue.brokerName)) await this.#instance.loadBrokers();
  }

  /** The broker may have moved: whatever fails but an answer makes us ask for the route again. */
  async #withRefresh(queue: MessageQueue, ask: () => Promise<RemotingCommand>): Promise<RemotingCommand> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof MQBrokerError)) this.#instance.refreshTopicSoon(queue.topic);
      throw error;
    }
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
