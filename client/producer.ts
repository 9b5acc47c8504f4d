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
import { MiB } from '../runtime/base/units.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { type ErrorReporter, reporterOf } from './error-reporter.js';
import { MQClientError } from './errors.js';
import { type Message, type MessageLimits, prepareBatch, prepareMessage } from './message.js';
import type { MessageExt } from './message-ext.js';
import { ReplyTable } from './request-reply.js';
import type { SendResult } from './send-result.js';
import { Sender, type SendOptions } from './sender.js';
import { isTracing, sendInSpan } from './spans.js';
import { publishRecord } from './trace-data.js';
import { TRACE_TOPIC, TraceDispatcher } from './trace-dispatcher.js';

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
  /** Tells the trace topic of every message that was sent; `mqadmin queryMsgTraceById` reads it. Default false. */
  readonly enableTrace?: boolean | undefined;
  /** Default RMQ_SYS_TRACE_TOPIC. */
  readonly traceTopic?: string | undefined;
  /** Told of failures that no call waits for. Default a warning of the process. */
  readonly onError?: ErrorReporter | undefined;
}

/** A producer that brokers are to reach asks this often which there are. Units: ms. */
export const MEET_BROKERS_INTERVAL_MS = 30_000;

export class Producer {
  /** For kinds of producers. */
  protected readonly instance: ClientInstance;
  protected readonly trace: TraceDispatcher | undefined;
  protected readonly reportError: ErrorReporter;
  readonly #sender: Sender;
  readonly #limits: MessageLimits;
  readonly #replies: ReplyTable;
  #meetAgainMs = 0;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: ProducerOptions) {
    const { producerGroup } = options;
    this.instance = new ClientInstance(options, { producerGroup });
    this.reportError = reporterOf(options.onError);
    this.#replies = new ReplyTable(this.instance);
    this.#limits = {
      maxMessageSize: options.maxMessageSize ?? 4 * MiB,
      compressMsgBodyOverHowmuch: options.compressMsgBodyOverHowmuch ?? 4096,
    };
    const traceTopic = options.traceTopic ?? TRACE_TOPIC;
    const trace =
      options.enableTrace === true
        ? new TraceDispatcher(this.instance, producerGroup, 'PRODUCE', traceTopic, this.reportError)
        : undefined;
    this.trace = trace;
    this.#sender = new Sender(this.instance, {
      producerGroup,
      sendMsgTimeoutMs: options.sendMsgTimeoutMs ?? 3000,
      attemptsMax: 1 + (options.retryTimesWhenSendFailed ?? 2),
      defaultTopicQueueNums: options.defaultTopicQueueNums ?? 4,
      onSent: sent => {
        if (sent.result.traceOn && trace?.isAbout(sent.message.topic)) trace.append(publishRecord(sent, producerGroup));
      },
    });
  }

  get clientId(): string {
    return this.instance.clientId;
  }

  /** Makes the producer ready. Name servers and brokers are contacted when first needed. */
  async start(): Promise<void> {
    this.instance.start();
  }

  /** Unregisters and closes every connection. Sends without an answer are rejected: await them first. */
  async shutdown(): Promise<void> {
    this.#replies.close();
    if (this.instance.running) await this.trace?.flush();
    await this.instance.shutdown();
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
    this.instance.checkRunning();
    if (!isTracing()) return this.#sender.send(prepareMessage(message, this.#limits), options);
    return sendInSpan([message], this.clientId, ([traced]) =>
      this.#sender.send(prepareMessage(traced!, this.#limits), options),
    );
  }

  /**
   * Stores several messages of one topic in one request, in one queue with consecutive offsets.
   * Errors: as {@link send}; MESSAGE_ILLEGAL when they cannot travel together (see {@link prepareBatch}).
   */
  async sendBatch(messages: readonly Message[], options: SendOptions = {}): Promise<SendResult> {
    this.instance.checkRunning();
    if (!isTracing()) return this.#sender.send(prepareBatch(messages, this.#limits), options);
    return sendInSpan(messages, this.clientId, traced =>
      this.#sender.send(prepareBatch(traced, this.#limits), options),
    );
  }

  /**
   * Hands a message to the network and does not wait for the broker; it may be lost without notice.
   * Errors: MQClientError MESSAGE_ILLEGAL, NO_ROUTE, CONNECT_FAILED.
   */
  async sendOneway(message: Message, options: SendOptions = {}): Promise<void> {
    this.instance.checkRunning();
    if (!isTracing()) return this.#sender.sendOneway(prepareMessage(message, this.#limits), options);
    return sendInSpan([message], this.clientId, ([traced]) =>
      this.#sender.sendOneway(prepareMessage(traced!, this.#limits), options),
    );
  }

  /**
   * Sends a message and waits until one of its consumers has answered it (see {@link createReplyMessage}). The reply
   * need not come through the broker that took the request, so all brokers of the name server are told of this client.
   * Errors: as {@link send}; MQTimeoutError when the reply does not come; the request may have been consumed then.
   */
  async request(message: Message, timeoutMs = 3000, options: SendOptions = {}): Promise<MessageExt> {
    this.instance.checkRunning();
    const deadlineMs = performance.now() + timeoutMs;
    await this.meetBrokers();
    const leftMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    return this.#replies.request(message, this.clientId, leftMs, request =>
      this.send(request, { timeoutMs: leftMs, ...options }),
    );
  }

  /** Learns of all brokers, now and then again, and waits until they know this client. */
  protected async meetBrokers(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs >= this.#meetAgainMs) {
      await this.instance.loadBrokers();
      this.#meetAgainMs = nowMs + MEET_BROKERS_INTERVAL_MS;
    }
    await this.instance.greetBrokers();
  }

  /**
   * The queues messages of a topic can be sent to, as the name server says now.
   * Errors: MQClientError NO_ROUTE when it does not know the topic.
   */
  async fetchPublishMessageQueues(topic: string): Promise<readonly MessageQueue[]> {
    this.instance.checkRunning();
    const view = await this.instance.refreshTopic(topic);
    if (view === null) throw new MQClientError('NO_ROUTE', `topic ${topic} does not exist`);
    return view.publishQueues;
  }
}
