/** What happened between two reports of a broker, in shares and rates that people compare. Pure. */
import type { CounterName } from '../../runtime/memory/counters.js';
import { percentileMs, spanStarts } from '../../runtime/memory/latencies.js';
import type { LaneKind } from '../lane-counts.js';
import type { BrokerReport } from './broker-report.js';

/** One lane between two reports. */
export interface LaneChange {
  readonly name: string;
  readonly thread: string;
  /** It gets requests; else it finishes what it has, and sleeps. */
  readonly active: boolean;
  /** Requests taken a second. */
  readonly requestsPerSecond: number;
  /** Share of the time it worked, 0 to 1. */
  readonly busy: number;
  /** Bytes that wait for it now, and how many can. */
  readonly waiting: number;
  readonly capacity: number;
  /** What all but one of a hundred requests waited at most. Units: ms. */
  readonly waitP99Ms: number;
  /** The longest wait, also of what still waits. Units: ms. */
  readonly waitMaxMs: number;
  /** Requests its full ring did not take, and those it found too late. */
  readonly refused: number;
  readonly late: number;
}

/** One thread between two reports. */
export interface ThreadChange {
  readonly name: string;
  readonly actors: readonly string[];
  /** Share of the time it was not idle, 0 to 1. */
  readonly busy: number;
  /** Share of the time garbage collection took. Known of threads with an event loop. */
  readonly garbage: number;
}

export class ReportChange {
  readonly before: BrokerReport;
  readonly after: BrokerReport;
  /** Units: ms. */
  readonly intervalMs: number;

  constructor(before: BrokerReport, after: BrokerReport) {
    this.before = before;
    this.after = after;
    this.intervalMs = Math.max(1, after.atMs - before.atMs);
  }

  /** How much a counter of an actor went up; less than nothing where the broker was started anew. */
  grown(actor: string, name: CounterName): number {
    return this.now(actor, name) - (this.before.counters[actor]?.[name] ?? 0);
  }

  now(actor: string, name: CounterName): number {
    return this.after.counters[actor]?.[name] ?? 0;
  }

  perSecond(actor: string, name: CounterName): number {
    return (this.grown(actor, name) * 1000) / this.intervalMs;
  }

  /** The share of the interval that a counter of milliseconds went up by. */
  share(actor: string, name: CounterName): number {
    return Math.min(1, Math.max(0, this.grown(actor, name) / this.intervalMs));
  }

  /** Share of the machine's cores that somebody used, 0 to 1. */
  get coresBusy(): number {
    const [before, after] = [this.before.cores, this.after.cores];
    return Math.max(0, after.busyMs - before.busyMs) / Math.max(1, after.totalMs - before.totalMs);
  }

  /** Sum over all lanes of a kind. */
  sum(kind: LaneKind, name: CounterName): number {
    return this.lanes(kind).reduce((sum, lane) => sum + this.grown(lane.name, name), 0);
  }

  /** What a gauge of remoting was on average; two looks are few, but they are what there is. */
  level(name: CounterName): number {
    return ((this.before.counters.remoting?.[name] ?? 0) + this.now('remoting', name)) / 2;
  }

  /**
   * Sends in progress on average: their rate times how long each takes (Little's law), or what was there at both looks,
   * whichever is more.
   */
  get sendsInProgress(): number {
    let busyMs = 0;
    for (const [span, count] of this.after.putLatencies.entries()) {
      const start = spanStarts[span]!;
      const next = spanStarts[span + 1] ?? start;
      // Times are whole milliseconds: a span of one holds just that.
      const middle = next - start > 1 ? (start + next) / 2 : start;
      busyMs += (count - (this.before.putLatencies[span] ?? 0)) * middle;
    }
    return Math.max(this.level('sendsInFlight'), busyMs / this.intervalMs);
  }

  lanes(kind: LaneKind): LaneChange[] {
    return Object.keys(this.after.waits)
      .filter(name => name.startsWith(kind))
      .map((name, index) => this.#lane(name, index < this.after.activeLanes[kind]));
  }

  #lane(name: string, active: boolean): LaneChange {
    const { counts, headMs } = this.after.waits[name]!;
    const earlier = this.before.waits[name]?.counts ?? [];
    const waits = counts.map((count, span) => count - (earlier[span] ?? 0));
    const longest = waits.findLastIndex(count => count > 0);
    const ring = this.after.rings[`remoting>${name}`];
    return {
      name,
      thread: this.threadOf(name),
      active,
      requestsPerSecond: this.perSecond(name, 'requestsIn'),
      busy: this.share(name, 'busyMs'),
      waiting: ring?.waiting ?? 0,
      capacity: ring?.capacity ?? 1,
      waitP99Ms: percentileMs(waits, 0.99),
      waitMaxMs: Math.max(headMs, longest < 0 ? 0 : (spanStarts[longest + 1] ?? spanStarts[longest]!)),
      refused: this.grown(`remoting>${name}`, 'requestsRefused'),
      late: this.grown(name, 'requestsLate'),
    };
  }

  threadOf(actor: string): string {
    return Object.entries(this.after.threads).find(([, actors]) => actors.includes(actor))?.[0] ?? '-';
  }

  threads(): ThreadChange[] {
    return Object.entries(this.after.threads).map(([name, actors]) => {
      const working = actors.reduce((sum, actor) => sum + this.share(actor, 'busyMs'), 0);
      const counters = `thread:${name}`;
      return {
        name,
        actors,
        busy: Math.min(1, Math.max(working, this.share(counters, 'threadBusyMs'))),
        garbage: this.share(counters, 'garbageMs'),
      };
    });
  }
}
