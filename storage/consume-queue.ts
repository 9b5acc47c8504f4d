/**
 * One consume queue: 20-byte entries that point into the log, in files of fixed size. Written by the dispatcher alone.
 * Source: spec storage 4; ConsumeQueue.
 */
import { getI32, getI64, putI32, putI64 } from '../protocol/bytes.js';
import { BLANK_UNIT_SIZE, ConsumeQueueUnit } from '../protocol/consume-queue-unit.js';
import type { Disk } from './disk.js';
import { SegmentCache } from './segment-cache.js';

const UNIT = ConsumeQueueUnit.size;
const at = ConsumeQueueUnit.at;
/** Entries of a gap that are written at once. */
const BLANK_UNITS = 4096;

/** Gathers entries and writes them in runs. Hot. */
export class ConsumeQueueWriter {
  /** Index of the next entry. Units: entries. */
  nextOffset: number;
  /**
   * First entry of a queue whose first message here is not its first: what is before it fills a gap. Units: entries.
   */
  startOffset = 0;
  /** Entries written, not only gathered: what readers may see. Units: entries. */
  writtenOffset: number;
  /** End of the last record that was appended. Units: bytes in the log. */
  maxPhysicalOffset: number;
  /** Entries not synced yet. Units: entries. */
  unsyncedCount = 0;
  readonly #segments: SegmentCache;
  readonly #restart: (() => void) | undefined;
  /** Starts of files with entries that are not synced. Units: bytes. */
  readonly #unsynced = new Set<number>();
  #pending = new Uint8Array(UNIT * 64);
  #pendingCount = 0;

  /**
   * `fileSize`: a multiple of 20. `nextOffset` and `maxPhysicalOffset` come from recovery; 0 and -1 for a new queue.
   * `restart` deletes all files: then a record that is newer than all entries, and yet has a lower offset, is the first
   * of a queue that began anew when its topic was made again. Without it such a record is left out.
   */
  constructor(
    disk: Disk,
    folder: string,
    fileSize: number,
    nextOffset: number,
    maxPhysicalOffset: number,
    restart?: () => void,
  ) {
    this.#segments = new SegmentCache(disk, folder, fileSize, 'create', 4);
    this.#restart = restart;
    this.nextOffset = nextOffset;
    this.writtenOffset = nextOffset;
    this.maxPhysicalOffset = maxPhysicalOffset;
  }

