/**
 * Results of appends that wait for a position (flushed, replicated) to pass their end. Hot: typed arrays, no
 * allocation. They arrive in the order of the log, so only the head is looked at.
 *
 * Shape: a circular FIFO of `capacity` results. Units: positions in bytes, times in ms (low 32 bits).
 */
import { assert } from '../../runtime/base/assert.js';

export class AckGate {
  readonly capacity: number;
  readonly connectionId: Int32Array;
  readonly opaque: Int32Array;
  readonly flags: Int32Array;
  readonly code: Int32Array;
  readonly queueId: Int32Array;
  readonly arrivedMs: Int32Array;
  readonly traceId: Int32Array;
  readonly queueOffset: Float64Array;
  readonly physicalOffset: Float64Array;
  readonly end: Float64Array;
  /** Record sizes of a batch; undefined for single messages. */
  readonly sizes: (Int32Array | undefined)[];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    assert((capacity & (capacity - 1)) === 0, 'the gate is a power of two');
    this.capacity = capacity;
    this.connectionId = new Int32Array(capacity);
    this.opaque = new Int32Array(capacity);
    this.flags = new Int32Array(capacity);
    this.code = new Int32Array(capacity);
    this.queueId = new Int32Array(capacity);
    this.arrivedMs = new Int32Array(capacity);
    this.traceId = new Int32Array(capacity);
    this.queueOffset = new Float64Array(capacity);
    this.physicalOffset = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.sizes = new Array<Int32Array | undefined>(capacity).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot for the next result; fill its fields. Errors: asserts room, which the permits guarantee. */
  add(): number {
    assert(this.#size < this.capacity, 'permits bound the gate');
    return (this.#head + this.#size++) & (this.capacity - 1);
  }

  /** The slot of the oldest result when its end is at most `position`, or -1. */
  ready(position: number): number {
    return this.#size > 0 && this.end[this.#head]! <= position ? this.#head : -1;
  }

  /** The slot of the oldest result, or -1. */
  oldest(): number {
    return this.#size > 0 ? this.#head : -1;
  }

  /** Removes the oldest result. */
  shift(): void {
    this.sizes[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.capacity - 1);
    this.#size--;
  }
}
