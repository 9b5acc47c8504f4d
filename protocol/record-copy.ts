/**
 * A record made from another one: same body and birth, another place and other properties. The broker stores such
 * copies itself: delayed messages that are due, retries, dead letters, committed transactions.
 * Source: spec scheduling 1.4, 2.2, transaction 4, 6; storage 3.2.
 */
import { assert } from '../runtime/base/assert.js';
import { copyBytes, putI16, putI32, putI64 } from './bytes.js';
import { MessageSysFlag } from './codes.js';
import {
  MESSAGE_MAGIC_V1,
  PROPERTIES_SIZE_MAX,
  parseProperties,
  RecordLayout,
  recordBodySize,
  recordBodyStart,
  recordPropertiesSize,
  recordPropertiesStart,
  recordTopicAt,
  TOPIC_SIZE_MAX,
  topicLength,
  topicLengthSize,
} from './message-record.js';

const at = RecordLayout.at;
const HOST_SIZE_V6 = 20;
const HOST_SIZE_V4 = 8;
/** Fixed bytes of a record whose birth host is IPv6 and whose store host is IPv4, with all length fields. */
const OVERHEAD_MAX = 91 + HOST_SIZE_V6 - HOST_SIZE_V4;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The broker as the store host of what it stores. */
export interface StoreHost {
  /** IPv4 as a 32-bit integer. */
  readonly storeAddress: number;
  readonly storePort: number;
}

/** What the copy has of its own. */
export interface CopyFields {
  /** UTF-8, at most {@link TOPIC_SIZE_MAX} bytes. */
  readonly topic: Uint8Array;
  readonly queueId: number;
  readonly flag: number;
  /** The bits that say how hosts are written are set here, whatever is given. */
  readonly sysFlag: number;
  /** IPv4 as a 32-bit integer. */
  readonly storeAddress: number;
  readonly storePort: number;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  /** The property string, UTF-8, at most {@link PROPERTIES_SIZE_MAX} bytes. */
  readonly properties: Uint8Array;
}

/** More bytes than the copy of `source[start, …)` with these variable parts can have. */
export function copySizeMax(source: Uint8Array, start: number, topicSize: number, propertiesSize: number): number {
  return OVERHEAD_MAX + recordBodySize(source, start) + topicSize + propertiesSize;
}

/**
 * Writes a copy of the record `source[start, …)` at `target[to, …)`; queue offset, physical offset and store time stay
 * zero, as a lane leaves them to the log's writer. Returns the position after it.
 */
export function copyRecord(
  source: Uint8Array,
  start: number,
  target: Uint8Array,
  to: number,
  fields: CopyFields,
): number {
  const { topic, properties } = fields;
  assert(topic.length <= TOPIC_SIZE_MAX, 'a topic fits a signed byte');
  assert(properties.length <= PROPERTIES_SIZE_MAX, 'properties fit a signed 16-bit length');
  const bornV6 = (source[start + at.sysFlag + 3]! & MessageSysFlag.BORN_HOST_V6) !== 0;
  const bornSize = 8 + (bornV6 ? HOST_SIZE_V6 : HOST_SIZE_V4);
  const hostFlags = MessageSysFlag.BORN_HOST_V6 | MessageSysFlag.STORE_HOST_V6;
  putI32(target, to + at.magic, MESSAGE_MAGIC_V1);
  copyBytes(source, start + at.bodyCrc, target, to + at.bodyCrc, 4);
  putI32(target, to + at.queueId, fields.queueId);
  putI32(target, to + at.flag, fields.flag);
  putI64(target, to + at.queueOffset, 0);
  putI64(target, to + at.physicalOffset, 0);
  putI32(target, to + at.sysFlag, (fields.sysFlag & ~hostFlags) | (bornV6 ? MessageSysFlag.BORN_HOST_V6 : 0));
  copyBytes(source, start + at.bornTimestamp, target, to + at.bornTimestamp, bornSize);
  let position = to + at.bornTimestamp + bornSize;
  putI64(target, position, 0);
  putI32(target, position + 8, fields.storeAddress);
  putI32(target, position + 12, fields.storePort);
  putI32(target, position + 16, fields.reconsumeTimes);
  putI64(target, position + 20, fields.preparedTransactionOffset);
  const bodySize = recordBodySize(source, start);
  putI32(target, position + 28, bodySize);
  position += 32;
  copyBytes(source, recordBodyStart(source, start), target, position, bodySize);
  position += bodySize;
  target[position++] = topic.length;
  copyBytes(topic, 0, target, position, topic.length);
  position += topic.length;
  putI16(target, position, properties.length);
  copyBytes(properties, 0, target, position + 2, properties.length);
  position += 2 + properties.length;
  putI32(target, to + at.totalSize, position - to);
  return position;
}

/** The properties of the record at `start`, in their order. Allocates. */
export function readRecordProperties(bytes: Uint8Array, start: number): Map<string, string> {
  const from = recordPropertiesStart(bytes, start);
  return parseProperties(decoder.decode(bytes.slice(from, from + recordPropertiesSize(bytes, from))));
}

/** The topic of the record at `start`. Allocates. */
export function readRecordTopic(bytes: Uint8Array, start: number): string {
  const topicAt = recordTopicAt(bytes, start);
  const lengthSize = topicLengthSize(bytes, start);
  const from = topicAt + lengthSize;
  return decoder.decode(bytes.slice(from, from + topicLength(bytes, topicAt, lengthSize)));
}
