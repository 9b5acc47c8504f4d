/**
 * All shared memory of a node, made once from the wiring table and handed to every thread. The node owns it, so what an
 * actor has counted and what waits in its rings outlives the actor.
 */
import { Counters } from '../../runtime/memory/counters.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { SharedFlags } from '../../runtime/memory/flags.js';
import { Latencies } from '../../runtime/memory/latencies.js';
import { Positions } from '../../runtime/memory/positions.js';
import { Ring } from '../../runtime/memory/ring.js';
import { FlightRecorder, TraceSwitch } from '../../runtime/trace/recorder.js';
import { TracedMessages } from '../../runtime/trace/traced-messages.js';
import { GroupTraffic } from '../group-traffic.js';
import { LaneCounts, laneKinds } from '../lane-counts.js';
import { QueueTable } from '../queue-table.js';
import { QueueTraffic } from '../queue-traffic.js';
import type { ThreadPlan } from './thread-plan.js';
import { type ActorInstance, type RingInstance, ringId, ringSizes } from './wiring.js';

/** Plain memory: it crosses threads as it is. */
export interface NodeMemory {
  /** Shared, but for a node whose actors all run on one thread. */
  readonly rings: Readonly<Record<string, ArrayBufferLike>>;
  /** By thread: the actors of one thread are woken together. */
  readonly bells: Readonly<Record<string, SharedArrayBuffer>>;
  /** By actor; by ring from remoting, for what it refused; and of each thread, by {@link threadCounters}. */
  readonly counters: Readonly<Record<string, SharedArrayBuffer>>;
  /** By lane: how long its requests waited for it. */
  readonly waits: Readonly<Record<string, SharedArrayBuffer>>;
  /** A flight recorder an actor. */
  readonly recorders: Readonly<Record<string, SharedArrayBuffer>>;
  readonly traceSwitch: SharedArrayBuffer;
  readonly tracedMessages: SharedArrayBuffer;
  readonly positions: SharedArrayBuffer;
  readonly storeState: SharedArrayBuffer;
  readonly queueTable: SharedArrayBuffer;
  readonly statistics: StatisticsMemory;
  /** Thread of each actor. */
  readonly threadOf: Readonly<Record<string, string>>;
  readonly threadingMode: ThreadPlan['mode'];
  readonly laneCounts: SharedArrayBuffer;
  readonly actors: readonly ActorInstance[];
}

/** What is counted for administrators where the work happens. */
export interface StatisticsMemory {
  readonly queueTraffic: SharedArrayBuffer;
  readonly putLatencies: SharedArrayBuffer;
  /** By lane: what a pull lane hands to groups, and what comes back from them to a send lane. */
  readonly groupTraffic: Readonly<Record<string, SharedArrayBuffer>>;
  /** By pull lane: how long its pulls take. */
  readonly getLatencies: Readonly<Record<string, SharedArrayBuffer>>;
}

export function allocateStatistics(actors: readonly ActorInstance[]): StatisticsMemory {
  const namesOf = (...kinds: ActorInstance['kind'][]): string[] =>
    actors.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  return {
    queueTraffic: new QueueTraffic().memory,
    putLatencies: new Latencies().memory,
    groupTraffic: Object.fromEntries(namesOf('send-lane', 'pull-lane').map(name => [name, new GroupTraffic().memory])),
    getLatencies: Object.fromEntries(namesOf('pull-lane').map(name => [name, new Latencies().memory])),
  };
}

/** All lanes run, unless somebody says otherwise. */
export function allocateLaneCounts(actors: readonly ActorInstance[]): SharedArrayBuffer {
  const counts = new LaneCounts();
  for (const kind of laneKinds) counts.set(kind, actors.filter(actor => actor.kind === kind).length);
  return counts.memory;
}

export function allocateWaits(actors: readonly ActorInstance[]): NodeMemory['waits'] {
  return Object.fromEntries(actors.filter(isLane).map(lane => [lane.name, new Latencies().memory]));
}

export function allocateMemory(
  actors: readonly ActorInstance[],
  rings: readonly RingInstance[],
  plan: ThreadPlan,
  ringCapacityBytes: number,
): NodeMemory {
  const capacity = ({ row }: RingInstance): number => ringSizes[row.size] || ringCapacityBytes;
  const allocate = plan.threads.size > 1 ? Ring.allocate : Ring.allocateLocal;
  const threadOf = [...plan.threads].flatMap(([thread, group]) => group.map(actor => [actor.name, thread] as const));
  return {
    rings: Object.fromEntries(rings.map(ring => [ring.id, allocate(capacity(ring))])),
    bells: Object.fromEntries([...plan.threads.keys()].map(thread => [thread, new SharedArrayBuffer(4)])),
    counters: Object.fromEntries(
      [
        ...actors.map(actor => actor.name),
        ...rings.filter(ring => ring.from === 'remoting').map(ring => ring.id),
        ...[...plan.threads.keys()].map(threadCounters),
      ].map(name => [name, new Counters().memory]),
    ),
    waits: allocateWaits(actors),
    recorders: Object.fromEntries(actors.map(actor => [actor.name, FlightRecorder.allocate()])),
    traceSwitch: new TraceSwitch().memory,
    tracedMessages: new TracedMessages().memory,
    positions: new Positions().memory,
    storeState: new SharedFlags().memory,
    queueTable: new QueueTable().memory,
    statistics: allocateStatistics(actors),
    threadOf: Object.fromEntries(threadOf),
    threadingMode: plan.mode,
    laneCounts: allocateLaneCounts(actors),
    actors,
  };
}

