/**
 * Which actor runs on which thread. The same actors run in every mode; docs/decisions/0002 has the measurements.
 *
 * - inline: all on the main thread; a request passes every room in one turn of the event loop.
 * - shared: sockets and control on the main thread, the path of a message on a second, what follows the log (syncs,
 *   consume queues, delayed and half messages, which may wait for the disk) on a third.
 * - dedicated: a thread each; lanes on piscina.
 */
import type { ActorInstance, ActorKind } from './wiring.js';

export type ThreadingMode = 'dedicated' | 'shared' | 'inline';

export interface ThreadPlan {
  readonly mode: ThreadingMode;
  /** Why, in words: for the start-up log. */
  readonly reason: string;
  /** Actors by thread. `main` is the event loop of the process. */
  readonly threads: ReadonlyMap<string, readonly ActorInstance[]>;
}

export const MAIN_THREAD = 'main';
/** Cores from which on `auto` takes the message path off the sockets' thread. */
const SHARED_FROM_CORES = 4;

/** Actors that need an event loop: they own sockets or timers. */
const eventLoopKinds: ReadonlySet<ActorKind> = new Set([
  'remoting',
  'forwarder',
  'coordinator',
  'name-registry',
  'ha-sender',
  'ha-receiver',
  'telemetry',
]);

/** Actors that follow the log and may wait for the disk. */
const followerKinds: ReadonlySet<ActorKind> = new Set([
  'flush-service',
  'dispatcher',
  'scheduler',
  'transaction-checker',
]);

export function needsEventLoop(actors: readonly ActorInstance[]): boolean {
  return actors.some(actor => eventLoopKinds.has(actor.kind));
}

/** The mode that `auto` means on this machine. */
export function chooseMode(configured: ThreadingMode | 'auto', cores: number): { mode: ThreadingMode; reason: string } {
  if (configured !== 'auto') return { mode: configured, reason: 'key threadingMode' };
  if (cores < SHARED_FROM_CORES) {
    return { mode: 'inline', reason: `auto: with ${cores} cores every hop between threads costs more than it gains` };
  }
  return { mode: 'shared', reason: `auto: ${cores} cores are enough for sockets, messages and syncs side by side` };
}

export function planThreads(actors: readonly ActorInstance[], mode: ThreadingMode, reason: string): ThreadPlan {
  const threads = new Map<string, ActorInstance[]>();
  for (const actor of inWorkOrder(actors)) {
    const name = threadOf(actor, mode);
    const group = threads.get(name);
    if (group === undefined) threads.set(name, [actor]);
    else group.push(actor);
  }
  return { mode, reason, threads };
}

function threadOf(actor: ActorInstance, mode: ThreadingMode): string {
  if (mode === 'inline') return MAIN_THREAD;
  if (mode === 'dedicated') return actor.name;
  if (eventLoopKinds.has(actor.kind)) return MAIN_THREAD;
  return followerKinds.has(actor.kind) ? 'followers' : 'messages';
}

/**
 * The order in which actors of one thread work: that of a request's way, so that one round takes it through all rooms.
 * The dispatcher and who follows it come last: a sender does not wait for consume queues.
 */
const workOrder: readonly ActorKind[] = [
  'ha-receiver',
  'send-lane',
  'commit-log-writer',
  'ha-sender',
  'flush-service',
  'pull-lane',
  'transaction-checker',
  'forwarder',
  'coordinator',
  'name-registry',
  'remoting',
  'dispatcher',
  'scheduler',
  'telemetry',
];

function inWorkOrder(actors: readonly ActorInstance[]): ActorInstance[] {
  return [...actors].sort((left, right) => workOrder.indexOf(left.kind) - workOrder.indexOf(right.kind));
}
