/**
 * Consumption in order: of each queue one call of the listener at a time, and nothing after a message before it is
 * consumed. The queue has to be locked at its broker. Source: spec scheduling 2.3; ConsumeMessageOrderlyService.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { type ConsumerTools, type ConsumeService, runOptionsOf } from './consume-service.js';
import type { MessageExt } from './message-ext.js';
import {
  type ConsumeMessageDirectlyResult,
  type ConsumeOrderlyContext,
  type ConsumeOrderlyStatus,
  consumeNow,
  type MessageListenerOrderly,
  runListener,
  type StatusMeaning,
} from './message-listener.js';
import type { ProcessQueue } from './process-queue.js';
import { LOCK_INTERVAL_MS, type QueueLock } from './queue-lock.js';
import { TaskPool } from './task-pool.js';

/** Bounds of the pause of a queue that did not succeed. Units: ms. */
const SUSPEND_MIN_MS = 10;
const SUSPEND_MAX_MS = 30_000;
/** Pause before the lock of a queue is tried again. Units: ms. */
const LOCK_RETRY_PAUSE_MS = 3000;

const meaning: StatusMeaning<ConsumeOrderlyStatus> = {
  success: 'SUCCESS',
  failure: 'SUSPEND_CURRENT_QUEUE_A_MOMENT',
  statuses: ['SUCCESS', 'SUSPEND_CURRENT_QUEUE_A_MOMENT', 'COMMIT', 'ROLLBACK'],
  good: ['SUCCESS', 'COMMIT'],
};

const directResults: Readonly<Record<ConsumeOrderlyStatus, ConsumeMessageDirectlyResult['consumeResult']>> = {
  SUCCESS: 'CR_SUCCESS',
  SUSPEND_CURRENT_QUEUE_A_MOMENT: 'CR_LATER',
  COMMIT: 'CR_COMMIT',
  ROLLBACK: 'CR_ROLLBACK',
};

/** What follows from a run: the offset to go on from, and how long to wait. */
interface Settled {
  readonly commitOffset: number;
  /** 0: at once. Units: ms. */
  readonly pauseMs: number;
}

