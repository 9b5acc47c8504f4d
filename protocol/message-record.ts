/**
 * The commit-log record: what the log, a pull response and a replication stream are made of.
 *
 *   | fixed part, 84 bytes with IPv4 hosts | body | i8 topic length | topic | i16 properties length | properties |
 *
 * A lane encodes it with three fields blank (queue offset, physical offset, store time); the log's only writer fills
 * them.
 * Source: spec storage 3.2; MessageExtEncoder, MessageDecoder.
 */
import { assert } from '../runtime/base/assert.js';
import { copyBytes, equalBytes, getI16, getI32, getI64, getU16, putI16, putI32, putI64 } from './bytes.js';
import { MessageSysFlag } from './codes.js';
import { layout } from './layout.js';

export const MESSAGE_MAGIC_V1 = 0xdaa320a7 | 0;
/** 5.x: the topic length takes two bytes. */
export const MESSAGE_MAGIC_V2 = 0xdaa320ab | 0;
/** Fills the rest of a file whose next record did not fit. */
export const BLANK_MAGIC = 0xcbd43194 | 0;
/** A record may not come closer than this to the end of its file: a blank must fit. Units: bytes. */
export const BLANK_SIZE_MIN = 8;

/** The fixed part with IPv4 hosts. */
export const RecordLayout = layout('MessageRecord', {
  totalSize: 'i32',
  magic: 'i32',
  bodyCrc: 'i32',
  queueId: 'i32',
  flag: 'i32',
  queueOffset: 'i64',
  physicalOffset: 'i64',
  sysFlag: 'i32',
  bornTimestamp: 'i64',
  bornHost: 'i64', // 4 bytes address, 4 bytes port
  storeTimestamp: 'i64',
  storeHost: 'i64',
  reconsumeTimes: 'i32',
  preparedTransactionOffset: 'i64',
  bodyLength: 'i32',
});
assert(RecordLayout.size === 88, 'the fixed part of a record');
const at = RecordLayout.at;

/** Bytes besides body, topic and properties, with IPv4 hosts. */
export const RECORD_OVERHEAD = 91;
export const TOPIC_SIZE_MAX = 127;
export const PROPERTIES_SIZE_MAX = 32767;

/** What a record is encoded from, besides its variable parts. One object is reused for all messages of a lane. */
export interface RecordFields {
  queueId: number;
  flag: number;
  sysFlag: number;
  bornTimestamp: number;
  /** IPv4 as a 32-bit integer. */
  bornAddress: number;
  bornPort: number;
  storeAddress: number;
  storePort: number;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
}

/** Total size of a record with IPv4 hosts. Units: bytes. */
export function recordSize(bodySize: number, topicSize: number, propertiesSize: number): number {
  return RECORD_OVERHEAD + bodySize + topicSize + propertiesSize;
}

/**
 * Writes the fixed part, the body and the topic of a record; queue offset, physical offset and store time stay zero.
 * The properties follow at the returned position + 2: write them there, then call {@link finishRecord}.
 */
export function beginRecord(
  target: Uint8Array,
  start: number,
  fields: RecordFields,
  bodyCrc: number,
  body: Uint8Array,
  bodyStart: number,
  bodySize: number,
  topic: Uint8Array,
): number {
  assert(topic.length <= TOPIC_SIZE_MAX, 'a topic fits a signed byte');
  putI32(target, start + at.magic, MESSAGE_MAGIC_V1);
  putI32(target, start + at.bodyCrc, bodyCrc);
  putI32(target, start + at.queueId, fields.queueId);
  putI32(target, start + at.flag, fields.flag);
  putI32(target, start + at.sysFlag, fields.sysFlag);
  putI64(target, start + at.bornTimestamp, fields.bornTimestamp);
  putI32(target, start + at.bornHost, fields.bornAddress);
  putI32(target, start + at.bornHost + 4, fields.bornPort);
  putI32(target, start + at.storeHost, fields.storeAddress);
  putI32(target, start + at.storeHost + 4, fields.storePort);
  putI32(target, start + at.reconsumeTimes, fields.reconsumeTimes);
  putI64(target, start + at.preparedTransactionOffset, fields.preparedTransactionOffset);
  putI32(target, start + at.bodyLength, bodySize);
  let position = start + RecordLayout.size;
  copyBytes(body, bodyStart, target, position, bodySize);
  position += bodySize;
  target[position++] = topic.length;
  copyBytes(topic, 0, target, position, topic.length);
  return position + topic.length;
}

/** Writes the properties' length and the record's total size; returns the position after the record. */
export function finishRecord(
  target: Uint8Array,
  start: number,
  propertiesLengthAt: number,
  propertiesSize: number,
): number {
  assert(propertiesSize <= PROPERTIES_SIZE_MAX, 'properties fit a signed 16-bit length');
  putI16(target, propertiesLengthAt, propertiesSize);
  const end = propertiesLengthAt + 2 + propertiesSize;
  putI32(target, start + at.totalSize, end - start);
  return end;
}

/** Fills what only the log's writer knows. */
export function stampRecord(
  target: Uint8Array,
  start: number,
  queueOffset: number,
  physicalOffset: number,
  storeTimestamp: number,
): void {
  putI64(target, start + at.queueOffset, queueOffset);
  putI64(target, start + at.physicalOffset, physicalOffset);
  putI64(target, start + at.storeTimestamp + bornHostExtra(target, start), storeTimestamp);
}

/** Writes a BLANK of `size` bytes: only its first 8 mean anything. */
export function putBlank(target: Uint8Array, start: number, size: number): void {
  putI32(target, start, size);
  putI32(target, start + 4, BLANK_MAGIC);
}

