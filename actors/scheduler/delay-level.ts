/**
 * One delay level on its way through its queue: which entry comes next, which are on their way to the log, and how far
 * everything is delivered.
 *
 *   delivered | on their way, in order | next entry ... | end of the queue
 *             offset                   next
 */
import { assert } from '../../runtime/base/assert.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';

/** When a refused delivery, or an entry that cannot be read, is tried again. Units: ms. */
export const RETRY_MS = 100;
/** The longest hold there is. Units: ms. */
const HOLD_MAX_MS = 1000;

export class DelayLevel {
  readonly level: number;
  /** Units: ms. */
  readonly delayMs: number;
  /** Dense number of its queue. */
  readonly queueNumber: number;
  /** Everything before it is delivered, or cannot be. Units: entries. */
  offset: number;
  /** The next entry to deliver. Units: entries. */
  next: number;
  /** When to look at it again without being rung. Units: ms since the epoch. */
  wakeMs = 0;
  #holdUntilMs = 0;
  /** Entries on their way to the log, the oldest first. */
  readonly #flight: number[] = [];
  /** The first entry that was refused. */
  #refused = -1;
  readonly entries: ConsumeQueueReader;
  /** What {@link entries} has loaded. Units: entries. */
  #loadedFrom = 0;
  #loadedCount = 0;

  constructor(level: number, delayMs: number, queueNumber: number, offset: number, entries: ConsumeQueueReader) {
    this.level = level;
    this.delayMs = delayMs;
    this.queueNumber = queueNumber;
    this.offset = offset;
    this.next = offset;
    this.entries = entries;
  }

  get inFlight(): number {
    return this.#flight.length;
  }

  /** Some of what is on its way was refused: nothing goes on before all of it has come back. */
  get isRefused(): boolean {
    return this.#refused >= 0;
  }

  /** Index in {@link entries} of the next entry, below `max`; -1 when its file is not there. */
  find(max: number): number {
    const index = this.next - this.#loadedFrom;
    if (index >= 0 && index < this.#loadedCount) return index;
    this.#loadedFrom = this.next;
    this.#loadedCount = this.entries.load(this.next, max - this.next);
    return this.#loadedCount > 0 ? 0 : -1;
  }

  /** Moves into the queue's bounds, when retention has passed by or the queue was cut. */
  clamp(min: number, max: number): boolean {
    if (this.#flight.length > 0 || (this.next >= min && this.next <= max)) return false;
    this.next = Math.max(min, Math.min(max, this.next));
    this.offset = this.next;
    this.#loadedCount = 0;
    return true;
  }

  /** The next entry is on its way. */
  sent(): void {
    this.#flight.push(this.next++);
  }

  /** The next entry is nothing that can be delivered. */
  skip(): void {
    this.next++;
    if (this.#flight.length === 0) this.offset = this.next;
  }

  /** The oldest entry on its way is stored. */
  confirm(): void {
    assert(!this.isRefused, 'nothing is stored behind a refused delivery');
    const entry = this.#flight.shift();
    assert(entry !== undefined, 'a result belongs to a delivery');
    this.offset = this.#flight[0] ?? this.next;
  }

  /** The oldest entry on its way is not stored; when all others have come back it is tried again. */
  refuse(nowMs: number): void {
    const entry = this.#flight.shift();
    assert(entry !== undefined, 'a result belongs to a delivery');
    if (!this.isRefused) this.#refused = entry;
    if (this.#flight.length > 0) return;
    this.next = this.#refused;
    this.#refused = -1;
    this.hold(nowMs + RETRY_MS);
  }

  /** Nothing is done before this time. Units: ms since the epoch. */
  hold(untilMs: number): number {
    this.#holdUntilMs = untilMs;
    return untilMs;
  }

  /** It waits, and {@link wakeMs} says until when; a clock that was set back does not make that longer. */
  isOnHold(nowMs: number): boolean {
    const leftMs = this.#holdUntilMs - nowMs;
    if (leftMs <= 0 || leftMs > HOLD_MAX_MS) return false;
    this.wakeMs = this.#holdUntilMs;
    return true;
  }
}
