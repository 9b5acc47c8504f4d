/**
 * Which messages of the log are traced, by where they stand: what is made from one of them later (when it is due, when
 * its transaction ends, when it comes back) goes on under its trace id. Written by the commit log writer, read by
 * everybody, in shared memory of a fixed size: the newest takes the place of an older one with the same hash.
 *
 *   entry: physical offset, f64; trace id, i32. An id of 0 is none, so memory that was never written says nothing.
 */
const ENTRIES_BITS = 14;
const ENTRIES = 2 ** ENTRIES_BITS;
const OFFSET_BYTES = 8;
const ID_BYTES = 4;

export class TracedMessages {
  readonly memory: SharedArrayBuffer;
  readonly #offsets: Float64Array;
  readonly #ids: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(ENTRIES * (OFFSET_BYTES + ID_BYTES))) {
    this.memory = memory;
    this.#offsets = new Float64Array(memory, 0, ENTRIES);
    this.#ids = new Int32Array(memory, ENTRIES * OFFSET_BYTES, ENTRIES);
  }

  /** The message at a physical offset is traced. The one writer calls it. */
  put(physicalOffset: number, traceId: number): void {
    const index = indexOf(physicalOffset);
    // A reader that comes in between finds no id, and not that of another message.
    Atomics.store(this.#ids, index, 0);
    this.#offsets[index] = physicalOffset;
    Atomics.store(this.#ids, index, traceId);
  }

  /** The trace id of the message there; 0 when it is not traced, or when that is forgotten. */
  find(physicalOffset: number): number {
    const index = indexOf(physicalOffset);
    const traceId = Atomics.load(this.#ids, index);
    if (this.#offsets[index] !== physicalOffset) return 0;
    return Atomics.load(this.#ids, index) === traceId ? traceId : 0;
  }
}

/** Multiplication by the golden ratio; the highest bits are the best mixed. */
function indexOf(physicalOffset: number): number {
  return Math.imul(physicalOffset | 0, 0x9e37_79b1) >>> (32 - ENTRIES_BITS);
}
