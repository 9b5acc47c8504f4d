/**
 * 64 producers with one transaction at a time each: the half message, its answer, the commit. It ends when all
 * committed messages are in their queues.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../runtime/base/assert.js';
import { physicalOffsetOf, RawClient } from '../../tests/support/raw-client.js';
import { queueBound } from '../../tests/support/raw-requests.js';
import type { BenchmarkCase } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { AnswerView, commitFrame, SendFrames } from './support/frames.js';
import { Goal, makeTopic } from './support/load.js';
import { LoadConnection } from './support/load-connection.js';
import { type Target, withTarget } from './support/targets.js';

export interface TransactionParameters {
  readonly transactions: number;
  readonly warmUp: number;
}

export const parameters = {
  smoke: { transactions: 640, warmUp: 64 },
  real: { transactions: 120_000, warmUp: 120_000 },
} as const;

const PRODUCERS = 64;
const QUEUES = 4;
const BODY_BYTES = 128;
/** Limit for the commits that nobody answers. Units: ms. */
const COMMITTED_LIMIT_MS = 60_000;

class TransactionProducers {
  readonly #address: string;
  readonly #goal = new Goal();
  readonly #frames: SendFrames[];
  readonly #answer = new AnswerView();
  readonly #connections: LoadConnection[] = [];
  #begun = 0;
  #ended = 0;
  readonly #transactions: number;

  constructor(address: string, topic: string, transactions: number) {
    this.#address = address;
    this.#transactions = transactions;
    this.#frames = Array.from({ length: QUEUES }, (_, queueId) => new SendFrames(topic, queueId, BODY_BYTES, true));
  }

  async connect(): Promise<void> {
    for (let index = 0; index < PRODUCERS; index++) {
      const connection: LoadConnection = await LoadConnection.connect(
        this.#address,
        frame => this.#onHalf(connection, frame),
        this.#goal.fail,
      );
      this.#connections.push(connection);
    }
  }

  /** Ends when the last commit was sent. Errors: Error when a half message is refused. */
  run(): Promise<void> {
    for (const connection of this.#connections) this.#begin(connection);
    return this.#goal.promise;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #begin(connection: LoadConnection): void {
    if (this.#begun === this.#transactions) return;
    connection.write(this.#frames[this.#begun++ % QUEUES]!.next(0));
  }

  #onHalf(connection: LoadConnection, frame: Buffer): void {
    const answer = this.#answer;
    answer.read(frame);
    if (answer.code !== 0) {
      this.#goal.fail(new Error(`a half message was answered ${answer.code} ${answer.text('remark')}`));
      return;
    }
    const msgId = answer.text('msgId');
    connection.write(commitFrame(answer.integer('queueOffset'), physicalOffsetOf(msgId), msgId));
    this.#begin(connection);
    if (++this.#ended === this.#transactions) this.#goal.reach();
  }
}

async function committed(client: RawClient, topic: string): Promise<number> {
  let sum = 0;
  for (let queueId = 0; queueId < QUEUES; queueId++) sum += await queueBound(client, topic, queueId, 'max');
  return sum;
}

async function awaitCommitted(client: RawClient, topic: string, count: number): Promise<void> {
  const deadlineMs = performance.now() + COMMITTED_LIMIT_MS;
  for (;;) {
    const now = await committed(client, topic);
    assert(now <= count, 'nothing is committed twice');
    if (now === count) return;
    if (performance.now() > deadlineMs) throw new Error(`${now} of ${count} transactions are committed`);
    await sleep(5); // asked again until the limit
  }
}

async function measure(target: Target, transactions: number): Promise<BenchmarkCase> {
  const topic = freshTopic('Transactions');
  const { address } = target;
  await makeTopic(address, topic, QUEUES);
  const client = await RawClient.connect(address);
  const producers = new TransactionProducers(address, topic, transactions);
  await producers.connect();
  try {
    const cost = await timed(target, transactions, async () => {
      await producers.run();
      await awaitCommitted(client, topic, transactions);
    });
    return {
      name: 'node/transactions',
      parameters: { target: target.name, producers: PRODUCERS, transactions, bodyBytes: BODY_BYTES },
      ...cost,
      checksum: await committed(client, topic),
    };
  } finally {
    producers.close();
    client.close();
  }
}

export const run = ({ transactions, warmUp }: TransactionParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    await measure(target, warmUp);
    return [await measure(target, transactions)];
  });
