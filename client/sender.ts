/**
 * The way of a message to a broker: which queue, which broker, and another one when that fails. Producers, and
 * consumers that send a message back, share it. Source: spec remoting 5.7, 11.1; DefaultMQProducerImpl.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../protocol/command.js';
import { AUTO_CREATE_TOPIC } from '../protocol/topic-names.js';
import type { ClientInstance } from './client-instance.js';
import { isUnreachable, MQBrokerError, MQClientError, MQTimeoutError } from './errors.js';
import type { PreparedMessage } from './message.js';
import { provisionalQueues, whyUnwritable } from './route.js';
import { type SendResult, sendResultOf } from './send-result.js';

export interface SendOptions {
  /** Send to this queue and no other: no retry. */
  readonly queue?: MessageQueue | undefined;
  /** Picks the queue, as for messages that must stay in order: no retry. */
  readonly selector?: ((queues: readonly MessageQueue[], topic: string) => MessageQueue | undefined) | undefined;
  /** Instead of sendMsgTimeoutMs. */
  readonly timeoutMs?: number | undefined;
}

/** A send that a broker has answered well. Units: timestamps ms since the epoch. */
export interface SentMessage {
  readonly message: PreparedMessage;
  readonly result: SendResult;
  readonly brokerAddr: string;
  readonly startTimestamp: number;
  readonly costMs: number;
}

export interface SenderOptions {
  readonly producerGroup: string;
  readonly sendMsgTimeoutMs: number;
  readonly attemptsMax: number;
  readonly defaultTopicQueueNums: number;
  /** Told of every message that a broker took. */
  readonly onSent?: ((sent: SentMessage) => void) | undefined;
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

/** Between two looks for the master of the only broker there is. Units: ms. */
const MASTER_PAUSE_MS = 50;

export class Sender {
  readonly #instance: ClientInstance;
  readonly #options: SenderOptions;
  readonly #lastQueues = new Map<string, readonly MessageQueue[]>();
  /** The queue each topic's next message goes to, before the modulo. */
  readonly #turns = new Map<string, number>();

  constructor(instance: ClientInstance, options: SenderOptions) {
    this.#instance = instance;
    this.#options = options;
  }

  /** Errors: MQClientError NO_ROUTE; MQBrokerError; MQTimeoutError; of the last attempt. */
  async send(message: PreparedMessage, options: SendOptions = {}): Promise<SendResult> {
    const { topic } = message;
    const timeoutMs = options.timeoutMs ?? this.#options.sendMsgTimeoutMs;
    const deadlineMs = performance.now() + timeoutMs;
    const queues = this.#knownQueues(topic) ?? (await this.#loadQueues(topic));
    const fixed = fixedQueue(topic, queues, options);
    const attemptsMax = fixed === undefined ? this.#options.attemptsMax : 1;
    let failedBroker: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const queue = fixed ?? this.#nextQueue(topic, queues, failedBroker);
      try {
        return await this.#sendTo(queue, message, deadlineMs, timeoutMs);
      } catch (error) {
        const retry = mayRetry(error, queue, queues);
        if (retry) this.#instance.refreshTopicSoon(topic);
        if (!retry || attemptsMax === 1 || performance.now() >= deadlineMs) throw error;
        if (isMasterless(error) && queues.every(other => other.brokerName === queue.brokerName)) {
          // There is no other broker to go to: this one's master is being changed, or is starting again.
          await this.#awaitMaster(topic, deadlineMs);
          attempt--;
          continue;
        }
        if (attempt >= attemptsMax) throw error;
        failedBroker = queue.brokerName;
      }
    }
  }

