/**
 * The `checkpoint` file: up to which store time the log, the queues and the index are known to be on disk, so that
 * recovery after a crash knows where to begin. Cold. Source: spec storage 6; StoreCheckpoint.
 */
import { getI64, putI64 } from '../protocol/bytes.js';
import { layout } from '../protocol/layout.js';
import { assert } from '../runtime/base/assert.js';
import type { Disk } from './disk.js';
import { readFully } from './segment-files.js';

export const CheckpointLayout = layout('Checkpoint', {
  physicMsgTimestamp: 'i64', // store time of the newest flushed message of the log, ms
  logicsMsgTimestamp: 'i64', // store time of the newest message that has a queue entry, ms
  indexMsgTimestamp: 'i64', // store time of the newest message of a full index file, ms
  masterFlushedOffset: 'i64', // 5.x
  confirmPhyOffset: 'i64', // 5.x
});
assert(CheckpointLayout.size === 40, 'a checkpoint has five values');

/** The whole file, as a Java broker maps it. Units: bytes. */
export const CHECKPOINT_FILE_SIZE = 4096;
/** How much older than the timestamps the state on disk may be. Units: ms. */
export const CHECKPOINT_SLACK_MS = 3000;

export type Checkpoint = { -readonly [Name in keyof typeof CheckpointLayout.fields]: number };
const names = Object.keys(CheckpointLayout.fields) as (keyof Checkpoint)[];

/** A checkpoint that knows nothing. */
export function emptyCheckpoint(): Checkpoint {
  return {
    physicMsgTimestamp: 0,
    logicsMsgTimestamp: 0,
    indexMsgTimestamp: 0,
    masterFlushedOffset: 0,
    confirmPhyOffset: 0,
  };
}

/** Reads the file; a missing or short one is all zeros, and so is a value no broker could have written. */
export function readCheckpoint(disk: Disk, path: string): Checkpoint {
  const checkpoint = emptyCheckpoint();
  if (disk.facts(path) === undefined) return checkpoint;
  const bytes = new Uint8Array(CheckpointLayout.size);
  const file = disk.open(path, 'read');
  try {
    if (readFully(file, bytes, bytes.length, 0) < bytes.length) return checkpoint;
  } finally {
    file.close();
  }
  for (const name of names) {
    const value = getI64(bytes, CheckpointLayout.at[name]);
    // Garbage in the far future would make recovery skip what is not on disk; zero makes it read more than it must.
    checkpoint[name] = Number.isSafeInteger(value) ? value : 0;
  }
  return checkpoint;
}

/** Writes the values in place and syncs them: 40 bytes of one sector. */
export function writeCheckpoint(disk: Disk, path: string, checkpoint: Readonly<Checkpoint>): void {
  const bytes = new Uint8Array(CheckpointLayout.size);
  for (const name of names) putI64(bytes, CheckpointLayout.at[name], checkpoint[name]);
  const file = disk.open(path, 'create');
  try {
    if (file.size() !== CHECKPOINT_FILE_SIZE) file.truncate(CHECKPOINT_FILE_SIZE);
    file.write(bytes, 0, bytes.length, 0);
    file.sync();
  } finally {
    file.close();
  }
}

/** Everything stored up to here is on disk, in the log and in the queues. Units: ms since the epoch. */
export function minTimestamp(checkpoint: Readonly<Checkpoint>): number {
  return Math.max(0, Math.min(checkpoint.physicMsgTimestamp, checkpoint.logicsMsgTimestamp) - CHECKPOINT_SLACK_MS);
}

/** The same, and in the index too. */
export function minTimestampWithIndex(checkpoint: Readonly<Checkpoint>): number {
  return Math.min(minTimestamp(checkpoint), checkpoint.indexMsgTimestamp);
}

/** Changes some of the times and leaves the others. Errors: RingError DISK_WRITE_FAILED. */
export function updateCheckpoint(disk: Disk, path: string, times: Partial<Checkpoint>): void {
  writeCheckpoint(disk, path, { ...readCheckpoint(disk, path), ...times });
}
