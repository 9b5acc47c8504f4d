/**
 * The messages of one queue between the broker and the listener: pulled, and not consumed yet. One object for each
 * time the queue is assigned to this consumer. Source: ProcessQueue.
 */

import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { IdleWaiters } from './idle-waiters.js';
import type { MessageExt } from './message-ext.js';
import { queueKey } from './route.js';

/** A lock that was not renewed for this long may be another consumer's. Source: spec remoting 7.5. Units: ms. */
const LOCK_LIFE_MS = 30_000;

export class ProcessQueue {
  readonly queue: MessageQueue;
  readonly key: string;
  /** Where the next pull begins. */
  nextOffset: number;
  lastPullTimestamp = Date.now();
  lastConsumeTimestamp = Date.now();
  /** How often the queue could not be given away because its listener was running. */
  tryUnlockTimes = 0;
  readonly #retired = new AbortController();
  #dropped = false;
  /** By offset, ascending: pulls bring them so. */
  #messages = new Map<number, MessageExt>();
  /** Ordered consumption: what was taken, and neither committed nor put back. */
  #taken = new Map<number, MessageExt>();
  /** When the listener of a message was called, while it runs. Units: ms since the epoch. */
  readonly #startTimestamps = new Map<number, number>();
  #sizeBytes = 0;
  #lastOffset = -1;
  #running = 0;
  readonly #idleWaiters = new IdleWaiters();
  #locked = false;
  #lastLockTimestamp = 0;

  constructor(queue: MessageQueue, nextOffset: number) {
    this.queue = queue;
    this.key = queueKey(queue);
    this.nextOffset = nextOffset;
  }

  /** Nothing new is to begin with the queue; what runs still counts. */
  get retired(): boolean {
    return this.#retired.signal.aborted;
  }

  /** Fires when it is retired. */
  get signal(): AbortSignal {
    return this.#retired.signal;
  }

  retire(): void {
    this.#retired.abort();
  }

  /** The queue is no longer this consumer's; what still runs does not count. */
  get dropped(): boolean {
    return this.#dropped;
  }

  drop(): void {
    this.#dropped = true;
    this.retire();
  }

  /** Messages not consumed, those of running listeners among them. */
  get count(): number {
    return this.#messages.size + this.#taken.size;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Messages that have yet to be taken; for ordered consumption. */
  get waiting(): number {
    return this.#messages.size;
  }

  /** Offsets of the oldest and newest message, 0 and 0 without any. */
  get bounds(): readonly [number, number] {
    const [first] = this.#taken.size > 0 ? this.#taken.keys() : this.#messages.keys();
    return first === undefined ? [0, 0] : [first, this.#lastOffset];
  }

  /** How far apart the oldest and the newest message are. */
  get span(): number {
    const [first, last] = this.bounds;
    return last - first;
  }

  put(messages: readonly MessageExt[]): void {
    for (const message of messages) {
      if (this.#messages.has(message.queueOffset)) continue;
      this.#messages.set(message.queueOffset, message);
      this.#sizeBytes += message.storeSize;
      this.#lastOffset = Math.max(this.#lastOffset, message.queueOffset);
    }
  }

  has(message: MessageExt): boolean {
    return this.#messages.has(message.queueOffset);
  }

  /** Puts another state of a message in its place. */
  replace(message: MessageExt): void {
    if (this.has(message)) this.#messages.set(message.queueOffset, message);
  }

  /**
   * Removes what was consumed; gives the offset the group goes on from: that of the oldest message left. Without any it
   * is where the next pull begins, which is past messages that nobody wants.
   */
  remove(messages: readonly MessageExt[]): number {
    for (const message of messages) {
      if (this.#messages.delete(message.queueOffset)) this.#sizeBytes -= message.storeSize;
    }
    const [first] = this.#messages.keys();
    return first ?? this.nextOffset;
  }

  /** The oldest message and when its listener was called; undefined when that is not running. */
  oldestRunning(): { readonly message: MessageExt; readonly startTimestamp: number } | undefined {
    const [message] = this.#messages.values();
    const startTimestamp = message === undefined ? undefined : this.#startTimestamps.get(message.queueOffset);
    return message === undefined || startTimestamp === undefined ? undefined : { message, startTimestamp };
  }

  /** Ordered consumption: up to `count` of the oldest messages. */
  take(count: number): MessageExt[] {
    const messages: MessageExt[] = [];
    for (const [offset, message] of this.#messages) {
      if (messages.length === count) break;
      this.#messages.delete(offset);
      this.#taken.set(offset, message);
      messages.push(message);
    }
    return messages;
  }

  /** All that was taken is consumed; gives where to go on as {@link remove} does, -1 if nothing was taken. */
  commit(): number {
    const last = [...this.#taken.keys()].at(-1);
    if (last === undefined) return -1;
    for (const message of this.#taken.values()) this.#sizeBytes -= message.storeSize;
    this.#taken.clear();
    return this.#messages.size === 0 ? this.nextOffset : last + 1;
  }

  /** What was taken, and neither committed nor put back. */
  get taken(): readonly MessageExt[] {
    return [...this.#taken.values()];
  }

  /** Messages that were taken are to be taken again, in this state. */
  putBack(messages: readonly MessageExt[]): void {
    for (const { queueOffset } of messages) this.#taken.delete(queueOffset);
    const sorted = [...messages].sort((left, right) => left.queueOffset - right.queueOffset);
    this.#messages = new Map([...sorted.map(message => [message.queueOffset, message] as const), ...this.#messages]);
  }

  /** Messages that were taken have gone elsewhere. */
  discard(messages: readonly MessageExt[]): void {
    for (const message of messages) {
      if (this.#taken.delete(message.queueOffset)) this.#sizeBytes -= message.storeSize;
    }
  }

  /** A listener is called. */
  begin(messages: readonly MessageExt[]): void {
    this.#running++;
    const now = Date.now();
    this.lastConsumeTimestamp = now;
    for (const message of messages) this.#startTimestamps.set(message.queueOffset, now);
  }

  /** It ended, and everything that follows from it is done. */
  end(messages: readonly MessageExt[]): void {
    this.#running--;
    for (const message of messages) this.#startTimestamps.delete(message.queueOffset);
    if (this.#running === 0) this.#idleWaiters.release();
  }

  /** Offsets of the messages whose listeners run, and when those were called. Units: ms since the epoch. */
  get runningMessages(): readonly (readonly [number, number])[] {
    return [...this.#startTimestamps];
  }

  /** Waits until no listener runs; false when one still does after `limitMs`, if that is given. */
  whenIdle(limitMs?: number): Promise<boolean> {
    return this.#running === 0 ? Promise.resolve(true) : this.#idleWaiters.wait(limitMs);
  }

  /** The broker gave us the queue's lock, or refused it. */
  setLocked(locked: boolean): void {
    this.#locked = locked;
    if (locked) this.#lastLockTimestamp = Date.now();
  }

  get lastLockTimestamp(): number {
    return this.#lastLockTimestamp;
  }

  get isLocked(): boolean {
    return this.#locked && Date.now() - this.#lastLockTimestamp <= LOCK_LIFE_MS;
  }
}
