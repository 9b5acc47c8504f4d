/**
 * Name servers and brokers as processes of their own, whoever made them: started with a command, waited for by
 * connecting, stopped with SIGTERM or killed. Everything they write stays in a temporary folder.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { killTree, signal } from './process-tree.js';

/** How to start one make of broker. */
export interface Launchers {
  /** For messages: "ringmq", "java 4.9.7". */
  readonly name: string;
  /** Command and first arguments; `{port}` in one of them is replaced, else `-c FILE` with listenPort is added. */
  readonly nameServer: readonly string[];
  /** `-n ADDRESS -c FILE` is added. */
  readonly broker: readonly string[];
  /** Settings this make needs, before those of the test. */
  readonly settings: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** How this make spells mappedFileSize: 3.2.x left out a letter. */
  readonly segmentSizePrefix: 'mappedFileSize' | 'mapedFileSize';
}

/** The folder of this checkout, wherever the build of this file is. */
export function checkoutFolder(): string {
  for (const start of [path.dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let folder = start; ; folder = path.dirname(folder)) {
      if (fs.existsSync(path.join(folder, 'tsconfig.json')) && fs.existsSync(path.join(folder, 'package.json')))
        return folder;
      if (folder === path.dirname(folder)) break;
    }
  }
  throw new Error('the checkout is not above this file, nor above the current folder');
}

/** RingMQ from `bin/` of this checkout, or undefined when it has no launchers. */
export function ringmqLaunchers(): Launchers | undefined {
  const bin = path.join(checkoutFolder(), 'bin');
  const [nameServer, broker] = [path.join(bin, 'mqnamesrv'), path.join(bin, 'mqbroker')];
  if (!fs.existsSync(nameServer) || !fs.existsSync(broker)) return undefined;
  return {
    name: 'ringmq',
    nameServer: [nameServer],
    broker: [broker],
    settings: {},
    environment: {},
    segmentSizePrefix: 'mappedFileSize',
  };
}

/** Launchers from two command lines, for brokers known only by how they are started. Arguments are cut at spaces. */
export function commandLaunchers(nameServer: string, broker: string): Launchers {
  return {
    name: broker,
    nameServer: nameServer.trim().split(/\s+/),
    broker: broker.trim().split(/\s+/),
    settings: {},
    environment: {},
    segmentSizePrefix: 'mappedFileSize',
  };
}

const running = new Set<ServerProcess>();
let exitHooks = false;

/** A rig that ends early takes its servers along. */
function installExitHooks(): void {
  if (exitHooks) return;
  exitHooks = true;
  process.on('exit', () => {
    for (const server of running) killTree(server.pid);
  });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}

