/**
 * One message by each path: sent, pulled, delayed, retried, in a transaction, checked, replicated. Each is measured by
 * the client that sends and receives it, and told by `ringmq trace message`; the sum of the hops is compared with what
 * the client measured. Brokers are processes of their own, on this machine, so all clocks are the same.
 *
 *   node dist/tests/conformance/trace-paths.js [--messages 11] [--show]
 *
 * What no broker can see is the way to it and from it. It is measured apart, as the time of a request that has nothing
 * to do (`empty`): a path has one way in at its beginning and one way out at its end, however often it crosses in between.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseAddress } from '../../client/address.js';
import { Admin, Connection, Producer, PushConsumer, type SendResult, TransactionProducer } from '../../client/index.js';
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
import { until } from '../support/until.js';
import { runProgram } from '../unit/cli/support.js';

/** What one message of a path came to. */
export interface TracedMessage {
  /** Up to the hop that the client waited for. */
  readonly hops: readonly Hop[];
  /** Units: ms, from here on. */
  readonly sumMs: number;
  /** When the client began and when it had what it waited for, by the clock of recorders. */
  readonly startMs: number;
  readonly endMs: number;
  /** As `ringmq trace message` prints it. */
  readonly printed: string;
}

export interface PathResult {
  readonly path: PathName;
  readonly messages: readonly TracedMessage[];
  /** Median of requests that have nothing to do, asked between the messages. Units: ms. */
  readonly emptyMs: number;
}

interface Path {
  /** Labels that must be among the hops, in this order. */
  readonly labels: readonly string[];
  /** The hop that brings what the client waits for: its last one. */
  readonly last: 'answered' | 'pulled';
  readonly topic: 'TraceAlone' | 'TracePair' | 'TraceRetry';
  /** Copies that its consumer gets; 0: the client waits for the answer. */
  readonly receipts: number;
  send(clients: Clients, topic: string, keys: string): Promise<SendResult>;
}

const plain = (clients: Clients, topic: string, keys: string): Promise<SendResult> =>
  clients.producer.send({ topic, keys, body: 'traced' });
const inTransaction =
  (state: 'COMMIT_MESSAGE' | 'UNKNOW') =>
  (clients: Clients, topic: string, keys: string): Promise<SendResult> => {
    const executeLocalTransaction = async () => state;
    return clients.transactions.sendMessageInTransaction({ topic, keys, body: 'traced' }, undefined, {
      executeLocalTransaction,
    });
  };

export const paths = {
  sent: {
    topic: 'TraceAlone',
    labels: ['arrived', 'taken by lane', 'encoded by lane', 'appended', 'log written', 'flushed', 'answered'],
    last: 'answered',
    receipts: 0,
    send: plain,
  },
  pulled: {
    topic: 'TraceAlone',
    labels: ['arrived', 'taken by lane', 'encoded by lane', 'appended', 'dispatched', 'pulled'],
    last: 'pulled',
    receipts: 1,
    send: plain,
  },
  delayed: {
    topic: 'TraceAlone',
    labels: ['arrived', 'encoded to wait', 'appended', 'answered', 'due', 'appended', 'delivered', 'pulled'],
    last: 'pulled',
    receipts: 1,
    send: ({ producer }, topic, keys) => producer.send({ topic, keys, body: 'traced', delayLevel: 1 }),
  },
  retried: {
    topic: 'TraceRetry',
    labels: ['arrived', 'appended', 'pulled', 'arrived', 'return encoded', 'appended', 'due', 'appended', 'pulled'],
    last: 'pulled',
    receipts: 2,
    send: plain,
  },
  transactional: {
    topic: 'TraceAlone',
    labels: ['arrived', 'encoded as half', 'appended', 'answered', 'arrived', 'commit encoded', 'appended', 'pulled'],
    last: 'pulled',
    receipts: 1,
    send: inTransaction('COMMIT_MESSAGE'),
  },
  checked: {
    topic: 'TraceAlone',
    labels: ['encoded as half', 'appended', 'producer asked', 'arrived', 'commit encoded', 'appended', 'pulled'],
    last: 'pulled',
    receipts: 1,
    send: inTransaction('UNKNOW'),
  },
  replicated: {
    topic: 'TracePair',
    labels: ['arrived', 'encoded by lane', 'appended', 'sent to slave', 'replicated', 'answered'],
    last: 'answered',
    receipts: 0,
    send: plain,
  },
} as const satisfies Record<string, Path>;

export type PathName = keyof typeof paths;
export const pathNames = Object.keys(paths) as PathName[];

/** Hops of a slave, in its order; times of another process are not compared with those of the master. */
export const slaveLabels = ['received', 'log written', 'reported'] as const;
export const slaveActor = /^broker-pair-1: /;

