/**
 * Starts the actors of a node, restarts those that may be restarted, and tells the node when one cannot be. Cold: it
 * sees a handful of events in the life of a node.
 */
import { createActor, type Actor as MachineActor } from 'xstate';
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { messageOf, RingError } from '../base/errors.js';
import type { Logger } from '../log/contract.js';
import { type CrashPolicy, type LifecycleState, lifecycleMachine } from './lifecycle.machine.js';

/** Timers, handed in: the event loop's on a node, virtual ones in tests. */
export interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

export const systemTimers: Timers = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
};

/** What a supervisor does with an actor: how it is started and ended, on whatever thread. */
export interface Supervised {
  readonly name: string;
  readonly policy: CrashPolicy;
  /** Resolves when the actor runs. Called again for each restart. Errors: rejected when it cannot start: a crash. */
  start(): Promise<void>;
  /** Resolves when the actor has finished and its thread is gone. Also called while it is starting. */
  drain(): Promise<void>;
}

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /**
   * An actor is lost for good, and so is the node. Called once for each such actor.
   * Errors: `fault` is ACTOR_CRASHED, its cause what the actor threw.
   */
  readonly onFailed: (name: string, fault: RingError) => void;
  /** Every change of state, for traces. */
  readonly onChanged?: (name: string, state: LifecycleState) => void;
}

interface Child {
  readonly supervised: Supervised;
  readonly machine: MachineActor<typeof lifecycleMachine>;
  /** Resolves when it runs or is lost, for the one who asked to start it. */
  readonly settled: Promise<LifecycleState>;
  readonly ended: Promise<LifecycleState>;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  /** In order of starting. */
  readonly #children = new Map<string, Child>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts an actor and looks after it.
   * Errors: rejected with ACTOR_CRASHED when it is lost before it ran once.
   *
   * @example
   * await supervisor.supervise({ name: 'send-lane-0', policy: restartLanes, start: () => ..., drain: () => ... });
   */
  async supervise(supervised: Supervised): Promise<void> {
    const { name } = supervised;
    const previous = this.stateOf(name);
    assert(previous === undefined || previous === 'stopped', `${name} is not supervised yet`);
    const child = this.#createChild(supervised);
    this.#children.delete(name);
    this.#children.set(name, child);
    child.machine.start();
    const state = await child.settled;
    if (state === 'failed') throw this.#faultOf(child);
  }

  /** Reports that an actor died. Reports of an actor that is already known to be down change nothing. */
  crashed(name: string, error: unknown): void {
    const child = this.#children.get(name);
    if (child?.machine.getSnapshot().status !== 'active') return;
    child.machine.send({ type: 'CRASHED', error, nowMs: this.#options.clock.nowMs() });
  }

  /** Undefined when there is no such actor. */
  stateOf(name: string): LifecycleState | undefined {
    return this.#children.get(name)?.machine.getSnapshot().value as LifecycleState | undefined;
  }

  /** Drains one actor; resolves when it has ended, well or not. */
  async stop(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) return;
    if (child.machine.getSnapshot().status === 'active') child.machine.send({ type: 'DRAIN' });
    await child.ended;
  }

  /** Drains all actors one after another, the one started last first. */
  async stopAll(): Promise<void> {
    for (const name of [...this.#children.keys()].reverse()) await this.stop(name);
  }

  #createChild(supervised: Supervised): Child {
    const { timers, clock } = this.#options;
    // What an actor of an earlier start answers late must not be taken for its successor's answer.
    let incarnation = 0;
    const follow = (work: Promise<void>, done: 'STARTED' | 'STOPPED'): void => {
      const mine = incarnation;
      work.then(
        () => mine === incarnation && machine.send({ type: done }),
        error => mine === incarnation && machine.send({ type: 'CRASHED', error, nowMs: clock.nowMs() }),
      );
    };
    const actions = {
      start: () => {
        incarnation++;
        follow(
          callAsync(() => supervised.start()),
          'STARTED',
        );
      },
      drain: () => {
        incarnation++;
        follow(
          callAsync(() => supervised.drain()),
          'STOPPED',
        );
      },
    };
    const machine = createActor(lifecycleMachine.provide({ actions }), {
      input: { policy: supervised.policy },
      clock: {
        setTimeout: (callback, delayMs) => timers.setTimeout(callback, delayMs),
        clearTimeout: handle => timers.clearTimeout(handle),
      },
    });
    const { settled, ended } = this.#follow(supervised.name, machine);
    return { supervised, machine, settled, ended };
  }

  #follow(
    name: string,
    machine: Child['machine'],
  ): { settled: Promise<LifecycleState>; ended: Promise<LifecycleState> } {
    let resolveSettled = (_state: LifecycleState): void => {};
    let resolveEnded = (_state: LifecycleState): void => {};
    const settled = new Promise<LifecycleState>(resolve => {
      resolveSettled = resolve;
    });
    const ended = new Promise<LifecycleState>(resolve => {
      resolveEnded = resolve;
    });
    let lastState: LifecycleState | undefined;
    let lastError: unknown;
    machine.subscribe(snapshot => {
      const state = snapshot.value as LifecycleState;
      if (state === lastState) return;
      lastState = state;
      const { error } = snapshot.context;
      this.#onChanged(name, state, error === lastError ? undefined : error);
      lastError = error;
      if (state === 'running') resolveSettled(state);
      if (state === 'stopped' || state === 'failed') {
        resolveSettled(state);
        resolveEnded(state);
      }
      if (state === 'failed') this.#options.onFailed(name, this.#faultOf(this.#children.get(name)!));
    });
    return { settled, ended };
  }

  #onChanged(name: string, state: LifecycleState, error: unknown): void {
    const { logger, onChanged } = this.#options;
    if (state === 'failed') logger.error({ actor: name, err: error }, 'actor is lost');
    else if (state === 'restarting') logger.warn({ actor: name, err: error }, 'actor crashed and will be restarted');
    else if (error !== undefined) logger.warn({ actor: name, err: error }, `actor crashed before it was ${state}`);
    else logger.debug({ actor: name, state }, 'actor changed state');
    onChanged?.(name, state);
  }

  #faultOf(child: Child): RingError {
    const { error, crashesMs } = child.machine.getSnapshot().context;
    const { name } = child.supervised;
    const facts = { actor: name, crashes: crashesMs.length };
    return new RingError('ACTOR_CRASHED', `${name} crashed: ${messageOf(error)}`, facts, { cause: error });
  }
}

/** Calls `work`, turning what it throws at once into a rejection. */
const callAsync = async (work: () => Promise<void>): Promise<void> => {
  await work();
};
