/**
 * Kills a broker again and again under load and checks what it kept: every acknowledged message, at the place that was
 * acknowledged.
 *
 *   node dist/tests/chaos/kill9.js --cycles 200 --seed 1
 */
import { Prng } from '../../runtime/base/prng.js';
import type { Report } from '../support/checker.js';
import { formatReport, Judge, Ledger, queueKey } from '../support/checker.js';
import { type KillRigOptions, makeTopics, runKillRig } from '../support/kill-rig.js';
import type { LoadResult } from '../support/load.js';
import { MessageMaker, runLoad, storedOf } from '../support/load.js';
import type { ServerProcess } from '../support/node-process.js';
import { freePort, spawnBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { pullQueue } from '../support/raw-requests.js';
import { inRigFolder, runAsProgram } from '../support/rig-arguments.js';

export interface Kill9Result extends Report {
  readonly cycles: number;
  /** How many of them were killed while starting, before they listened. */
  readonly killedWhileStarting: number;
  readonly refused: ReadonlyMap<number, number>;
  /** From spawn to listening, the longest. */
  readonly slowestStartMs: number;
  /** Set when kept. */
  readonly folder?: string;
}

const topics = [
  { topic: 'Kill9_A', queues: 4 },
  { topic: 'Kill9_B', queues: 3 },
] as const;
const firstAcknowledgementLimitMs = 60_000;

class Rig {
  readonly #options: KillRigOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #ledger = new Ledger();
  readonly #refused = new Map<number, number>();
  #nameServer = '';
  #port = 0;
  #killedWhileStarting = 0;
  #slowestStartMs = 0;

  constructor(options: KillRigOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, 32 * 1024);
  }

  async run(): Promise<Kill9Result> {
    const nameServer = await startNameServer(this.#options.launchers, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      this.#port = await freePort();
      for (let cycle = 1; cycle <= this.#options.cycles; cycle++) await this.#cycle(cycle);
      return { ...(await this.#judge()), ...this.#facts() };
    } finally {
      await nameServer.stop();
    }
  }

  #facts() {
    return {
      cycles: this.#options.cycles,
      killedWhileStarting: this.#killedWhileStarting,
      refused: this.#refused,
      slowestStartMs: Math.round(this.#slowestStartMs),
    };
  }

  #spawn(): Promise<ServerProcess> {
    const { launchers } = this.#options;
    const settings = {
      flushDiskType: 'SYNC_FLUSH',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(16 * 1024 * 1024),
    };
    return spawnBroker(launchers, { nameServer: this.#nameServer, folder: this.#folder, port: this.#port, settings });
  }

  async #start(): Promise<ServerProcess> {
    const startedMs = performance.now();
    const broker = await this.#spawn();
    await broker.listening(120_000);
    this.#slowestStartMs = Math.max(this.#slowestStartMs, performance.now() - startedMs);
    return broker;
  }

  async #cycle(cycle: number): Promise<void> {
    if (cycle > 1 && this.#random.oneIn(8)) return this.#killWhileStarting(cycle);
    const broker = await this.#start();
    try {
      if (cycle === 1) await makeTopics(broker.address, topics);
      await this.#loadAndKill(broker, cycle);
    } finally {
      await broker.kill();
    }
  }

  /** Recovery is cut short too, at a moment within the time a start takes. */
  async #killWhileStarting(cycle: number): Promise<void> {
    const broker = await this.#spawn();
    const afterMs = this.#random.below(Math.max(1, Math.ceil(this.#slowestStartMs)));
    await new Promise(resolve => setTimeout(resolve, afterMs)); // the moment is the experiment
    if (broker.hasEnded) throw new Error(`the broker ended by itself in cycle ${cycle}:\n${broker.lastLines()}`);
    await broker.kill();
    this.#killedWhileStarting++;
    this.#options.log(`cycle ${cycle}: killed ${afterMs} ms after its start`);
  }

  async #loadAndKill(broker: ServerProcess, cycle: number): Promise<void> {
    const { connections, window, loadMs } = this.#options;
    const { promise: firstAcknowledged, resolve: onAcknowledged } = withResolvers();
    const loads = Array.from({ length: connections }, () =>
      runLoad({
        address: broker.address,
        maker: this.#maker,
        ledger: this.#ledger,
        phase: cycle,
        window,
        onAcknowledged,
      }),
    );
    const late = setTimeout(() => onAcknowledged(), firstAcknowledgementLimitMs);
    await firstAcknowledged;
    clearTimeout(late);
    const afterMs = this.#random.below(loadMs);
    await new Promise(resolve => setTimeout(resolve, afterMs)); // the moment is the experiment
    const hadEnded = broker.hasEnded;
    await broker.kill();
    const results = await Promise.all(loads);
    const acknowledged = this.#note(results);
    if (hadEnded) throw new Error(`the broker ended by itself in cycle ${cycle}:\n${broker.lastLines()}`);
    if (acknowledged === 0)
      throw new Error(`no send was acknowledged in cycle ${cycle}: ${this.#refusals()}\n${broker.lastLines()}`);
    this.#options.log(`cycle ${cycle}: ${acknowledged} acknowledged, killed after ${afterMs} ms`);
  }

  #note(results: readonly LoadResult[]): number {
    for (const { refused } of results) {
      for (const [code, count] of refused) this.#refused.set(code, (this.#refused.get(code) ?? 0) + count);
    }
    return results.reduce((sum, result) => sum + result.acknowledged, 0);
  }

  #refusals(): string {
    return JSON.stringify(Object.fromEntries(this.#refused));
  }

  async #judge(): Promise<Report> {
    const broker = await this.#start();
    try {
      const client = await RawClient.connect(broker.address);
      const judge = new Judge(this.#ledger);
      const ends = this.#ledger.ends();
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          const untilOffset = ends.get(queueKey(topic, queueId)) ?? 0;
          await pullQueue(client, topic, queueId, record => judge.onStored(storedOf(record)), { untilOffset });
        }
      }
      client.close();
      await broker.stop();
      return judge.report();
    } finally {
      await broker.kill();
    }
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Errors: Error when the broker does not start, ends by itself or acknowledges nothing; faults are in the result. */
export function runKill9(options: KillRigOptions): Promise<Kill9Result> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    result => result.faultCount > 0,
  );
}

export function formatKill9(result: Kill9Result): string {
  const refused = JSON.stringify(Object.fromEntries(result.refused));
  return [
    `cycles ${result.cycles} (${result.killedWhileStarting} killed while starting), ` +
      `slowest start ${result.slowestStartMs} ms, refused by code ${refused}`,
    formatReport(result),
    ...(result.folder ? [`kept: ${result.folder}`] : []),
  ].join('\n');
}

runAsProgram(import.meta.filename, () =>
  runKillRig({
    name: 'kill9',
    cycles: 200,
    run: runKill9,
    format: formatKill9,
    faultCount: result => result.faultCount,
  }),
);
