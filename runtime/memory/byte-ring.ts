/**
 * Framed records over `ringbuf.js`: one producer, one consumer, shared memory. Cold: it carries log lines from the
 * threads to the main thread. Requests travel in {@link ./ring.ts Ring}; `bench/micro/rings` shows the two side by
 * side.
 *
 *   | length: u32 little-endian | record | length | record | ...        a record may wrap at the end of the memory
 *
 * A frame is pushed in one piece, so a producer that dies leaves whole records behind and its successor goes on.
 */
import { RingBuffer } from 'ringbuf.js';
import { assert } from '../base/assert.js';

const HEADER_SIZE = 4;

export class ByteRing {
  readonly memory: SharedArrayBuffer;
  /** The largest record that fits an empty ring. Units: bytes. */
  readonly payloadMax: number;
  readonly #ring: RingBuffer;
  readonly #header = new Uint8Array(HEADER_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);
  #frame = new Uint8Array(0);

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#ring = new RingBuffer(memory, Uint8Array);
    this.payloadMax = this.#ring.capacity() - HEADER_SIZE;
    assert(this.payloadMax > 0, 'a byte ring holds at least one record');
  }

  /** Memory for a ring that holds `capacityBytes` of frames, 4 bytes of each being its length. */
  static allocate(capacityBytes: number): SharedArrayBuffer {
    return RingBuffer.getStorageForCapacity(capacityBytes, Uint8Array);
  }

  /**
   * Copies a record in.
   * Errors: false when it does not fit now; asserts that it fits an empty ring.
   */
  offer(record: Uint8Array): boolean {
    assert(record.length <= this.payloadMax, 'a record fits an empty ring');
    const frameSize = HEADER_SIZE + record.length;
    // push() writes part of a frame when space is short. With one producer the space seen here can only grow.
    if (this.#ring.availableWrite() < frameSize) return false;
    if (this.#frame.length < frameSize) this.#frame = new Uint8Array(Math.max(frameSize, this.#frame.length * 2, 256));
    new DataView(this.#frame.buffer).setUint32(0, record.length, true);
    this.#frame.set(record, HEADER_SIZE);
    const written = this.#ring.push(this.#frame, frameSize);
    assert(written === frameSize, 'a frame is pushed whole');
    return true;
  }

  /** The oldest record, copied out, or undefined when there is none. */
  poll(): Uint8Array | undefined {
    if (this.#ring.availableRead() < HEADER_SIZE) return undefined;
    this.#ring.pop(this.#header, HEADER_SIZE);
    const record = new Uint8Array(this.#headerView.getUint32(0, true));
    const read = this.#ring.pop(record, record.length);
    assert(read === record.length, 'a frame is popped whole');
    return record;
  }

  /** Bytes of frames waiting, seen from either side. */
  depthBytes(): number {
    return this.#ring.availableRead();
  }
}