/** One server process. */
export class ServerProcess {
  readonly address: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(
    command: readonly string[],
    address: string,
    folder: string,
    environment: Readonly<Record<string, string>>,
  ) {
    installExitHooks();
    this.address = address;
    this.logFile = path.join(folder, `${path.basename(command[0] as string)}-${address.split(':')[1]}.out`);
    const log = fs.openSync(this.logFile, 'a');
    this.#child = spawn(command[0] as string, command.slice(1), {
      cwd: folder,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    fs.closeSync(log);
    this.#ended = once(this.#child, 'exit').catch(error => fs.appendFileSync(this.logFile, `${error}\n`));
    if (this.#child.pid !== undefined) running.add(this);
    this.#ended.then(() => running.delete(this));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The exit code; null when a signal ended it, or while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The end of what it printed, for messages. */
  lastLines(count = 20): string {
    return fs.readFileSync(this.logFile, 'utf8').split('\n').slice(-count).join('\n');
  }

  /** Errors: Error when it ends first, or does not listen in time. */
  async listening(limitMs = 60_000): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (!(await canConnect(this.address))) {
      if (this.hasEnded) throw new Error(`the server for ${this.address} ended early:\n${this.lastLines()}`);
      if (performance.now() > deadlineMs) {
        this.kill();
        throw new Error(`${this.address} does not listen after ${limitMs} ms:\n${this.lastLines()}`);
      }
      await new Promise(resolve => setTimeout(resolve, 25));
    }
  }

  /** SIGSTOP: it does nothing until {@link resume}, and its sockets stay. */
  pause(): void {
    signal(this.pid, 'SIGSTOP');
  }

  resume(): void {
    signal(this.pid, 'SIGCONT');
  }

  /** SIGTERM, and waits for the end. Errors: Error when that takes too long (it is killed then). */
  async stop(limitMs = 30_000): Promise<void> {
    if (this.hasEnded) return;
    signal(this.pid, 'SIGTERM');
    const late = setTimeout(() => this.kill(), limitMs);
    await this.#ended;
    clearTimeout(late);
    if (this.#child.signalCode === 'SIGKILL') {
      throw new Error(`the server for ${this.address} did not stop in ${limitMs} ms:\n${this.lastLines()}`);
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    killTree(this.pid);
    await this.#ended;
  }
}

function canConnect(address: string): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise(resolve => {
    const socket = net.connect({ host, port: Number(port) });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

// Below the range from which connections get their ports, and a different stretch for each process.
const portsFrom = 12_000;
const portsTo = 32_000;
let nextPort = portsFrom + ((process.pid * 40) % (portsTo - portsFrom - 40));

/** A port that is free together with its neighbours: a broker takes port - 2, port and port + 1. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    nextPort = nextPort + 5 > portsTo ? portsFrom : nextPort + 5;
    const port = nextPort;
    const free = await Promise.all([port - 2, port, port + 1].map(canListen));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no free ports');
}

/** Makes a folder for one test; remove it with {@link removeFolder}. */
export function temporaryFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-'));
}

export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function writeSettings(file: string, settings: Readonly<Record<string, string>>): void {
  fs.writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}

/** Where a server listens: on loopback and a free port unless told. */
export interface ListenPlace {
  readonly host?: string;
  readonly port?: number;
}

/** Starts a name server and waits until it listens. */
export async function startNameServer(
  launchers: Launchers,
  folder: string,
  place: ListenPlace = {},
): Promise<ServerProcess> {
  const { host = '127.0.0.1', port = await freePort() } = place;
  const command = launchers.nameServer.map(part => part.replace('{port}', String(port)));
  if (!launchers.nameServer.some(part => part.includes('{port}'))) {
    const file = path.join(folder, `namesrv-${port}.properties`);
    writeSettings(file, {
      listenPort: String(port),
      bindAddress: host,
      kvConfigPath: path.join(folder, `namesrv-${port}-kv.json`),
    });
    command.push('-c', file);
  }
  const environment = { ...launchers.environment, REFERENCE_STATE: folder };
  const server = new ServerProcess(command, `${host}:${port}`, folder, environment);
  await server.listening();
  return server;
}

export interface BrokerOptions extends ListenPlace {
  readonly nameServer: string;
  /** Logs and the settings file go here. */
  readonly folder: string;
  /** The store; `store` in the folder unless told. */
  readonly store?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Spawns a broker and returns at once; call `listening()` on what it returns. */
export async function spawnBroker(launchers: Launchers, options: BrokerOptions): Promise<ServerProcess> {
  const { host = '127.0.0.1', port = await freePort() } = options;
  const store = options.store ?? path.join(options.folder, 'store');
  const file = path.join(options.folder, `broker-${port}.properties`);
  writeSettings(file, {
    brokerClusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerId: '0',
    brokerRole: 'ASYNC_MASTER',
    brokerIP1: host,
    brokerIP2: host,
    bindAddress: host,
    listenPort: String(port),
    storePathRootDir: store,
    storePathCommitLog: path.join(store, 'commitlog'),
    // A busy test machine keeps requests waiting for longer than the default of 200 ms.
    waitTimeMillsInSendQueue: '5000',
    diskMaxUsedSpaceRatio: '95',
    ...launchers.settings,
    ...options.settings,
  });
  const command = [...launchers.broker, '-n', options.nameServer, '-c', file];
  const environment = { ...launchers.environment, REFERENCE_STATE: options.folder };
  return new ServerProcess(command, `${host}:${port}`, options.folder, environment);
}

/** Starts a broker and waits until it listens. */
export async function startBroker(launchers: Launchers, options: BrokerOptions): Promise<ServerProcess> {
  const broker = await spawnBroker(launchers, options);
  await broker.listening();
  return broker;
}
