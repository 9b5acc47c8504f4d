/** Reads one whole record of the log. Cold. Source: spec storage 3; CommitLog.getMessage. */
import {
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  recordMagic,
  recordPhysicalOffset,
  recordTotalSize,
} from '../protocol/message-record.js';
import type { LogBytes } from './record-walk.js';

/** The fields that tell whether a record is one. Units: bytes. */
const HEAD_SIZE = 44;
/** The shortest record. Units: bytes. */
const RECORD_SIZE_MIN = 88;

/**
 * The record that starts at `position` of a log that reaches from `minimum` to `appended`; undefined when none does.
 * Errors: RingError DISK_READ_FAILED.
 */
export function readRecord(log: LogBytes, position: number, minimum: number, appended: number): Uint8Array | undefined {
  if (!Number.isSafeInteger(position) || position < minimum) return undefined;
  const available = appended - position;
  if (available < RECORD_SIZE_MIN) return undefined;
  const head = new Uint8Array(HEAD_SIZE);
  if (log.read(head, 0, HEAD_SIZE, position) < HEAD_SIZE) return undefined;
  const magic = recordMagic(head, 0);
  if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return undefined;
  const size = recordTotalSize(head, 0);
  if (size <= 0 || size > available || recordPhysicalOffset(head, 0) !== position) return undefined;
  const record = new Uint8Array(size);
  return log.read(record, 0, size, position) === size ? record : undefined;
}
