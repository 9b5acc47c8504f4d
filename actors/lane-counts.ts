/**
 * How many lanes of each kind there are to be, run, and get requests: one shared word each, so that every room sees a
 * change at once and nobody is asked.
 *
 * A lane that was started stays: when requests no longer go to it, it finishes what it has and sleeps.
 *
 * Shape: Int32 words: a bell, then for each kind wanted, started, active. Lanes are numbered from 0 without a gap.
 */
import { Doorbell } from '../runtime/memory/doorbell.js';

export const laneKinds = ['send-lane', 'pull-lane'] as const;
export type LaneKind = (typeof laneKinds)[number];

const WORDS_PER_KIND = 3;
const [WANTED, STARTED, ACTIVE] = [1, 2, 3];

export class LaneCounts {
  readonly memory: SharedArrayBuffer;
  /** Rung when other numbers are wanted. */
  readonly bell: Doorbell;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(4 * (1 + laneKinds.length * WORDS_PER_KIND))) {
    this.memory = memory;
    this.bell = new Doorbell(memory);
    this.#words = new Int32Array(memory);
  }

  /** Lanes that run, or are about to: they take news. */
  started(kind: LaneKind): number {
    return Atomics.load(this.#words, at(kind) + STARTED!);
  }

  /** Lanes that get requests. Hot. */
  active(kind: LaneKind): number {
    return Atomics.load(this.#words, at(kind) + ACTIVE!);
  }

  wanted(kind: LaneKind): number {
    return Atomics.load(this.#words, at(kind) + WANTED!);
  }

  /** Asks for so many. */
  want(kind: LaneKind, count: number): void {
    Atomics.store(this.#words, at(kind) + WANTED!, count);
    this.bell.ring();
  }

  setStarted(kind: LaneKind, count: number): void {
    Atomics.store(this.#words, at(kind) + STARTED!, count);
  }

  setActive(kind: LaneKind, count: number): void {
    Atomics.store(this.#words, at(kind) + ACTIVE!, count);
  }

  /** All at once, before anything runs. */
  set(kind: LaneKind, count: number): void {
    Atomics.store(this.#words, at(kind) + WANTED!, count);
    this.setStarted(kind, count);
    this.setActive(kind, count);
  }
}

function at(kind: LaneKind): number {
  return kind === 'send-lane' ? 0 : WORDS_PER_KIND;
}
