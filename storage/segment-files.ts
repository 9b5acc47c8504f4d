/**
 * The segment files of one folder as recovery finds them: checked against the configured size before anything is read,
 * and cut to a new end without leaving old bytes behind it. Cold. Source: spec storage 2; MappedFileQueue.
 */
import { join } from 'node:path';
import { RingError } from '../runtime/base/errors.js';
import { KiB } from '../runtime/base/units.js';
import type { Disk, DiskFile } from './disk.js';
import { parseSegmentName } from './paths.js';

export interface SegmentFile {
  readonly path: string;
  /** Where the segment begins in its endless stream. Units: bytes. */
  readonly startOffset: number;
}

/** What all segments of a folder have in common. */
export interface SegmentFolder {
  readonly disk: Disk;
  readonly folder: string;
  /** Units: bytes. */
  readonly segmentSize: number;
  /** The configuration key `segmentSize` came from, for messages. */
  readonly sizeKey: 'mappedFileSizeCommitLog' | 'mappedFileSizeConsumeQueue';
}

/** A segment whose tail is being cleared is called this meanwhile, so that its odd length is never mistaken. */
const RESIZE_SUFFIX = '.resize';
/** Units: bytes. */
const PROBE_SIZE = 64 * KiB;

/**
 * The segments of a folder, oldest first. Names that are not 20 digits are left alone.
 * Finishes what a crash interrupted: a tail being cleared, and a newest file that was made but not yet given its size.
 *
 * Errors: RingError STORE_CORRUPT for a file of another size, a start offset that is no multiple of the size, or a gap.
 */
export function openSegments(segmentFolder: SegmentFolder): SegmentFile[] {
  const { disk, folder, segmentSize } = segmentFolder;
  finishResizes(segmentFolder);
  const segments: SegmentFile[] = [];
  for (const name of disk.list(folder)) {
    const startOffset = parseSegmentName(name);
    const path = join(folder, name);
    if (startOffset >= 0 && disk.facts(path)?.isDirectory === false) segments.push({ path, startOffset });
  }
  checkOffsets(segmentFolder, segments);
  let newerAreEmpty = true;
  for (const segment of segments.toReversed()) {
    const size = disk.facts(segment.path)?.size ?? 0;
    newerAreEmpty &&= size === 0;
    if (newerAreEmpty) resize(disk, segment.path, segmentSize);
    else if (size !== segmentSize) throw wrongSize(segmentFolder, segment.path, size);
  }
  return segments;
}

function checkOffsets(segmentFolder: SegmentFolder, segments: readonly SegmentFile[]): void {
  const { segmentSize, sizeKey, folder } = segmentFolder;
  let expected = segments[0]?.startOffset ?? 0;
  for (const { path, startOffset } of segments) {
    if (startOffset % segmentSize !== 0) {
      throw new RingError(
        'STORE_CORRUPT',
        `${path} begins at ${startOffset}, which is no multiple of ${sizeKey}=${segmentSize}: ` +
          `set ${sizeKey} to the size this store was created with`,
        { path, startOffset, segmentSize, sizeKey },
      );
    }
    if (startOffset !== expected) {
      throw new RingError(
        'STORE_CORRUPT',
        `${folder} has a gap: the file that begins at ${expected} is missing, the next one is ${path}. ` +
          `Restore the missing file, or move the older files away if their content may be lost. ` +
          `If no file is missing, ${sizeKey}=${segmentSize} is not the size this store was created with`,
        { folder, expected, path, segmentSize, sizeKey },
      );
    }
    expected += segmentSize;
  }
}

function wrongSize(segmentFolder: SegmentFolder, path: string, size: number): RingError {
  const { segmentSize, sizeKey } = segmentFolder;
  return new RingError(
    'STORE_CORRUPT',
    `${path} is ${size} bytes long but ${sizeKey} is ${segmentSize}: set ${sizeKey} to the size this store was ` +
      `created with, or restore the file if it was cut`,
    { path, size, segmentSize, sizeKey },
  );
}

