/**
 * Kills a broker again and again while delayed messages come in, wait and are delivered, and checks what became of
 * them: every acknowledged one is delivered, not before its time, in the order of its level, and again only when it was
 * delivered in the last moments before a kill.
 *
 *   node dist/tests/chaos/kill9-delayed.js --cycles 50 --seed 1
 */
import { parseArgs } from 'node:util';
import { Prng } from '../../runtime/base/prng.js';
import {
  freePort,
  type Launchers,
  removeFolder,
  type ServerProcess,
  spawnBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import type { RawRecord } from '../support/raw-record.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import {
  chooseLaunchers,
  launcherOptions,
  launcherUsage,
  runAsProgram,
  wholeNumber,
} from '../support/rig-arguments.js';

export interface Kill9DelayedOptions {
  readonly launchers: Launchers;
  readonly cycles: number;
  readonly seed: number;
  /** The broker is killed at a random moment up to so long after it listens. Units: ms. */
  readonly loadMs: number;
  readonly log: (line: string) => void;
}

export interface Kill9DelayedResult {
  readonly acknowledged: number;
  readonly delivered: number;
  /** Deliveries of what had been delivered before. */
  readonly again: number;
  /** In words. */
  readonly faults: readonly string[];
}

const topic = 'Kill9_Delayed';
const schedule = 'SCHEDULE_TOPIC_XXXX';
const queues = 2;
const delaysMs = [1000, 2000];
const window = 16;
/** A second until progress is stored, and as long again for a slow disk and a busy machine. Units: ms. */
const lastMomentsMs = 3000;
const drainLimitMs = 90_000;
/** The writer stamps a record with the time at which its duty cycle began, before the scheduler looked. Units: ms. */
const stampSlackMs = 100;

class Rig {
  readonly #options: Kill9DelayedOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #acknowledged = new Set<string>();
  readonly #killsMs: number[] = [];
  #nameServer = '';
  #port = 0;
  #sent = 0;

  constructor(options: Kill9DelayedOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
  }

  async run(): Promise<Kill9DelayedResult> {
    const nameServer = await startNameServer(this.#options.launchers, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      this.#port = await freePort();
      for (let cycle = 1; cycle <= this.#options.cycles; cycle++) await this.#cycle(cycle);
      return await this.#judge();
    } finally {
      await nameServer.stop();
    }
  }

  async #start(): Promise<ServerProcess> {
    const settings = { flushDiskType: 'SYNC_FLUSH', messageDelayLevel: '1s 2s' };
    const { launchers } = this.#options;
    const where = { nameServer: this.#nameServer, folder: this.#folder, port: this.#port, settings };
    const broker = await spawnBroker(launchers, where);
    await broker.listening(120_000);
    return broker;
  }

  async #cycle(cycle: number): Promise<void> {
    const broker = await this.#start();
    const before = this.#acknowledged.size;
    try {
      const client = await RawClient.connect(broker.address);
      if (cycle === 1) await createTopic(client, topic, queues);
      for (let index = 0; index < window; index++) this.#sendNext(client);
      const afterMs = this.#random.below(this.#options.loadMs);
      await new Promise(resolve => setTimeout(resolve, afterMs)); // the moment is the experiment
      if (broker.hasEnded) throw new Error(`the broker ended by itself in cycle ${cycle}:\n${broker.lastLines()}`);
      await broker.kill();
      this.#killsMs.push(Date.now());
      this.#options.log(`cycle ${cycle}: ${this.#acknowledged.size - before} acknowledged, killed after ${afterMs} ms`);
    } finally {
      await broker.kill();
    }
  }

