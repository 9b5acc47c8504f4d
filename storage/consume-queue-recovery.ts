/**
 * Finds the true ends of the consume queues when a store is opened, and cuts what points behind the log's end. Cold.
 *
 * Recover the log first; then, with `log = recoverCommitLog(...)`:
 *
 * @example
 * recoverConsumeQueues({
 *   disk, root: paths.consumeQueue, segmentSize: 6_000_000, cleanStop,
 *   minPhysicalOffset: log.minOffset,
 *   // After a crash the newest entries may be torn in their tags code, which nothing protects: they are dispatched
 *   again. endPhysicalOffset: cleanStop ? log.endOffset : log.dispatchFrom,
 * });
 *
 * Source: spec storage 4.4, 10.1, 10.4; ConsumeQueue.recover, truncateDirtyLogicFiles, correctMinOffset.
 */
import { join } from 'node:path';
import { getI32, getI64 } from '../protocol/bytes.js';
import { BLANK_UNIT_SIZE, ConsumeQueueUnit } from '../protocol/consume-queue-unit.js';
import { assert } from '../runtime/base/assert.js';
import type { Disk } from './disk.js';
import {
  clearTail,
  openSegments,
  readFully,
  removeSegmentsBehind,
  type SegmentFile,
  type SegmentFolder,
} from './segment-files.js';

const UNIT_SIZE = ConsumeQueueUnit.size;
const unitAt = ConsumeQueueUnit.at;
/** Entries read at once. */
const WINDOW_UNITS = 3276;
/** Files of a queue scanned from the end. */
const FILES_SCANNED = 3;

/** What one queue holds. Offsets count entries; physical offsets are positions in the log. */
export interface QueueExtent {
  /** First entry whose message is still in the log. */
  readonly minOffset: number;
  /** Where the next entry goes. */
  readonly maxOffset: number;
  /** End of the newest message the queue points to; -1 when it points to none. */
  readonly maxPhysicalOffset: number;
}

export interface RecoveredQueue extends QueueExtent {
  readonly topic: string;
  readonly queueId: number;
}

export interface ConsumeQueueRecoveryOptions {
  readonly disk: Disk;
  /** mappedFileSizeConsumeQueue, a multiple of 20. Units: bytes. */
  readonly segmentSize: number;
  readonly cleanStop: boolean;
  /** Start of the log. */
  readonly minPhysicalOffset: number;
  /** Entries of messages that end behind it are removed. */
  readonly endPhysicalOffset: number;
}

/** Recovers every queue under `root` (consumequeue/<topic>/<queueId>), by topic, then by queue id. */
export function recoverConsumeQueues(
  options: ConsumeQueueRecoveryOptions & { readonly root: string },
): RecoveredQueue[] {
  const { disk, root } = options;
  const queues: RecoveredQueue[] = [];
  for (const topic of disk.list(root)) {
    if (!disk.facts(join(root, topic))?.isDirectory) continue;
    // Folders whose name is no number are not queues.
    const ids = disk.list(join(root, topic)).filter(name => /^\d{1,10}$/.test(name));
    for (const id of ids.sort((left, right) => Number(left) - Number(right))) {
      const folder = join(root, topic, id);
      queues.push({ topic, queueId: Number(id), ...recoverConsumeQueue({ ...options, folder }) });
    }
  }
  return queues;
}

/** The end of the newest message any queue points to; -1 when there is none. */
export function maxPhysicalOffsetOf(queues: readonly QueueExtent[]): number {
  return queues.reduce((max, queue) => Math.max(max, queue.maxPhysicalOffset), -1);
}

/**
 * Recovers one queue: on return its files hold valid entries up to `maxOffset` and zeros behind.
 * Errors: RingError STORE_CORRUPT (see {@link openSegments}), DISK_READ_FAILED, DISK_WRITE_FAILED.
 */
export function recoverConsumeQueue(options: ConsumeQueueRecoveryOptions & { readonly folder: string }): QueueExtent {
  const queue = new QueueFiles(options);
  const end = queue.findEnd();
  queue.cutAt(end.position, !options.cleanStop);
  if (end.maxPhysicalOffset > options.endPhysicalOffset) return queue.truncate(options);
  return queue.extent(end, options.minPhysicalOffset);
}

/**
 * Removes the entries of messages that end behind `endPhysicalOffset`. Files without any other entry are deleted.
 * The queue must have been recovered.
 */
export function truncateConsumeQueue(options: ConsumeQueueRecoveryOptions & { readonly folder: string }): QueueExtent {
  return new QueueFiles(options).truncate(options);
}

/**
 * The first entry from `lowOffset` up to `maxOffset` (excluded) whose message is at or behind `minPhysicalOffset`, or
 * `lowOffset` when there is none; `physicalOffsetOf` answers -1 for an entry that fills a gap.
 * Entries are in the order of the log, so this takes a binary search.
 */
export function findMinOffset(
  lowOffset: number,
  maxOffset: number,
  minPhysicalOffset: number,
  physicalOffsetOf: (offset: number) => number,
): number {
  // Nothing expired yet is the common case, and a probe may cost opening a file.
  if (lowOffset >= maxOffset || physicalOffsetOf(lowOffset) >= minPhysicalOffset) return lowOffset;
  let low = lowOffset + 1;
  let high = maxOffset;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (physicalOffsetOf(middle) >= minPhysicalOffset) high = middle;
    else low = middle + 1;
  }
  return low < maxOffset ? low : lowOffset;
}

interface QueueEnd {
  /** Behind the last valid entry. Units: bytes from the start of the queue's stream. */
  position: number;
  maxPhysicalOffset: number;
}

