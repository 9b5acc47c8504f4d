/** A name server, a master and its slave as processes, on loopback or on hosts of their own, for being hurt. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Launchers, ServerProcess } from '../support/node-process.js';
import { freePort, spawnBroker, startNameServer } from '../support/node-process.js';
import { isInRoom, type PairNetwork, type Role } from '../support/pair-network.js';
import { RawClient } from '../support/raw-client.js';
import { runtimeInfo } from '../support/raw-requests.js';
import { until } from '../support/until.js';

export const segmentSize = 1024 * 1024;
export const patienceMs = 60_000;

export interface FaultPairOptions {
  readonly launchers: Launchers;
  readonly folder: string;
  readonly network: PairNetwork;
  /** Whether the master waits for its slave, and whether both wait for their disks. */
  readonly mode: 'sync' | 'async';
  readonly flush: 'sync' | 'async';
}

const diskSize = '2g';

/** A file system of its own for the slave, in memory, that can be full. It is gone with the namespace of its mount. */
class SmallDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    fs.mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskSize}`, 'tmpfs', folder]);
  }

  #resize(size: string): void {
    execFileSync('mount', ['-o', `remount,size=${size}`, this.#folder], { stdio: 'pipe' });
  }

  /** As large as what is on it, and a little: as little as can be had while somebody writes. */
  fill(leftBytes: number): void {
    const { blocks, bfree, bsize } = fs.statfsSync(this.#folder);
    try {
      this.#resize(String((blocks - bfree) * bsize + leftBytes));
    } catch (error) {
      if (leftBytes > segmentSize) throw error;
      this.fill(2 * leftBytes + 64 * 1024);
    }
  }

  empty(): void {
    this.#resize(diskSize);
  }

  /** What is on it is put beside it when it is kept. */
  remove(keep: boolean): void {
    if (keep) fs.cpSync(this.#folder, `${this.#folder}-kept`, { recursive: true });
    execFileSync('umount', ['--lazy', this.#folder]);
  }
}

export class FaultPair {
  readonly options: FaultPairOptions;
  readonly #servers = new Map<Role, ServerProcess>();
  readonly #ports: Record<Role | 'nameServer', number> = { master: 0, slave: 0, nameServer: 0 };
  #nameServer: ServerProcess | undefined;
  readonly slaveDisk: SmallDisk | undefined;
  /** Called when nobody will answer the connections to that broker. */
  onGone: (role: Role) => void = () => {};

  constructor(options: FaultPairOptions) {
    this.options = options;
    fs.mkdirSync(options.folder);
    this.slaveDisk = isInRoom() ? new SmallDisk(path.join(options.folder, 'slave')) : undefined;
    for (const role of ['master', 'slave'] as const) this.setClock(role, 0);
  }

  get network(): PairNetwork {
    return this.options.network;
  }

  /** Errors: Error when one does not start, or the slave is never attached. */
  async start(): Promise<void> {
    for (const name of ['master', 'slave', 'nameServer'] as const) this.#ports[name] = await freePort();
    await this.startNameServer();
    await this.startBroker('master');
    await this.startBroker('slave');
    await until(() => this.isWhole(), 'the slave is attached', patienceMs);
  }

  async end(keep: boolean): Promise<void> {
    for (const server of this.#servers.values()) await server.kill();
    await this.#nameServer?.kill();
    this.slaveDisk?.remove(keep);
  }

  address(name: Role | 'nameServer'): string {
    return `${this.network.hosts[name]}:${this.#ports[name]}`;
  }

  store(role: Role): string {
    return path.join(this.options.folder, role, 'store');
  }

  commitLog(role: Role): string {
    return path.join(this.store(role), 'commitlog');
  }

  server(role: Role): ServerProcess {
    return this.#servers.get(role)!;
  }

  async startNameServer(): Promise<void> {
    const place = { host: this.network.hosts.nameServer, port: this.#ports.nameServer };
    this.#nameServer = await startNameServer(this.options.launchers, this.options.folder, place);
  }

  async killNameServer(): Promise<void> {
    await this.#nameServer?.kill();
  }

  async startBroker(role: Role): Promise<void> {
    const { launchers, folder, mode, flush } = this.options;
    const hook = pathToFileURL(path.join(import.meta.dirname, 'jumping-clock.js'));
    const environment = {
      ...launchers.environment,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${hook}`.trim(),
      RINGMQ_TEST_CLOCK: this.#clockFile(role),
    };
    const settings = {
      brokerRole: role === 'slave' ? 'SLAVE' : mode === 'sync' ? 'SYNC_MASTER' : 'ASYNC_MASTER',
      brokerId: role === 'slave' ? '1' : '0',
      flushDiskType: flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
      maxMessageSize: '65536',
      // Short, for a link that is cut to be noticed within a cycle.
      slaveTimeout: '2000',
      haSendHeartbeatInterval: '500',
      haHousekeepingInterval: '2000',
    };
    const place = { nameServer: this.address('nameServer'), folder, store: this.store(role) };
    const listen = { host: this.network.hosts[role], port: this.#ports[role] };
    const make = { ...launchers, broker: [...this.network.enter(role), ...launchers.broker], environment };
    const server = await spawnBroker(make, { ...place, ...listen, settings });
    this.#servers.set(role, server);
    await server.listening();
  }

  async killBroker(role: Role): Promise<void> {
    await this.server(role).kill();
    // What it had answered is heard before its connections are closed: it counts.
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve));
    this.onGone(role);
  }

  #clockFile(role: Role): string {
    return path.join(this.options.folder, `clock-${role}`);
  }

  /** The clock of a broker is so much ahead, or behind. Written beside and renamed: it is read at any moment. */
  setClock(role: Role, aheadMs: number): void {
    const file = this.#clockFile(role);
    fs.writeFileSync(`${file}.new`, String(aheadMs));
    fs.renameSync(`${file}.new`, file);
  }

  /** Errors: Error with its last lines, when a broker ended that nobody killed. */
  assertAlive(): void {
    for (const [role, server] of this.#servers) {
      if (server.hasEnded) throw new Error(`the ${role} ended by itself:\n${server.lastLines()}`);
    }
  }

  /** End of a broker's log. Errors: Error when it does not answer. */
  async logEnd(role: Role): Promise<number> {
    return Number((await runtimeInfo(this.address(role))).commitLogMaxOffset);
  }

  /** Whether the slave is attached and both are registered; false as well while somebody does not answer. */
  async isWhole(): Promise<boolean> {
    try {
      if ((await runtimeInfo(this.address('master'))).haSlaves !== '1') return false;
      const client = await RawClient.connect(this.address('nameServer'));
      try {
        const { body } = await client.request(106, {});
        return (['master', 'slave'] as const).every(role => body.includes(`"${this.address(role)}"`));
      } finally {
        client.close();
      }
    } catch {
      return false;
    }
  }

  /** Whether the slave's log reaches to `end`. */
  async slaveReaches(end: number): Promise<boolean> {
    try {
      return (await this.logEnd('slave')) >= end;
    } catch {
      return false;
    }
  }
}
