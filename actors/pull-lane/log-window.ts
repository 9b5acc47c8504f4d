/**
 * A window of the log in memory: consumers of several queues walk the same bytes at about the same time, so one read
 * serves many pulls. What is below the appended position never changes. Hot.
 */
import type { CommitLogReader } from '../../storage/commit-log-reader.js';

const WINDOW_SIZE = 512 * 1024;
/** A read is this many times as long as what is asked for, up to the window: the next pulls want what follows. */
const READ_AHEAD = 4;

export class LogWindow {
  readonly #reader: CommitLogReader;
  /** The bytes; {@link find} says where in them. */
  bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(reader: CommitLogReader) {
    this.#reader = reader;
  }

  /**
   * Makes sure that `[position, position + size)` is in the window when it can be had; `wanted` is how far the caller
   * will read on. Returns the index of `position` in {@link bytes}, or -1 when the log does not hold it (any more).
   */
  find(position: number, size: number, wanted: number, appended: number): number {
    if (position >= this.#start && position + size <= this.#end) return position - this.#start;
    if (position + size > appended) return -1;
    if (this.bytes.length < Math.max(WINDOW_SIZE, size)) this.bytes = new Uint8Array(Math.max(WINDOW_SIZE, size));
    else if (this.bytes.length > WINDOW_SIZE && size <= WINDOW_SIZE) this.bytes = new Uint8Array(WINDOW_SIZE);
    const ahead = Math.min(this.bytes.length, Math.max(size, wanted * READ_AHEAD));
    const length = this.#reader.read(this.bytes, 0, Math.min(ahead, appended - position), position);
    this.#start = position;
    this.#end = position + length;
    return length >= size ? 0 : -1;
  }

  /** Forgets what it holds: the log was truncated, or its start moved. */
  clear(): void {
    this.#start = 0;
    this.#end = 0;
  }
}
