/**
 * Dense numbers of (topic, queueId): a number indexes the writer's queue offsets and the shared queue table. Numbers
 * are never given to another queue while the node runs.
 */
import { RingError } from '../runtime/base/errors.js';
import { QUEUES_MAX } from './queue-table.js';

export class QueueNumbers {
  readonly #byTopic = new Map<string, Int32Array>();
  #next = 0;

  /** `entries`: what {@link entries} gave on another thread. */
  constructor(entries: readonly (readonly [string, Int32Array])[] = []) {
    for (const [topic, numbers] of entries) {
      this.#byTopic.set(topic, numbers);
      for (const number of numbers) this.#next = Math.max(this.#next, number + 1);
    }
  }

  /** All of it, plain: it crosses threads. */
  entries(): [string, Int32Array][] {
    return [...this.#byTopic];
  }

  /**
   * The numbers of queues 0 to `count` - 1 of a topic, made as needed. Errors: RingError CONFIG_INVALID: too many
   * queues.
   */
  of(topic: string, count: number): Int32Array {
    const known = this.#byTopic.get(topic) ?? new Int32Array(0);
    if (known.length >= count) return known;
    if (this.#next + count - known.length > QUEUES_MAX) {
      throw new RingError('CONFIG_INVALID', `a broker has at most ${QUEUES_MAX} queues; ${topic} would be beyond`);
    }
    const numbers = new Int32Array(count);
    numbers.set(known);
    for (let queueId = known.length; queueId < count; queueId++) numbers[queueId] = this.#next++;
    this.#byTopic.set(topic, numbers);
    return numbers;
  }

  /** Topics that have numbers. */
  topics(): IterableIterator<string> {
    return this.#byTopic.keys();
  }

  /** How many queues have a number. */
  get count(): number {
    return this.#next;
  }

  /** The number of a queue that has one, else -1. */
  find(topic: string, queueId: number): number {
    return this.#byTopic.get(topic)?.[queueId] ?? -1;
  }
}
