/**
 * The clients of the rig that follows a message by each path (tests/conformance/trace-paths.ts), and the paths: how a
 * message is sent on its way, and which hops it must have.
 */
import { Admin, Producer, PushConsumer, type SendResult, TransactionProducer } from '../../client/index.js';
import { traceNowMs } from '../../runtime/trace/recorder.js';
import type { Hop } from '../../runtime/trace/timeline.js';

export interface Path {
  /** Labels that must be among the hops, in this order. */
  readonly labels: readonly string[];
  /** The hop that brings what the client waits for: its last one. */
  readonly last: 'answered' | 'pulled';
  readonly topic: 'TraceAlone' | 'TracePair' | 'TraceRetry';
  /** Copies that its consumer gets; 0: the client waits for the answer. */
  readonly receipts: number;
  send(clients: PathClients, topic: string, keys: string): Promise<SendResult>;
}

const plain = (clients: PathClients, topic: string, keys: string): Promise<SendResult> =>
  clients.producer.send({ topic, keys, body: 'traced' });
const inTransaction =
  (state: 'COMMIT_MESSAGE' | 'UNKNOW') =>
  (clients: PathClients, topic: string, keys: string): Promise<SendResult> => {
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

/** A moment at the client, by the clock of recorders and by its stopwatch. Units: ms. */
export interface Receipt {
  readonly atMs: number;
  readonly stopwatchMs: number;
}

/** All that send and receive. */
export class PathClients {
  readonly admin: Admin;
  readonly producer: Producer;
  readonly transactions: TransactionProducer<undefined>;
  /** By message id, when it was received. */
  readonly receipts = new Map<string, readonly Receipt[]>();
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
      const receipt: Receipt = { atMs: traceNowMs(), stopwatchMs: performance.now() };
      const { msgId, topic } = message!;
      const known = this.receipts.get(msgId) ?? [];
      this.receipts.set(msgId, [...known, receipt]);
      context.delayLevelWhenNextConsume = 1;
      return topic === 'TraceRetry' && known.length === 0 ? 'RECONSUME_LATER' : 'CONSUME_SUCCESS';
    });
    await this.#consumer.start();
  }

  async end(): Promise<void> {
    for (const client of [this.#consumer, this.transactions, this.producer, this.admin]) await client.shutdown();
  }
}
