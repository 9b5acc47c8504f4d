/**
 * Puts rooms on threads and looks after them: the main thread's event loop, workers, and piscina's threads for lanes.
 * Cold.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Actor } from '../../runtime/actor/contract.js';
import { type CrashPolicy, escalate, restartLanes } from '../../runtime/actor/lifecycle.machine.js';
import { Supervisor, systemTimers } from '../../runtime/actor/supervisor.js';
import { builtFile } from '../../runtime/base/built-file.js';
import { systemClock } from '../../runtime/base/clock.js';
import { messageOf, type RingError } from '../../runtime/base/errors.js';
import { type ControlCaller, connectControl, connectInline, openControlLine } from '../../runtime/control/endpoint.js';
import { rebuildError } from '../../runtime/control/wire-errors.js';
import type { Logger, LogLevel } from '../../runtime/log/contract.js';
import type { RootLogger } from '../../runtime/log/logger.js';
import { LanePool } from '../../runtime/pool/lane-pool.js';
import type { Disk } from '../../storage/disk.js';
import type { Workshop } from './memory.js';
import type { ThreadData } from './thread-entry.js';
import { MAIN_THREAD, needsEventLoop } from './thread-plan.js';
import { type Heirlooms, type RoomsControl, type RoomsData, ThreadRooms } from './thread-rooms.js';
import type { ActorInstance } from './wiring.js';

export interface ThreadHostOptions {
  readonly shop: Workshop;
  readonly disk: Disk;
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** Threads log through it; the main thread has the logger. */
  readonly rootLogger: RootLogger | undefined;
  /** An actor is lost for good. */
  readonly onFailed: (name: string, fault: RingError) => void;
  /** From the rooms before a change of role. */
  readonly heirlooms?: Heirlooms | undefined;
}

/** Empty cycles before a thread sleeps, where cores are to spare. Measured on 2 cores only, where any spin costs. */
const SPINS = 200;
const SPIN_FROM_CORES = 8;
const STOP_MAX_MS = 10_000;
/** All threads start at once, so on a busy machine each may take long. */
const START_MAX_MS = 30_000;

export class ThreadHost {
  readonly #options: ThreadHostOptions;
  readonly #supervisor: Supervisor;
  readonly #controls = new Map<string, ControlCaller<RoomsControl>>();
  readonly #lanePools = new Map<string, LanePool>();
  #main: ThreadRooms | undefined;

  constructor(options: ThreadHostOptions) {
    this.#options = options;
    const { log, onFailed } = options;
    this.#supervisor = new Supervisor({ clock: systemClock, timers: systemTimers, logger: log, onFailed });
  }

