/**
 * Throws fuzzed frames at a whole node over real sockets, from many connections at a time. The node must not crash,
 * every well-formed request that wants an answer gets one (or its connection ends because of damage before it), nothing
 * else is answered, and a client that behaves gets its service throughout.
 *
 *   node dist/tests/chaos/fuzz.js --frames 1000000 --seed 1
 *
 * A seed repeats what each connection sends; how connections interleave is the machine's affair.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../../actors/node/index.js';
import { Prng } from '../../runtime/base/prng.js';
import type { Logger } from '../../runtime/log/contract.js';
import { removeFolder, temporaryFolder } from '../support/node-process.js';
import { runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import { Control } from './fuzz-control.js';
import { Session, Tally } from './fuzz-session.js';

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
    const strays = straysIn(folder);
    if (strays.length > 0) tally.fault(`files outside the store: ${strays.slice(0, 5).join(', ')}`);
    return { ...tally, seed: options.seed, rssStart, rssEnd: process.memoryUsage.rss() };
  } finally {
    process.off('uncaughtException', onUncaught);
    removeFolder(folder);
  }
}

/** The store lies this deep in the folder of a run, so that names with dots do not leave the folder. */
const deep = path.join('outside', 'further', 'inside');

/** What was written beside the store. */
function straysIn(folder: string): string[] {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const isExpected = (file: string): boolean =>
    path.join(deep, 'store').startsWith(file) ||
    file.startsWith(path.join(deep, 'store', path.sep)) ||
    file.startsWith(kvFile);
  return files.filter(file => !isExpected(file));
}

const kvFile = path.join(deep, 'kv.json');

async function startNode(folder: string, settings: FuzzOptions['settings'], tally: Tally): Promise<RingNode> {
  const common = { listenPort: '0', bindAddress: '127.0.0.1' };
  const set = {
    ...common,
    storePathRootDir: path.join(folder, deep, 'store'),
    brokerIP1: '127.0.0.1',
    mappedFileSizeCommitLog: String(64 * 1024 * 1024),
    mappedFileSizeConsumeQueue: String(20 * 1000),
    // The frames keep the one thread busy that serves them all.
    waitTimeMillsInSendQueue: '10000',
    waitTimeMillsInPullQueue: '10000',
    enablePropertyFilter: 'true',
    ...settings,
  };
  return RingNode.start({
    broker: loadBrokerConfig({ set }),
    namesrv: loadNamesrvConfig({ set: { ...common, kvConfigPath: path.join(folder, kvFile) } }),
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
