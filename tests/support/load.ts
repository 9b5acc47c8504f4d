/** Messages of every kind and size, and connections that send them while a {@link Ledger} keeps account. */
import { createHash } from 'node:crypto';
import { Prng } from '../../runtime/base/prng.js';
import type { Ledger, Stored } from './checker.js';
import type { OutgoingMessage } from './raw-client.js';
import { newUniqueKey, RawClient } from './raw-client.js';
import type { RawRecord } from './raw-record.js';

export interface TopicShape {
  readonly topic: string;
  readonly queues: number;
}

/** What brokers add to, or take from, the properties they store. */
const brokerProperties = new Set(['CLUSTER', 'WAIT', 'MSG_REGION', 'TRACE_ON']);

/** One text for all that a message says: topic, body and the sender's properties, in whatever order they are stored. */
export function contentHash(topic: string, body: Uint8Array, properties: Iterable<readonly [string, string]>): string {
  const hash = createHash('sha1').update(topic).update('\0').update(body);
  const kept = [...properties].filter(([name]) => !brokerProperties.has(name));
  for (const [name, value] of kept.sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`\0${name}\0${value}`);
  return hash.digest('base64url').slice(0, 16);
}

/** The checker's view of a record that was read back. */
export function storedOf(record: RawRecord): Stored {
  return {
    id: record.properties.get('UNIQ_KEY') ?? '',
    topic: record.topic,
    queueId: record.queueId,
    queueOffset: record.queueOffset,
    hash: contentHash(record.topic, record.body, record.properties),
  };
}

const tags = ['TagA', 'TagB', 'order_created_v2', 'Größe', '标签'];
const words = ['plain', 'with space', 'ünïcödé', '消息队列', '🙂 emoji 🙃', 'a=b;c:d', '{"json":true}'];

/** Makes messages from a seed: with and without tag, keys, user properties and text beyond ASCII; mostly small. */
export class MessageMaker {
  readonly #random: Prng;
  readonly #topics: readonly TopicShape[];
  readonly #bodySizeMax: number;
  readonly #pool: Buffer;

  constructor(seed: number, topics: readonly TopicShape[], bodySizeMax: number) {
    this.#random = new Prng(seed);
    this.#topics = topics;
    this.#bodySizeMax = bodySizeMax;
    this.#pool = Buffer.from(this.#random.bytes(bodySizeMax + 4096));
  }

  next(): OutgoingMessage {
    const random = this.#random;
    const { topic, queues } = random.pick(this.#topics);
    const properties: Record<string, string> = { UNIQ_KEY: newUniqueKey() };
    if (!random.oneIn(4)) properties.TAGS = random.pick(tags);
    if (!random.oneIn(3)) properties.KEYS = `key${random.below(1e9)} order-${random.below(100)}`;
    for (let count = random.below(3); count > 0; count--) properties[`user${count}`] = random.pick(words);
    return { topic, queueId: random.below(queues), body: this.#body(), properties };
  }

  /** One in sixteen is up to the greatest size, one in four up to 2 KiB, the others up to 300 bytes; never empty. */
  #body(): Buffer {
    const random = this.#random;
    if (random.oneIn(20)) return Buffer.from(random.pick(words));
    const below = random.oneIn(16) ? this.#bodySizeMax : random.oneIn(4) ? 2048 : 300;
    const size = 1 + random.below(Math.min(below, this.#bodySizeMax));
    const start = random.below(this.#pool.length - size);
    return this.#pool.subarray(start, start + size);
  }
}

let connections = 0;

export interface LoadResult {
  acknowledged: number;
  /** Answers with another code than 0, by code. */
  readonly refused: Map<number, number>;
  /** Attempts whose connection ended before their answer. */
  unanswered: number;
}

export interface LoadOptions {
  readonly address: string;
  readonly maker: MessageMaker;
  readonly ledger: Ledger;
  readonly phase: number;
  /** Sends in flight at a time. */
  readonly window: number;
  /** Ends after so many attempts; without it only the end of the connection ends it. */
  readonly count?: number;
  /** Asked before each send: the load ends when what is in flight is answered. */
  readonly isOver?: () => boolean;
  /** From an answer to the next send in its place. Units: ms. */
  readonly gapMs?: number;
  /** Gets the connection, for closing it when nobody at its other end will. */
  readonly onOpen?: (client: RawClient) => void;
  readonly onAcknowledged?: (message: OutgoingMessage, msgId: string) => void;
}

/**
 * Sends over one connection, `window` at a time, until `count` attempts are answered, it is over or the connection
 * ends.
 * Errors: Error when it cannot connect.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const client = await RawClient.connect(options.address);
  const connection = connections++;
  const result: LoadResult = { acknowledged: 0, refused: new Map(), unanswered: 0 };
  let left = options.count ?? Number.POSITIVE_INFINITY;
  options.onOpen?.(client);
  await new Promise<void>(resolve => {
    client.onEnd(resolve);
    const sendNext = () => {
      if (!client.isOpen) return;
      if (options.isOver?.() === true) left = 0;
      if (left === 0) {
        if (client.inFlight === 0) client.close();
        return;
      }
      left--;
      const message = options.maker.next();
      const properties = message.properties ?? {};
      const id = properties.UNIQ_KEY as string;
      const hash = contentHash(message.topic, message.body, Object.entries(properties));
      options.ledger.attempt({
        id,
        topic: message.topic,
        queueId: message.queueId,
        hash,
        connection,
        phase: options.phase,
      });
      client.sendPipelined(message, answer => {
        if (answer?.code === 0) {
          options.ledger.acknowledge(id, answer.queueId, answer.queueOffset);
          result.acknowledged++;
          options.onAcknowledged?.(message, answer.msgId);
        } else if (answer) {
          result.refused.set(answer.code, (result.refused.get(answer.code) ?? 0) + 1);
        } else result.unanswered++;
        if (options.gapMs === undefined) sendNext();
        else setTimeout(sendNext, options.gapMs);
      });
    };
    for (let index = 0; index < options.window; index++) sendNext();
  });
  return result;
}