/** Removes the segments that begin behind `end`; the newest first, so that a crash in between leaves no gap. */
export function removeSegmentsBehind(disk: Disk, segments: SegmentFile[], end: number): SegmentFile[] {
  const removed: SegmentFile[] = [];
  while (segments.length > 0 && segments.at(-1)!.startOffset > end) {
    const segment = segments.pop()!;
    disk.remove(segment.path);
    removed.push(segment);
  }
  return removed;
}

export interface ClearTailOptions {
  /** First byte of the segment that must read as zero. Units: bytes from the segment's start. */
  readonly from: number;
  /** Clear without looking. Otherwise a tail whose next 64 KiB are zero is taken to be zero to its end. */
  readonly always: boolean;
  /** Wait until the device has it. */
  readonly sync: boolean;
}

/**
 * Makes all bytes of a segment from `from` on read as zero; returns how many of the next 64 KiB held something.
 *
 * A Java broker only moves its positions back and leaves the old bytes. With messages of one size, an old record may
 * then begin exactly where the next crash cuts the log, and would be taken for real. So the file is cut at `from` and
 * brought back to its size, which costs two calls however long the tail is. In between its length is wrong, so it bears
 * another name meanwhile: {@link openSegments} finishes the work, and a Java broker refuses the folder instead of
 * misreading it. The modification time stays: retention and searches by time go by it.
 */
export function clearTail(segmentFolder: SegmentFolder, segment: SegmentFile, options: ClearTailOptions): number {
  const { disk, segmentSize } = segmentFolder;
  if (options.from >= segmentSize) return 0;
  const dirtyBytes = probeTail(disk, segment.path, options.from, segmentSize);
  if (dirtyBytes === 0 && !options.always) return 0;
  const modifiedMs = disk.facts(segment.path)!.modifiedMs;
  const resizing = segment.path + RESIZE_SUFFIX;
  disk.rename(segment.path, resizing);
  const file = disk.open(resizing, 'write');
  try {
    file.truncate(options.from);
    file.truncate(segmentSize);
    if (options.sync) file.sync();
  } finally {
    file.close();
  }
  disk.setModified(resizing, modifiedMs);
  disk.rename(resizing, segment.path);
  if (options.sync) disk.syncFolder(segmentFolder.folder);
  return dirtyBytes;
}

/** How far into the next 64 KiB behind `from` the last byte stands that is not zero. */
function probeTail(disk: Disk, path: string, from: number, segmentSize: number): number {
  const bytes = new Uint8Array(Math.min(PROBE_SIZE, segmentSize - from));
  const file = disk.open(path, 'read');
  try {
    readFully(file, bytes, bytes.length, from);
  } finally {
    file.close();
  }
  return bytes.findLastIndex(byte => byte !== 0) + 1;
}

function finishResizes(segmentFolder: SegmentFolder): void {
  const { disk, folder, segmentSize } = segmentFolder;
  for (const name of disk.list(folder)) {
    if (!name.endsWith(RESIZE_SUFFIX)) continue;
    const segmentName = name.slice(0, -RESIZE_SUFFIX.length);
    if (parseSegmentName(segmentName) < 0) continue;
    if (disk.facts(join(folder, segmentName)) !== undefined) {
      throw new RingError(
        'STORE_CORRUPT',
        `${folder} holds both ${name} and ${segmentName}: a start was interrupted while it cleared the end of that file, ` +
          `and something else has made a new one since. Keep the one with the messages under the name ${segmentName}`,
        { folder, name },
      );
    }
    resize(disk, join(folder, name), segmentSize);
    disk.rename(join(folder, name), join(folder, segmentName));
  }
}

function resize(disk: Disk, path: string, size: number): void {
  const file = disk.open(path, 'write');
  try {
    file.truncate(size);
    file.sync();
  } finally {
    file.close();
  }
}

/** Reads until `length` bytes are there or the file ends; returns how many there were. */
export function readFully(file: DiskFile, target: Uint8Array, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = file.read(target, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
