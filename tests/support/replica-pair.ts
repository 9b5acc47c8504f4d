/**
 * A name server, a master and its slave in the test's process, on ports of their own, each on a disk that can be made
 * to fail.
 */
import fs from 'node:fs';
import path from 'node:path';
import { loadNamesrvConfig, RingNode } from '../../actors/node/index.js';
import { silentLogger } from '../../runtime/log/contract.js';
import { nodeDisk } from '../../storage/disk.js';
import { freePort, removeFolder, temporaryFolder } from './node-process.js';
import type { Answer, RawClient } from './raw-client.js';
import { sendFrame } from './rooms.js';
import { TestWorld, type Wire } from './test-node.js';
import { until } from './until.js';

/** Sends in flight. */
const WINDOW = 25;

export interface PairOptions {
  /** Of both. */
  readonly set?: Readonly<Record<string, string>>;
  readonly master?: Readonly<Record<string, string>>;
  readonly slave?: Readonly<Record<string, string>>;
  /** The slave is started by the test. */
  readonly alone?: boolean;
}

export class ReplicaPair {
  readonly master: TestWorld;
  readonly slave: TestWorld;
  readonly #folder: string;
  readonly #nameServer: RingNode;

  static async start(options: PairOptions): Promise<ReplicaPair> {
    const folder = temporaryFolder();
    const namesrv = loadNamesrvConfig({
      set: { bindAddress: '127.0.0.1', listenPort: '0', kvConfigPath: path.join(folder, 'kv.json') },
      env: {},
    });
    const nameServer = await RingNode.start({ namesrv, logger: silentLogger, disk: nodeDisk });
    const common = {
      namesrvAddr: `127.0.0.1:${nameServer.ports.namesrv}`,
      brokerIP2: '127.0.0.1',
      flushDiskType: 'ASYNC_FLUSH',
      waitTimeMillsInSendQueue: '5000',
      mappedFileSizeCommitLog: '262144',
      ...options.set,
    };
    const world = async (set: Readonly<Record<string, string>>): Promise<TestWorld> =>
      new TestWorld({ set: { ...common, listenPort: String(await freePort()), ...set } });
    const master = await world({ brokerRole: 'ASYNC_MASTER', ...options.master });
    const slave = await world({ brokerRole: 'SLAVE', brokerId: '1', ...options.slave });
    const pair = new ReplicaPair(folder, nameServer, master, slave);
    try {
      await master.start();
      if (options.alone === true) return pair;
      await slave.start();
      await pair.attached();
      return pair;
    } catch (error) {
      await pair.end();
      throw error;
    }
  }

  private constructor(folder: string, nameServer: RingNode, master: TestWorld, slave: TestWorld) {
    this.#folder = folder;
    this.#nameServer = nameServer;
    this.master = master;
    this.slave = slave;
  }

  get namesrvAddr(): string {
    return `127.0.0.1:${this.#nameServer.ports.namesrv}`;
  }

  /** The slave has all there is, and its queues too. */
  async caughtUp(): Promise<void> {
    const here = this.slave.node.shop.positions;
    const there = this.master.node.shop.positions;
    const isThere = (): boolean =>
      here.read('appended') === there.read('appended') && here.read('dispatched') === here.read('appended');
    await until(isThere, 'the slave has all the master has');
  }

  /** The slave's link is in transfer. */
  async attached(): Promise<void> {
    await until(() => this.slave.saysReplicating, 'the slave is attached');
  }

  /** Sends so many messages of a topic and waits for their answers. */
  async send(topic: string, count: number, size = 100, to = this.master): Promise<number[]> {
    const wire: Wire = await to.dial();
    for (let index = 0; index < count; index++) {
      wire.write(sendFrame({ topic, queueId: index % 4, body: Buffer.alloc(size, index & 255), opaque: index }));
      // What is in flight fits the rings.
      if (index % WINDOW === WINDOW - 1) await wire.received(index + 1);
    }
    const answers = await wire.received(count);
    wire.close();
    return answers.map(({ code }) => code);
  }

  /** The files of both logs that the slave has, compared byte for byte. Errors: Error naming the file that differs. */
  assertSameLog(): void {
    const folder = (world: TestWorld): string => path.join(world.folder, 'commitlog');
    for (const name of fs.readdirSync(folder(this.slave))) {
      const [left, right] = [this.slave, this.master].map(world => fs.readFileSync(path.join(folder(world), name)));
      if (!left!.equals(right!)) throw new Error(`${name} differs`);
    }
  }

  async end(): Promise<void> {
    await this.slave.end();
    await this.master.end();
    await this.#nameServer.stop();
    removeFolder(this.#folder);
  }
}

/** Runs a test against a pair, and ends everything. */
export async function withPair(options: PairOptions, test: (pair: ReplicaPair) => Promise<void>): Promise<void> {
  const pair = await ReplicaPair.start(options);
  try {
    await test(pair);
  } finally {
    await pair.end();
  }
}

/** QUERY_CONSUMER_OFFSET. */
export function queryOffset(client: RawClient, group: string, topic: string, queueId: number): Promise<Answer> {
  return client.request(14, { consumerGroup: group, topic, queueId: String(queueId) });
}
