/**
 * Is there a whole, undamaged record at this place? Asked by recovery for every record, and by whoever follows the log.
 * Hot: nothing is allocated unless the body's CRC is checked, and nothing throws whatever the bytes are.
 * Source: spec storage 3.2, 3.8; CommitLog.checkMessageAndReturnSize.
 */
import { crc32 } from 'node:zlib';
import { getI8, getI16, getI32, getI64 } from '../protocol/bytes.js';
import { MessageSysFlag } from '../protocol/codes.js';
import {
  BLANK_MAGIC,
  BLANK_SIZE_MIN,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  PROPERTIES_SIZE_MAX,
  RECORD_OVERHEAD,
  RecordLayout,
} from '../protocol/message-record.js';

/** What {@link checkRecord} answers when there is no record to read. */
export const RecordCheck = {
  /** The rest of the file is padding: go to the next file. */
  BLANK: -1,
  /** Not a record: the end of the log, or damage. */
  INVALID: -2,
  /** What is here looks like a record so far but goes on behind `available`. */
  TRUNCATED: -3,
} as const;

/** A topic takes a byte at least, and its length fits a signed 16-bit field even in V2. */
const TOPIC_SIZE_MIN = 1;
const TOPIC_SIZE_V1_MAX = 127;
const TOPIC_SIZE_V2_MAX = 32767;
const RECORD_SIZE_MIN = RECORD_OVERHEAD + TOPIC_SIZE_MIN;
const CRC_MASK = 0x7fffffff;
const IPV6_EXTRA = 12;
const at = RecordLayout.at;

/**
 * The size of the record at `start`, or one of {@link RecordCheck}. A record is whole when its lengths add up to its
 * total size, its topic is not empty and, if `checkCrc`, its body has the stored CRC. Nothing else in a record is
 * protected.
 * Units: bytes.
 */
export function checkRecord(bytes: Uint8Array, start: number, available: number, checkCrc: boolean): number {
  if (available < BLANK_SIZE_MIN) return RecordCheck.TRUNCATED;
  const magic = getI32(bytes, start + at.magic);
  if (magic === BLANK_MAGIC) return RecordCheck.BLANK;
  if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) return RecordCheck.INVALID;
  const totalSize = getI32(bytes, start);
  if (totalSize < RECORD_SIZE_MIN) return RecordCheck.INVALID;
  if (available < RECORD_SIZE_MIN) return RecordCheck.TRUNCATED;

  const bodyAt = RecordLayout.size + hostsExtra(bytes, start);
  if (bodyAt > totalSize) return RecordCheck.INVALID;
  if (available < bodyAt) return RecordCheck.TRUNCATED;
  const bodySize = getI32(bytes, start + bodyAt - 4);
  const topicLengthSize = magic === MESSAGE_MAGIC_V2 ? 2 : 1;
  // Judged before the rest is there, so that a garbage size never makes a reader fetch a gigabyte to find out.
  const rest = totalSize - bodyAt - bodySize - topicLengthSize - 2;
  const restMax = (topicLengthSize === 1 ? TOPIC_SIZE_V1_MAX : TOPIC_SIZE_V2_MAX) + PROPERTIES_SIZE_MAX;
  if (bodySize < 0) return RecordCheck.INVALID;
  if (rest < TOPIC_SIZE_MIN) return RecordCheck.INVALID;
  if (rest > restMax) return RecordCheck.INVALID;
  if (available < totalSize) return RecordCheck.TRUNCATED;

  const topicLengthAt = start + bodyAt + bodySize;
  const topicSize = topicLengthSize === 1 ? getI8(bytes, topicLengthAt) : getI16(bytes, topicLengthAt);
  if (topicSize < TOPIC_SIZE_MIN) return RecordCheck.INVALID;
  if (topicSize > rest) return RecordCheck.INVALID;
  const topicEnd = topicLengthAt + topicLengthSize + topicSize;
  if (getI16(bytes, topicEnd) !== rest - topicSize) return RecordCheck.INVALID;
  // No topic holds a zero byte: this is a record whose end never reached the disk.
  if (bytes[topicEnd - 1] === 0) return RecordCheck.INVALID;
  if (checkCrc && bodySize > 0) {
    const bodyStart = start + bodyAt;
    const crc = crc32(bytes.subarray(bodyStart, bodyStart + bodySize)) & CRC_MASK;
    if (crc !== getI32(bytes, start + at.bodyCrc)) return RecordCheck.INVALID;
  }
  return totalSize;
}

/**
 * True when a record could begin here: its magic is a message's. Needs 8 bytes.
 */
export function hasMessageMagic(bytes: Uint8Array, start: number): boolean {
  const magic = getI32(bytes, start + at.magic);
  return magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2;
}

/** Bytes of a record that {@link storeTimestampOf} looks at, whatever its hosts. */
export const STORE_TIMESTAMP_END_MAX = at.storeTimestamp + IPV6_EXTRA + 8;

/** The store time of the record at `start`; its place depends on the born host. Units: ms since the epoch. */
export function storeTimestampOf(bytes: Uint8Array, start: number): number {
  const bornExtra = (getI32(bytes, start + at.sysFlag) & MessageSysFlag.BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA;
  return getI64(bytes, start + at.storeTimestamp + bornExtra);
}

function hostsExtra(bytes: Uint8Array, start: number): number {
  const sysFlag = getI32(bytes, start + at.sysFlag);
  const bornExtra = (sysFlag & MessageSysFlag.BORN_HOST_V6) === 0 ? 0 : IPV6_EXTRA;
  return bornExtra + ((sysFlag & MessageSysFlag.STORE_HOST_V6) === 0 ? 0 : IPV6_EXTRA);
}