/** Where the labels stand among hops; undefined when not all are there in this order. */
export function inOrder(hops: readonly Hop[], labels: readonly string[]): readonly number[] | undefined {
  const found: number[] = [];
  for (const label of labels) {
    const from = (found.at(-1) ?? -1) + 1;
    const index = hops.findIndex((hop, at) => at >= from && hop.label === label);
    if (index < 0) return undefined;
    found.push(index);
  }
  return found;
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

class Clients {
  readonly admin: Admin;
  readonly producer: Producer;
  readonly transactions: TransactionProducer<undefined>;
  /** By message id, when it was received. */
  readonly receipts = new Map<string, number[]>();
  readonly #consumer: PushConsumer;

  constructor(namesrvAddr: string) {
    this.admin = new Admin({ namesrvAddr });
    this.producer = new Producer({ namesrvAddr, producerGroup: 'trace-producers' });
    this.transactions = new TransactionProducer<undefined>({
      namesrvAddr,
      producerGroup: 'trace-transactions',
      checkLocalTransaction: async () => 'COMMIT_MESSAGE',
    });
    this.#consumer = new PushConsumer({
      namesrvAddr,
      consumerGroup: 'trace-consumers',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    });
  }

  async start(): Promise<void> {
    await this.producer.start();
    await this.transactions.start();
    for (const topic of ['TraceAlone', 'TraceRetry']) this.#consumer.subscribe(topic);
    this.#consumer.consumeConcurrently(async ([message], context) => {
      const atMs = traceNowMs();
      const { msgId, topic } = message!;
      const times = this.receipts.get(msgId) ?? [];
      this.receipts.set(msgId, [...times, atMs]);
      context.delayLevelWhenNextConsume = 1;
      return topic === 'TraceRetry' && times.length === 0 ? 'RECONSUME_LATER' : 'CONSUME_SUCCESS';
    });
    await this.#consumer.start();
  }

  async end(): Promise<void> {
    for (const client of [this.#consumer, this.transactions, this.producer, this.admin]) await client.shutdown();
  }
}

class Rig {
  readonly #namesrvAddr: string;
  readonly #clients: Clients;
  readonly #addresses: Readonly<Record<'broker-alone' | 'broker-pair', string>>;
  #sent = 0;

  constructor(namesrvAddr: string, clients: Clients, alone: ServerProcess, pair: ServerProcess) {
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
    await until(() => this.#isReplicating(), 'the slave is attached');
    await this.#clients.start();
    for (const broker of Object.keys(this.#addresses)) await this.#ringmq('start', '--broker', broker);
  }

  async #isReplicating(): Promise<boolean> {
    const { sendStatus } = await this.#clients.admin.clusterInfo().then(async () => {
      await this.#clients.producer.start();
      return this.#clients.producer.send({ topic: 'TracePair', body: 'is there a slave' });
    });
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
      for (let request = 0; request < EMPTY_REQUESTS; request++) empty.push(await this.#empty(name));
      messages.push(await this.#traced(name));
    }
    return { path: name, messages, emptyMs: median(empty) };
  }

  async #one(name: PathName): Promise<{ offsetMsgId: string; startMs: number; endMs: number }> {
    const { topic, receipts, send }: Path = paths[name];
    const startMs = traceNowMs();
    const { msgId, offsetMsgId } = await send(this.#clients, topic, `trace-${++this.#sent}`);
    const answeredMs = traceNowMs();
    const times = (): readonly number[] => this.#clients.receipts.get(msgId) ?? [];
    await until(() => times().length >= receipts, `${receipts} receipts of a message that is ${name}`);
    return { offsetMsgId, startMs, endMs: times()[receipts - 1] ?? answeredMs };
  }

  async #traced(name: PathName): Promise<TracedMessage> {
    const { labels, last, topic }: Path = paths[name];
    const { offsetMsgId, startMs, endMs } = await this.#one(name);
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
    const sumMs = hops.slice(0, end).reduce((sum, { tookMs }) => sum + tookMs, 0);
    return { hops: hops.slice(0, end), sumMs, startMs, endMs, printed: await this.#ringmq(...args) };
  }

  /** A request that has nothing to do, on a connection that is there. Units: ms. */
  async #empty(name: PathName): Promise<number> {
    const address = this.#addresses[paths[name].topic === 'TracePair' ? 'broker-pair' : 'broker-alone'];
    const connection = await Connection.open({ ...parseAddress(address) });
    const startMs = traceNowMs();
    await connection.request(createRequest(RequestCode.RINGMQ_GET_TRACE, { sinceMs: Number.MAX_SAFE_INTEGER }), 5000);
    const tookMs = traceNowMs() - startMs;
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
  let clients: Clients | undefined;
  try {
    const alone = await start({ brokerName: 'broker-alone' }, 'alone');
    const pair = await start({ brokerName: 'broker-pair', brokerRole: 'SYNC_MASTER' }, 'master');
    await start({ brokerName: 'broker-pair', brokerRole: 'SLAVE', brokerId: '1' }, 'slave');
    clients = new Clients(nameServer.address);
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

const clientMs = ({ startMs, endMs }: TracedMessage): number => endMs - startMs;

/** A row of the table: of the message in the middle. */
function rowOf({ path: name, messages, emptyMs }: PathResult): string {
  const middleMs = median(messages.map(clientMs));
  const message = messages.find(one => clientMs(one) === middleMs)!;
  const { hops, sumMs } = message;
  const offBy = messages.map(one => Math.abs(one.sumMs + emptyMs - clientMs(one)) / clientMs(one));
  const cells = [
    name,
    hops.length,
    sumMs.toFixed(3),
    emptyMs.toFixed(3),
    middleMs.toFixed(3),
    `${(((sumMs - middleMs) / middleMs) * 100).toFixed(1)} %`,
    `${(((sumMs + emptyMs - middleMs) / middleMs) * 100).toFixed(1)} %`,
    `${offBy.filter(share => share <= 0.05).length} of ${messages.length}`,
  ];
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
  for (const { path: name, messages } of values.show === true ? results : []) {
    console.log(`${name}:\n${messages[0]!.printed}\n`);
  }
  console.log('| path | hops | sum ms | empty ms | client ms | sum off by | sum + empty off by | within 5 % |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const result of results) console.log(rowOf(result));
}

runAsProgram(fileURLToPath(import.meta.url), main);