/** The name of a thread's own counters. */
export function threadCounters(thread: string): string {
  return `thread:${thread}`;
}

export function isLane({ kind }: ActorInstance): boolean {
  return kind === 'send-lane' || kind === 'pull-lane';
}

/** The memory as one thread sees it: one object for each ring and bell, however many actors of the thread use it. */
export class Workshop {
  readonly memory: NodeMemory;
  readonly positions: Positions;
  readonly storeState: SharedFlags;
  readonly queueTable: QueueTable;
  readonly queueTraffic: QueueTraffic;
  readonly putLatencies: Latencies;
  readonly traceSwitch: TraceSwitch;
  readonly tracedMessages: TracedMessages;
  readonly laneCounts: LaneCounts;
  readonly #rings = new Map<string, Ring>();
  readonly #bells = new Map<string, Doorbell>();

  constructor(memory: NodeMemory) {
    this.memory = memory;
    this.positions = new Positions(memory.positions);
    this.storeState = new SharedFlags(memory.storeState);
    this.queueTable = new QueueTable(memory.queueTable);
    this.queueTraffic = new QueueTraffic(memory.statistics.queueTraffic);
    this.putLatencies = new Latencies(memory.statistics.putLatencies);
    this.traceSwitch = new TraceSwitch(memory.traceSwitch);
    this.tracedMessages = new TracedMessages(memory.tracedMessages);
    this.laneCounts = new LaneCounts(memory.laneCounts);
  }

  ring(from: string, to: string): Ring {
    const id = ringId(from, to);
    const known = this.#rings.get(id);
    if (known !== undefined) return known;
    const { rings, threadOf } = this.memory;
    const ring = new Ring(rings[id]!, threadOf[from] === threadOf[to]);
    this.#rings.set(id, ring);
    return ring;
  }

  hasRing(from: string, to: string): boolean {
    return this.memory.rings[ringId(from, to)] !== undefined;
  }

  /** The bell that wakes an actor: that of its thread. */
  bell(actor: string): Doorbell {
    return this.threadBell(this.memory.threadOf[actor]!);
  }

  threadBell(thread: string): Doorbell {
    const known = this.#bells.get(thread);
    if (known !== undefined) return known;
    const bell = new Doorbell(this.memory.bells[thread]!);
    this.#bells.set(thread, bell);
    return bell;
  }

  recorder(actor: string): FlightRecorder {
    return new FlightRecorder(this.traceSwitch, this.memory.recorders[actor], this.tracedMessages);
  }

  counters(actor: string): Counters {
    return new Counters(this.memory.counters[actor]!);
  }

  /** How long requests waited for a lane. */
  waits(lane: string): Latencies {
    return new Latencies(this.memory.waits[lane]!);
  }

  groupTraffic(lane: string): GroupTraffic {
    return new GroupTraffic(this.memory.statistics.groupTraffic[lane]!);
  }

  getLatencies(pullLane: string): Latencies {
    return new Latencies(this.memory.statistics.getLatencies[pullLane]!);
  }

  /** Bytes of requests and answers that some room has not taken yet. */
  requestsWaiting(): number {
    const names = this.memory.actors.filter(({ kind }) => kind !== 'telemetry').map(({ name }) => name);
    const rooms = this.memory.actors.filter(actor => isLane(actor) || actor.kind === 'remoting');
    let bytes = 0;
    for (const { name } of rooms) {
      for (const other of names) {
        if (this.hasRing(name, other)) bytes += this.ring(name, other).depthBytes();
        if (this.hasRing(other, name)) bytes += this.ring(other, name).depthBytes();
      }
    }
    return bytes;
  }

  /** Names of the lanes of a kind that run. */
  startedLanes(kind: 'send-lane' | 'pull-lane'): string[] {
    return this.namesOf(kind).slice(0, this.laneCounts.started(kind));
  }

  /** Names of the actors of a kind. */
  namesOf(kind: ActorInstance['kind']): string[] {
    return this.memory.actors.filter(actor => actor.kind === kind).map(actor => actor.name);
  }
}
