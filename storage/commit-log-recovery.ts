/**
 * Finds the true end of the log when a store is opened, and makes everything behind it disappear. Cold.
 *
 * After a clean stop the third newest file is where the scan begins; after a crash it is the newest file that was on
 * disk as a whole before the checkpoint. Records are followed one by one; the end is where no whole record begins.
 * Source: spec storage 10.2, 10.3; CommitLog.recoverNormally, recoverAbnormally.
 */
import { getI32, getI64 } from '../protocol/bytes.js';
import {
  BLANK_SIZE_MIN,
  RecordLayout,
  recordPropertiesSize,
  recordPropertiesStart,
} from '../protocol/message-record.js';
import { assert } from '../runtime/base/assert.js';
import { MiB } from '../runtime/base/units.js';
import { type Checkpoint, minTimestamp, minTimestampWithIndex } from './checkpoint.js';
import type { Disk, DiskFile } from './disk.js';
import {
  checkRecord,
  hasMessageMagic,
  RecordCheck,
  STORE_TIMESTAMP_END_MAX,
  storeTimestampOf,
} from './record-check.js';
import {
  clearTail,
  openSegments,
  readFully,
  removeSegmentsBehind,
  type SegmentFile,
  type SegmentFolder,
} from './segment-files.js';

/** Read at once. Units: bytes. */
const WINDOW_SIZE = 4 * MiB;
/** The least that a device writes or does not write. Units: bytes. */
const SECTOR_SIZE = 512;
/** Files scanned again although the broker stopped cleanly. */
const CLEAN_STOP_FILES = 3;

export interface RecoveryProgress {
  readonly scannedBytes: number;
  /** What the scan will read at most. */
  readonly totalBytes: number;
  readonly recordsScanned: number;
}

export interface CommitLogRecoveryOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** mappedFileSizeCommitLog. Units: bytes. */
  readonly segmentSize: number;
  readonly checkpoint: Readonly<Checkpoint>;
  /** There was no abort file. */
  readonly cleanStop: boolean;
  /** checkCRCOnRecover. */
  readonly checkCrc: boolean;
  /** messageIndexEnable and messageIndexSafe: begin early enough to build the index again. */
  readonly indexToo?: boolean;
  /** Called for every record scanned, in order; the bytes are valid during the call only. */
  readonly onRecord?: (bytes: Uint8Array, start: number, size: number, physicalOffset: number) => void;
  readonly onProgress?: (progress: RecoveryProgress) => void;
}

export interface CommitLogRecovery {
  /** Start of the oldest file; 0 when there is none. */
  readonly minOffset: number;
  /** Where the next record goes. At a file's very end or start the file for it may not exist yet. */
  readonly endOffset: number;
  /** The files that remain, oldest first. */
  readonly segments: readonly SegmentFile[];
  /** Bytes behind the end that held something: removed files, and what was found in the 64 KiB behind it. */
  readonly truncatedBytes: number;
  readonly recordsScanned: number;
  /**
   * Queue entries from here on may be missing or torn. After a clean stop that is the end of the log: begin where the
   * queues end, if they end earlier. After a crash cut the queues to it and dispatch from it.
   */
  readonly dispatchFrom: number;
}

/**
 * Recovers the log in a folder: on return its files hold whole records up to `endOffset` and zeros behind it.
 *
 * Errors: RingError STORE_CORRUPT (see {@link openSegments}), DISK_READ_FAILED, DISK_WRITE_FAILED.
 */
export function recoverCommitLog(options: CommitLogRecoveryOptions): CommitLogRecovery {
  const { disk, folder, segmentSize, cleanStop } = options;
  const segmentFolder: SegmentFolder = { disk, folder, segmentSize, sizeKey: 'mappedFileSizeCommitLog' };
  const segments = openSegments(segmentFolder);
  if (segments.length === 0) {
    return { minOffset: 0, endOffset: 0, segments, truncatedBytes: 0, recordsScanned: 0, dispatchFrom: 0 };
  }
  const first = chooseFirst(options, segments);
  const scan = new Scan(options, segments.length - first);
  let endOffset = segments[first]!.startOffset;
  for (const segment of segments.slice(first)) {
    const end = scan.segment(segment);
    endOffset = segment.startOffset + end;
    if (end < segmentSize) break;
  }
  const scanStart = segments[first]!.startOffset;

  let truncatedBytes = 0;
  for (const segment of segments) {
    // A file without a record at its start was made ahead of need and never used.
    if (segment.startOffset > endOffset && beginsWithMessage(disk, segment)) truncatedBytes += segmentSize;
  }
  if (removeSegmentsBehind(disk, segments, endOffset).length > 0) disk.syncFolder(folder);
  const last = segments.at(-1)!;
  truncatedBytes += clearTail(segmentFolder, last, {
    from: endOffset - last.startOffset,
    always: !cleanStop,
    sync: true,
  });
  return {
    minOffset: segments[0]!.startOffset,
    endOffset,
    segments,
    truncatedBytes,
    recordsScanned: scan.recordsScanned,
    dispatchFrom: cleanStop ? endOffset : scanStart,
  };
}

/** The index of the file where the scan begins. */
function chooseFirst(options: CommitLogRecoveryOptions, segments: readonly SegmentFile[]): number {
  let first = Math.max(0, segments.length - CLEAN_STOP_FILES);
  if (!options.cleanStop) {
    const { checkpoint } = options;
    const flushedMs = options.indexToo ? minTimestampWithIndex(checkpoint) : minTimestamp(checkpoint);
    first = segments.findLastIndex(segment => beganBy(options.disk, segment, flushedMs));
    if (first < 0) return 0;
  }
  // Files made ahead of need say nothing about where the data before them ends.
  while (first > 0 && !beginsWithMessage(options.disk, segments[first]!)) first--;
  return first;
}

