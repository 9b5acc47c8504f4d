/**
 * Kills master and slave of a synchronous pair again and again under load, empties the slave now and then, and checks
 * what the slave has whenever the master is dead: all that was acknowledged, at its place, and nothing but a prefix of
 * the master's log.
 *
 *   node dist/tests/chaos/replication.js --cycles 100 --seed 1
 */
import fs from 'node:fs';
import path from 'node:path';
import { Prng } from '../../runtime/base/prng.js';
import { Ledger, queueKey, type Stored } from '../support/checker.js';
import { type KillRigOptions, makeTopics, runKillRig } from '../support/kill-rig.js';
import { MessageMaker, runLoad, storedOf } from '../support/load.js';
import { compareLogs } from '../support/log-comparison.js';
import type { ServerProcess } from '../support/node-process.js';
import { freePort, spawnBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { pullQueue, queueBound, runtimeInfo } from '../support/raw-requests.js';
import { inRigFolder, runAsProgram } from '../support/rig-arguments.js';
import { until } from '../support/until.js';

export interface ReplicationResult {
  readonly cycles: number;
  readonly attempted: number;
  readonly acknowledged: number;
  /** Answers with another code than 0, by code. */
  readonly refused: ReadonlyMap<number, number>;
  readonly slaveKills: number;
  readonly slavesEmptied: number;
  /** From the start of a slave under load until its master counts it, the longest. */
  readonly slowestAttachMs: number;
  readonly faults: readonly string[];
  /** Set when kept. */
  readonly folder?: string;
}

const topics = [
  { topic: 'Replication_A', queues: 4 },
  { topic: 'Replication_B', queues: 3 },
] as const;
const segmentSize = 4 * 1024 * 1024;
const patienceMs = 60_000;
const faultsMax = 100;

type Role = 'master' | 'slave';

class Rig {
  readonly #options: KillRigOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #ledger = new Ledger();
  readonly #refused = new Map<number, number>();
  readonly #faults: string[] = [];
  readonly #ports: Record<Role, number> = { master: 0, slave: 0 };
  #nameServer = '';
  #slaveKills = 0;
  #slavesEmptied = 0;
  #slowestAttachMs = 0;

  constructor(options: KillRigOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, 32 * 1024);
  }

  async run(): Promise<ReplicationResult> {
    const nameServer = await startNameServer(this.#options.launchers, this.#folder);
    let slave: ServerProcess | undefined;
    try {
      this.#nameServer = nameServer.address;
      this.#ports.master = await freePort();
      this.#ports.slave = await freePort();
      slave = await this.#start('slave');
      for (let cycle = 1; cycle <= this.#options.cycles; cycle++) slave = await this.#cycle(cycle, slave);
      return this.#result();
    } finally {
      await slave?.kill();
      await nameServer.stop();
    }
  }

  #result(): ReplicationResult {
    return {
      cycles: this.#options.cycles,
      attempted: this.#ledger.attempted,
      acknowledged: this.#ledger.acknowledged,
      refused: this.#refused,
      slaveKills: this.#slaveKills,
      slavesEmptied: this.#slavesEmptied,
      slowestAttachMs: Math.round(this.#slowestAttachMs),
      faults: this.#faults,
    };
  }

  #store(role: Role): string {
    return path.join(this.#folder, role);
  }

  async #start(role: Role): Promise<ServerProcess> {
    const { launchers } = this.#options;
    const settings = {
      brokerRole: role === 'slave' ? 'SLAVE' : 'SYNC_MASTER',
      brokerId: role === 'slave' ? '1' : '0',
      slaveTimeout: '30000',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
      maxMessageSize: '65536',
    };
    const place = { nameServer: this.#nameServer, folder: this.#folder, store: this.#store(role) };
    const server = await spawnBroker(launchers, { ...place, port: this.#ports[role], settings });
    await server.listening();
    return server;
  }

  async #cycle(cycle: number, before: ServerProcess): Promise<ServerProcess> {
    let slave = before;
    const master = await this.#start('master');
    try {
      if (cycle === 1) await makeTopics(master.address, topics);
      await this.#attached(master, 'after the start of the master');
      const loads = this.#load(master, cycle);
      await this.#someMore();
      const event = this.#random.pick(['nothing', 'killed', 'emptied'] as const);
      if (event !== 'nothing') slave = await this.#restartSlave(slave, master, event === 'emptied');
      await this.#someMore();
      const both = this.#random.oneIn(3);
      const hadEnded = [master, slave].find(server => server.hasEnded);
      if (hadEnded) throw new Error(`a broker ended by itself in cycle ${cycle}:\n${hadEnded.lastLines()}`);
      await Promise.all([master.kill(), both ? slave.kill() : undefined]);
      await loads;
      if (both) slave = await this.#start('slave');
      await this.#judge(slave, cycle);
      this.#options.log(
        `cycle ${cycle}: ${this.#ledger.acknowledged} acknowledged, slave ${event}, ${both ? 'both' : 'master'} killed`,
      );
      return slave;
    } finally {
      await master.kill();
    }
  }

  /** The load of one cycle; it ends with the master. */
  async #load(master: ServerProcess, cycle: number): Promise<void> {
    const { connections, window } = this.#options;
    const loads = Array.from({ length: connections }, () =>
      runLoad({ address: master.address, maker: this.#maker, ledger: this.#ledger, phase: cycle, window }),
    );
    for (const { refused } of await Promise.all(loads)) {
      for (const [code, count] of refused) this.#refused.set(code, (this.#refused.get(code) ?? 0) + count);
    }
  }

  /** The pair works, and then for a random while. */
  async #someMore(): Promise<void> {
    const before = this.#ledger.acknowledged;
    await until(() => this.#ledger.acknowledged > before, 'another acknowledgement', patienceMs);
    const afterMs = this.#random.below(this.#options.loadMs);
    await new Promise(resolve => setTimeout(resolve, afterMs)); // the moment is the experiment
  }

  async #restartSlave(slave: ServerProcess, master: ServerProcess, empty: boolean): Promise<ServerProcess> {
    await slave.kill();
    this.#slaveKills++;
    if (empty) {
      this.#slavesEmptied++;
      fs.rmSync(this.#store('slave'), { recursive: true });
    }
    const again = await this.#start('slave');
    this.#slowestAttachMs = Math.max(this.#slowestAttachMs, await this.#attached(master, 'under load'));
    return again;
  }

  /** Until the master counts a slave; returns how long that took. */
  #attached(master: ServerProcess, when: string): Promise<number> {
    const isAttached = async (): Promise<boolean> => (await runtimeInfo(master.address)).haSlaves === '1';
    return until(isAttached, `the slave is attached ${when}`, patienceMs);
  }

  // ---- what the slave has, its master being dead ----

  async #judge(slave: ServerProcess, cycle: number): Promise<void> {
    const client = await RawClient.connect(slave.address);
    try {
      const ends = this.#ledger.ends();
      const found = new Map<string, Stored>();
      const begins = new Map<string, number>();
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          const key = queueKey(topic, queueId);
          const untilOffset = ends.get(key) ?? 0;
          await pullQueue(client, topic, queueId, record => found.set(placeOf(storedOf(record)), storedOf(record)), {
            untilOffset,
          });
          begins.set(key, await queueBound(client, topic, queueId, 'min'));
        }
      }
      this.#checkAcknowledged(found, begins, cycle);
    } finally {
      client.close();
    }
    this.#checkPrefix(Number((await runtimeInfo(slave.address)).commitLogMaxOffset), cycle);
  }

  /** A slave that was emptied begins late; what is in front of it is on its master alone. */
  #checkAcknowledged(found: ReadonlyMap<string, Stored>, begins: ReadonlyMap<string, number>, cycle: number): void {
    for (const { id, topic, hash, ackQueueId, ackQueueOffset, phase } of this.#ledger.entries()) {
      if (ackQueueOffset < (begins.get(queueKey(topic, ackQueueId)) ?? 0)) continue;
      const place = `${queueKey(topic, ackQueueId)}@${ackQueueOffset}`;
      const stored = found.get(place);
      if (stored?.id === id && stored.hash === hash) continue;
      const what = stored === undefined ? 'is not on the slave' : 'is another message on the slave';
      this.#fault(`cycle ${cycle}: ${place}, acknowledged in cycle ${phase}, ${what}`);
    }
  }

  #checkPrefix(end: number, cycle: number): void {
    const [slave, master] = (['slave', 'master'] as const).map(role => path.join(this.#store(role), 'commitlog'));
    const { places } = compareLogs(master!, slave!, { end, segmentBytes: segmentSize });
    for (const place of places) this.#fault(`cycle ${cycle}: the slave's log is not that of the master: ${place}`);
  }

  #fault(fault: string): void {
    if (this.#faults.length < faultsMax) this.#faults.push(fault);
  }
}

function placeOf({ topic, queueId, queueOffset }: Stored): string {
  return `${queueKey(topic, queueId)}@${queueOffset}`;
}

/** Errors: Error when a broker does not start, ends by itself or never works; faults are in the result. */
export function runReplication(options: KillRigOptions): Promise<ReplicationResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    ({ faults }) => faults.length > 0,
  );
}

export function formatReplication(result: ReplicationResult): string {
  const refused = JSON.stringify(Object.fromEntries(result.refused));
  return [
    `cycles ${result.cycles}, slave killed ${result.slaveKills} times and emptied ${result.slavesEmptied} times, ` +
      `slowest to be attached ${result.slowestAttachMs} ms`,
    `attempted ${result.attempted}, acknowledged ${result.acknowledged}, other codes ${refused}, ` +
      `faults ${result.faults.length}`,
    ...result.faults.slice(0, 10).map(fault => `  ${fault}`),
    ...(result.folder ? [`kept: ${result.folder}`] : []),
  ].join('\n');
}

runAsProgram(import.meta.filename, () =>
  runKillRig({
    name: 'replication',
    cycles: 100,
    run: runReplication,
    format: formatReplication,
    faultCount: result => result.faults.length,
  }),
);
