/**
 * Who talks to the simulated broker: producers that remember what they were promised, consumers that check what they
 * get.
 */
import { crc32 } from 'node:zlib';
import type { RemotingCommand } from '../../protocol/command.js';
import type { Actor } from '../../runtime/actor/contract.js';
import type { Stored } from '../support/checker.js';
import { decodeRecords, type RawRecord } from '../support/raw-record.js';
import { batchBody, sendFrame } from '../support/rooms.js';
import { pullFrame } from '../unit/actors/pull-lane/support.js';
import { FakeConnection } from '../unit/actors/remoting/support.js';
import type { World } from './simulated-broker.js';
import type { Broker } from './simulated-life.js';

export const topics = ['T0', 'T1'];
export const queuesOfTopic = 2;
const messagesOfRun = 25;

/** A record without an id has lost the page with its properties, as one with zeros in it. */
const idOf = (record: RawRecord): string => record.properties.get('UNIQ_KEY') ?? '\0';
const hashOf = (body: Uint8Array): string => crc32(body).toString(16);

interface Sent {
  readonly ids: readonly string[];
  readonly durable: boolean;
}

/** Sends single messages and batches, a few at a time, on one connection. */
export class Producer implements Actor {
  readonly name: string;
  readonly #world: World;
  readonly #connection: FakeConnection;
  readonly #index: number;
  readonly #run: number;
  readonly #window: number;
  readonly #waiting = new Map<number, Sent>();
  #left = messagesOfRun;
  #opaque = 0;
  #nextMs = 0;

  constructor(world: World, broker: Broker, index: number, run: number) {
    this.name = `producer-${index}`;
    this.#world = world;
    this.#index = index;
    this.#run = run;
    this.#window = world.random.between(1, 6);
    this.#connection = FakeConnection.connect(broker.remoting, 0, world.clock.nowMs());
  }

  get isDone(): boolean {
    return this.#left === 0 && this.#waiting.size === 0;
  }

