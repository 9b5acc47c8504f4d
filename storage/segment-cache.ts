/**
 * Open files of a segmented store file (commit log or one consume queue) for one actor, by position. Files are fixed in
 * size and named by their start offset. Each actor has descriptors of its own, so a segment that the writer retires
 * stays readable for who is in the middle of it.
 */
import { join } from 'node:path';
import type { Disk, DiskFile } from './disk.js';
import { segmentName } from './paths.js';

export class SegmentCache {
  readonly folder: string;
  /** Units: bytes. */
  readonly segmentSize: number;
  readonly #disk: Disk;
  readonly #mode: 'read' | 'create';
  readonly #openMax: number;
  /** The most recent one is last. */
  readonly #open: { start: number; file: DiskFile }[] = [];

  /** `mode` create: a missing segment is made, at its full size. */
  constructor(disk: Disk, folder: string, segmentSize: number, mode: 'read' | 'create', openMax: number) {
    this.#disk = disk;
    this.folder = folder;
    this.segmentSize = segmentSize;
    this.#mode = mode;
    this.#openMax = openMax;
  }

  startOf(position: number): number {
    return position - (position % this.segmentSize);
  }

  /**
   * The segment that holds `position`; undefined when it does not exist and is not to be made.
   * Errors: RingError DISK_WRITE_FAILED when it cannot be made.
   */
  at(position: number): DiskFile | undefined {
    return this.#find(position, this.#mode === 'create');
  }

  /** The same, but a segment that does not exist is never made. */
  existing(position: number): DiskFile | undefined {
    return this.#find(position, false);
  }

  #find(position: number, mayCreate: boolean): DiskFile | undefined {
    const start = this.startOf(position);
    const open = this.#open;
    const last = open.length - 1;
    if (last >= 0 && open[last]!.start === start) return open[last]!.file;
    for (let index = last - 1; index >= 0; index--) {
      if (open[index]!.start !== start) continue;
      const [entry] = open.splice(index, 1);
      open.push(entry!);
      return entry!.file;
    }
    return this.#openAt(start, mayCreate);
  }

  #openAt(start: number, mayCreate: boolean): DiskFile | undefined {
    const path = join(this.folder, segmentName(start));
    const exists = this.#disk.facts(path) !== undefined;
    if (!exists && !mayCreate) return undefined;
    if (!exists) this.#disk.makeFolder(this.folder);
    const file = this.#disk.open(path, this.#mode);
    if (!exists) this.#resize(file);
    this.#open.push({ start, file });
    if (this.#open.length > this.#openMax) this.#open.shift()!.file.close();
    return file;
  }

  #resize(file: DiskFile): void {
    try {
      file.truncate(this.segmentSize);
    } catch (error) {
      file.close();
      this.#disk.remove(file.path);
      throw error;
    }
  }

  /** Open segments, for syncing. */
  openSegments(): readonly { readonly start: number; readonly file: DiskFile }[] {
    return this.#open;
  }

  /** Closes segments that end at or before `position`. */
  closeBefore(position: number): void {
    for (let index = this.#open.length - 1; index >= 0; index--) {
      if (this.#open[index]!.start + this.segmentSize <= position) this.#open.splice(index, 1)[0]!.file.close();
    }
  }

  close(): void {
    for (const { file } of this.#open) file.close();
    this.#open.length = 0;
  }
}

/** Puts a stretch of a segmented file on the device. Blocks. Errors: RingError DISK_WRITE_FAILED. */
export function syncSegments(disk: Disk, folder: string, segmentSize: number, from: number, to: number): void {
  const segments = new SegmentCache(disk, folder, segmentSize, 'read', 2);
  try {
    for (let start = segments.startOf(from); start < to; start += segmentSize) segments.at(start)?.sync();
  } finally {
    segments.close();
  }
}