/** The files of one queue while it is recovered. */
class QueueFiles {
  readonly #segmentFolder: SegmentFolder;
  readonly #segments: SegmentFile[];
  readonly #bytes: Uint8Array;

  constructor(options: ConsumeQueueRecoveryOptions & { readonly folder: string }) {
    const { disk, folder, segmentSize } = options;
    assert(segmentSize % UNIT_SIZE === 0, 'a consume queue file holds whole entries');
    this.#segmentFolder = { disk, folder, segmentSize, sizeKey: 'mappedFileSizeConsumeQueue' };
    this.#segments = openSegments(this.#segmentFolder);
    this.#bytes = new Uint8Array(Math.min(WINDOW_UNITS * UNIT_SIZE, segmentSize));
  }

  /** Follows the entries from the third newest file on, to the first that is none. */
  findEnd(): QueueEnd {
    const first = Math.max(0, this.#segments.length - FILES_SCANNED);
    const end: QueueEnd = { position: this.#segments[first]?.startOffset ?? 0, maxPhysicalOffset: -1 };
    for (const segment of this.#segments.slice(first)) {
      this.#scan(segment, Number.POSITIVE_INFINITY, end);
      if (end.position < segment.startOffset + this.#segmentFolder.segmentSize) break;
    }
    return end;
  }

  /** Removes the files behind `position` and clears the one it is in. */
  cutAt(position: number, always: boolean): void {
    const { disk, folder } = this.#segmentFolder;
    if (removeSegmentsBehind(disk, this.#segments, position).length > 0) disk.syncFolder(folder);
    const last = this.#segments.at(-1);
    // Not synced: thousands of queues would take a minute, and after a power failure this runs again.
    if (last) clearTail(this.#segmentFolder, last, { from: position - last.startOffset, always, sync: false });
  }

  truncate(options: ConsumeQueueRecoveryOptions): QueueExtent {
    const { disk, folder } = this.#segmentFolder;
    const end: QueueEnd = { position: 0, maxPhysicalOffset: -1 };
    for (let segment = this.#segments.at(-1); segment; segment = this.#segments.at(-1)) {
      end.position = segment.startOffset;
      this.#scan(segment, options.endPhysicalOffset, end);
      if (end.position > segment.startOffset) break;
      disk.remove(segment.path);
      this.#segments.pop();
      disk.syncFolder(folder);
    }
    // Without files the queue begins at 0 again, as upstream; the next entry dispatched says where it really is.
    if (this.#segments.length === 0) return { minOffset: 0, maxOffset: 0, maxPhysicalOffset: -1 };
    this.cutAt(end.position, true);
    return this.extent(end, options.minPhysicalOffset);
  }

  extent(end: QueueEnd, minPhysicalOffset: number): QueueExtent {
    const low = (this.#segments[0]?.startOffset ?? 0) / UNIT_SIZE;
    const maxOffset = end.position / UNIT_SIZE;
    const physicalOffsetOf = (offset: number): number => this.#physicalOffsetOf(offset);
    // Gap entries come first and are never served, whatever the log's start.
    const firstReal = findMinOffset(low, maxOffset, 0, physicalOffsetOf);
    const onlyGap = firstReal < maxOffset && this.#physicalOffsetOf(firstReal) < 0;
    if (onlyGap) return { minOffset: maxOffset, maxOffset, maxPhysicalOffset: end.maxPhysicalOffset };
    const minOffset = findMinOffset(firstReal, maxOffset, minPhysicalOffset, physicalOffsetOf);
    return { minOffset, maxOffset, maxPhysicalOffset: end.maxPhysicalOffset };
  }

  /** Moves `end` over the valid entries of a segment, up to the first whose message ends behind `endPhysicalOffset`. */
  #scan(segment: SegmentFile, endPhysicalOffset: number, end: QueueEnd): void {
    const { disk, segmentSize } = this.#segmentFolder;
    const file = disk.open(segment.path, 'read');
    try {
      for (let position = 0; position < segmentSize; position += this.#bytes.length) {
        const length = readFully(file, this.#bytes, Math.min(this.#bytes.length, segmentSize - position), position);
        for (let unit = 0; unit + UNIT_SIZE <= length; unit += UNIT_SIZE) {
          const physicalOffset = getI64(this.#bytes, unit + unitAt.physicalOffset);
          const size = getI32(this.#bytes, unit + unitAt.size);
          if (physicalOffset < 0 || size <= 0) return;
          // A gap entry is valid and points nowhere: its huge size must not become the newest physical offset.
          if (size !== BLANK_UNIT_SIZE) {
            if (physicalOffset + size > endPhysicalOffset) return;
            end.maxPhysicalOffset = physicalOffset + size;
          }
          end.position = segment.startOffset + position + unit + UNIT_SIZE;
        }
      }
    } finally {
      file.close();
    }
  }

  /** Where the message of an entry is; -1 for an entry that fills a gap. */
  #physicalOffsetOf(offset: number): number {
    const { disk, segmentSize } = this.#segmentFolder;
    const position = offset * UNIT_SIZE;
    const segment = this.#segments.find(({ startOffset }) => position < startOffset + segmentSize)!;
    const file = disk.open(segment.path, 'read');
    try {
      readFully(file, this.#bytes, UNIT_SIZE, position - segment.startOffset);
    } finally {
      file.close();
    }
    if (getI32(this.#bytes, unitAt.size) === BLANK_UNIT_SIZE) return -1;
    return getI64(this.#bytes, unitAt.physicalOffset);
  }
}
