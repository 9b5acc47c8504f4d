/** Finds the message that a request names by its place in the log. */
import {
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  recordMagic,
  recordPhysicalOffset,
  recordTotalSize,
} from '../../protocol/message-record.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';

/** Most records; larger ones are read a second time. More would be copied for nothing. Units: bytes. */
const READ_AHEAD = 4 * 1024;
const RECORD_SIZE_MIN = 91;

export class RecordSource {
  readonly #reader: CommitLogReader;
  readonly #positions: Positions;
  #bytes = new Uint8Array(READ_AHEAD);

  constructor(reader: CommitLogReader, positions: Positions) {
    this.#reader = reader;
    this.#positions = positions;
  }

  /**
   * The record that begins at `position` of the log, valid until the next call; undefined when none begins there.
   * Errors: RingError DISK_READ_FAILED.
   */
  find(position: number): Uint8Array | undefined {
    const appended = this.#positions.read('appended');
    const available = appended - position;
    if (!(position >= this.#positions.read('minimum')) || available < RECORD_SIZE_MIN) return undefined;
    const length = this.#reader.read(this.#bytes, 0, Math.min(READ_AHEAD, available), position);
    if (length < RECORD_SIZE_MIN) return undefined;
    const magic = recordMagic(this.#bytes, 0);
    if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return undefined;
    // Bytes of a body may look like a record; its own place in it tells.
    if (recordPhysicalOffset(this.#bytes, 0) !== position) return undefined;
    const size = recordTotalSize(this.#bytes, 0);
    if (size < RECORD_SIZE_MIN || size > available) return undefined;
    if (size > length) return this.#readLarge(size, position);
    return this.#bytes.subarray(0, size);
  }

  #readLarge(size: number, position: number): Uint8Array | undefined {
    const bytes = new Uint8Array(size);
    return this.#reader.read(bytes, 0, size, position) === size ? bytes : undefined;
  }

  close(): void {
    this.#reader.close();
  }
}
