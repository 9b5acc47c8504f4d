/**
 * Throws fuzzed frames at a whole node over real sockets, from many connections at a time. The node must not crash,
 * every well-formed request that wants an answer gets one (or its connection ends because of damage before it), nothing
 * else is answered, and a client that behaves gets its service throughout.
 *
 *   node dist/tests/chaos/fuzz.js --frames 1000000 --seed 1
 *
 * A seed repeats what each connection sends; how connections interleave is the machine's affair.
 */
import { once } from 'node:events';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../../actors/node/index.js';
import { messageOf } from '../../runtime/base/errors.js';
import { Prng } from '../../runtime/base/prng.js';
import type { Logger } from '../../runtime/log/contract.js';
import { removeFolder, temporaryFolder } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import { runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import { control, FrameMaker, type FuzzFrame } from './fuzz-frames.js';

export interface FuzzOptions {
  readonly frames: number;
  readonly seed: number;
  /** Connections at a time. */
  readonly connections: number;
  /** The client that behaves is served after so many frames, and at the end. */
  readonly checkEvery: number;
  /** Settings of the broker. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

export interface FuzzResult {
  readonly seed: number;
  readonly frames: number;
  readonly connections: number;
  /** Connections that the node ended. */
  readonly closedByNode: number;
  /** By response code. */
  readonly answers: ReadonlyMap<number, number>;
  /** Messages that the client that behaves has sent and read back. */
  readonly controlMessages: number;
  readonly rssStart: number;
  readonly rssEnd: number;
  /** What the node logged as a failure of its own: one line a kind, with how often. */
  readonly nodeErrors: ReadonlyMap<string, number>;
  /** What must not be; empty when all is well. */
  readonly faults: readonly string[];
}

const answerLimitMs = 5_000;
const controlLimitMs = 20_000;
const faultsMax = 20;

/** What one run has counted, whatever connection it came from. */
class Tally {
  frames = 0;
  connections = 0;
  closedByNode = 0;
  controlMessages = 0;
  readonly answers = new Map<number, number>();
  readonly nodeErrors = new Map<string, number>();
  readonly faults: string[] = [];

  fault(text: string): void {
    if (this.faults.length < faultsMax) this.faults.push(text);
  }

  get isOver(): boolean {
    return this.faults.length >= faultsMax;
  }
}

/** One connection that misbehaves: bursts of frames, each followed by waiting for the answers that are due. */
class Session {
  readonly #tally: Tally;
  readonly #name: string;
  readonly #random: Prng;
  readonly #maker: FrameMaker;
  readonly #due = new Set<number>();
  readonly #silent = new Set<number>();
  readonly #recent: FuzzFrame[] = [];
  /** Damage was sent: the node may end the connection. */
  #mayClose = false;
  #leaving = false;
  #received: Buffer = Buffer.alloc(0);
  #onProgress: () => void = () => {};

  constructor(tally: Tally, seed: number, name: string) {
    this.#tally = tally;
    this.#name = name;
    this.#random = new Prng(seed);
    this.#maker = new FrameMaker(new Prng(seed ^ 0x5eed), seed, this.#random.oneIn(2));
  }

  async run(port: number, framesMax: number): Promise<void> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', chunk => this.#onData(chunk));
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve(this.#onClose())));
    this.#tally.connections++;
    await Promise.race([once(socket, 'connect'), closed]);
    const frames = Math.min(framesMax, this.#random.between(1, 200));
    for (let sent = 0; sent < frames && !socket.destroyed; ) {
      const burst = Math.min(frames - sent, this.#random.between(1, 16));
      sent += burst;
      const isLast = await this.#sendBurst(socket, burst);
      if (!(await this.#answered(closed)) || isLast) break;
    }
    this.#leaving = true;
    if (this.#random.oneIn(2)) socket.destroy();
    else {
      socket.end();
      // A held pull may keep the node's side open; ours is not.
      socket.destroySoon();
    }
    await closed;
  }

  /** True when nothing can follow what was sent. */
  async #sendBurst(socket: net.Socket, burst: number): Promise<boolean> {
    for (let index = 0; index < burst && !socket.destroyed; index++) {
      const frame = this.#maker.next();
      this.#recent.push(frame);
      if (this.#recent.length > 24) this.#recent.shift();
      this.#tally.frames++;
      if (frame.expect === 'answer') this.#due.add(frame.opaque);
      else if (frame.expect === 'silence') this.#silent.add(frame.opaque);
      else if (frame.expect !== 'patience') this.#mayClose = true;
      await this.#write(socket, frame.bytes);
      if (frame.expect === 'last') return true;
    }
    return false;
  }

  /** Mostly whole, sometimes in pieces that arrive one after the other. */
  async #write(socket: net.Socket, bytes: Buffer): Promise<void> {
    if (!this.#random.oneIn(40)) {
      socket.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !socket.destroyed; ) {
      const size = this.#random.oneIn(3) ? 1 : this.#random.between(1, Math.max(1, bytes.length >> 2));
      socket.write(bytes.subarray(at, at + size));
      at += size;
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  /** Waits for what is due. False when the connection has ended, or the wait is over. */
  async #answered(closed: Promise<void>): Promise<boolean> {
    if (this.#due.size === 0) return true;
    let late: NodeJS.Timeout | undefined;
    const answered = new Promise<string>(resolve => {
      this.#onProgress = () => this.#due.size === 0 && resolve('answered');
      late = setTimeout(() => resolve('late'), answerLimitMs);
    });
    const outcome = await Promise.race([answered, closed.then(() => 'closed')]);
    clearTimeout(late);
    this.#onProgress = () => {};
    if (outcome === 'late') {
      this.#tally.fault(`${this.#name}: no answer in ${answerLimitMs} ms to ${this.#describeDue()}`);
    }
    return outcome === 'answered';
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const size = 4 + this.#received.readInt32BE(0);
      if (size < 8 || size > 20_000_000)
        return this.#tally.fault(`${this.#name}: the node sent a frame of ${size} bytes`);
      if (this.#received.length < size) break;
      this.#onFrame(this.#received.subarray(0, size));
      this.#received = this.#received.subarray(size);
    }
    this.#onProgress();
  }

  #onFrame(frame: Buffer): void {
    let code: number;
    let opaque: number;
    let flag: number;
    if (frame[4] === 1) {
      [code, opaque, flag] = [frame.readInt16BE(8), frame.readInt32BE(13), frame.readInt32BE(17)];
    } else {
      try {
        ({ code, opaque, flag } = JSON.parse(frame.toString('utf8', 8, 8 + frame.readUIntBE(5, 3))));
      } catch (error) {
        return this.#tally.fault(`${this.#name}: the node's header cannot be read: ${messageOf(error)}`);
      }
    }
    if ((flag & 1) === 0) return; // such as "the members have changed"
    this.#tally.answers.set(code, (this.#tally.answers.get(code) ?? 0) + 1);
    if (this.#due.delete(opaque)) return;
    // A damaged header may have any opaque, or no oneway flag any more.
    if (this.#silent.has(opaque) && !this.#mayClose) {
      this.#tally.fault(`${this.#name}: code ${code} answers what wants no answer: ${this.#describe(opaque)}`);
    }
  }

  #onClose(): void {
    if (this.#leaving) return;
    this.#tally.closedByNode++;
    if (this.#mayClose) return;
    this.#tally.fault(`${this.#name}: closed although all was well-formed: ${this.#describeRecent()}`);
  }

  #describe(opaque: number): string {
    const frame = this.#recent.find(candidate => candidate.opaque === opaque);
    return frame?.bytes.subarray(0, 400).toString('latin1') ?? `opaque ${opaque}`;
  }

  #describeDue(): string {
    return [...this.#due]
      .slice(0, 2)
      .map(opaque => this.#describe(opaque))
      .join(' and ');
  }

  #describeRecent(): string {
    return this.#recent
      .slice(-3)
      .map(({ bytes }) => bytes.subarray(0, 300).toString('latin1'))
      .join(' | ');
  }
}

/** Collects what the node calls an error of its own; a refused request is none. */
function listeningLogger(tally: Tally): Logger {
  const ignore = (): void => {};
  const note = (fields: object, message: string): void => {
    const { err } = fields as { err?: unknown };
    const where = err instanceof Error ? (err.stack ?? err.message).split('\n').slice(0, 3).join(' ') : '';
    const kind = `${message}${where && `: ${where}`}`.slice(0, 400);
    tally.nodeErrors.set(kind, (tally.nodeErrors.get(kind) ?? 0) + 1);
  };
  const logger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: note, child: () => logger };
  return logger;
}

/** The client that behaves: what it sends is stored, and comes back. */
class Control {
  readonly #tally: Tally;
  readonly #ports: { readonly broker: number; readonly namesrv: number };
  #next = 0;

  constructor(tally: Tally, ports: { readonly broker: number; readonly namesrv: number }) {
    this.#tally = tally;
    this.#ports = ports;
  }

  async prepare(): Promise<void> {
    const client = await RawClient.connect(`127.0.0.1:${this.#ports.broker}`);
    await createTopic(client, control.topic, 1);
    client.close();
  }

  async check(): Promise<void> {
    const broker = await RawClient.connect(`127.0.0.1:${this.#ports.broker}`);
    const nameServer = await RawClient.connect(`127.0.0.1:${this.#ports.namesrv}`);
    try {
      const first = this.#next;
      await Promise.all(Array.from({ length: 20 }, () => this.#send(broker)));
      const bodies: string[] = [];
      const until = { fromOffset: first, untilOffset: this.#next };
      await pullQueue(broker, control.topic, 0, record => bodies.push(record.body.toString()), until);
      const expected = Array.from({ length: 20 }, (_, index) => `control ${first + index}`);
      if (bodies.join() !== expected.join())
        this.#tally.fault(`the control read ${bodies.join()} for ${expected.join()}`);
      this.#tally.controlMessages += bodies.length;
      const value = `value ${first}`;
      const pair = { namespace: control.topic, key: 'k' };
      await nameServer.request(100, { ...pair, value });
      const answer = await nameServer.request(101, pair);
      if (answer.ext.value !== value) this.#tally.fault(`the name server kept ${answer.ext.value} for ${value}`);
    } catch (error) {
      this.#tally.fault(`the control was not served: ${messageOf(error)}`);
    } finally {
      broker.close();
      nameServer.close();
    }
  }

  async #send(client: RawClient): Promise<void> {
    const body = Buffer.from(`control ${this.#next++}`);
    const late = setTimeout(() => client.close(), controlLimitMs);
    const answer = await client.send({ topic: control.topic, queueId: 0, body });
    clearTimeout(late);
    if (answer.code !== 0) this.#tally.fault(`a control message was refused: ${answer.code} ${answer.remark}`);
  }
}

export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const tally = new Tally();
  const folder = temporaryFolder();
  const onUncaught = (error: unknown) => tally.fault(`uncaught: ${error instanceof Error ? error.stack : error}`);
  process.on('uncaughtException', onUncaught);
  try {
    const node = await startNode(folder, options.settings, tally);
    const ports = { broker: node.ports.broker as number, namesrv: node.ports.namesrv as number };
    const behaved = new Control(tally, ports);
    await behaved.prepare();
    await behaved.check();
    const rssStart = process.memoryUsage.rss();
    await throwFrames(options, tally, ports, behaved);
    await node.stop();
    return { ...tally, seed: options.seed, rssStart, rssEnd: process.memoryUsage.rss() };
  } finally {
    process.off('uncaughtException', onUncaught);
    removeFolder(folder);
  }
}

async function startNode(folder: string, settings: FuzzOptions['settings'], tally: Tally): Promise<RingNode> {
  const common = { listenPort: '0', bindAddress: '127.0.0.1' };
  const set = {
    ...common,
    storePathRootDir: folder,
    brokerIP1: '127.0.0.1',
    mappedFileSizeCommitLog: String(64 * 1024 * 1024),
    mappedFileSizeConsumeQueue: String(20 * 1000),
    // The frames keep the one thread busy that serves them all.
    waitTimeMillsInSendQueue: '10000',
    waitTimeMillsInPullQueue: '10000',
    ...settings,
  };
  return RingNode.start({
    broker: loadBrokerConfig({ set }),
    namesrv: loadNamesrvConfig({ set: { ...common, kvConfigPath: `${folder}/kv.json` } }),
    // With a logger from outside all actors run here; asked for another mode, the node logs for itself.
    ...('threadingMode' in settings ? {} : { logger: listeningLogger(tally) }),
    onFailed: reason => tally.fault(`the node failed: ${reason}`),
  });
}

async function throwFrames(
  options: FuzzOptions,
  tally: Tally,
  ports: { readonly broker: number; readonly namesrv: number },
  behaved: Control,
): Promise<void> {
  const random = new Prng(options.seed);
  let nextCheck = options.checkEvery;
  let checking: Promise<void> | undefined;
  const runSessions = async (): Promise<void> => {
    while (tally.frames < options.frames && !tally.isOver) {
      const seed = random.next();
      const port = random.oneIn(4) ? ports.namesrv : ports.broker;
      const name = `${port === ports.broker ? 'broker' : 'name server'} connection, seed ${seed}`;
      await new Session(tally, seed, name).run(port, options.frames - tally.frames);
      if (tally.frames < nextCheck || checking) continue;
      nextCheck += options.checkEvery;
      checking = behaved.check();
      await checking;
      checking = undefined;
      options.log(`${tally.frames} frames, RSS ${inMiB(process.memoryUsage.rss())}`);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, runSessions));
  await behaved.check();
}

const inMiB = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

export function formatFuzz(result: FuzzResult): string {
  const answers = [...result.answers]
    .sort(([left], [right]) => left - right)
    .map(([code, count]) => `${code}: ${count}`);
  return [
    `seed ${result.seed}: ${result.frames} frames on ${result.connections} connections, ${result.closedByNode} closed by the node`,
    `answers by code: ${answers.join(', ')}`,
    `control messages sent and read back: ${result.controlMessages}`,
    `RSS ${inMiB(result.rssStart)} at the start, ${inMiB(result.rssEnd)} at the end`,
    ...[...result.nodeErrors].map(([kind, count]) => `the node logged ${count} times: ${kind}`),
    ...result.faults.map(fault => `FAULT ${fault}`),
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() & 0x7fffffff) },
      connections: { type: 'string', default: '16' },
      'check-every': { type: 'string', default: '20000' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const settings = Object.fromEntries(values.set.map(pair => pair.split('=', 2) as [string, string]));
  const startedMs = performance.now();
  const result = await runFuzz({
    frames: wholeNumber(values, 'frames', 1),
    seed: wholeNumber(values, 'seed', 0),
    connections: wholeNumber(values, 'connections', 1),
    checkEvery: wholeNumber(values, 'check-every', 1),
    settings,
    log: console.log,
  });
  console.log(formatFuzz(result));
  console.log(`${Math.round((performance.now() - startedMs) / 1000)} s`);
  if (result.faults.length > 0) process.exitCode = 1;
}

runAsProgram(import.meta.filename, main);
