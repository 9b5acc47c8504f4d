/**
 * A whole broker on one thread, its actors in an order drawn from a seed, on a virtual clock and a disk in memory.
 * Producers and consumers talk to it through remoting's rings; a ledger knows what was acknowledged. The broker stops
 * well, is killed or loses power at a step that the seed chooses, opens its store again, and in the end everything is
 * read back and judged.
 */
import { VirtualClock } from '../../runtime/base/clock.js';
import { Prng } from '../../runtime/base/prng.js';
import { Judge, Ledger, type Report } from '../support/checker.js';
import { MemoryDisk } from '../support/faulty-disk.js';
import { Consumer, Producer, queuesOfTopic, topics } from './simulated-clients.js';
import { Broker } from './simulated-life.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly syncFlush: boolean;
  /** How a run of the broker may end, besides well. */
  readonly ends: readonly End[];
  /** The disk fills up, refuses writes or loses a sync now and then. */
  readonly diskFaults: boolean;
  /** Entries in one file of a consume queue; enough for all unless told otherwise. */
  readonly unitsPerFile?: number;
  /** Size of a commit log file. Units: bytes. */
  readonly segmentSize?: number;
  readonly runs?: number;
}

export type End = 'clean' | 'kill' | 'power';

export interface SimulationResult {
  readonly report: Report;
  /** Promises besides those of the ledger that were broken, in words. */
  readonly broken: readonly string[];
  readonly ends: readonly End[];
  readonly refused: number;
  readonly pulled: number;
}

const producersCount = 3;

/** Runs one seed. Errors: SimFailure when the broker gets stuck or an actor crashes. */
export function simulate(options: SimulationOptions): SimulationResult {
  const world = new World(options);
  const runs = options.runs ?? world.random.between(2, 3);
  for (let run = 0; run < runs; run++) world.run(run);
  return world.judge();
}

/** What outlives the broker: its disk, the clock, the ledger. */
export class World {
  readonly random: Prng;
  readonly clock = new VirtualClock();
  readonly memory = new MemoryDisk();
  readonly ledger = new Ledger();
  readonly broken: string[] = [];
  /** Sends that were answered with a refusal. */
  refused = 0;
  readonly ends: End[] = [];
  pulled = 0;
  nextId = 0;
  readonly options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
  }

  /** The broker starts, works, and ends as the seed wants. */
  run(run: number): void {
    const end = this.random.pick(this.options.ends);
    const broker = new Broker(this, run);
    const producers = Array.from({ length: producersCount }, (_, index) => new Producer(this, broker, index, run));
    const consumers = queues().map(([topic, queueId]) => new Consumer(this, broker, topic, queueId));
    for (const client of [...producers, ...consumers]) broker.sim.add(client);
    if (end === 'power' && this.random.oneIn(2)) broker.faulty.faults.powerBytes = this.random.below(20_000);
    if (this.options.diskFaults) broker.injectFaults();
    const isDone = (): boolean => producers.every(producer => producer.isDone);
    const crashStep = end === 'clean' ? Number.POSITIVE_INFINITY : this.random.between(20, 4000);
    broker.runUntil(() => isDone() || broker.steps >= crashStep);
    if (broker.hasPower && end === 'clean') {
      broker.faulty.faults = {};
      broker.runUntil(
        () => consumers.every(consumer => consumer.isAtEnd) && broker.isQuiet,
        () => consumers.map(consumer => consumer.where).join('; '),
      );
      broker.stop();
    }
    this.ends.push(broker.hasPower ? end : 'power');
    if (!broker.hasPower || end === 'power') this.memory.crash(this.random.next());
    this.clock.advance(5000);
  }

  /** Opens the store a last time and reads everything back. */
  judge(): SimulationResult {
    const judge = new Judge(this.ledger);
    const broker = new Broker(this, -1);
    const readers = queues().map(
      ([topic, queueId]) => new Consumer(this, broker, topic, queueId, stored => judge.onStored(stored)),
    );
    for (const reader of readers) broker.sim.add(reader);
    broker.runUntil(
      () => readers.every(reader => reader.isAtEnd),
      () => readers.map(reader => reader.where).join('; '),
    );
    const { broken, ends, refused, pulled } = this;
    return { report: withoutTorn(judge.report()), broken, ends, refused, pulled };
  }
}

/**
 * A record that nobody was promised may have lost the page with its properties and not the one with its body, and only
 * the body has a CRC (as in RocketMQ). It is there with zeros for an id; one that was acknowledged would count as lost.
 */
function withoutTorn(report: Report): Report {
  const unknown = report.faults.unknown.filter(fault => !fault.includes('\0'));
  const torn = report.faults.unknown.length - unknown.length;
  return { ...report, faults: { ...report.faults, unknown }, faultCount: report.faultCount - torn };
}

function queues(): [topic: string, queueId: number][] {
  return topics.flatMap(topic =>
    Array.from({ length: queuesOfTopic }, (_, queueId) => [topic, queueId] as [string, number]),
  );
}