function readStart(disk: Disk, segment: SegmentFile): Uint8Array {
  const bytes = new Uint8Array(STORE_TIMESTAMP_END_MAX);
  const file = disk.open(segment.path, 'read');
  try {
    readFully(file, bytes, bytes.length, 0);
  } finally {
    file.close();
  }
  return bytes;
}

function beginsWithMessage(disk: Disk, segment: SegmentFile): boolean {
  return hasMessageMagic(readStart(disk, segment), 0);
}

/** True when the segment's first message was stored by `flushedMs`. */
function beganBy(disk: Disk, segment: SegmentFile, flushedMs: number): boolean {
  const bytes = readStart(disk, segment);
  if (!hasMessageMagic(bytes, 0)) return false;
  const storeTimestamp = storeTimestampOf(bytes, 0);
  return storeTimestamp > 0 && storeTimestamp <= flushedMs;
}

/** One pass over the records, a window of bytes at a time. */
class Scan {
  recordsScanned = 0;
  readonly #options: CommitLogRecoveryOptions;
  readonly #totalBytes: number;
  #scannedBytes = 0;
  #bytes: Uint8Array;
  /** The window: `#length` bytes from position `#start` of the segment. */
  #start = 0;
  #length = 0;

  constructor(options: CommitLogRecoveryOptions, segmentCount: number) {
    this.#options = options;
    this.#totalBytes = segmentCount * options.segmentSize;
    this.#bytes = new Uint8Array(Math.min(WINDOW_SIZE, options.segmentSize));
  }

  /** Follows the records of a segment; returns where they end, or the segment's size when the log goes on behind it. */
  segment(segment: SegmentFile): number {
    const file = this.#options.disk.open(segment.path, 'read');
    try {
      this.#load(file, 0, 0);
      const end = this.#follow(file, segment);
      this.#scannedBytes += end;
      this.#report(0);
      return end;
    } finally {
      file.close();
    }
  }

  #follow(file: DiskFile, segment: SegmentFile): number {
    const { segmentSize, checkCrc, cleanStop, onRecord } = this.#options;
    let position = 0;
    while (position < segmentSize) {
      const start = position - this.#start;
      const available = this.#length - start;
      const size = checkRecord(this.#bytes, start, available, checkCrc);
      if (size === RecordCheck.BLANK) return segmentSize;
      if (size === RecordCheck.INVALID) return position;
      if (size === RecordCheck.TRUNCATED) {
        const wanted = available < BLANK_SIZE_MIN ? BLANK_SIZE_MIN : getI32(this.#bytes, start);
        if (wanted > segmentSize - position) return position;
        this.#report(position);
        if (this.#load(file, position, wanted) < wanted) return position;
        continue;
      }
      const physicalOffset = segment.startOffset + position;
      // A record knows its place: one that names another was copied here by accident.
      if (getI64(this.#bytes, start + RecordLayout.at.physicalOffset) !== physicalOffset) return position;
      if (!cleanStop && this.#isTorn(file, position, start, size)) return position;
      this.recordsScanned++;
      onRecord?.(this.#bytes, start, size, physicalOffset);
      position += size;
    }
    return position;
  }

  /**
   * The properties are the end of a record and have no checksum. When a crash keeps a part of them from the disk it
   * reads as zero, and nothing was written behind them. Real properties end in a value or a separator, and hold no
   * device sector of nothing but zeros.
   */
  #isTorn(file: DiskFile, position: number, start: number, size: number): boolean {
    const propertiesStart = recordPropertiesStart(this.#bytes, start);
    if (recordPropertiesSize(this.#bytes, propertiesStart) === 0) return false;
    const lostItsEnd = this.#bytes[start + size - 1] === 0;
    if (!lostItsEnd && !this.#hasEmptySector(position - start, propertiesStart, start + size)) return false;
    const behind = new Uint8Array(BLANK_SIZE_MIN);
    readFully(file, behind, behind.length, position + size);
    return behind.every(byte => byte === 0);
  }

  /** Whether `bytes[from, to)` has an empty sector; `offset` is where the window begins in the file. */
  #hasEmptySector(offset: number, from: number, to: number): boolean {
    const first = from + ((SECTOR_SIZE - ((offset + from) % SECTOR_SIZE)) % SECTOR_SIZE);
    for (let sector = first; sector + SECTOR_SIZE <= to; sector += SECTOR_SIZE) {
      let at = sector;
      while (at < sector + SECTOR_SIZE && this.#bytes[at] === 0) at++;
      if (at === sector + SECTOR_SIZE) return true;
    }
    return false;
  }

  /** Moves the window to `position`, with `wanted` bytes at least if the file has them; returns how many there are. */
  #load(file: DiskFile, position: number, wanted: number): number {
    const { segmentSize } = this.#options;
    assert(position + wanted <= segmentSize, 'the window stays inside its segment');
    if (wanted > this.#bytes.length) this.#bytes = new Uint8Array(wanted);
    this.#start = position;
    this.#length = readFully(file, this.#bytes, Math.min(this.#bytes.length, segmentSize - position), position);
    return this.#length;
  }

  #report(position: number): void {
    this.#options.onProgress?.({
      scannedBytes: this.#scannedBytes + position,
      totalBytes: this.#totalBytes,
      recordsScanned: this.recordsScanned,
    });
  }
}
