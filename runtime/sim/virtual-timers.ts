/** Timers on a virtual clock: they fire when the clock is moved past them, in the order of their time. */
import type { VirtualClock } from '../base/clock.js';

interface VirtualTimer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class VirtualTimers {
  readonly clock: VirtualClock;
  readonly #timers = new Set<VirtualTimer>();

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer: VirtualTimer = { atMs: this.clock.nowMs() + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as VirtualTimer);
  }

  /** When the next one fires. Units: ms since the epoch; Infinity when there is none. */
  deadlineMs(): number {
    return this.#next()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Fires the next one if its time has come. */
  fireNext(): boolean {
    const next = this.#next();
    if (next === undefined || next.atMs > this.clock.nowMs()) return false;
    this.#timers.delete(next);
    next.callback();
    return true;
  }

  /** Moves the clock by `byMs`, stopping at each timer on the way. */
  advance(byMs: number): void {
    const endMs = this.clock.nowMs() + byMs;
    while (this.deadlineMs() <= endMs) {
      this.clock.advance(Math.max(0, this.deadlineMs() - this.clock.nowMs()));
      this.fireNext();
    }
    this.clock.advance(endMs - this.clock.nowMs());
  }

  /** Of two at the same time the one set first: a Set keeps that order. */
  #next(): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    return next;
  }
}
