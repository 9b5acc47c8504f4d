/**
 * One message by each path: sent, pulled, delayed, retried, in a transaction, checked, replicated. Each is measured by
 * the client that sends and receives it, and told by `ringmq trace message`; the sum of the hops is compared with what
 * the client measured. Brokers are processes of their own, on this machine, so all clocks are the same.
 *
 *   node dist/tests/conformance/trace-paths.js [--messages 11] [--show]
 *
 * What a broker cannot see is the way to it and the way back: the client's own work, the kernel, the loopback. The
 * client notes when it began and when it had what it waited for, by the clock that events are noted by, and these are
 * the first and the last hop. Its stopwatch is another reading. For comparison: what a request takes that has nothing
 * to do.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseAddress } from '../../client/address.js';
import { Connection } from '../../client/index.js';
import { RequestCode } from '../../protocol/codes.js';
import { createRequest } from '../../protocol/command.js';
import { traceNowMs } from '../../runtime/trace/recorder.js';
import type { Hop } from '../../runtime/trace/timeline.js';
import {
  type Launchers,
  removeFolder,
  type ServerProcess,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { chooseLaunchers, runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import {
  inOrder,
  type Path,
  PathClients,
  type PathName,
  pathNames,
  paths,
  type Receipt,
  slaveActor,
  slaveLabels,
} from '../support/trace-clients.js';
import { until } from '../support/until.js';
import { runProgram } from '../unit/cli/support.js';

/** What one message of a path came to. */
export interface TracedMessage {
  /** Those of the broker, up to the one that the client waited for. */
  readonly hops: readonly Hop[];
  /** From the client's call to the first hop, all hops, from the last hop to the client. Units: ms, as below. */
  readonly inMs: number;
  readonly sumMs: number;
  readonly outMs: number;
  /** The stopwatch of the client. */
  readonly clientMs: number;
  /** As `ringmq trace message` prints it. */
  readonly printed: string;
}

export interface PathResult {
  readonly path: PathName;
  readonly messages: readonly TracedMessage[];
  /** Median of requests that have nothing to do, asked between the messages. Units: ms. */
  readonly emptyMs: number;
}

const WARM_UP = 5;
const EMPTY_REQUESTS = 5;
const settings = {
  flushDiskType: 'SYNC_FLUSH',
  // A small store starts sooner.
  mappedFileSizeCommitLog: '8388608',
  transactionCheckInterval: '300',
  transactionTimeOut: '100',
} as const;

interface Measured {
  readonly offsetMsgId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly clientMs: number;
}

class Rig {
  readonly #namesrvAddr: string;
  readonly #clients: PathClients;
  readonly #addresses: Readonly<Record<'broker-alone' | 'broker-pair', string>>;
  #sent = 0;

  constructor(namesrvAddr: string, clients: PathClients, alone: ServerProcess, pair: ServerProcess) {
    this.#namesrvAddr = namesrvAddr;
    this.#clients = clients;
    this.#addresses = { 'broker-alone': alone.address, 'broker-pair': pair.address };
  }

