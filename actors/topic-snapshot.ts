/**
 * What a lane knows of topics: found by the bytes of the name, without making a string. The coordinator owns the topics
 * and hands out a new entry whenever one changes.
 */
import { equalBytes } from '../protocol/bytes.js';

/** One topic as lanes see it. Plain data: it crosses threads. */
export interface TopicEntry {
  readonly name: string;
  readonly perm: number;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly order: boolean;
  /** Dense number of each queue, by queue id: index into the queue table. */
  readonly queueNumbers: Int32Array;
}

export interface KnownTopic extends TopicEntry {
  readonly nameBytes: Uint8Array;
}

const encoder = new TextEncoder();

export class TopicSnapshot {
  readonly #buckets = new Map<number, KnownTopic[]>();
  readonly #byName = new Map<string, KnownTopic>();
  /** Found last: most messages are of the topic of the one before. */
  #last: KnownTopic | undefined;

  /** Adds or replaces a topic. */
  put(entry: TopicEntry): void {
    this.delete(entry.name);
    const known: KnownTopic = { ...entry, nameBytes: encoder.encode(entry.name) };
    const hash = hashBytes(known.nameBytes, 0, known.nameBytes.length);
    const bucket = this.#buckets.get(hash);
    if (bucket === undefined) this.#buckets.set(hash, [known]);
    else bucket.push(known);
    this.#byName.set(entry.name, known);
  }

  delete(name: string): void {
    const known = this.#byName.get(name);
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#last = undefined;
    const hash = hashBytes(known.nameBytes, 0, known.nameBytes.length);
    const rest = this.#buckets.get(hash)!.filter(topic => topic !== known);
    if (rest.length === 0) this.#buckets.delete(hash);
    else this.#buckets.set(hash, rest);
  }

  /** Hot. */
  find(bytes: Uint8Array, start: number, end: number): KnownTopic | undefined {
    if (this.#last !== undefined && isNamed(this.#last, bytes, start, end)) return this.#last;
    const bucket = this.#buckets.get(hashBytes(bytes, start, end));
    if (bucket === undefined) return undefined;
    for (let index = 0; index < bucket.length; index++) {
      const topic = bucket[index]!;
      if (!isNamed(topic, bytes, start, end)) continue;
      this.#last = topic;
      return topic;
    }
    return undefined;
  }

  all(): IterableIterator<KnownTopic> {
    return this.#byName.values();
  }

  get(name: string): KnownTopic | undefined {
    return this.#byName.get(name);
  }
}

function isNamed(topic: KnownTopic, bytes: Uint8Array, start: number, end: number): boolean {
  return topic.nameBytes.length === end - start && equalBytes(topic.nameBytes, 0, bytes, start, end - start);
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let index = start; index < end; index++) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
  return hash;
}
