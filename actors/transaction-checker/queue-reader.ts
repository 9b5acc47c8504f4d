/**
 * Reads one queue message by message, by queue offset. Entries and records are read ahead: who follows a queue wants
 * what comes next.
 */

import { BLANK_UNIT_SIZE } from '../../protocol/consume-queue-unit.js';
import { recordTotalSize } from '../../protocol/message-record.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import { LogWindow } from '../../storage/log-window.js';
import type { QueueTable } from '../queue-table.js';

const WINDOW_SIZE = 64 * 1024;

export interface QueueReaderOptions {
  /** Index into the queue table. */
  readonly number: number;
  readonly table: QueueTable;
  readonly positions: Positions;
  readonly log: CommitLogReader;
  readonly entries: ConsumeQueueReader;
  /** Entries read at once. */
  readonly ahead: number;
}

export class QueueReader {
  readonly #options: QueueReaderOptions;
  readonly #window: LogWindow;
  #entriesFrom = 0;
  #entriesCount = 0;

  constructor(options: QueueReaderOptions) {
    this.#options = options;
    this.#window = new LogWindow(options.log, WINDOW_SIZE);
  }

  /** Holds the record that {@link find} found, until the next call. */
  get bytes(): Uint8Array {
    return this.#window.bytes;
  }

  /** First offset that may be read. Units: entries. */
  get min(): number {
    return this.#options.table.min(this.#options.number);
  }

  /** One behind the last offset that may be read. Units: entries. */
  get max(): number {
    return this.#options.table.max(this.#options.number);
  }

  /**
   * Where in {@link bytes} the record at `offset` begins; -1 when there is none (any more).
   * Errors: RingError DISK_READ_FAILED.
   */
  find(offset: number): number {
    const { max, min } = this;
    if (offset < min || offset >= max) return -1;
    const { entries, positions, ahead } = this.#options;
    if (offset < this.#entriesFrom || offset >= this.#entriesFrom + this.#entriesCount) {
      this.#entriesFrom = offset;
      this.#entriesCount = entries.load(offset, Math.min(ahead, max - offset));
      if (this.#entriesCount === 0) return -1;
    }
    const index = offset - this.#entriesFrom;
    const position = entries.physicalOffset(index);
    const size = entries.size(index);
    const appended = positions.read('appended');
    const isGone = size === BLANK_UNIT_SIZE || position < positions.read('minimum') || position + size > appended;
    if (isGone) return -1;
    const at = this.#window.find(position, size, WINDOW_SIZE, appended);
    return at >= 0 && recordTotalSize(this.bytes, at) === size ? at : -1;
  }

  /** Forgets what was read ahead. */
  clear(): void {
    this.#entriesCount = 0;
    this.#window.release();
  }

  close(): void {
    this.#options.entries.close();
  }
}
