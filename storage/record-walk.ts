/**
 * Follows the records of a log from one to the next, a window of bytes at a time; over the padding at a file's end too.
 * Cold. Source: spec storage 3.
 */
import { getI32 } from '../protocol/bytes.js';
import { BLANK_SIZE_MIN } from '../protocol/message-record.js';
import { MiB } from '../runtime/base/units.js';
import { checkRecord, RecordCheck } from './record-check.js';

/** Where bytes of a log are read: a {@link CommitLogReader}, or a file that holds a part of a log. */
export interface LogBytes {
  /** Up to `length` bytes at a position of the log; how many there were. */
  read(target: Uint8Array, targetStart: number, length: number, position: number): number;
}

/** Read at once. Units: bytes. */
const WINDOW_SIZE = MiB;

/**
 * @example
 * const walk = new RecordWalk(reader, from, to);
 * while (walk.next()) storeTimestampOf(walk.bytes, walk.start);
 */
export class RecordWalk {
  /** Of the record at hand: where it begins in the log, its size, and where it stands in {@link bytes}. */
  position = -1;
  size = 0;
  start = 0;
  bytes = new Uint8Array(WINDOW_SIZE);
  readonly #source: LogBytes;
  readonly #to: number;
  #at: number;
  /** The window: `#length` bytes from position `#from` of the log. */
  #from = 0;
  #length = 0;

  /** `from`: where a record begins. `to`: where the log, or the part to look at, ends. */
  constructor(source: LogBytes, from: number, to: number) {
    this.#source = source;
    this.#at = from;
    this.#to = to;
  }

  /** Where the next record begins; after the last one the place where none was found. */
  get end(): number {
    return this.#at;
  }

  /** Goes to the next record; false when no whole one begins there. Errors: RingError DISK_READ_FAILED. */
  next(): boolean {
    let wanted = 0;
    while (this.#at < this.#to) {
      const start = this.#at - this.#from;
      const available = start < 0 ? 0 : Math.max(0, this.#length - start);
      const size = available < BLANK_SIZE_MIN ? RecordCheck.TRUNCATED : this.#sizeAt(start, available);
      if (size === RecordCheck.INVALID) return false;
      if (size === RecordCheck.BLANK) {
        const blank = getI32(this.bytes, start);
        if (blank < BLANK_SIZE_MIN || this.#at + blank > this.#to) return false;
        this.#at += blank;
        wanted = 0;
      } else if (size === RecordCheck.TRUNCATED) {
        const missing = available < BLANK_SIZE_MIN ? BLANK_SIZE_MIN : getI32(this.bytes, start);
        // What was there after it had been asked for is not whole.
        if (missing <= wanted || this.#load(missing) < missing) return false;
        wanted = missing;
      } else {
        this.position = this.#at;
        this.start = start;
        this.size = size;
        this.#at += size;
        return true;
      }
    }
    return false;
  }

  #sizeAt(start: number, available: number): number {
    return checkRecord(this.bytes, start, available, false);
  }

  #load(wanted: number): number {
    if (this.#at + wanted > this.#to) return 0;
    if (wanted > this.bytes.length) this.bytes = new Uint8Array(wanted);
    const length = Math.min(this.bytes.length, this.#to - this.#at);
    this.#from = this.#at;
    this.#length = 0;
    while (this.#length < length) {
      const count = this.#source.read(this.bytes, this.#length, length - this.#length, this.#at + this.#length);
      if (count === 0) break;
      this.#length += count;
    }
    return this.#length;
  }
}
