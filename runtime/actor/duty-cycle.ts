/**
 * The two loops that drive actors. Hot.
 *
 * - {@link EventLoopRunner} runs a group of actors on a thread that also has sockets or timers: after the input of one
 *   turn of the event loop was read, all actors of the group work until none has anything to do. A batch is what one
 *   turn brought in; a lone request passes all rooms without one sleeping hop.
 * - {@link runBlocking} drives actors on a thread of their own, which sleeps on their doorbell when idle.
 */
import type { Clock } from '../base/clock.js';
import { Counter, type Counters } from '../memory/counters.js';
import type { Doorbell } from '../memory/doorbell.js';
import type { Actor, CrashListener } from './contract.js';

/** After this many rounds without rest the event loop gets its turn: sockets and timers must not starve. */
const ROUNDS_MAX = 4;
const TIMER_MAX_MS = 0x7fffffff;

export class EventLoopRunner {
  readonly #actors: Actor[] = [];
  /** By actor: where its working time is counted. */
  readonly #meters: (Counters | undefined)[] = [];
  readonly #clock: Clock;
  readonly #onCrash: CrashListener;
  #scheduled = false;
  #running = false;
  #rung = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #closed = false;
  #waiting = false;
  #bell: Doorbell | undefined;
  #seen = 0;

  constructor(clock: Clock, onCrash: CrashListener) {
    this.#clock = clock;
    this.#onCrash = onCrash;
  }

  /** Work order is the order of adding: add the rooms in the order a request walks through them. */
  add(actor: Actor, meter?: Counters): void {
    this.#actors.push(actor);
    this.#meters.push(meter);
  }

  remove(actor: Actor): void {
    const index = this.#actors.indexOf(actor);
    if (index < 0) return;
    this.#actors.splice(index, 1);
    this.#meters.splice(index, 1);
  }

  /** Runs the duty cycles at the end of this turn of the event loop. Cheap to call again and again. */
  readonly schedule = (): void => {
    if (this.#running) {
      this.#rung = true;
      return;
    }
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  };

  /** Lets another thread wake this one: its ring on `bell` schedules the duty cycles. */
  listenTo(bell: Doorbell): void {
    this.#bell = bell;
    this.#seen = bell.read();
    bell.listen(this.schedule);
    this.#armBell();
  }

  /** Asks to be woken by a ring from another thread; not while the duty cycles run anyway. */
  #armBell(): void {
    const bell = this.#bell;
    if (bell === undefined || this.#waiting || this.#closed) return;
    const rung = bell.waitAsync(this.#seen);
    if (rung === undefined) {
      this.schedule();
      return;
    }
    this.#waiting = true;
    void rung.then(() => {
      this.#waiting = false;
      if (!this.#closed && !this.#scheduled) this.#run();
    });
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    this.#running = true;
    if (this.#bell !== undefined) this.#seen = this.#bell.read();
    let work = 1;
    let markMs = performance.now();
    for (let round = 0; round < ROUNDS_MAX && work > 0; round++) {
      this.#rung = false;
      work = 0;
      const nowMs = this.#clock.nowMs();
      for (let index = 0; index < this.#actors.length; index++) {
        const meter = this.#meters[index];
        const done = this.#work(this.#actors[index]!, nowMs);
        work += done;
        if (done > 0) markMs = charge(meter, markMs);
      }
    }
    this.#running = false;
    if (work > 0 || this.#rung) {
      this.schedule();
      return;
    }
    this.#armTimer();
    this.#armBell();
  };

  #work(actor: Actor, nowMs: number): number {
    try {
      return actor.doWork(nowMs);
    } catch (error) {
      this.remove(actor);
      this.#onCrash(actor, error);
      return 1;
    }
  }

  #armTimer(): void {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const actor of this.#actors) deadlineMs = Math.min(deadlineMs, actor.deadlineMs());
    // A timer that fires early only finds nothing to do: it is moved when it must fire sooner, not when later.
    if (this.#timer !== undefined && this.#timerAtMs <= deadlineMs) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = deadlineMs;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(TIMER_MAX_MS, Math.max(1, Math.ceil(deadlineMs - this.#clock.nowMs())));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.schedule();
    }, delayMs);
  }

  /** Ends the loop; the actors are closed in reverse order. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    for (const actor of this.#actors.toReversed()) actor.close();
    this.#actors.length = 0;
    this.#meters.length = 0;
  }
}

/**
 * Counts the time since `markMs` for an actor that worked, and returns the new mark: one reading of the clock for each
 * actor that did something, so that what looking for nothing takes is counted with the next one that found something.
 */
function charge(meter: Counters | undefined, markMs: number): number {
  const nowMs = performance.now();
  meter?.add(Counter.busyMs, nowMs - markMs);
  return nowMs;
}

export interface BlockingOptions {
  readonly bell: Doorbell;
  readonly clock: Clock;
  readonly onCrash: CrashListener;
  /** Checked once a cycle: control messages, and whether to go on. */
  readonly pump: () => boolean;
  /** Empty cycles before the thread sleeps; 0 where cores are few. */
  readonly spins: number;
  /** By actor: where its working time is counted. */
  readonly meters?: readonly Counters[];
}

/** Longest sleep of a blocking loop. Units: ms. */
const PARK_MAX_MS = 60_000;

/** Drives `actors` until `pump` says no more. Blocks the thread. */
export function runBlocking(actors: readonly Actor[], options: BlockingOptions): void {
  const { bell, clock, pump, spins } = options;
  let idleCycles = 0;
  for (;;) {
    // Read before anything is looked at, control included: a ring after this is seen by the wait below.
    const seen = bell.read();
    if (!pump()) return;
    const nowMs = clock.nowMs();
    let markMs = performance.now();
    let work = 0;
    for (let index = 0; index < actors.length; index++) {
      try {
        const done = actors[index]!.doWork(nowMs);
        work += done;
        if (done > 0) markMs = charge(options.meters?.[index], markMs);
      } catch (error) {
        options.onCrash(actors[index]!, error);
        return;
      }
    }
    if (work > 0) {
      idleCycles = 0;
      continue;
    }
    if (++idleCycles <= spins) continue;
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const actor of actors) deadlineMs = Math.min(deadlineMs, actor.deadlineMs());
    bell.wait(seen, Math.max(0, Math.min(PARK_MAX_MS, deadlineMs - clock.nowMs())));
  }
}