// ---- reading ----

function bornHostExtra(bytes: Uint8Array, start: number): number {
  return (bytes[start + at.sysFlag + 3]! & MessageSysFlag.BORN_HOST_V6) === 0 ? 0 : 12;
}

function hostsExtra(bytes: Uint8Array, start: number): number {
  const sysFlag = bytes[start + at.sysFlag + 3]!;
  return ((sysFlag >> 4) & 1) * 12 + ((sysFlag >> 5) & 1) * 12;
}

export function recordTotalSize(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start);
}

export function recordMagic(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.magic);
}

export function recordQueueId(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.queueId);
}

export function recordQueueOffset(bytes: Uint8Array, start: number): number {
  return getI64(bytes, start + at.queueOffset);
}

export function recordPhysicalOffset(bytes: Uint8Array, start: number): number {
  return getI64(bytes, start + at.physicalOffset);
}

export function recordSysFlag(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.sysFlag);
}

export function recordFlag(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.flag);
}

/** Units: ms since the epoch, by the producer's clock. */
export function recordBornTimestamp(bytes: Uint8Array, start: number): number {
  return getI64(bytes, start + at.bornTimestamp);
}

/** The store host's address, IPv4 as a 32-bit integer; of an IPv6 host its first four bytes. */
export function recordStoreAddress(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.storeHost + bornHostExtra(bytes, start));
}

export function recordStorePort(bytes: Uint8Array, start: number): number {
  const addressExtra = (bytes[start + at.sysFlag + 3]! & MessageSysFlag.STORE_HOST_V6) === 0 ? 0 : 12;
  return getI32(bytes, start + at.storeHost + 4 + addressExtra + bornHostExtra(bytes, start));
}

/** How often the message came back from consumers. */
export function recordReconsumeTimes(bytes: Uint8Array, start: number): number {
  return getI32(bytes, start + at.reconsumeTimes + hostsExtra(bytes, start));
}

/** Units: ms since the epoch. */
export function recordStoreTimestamp(bytes: Uint8Array, start: number): number {
  return getI64(bytes, start + at.storeTimestamp + bornHostExtra(bytes, start));
}

export function recordBodyStart(bytes: Uint8Array, start: number): number {
  return start + RecordLayout.size + hostsExtra(bytes, start);
}

export function recordBodySize(bytes: Uint8Array, start: number): number {
  return getI32(bytes, recordBodyStart(bytes, start) - 4);
}

/** Where the topic's length stands. */
export function recordTopicAt(bytes: Uint8Array, start: number): number {
  const bodyStart = recordBodyStart(bytes, start);
  return bodyStart + getI32(bytes, bodyStart - 4);
}

/** Bytes of the topic's length field: 1, in the V2 record 2. */
export function topicLengthSize(bytes: Uint8Array, start: number): number {
  return recordMagic(bytes, start) === MESSAGE_MAGIC_V2 ? 2 : 1;
}

export function topicLength(bytes: Uint8Array, topicAt: number, lengthSize: number): number {
  return lengthSize === 1 ? bytes[topicAt]! : getI16(bytes, topicAt);
}

// ---- properties: name 0x01 value 0x02 name 0x01 value ... ----

export const NAME_VALUE_SEPARATOR = 1;
export const PROPERTY_SEPARATOR = 2;

/** A BOM is text, as it is in Java. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Java's String.hashCode over a UTF-8 range: the tags code. */
export function javaHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return javaHashText(utf8.decode(bytes.subarray(start, end)));
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

export function javaHashText(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** Where a value stands. One object is reused for many. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What {@link findProperty} looks for: the name of a property with the separator behind it. */
export function propertyPrefix(name: string): Uint8Array {
  return new TextEncoder().encode(`${name}\u0001`);
}

/**
 * Finds the value of a property in the property string `bytes[start, end)`; false when there is none, or an empty one.
 * Of several the last counts, as in Java's map; so the search begins at the end, where clients put what brokers need.
 */
export function findProperty(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefix: Uint8Array,
  found: ByteRange,
): boolean {
  let itemEnd = end;
  while (itemEnd > start) {
    let item = itemEnd;
    while (item > start && bytes[item - 1] !== PROPERTY_SEPARATOR) item--;
    if (itemEnd - item > prefix.length && equalBytes(bytes, item, prefix, 0, prefix.length)) {
      found.start = item + prefix.length;
      found.end = itemEnd;
      return true;
    }
    itemEnd = item - 1;
  }
  return false;
}

/** The properties of a whole record: where their bytes start and end, packed by two calls. */
export function recordPropertiesStart(bytes: Uint8Array, start: number): number {
  const topicAt = recordTopicAt(bytes, start);
  const lengthSize = topicLengthSize(bytes, start);
  return topicAt + lengthSize + topicLength(bytes, topicAt, lengthSize) + 2;
}

export function recordPropertiesSize(bytes: Uint8Array, propertiesStart: number): number {
  return getU16(bytes, propertiesStart - 2);
}

/** Name/value pairs of a property string; items without a name or a value are left out. Allocates. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const item of text.split('\u0002')) {
    const separator = item.indexOf('\u0001');
    if (separator > 0 && separator < item.length - 1) {
      properties.set(item.slice(0, separator), item.slice(separator + 1));
    }
  }
  return properties;
}

/** The property string of name/value pairs, without a separator at the end. */
export function formatProperties(properties: Iterable<readonly [string, string]>): string {
  const items: string[] = [];
  for (const [name, value] of properties) items.push(`${name}\u0001${value}`);
  return items.join('\u0002');
}
