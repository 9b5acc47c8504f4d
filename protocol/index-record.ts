/**
 * What a key index file is made of, and the hash that finds a key in it. A file is a header, an array of slots
 * (i32: the newest entry of the slot's chain, 0 for none) and an array of entries, whose number 0 is never used.
 * Source: spec storage 5; IndexHeader, IndexFile.
 */
import { assert } from '../runtime/base/assert.js';
import { layout } from './layout.js';
import { javaHashText } from './message-record.js';

export const IndexHeader = layout('IndexHeader', {
  beginTimestamp: 'i64', // store time of the first message, ms
  endTimestamp: 'i64', // store time of the last message, ms
  beginPhyOffset: 'i64', // where the record of the first message begins in the log
  endPhyOffset: 'i64', // where the record of the last message begins
  hashSlotCount: 'i32', // slots in use
  indexCount: 'i32', // number of the next entry, 1 in an empty file
});
assert(IndexHeader.size === 40, 'the header of an index file takes 40 bytes');

export const IndexEntry = layout('IndexEntry', {
  keyHash: 'i32',
  phyOffset: 'i64', // where the message's record begins in the log
  timeDelta: 'i32', // store time after beginTimestamp, seconds
  previous: 'i32', // the next older entry of the chain, 0 at its end
});
assert(IndexEntry.size === 20, 'an index entry takes 20 bytes');

/** Units: bytes. */
export const INDEX_SLOT_SIZE = 4;
/** A time further than this from the file's begin is written as this. Units: seconds. */
export const TIME_DELTA_MAX = 0x7fff_ffff;
/** Between the topic and the key in the text that is hashed. */
export const TOPIC_KEY_SEPARATOR = '#';
const SEPARATOR_CODE = TOPIC_KEY_SEPARATOR.charCodeAt(0);

/** A BOM is text, as it is in Java. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Java's String.hashCode, continued from the hash of the text before with the UTF-8 text `bytes[start, end)`. Hot for
 * ASCII; other text is decoded.
 */
export function continueJavaHash(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let result = hash;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return continueWithText(hash, utf8.decode(bytes.subarray(start, end)));
    result = (Math.imul(result, 31) + byte) | 0;
  }
  return result;
}

function continueWithText(hash: number, text: string): number {
  let result = hash;
  for (let index = 0; index < text.length; index++) result = (Math.imul(result, 31) + text.charCodeAt(index)) | 0;
  return result;
}

/** Hash of `topic#`, to be continued with a key. Hot. */
export function topicHash(bytes: Uint8Array, start: number, end: number): number {
  return (Math.imul(continueJavaHash(0, bytes, start, end), 31) + SEPARATOR_CODE) | 0;
}

/** The hash as an entry has it: without its sign, and 0 for the one number that has no positive. */
export function foldKeyHash(hash: number): number {
  if (hash >= 0) return hash;
  return hash === -0x8000_0000 ? 0 : -hash;
}

/** The hash of a key of a topic as an entry has it: keyHashOf('TopicTest', 'OrderID188') is 1231271670. */
export function keyHashOf(topic: string, key: string): number {
  return foldKeyHash(javaHashText(topic + TOPIC_KEY_SEPARATOR + key));
}
