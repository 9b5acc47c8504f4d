/**
 * One-way ring of framed records between two actors: one producer, one consumer, shared memory.
 *
 * Unlike `ringbuf.js` (kept for log lines, see byte-ring.ts) a record is contiguous and is written and read in place:
 * the producer claims room, encodes straight into it and commits; the consumer reads the bytes where they are and
 * releases them. `bench/micro/rings` shows both side by side.
 *
 *   control (Int32): [0] tail: bytes committed by the producer   [16] head: bytes released by the consumer
 *   data:            ... | length: i32 | type: i32 | payload, padded to 8 | ...
 *
 * A record that does not fit before the end of the memory is preceded by padding (type PADDING) and starts at 0.
 * Head and tail count bytes modulo 2^32 and sit on cache lines of their own.
 *
 * Between two actors of one thread the ring is *local*: one object serves both sides, nothing is atomic, and whenever
 * it is found empty it begins again at 0, so that what one turn of the event loop brings stays in the processor's cache
 * instead of walking through megabytes. Where no other thread is to see its memory, it need not be shared either: V8
 * copies from and to shared memory word by word, ten times slower.
 */
import { assert } from '../base/assert.js';
import { align8 } from '../base/units.js';

const HEADER_SIZE = 8;
const PADDING = -1;
const TAIL = 0;
const HEAD = 16;
const CONTROL_BYTES = 128;

export class Ring {
  readonly memory: ArrayBufferLike;
  /** Units: bytes; a power of two. */
  readonly capacity: number;
  /** The largest payload that is sure to fit an empty ring wherever it stands. Units: bytes. */
  readonly payloadMax: number;
  /** The data, for encoding after {@link claim} and reading after {@link poll}. Shape: `capacity` bytes. */
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words in the machine's order: index = byte offset / 4. */
  readonly words: Int32Array;

  readonly #control: Int32Array;
  readonly #mask: number;
  readonly #local: boolean;

  // The producer's side.
  #tail: number;
  #headSeen: number;
  #claimedAt = 0;
  #claimedEnd = 0;

  // The consumer's side.
  #head: number;
  #tailSeen: number;
  /** Type of the record that {@link poll} found. */
  type = 0;
  /** Payload length of the record that {@link poll} found. Units: bytes. */
  length = 0;

  /** `local`: this very object is used by both sides, which run on one thread. */
  constructor(memory: ArrayBufferLike, local = false) {
    this.memory = memory;
    this.#local = local;
    this.capacity = memory.byteLength - CONTROL_BYTES;
    assert(this.capacity >= 1024 && (this.capacity & (this.capacity - 1)) === 0, 'ring capacity is a power of two');
    this.payloadMax = this.capacity / 2 - HEADER_SIZE;
    this.#mask = this.capacity - 1;
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.bytes = new Uint8Array(memory, CONTROL_BYTES, this.capacity);
    this.words = new Int32Array(memory, CONTROL_BYTES, this.capacity / 4);
    this.#tail = Atomics.load(this.#control, TAIL);
    this.#head = Atomics.load(this.#control, HEAD);
    this.#headSeen = this.#head;
    this.#tailSeen = this.#tail;
  }

  /** Memory for a ring of `capacityBytes` (a power of two). */
  static allocate(capacityBytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(capacityBytes + CONTROL_BYTES);
  }

  /** The same for a local ring that no other thread looks at. */
  static allocateLocal(capacityBytes: number): ArrayBuffer {
    return new ArrayBuffer(capacityBytes + CONTROL_BYTES);
  }

  /**
   * Room for a payload of at most `length` bytes, contiguous in {@link bytes}, aligned to 8.
   * Errors: -1 when the ring is full; the sender learns at once.
   */
  claim(length: number): number {
    const needed = HEADER_SIZE + align8(length);
    const at = this.#tail & this.#mask;
    const untilEnd = this.capacity - at;
    const total = needed <= untilEnd ? needed : untilEnd + needed;
    if (this.capacity - ((this.#tail - this.#headSeen) | 0) < total) {
      this.#headSeen = this.#read(HEAD);
      if (this.capacity - ((this.#tail - this.#headSeen) | 0) < total) return -1;
    }
    if (needed > untilEnd) {
      this.words[at >> 2] = untilEnd - HEADER_SIZE;
      this.words[(at >> 2) + 1] = PADDING;
      this.#claimedAt = 0;
      this.#claimedEnd = (this.#tail + untilEnd) | 0;
    } else {
      this.#claimedAt = at;
      this.#claimedEnd = this.#tail;
    }
    return this.#claimedAt + HEADER_SIZE;
  }

  /** Makes the claimed record visible with the `length` bytes really used. */
  commit(type: number, length: number): void {
    const word = this.#claimedAt >> 2;
    this.words[word] = length;
    this.words[word + 1] = type;
    this.#tail = (this.#claimedEnd + HEADER_SIZE + align8(length)) | 0;
    this.#publish(TAIL, this.#tail);
  }

  /** Copies a whole payload in. Errors: false when the ring is full. */
  offer(type: number, source: Uint8Array, start = 0, length = source.length - start): boolean {
    const at = this.claim(length);
    if (at < 0) return false;
    this.bytes.set(start === 0 && length === source.length ? source : source.subarray(start, start + length), at);
    this.commit(type, length);
    return true;
  }

  /**
   * Where the next record's payload starts, or -1 when there is none. {@link type} and {@link length} tell what it is.
   * It stays in place until {@link release}.
   */
  poll(): number {
    for (;;) {
      if (this.#head === this.#tailSeen) {
        this.#tailSeen = this.#read(TAIL);
        if (this.#head === this.#tailSeen) {
          if (this.#local) this.#beginAgain();
          return -1;
        }
      }
      const at = this.#head & this.#mask;
      this.length = this.words[at >> 2]!;
      this.type = this.words[(at >> 2) + 1]!;
      if (this.type !== PADDING) return at + HEADER_SIZE;
      this.#head = (this.#head + HEADER_SIZE + this.length) | 0;
    }
  }

  /** Steps over the record that {@link poll} found. The producer sees the room at {@link publishReleased}. */
  release(): void {
    this.#head = (this.#head + HEADER_SIZE + align8(this.length)) | 0;
  }

  /** Gives the released room back to the producer: once a batch, not once a record. */
  publishReleased(): void {
    this.#publish(HEAD, this.#head);
  }

  /** An empty local ring: nobody else looks at it, so both sides go back to the start together. */
  #beginAgain(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#headSeen = 0;
    this.#tailSeen = 0;
    this.#control[HEAD] = 0;
    this.#control[TAIL] = 0;
  }

  #read(index: number): number {
    return this.#local ? this.#control[index]! : Atomics.load(this.#control, index);
  }

  #publish(index: number, value: number): void {
    if (this.#local) this.#control[index] = value;
    else Atomics.store(this.#control, index, value);
  }

  /**
   * A word of the payload of the oldest record, seen from anywhere: the consumer goes on meanwhile. Undefined when
   * there is none, or it was released while this looked.
   */
  peekWord(index: number): number | undefined {
    const head = Atomics.load(this.#control, HEAD);
    if (head === Atomics.load(this.#control, TAIL)) return undefined;
    let at = head & this.#mask;
    if (this.words[(at >> 2) + 1] === PADDING) at = 0;
    const word = this.words[((at + HEADER_SIZE) >> 2) + index];
    // What is not released is not written over.
    return Atomics.load(this.#control, HEAD) === head ? word : undefined;
  }

  /** Bytes waiting, seen from either side. */
  depthBytes(): number {
    return (this.#read(TAIL) - this.#read(HEAD)) | 0;
  }
}
