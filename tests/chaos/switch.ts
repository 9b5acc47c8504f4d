/**
 * Changes master and slave of a synchronous pair over again and again under load, with `ringmq switch`, and checks that
 * everything acknowledged is there at its place, that no offset was given out twice, and that both logs are the same.
 * The clients know nothing: they go on sending where the master was when they came, through two switches. Every send is
 * to be answered, and with code 0 unless a switch takes too long.
 *
 *   node dist/tests/chaos/switch.js --cycles 50 --seed 1
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Prng } from '../../runtime/base/prng.js';
import { formatReport, Judge, Ledger, type Report } from '../support/checker.js';
import { type KillRigOptions, makeTopics, runKillRig } from '../support/kill-rig.js';
import { MessageMaker, runLoad, storedOf } from '../support/load.js';
import { checkoutFolder, freePort, type ServerProcess, spawnBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { pullQueue, roleFacts } from '../support/raw-requests.js';
import { inRigFolder, runAsProgram } from '../support/rig-arguments.js';
import { until } from '../support/until.js';

export interface SwitchResult {
  readonly switches: number;
  /** From the command until both brokers are registered in their new roles. Units: ms. */
  readonly slowestMs: number;
  /** Answers with another code than 0, by code. */
  readonly refused: ReadonlyMap<number, number>;
  /** Sends whose connection ended before their answer. */
  readonly unanswered: number;
  readonly report: Report;
  /** Files of the log that differ between the two. */
  readonly differing: readonly string[];
  /** Set when kept. */
  readonly folder?: string;
}

const run = promisify(execFile);
const topics = [
  { topic: 'Switch_A', queues: 4 },
  { topic: 'Switch_B', queues: 3 },
] as const;
const segmentSize = 4 * 1024 * 1024;
const patienceMs = 60_000;

class Rig {
  readonly #options: KillRigOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #ledger = new Ledger();
  readonly #refused = new Map<number, number>();
  #nameServer = '';
  #slowestMs = 0;
  #unanswered = 0;
  /** The cycle that runs. */
  #cycleNow = 0;
  readonly #loads: Promise<void>[] = [];