  /**
   * Appends the entry of one record. What is there already is left alone, so records may be dispatched again.
   * Shape: the tags code is given in two halves. Returns whether the queue grew.
   */
  append(queueOffset: number, physicalOffset: number, size: number, tagsHigh: number, tagsLow: number): boolean {
    if (physicalOffset + size <= this.maxPhysicalOffset) return false;
    if (queueOffset < this.nextOffset && !this.#beginAnew()) return false;
    if (queueOffset > this.nextOffset) this.#skipTo(queueOffset);
    if ((this.#pendingCount + 1) * UNIT > this.#pending.length) this.#grow();
    const start = this.#pendingCount * UNIT;
    putI64(this.#pending, start + at.physicalOffset, physicalOffset);
    putI32(this.#pending, start + at.size, size);
    putI32(this.#pending, start + at.tagsCode, tagsHigh);
    putI32(this.#pending, start + at.tagsCode + 4, tagsLow);
    this.#pendingCount++;
    this.nextOffset++;
    this.maxPhysicalOffset = physicalOffset + size;
    return true;
  }

  #beginAnew(): boolean {
    if (this.#restart === undefined) return false;
    this.#segments.close();
    this.#unsynced.clear();
    this.#restart();
    this.#pendingCount = 0;
    this.unsyncedCount = 0;
    this.startOffset = 0;
    this.nextOffset = 0;
    this.writtenOffset = 0;
    return true;
  }

  /**
   * A queue that starts late (its older files are gone, or it came by replication): the gap from the start of the file
   * is filled with entries that nobody is served, so that the file is whole.
   */
  #skipTo(queueOffset: number): void {
    this.write();
    const unitsPerFile = this.#segments.segmentSize / UNIT;
    // A queue without files begins with the file that holds its first entry; one that has files stays without a hole.
    const from = this.nextOffset === 0 ? queueOffset - (queueOffset % unitsPerFile) : this.nextOffset;
    const blank = new Uint8Array(UNIT * Math.min(BLANK_UNITS, queueOffset - from));
    for (let unit = 0; unit < blank.length; unit += UNIT) putI32(blank, unit + at.size, BLANK_UNIT_SIZE);
    for (let index = from; index < queueOffset; ) {
      const within = (index * UNIT) % this.#segments.segmentSize;
      const left = Math.min(queueOffset - index, (this.#segments.segmentSize - within) / UNIT);
      const bytes = Math.min(blank.length, left * UNIT);
      this.#segments.at(index * UNIT)!.write(blank, 0, bytes, within);
      index += bytes / UNIT;
    }
    if (this.nextOffset === 0) this.startOffset = queueOffset;
    this.nextOffset = queueOffset;
    this.writtenOffset = queueOffset;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#pending.length * 2);
    grown.set(this.#pending);
    this.#pending = grown;
  }

  /**
   * Writes what was gathered, a run for each file.
   * Errors: RingError DISK_WRITE_FAILED; what was not written stays gathered and is tried again by the next call.
   */
  write(): void {
    let done = 0;
    while (done < this.#pendingCount) {
      const position = this.writtenOffset * UNIT;
      const within = position % this.#segments.segmentSize;
      const count = Math.min(this.#pendingCount - done, (this.#segments.segmentSize - within) / UNIT);
      this.#segments.at(position)!.write(this.#pending, done * UNIT, count * UNIT, within);
      this.#unsynced.add(position - within);
      done += count;
      this.writtenOffset += count;
      this.unsyncedCount += count;
      this.#pending.copyWithin(0, done * UNIT, this.#pendingCount * UNIT);
      this.#pendingCount -= done;
      done = 0;
    }
    if (this.#pending.length > UNIT * 1024) this.#pending = new Uint8Array(UNIT * 64);
  }

  /** Puts what was written on the device. Errors: RingError DISK_WRITE_FAILED; it counts as not synced then. */
  sync(): void {
    for (const start of this.#unsynced) {
      // A file that was retired meanwhile must not be made again.
      this.#segments.existing(start)?.sync();
      this.#unsynced.delete(start);
    }
    this.unsyncedCount = 0;
  }

  /** The same without blocking; `done` is called once, with the first error. */
  syncAsync(done: (error: Error | null) => void): void {
    const starts = [...this.#unsynced];
    const count = this.unsyncedCount;
    this.#unsynced.clear();
    // One after the other: a cache of few descriptors must not close one whose sync is under way.
    const next = (): void => {
      const start = starts.shift();
      if (start === undefined) {
        this.unsyncedCount -= count;
        return done(null);
      }
      const file = this.#segments.existing(start);
      if (file === undefined) return next();
      file.syncAsync(error => {
        if (error === null) return next();
        for (const unsynced of [start, ...starts]) this.#unsynced.add(unsynced);
        done(error);
      });
    };
    next();
  }

  closeBefore(offset: number): void {
    this.#segments.closeBefore(offset * UNIT);
  }

  close(): void {
    this.#segments.close();
  }
}

/** Reads entries of one queue. Hot: {@link load} fills a buffer, the accessors read from it. */
export class ConsumeQueueReader {
  readonly #segments: SegmentCache;
  /** The entries that {@link load} read. */
  readonly units: Uint8Array;

  constructor(disk: Disk, folder: string, fileSize: number, units: Uint8Array) {
    this.#segments = new SegmentCache(disk, folder, fileSize, 'read', 1);
    this.units = units;
  }

  /**
   * Reads up to `count` entries from `offset` on, not beyond the end of the file that holds it; returns how many.
   * 0 when there is no such file. Errors: RingError DISK_READ_FAILED.
   */
  load(offset: number, count: number): number {
    const size = this.#segments.segmentSize;
    const position = offset * UNIT;
    const within = position % size;
    const bytes = Math.min(count * UNIT, size - within, this.units.length);
    const file = this.#segments.at(position);
    return file === undefined ? 0 : Math.floor(file.read(this.units, 0, bytes, within) / UNIT);
  }

  /** Entries in one file. */
  get unitsPerFile(): number {
    return this.#segments.segmentSize / UNIT;
  }

  physicalOffset(index: number): number {
    return getI64(this.units, index * UNIT + at.physicalOffset);
  }

  size(index: number): number {
    return getI32(this.units, index * UNIT + at.size);
  }

  /** The tags code whole: in the schedule topic the time of delivery. */
  tagsCode(index: number): number {
    return getI64(this.units, index * UNIT + at.tagsCode);
  }

  /** Low half of the tags code: what tag filters compare. */
  tagsLow(index: number): number {
    return getI32(this.units, index * UNIT + at.tagsCode + 4);
  }

  close(): void {
    this.#segments.close();
  }
}
