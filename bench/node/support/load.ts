/** Producers and consumers made of load connections. */
import { recordQueueOffset } from '../../../protocol/message-record.js';
import { assert } from '../../../runtime/base/assert.js';
import { RawClient } from '../../../tests/support/raw-client.js';
import { createTopic } from '../../../tests/support/raw-requests.js';
import { AnswerView, pullFrame, SendFrames } from './frames.js';
import { LoadConnection } from './load-connection.js';

const FOUND = 0;
/** Of sends: the last three say that a disk or a slave is late, with the message stored. */
const stored: ReadonlySet<number> = new Set([0, 10, 11, 12]);
/** Not found, look again at once, moved. */
const nothing: ReadonlySet<number> = new Set([19, 20, 21]);

export async function makeTopic(address: string, topic: string, queues: number): Promise<void> {
  const client = await RawClient.connect(address);
  await createTopic(client, topic, queues);
  client.close();
}

/** A promise with its ends outside; what goes wrong anywhere in the load ends the wait. */
export class Goal {
  readonly promise: Promise<void>;
  reach: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.reach = resolve;
      this.fail = reject;
    });
    this.promise.catch(() => undefined); // whoever waits hears of it
  }
}

export interface ProducersOptions {
  readonly address: string;
  readonly topic: string;
  readonly queues: number;
  readonly connections: number;
  /** Sends in flight, over all connections. */
  readonly inFlight: number;
  readonly bodyBytes: number;
}

/** Connections that send to all queues in turn. */
export class Producers {
  readonly #options: ProducersOptions;
  readonly #frames: SendFrames[];
  readonly #answer = new AnswerView();
  #connections: LoadConnection[] = [];
  #goal = new Goal();
  #left = 0;
  #unanswered = 0;
  #nextQueue = 0;

  private constructor(options: ProducersOptions) {
    this.#options = options;
    const { topic, queues, bodyBytes } = options;
    this.#frames = Array.from({ length: queues }, (_, queueId) => new SendFrames(topic, queueId, bodyBytes));
  }

  static async connect(options: ProducersOptions): Promise<Producers> {
    const producers = new Producers(options);
    for (let index = 0; index < options.connections; index++) {
      producers.#connections.push(
        await LoadConnection.connect(
          options.address,
          frame => producers.#onAnswer(frame, index),
          error => producers.#goal.fail(error),
        ),
      );
    }
    return producers;
  }

  /** Sends at full speed. Errors: Error when one is refused. */
  async send(count: number): Promise<void> {
    this.#goal = new Goal();
    this.#left = count;
    this.#unanswered = count;
    const { connections, inFlight } = this.#options;
    for (let index = 0; index < inFlight; index++) this.#sendNext(index % connections);
    await this.#goal.promise;
  }

  /** Sends at a rate, whatever is in flight. Units: messages a second. */
  async sendPaced(count: number, rate: number): Promise<void> {
    this.#goal = new Goal();
    this.#left = 0;
    this.#unanswered = count;
    const startMs = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - startMs) * rate) / 1000));
      for (; sent < due; sent++) this.#sendOne(sent % this.#connections.length);
      if (sent === count) clearInterval(timer);
    }, 1);
    try {
      await this.#goal.promise;
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #sendNext(connection: number): void {
    if (this.#left === 0) return;
    this.#left--;
    this.#sendOne(connection);
  }

  #sendOne(connection: number): void {
    const frames = this.#frames[this.#nextQueue]!;
    this.#nextQueue = (this.#nextQueue + 1) % this.#frames.length;
    this.#connections[connection]!.write(frames.next(0));
  }

  #onAnswer(frame: Buffer, connection: number): void {
    this.#answer.read(frame);
    const { code } = this.#answer;
    if (!stored.has(code)) this.#goal.fail(new Error(`a send was answered ${code} ${this.#answer.text('remark')}`));
    if (--this.#unanswered === 0) this.#goal.reach();
    const { connections, inFlight } = this.#options;
    // More connections than sends in flight: each has its turn. Else each has as many in flight as it had.
    this.#sendNext(connections > inFlight ? (connection + inFlight) % connections : connection);
  }
}

export interface ConsumersOptions {
  readonly address: string;
  readonly topic: string;
  readonly queues: number;
  /** Connections; each has its share of the queues, and a pull under way for every one of them. */
  readonly consumers: number;
  /** Gets each message: the frame and where its record begins. */
  readonly onRecord?: (frame: Buffer, at: number) => void;
}

/** Pull loops with long polling: what a push consumer is, without its listeners. */
export class Consumers {
  readonly #options: ConsumersOptions;
  readonly #connections: LoadConnection[] = [];
  readonly #offsets: number[];
  readonly #answer = new AnswerView();
  #goal = new Goal();
  #wanted = Number.POSITIVE_INFINITY;
  #consumed = 0;
  #offsetSum = 0;

  private constructor(options: ConsumersOptions) {
    this.#options = options;
    this.#offsets = Array.from({ length: options.queues }, () => 0);
  }

  static async start(options: ConsumersOptions): Promise<Consumers> {
    const consumers = new Consumers(options);
    for (let index = 0; index < options.consumers; index++) {
      const connection: LoadConnection = await LoadConnection.connect(
        options.address,
        frame => consumers.#onAnswer(connection, frame),
        error => consumers.#goal.fail(error),
      );
      consumers.#connections.push(connection);
    }
    for (let queueId = 0; queueId < options.queues; queueId++) {
      consumers.#pull(consumers.#connections[queueId % options.consumers]!, queueId);
    }
    return consumers;
  }

  /** Sum of the queue offsets of all messages. */
  get offsetSum(): number {
    return this.#offsetSum;
  }

  /** Ends when so many were consumed in all. Errors: Error when a pull is refused or a connection ends. */
  async consumed(count: number): Promise<void> {
    this.#wanted = count;
    if (this.#consumed >= count) return;
    await this.#goal.promise;
    this.#goal = new Goal();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #pull(connection: LoadConnection, queueId: number): void {
    const { topic } = this.#options;
    connection.write(pullFrame('bench-consumers', topic, queueId, this.#offsets[queueId]!, queueId));
  }

  #onAnswer(connection: LoadConnection, frame: Buffer): void {
    const answer = this.#answer;
    answer.read(frame);
    const { code, opaque: queueId } = answer;
    if (code === FOUND) this.#takeRecords(frame, answer.bodyAt, queueId);
    else if (!nothing.has(code)) this.#goal.fail(new Error(`a pull was answered ${code} ${answer.text('remark')}`));
    this.#pull(connection, queueId);
    if (this.#consumed >= this.#wanted) this.#goal.reach();
  }

  #takeRecords(frame: Buffer, from: number, queueId: number): void {
    const { onRecord } = this.#options;
    for (let at = from; at < frame.length; at += frame.readInt32BE(at)) {
      const offset = recordQueueOffset(frame, at);
      assert(offset === this.#offsets[queueId], 'a queue is read without a gap, and nothing twice');
      this.#offsets[queueId] = offset + 1;
      this.#offsetSum += offset;
      this.#consumed++;
      onRecord?.(frame, at);
    }
  }
}
