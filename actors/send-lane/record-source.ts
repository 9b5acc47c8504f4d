/** Finds the message that a request names by its place in the log. Hot. */
import { recordTotalSize } from '../../protocol/message-record.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { LogWindow } from '../../storage/log-window.js';
import { RECORD_HEAD_SIZE, recordSizeAt } from '../../storage/record-reader.js';

/** Read when a place is near the one before: transactions that begin together end together. Units: bytes. */
const AHEAD_NEAR = 32 * 1024;
/** Read when it is not. Most records fit; larger ones are read a second time. Units: bytes. */
const AHEAD_FAR = 4 * 1024;

export class RecordSource {
  readonly #window: LogWindow;
  readonly #positions: Positions;
  #last = Number.NEGATIVE_INFINITY;

  constructor(reader: CommitLogReader, positions: Positions) {
    this.#window = new LogWindow(reader, AHEAD_NEAR);
    this.#positions = positions;
  }

  /** Holds the record that {@link find} found, until its next call. */
  get bytes(): Uint8Array {
    return this.#window.bytes;
  }

  /**
   * Where in {@link bytes} the record stands that begins at `position` of the log; -1 when none begins there.
   * Errors: RingError DISK_READ_FAILED.
   */
  find(position: number): number {
    const appended = this.#positions.read('appended');
    const available = appended - position;
    if (!(position >= this.#positions.read('minimum')) || available < RECORD_HEAD_SIZE) return -1;
    const isNear = Math.abs(position - this.#last) < AHEAD_NEAR;
    this.#last = position;
    const ahead = isNear ? AHEAD_NEAR : AHEAD_FAR;
    const head = this.#window.find(position, RECORD_HEAD_SIZE, ahead, appended);
    if (head < 0) return -1;
    const size = recordSizeAt(this.#window.bytes, head, position, available);
    return size < 0 ? -1 : this.#window.find(position, size, ahead, appended);
  }

  /** The record that begins at `position`, valid until the next call; undefined when none begins there. Allocates. */
  take(position: number): Uint8Array | undefined {
    const at = this.find(position);
    return at < 0 ? undefined : this.bytes.subarray(at, at + recordTotalSize(this.bytes, at));
  }

  close(): void {
    this.#window.close();
  }
}
