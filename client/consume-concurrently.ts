/**
 * Consumption without order: every message is given to the listener as soon as a place is free, and what it does not
 * consume goes back to the broker. Source: spec scheduling 2; ConsumeMessageConcurrentlyService.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { type ConsumerTools, type ConsumeService, runOptionsOf } from './consume-service.js';
import type { MessageExt } from './message-ext.js';
import {
  type ConsumeConcurrentlyContext,
  type ConsumeConcurrentlyStatus,
  type ConsumeMessageDirectlyResult,
  consumeNow,
  type MessageListenerConcurrently,
  runListener,
  type StatusMeaning,
} from './message-listener.js';
import type { ProcessQueue } from './process-queue.js';
import { TaskPool } from './task-pool.js';

/** Times a message is tried again, unless the consumer says otherwise. */
const RECONSUME_TIMES_DEFAULT = 16;
/** Pause before a message is tried again that could not be sent back. Units: ms. */
const LOCAL_RETRY_PAUSE_MS = 5000;
/** Messages whose listener takes too long that are sent back at a time, of one queue. */
const EXPIRED_MAX = 16;
const EXPIRED_DELAY_LEVEL = 3;

const meaning: StatusMeaning<ConsumeConcurrentlyStatus> = {
  success: 'CONSUME_SUCCESS',
  failure: 'RECONSUME_LATER',
  statuses: ['CONSUME_SUCCESS', 'RECONSUME_LATER'],
  good: ['CONSUME_SUCCESS'],
};

export class ConsumeConcurrentlyService implements ConsumeService {
  readonly order = false;
  readonly #tools: ConsumerTools;
  readonly #listener: MessageListenerConcurrently;
  readonly #pool: TaskPool;
  readonly #maxReconsumeTimes: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(tools: ConsumerTools, listener: MessageListenerConcurrently) {
    const { consumeConcurrency, maxReconsumeTimes } = tools.settings;
    this.#tools = tools;
    this.#listener = listener;
    this.#pool = new TaskPool(consumeConcurrency);
    this.#maxReconsumeTimes = maxReconsumeTimes === -1 ? RECONSUME_TIMES_DEFAULT : maxReconsumeTimes;
  }

  start(): void {
    const { consumeTimeoutMs, messageModel } = this.#tools.settings;
    if (messageModel === 'BROADCASTING') return;
    this.#timer = setInterval(() => void this.#sendExpiredBack(), consumeTimeoutMs).unref();
  }

  submit(queue: ProcessQueue, messages: readonly MessageExt[]): void {
    const size = this.#tools.settings.consumeMessageBatchMaxSize;
    for (let at = 0; at < messages.length; at += size) {
      const batch = messages.slice(at, at + size);
      this.#pool.submit(() => this.#run(queue, batch));
    }
  }

  consumeDirectly(message: MessageExt, messageQueue: MessageQueue): Promise<ConsumeMessageDirectlyResult> {
    return consumeNow(
      this.order,
      () => true,
      async () => {
        const status = await this.#listener([message], contextOf(messageQueue));
        return status === 'RECONSUME_LATER' ? 'CR_LATER' : 'CR_SUCCESS';
      },
    );
  }

  async stop(limitMs: number): Promise<boolean> {
    clearInterval(this.#timer);
    this.#pool.stop();
    return this.#pool.whenIdle(limitMs);
  }

  async #run(queue: ProcessQueue, messages: readonly MessageExt[]): Promise<void> {
    if (queue.retired) return;
    queue.begin(messages);
    try {
      const context = contextOf(queue.queue);
      const call = () => this.#listener(messages, context);
      const { status, costMs } = await runListener(runOptionsOf(this.#tools), queue, messages, meaning, call);
      const ackIndex = status === 'CONSUME_SUCCESS' ? context.ackIndex : -1;
      const failed = messages.filter((_, index) => index > ackIndex);
      this.#tools.stats.onConsume(queue.queue.topic, messages.length - failed.length, failed.length, costMs);
      if (queue.dropped) return;
      const kept = await this.#giveBack(queue, failed, context.delayLevelWhenNextConsume);
      this.#settle(queue, kept.length === 0 ? messages : messages.filter(message => !kept.includes(message)));
    } finally {
      queue.end(messages);
    }
  }

  /** The group goes on after messages that are consumed or have gone back. */
  #settle(queue: ProcessQueue, messages: readonly MessageExt[]): void {
    const offset = queue.remove(messages);
    if (!queue.dropped) this.#tools.offsets.update(queue.queue, offset, true);
  }

  /** The messages that could not be given back; they are tried here again. */
  async #giveBack(queue: ProcessQueue, failed: readonly MessageExt[], delayLevel: number): Promise<MessageExt[]> {
    if (failed.length === 0) return [];
    if (this.#tools.settings.messageModel === 'BROADCASTING') {
      const ids = failed.map(message => message.msgId).join(', ');
      this.#tools.settings.onError(new Error('a broadcast is not tried again'), `dropping ${ids} of ${queue.key}`);
      return [];
    }
    // One that took too long has gone back already.
    const waiting = failed.filter(message => queue.has(message));
    const outcomes = await Promise.all(waiting.map(message => this.#sendBack(queue, message, delayLevel)));
    const kept = waiting.filter((_, index) => !outcomes[index]);
    if (kept.length > 0) {
      const again = kept.map(message => message.with({ reconsumeTimes: message.reconsumeTimes + 1 }));
      for (const message of again) queue.replace(message);
      setTimeout(() => this.submit(queue, again), LOCAL_RETRY_PAUSE_MS).unref();
    }
    return kept;
  }

  async #sendBack(queue: ProcessQueue, message: MessageExt, delayLevel: number): Promise<boolean> {
    try {
      const { brokerName } = queue.queue;
      await this.#tools.messageBack.sendBack(message, delayLevel, brokerName, this.#maxReconsumeTimes);
      return true;
    } catch (error) {
      this.#tools.settings.onError(error, `sending message ${message.msgId} back`);
      return false;
    }
  }

  async #sendExpiredBack(): Promise<void> {
    for (const queue of this.#tools.assigned()) {
      for (let count = 0; count < EXPIRED_MAX; count++) {
        const oldest = queue.oldestRunning();
        if (oldest === undefined || Date.now() - oldest.startTimestamp < this.#tools.settings.consumeTimeoutMs) break;
        if (!(await this.#sendBack(queue, oldest.message, EXPIRED_DELAY_LEVEL))) break;
        this.#settle(queue, [oldest.message]);
      }
    }
  }
}

function contextOf(messageQueue: MessageQueue): ConsumeConcurrentlyContext {
  return { messageQueue, delayLevelWhenNextConsume: 0, ackIndex: Number.MAX_SAFE_INTEGER };
}
