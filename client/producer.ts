/**
 * Sends messages. Sends that run at the same time share one connection a broker, and those of one turn of the event
 * loop one socket write.
 *
 * @example
 * const producer = new Producer({ namesrvAddr: '127.0.0.1:9876', producerGroup: 'orders' });
 * await producer.start();
 * const result = await producer.send({ topic: 'Orders', tags: 'created', body: JSON.stringify(order) });
 * console.log(result.sendStatus, result.msgId);
 * await producer.shutdown();
 *
 * Source: spec remoting 5, 11.1; DefaultMQProducerImpl.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../protocol/command.js';
import { AUTO_CREATE_TOPIC } from '../protocol/topic-names.js';
import { MiB } from '../runtime/base/units.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { isUnreachable, MQBrokerError, MQClientError, MQTimeoutError } from './errors.js';
import { type Message, type MessageLimits, type PreparedMessage, prepareBatch, prepareMessage } from './message.js';
import { provisionalQueues } from './route.js';
import { type SendResult, sendResultOf } from './send-result.js';

export interface ProducerOptions extends ClientOptions {
  readonly producerGroup: string;
  /** For one send with all its retries. Default 3000. */
  readonly sendMsgTimeoutMs?: number | undefined;
  /** Further attempts after the first. Default 2. */
  readonly retryTimesWhenSendFailed?: number | undefined;
  /** Bodies of at least this size are compressed. Units: bytes. Default 4096. */
  readonly compressMsgBodyOverHowmuch?: number | undefined;
  /** Units: bytes. Default 4 MiB. */
  readonly maxMessageSize?: number | undefined;
  /** Queues a broker of a topic that does not exist yet is asked to create. Default 4. */
  readonly defaultTopicQueueNums?: number | undefined;
}

export interface SendOptions {
  /** Send to this queue and no other: no retry. */
  readonly queue?: MessageQueue | undefined;
  /** Picks the queue, as for messages that must stay in order: no retry. */
  readonly selector?: ((queues: readonly MessageQueue[], topic: string) => MessageQueue | undefined) | undefined;
  /** Instead of sendMsgTimeoutMs. */
  readonly timeoutMs?: number | undefined;
}

/** Codes after which another queue may do better. Source: DefaultMQProducer. */
const retryCodes: ReadonlySet<number> = new Set([
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.NO_PERMISSION,
  204, // NO_BUYER_ID
  205, // NOT_IN_CURRENT_UNIT
]);

/** Codes of a broker that has too much to do or leaves: only another broker helps. Source: 5.x DefaultMQProducer. */
const retryElsewhereCodes: ReadonlySet<number> = new Set([ResponseCode.SYSTEM_BUSY, 1500]);

