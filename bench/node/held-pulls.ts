/**
 * Pulls that wait: what they cost while nothing comes, and how soon those of a queue have the message that came for it.
 * The next message is sent when all of them have the one before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { recordQueueOffset } from '../../protocol/message-record.js';
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, percentiles } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { AnswerView, pullFrame, recordSentMs, SendFrames } from './support/frames.js';
import { Goal, makeTopic } from './support/load.js';
import { LoadConnection } from './support/load-connection.js';
import { type Target, withTarget } from './support/targets.js';

export interface HeldPullsParameters {
  readonly queues: number;
  readonly pullsPerQueue: number;
  readonly connections: number;
  readonly idleMs: number;
  readonly messages: number;
}

export const parameters = {
  smoke: { queues: 50, pullsPerQueue: 2, connections: 4, idleMs: 100, messages: 50 },
  real: { queues: 1000, pullsPerQueue: 10, connections: 100, idleMs: 10_000, messages: 2000 },
} as const;

const BODY_BYTES = 128;

/** All pulls, and what woke them. */
class Waiting {
  readonly #topic: string;
  readonly #parameters: HeldPullsParameters;
  readonly #answer = new AnswerView();
  readonly #connections: LoadConnection[] = [];
  readonly #wakeUs: Float64Array;
  readonly #offsets: number[];
  #woken = 0;
  #wokenOfRound = 0;
  #round = new Goal();

  constructor(topic: string, parameters: HeldPullsParameters) {
    this.#topic = topic;
    this.#parameters = parameters;
    this.#wakeUs = new Float64Array(parameters.messages * parameters.pullsPerQueue);
    this.#offsets = Array.from({ length: parameters.queues }, () => 0);
  }

  get wakeUs(): Float64Array {
    return this.#wakeUs.subarray(0, this.#woken);
  }

  async begin(address: string): Promise<void> {
    const { connections, queues, pullsPerQueue } = this.#parameters;
    for (let index = 0; index < connections; index++) {
      const connection: LoadConnection = await LoadConnection.connect(
        address,
        frame => this.#onAnswer(connection, frame),
        error => this.#round.fail(error),
      );
      this.#connections.push(connection);
    }
    for (let pull = 0; pull < queues * pullsPerQueue; pull++) {
      this.#pull(this.#connections[pull % connections]!, pull % queues);
    }
  }

  /** Has a message sent to a queue. Ends when all pulls of it are answered and ask again. */
  async wake(queueId: number, send: () => void): Promise<void> {
    this.#round = new Goal();
    this.#wokenOfRound = 0;
    send();
    await this.#round.promise;
    this.#offsets[queueId]!++;
  }

  fail(error: Error): void {
    this.#round.fail(error);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #pull(connection: LoadConnection, queueId: number, offset = 0): void {
    connection.write(pullFrame('bench-consumers', this.#topic, queueId, offset, queueId));
  }

  #onAnswer(connection: LoadConnection, frame: Buffer): void {
    this.#answer.read(frame);
    const { code, opaque: queueId, bodyAt } = this.#answer;
    if (code !== 0) {
      this.#round.fail(new Error(`a held pull was answered ${code} ${this.#answer.text('remark')}`));
      return;
    }
    assert(recordQueueOffset(frame, bodyAt) === this.#offsets[queueId], 'it has the message of its queue');
    this.#wakeUs[this.#woken++] = (performance.now() - recordSentMs(frame, bodyAt)) * 1000;
    this.#pull(connection, queueId, this.#offsets[queueId]! + 1);
    if (++this.#wokenOfRound === this.#parameters.pullsPerQueue) this.#round.reach();
  }
}

async function measure(target: Target, parameters: HeldPullsParameters): Promise<BenchmarkCase[]> {
  const { queues, pullsPerQueue, idleMs, messages } = parameters;
  const pulls = queues * pullsPerQueue;
  const topic = freshTopic('Held');
  const { address } = target;
  await makeTopic(address, topic, queues);
  const waiting = new Waiting(topic, parameters);
  const producer = await LoadConnection.connect(
    address,
    () => undefined,
    error => waiting.fail(error),
  );
  try {
    await waiting.begin(address);
    const wakeAll = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        // Scattered over the queues: 7919 is a prime.
        const queueId = (index * 7919) % queues;
        const frames = new SendFrames(topic, queueId, BODY_BYTES);
        await waiting.wake(queueId, () => producer.write(frames.next(0)));
      }
    };
    const what = { target: target.name, pulls, queues, connections: parameters.connections };
    const waking = await timed(target, messages, () => wakeAll(messages));
    const idle = await timed(target, pulls, () => sleep(idleMs));
    const shares = { woken: messages * pullsPerQueue, seconds: idleMs / 1000 };
    return [
      {
        name: 'node/held-pulls wake',
        parameters: what,
        ...waking,
        ...percentiles(waiting.wakeUs),
        checksum: shares.woken,
      },
      {
        name: 'node/held-pulls idle',
        parameters: { ...what, idleMs },
        rate: pulls,
        ...(idle.cpuUs === undefined ? {} : { cpuUs: idle.cpuUs / shares.seconds }),
        checksum: pulls,
      },
    ];
  } finally {
    producer.close();
    waiting.close();
  }
}

export const run = (parameters: HeldPullsParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, target => measure(target, parameters));
