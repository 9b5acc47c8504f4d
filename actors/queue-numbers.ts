/**
 * Dense numbers of (topic, queueId): a number indexes the writer's queue offsets and the shared queue table. Numbers are
 * never given to another queue while the node runs.
 */
import { RingError } from '../runtime/base/errors.js';
import { QUEUES_MAX } from './queue-table.js';

export class QueueNumbers {
  readonly #byTopic = new Map<string, Int32Array>();
  #next = 0;

  /** The numbers of queues 0 to `count` - 1 of a topic, made as needed. Errors: RingError CONFIG_INVALID: too many queues. */
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

  /** The number of a queue that has one, else -1. */
  find(topic: string, queueId: number): number {
    return this.#byTopic.get(topic)?.[queueId] ?? -1;
  }
}
