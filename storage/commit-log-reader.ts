/** Reads the log at a position, within one file. Source: spec storage 2. */
import type { Disk } from './disk.js';
import { SegmentCache } from './segment-cache.js';

export class CommitLogReader {
  readonly segmentSize: number;
  readonly #segments: SegmentCache;

  constructor(disk: Disk, folder: string, segmentSize: number, openMax = 8) {
    this.segmentSize = segmentSize;
    this.#segments = new SegmentCache(disk, folder, segmentSize, 'read', openMax);
  }

  /**
   * Reads     up to `length` bytes at `position` into `target`, not beyond the end of the file that holds it; returns
   *           how many. 0 when there is no such file (any more). Errors: RingError DISK_READ_FAILED.
   */
  read(target: Uint8Array, targetStart: number, length: number, position: number): number {
    const within = position % this.segmentSize;
    const available = Math.min(length, this.segmentSize - within);
    const file = this.#segments.at(position);
    return file === undefined ? 0 : file.read(target, targetStart, available, within);
  }

  /** Lets go of files that end at or before `position`. */
  closeBefore(position: number): void {
    this.#segments.closeBefore(position);
  }

  close(): void {
    this.#segments.close();
  }
}