  /** Starts the rooms of one thread. Errors: ACTOR_CRASHED, and what making an actor throws. */
  async start(data: RoomsData): Promise<void> {
    if (data.thread === MAIN_THREAD) return this.#startMain(data);
    await this.#supervisor.supervise({
      name: data.thread,
      policy: policyOf(data.actors),
      start: () => this.#startThread(data),
      drain: () => this.#stopThread(data.thread),
    });
  }

  /** The control of the rooms that hold an actor. */
  control(actor: string): ControlCaller<RoomsControl>['remote'] {
    return this.#controls.get(this.#options.shop.memory.threadOf[actor]!)!.remote;
  }

  /** The same for several, each thread once. */
  controlsOf(actors: readonly string[]): ControlCaller<RoomsControl>['remote'][] {
    const { threadOf } = this.#options.shop.memory;
    const threads = new Set(actors.map(actor => threadOf[actor]!));
    return [...threads].map(thread => this.#controls.get(thread)!.remote);
  }

  has(actor: string): boolean {
    return this.#options.shop.memory.threadOf[actor] !== undefined;
  }

  /** What outlives the rooms of the main thread; undefined when remoting is elsewhere. */
  get heirlooms(): Heirlooms | undefined {
    return this.#main?.heirlooms;
  }

  /** Ends all threads: those that make work before those that finish it. */
  async stop(): Promise<void> {
    await this.#supervisor.stopAll();
    this.#main?.stop();
    await Promise.all([...this.#lanePools.values()].map(pool => pool.close()));
  }

  // ---- main thread ----

  #startMain(data: RoomsData): void {
    const { shop, disk, log, heirlooms } = this.#options;
    const rooms = new ThreadRooms(data, disk, log, shop, heirlooms);
    this.#main = rooms;
    this.#controls.set(MAIN_THREAD, connectInline<RoomsControl>(rooms, { name: MAIN_THREAD }));
    rooms.runOnEventLoop((actor, error) => this.#onMainCrash(actor, error));
    for (const actor of data.actors) this.#superviseInline(actor, rooms);
  }

  readonly #inlineStarted = new Set<string>();

  /** An inline actor runs already; a restart makes it anew. */
  #superviseInline(actor: ActorInstance, rooms: ThreadRooms): void {
    const start = async (): Promise<void> => {
      if (!this.#inlineStarted.has(actor.name)) this.#inlineStarted.add(actor.name);
      else {
        rooms.rebuild(actor.name);
        await this.#announce();
      }
    };
    const policy = policyOf([actor]);
    void this.#supervisor.supervise({ name: actor.name, policy, start, drain: async () => {} });
  }

  #onMainCrash(actor: Actor, error: unknown): void {
    this.#options.log.error({ err: error, actor: actor.name }, 'an actor crashed');
    this.#supervisor.crashed(actor.name, error);
  }

  async #announce(): Promise<void> {
    if (this.has('coordinator')) await this.control('coordinator').announce();
  }

  // ---- other threads ----

  async #startThread(data: RoomsData): Promise<void> {
    const { shop, rootLogger, logLevel } = this.#options;
    const restarted = this.#controls.has(data.thread);
    const blocks = !needsEventLoop(data.actors);
    const bell = shop.threadBell(data.thread);
    const line = openControlLine(blocks ? bell : undefined);
    const log = rootLogger!.attachThread(data.thread);
    const spins = availableParallelism() >= SPIN_FROM_CORES ? SPINS : 0;
    const threadData: ThreadData = { rooms: data, control: line.callee, log, logLevel, spins };
    const caller = connectControl<RoomsControl>(line.caller, { name: data.thread });
    this.#controls.set(data.thread, caller);
    if (isLane(data.actors)) await this.#startLane(data, threadData);
    else this.#startWorker(data, threadData, caller);
    await caller.within(START_MAX_MS).inflight();
    if (restarted) await this.#announce();
  }

  #startWorker(data: RoomsData, threadData: ThreadData, caller: ControlCaller<RoomsControl>): void {
    const worker = new Worker(builtFile('actors/node/thread-entry.js'), {
      name: data.thread,
      workerData: { ringmqThread: true, data: threadData },
      transferList: [threadData.control.port],
    });
    let failure: unknown;
    worker.on('error', error => {
      failure = rebuildError(error);
    });
    const exited = new Promise<void>(resolve => {
      worker.on('exit', () => {
        this.#ends.delete(data.thread);
        this.#options.rootLogger?.detachThread(threadData.log);
        resolve();
        if (failure === undefined) return;
        caller.fail(failure);
        this.#options.log.error({ err: failure, thread: data.thread }, 'a thread crashed');
        this.#supervisor.crashed(data.thread, failure);
      });
    });
    this.#ends.set(data.thread, exited);
  }

  /** When each worker thread is gone. */
  readonly #ends = new Map<string, Promise<void>>();

  async #startLane(data: RoomsData, threadData: ThreadData): Promise<void> {
    const [actor] = data.actors as [ActorInstance];
    const pool = this.#lanePool(actor.kind);
    await pool.add(actor.index, threadData, [threadData.control.port]);
  }

  #lanePool(kind: string): LanePool {
    const known = this.#lanePools.get(kind);
    if (known !== undefined) return known;
    const pool = new LanePool({
      name: kind,
      workerFile: builtFile('actors/node/lane-thread.js'),
      lanesMax: 256,
      onCrashed: (index, error) => {
        this.#controls.get(`${kind}-${index}`)?.fail(error);
        this.#supervisor.crashed(`${kind}-${index}`, error);
      },
    });
    this.#lanePools.set(kind, pool);
    return pool;
  }

  async #stopThread(thread: string): Promise<void> {
    const caller = this.#controls.get(thread);
    try {
      await caller?.within(STOP_MAX_MS).stop();
    } catch (error) {
      this.#options.log.warn({ thread, reason: messageOf(error) }, 'a thread did not stop when asked');
    }
    const lane = /^(.+)-(\d+)$/.exec(thread);
    const pool = lane === null ? undefined : this.#lanePools.get(lane[1]!);
    await (pool === undefined ? this.#ends.get(thread) : pool.remove(Number(lane![2])));
  }
}

/** Lanes, and the room that nobody waits for, start anew; without one of the others the node cannot go on. */
function policyOf(actors: readonly ActorInstance[]): CrashPolicy {
  return isLane(actors) || actors.every(({ kind }) => kind === 'telemetry') ? restartLanes : escalate;
}

function isLane(actors: readonly ActorInstance[]): boolean {
  return actors.length === 1 && (actors[0]!.kind === 'send-lane' || actors[0]!.kind === 'pull-lane');
}