  async prepare(): Promise<void> {
    const { admin } = this.#clients;
    await admin.start();
    const brokersOf = { TraceAlone: 'broker-alone', TraceRetry: 'broker-alone', TracePair: 'broker-pair' } as const;
    for (const [topic, broker] of Object.entries(brokersOf)) {
      const brokerAddr = this.#addresses[broker];
      await admin.createTopic({ brokerAddr, topic, readQueueNums: 1, writeQueueNums: 1 });
      await until(async () => (await admin.topicRoute(topic)) !== null, `the route of ${topic}`);
    }
    await this.#clients.start();
    await until(() => this.#isReplicating(), 'the slave is attached');
    for (const broker of Object.keys(this.#addresses)) await this.#ringmq('start', '--broker', broker);
  }

  async #isReplicating(): Promise<boolean> {
    const { sendStatus } = await this.#clients.producer.send({ topic: 'TracePair', body: 'is there a slave' });
    return sendStatus === 'SEND_OK';
  }

  async #ringmq(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await runProgram('ringmq', ['trace', ...args, '-n', this.#namesrvAddr]);
    if (code !== 0) throw new Error(`ringmq trace ${args.join(' ')} ended with ${code}: ${err}`);
    return out;
  }

  async measure(name: PathName, count: number): Promise<PathResult> {
    const isShort = name === 'sent' || name === 'pulled' || name === 'transactional' || name === 'replicated';
    for (let index = 0; isShort && index < WARM_UP; index++) await this.#one(name);
    const messages: TracedMessage[] = [];
    const empty: number[] = [];
    for (let index = 0; index < count; index++) {
      empty.push(...(await this.#empty(name)));
      messages.push(await this.#traced(name));
    }
    return { path: name, messages, emptyMs: median(empty) };
  }

  async #one(name: PathName): Promise<Measured> {
    const { topic, receipts, send }: Path = paths[name];
    const startMs = traceNowMs();
    const stopwatchMs = performance.now();
    const { msgId, offsetMsgId } = await send(this.#clients, topic, `trace-${++this.#sent}`);
    const answered: Receipt = { atMs: traceNowMs(), stopwatchMs: performance.now() };
    const receiptsOf = (): readonly Receipt[] => this.#clients.receipts.get(msgId) ?? [];
    await until(() => receiptsOf().length >= receipts, `${receipts} receipts of a message that is ${name}`);
    const end = receiptsOf()[receipts - 1] ?? answered;
    return { offsetMsgId, startMs, endMs: end.atMs, clientMs: end.stopwatchMs - stopwatchMs };
  }

  async #traced(name: PathName): Promise<TracedMessage> {
    const { labels, last, topic }: Path = paths[name];
    const { offsetMsgId, startMs, endMs, clientMs } = await this.#one(name);
    const broker = topic === 'TracePair' ? 'broker-pair' : 'broker-alone';
    const args = ['message', offsetMsgId, '--broker', broker];
    let hops: Hop[] = [];
    const areThere = async (): Promise<boolean> => {
      ({ hops } = JSON.parse(await this.#ringmq(...args, '--json')) as { hops: Hop[] });
      const ofSlave = hops.filter(({ actor }) => slaveActor.test(actor));
      return (
        inOrder(hops, labels) !== undefined && (topic !== 'TracePair' || inOrder(ofSlave, slaveLabels) !== undefined)
      );
    };
    await until(areThere, `the hops of a message that is ${name}`).catch(error => {
      throw new Error(`${String(error)}; there are: ${hops.map(({ label }) => label).join(', ')}`);
    });
    const end = hops.findLastIndex(({ label }) => label === last) + 1;
    hops = hops.slice(0, end);
    return {
      hops,
      inMs: hops[0]!.timeMs - startMs,
      sumMs: hops.reduce((sum, { tookMs }) => sum + tookMs, 0),
      outMs: endMs - hops.at(-1)!.timeMs,
      clientMs,
      printed: await this.#ringmq(...args),
    };
  }

  /** Requests that have nothing to do, one after the other on one connection. Units: ms each. */
  async #empty(name: PathName): Promise<number[]> {
    const address = this.#addresses[paths[name].topic === 'TracePair' ? 'broker-pair' : 'broker-alone'];
    const connection = await Connection.open({ ...parseAddress(address) });
    const tookMs: number[] = [];
    for (let index = 0; index < EMPTY_REQUESTS; index++) {
      const request = createRequest(RequestCode.RINGMQ_GET_TRACE, { sinceMs: Number.MAX_SAFE_INTEGER });
      const startMs = performance.now();
      await connection.request(request, 5000);
      tookMs.push(performance.now() - startMs);
    }
    await connection.close();
    return tookMs;
  }
}

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[(numbers.length - 1) >> 1]!;
}

/** Starts a broker alone and a pair, sends `count` messages by each path, and ends everything. */
export async function tracePaths(
  launchers: Launchers,
  names: readonly PathName[],
  count: number,
): Promise<PathResult[]> {
  const folder = temporaryFolder();
  const servers: ServerProcess[] = [];
  const nameServer = await startNameServer(launchers, folder);
  const start = async (own: Readonly<Record<string, string>>, store: string): Promise<ServerProcess> => {
    const place = { nameServer: nameServer.address, folder, store: path.join(folder, store) };
    const server = await startBroker(launchers, { ...place, settings: { ...settings, ...own } });
    servers.push(server);
    return server;
  };
  let clients: PathClients | undefined;
  try {
    const alone = await start({ brokerName: 'broker-alone' }, 'alone');
    const pair = await start({ brokerName: 'broker-pair', brokerRole: 'SYNC_MASTER' }, 'master');
    await start({ brokerName: 'broker-pair', brokerRole: 'SLAVE', brokerId: '1' }, 'slave');
    clients = new PathClients(nameServer.address);
    const rig = new Rig(nameServer.address, clients, alone, pair);
    await rig.prepare();
    const results: PathResult[] = [];
    for (const name of names) results.push(await rig.measure(name, count));
    return results;
  } finally {
    await clients?.end();
    for (const server of servers.reverse()) await server.stop();
    await nameServer.stop();
    removeFolder(folder);
  }
}

/** The message in the middle. */
function middleOf({ messages }: PathResult): TracedMessage {
  const middleMs = median(messages.map(({ clientMs }) => clientMs));
  return messages.find(({ clientMs }) => clientMs === middleMs)!;
}

/** A row of the table. */
function rowOf(result: PathResult): string {
  const { hops, inMs, sumMs, outMs, clientMs } = middleOf(result);
  const share = (partMs: number): string => `${(Math.round((partMs / clientMs) * 1000) / 10 || 0).toFixed(1)} %`;
  const times = [sumMs, inMs, outMs, result.emptyMs, clientMs].map(timeMs => timeMs.toFixed(3));
  const cells = [result.path, hops.length, ...times, share(sumMs - clientMs), share(inMs + sumMs + outMs - clientMs)];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { messages: { type: 'string', default: '11' }, show: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log('node dist/tests/conformance/trace-paths.js [--messages COUNT] [--show]');
    return;
  }
  const results = await tracePaths(chooseLaunchers({}), pathNames, wholeNumber(values, 'messages', 1));
  for (const result of values.show === true ? results : []) {
    console.log(`${result.path}:\n${middleOf(result).printed}\n`);
  }
  console.log(
    '| path | hops | sum ms | in ms | out ms | empty ms | client ms | sum against client | in + sum + out against client |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const result of results) console.log(rowOf(result));
}

runAsProgram(import.meta.filename, main);