  #sendNext(client: RawClient): void {
    const id = `m${this.#sent++}`;
    const properties = { DELAY: String(1 + this.#random.below(2)) };
    const message = { topic, queueId: this.#random.below(queues), body: Buffer.from(id), properties };
    client.sendPipelined(message, answer => {
      if (answer === undefined) return;
      if (answer.code === 0) this.#acknowledged.add(id);
      this.#sendNext(client);
    });
  }

  async #judge(): Promise<Kill9DelayedResult> {
    const broker = await this.#start();
    try {
      const client = await RawClient.connect(broker.address);
      const deadlineMs = performance.now() + drainLimitMs;
      let delivered = await readQueues(client, topic, queues);
      while (this.#missing(delivered).length > 0 && performance.now() < deadlineMs) {
        await new Promise(resolve => setTimeout(resolve, 500)); // asked again until the limit
        delivered = await readQueues(client, topic, queues);
      }
      const waited = await readQueues(client, schedule, delaysMs.length);
      client.close();
      await broker.stop();
      return this.#report(delivered, waited);
    } finally {
      await broker.kill();
    }
  }

  #missing(delivered: readonly RawRecord[]): string[] {
    const there = new Set(delivered.map(idOf));
    return [...this.#acknowledged].filter(id => !there.has(id));
  }

  #report(delivered: readonly RawRecord[], waited: readonly RawRecord[]): Kill9DelayedResult {
    const faults = this.#missing(delivered).map(id => `${id} was acknowledged and is not delivered`);
    const sources = new Map(waited.map(record => [idOf(record), record]));
    const firsts = new Map<string, RawRecord>();
    const next = new Map<string, number>();
    for (const record of [...delivered].sort((left, right) => left.physicalOffset - right.physicalOffset)) {
      const id = idOf(record);
      const source = sources.get(id);
      if (source === undefined) {
        faults.push(`${id} was delivered and never waited`);
        continue;
      }
      const waitedMs = record.storeTimestampMs - source.storeTimestampMs;
      if (waitedMs < delaysMs[source.queueId]! - stampSlackMs) faults.push(`${id} was delivered after ${waitedMs} ms`);
      const first = firsts.get(id);
      if (first !== undefined) {
        const killed = this.#killsMs.find(killedMs => killedMs >= first.storeTimestampMs) ?? Number.POSITIVE_INFINITY;
        const beforeMs = killed - first.storeTimestampMs;
        if (beforeMs > lastMomentsMs) faults.push(`${id} is delivered again, ${beforeMs} ms before a kill it had been`);
        continue;
      }
      firsts.set(id, record);
      const line = `level ${source.queueId + 1} to queue ${record.queueId}`;
      if (source.queueOffset < (next.get(line) ?? 0)) faults.push(`${line}: ${id} was overtaken`);
      next.set(line, source.queueOffset);
    }
    const acknowledged = this.#acknowledged.size;
    return { acknowledged, delivered: delivered.length, again: delivered.length - firsts.size, faults };
  }
}

const idOf = (record: RawRecord): string => record.body.toString();

async function readQueues(client: RawClient, name: string, count: number): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for (let queueId = 0; queueId < count; queueId++) {
    await pullQueue(client, name, queueId, record => records.push(record), { patienceMs: 0 });
  }
  return records;
}

/** Errors: Error when the broker does not start or ends by itself; faults are in the result. */
export async function runKill9Delayed(options: Kill9DelayedOptions): Promise<Kill9DelayedResult> {
  const folder = temporaryFolder();
  try {
    return await new Rig(options, folder).run();
  } finally {
    removeFolder(folder);
  }
}

export function formatKill9Delayed({ acknowledged, delivered, again, faults }: Kill9DelayedResult): string {
  const counts = `acknowledged ${acknowledged}, delivered ${delivered}, of them again ${again}, ${faults.length} faults`;
  return [counts, ...faults.slice(0, 10)].join('\n  ');
}

const usage = `usage: kill9-delayed [options] [broker]
  --cycles 50, --seed 1, --load-ms 4000${launcherUsage}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...launcherOptions,
      cycles: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      'load-ms': { type: 'string', default: '4000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const result = await runKill9Delayed({
    launchers: chooseLaunchers(values),
    cycles: wholeNumber(values, 'cycles', 1),
    seed: wholeNumber(values, 'seed', 0),
    loadMs: wholeNumber(values, 'load-ms', 1),
    log: line => console.log(line),
  });
  console.log(formatKill9Delayed(result));
  if (result.faults.length > 0) process.exitCode = 1;
}

runAsProgram(import.meta.filename, main);