export class ConsumeOrderlyService implements ConsumeService {
  readonly order = true;
  readonly #tools: ConsumerTools;
  readonly #lock: QueueLock;
  readonly #listener: MessageListenerOrderly;
  readonly #pool: TaskPool;
  /** Queues whose listener runs, waits for its turn, or pauses. */
  readonly #active = new Set<ProcessQueue>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tools: ConsumerTools, lock: QueueLock, listener: MessageListenerOrderly) {
    this.#tools = tools;
    this.#lock = lock;
    this.#listener = listener;
    this.#pool = new TaskPool(tools.settings.consumeConcurrency);
  }

  start(): void {
    if (this.#needsLocks) this.#timer = setInterval(() => void this.#renewLocks(), LOCK_INTERVAL_MS).unref();
  }

  submit(queue: ProcessQueue): void {
    if (this.#active.has(queue)) return;
    this.#active.add(queue);
    this.#pool.submit(() => this.#run(queue));
  }

  consumeDirectly(message: MessageExt, messageQueue: MessageQueue): Promise<ConsumeMessageDirectlyResult> {
    const context = contextOf(messageQueue);
    const call = async () => directResults[(await this.#listener([message], context)) ?? 'SUCCESS'];
    return consumeNow(this.order, () => context.autoCommit, call);
  }

  async stop(limitMs: number): Promise<boolean> {
    clearInterval(this.#timer);
    this.#pool.stop();
    return this.#pool.whenIdle(limitMs);
  }

  get #needsLocks(): boolean {
    return this.#tools.settings.messageModel === 'CLUSTERING';
  }

  /** One batch; the queue then goes to the end of the line, so that each has its turn. */
  async #run(queue: ProcessQueue): Promise<void> {
    if (queue.retired) {
      this.#active.delete(queue);
      return;
    }
    if (this.#needsLocks && !queue.isLocked) {
      void this.#lockAndRun(queue);
      return;
    }
    const messages = queue.take(this.#tools.settings.consumeMessageBatchMaxSize);
    if (messages.length === 0) {
      this.#active.delete(queue);
      return;
    }
    const pauseMs = await this.#consume(queue, messages);
    this.#runLater(queue, pauseMs);
  }

  #runLater(queue: ProcessQueue, pauseMs: number): void {
    if (pauseMs === 0) this.#pool.submit(() => this.#run(queue));
    else setTimeout(() => this.#pool.submit(() => this.#run(queue)), pauseMs).unref();
  }

  /** Returns how long the queue is to pause. */
  async #consume(queue: ProcessQueue, messages: readonly MessageExt[]): Promise<number> {
    queue.begin(messages);
    try {
      const context = contextOf(queue.queue);
      const call = () => this.#listener(messages, context);
      const { status, costMs } = await runListener(runOptionsOf(this.#tools), queue, messages, meaning, call);
      const ok = meaning.good.includes(status);
      this.#tools.stats.onConsume(queue.queue.topic, ok ? messages.length : 0, ok ? 0 : messages.length, costMs);
      const { commitOffset, pauseMs } = await this.#settle(queue, messages, status, context);
      if (commitOffset >= 0 && !queue.dropped) this.#tools.offsets.update(queue.queue, commitOffset, false);
      return pauseMs;
    } finally {
      queue.end(messages);
    }
  }

  async #settle(
    queue: ProcessQueue,
    messages: readonly MessageExt[],
    status: ConsumeOrderlyStatus,
    context: ConsumeOrderlyContext,
  ): Promise<Settled> {
    if (status === 'SUSPEND_CURRENT_QUEUE_A_MOMENT') return this.#suspend(queue, messages, context);
    if (status === 'ROLLBACK' && !context.autoCommit) {
      queue.putBack(queue.taken);
      return { commitOffset: -1, pauseMs: this.#pauseOf(context) };
    }
    // With autoCommit, COMMIT and ROLLBACK mean SUCCESS, as in Java.
    const commits = context.autoCommit || status === 'COMMIT';
    return { commitOffset: commits ? queue.commit() : -1, pauseMs: 0 };
  }

  /** The same messages again, except those that were tried too often: they become dead letters. */
  async #suspend(
    queue: ProcessQueue,
    messages: readonly MessageExt[],
    context: ConsumeOrderlyContext,
  ): Promise<Settled> {
    const { maxReconsumeTimes } = this.#tools.settings;
    const isSpent = (message: MessageExt): boolean =>
      maxReconsumeTimes !== -1 && message.reconsumeTimes >= maxReconsumeTimes;
    const spent = messages.filter(isSpent);
    const sent = await Promise.all(spent.map(message => this.#bury(message, maxReconsumeTimes)));
    const buried = spent.filter((_, index) => sent[index]);
    if (buried.length === messages.length) return { commitOffset: queue.commit(), pauseMs: 0 };
    const again = messages.filter(message => !buried.includes(message));
    queue.discard(buried);
    queue.putBack(again.map(message => message.with({ reconsumeTimes: message.reconsumeTimes + 1 })));
    return { commitOffset: -1, pauseMs: this.#pauseOf(context) };
  }

  async #bury(message: MessageExt, maxReconsumeTimes: number): Promise<boolean> {
    // A broadcast has no dead letters; it is dropped.
    if (!this.#needsLocks) return true;
    try {
      await this.#tools.messageBack.sendToRetryTopic(message, message.reconsumeTimes, maxReconsumeTimes);
      return true;
    } catch (error) {
      this.#tools.settings.onError(error, `making message ${message.msgId} a dead letter`);
      return false;
    }
  }

  #pauseOf(context: ConsumeOrderlyContext): number {
    const asked = context.suspendCurrentQueueTimeMs;
    const pauseMs = asked === -1 ? this.#tools.settings.suspendCurrentQueueTimeMs : asked;
    return Math.min(SUSPEND_MAX_MS, Math.max(SUSPEND_MIN_MS, pauseMs));
  }

  async #renewLocks(): Promise<void> {
    const queues = new Map([...this.#tools.assigned()].map(queue => [queue.key, queue]));
    const outcomes = await this.#lock.lock([...queues.values()].map(({ queue }) => queue));
    for (const { queues: asked, locked, error } of outcomes) {
      // What a broker does not answer keeps its lock until that runs out.
      if (error !== undefined) this.#tools.settings.onError(error, 'renewing the locks of queues');
      else for (const queue of queues.values()) if (asked.includes(queue.queue)) queue.setLocked(locked.has(queue.key));
    }
  }

  async #lockAndRun(queue: ProcessQueue): Promise<void> {
    const [outcome] = await this.#lock.lock([queue.queue]);
    const locked = outcome?.locked.has(queue.key) === true;
    if (locked) queue.setLocked(true);
    this.#runLater(queue, locked ? SUSPEND_MIN_MS : LOCK_RETRY_PAUSE_MS);
  }
}

function contextOf(messageQueue: MessageQueue): ConsumeOrderlyContext {
  return { messageQueue, autoCommit: true, suspendCurrentQueueTimeMs: -1 };
}
