/**
 * Cuts the end of a commit log off before the store is recovered, which then cuts queues and index to the new end, as
 * it does behind a torn one. What goes must be safe elsewhere ({@link setAside}). Cold.
 *
 * The newest files go first, and a crash in between leaves a log that ends with a record, at the start of a file; the
 * next start finds it longer than agreed and cuts it again.
 */
import { readCheckpoint, updateCheckpoint } from './checkpoint.js';
import type { Disk } from './disk.js';
import type { StorePaths } from './paths.js';
import { clearTail, openSegments, removeSegmentsBehind, type SegmentFolder } from './segment-files.js';

export interface LogCut {
  /** Where a record ends: the end of the log from now on. Units: bytes. */
  readonly position: number;
  /** Store time of that record. Units: ms since the epoch. */
  readonly storeTimestamp: number;
}

/** Errors: RingError STORE_CORRUPT (see {@link openSegments}), DISK_WRITE_FAILED. */
export function cutLog(disk: Disk, paths: StorePaths, segmentSize: number, cut: LogCut): void {
  const { position, storeTimestamp } = cut;
  // First: messages that come now may be older than those that go, and would count as flushed by the times of these.
  const { physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp } = readCheckpoint(disk, paths.checkpoint);
  updateCheckpoint(disk, paths.checkpoint, {
    physicMsgTimestamp: Math.min(physicMsgTimestamp, storeTimestamp),
    logicsMsgTimestamp: Math.min(logicsMsgTimestamp, storeTimestamp),
    indexMsgTimestamp: Math.min(indexMsgTimestamp, storeTimestamp),
  });
  const folder: SegmentFolder = { disk, folder: paths.commitLog, segmentSize, sizeKey: 'mappedFileSizeCommitLog' };
  const segments = openSegments(folder);
  if (removeSegmentsBehind(disk, segments, position).length > 0) disk.syncFolder(paths.commitLog);
  const last = segments.at(-1);
  if (last !== undefined) {
    clearTail(folder, last, { from: position - last.startOffset, always: true, sync: true });
  }
}
