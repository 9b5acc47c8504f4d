/**
 * Appends records to the log: many at a time with one write, rolling to a new file behind a BLANK. Hot.
 *
 * Use: {@link stage} each request's records, stamp them where they were staged, then {@link commit}. Nothing counts
 * before commit returns; when it throws, {@link rollback} and tell every sender.
 * Source: spec storage 3.1, 3.7; CommitLog.
 */
import { join } from 'node:path';
import { BLANK_SIZE_MIN, putBlank } from '../protocol/message-record.js';
import { assert } from '../runtime/base/assert.js';
import type { Disk } from './disk.js';
import { segmentName } from './paths.js';
import { SegmentCache } from './segment-cache.js';

const BUFFER_SIZE = 1024 * 1024;

export class CommitLogAppender {
  readonly segmentSize: number;
  /** What was staged since the last commit stands in `buffer[0, stagedSize)`. */
  buffer: Uint8Array = new Uint8Array(64 * 1024);
  stagedSize = 0;
  /** Position behind the last committed byte. Units: bytes. */
  end: number;
  /** Up to here the file may hold records that were refused; 0: none. */
  #wipeUntil = 0;
  readonly #disk: Disk;
  readonly #segments: SegmentCache;
  readonly #blank = new Uint8Array(BLANK_SIZE_MIN);

  constructor(disk: Disk, folder: string, segmentSize: number, end: number) {
    this.#disk = disk;
    this.segmentSize = segmentSize;
    this.end = end;
    // Two: the one being written, and the one before it that may still be synced.
    this.#segments = new SegmentCache(disk, folder, segmentSize, 'create', 2);
  }

  /** True when records of `size` bytes belong in the same write as what is staged. */
  fits(size: number): boolean {
    if (this.stagedSize === 0) return true;
    return this.stagedSize + size <= BUFFER_SIZE && this.#room() - this.stagedSize >= size + BLANK_SIZE_MIN;
  }

  #room(): number {
    return this.segmentSize - (this.end % this.segmentSize);
  }

  /**
   * Copies `source[start, start + size)` behind what is staged; returns where it stands in {@link buffer}. Its physical
   * offset is {@link end} plus that. Call {@link fits} first. Records of one call are never split by a roll.
   * Errors: RingError DISK_WRITE_FAILED when the file must roll and cannot.
   */
  stage(source: Uint8Array, start: number, size: number): number {
    assert(size + BLANK_SIZE_MIN <= this.segmentSize, 'a request fits a segment');
    if (this.stagedSize === 0 && this.#room() < size + BLANK_SIZE_MIN) this.#roll();
    const at = this.stagedSize;
    if (this.buffer.length < at + size) {
      const grown = new Uint8Array(Math.max(at + size, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, at));
      this.buffer = grown;
    }
    this.buffer.set(source.subarray(start, start + size), at);
    this.stagedSize = at + size;
    return at;
  }

  /** An empty log begins at `position`, the start of a segment: a slave's does not hold its master's older files. */
  begin(position: number): void {
    assert(this.end === 0 && this.stagedSize === 0, 'only an empty log can begin elsewhere');
    assert(position % this.segmentSize === 0, 'a log begins at the start of a segment');
    this.end = position;
  }

  /**
   * Writes `source[start, start + size)` at {@link end} as it is, a BLANK and what follows it included: records that
   * another broker made, at the place that broker gave them. They do not cross the end of a segment.
   * Errors: RingError DISK_WRITE_FAILED; nothing of it counts then, and the same bytes may be written again.
   */
  appendReplica(source: Uint8Array, start: number, size: number): void {
    assert(this.stagedSize === 0, 'a replica stages nothing');
    assert(size <= this.#room(), 'a replica does not cross the end of a segment');
    this.#segments.at(this.end)!.write(source, start, size, this.end % this.segmentSize);
    this.end += size;
  }

  #roll(): void {
    const room = this.#room();
    if (room !== this.segmentSize) {
      putBlank(this.#blank, 0, room);
      this.#segments.at(this.end)!.write(this.#blank, 0, BLANK_SIZE_MIN, this.end % this.segmentSize);
      this.end += room;
    }
    this.#segments.at(this.end);
  }

  /** Writes what is staged. Errors: RingError DISK_WRITE_FAILED; nothing of it counts then. */
  commit(): void {
    const size = this.stagedSize;
    if (size === 0) return;
    this.#wipe();
    this.#segments.at(this.end)!.write(this.buffer, 0, size, this.end % this.segmentSize);
    this.end += size;
    this.stagedSize = 0;
    // A large message may have grown the buffer; do not keep it.
    if (this.buffer.length > 2 * BUFFER_SIZE) this.buffer = new Uint8Array(BUFFER_SIZE);
  }

  /**
   * Forgets what is staged, after a {@link commit} that threw. Whole records of it may have reached the file, and a
   * restart would take them for real ones: they are wiped now or, when the disk still refuses, before the next append.
   */
  rollback(): void {
    this.#wipeUntil = Math.max(this.#wipeUntil, this.end + this.stagedSize);
    this.stagedSize = 0;
    try {
      this.#wipe();
    } catch {
      // The disk still refuses: the caller knows already.
    }
  }

  #wipe(): void {
    const size = this.#wipeUntil - this.end;
    if (size <= 0) return;
    this.#segments.at(this.end)!.write(new Uint8Array(size), 0, size, this.end % this.segmentSize);
    this.#wipeUntil = 0;
  }

  /** Deletes segments from `minimum` on that end at or before `position`; returns the start of what remains. */
  retire(minimum: number, position: number): number {
    const last = this.end - (this.end % this.segmentSize);
    let start = minimum;
    while (start + this.segmentSize <= position && start < last) {
      this.#disk.remove(join(this.#segments.folder, segmentName(start)));
      start += this.segmentSize;
    }
    this.#segments.closeBefore(start);
    return start;
  }

  close(): void {
    this.#segments.close();
  }
}
