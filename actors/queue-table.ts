/**
 * Bounds of every queue in shared memory, by dense queue number: the coordinator numbers queues, the dispatcher
 * publishes their bounds, pull lanes read them and say where somebody waits.
 *
 * Shape: for each queue a minimum and a maximum (BigInt64, one writer each) and a count of waiting pulls (Int32,
 * atomic). Memory that was never touched takes no room.
 */

/** Most queues of a broker. */
export const QUEUES_MAX = 262_144;

export class QueueTable {
  readonly memory: SharedArrayBuffer;
  readonly #bounds: BigInt64Array;
  readonly #waiting: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(QUEUES_MAX * 20)) {
    this.memory = memory;
    this.#bounds = new BigInt64Array(memory, 0, QUEUES_MAX * 2);
    this.#waiting = new Int32Array(memory, QUEUES_MAX * 16, QUEUES_MAX);
  }

  /** First entry that may be read. Units: entries. */
  min(queue: number): number {
    return Number(Atomics.load(this.#bounds, queue * 2));
  }

  /** One behind the last entry that may be read. Units: entries. */
  max(queue: number): number {
    return Number(Atomics.load(this.#bounds, queue * 2 + 1));
  }

  publishMin(queue: number, offset: number): void {
    Atomics.store(this.#bounds, queue * 2, BigInt(offset));
  }

  publishMax(queue: number, offset: number): void {
    Atomics.store(this.#bounds, queue * 2 + 1, BigInt(offset));
  }

  /** A pull lane holds one more pull (or, with -1, one less) for this queue. */
  addWaiting(queue: number, by: number): void {
    Atomics.add(this.#waiting, queue, by);
  }

  isAwaited(queue: number): boolean {
    return Atomics.load(this.#waiting, queue) > 0;
  }
}
