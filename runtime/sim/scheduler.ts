/**
 * Runs many actors on one thread in an order drawn from a seed, on a virtual clock: the same seed gives the same run,
 * so a failure found in a million steps is found again. Nothing here sleeps; a minute without work passes at once.
 */

import type { Actor, CrashListener } from '../actor/contract.js';
import { assert } from '../base/assert.js';
import { VirtualClock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { Prng } from '../base/prng.js';
import { VirtualTimers } from './virtual-timers.js';

export interface SimOptions {
  readonly seed: number;
  readonly clock?: VirtualClock;
  /** Told when an actor threw; it is not run again. Without it {@link SimScheduler.runUntil} fails. */
  readonly onCrash?: CrashListener;
  /** Steps kept for the trace. */
  readonly traceSteps?: number;
}

/** One step of a run. */
export interface SimStep {
  readonly step: number;
  readonly atMs: number;
  /** Who worked: an actor's name, `timer`, or `clock` when only time passed. */
  readonly who: string;
  /** What {@link Actor.doWork} returned; for `clock` the ms that passed. */
  readonly work: number;
}

/** A run that did not come to its end. Its message has the seed and the last steps. */
export class SimFailure extends Error {
  override readonly name = 'SimFailure';
  readonly seed: number;
  readonly trace: readonly SimStep[];

  constructor(reason: string, seed: number, trace: readonly SimStep[], options?: { cause?: unknown }) {
    const lines = trace.map(({ step, atMs, who, work }) => `  ${step} ${atMs} ${who} ${work}`);
    super([`${reason} (seed ${seed}); last steps (step, ms, who, work):`, ...lines].join('\n'), options);
    this.seed = seed;
    this.trace = trace;
  }
}

const TRACE_STEPS = 50;

export class SimScheduler {
  readonly random: Prng;
  readonly clock: VirtualClock;
  /** For what is not an actor: faults at a time, state machines' delays. */
  readonly timers: VirtualTimers;
  readonly #actors: Actor[] = [];
  /** Those that may have work: everybody, since the last work of anybody may have been for them. */
  readonly #awake: Actor[] = [];
  readonly #onCrash: CrashListener | undefined;
  readonly #traceSteps: number;
  readonly #trace: SimStep[] = [];
  #step = 0;
  #crash: { readonly actor: Actor; readonly error: unknown } | undefined;

  constructor(options: SimOptions) {
    this.random = new Prng(options.seed);
    this.clock = options.clock ?? new VirtualClock();
    this.timers = new VirtualTimers(this.clock);
    this.#onCrash = options.onCrash;
    this.#traceSteps = options.traceSteps ?? TRACE_STEPS;
  }

  add(actor: Actor): void {
    assert(!this.#actors.includes(actor), `${actor.name} is added once`);
    this.#actors.push(actor);
    this.wakeAll();
  }

  /** It is not run again. Its owner closes it. */
  remove(actor: Actor): void {
    const index = this.#actors.indexOf(actor);
    if (index >= 0) this.#actors.splice(index, 1);
    this.wakeAll();
  }

  /** Everybody looks for work again: call it after giving an actor something from outside. */
  wakeAll(): void {
    this.#awake.length = 0;
    this.#awake.push(...this.#actors);
  }

  /** The last steps, oldest first. */
  get trace(): readonly SimStep[] {
    return [...this.#trace];
  }

  /**
   * One step: an actor drawn at random works, or, when nobody has anything to do, the clock moves to the next deadline.
   * Errors: false when nothing will ever happen: all idle and no deadline.
   */
  step(): boolean {
    if (this.timers.deadlineMs() <= this.clock.nowMs()) {
      this.#record('timer', 1);
      this.timers.fireNext();
      this.wakeAll();
      return true;
    }
    if (this.#awake.length === 0) return this.#passTime();
    const index = this.random.below(this.#awake.length);
    const actor = this.#awake[index]!;
    const work = this.#work(actor);
    this.#record(actor.name, work);
    if (work > 0) this.wakeAll();
    else if (this.#awake[index] === actor) this.#awake.splice(index, 1);
    return true;
  }

  /**
   * Steps until `condition` holds, asked before each step.
   * Errors: SimFailure when it does not hold after `stepsMax` steps, when nothing will ever happen, or when an actor
   * crashed and nobody listens for that.
   *
   * @example
   * const sim = new SimScheduler({ seed });
   * for (const actor of node.actors) sim.add(actor);
   * sim.runUntil(() => client.answers === 100, 1_000_000);
   */
  runUntil(condition: () => boolean, stepsMax: number): void {
    this.wakeAll();
    for (let steps = 0; !condition(); steps++) {
      if (steps >= stepsMax) throw this.#failure(`not there after ${stepsMax} steps`);
      if (!this.step()) throw this.#failure('all actors are idle and none has a deadline');
      if (this.#crash === undefined) continue;
      const { actor, error } = this.#crash;
      this.#crash = undefined;
      throw this.#failure(`${actor.name} crashed: ${messageOf(error)}`, error);
    }
  }

  /** Closes all actors, the one added last first. */
  close(): void {
    for (const actor of this.#actors.splice(0).reverse()) actor.close();
    this.#awake.length = 0;
  }

  #work(actor: Actor): number {
    try {
      return actor.doWork(this.clock.nowMs());
    } catch (error) {
      this.remove(actor);
      if (this.#onCrash === undefined) this.#crash = { actor, error };
      else this.#onCrash(actor, error);
      return 1;
    }
  }

  #passTime(): boolean {
    let deadlineMs = this.timers.deadlineMs();
    for (const actor of this.#actors) deadlineMs = Math.min(deadlineMs, actor.deadlineMs());
    if (deadlineMs === Number.POSITIVE_INFINITY) return false;
    // A deadline that is now or over although its actor has just found nothing to do must not stop the clock.
    const byMs = Math.max(1, Math.ceil(deadlineMs - this.clock.nowMs()));
    this.clock.advance(byMs);
    this.#record('clock', byMs);
    this.wakeAll();
    return true;
  }

  #record(who: string, work: number): void {
    this.#trace.push({ step: this.#step++, atMs: this.clock.nowMs(), who, work });
    if (this.#trace.length > this.#traceSteps) this.#trace.shift();
  }

  #failure(reason: string, cause?: unknown): SimFailure {
    return new SimFailure(reason, this.random.seed, this.#trace.slice(), cause === undefined ? {} : { cause });
  }
}
