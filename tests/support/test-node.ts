/**
 * A whole node in the test's process, on ports of its own and in a folder of its own, on a disk that can be made to
 * fail.
 *
 * @example
 * await withNode({ set: { flushDiskType: 'SYNC_FLUSH' } }, async world => {
 *   const client = await world.connect();
 *   assert.is((await client.send({ topic: 'T', queueId: 0, body })).code, 0);
 * });
 */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { loadBrokerConfig, loadNamesrvConfig, type NodeOptions, RingNode } from '../../actors/node/index.js';
import { decodeCommand, type RemotingCommand } from '../../protocol/command.js';
import { FrameCutter } from '../../protocol/frame.js';
import type { Logger } from '../../runtime/log/contract.js';
import { nodeDisk } from '../../storage/disk.js';
import { FaultyDisk } from './faulty-disk.js';
import { RawClient } from './raw-client.js';
import { until } from './until.js';

export interface TestNodeOptions {
  readonly set?: Readonly<Record<string, string>>;
  /** A name server in the same process. */
  readonly namesrv?: boolean;
  /** Threads of their own need the real disk and log. Then there are no faults and no {@link TestWorld.lines}. */
  readonly real?: boolean;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const defaults = {
  bindAddress: '127.0.0.1',
  brokerIP1: '127.0.0.1',
  brokerName: 'broker-a',
  listenPort: '0',
  flushDiskType: 'SYNC_FLUSH',
  maxMessageSize: '65536',
  mappedFileSizeCommitLog: '1048576',
  mappedFileSizeConsumeQueue: '20000',
  ringCapacityBytes: '65536',
  logLevel: 'error',
};

/** A folder, a disk, a node that runs in it, and connections to it. */
export class TestWorld {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-'));
  readonly disk = new FaultyDisk(nodeDisk);
  /** What the node said. */
  readonly lines: LogLine[] = [];
  /** Reasons of a node that could not go on. */
  readonly failures: string[] = [];
  readonly #options: TestNodeOptions;
  readonly #sockets: { close(): void }[] = [];
  #node: RingNode | undefined;

  constructor(options: TestNodeOptions) {
    this.#options = options;
  }

  get node(): RingNode {
    if (this.#node === undefined) throw new Error('the node does not run');
    return this.#node;
  }

  get address(): string {
    return `127.0.0.1:${this.node.ports.broker}`;
  }

  /** Errors: what the node's start throws. */
  async start(set: Readonly<Record<string, string>> = {}): Promise<RingNode> {
    this.#node = await RingNode.start(this.nodeOptions(set));
    return this.#node;
  }

  nodeOptions(set: Readonly<Record<string, string>> = {}): NodeOptions {
    const broker = loadBrokerConfig({
      set: { ...defaults, storePathRootDir: this.folder, ...this.#options.set, ...set },
      env: {},
    });
    const namesrvSet = { bindAddress: '127.0.0.1', listenPort: '0', kvConfigPath: path.join(this.folder, 'kv.json') };
    return {
      broker,
      onFailed: reason => this.failures.push(reason),
      ...(this.#options.namesrv === true ? { namesrv: loadNamesrvConfig({ set: namesrvSet, env: {} }) } : {}),
      ...(this.#options.real === true ? {} : { disk: this.disk, logger: loggerInto(this.lines) }),
    };
  }

  async stop(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    await node?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.address);
    this.#sockets.push(client);
    return client;
  }

  async dial(port = this.node.ports.broker!): Promise<Wire> {
    const wire = await Wire.dial(port);
    this.#sockets.push(wire);
    return wire;
  }

  exists(name: string): boolean {
    return fs.existsSync(path.join(this.folder, name));
  }

  /** In the store, as somebody else might. */
  makeFolder(name: string): void {
    fs.mkdirSync(path.join(this.folder, name), { recursive: true });
  }

  /** The disk works again. */
  repair(): void {
    const { faults } = this.disk;
    for (const fault of Object.keys(faults) as (keyof typeof faults)[]) delete faults[fault];
    this.disk.releaseSyncs();
  }

  /** Errors that the node logged. */
  get errors(): string[] {
    return this.lines.filter(line => line.level === 'error').map(line => line.message);
  }

  /** A slave that follows its master now, by what it said last. */
  get saysReplicating(): boolean {
    const words = this.lines.map(({ message }) => message).filter(message => /replicating|the master /.test(message));
    return words.at(-1) === 'replicating from the master';
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    this.repair();
    try {
      await this.stop();
    } finally {
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Runs a test against a node that was started, and ends everything. */
export async function withNode(options: TestNodeOptions, test: (world: TestWorld) => Promise<void>): Promise<void> {
  const world = new TestWorld(options);
  try {
    await world.start();
    await test(world);
  } finally {
    await world.end();
  }
}

/** A logger that keeps what it is told. */
export function loggerInto(lines: LogLine[], common: object = {}): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...common, ...fields } });
  };
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => loggerInto(lines, { ...common, ...fields }),
  };
}

/** A socket for bytes of any kind, which remembers the frames that came back. */
export class Wire {
  readonly socket: net.Socket;
  readonly frames: RemotingCommand[] = [];
  isClosed = false;

  static dial(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Wire(socket));
      });
    });
  }

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const cutter = new FrameCutter(
      frame => this.frames.push(decodeCommand(frame)),
      fault => socket.destroy(new Error(`fault ${fault}`)),
    );
    socket.on('data', chunk => cutter.push(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits until so many frames have come in all. */
  async received(count: number, limitMs = 10_000): Promise<readonly RemotingCommand[]> {
    await until(() => this.frames.length >= count || this.isClosed, `${count} frames`, limitMs);
    if (this.frames.length < count) throw new Error(`closed after ${this.frames.length} of ${count} frames`);
    return this.frames;
  }

  /** Sends one request and waits for one more frame. */
  async ask(frame: Uint8Array): Promise<RemotingCommand> {
    const before = this.frames.length;
    this.write(frame);
    return (await this.received(before + 1))[before]!;
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, 'the connection is closed');
  }

  close(): void {
    this.socket.destroy();
  }
}
