/** Reads the record that begins at a place in the log, if one does. Source: spec storage 3; CommitLog.getMessage. */
import {
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  recordMagic,
  recordPhysicalOffset,
  recordTotalSize,
} from '../protocol/message-record.js';
import type { LogBytes } from './record-walk.js';

/** The fields that tell whether a record is one. Units: bytes. */
export const RECORD_HEAD_SIZE = 44;
/** The shortest record. Units: bytes. */
const RECORD_SIZE_MIN = 88;

/**
 * Size of the record whose head stands at `bytes[start, …)` and that begins at `position` of a log with `available`
 * bytes from there on; -1 when none begins there. Bytes of a body may look like a record; its own place in it tells.
 */
export function recordSizeAt(bytes: Uint8Array, start: number, position: number, available: number): number {
  const magic = recordMagic(bytes, start);
  if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return -1;
  const size = recordTotalSize(bytes, start);
  if (size < RECORD_SIZE_MIN || size > available) return -1;
  return recordPhysicalOffset(bytes, start) === position ? size : -1;
}

/**
 * The record that starts at `position` of a log that reaches from `minimum` to `appended`; undefined when none does.
 * Cold. Errors: RingError DISK_READ_FAILED.
 */
export function readRecord(log: LogBytes, position: number, minimum: number, appended: number): Uint8Array | undefined {
  if (!Number.isSafeInteger(position) || position < minimum) return undefined;
  const available = appended - position;
  if (available < RECORD_SIZE_MIN) return undefined;
  const head = new Uint8Array(RECORD_HEAD_SIZE);
  if (log.read(head, 0, RECORD_HEAD_SIZE, position) < RECORD_HEAD_SIZE) return undefined;
  const size = recordSizeAt(head, 0, position, available);
  if (size < 0) return undefined;
  const record = new Uint8Array(size);
  return log.read(record, 0, size, position) === size ? record : undefined;
}
