/**
 * Which part of a log this broker wrote as a master, kept in its store: what a slave has of a master that lost it may
 * be the only copy of what was acknowledged, what a former master has beyond its successor was given up when that was
 * promoted. Cold.
 */
import { join } from 'node:path';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { Disk } from '../../storage/disk.js';

export interface LedSpan {
  /** From here on the log holds what this broker wrote as a master. Units: bytes. */
  readonly from: number;
  /** Up to here; what is behind came from another master. Undefined while it is the master. */
  readonly to?: number;
}

const FILE = 'led.json';

/** Undefined when it never was a master, or nobody knows. Errors: RingError STORE_CORRUPT. */
export function readLedSpan(disk: Disk, folder: string): LedSpan | undefined {
  const file = join(folder, FILE);
  const text = disk.readText(file);
  if (text === undefined) return undefined;
  try {
    const { from, to } = JSON.parse(text) as LedSpan;
    if (!Number.isSafeInteger(from)) throw new Error(`from is ${from}`);
    return to === undefined ? { from } : { from, to };
  } catch (cause) {
    const advice = 'remove it: then nothing of this log counts as written by this broker';
    throw new RingError('STORE_CORRUPT', `${file} cannot be read: ${messageOf(cause)}; ${advice}`, { file }, { cause });
  }
}

/**
 * Called before a broker takes the first byte in its role: as a master from clients, as a slave from its master.
 * Errors: those of {@link readLedSpan}, RingError DISK_WRITE_FAILED.
 */
export function noteRole(disk: Disk, folder: string, isSlave: boolean, end: number): void {
  const before = readLedSpan(disk, folder);
  const span = isSlave ? spanOfSlave(before, end) : spanOfMaster(before, end);
  if (span === undefined || (before !== undefined && before.from === span.from && before.to === span.to)) return;
  const file = join(folder, FILE);
  disk.writeText(`${file}.tmp`, `${JSON.stringify(span, null, 2)}\n`);
  disk.rename(`${file}.tmp`, file);
  disk.syncFolder(folder);
}

/** The log may have become shorter: by a crash, or because its end was cut off. */
function spanOfSlave(before: LedSpan | undefined, end: number): LedSpan | undefined {
  if (before === undefined) return undefined;
  const to = Math.min(before.to ?? end, end);
  return { from: Math.min(before.from, to), to };
}

/** A slave that nothing was written on since goes on where it was the master. */
function spanOfMaster(before: LedSpan | undefined, end: number): LedSpan {
  const isUnbroken = before !== undefined && (before.to === undefined || before.to >= end);
  return { from: isUnbroken ? Math.min(before.from, end) : end };
}
