/**
 * How much was stored in every queue since the node runs, by dense queue number: the dispatcher counts, who sees every
 * stored message anyway; the coordinator reads. Hot.
 *
 * Shape: for each queue two Float64 words, messages and bytes, with one writer. Memory that was never touched takes no
 * room.
 */
import { QUEUES_MAX } from './queue-table.js';

export class QueueTraffic {
  readonly memory: SharedArrayBuffer;
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(QUEUES_MAX * 16)) {
    this.memory = memory;
    this.#words = new Float64Array(memory);
  }

  /** One more message of `bytes` was stored in a queue. */
  add(queue: number, bytes: number): void {
    const word = queue * 2;
    this.#words[word] = this.#words[word]! + 1;
    this.#words[word + 1] = this.#words[word + 1]! + bytes;
  }

  messages(queue: number): number {
    return this.#words[queue * 2]!;
  }

  bytes(queue: number): number {
    return this.#words[queue * 2 + 1]!;
  }
}
