/**
 * A master and its slave, each of any make, under load while both are stopped and killed in turns. Whenever the master
 * is dead everything is read from the slave; at the end it must have all that was acknowledged, at its place, byte for
 * byte what its master has, and its tables.
 */
import fs from 'node:fs';
import path from 'node:path';
import { Prng } from '../../runtime/base/prng.js';
import { formatReport, Judge, Ledger, queueKey, type Report } from '../support/checker.js';
import { MessageMaker, runLoad, storedOf, type TopicShape } from '../support/load.js';
import { compareLogs, type LogComparison, queueEntries } from '../support/log-comparison.js';
import type { Launchers, ServerProcess } from '../support/node-process.js';
import { freePort, spawnBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { logEnd, pullQueue, queueBound } from '../support/raw-requests.js';
import { inRigFolder } from '../support/rig-arguments.js';
import { until } from '../support/until.js';
import { brokersOfRoute, missingLines, readTables, writeTables } from './pair-tables.js';

type Role = 'master' | 'slave';

/** Who is ended, and how; it is started again at once. */
export const pairEvents = ['stop master', 'kill master', 'stop slave', 'kill slave'] as const;
export type PairEvent = (typeof pairEvents)[number];

/** A fault of the rig's own making, which it has to find: messages only the master has, or a byte only it has not. */
export type Plant = 'loss' | 'byte';

export interface PairRunOptions {
  readonly master: Launchers;
  readonly slave: Launchers;
  readonly role: 'SYNC_MASTER' | 'ASYNC_MASTER';
  /** Messages to be acknowledged. */
  readonly count: number;
  readonly seed: number;
  readonly events: readonly PairEvent[];
  readonly segmentBytes: number;
  readonly plant?: Plant;
  /** Keeps stores and logs when something was wrong. */
  readonly keep: boolean;
  readonly log: (line: string) => void;
}

export interface PairRunResult {
  readonly restarts: number;
  /** Answers with another code than 0, by code. */
  readonly refused: ReadonlyMap<number, number>;
  /** What was read from the slave after the last death of its master. */
  readonly report: Report;
  /** Acknowledged by an ASYNC_MASTER and not on its slave yet when it died on the way, the most. Units: messages. */
  readonly behindMax: number;
  readonly logs: LogComparison;
  /** What else is wrong, in words. */
  readonly faults: readonly string[];
  readonly faultCount: number;
  /** Set when kept. */
  readonly folder?: string;
}

const topics: readonly TopicShape[] = [
  { topic: 'MixedPair_A', queues: 4 },
  { topic: 'MixedPair-b', queues: 3 },
  { topic: '%RETRY%MixedPair', queues: 1 },
];
const bodyBytesMax = 16 * 1024;
const connections = 2;
/** Sends in flight on each connection. */
const window = 16;
/** A Java slave reports 5 s after it connects, and tries to connect every 5 s. */
const attachedMaxMs = 120_000;
/** A Java slave asks for topics and offsets every 10 s, one of 3.2.6 every minute. */
const tablesMaxMs = 150_000;
const stretchMaxMs = 600_000;
const plantedMessages = 10;

/** Every event `rounds` times, in an order drawn from the seed. */
export function drawEvents(seed: number, rounds: number): PairEvent[] {
  const random = new Prng(seed);
  return Array.from({ length: rounds }, () => {
    const left: PairEvent[] = [...pairEvents];
    return pairEvents.map(() => left.splice(random.below(left.length), 1)[0] as PairEvent);
  }).flat();
}

class PairRun {
  readonly #options: PairRunOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #ledger = new Ledger();
  readonly #refused = new Map<number, number>();
  readonly #faults: string[] = [];
  readonly #ports: Record<Role, number> = { master: 0, slave: 0 };
  readonly #servers = new Map<Role, ServerProcess>();
  #nameServer = '';
  #phase = 0;
  #behindMax = 0;

  constructor(options: PairRunOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, bodyBytesMax);
  }

  async run(): Promise<PairRunResult> {
    const { count, events, master, plant } = this.#options;
    const nameServer = await startNameServer(master, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      for (const role of ['master', 'slave'] as const) {
        this.#ports[role] = await freePort();
        await this.#start(role);
      }
      await writeTables(this.#address('master'), topics, 0);
      await this.#attached();
      const stretch = Math.ceil(count / (events.length + 1));
      for (const event of events) await this.#stretch(stretch, event);
      await writeTables(this.#address('master'), topics, 1);
      // What was refused in stretches is made up for.
      for (;;) {
        const missing = count - this.#ledger.acknowledged;
        if (missing <= 0) break;
        await this.#load(missing);
      }
      return await this.#end(plant);
    } finally {
      for (const server of this.#servers.values()) await server.kill();
      await nameServer.stop();
    }
  }

  // ---- the life of the two ----

  #store(role: Role): string {
    return path.join(this.#folder, role);
  }

  #address(role: Role): string {
    return `127.0.0.1:${this.#ports[role]}`;
  }

  async #start(role: Role): Promise<void> {
    const launchers = this.#options[role];
    const prefix = launchers.segmentSizePrefix;
    const settings = {
      brokerRole: role === 'slave' ? 'SLAVE' : this.#options.role,
      brokerId: role === 'slave' ? '1' : '0',
      slaveTimeout: '5000',
      syncFlushTimeout: '5000',
      [`${prefix}CommitLog`]: String(this.#options.segmentBytes),
      [`${prefix}ConsumeQueue`]: String(20 * Math.max(100, Math.ceil(this.#options.count / 40))),
      maxMessageSize: '65536',
    };
    const home = path.join(this.#folder, `${role}-home`);
    fs.mkdirSync(home, { recursive: true });
    const place = { nameServer: this.#nameServer, folder: home, store: this.#store(role), port: this.#ports[role] };
    const server = await spawnBroker(launchers, { ...place, settings });
    this.#servers.set(role, server);
    await server.listening();
  }

  async #endBroker(role: Role, how: 'stop' | 'kill'): Promise<void> {
    const server = this.#servers.get(role) as ServerProcess;
    if (server.hasEnded) throw new Error(`the ${role} ended by itself:\n${server.lastLines()}`);
    await (how === 'kill' ? server.kill() : server.stop(60_000));
  }

  /** Messages are acknowledged, and the slave has all there is. */
  async #attached(): Promise<void> {
    const startedMs = performance.now();
    while ((await this.#load(1)) === 0) {
      if (performance.now() - startedMs > attachedMaxMs) throw new Error(`no slave after ${attachedMaxMs} ms`);
      // An empty slave gets its master's newest file only: what is tried meanwhile has to fit in the first one.
      await new Promise(resolve => setTimeout(resolve, 250));
    }
    // A Java broker with an empty log fails to tell its state.
    const endOf = (role: Role): Promise<number> => logEnd(this.#address(role)).catch(() => 0);
    const has = async (): Promise<boolean> => (await endOf('slave')) === (await endOf('master'));
    await until(has, 'the slave has what its master has', attachedMaxMs);
    this.#options.log(`  attached and caught up after ${Math.round(performance.now() - startedMs)} ms`);
  }

  /** So many attempts; returns how many were acknowledged. */
  async #load(count: number): Promise<number> {
    const phase = ++this.#phase;
    const shares = [Math.ceil(count / connections), Math.floor(count / connections)].filter(share => share > 0);
    const common = { address: this.#address('master'), maker: this.#maker, ledger: this.#ledger, phase, window };
    const loads = await Promise.all(shares.map(share => runLoad({ ...common, count: share })));
    for (const { refused } of loads) {
      for (const [code, times] of refused) this.#refused.set(code, (this.#refused.get(code) ?? 0) + times);
    }
    return loads.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  /** A load in the middle of which somebody is ended, and started again. */
  async #stretch(count: number, event: PairEvent): Promise<void> {
    const [how, role] = event.split(' ') as ['stop' | 'kill', Role];
    const before = this.#ledger.acknowledged;
    const at = before + Math.ceil((count * this.#random.between(20, 80)) / 100);
    let isOver = false;
    const load = this.#load(count).finally(() => {
      isOver = true;
    });
    await until(() => isOver || this.#ledger.acknowledged >= at, `${at} acknowledgements`, stretchMaxMs);
    const acknowledged = this.#ledger.acknowledged;
    await this.#endBroker(role, how);
    if (role === 'master') {
      await load;
      await this.#judgeOnTheWay(event);
    }
    await this.#start(role);
    await load;
    this.#options.log(`${event} after ${acknowledged - before} more, ${this.#ledger.acknowledged} acknowledged in all`);
    await this.#attached();
  }

  // ---- what the slave has, its master being dead ----

  async #readSlave(): Promise<Report> {
    const isSync = this.#options.role === 'SYNC_MASTER';
    const judge = new Judge(this.#ledger);
    const client = await RawClient.connect(this.#address('slave'));
    try {
      const ends = this.#ledger.ends();
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          // What an ASYNC_MASTER took with it will not come.
          const end = { untilOffset: ends.get(queueKey(topic, queueId)) ?? 0, patienceMs: isSync ? 20_000 : 1000 };
          await pullQueue(client, topic, queueId, record => judge.onStored(storedOf(record)), end);
        }
      }
    } finally {
      client.close();
    }
    return judge.report();
  }

  async #compareLogs(): Promise<LogComparison> {
    const range = { end: await logEnd(this.#address('slave')), segmentBytes: this.#options.segmentBytes };
    const [master, slave] = (['master', 'slave'] as const).map(role => path.join(this.#store(role), 'commitlog'));
    return compareLogs(master!, slave!, range);
  }

  async #judgeOnTheWay(event: PairEvent): Promise<void> {
    const report = await this.#readSlave();
    const { lost } = report.faults;
    const isSync = this.#options.role === 'SYNC_MASTER';
    if (!isSync) this.#behindMax = Math.max(this.#behindMax, lost.length);
    const count = report.faultCount - (isSync ? 0 : lost.length);
    if (count > 0) this.#faults.push(`after ${event}: ${formatReport(report)}`);
    for (const place of (await this.#compareLogs()).places) this.#faults.push(`after ${event}: ${place}`);
  }

  async #end(plant: Plant | undefined): Promise<PairRunResult> {
    await this.#attached();
    const tables = await this.#agree();
    if (plant === 'loss') await this.#plantLoss();
    await this.#endBroker('master', 'kill');
    if (plant === 'loss') await this.#start('slave');
    if (plant === 'byte') this.#plantByte();
    // A slave that comes when its master is gone is in no route.
    if (plant !== 'loss') await this.#checkRoute();
    const report = await this.#readSlave();
    const logs = await this.#compareLogs();
    for (const line of missingLines(tables, await readTables(this.#address('slave'), topics))) {
      this.#faults.push(`not on the slave when its master was dead: ${line}`);
    }
    await this.#endBroker('slave', 'stop');
    this.#compareQueues();
    return {
      restarts: this.#options.events.length,
      refused: this.#refused,
      report,
      behindMax: this.#behindMax,
      logs,
      faults: this.#faults,
      faultCount: report.faultCount + logs.places.length + this.#faults.length,
    };
  }

  /** Until the slave has its master's tables and queues. Returns the tables. */
  async #agree(): Promise<string> {
    const [master, slave] = [this.#address('master'), this.#address('slave')];
    const tables = await readTables(master, topics);
    let missing: string[] = [];
    const has = async (): Promise<boolean> => {
      missing = missingLines(tables, await readTables(slave, topics));
      return missing.length === 0 && (await this.#bounds(master)) === (await this.#bounds(slave));
    };
    await until(has, "the slave has its master's tables and queues", tablesMaxMs).catch(error => {
      this.#faults.push(`${String(error)}; not there: ${missing.join('; ')}`);
    });
    if (tables.includes('not there')) this.#faults.push(`the master forgot: ${tables}`);
    return tables;
  }

  /** The bounds of all queues, as text. */
  async #bounds(address: string): Promise<string> {
    const client = await RawClient.connect(address);
    const bounds: string[] = [];
    for (const { topic, queues } of topics) {
      for (let queueId = 0; queueId < queues; queueId++) {
        for (const which of ['min', 'max'] as const) {
          bounds.push(`${topic}:${queueId} ${which} ${await queueBound(client, topic, queueId, which)}`);
        }
      }
    }
    client.close();
    return bounds.join('\n');
  }

  async #checkRoute(): Promise<void> {
    const slave = this.#address('slave');
    const isAlone = async (): Promise<boolean> => {
      const brokers = await brokersOfRoute(this.#nameServer, topics[0]!.topic);
      return JSON.stringify(brokers) === JSON.stringify({ 1: slave });
    };
    await until(isAlone, 'the route names the slave alone').catch(error => this.#faults.push(String(error)));
  }

  /** Entries of the queues on disk, as far as acknowledged messages reach. */
  #compareQueues(): void {
    for (const [key, end] of this.#ledger.ends()) {
      const [topic, queueId] = [key.slice(0, key.lastIndexOf(':')), Number(key.slice(key.lastIndexOf(':') + 1))];
      const [here, there] = (['slave', 'master'] as const).map(role =>
        queueEntries(this.#store(role), topic, queueId, end),
      );
      if (!here!.equals(there!)) this.#faults.push(`the entries of ${key} differ`);
    }
  }

  // ---- faults of the rig's own ----

  /** Messages that an ASYNC_MASTER acknowledges while it has no slave. */
  async #plantLoss(): Promise<void> {
    await this.#endBroker('slave', 'kill');
    const acknowledged = await this.#load(plantedMessages);
    if (acknowledged !== plantedMessages) throw new Error('only an ASYNC_MASTER acknowledges without a slave');
  }

  #plantByte(): void {
    const folder = path.join(this.#store('master'), 'commitlog');
    const file = path.join(folder, fs.readdirSync(folder).sort()[0] as string);
    const bytes = fs.readFileSync(file);
    bytes[100]! ^= 1;
    fs.writeFileSync(file, bytes);
  }
}

/** Errors: Error when a broker does not start, ends by itself or never works; faults are in the result. */
export function runPair(options: PairRunOptions): Promise<PairRunResult> {
  return inRigFolder(
    options.keep,
    folder => new PairRun(options, folder).run(),
    ({ faultCount }) => faultCount > 0,
  );
}

export function formatPairRun(result: PairRunResult): string {
  return [
    `other codes ${JSON.stringify(Object.fromEntries(result.refused))}, ` +
      `most behind when an ASYNC_MASTER died: ${result.behindMax}`,
    formatReport(result.report),
    ...[...result.logs.places, ...result.faults].slice(0, 20).map(fault => `  ${fault}`),
    ...(result.folder ? [`kept: ${result.folder}`] : []),
  ].join('\n');
}