export class Producer {
  readonly #instance: ClientInstance;
  readonly #limits: MessageLimits;
  readonly #producerGroup: string;
  readonly #sendMsgTimeoutMs: number;
  readonly #attemptsMax: number;
  readonly #defaultTopicQueueNums: number;
  /** The queue each topic's next message goes to, before the modulo. */
  readonly #turns = new Map<string, number>();

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: ProducerOptions) {
    this.#instance = new ClientInstance(options, { producerGroup: options.producerGroup });
    this.#producerGroup = options.producerGroup;
    this.#sendMsgTimeoutMs = options.sendMsgTimeoutMs ?? 3000;
    this.#attemptsMax = 1 + (options.retryTimesWhenSendFailed ?? 2);
    this.#defaultTopicQueueNums = options.defaultTopicQueueNums ?? 4;
    this.#limits = {
      maxMessageSize: options.maxMessageSize ?? 4 * MiB,
      compressMsgBodyOverHowmuch: options.compressMsgBodyOverHowmuch ?? 4096,
    };
  }

  get clientId(): string {
    return this.#instance.clientId;
  }

  /** Makes the producer ready. Name servers and brokers are contacted when first needed. */
  async start(): Promise<void> {
    this.#instance.start();
  }

  /** Unregisters and closes every connection. Sends without an answer are rejected: await them first. */
  async shutdown(): Promise<void> {
    await this.#instance.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * Stores a message; the result says where. Another queue or broker is tried when one fails, within one timeout.
   * A message may be stored twice when an answer is lost: `msgId` stays the same.
   * Errors: MQClientError MESSAGE_ILLEGAL, NO_ROUTE; MQBrokerError; MQTimeoutError; of the last attempt.
   */
  async send(message: Message, options: SendOptions = {}): Promise<SendResult> {
    this.#instance.checkRunning();
    return this.#deliver(prepareMessage(message, this.#limits), RequestCode.SEND_MESSAGE_V2, options);
  }

  /**
   * Stores several messages of one topic in one request, in one queue with consecutive offsets.
   * Errors: as {@link send}; MESSAGE_ILLEGAL when they cannot travel together (see {@link prepareBatch}).
   */
  async sendBatch(messages: readonly Message[], options: SendOptions = {}): Promise<SendResult> {
    this.#instance.checkRunning();
    return this.#deliver(prepareBatch(messages, this.#limits), RequestCode.SEND_BATCH_MESSAGE, options);
  }

  /**
   * Hands a message to the network and does not wait for the broker; it may be lost without notice.
   * Errors: MQClientError MESSAGE_ILLEGAL, NO_ROUTE, CONNECT_FAILED.
   */
  async sendOneway(message: Message, options: SendOptions = {}): Promise<void> {
    this.#instance.checkRunning();
    const prepared = prepareMessage(message, this.#limits);
    const queues = this.#knownQueues(prepared.topic) ?? (await this.#loadQueues(prepared.topic));
    const queue = fixedQueue(prepared.topic, queues, options) ?? this.#nextQueue(prepared.topic, queues);
    const address = this.#addressOf(queue);
    const connection = this.#instance.connections.peek(address) ?? (await this.#instance.connections.get(address));
    connection.sendOneway(this.#requestFor(queue, prepared, RequestCode.SEND_MESSAGE_V2));
  }

  /**
   * The queues messages of a topic can be sent to, as the name server says now.
   * Errors: MQClientError NO_ROUTE when it does not know the topic.
   */
  async fetchPublishMessageQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.#instance.checkRunning();
    const view = await this.#instance.refreshTopic(topic);
    if (view === null) throw new MQClientError('NO_ROUTE', `topic ${topic} does not exist`);
    return view.publishQueues;
  }

  async #deliver(prepared: PreparedMessage, code: number, options: SendOptions): Promise<SendResult> {
    const { topic } = prepared;
    const timeoutMs = options.timeoutMs ?? this.#sendMsgTimeoutMs;
    const deadlineMs = performance.now() + timeoutMs;
    const queues = this.#knownQueues(topic) ?? (await this.#loadQueues(topic));
    const fixed = fixedQueue(topic, queues, options);
    const attemptsMax = fixed === undefined ? this.#attemptsMax : 1;
    let failedBroker: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const queue = fixed ?? this.#nextQueue(topic, queues, failedBroker);
      try {
        return await this.#sendTo(queue, prepared, code, deadlineMs, timeoutMs);
      } catch (error) {
        const retry = mayRetry(error, queue, queues);
        if (retry) this.#instance.refreshTopicSoon(topic);
        if (!retry || attempt >= attemptsMax || performance.now() >= deadlineMs) throw error;
        failedBroker = queue.brokerName;
      }
    }
  }

  async #sendTo(
    queue: MessageQueue,
    prepared: PreparedMessage,
    code: number,
    deadlineMs: number,
    timeoutMs: number,
  ): Promise<SendResult> {
    const address = this.#addressOf(queue);
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) throw new MQTimeoutError(address, timeoutMs);
    const request = this.#requestFor(queue, prepared, code);
    const answer = await this.#instance.connections.request(address, request, leftMs);
    const result = sendResultOf(answer, prepared.uniqKey, queue);
    if (result === undefined) throw new MQBrokerError(answer, address);
    return result;
  }

  #requestFor(queue: MessageQueue, prepared: PreparedMessage, code: number): RemotingCommand {
    const fields = {
      a: this.#producerGroup,
      b: prepared.topic,
      c: AUTO_CREATE_TOPIC,
      d: this.#defaultTopicQueueNums,
      e: queue.queueId,
      f: prepared.sysFlag,
      g: Date.now(),
      h: prepared.flag,
      i: prepared.properties,
      j: 0,
      k: false,
      m: code === RequestCode.SEND_BATCH_MESSAGE,
      n: queue.brokerName,
    };
    return createRequest(code, fields, prepared.body);
  }

  #addressOf(queue: MessageQueue): string {
    const address = this.#instance.brokerAddress(queue.brokerName);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} has no master`);
    return address;
  }

  /** The queues of a topic that was used before: no waiting. */
  #knownQueues(topic: string): readonly MessageQueue[] | undefined {
    const queues = this.#instance.topic(topic)?.publishQueues;
    return queues === undefined || queues.length === 0 ? undefined : queues;
  }

  async #loadQueues(topic: string): Promise<readonly MessageQueue[]> {
    const view = await this.#instance.refreshTopic(topic);
    if (view !== null) {
      if (view.publishQueues.length > 0) return view.publishQueues;
      throw new MQClientError('NO_ROUTE', `topic ${topic} has no queue that can be written`);
    }
    // A new topic: brokers that publish the template create it on the first send (spec remoting 5.7, 11.1).
    const template = await this.#instance.loadTopic(AUTO_CREATE_TOPIC);
    const queues = template === null ? [] : provisionalQueues(topic, template.route, this.#defaultTopicQueueNums);
    if (template === null || queues.length === 0) {
      throw new MQClientError('NO_ROUTE', `topic ${topic} does not exist, and no broker creates topics on first use`);
    }
    this.#instance.setTopic(topic, { route: template.route, publishQueues: queues, subscribeQueues: [] });
    return queues;
  }

  /** The next queue in turn, of another broker than `failedBroker` if there is one. */
  #nextQueue(topic: string, queues: readonly MessageQueue[], failedBroker?: string): MessageQueue {
    let turn = this.#turns.get(topic) ?? Math.floor(Math.random() * queues.length);
    for (let tried = 1; tried < queues.length && queues[turn % queues.length]!.brokerName === failedBroker; tried++) {
      turn++;
    }
    this.#turns.set(topic, turn + 1);
    return queues[turn % queues.length]!;
  }
}

function fixedQueue(topic: string, queues: readonly MessageQueue[], options: SendOptions): MessageQueue | undefined {
  if (options.queue === undefined && options.selector === undefined) return undefined;
  const queue = options.queue ?? options.selector?.(queues, topic);
  if (queue?.topic === topic) return queue;
  throw new MQClientError('INVALID_ARGUMENT', `the queue chosen is not one of topic ${topic}`);
}

function mayRetry(error: unknown, queue: MessageQueue, queues: readonly MessageQueue[]): boolean {
  if (!(error instanceof MQBrokerError)) {
    return isUnreachable(error) || (error instanceof MQClientError && error.code === 'NO_ROUTE');
  }
  if (retryCodes.has(error.responseCode)) return true;
  if (!retryElsewhereCodes.has(error.responseCode)) return false;
  return queues.some(other => other.brokerName !== queue.brokerName);
}
