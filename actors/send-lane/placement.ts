/**
 * Where a message is stored that does not go to its own topic at once: it waits for its time, or for the end of its
 * transaction. Its own place is kept in its properties.
 * Source: spec scheduling 1.2, transaction 3; CommitLog.asyncPutMessage, TransactionalMessageBridge.
 */
import { MessageSysFlag } from '../../protocol/codes.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { HALF_TOPIC, SCHEDULE_TOPIC } from '../../protocol/topic-names.js';

export interface Place {
  readonly topic: string;
  readonly queueId: number;
}

/** Bytes that a placement adds to a record at most: two properties, and a topic longer than its own. */
export const PLACEMENT_SIZE_MAX = 256;

/** The place of half messages. */
export const halfPlace: Place = { topic: HALF_TOPIC, queueId: 0 };

/**
 * The place of a message whose own is `own`. When it is another one, `properties` are changed.
 * Shape: `levels` is the number of delay levels; a higher level of the message counts as the highest.
 */
export function placeDelayed(properties: Map<string, string>, sysFlag: number, own: Place, levels: number): Place {
  const transaction = sysFlag & MessageSysFlag.TRANSACTION_MASK;
  if (transaction !== 0 && transaction !== MessageSysFlag.TRANSACTION_COMMIT) return own;
  const level = delayLevelOf(properties);
  if (level <= 0) return own;
  const clamped = Math.min(level, levels);
  properties.set(MessageProperty.DELAY, String(clamped));
  return keepOwnPlace(properties, own, { topic: SCHEDULE_TOPIC, queueId: clamped - 1 });
}

/** The place of a half message. `properties` are changed. */
export function placeHalf(properties: Map<string, string>, own: Place): Place {
  return keepOwnPlace(properties, own, halfPlace);
}

function keepOwnPlace(properties: Map<string, string>, own: Place, place: Place): Place {
  properties.set(MessageProperty.REAL_TOPIC, own.topic);
  properties.set(MessageProperty.REAL_QUEUE_ID, String(own.queueId));
  return place;
}

/** Property DELAY, 0 when it is missing or no number. */
function delayLevelOf(properties: ReadonlyMap<string, string>): number {
  const text = properties.get(MessageProperty.DELAY) ?? '';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : 0;
}