  /** Errors: MQClientError NO_ROUTE, CONNECT_FAILED. */
  async sendOneway(message: PreparedMessage, options: SendOptions = {}): Promise<undefined> {
    const queues = this.#knownQueues(message.topic) ?? (await this.#loadQueues(message.topic));
    const queue = fixedQueue(message.topic, queues, options) ?? this.#nextQueue(message.topic, queues);
    const address = this.#addressOf(queue);
    const connection = this.#instance.connections.peek(address) ?? (await this.#instance.connections.get(address));
    connection.sendOneway(this.#requestFor(queue, message));
  }

  /** Errors: MQClientError NO_ROUTE. */
  async #loadQueues(topic: string): Promise<readonly MessageQueue[]> {
    const view = await this.#instance.refreshTopic(topic);
    if (view !== null) {
      if (view.publishQueues.length > 0) return view.publishQueues;
      throw new MQClientError(
        'NO_ROUTE',
        `topic ${topic} has no queue that can be written${whyUnwritable(view.route)}`,
      );
    }
    // A new topic: brokers that publish the template create it on the first send (spec remoting 5.7, 11.1).
    const template = await this.#instance.loadTopic(AUTO_CREATE_TOPIC);
    const queues =
      template === null ? [] : provisionalQueues(topic, template.route, this.#options.defaultTopicQueueNums);
    if (template === null || queues.length === 0) {
      throw new MQClientError('NO_ROUTE', `topic ${topic} does not exist, and no broker creates topics on first use`);
    }
    this.#instance.setTopic(topic, { route: template.route, publishQueues: queues, subscribeQueues: [] });
    return queues;
  }

  async #sendTo(
    queue: MessageQueue,
    message: PreparedMessage,
    deadlineMs: number,
    timeoutMs: number,
  ): Promise<SendResult> {
    const brokerAddr = this.#addressOf(queue);
    const startMs = performance.now();
    const leftMs = deadlineMs - startMs;
    if (leftMs <= 0) throw new MQTimeoutError(brokerAddr, timeoutMs);
    const request = this.#requestFor(queue, message);
    const startTimestamp = Date.now();
    const answer = await this.#instance.connections.request(brokerAddr, request, leftMs);
    const result = sendResultOf(answer, message.uniqKey, queue);
    if (result === undefined) throw new MQBrokerError(answer, brokerAddr);
    const costMs = Math.round(performance.now() - startMs);
    this.#options.onSent?.({ message, result, brokerAddr, startTimestamp, costMs });
    return result;
  }

  #requestFor(queue: MessageQueue, message: PreparedMessage): RemotingCommand {
    const fields = {
      a: this.#options.producerGroup,
      b: message.topic,
      c: AUTO_CREATE_TOPIC,
      d: this.#options.defaultTopicQueueNums,
      e: queue.queueId,
      f: message.sysFlag,
      g: Date.now(),
      h: message.flag,
      i: message.properties,
      j: message.reconsumeTimes,
      k: false,
      l: message.maxReconsumeTimes,
      m: message.requestCode === RequestCode.SEND_BATCH_MESSAGE,
      n: queue.brokerName,
    };
    return createRequest(message.requestCode, fields, message.body);
  }

  #addressOf(queue: MessageQueue): string {
    const address = this.#instance.brokerAddress(queue.brokerName);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} has no master`);
    return address;
  }

  async #awaitMaster(topic: string, deadlineMs: number): Promise<void> {
    const pauseMs = Math.max(0, Math.min(MASTER_PAUSE_MS, deadlineMs - performance.now()));
    await new Promise(resolve => setTimeout(resolve, pauseMs));
    await this.#instance.refreshTopic(topic).catch(() => undefined);
  }

  /** The queues of a topic that was used before: no waiting. */
  #knownQueues(topic: string): readonly MessageQueue[] | undefined {
    const view = this.#instance.topic(topic);
    if (view === undefined) return undefined;
    if (view.publishQueues.length > 0) {
      this.#lastQueues.set(topic, view.publishQueues);
      return view.publishQueues;
    }
    // A broker without a master has no queue that can be written, until it has one again.
    const masterless = view.route.brokerDatas.some(({ brokerAddrs }) => brokerAddrs[MASTER_ID] === undefined);
    return masterless ? this.#lastQueues.get(topic) : undefined;
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

/** The broker is a slave now, or cannot be reached, or nobody knows where its master is. */
function isMasterless(error: unknown): boolean {
  if (error instanceof MQBrokerError) {
    return error.responseCode === ResponseCode.SERVICE_NOT_AVAILABLE && /broker is a slave/.test(error.message);
  }
  return isUnreachable(error) || (error instanceof MQClientError && error.code === 'NO_ROUTE');
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