  doWork(nowMs: number): number {
    const answers = this.#connection.answers.splice(0);
    for (const answer of answers) this.#onAnswer(answer);
    if (this.#left === 0 || this.#waiting.size >= this.#window || nowMs < this.#nextMs) return answers.length;
    this.#send();
    if (this.#world.random.oneIn(8)) this.#nextMs = nowMs + this.#world.random.below(400);
    return answers.length + 1;
  }

  deadlineMs(): number {
    return this.#left > 0 && this.#waiting.size < this.#window ? this.#nextMs : Number.POSITIVE_INFINITY;
  }

  close(): void {}

  #send(): void {
    const { random, ledger } = this.#world;
    const topic = random.pick(topics);
    const queueId = random.below(queuesOfTopic);
    const count = random.oneIn(5) ? Math.min(this.#left, random.between(2, 4)) : 1;
    const messages = Array.from({ length: count }, () => {
      const id = `m${this.#world.nextId++}`;
      // A whole batch fits the rings, which are small here.
      const body = random.bytes(random.oneIn(10) ? random.below(count > 1 ? 1800 : 2500) : random.below(200));
      ledger.attempt({ id, topic, queueId, hash: hashOf(body), connection: this.#index, phase: this.#run });
      return { id, body, properties: `UNIQ_KEY\u0001${id}` };
    });
    const durable = !random.oneIn(6);
    const opaque = this.#opaque++;
    const wait = `WAIT\u0001${durable}`;
    const isBatch = count > 1;
    const frame = sendFrame({
      topic,
      queueId,
      opaque,
      code: isBatch ? 320 : random.pick([10, 310] as const),
      serializeType: random.pick([0, 1] as const),
      body: isBatch ? batchBody(messages) : messages[0]!.body,
      properties: isBatch ? wait : `${messages[0]!.properties}\u0002${wait}`,
    });
    this.#left -= count;
    this.#waiting.set(opaque, { ids: messages.map(message => message.id), durable });
    this.#connection.receive(frame);
  }

  #onAnswer(answer: RemotingCommand): void {
    const sent = this.#waiting.get(answer.opaque);
    if (sent === undefined) {
      this.#world.broken.push(`${this.name}: an answer nobody waits for, opaque ${answer.opaque}`);
      return;
    }
    this.#waiting.delete(answer.opaque);
    if (answer.code === 0) {
      // Under ASYNC_FLUSH, and when the sender does not wait, only a machine that stays up keeps the promise.
      const { syncFlush, ends } = this.#world.options;
      if ((!syncFlush || !sent.durable) && ends.includes('power')) return;
      const { queueId, queueOffset } = answer.extFields;
      for (const [index, id] of sent.ids.entries())
        this.#world.ledger.acknowledge(id, Number(queueId), Number(queueOffset) + index);
    } else if (answer.code === 14 || answer.code === 2) {
      this.#world.refused++;
    } else if (answer.code !== 10) {
      this.#world.broken.push(`${this.name}: code ${answer.code} ${answer.remark}`);
    }
  }
}

const HOLD = 2 | 4;

/** Pulls a queue from its start and checks that what comes is whole and in order. */
export class Consumer implements Actor {
  readonly name: string;
  readonly #world: World;
  readonly #broker: Broker;
  readonly #connection: FakeConnection;
  readonly #topic: string;
  readonly #queueId: number;
  readonly #onStored: (stored: Stored) => void;
  #offset = 0;
  #waiting = false;
  #opaque = 0;
  #last = '';

  constructor(
    world: World,
    broker: Broker,
    topic: string,
    queueId: number,
    onStored: (stored: Stored) => void = () => {},
  ) {
    this.name = `consumer-${topic}-${queueId}`;
    this.#world = world;
    this.#broker = broker;
    this.#topic = topic;
    this.#queueId = queueId;
    this.#onStored = onStored;
    this.#connection = FakeConnection.connect(broker.remoting, 0, world.clock.nowMs());
  }

  get isAtEnd(): boolean {
    const { shop } = this.#broker;
    const number = this.#broker.numberOf(this.#topic, this.#queueId);
    const { positions } = shop;
    return (
      positions.read('dispatched') === positions.read('appended') &&
      this.#offset === (number < 0 ? 0 : shop.queueTable.max(number))
    );
  }

  /** For the report of a run that got stuck. */
  get where(): string {
    const number = this.#broker.numberOf(this.#topic, this.#queueId);
    return `${this.name} at ${this.#offset} of ${this.#broker.shop.queueTable.max(number)}: ${this.#last}`;
  }

  doWork(): number {
    const answers = this.#connection.answers.splice(0);
    for (const answer of answers) this.#onAnswer(answer);
    if (this.#waiting) return answers.length;
    this.#waiting = true;
    const suspendMs = this.#world.random.between(1, 300);
    const pull = { topic: this.#topic, queueId: this.#queueId, offset: this.#offset, max: 7, sysFlag: HOLD, suspendMs };
    this.#connection.receive(pullFrame(pull, { opaque: ++this.#opaque }));
    return answers.length + 1;
  }

  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(): void {}

  #onAnswer(answer: RemotingCommand): void {
    if (answer.opaque !== this.#opaque || !this.#waiting) this.#say(`an answer nobody waits for: ${answer.opaque}`);
    this.#waiting = false;
    this.#last = `${answer.code} ${answer.remark}`;
    // Busy; or the group is new and cannot be stored while the disk is full.
    if (answer.code === 2 || (answer.code === 26 && this.#world.options.diskFaults)) return;
    if (answer.code !== 0 && answer.code !== 19 && answer.code !== 20)
      this.#say(`code ${answer.code} ${answer.remark}`);
    for (const record of answer.code === 0 ? decodeRecords(Buffer.from(answer.body ?? [])) : []) this.#onRecord(record);
    const next = Number(answer.extFields.nextBeginOffset);
    if (answer.code !== 21 && next !== this.#offset) this.#say(`next offset ${next} behind ${this.#offset}`);
  }

  #onRecord(record: RawRecord): void {
    const id = idOf(record);
    const sent = this.#world.ledger.entry(id);
    const place = `${record.topic}:${record.queueId}@${record.queueOffset}`;
    if (record.topic !== this.#topic || record.queueId !== this.#queueId) this.#say(`${place} in the wrong queue`);
    if (record.queueOffset !== this.#offset) this.#say(`${place} where ${this.#offset} should be`);
    if (sent?.hash !== hashOf(record.body) && !id.includes('\0')) this.#say(`${place}: ${id} has other content`);
    this.#offset = record.queueOffset + 1;
    this.#world.pulled++;
    const { topic, queueId, queueOffset } = record;
    this.#onStored({ id, topic, queueId, queueOffset, hash: hashOf(record.body) });
  }

  #say(what: string): void {
    this.#world.broken.push(`${this.name}: ${what}`);
  }
}
