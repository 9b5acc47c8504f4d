/**
 * What stands in place of the tags code in the queues of the schedule topic: the time a message is due. It is worked
 * out anew, with the levels as they are then, whenever a queue is built.
 * Source: spec scheduling 1.3; CommitLog.checkMessageAndReturnSize.
 */
import { getDecimal } from '../../protocol/bytes.js';
import { type ByteRange, findProperty, propertyPrefix } from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';

const DELAY = propertyPrefix(MessageProperty.DELAY);
/** Of a level that is in no table. Units: ms. */
const UNKNOWN_DELAY_MS = 1000;
const range: ByteRange = { start: 0, end: 0 };

/**
 * When the message with the property string `bytes[start, end)` is due; -1 when it names no level, and has a tags code.
 * Units: ms since the epoch.
 */
export function dueTimeOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  storeTimestampMs: number,
  delayLevelsMs: readonly number[],
): number {
  if (!findProperty(bytes, start, end, DELAY, range)) return -1;
  const level = getDecimal(bytes, range.start, range.end);
  if (level <= 0) return -1;
  return storeTimestampMs + (delayLevelsMs[Math.min(level, delayLevelsMs.length) - 1] ?? UNKNOWN_DELAY_MS);
}
