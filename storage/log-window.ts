/**
 * A window of the log in memory: who reads one message will mostly want what stands behind it too, so one read serves
 * many. What is below the appended position never changes. Hot.
 */
import type { CommitLogReader } from './commit-log-reader.js';

export class LogWindow {
  readonly #reader: CommitLogReader;
  readonly #sizeMax: number;
  /** The bytes; {@link find} says where in them. */
  bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** `sizeMax`: it grows beyond only for a larger record. Units: bytes. */
  constructor(reader: CommitLogReader, sizeMax: number) {
    this.#reader = reader;
    this.#sizeMax = sizeMax;
  }

  /**
   * Makes sure that `[position, position + size)` is in the window when it can be had; when it has to read, it reads
   * `ahead` bytes, as far as they fit the window. Returns the index of `position` in {@link bytes}, or -1 when the log
   * does not hold it (any more).
   * Errors: RingError DISK_READ_FAILED.
   */
  find(position: number, size: number, ahead: number, appended: number): number {
    if (position >= this.#start && position + size <= this.#end) return position - this.#start;
    if (position + size > appended) return -1;
    const sizeMax = this.#sizeMax;
    if (this.bytes.length < Math.max(sizeMax, size)) this.bytes = new Uint8Array(Math.max(sizeMax, size));
    else if (this.bytes.length > sizeMax && size <= sizeMax) this.bytes = new Uint8Array(sizeMax);
    const wanted = Math.min(this.bytes.length, Math.max(size, ahead), appended - position);
    this.#start = 0;
    this.#end = 0;
    const length = this.#reader.read(this.bytes, 0, wanted, position);
    this.#start = position;
    this.#end = position + length;
    return length >= size ? 0 : -1;
  }

  /** Forgets what it holds: the log was truncated, or its start moved. */
  clear(): void {
    this.#start = 0;
    this.#end = 0;
  }

  /** Gives its memory back. */
  release(): void {
    this.clear();
    this.bytes = new Uint8Array(0);
  }

  close(): void {
    this.#reader.close();
  }
}