  constructor(options: KillRigOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, 32 * 1024);
  }

  async run(): Promise<SwitchResult> {
    const nameServer = await startNameServer(this.#options.launchers, this.#folder);
    const servers: ServerProcess[] = [];
    try {
      this.#nameServer = nameServer.address;
      for (const role of ['SYNC_MASTER', 'SLAVE']) servers.push(await this.#start(role));
      let [master, slave] = servers as [ServerProcess, ServerProcess];
      const follows = async (): Promise<boolean> => (await roleFacts(slave.address)).haState === 'transfer';
      await until(follows, 'the slave follows', patienceMs);
      await makeTopics(master.address, topics);
      for (let cycle = 1; cycle <= this.#options.cycles; cycle++) {
        await this.#cycle(cycle, master);
        [master, slave] = [slave, master];
      }
      this.#cycleNow = Number.POSITIVE_INFINITY;
      await Promise.all(this.#loads);
      const report = await this.#judge(master);
      for (const server of servers) await server.stop();
      return {
        switches: this.#options.cycles,
        slowestMs: this.#slowestMs,
        refused: this.#refused,
        unanswered: this.#unanswered,
        report,
        differing: this.#differing(),
      };
    } finally {
      for (const server of servers) await server.kill();
      await nameServer.stop();
    }
  }

  async #start(role: string): Promise<ServerProcess> {
    const { launchers } = this.#options;
    const settings = {
      brokerRole: role,
      brokerId: role === 'SLAVE' ? '1' : '0',
      slaveTimeout: '30000',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
      maxMessageSize: '65536',
    };
    const place = { nameServer: this.#nameServer, folder: this.#folder, store: this.#store(role) };
    const server = await spawnBroker(launchers, { ...place, port: await freePort(), settings });
    await server.listening();
    return server;
  }

  #store(role: string): string {
    return path.join(this.#folder, role);
  }

  async #cycle(cycle: number, master: ServerProcess): Promise<void> {
    const { connections, loadMs, log } = this.#options;
    this.#cycleNow = cycle;
    for (let index = 0; index < connections; index++) this.#loads.push(this.#load(cycle, master.address));
    const before = this.#ledger.acknowledged;
    await until(() => this.#ledger.acknowledged > before, 'another acknowledgement', patienceMs);
    const afterMs = this.#random.below(loadMs);
    await new Promise(resolve => setTimeout(resolve, afterMs)); // the moment is the experiment
    const program = path.join(checkoutFolder(), 'bin', 'ringmq');
    const words = [program, 'switch', 'broker-a', '-n', this.#nameServer, '--patience', '60', '--json'];
    const { stdout } = await run(process.execPath, words);
    const { tookMs } = JSON.parse(stdout) as { tookMs: number };
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    log(`switch ${cycle}: ${this.#ledger.acknowledged} acknowledged, took ${tookMs} ms`);
  }

  /** A client that comes in this cycle and goes after the next one. */
  async #load(cycle: number, address: string): Promise<void> {
    const { window } = this.#options;
    const isOver = (): boolean => this.#cycleNow > cycle + 1;
    const load = { address, maker: this.#maker, ledger: this.#ledger, phase: cycle, window, isOver };
    const { refused, unanswered } = await runLoad(load);
    this.#unanswered += unanswered;
    for (const [code, count] of refused) this.#refused.set(code, (this.#refused.get(code) ?? 0) + count);
  }

  async #judge(master: ServerProcess): Promise<Report> {
    const judge = new Judge(this.#ledger);
    const client = await RawClient.connect(master.address);
    try {
      const ends = this.#ledger.ends();
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          const untilOffset = ends.get(`${topic}:${queueId}`) ?? 0;
          await pullQueue(client, topic, queueId, record => judge.onStored(storedOf(record)), { untilOffset });
        }
      }
    } finally {
      client.close();
    }
    return judge.report();
  }

  /** Both have stopped, and nothing was sent after the last switch. */
  #differing(): string[] {
    const [left, right] = ['SYNC_MASTER', 'SLAVE'].map(role => path.join(this.#store(role), 'commitlog'));
    const names = new Set([...fs.readdirSync(left!), ...fs.readdirSync(right!)]);
    const read = (folder: string, name: string): Buffer => {
      const file = path.join(folder, name);
      return fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
    };
    return [...names].filter(name => !read(left!, name).equals(read(right!, name)));
  }
}

/** What waits longer for a new master is refused, as its client waits no longer either. Units: ms. */
const PATIENCE_MS = 2500;
const SERVICE_NOT_AVAILABLE = 14;

/** Where the machine was too busy for a switch in time, sends that were refused meanwhile are no fault. */
export function faultsOf({ report, differing, refused, unanswered, slowestMs }: SwitchResult): number {
  const isExcused = (code: number): boolean => code === SERVICE_NOT_AVAILABLE && slowestMs > PATIENCE_MS;
  const refusals = [...refused].reduce((sum, [code, count]) => (isExcused(code) ? sum : sum + count), 0);
  return report.faultCount + differing.length + refusals + unanswered;
}

/** Errors: Error when a broker does not start, or a switch is refused or not done in time; faults are in the result. */
export function runSwitches(options: KillRigOptions): Promise<SwitchResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    result => faultsOf(result) > 0,
  );
}

export function formatSwitches(result: SwitchResult): string {
  const refused = JSON.stringify(Object.fromEntries(result.refused));
  return [
    `switches ${result.switches}, the slowest took ${result.slowestMs} ms, other codes ${refused}, unanswered ${result.unanswered}`,
    formatReport(result.report),
    ...result.differing.map(name => `  ${name} differs between master and slave`),
    ...(result.folder ? [`kept: ${result.folder}`] : []),
  ].join('\n');
}

runAsProgram(import.meta.filename, () =>
  runKillRig({
    name: 'switch',
    cycles: 50,
    run: runSwitches,
    format: formatSwitches,
    faultCount: faultsOf,
  }),
);
