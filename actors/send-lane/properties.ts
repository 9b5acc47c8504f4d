/**
 * The property string of a message on its way into a record: what the broker reads from it, takes out and adds. Hot:
 * one pass over the bytes in place.
 * Source: spec storage 3.3, remoting 5.2; SendMessageProcessor, MessageExtEncoder.
 */
import { copyBytes, putDecimal } from '../../protocol/bytes.js';
import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from '../../protocol/message-record.js';

const encoder = new TextEncoder();
const WAIT = encoder.encode('WAIT\u0001');
const DELAY = encoder.encode('DELAY\u0001');
const TRAN_MSG = encoder.encode('TRAN_MSG\u0001');
const CLUSTER = encoder.encode('CLUSTER\u0001');
const REAL_TOPIC = encoder.encode('REAL_TOPIC\u0001');
const REAL_QUEUE_ID = encoder.encode('REAL_QID\u0001');

export class PropertyEditor {
  /** The sender waits for its message to be safe (property WAIT, true when missing). */
  wait = true;
  /** Property DELAY, 0 when missing. */
  delayLevel = 0;
  /** Property TRAN_MSG: a half message. */
  transactional = false;
  /** It came with a place of its own (REAL_TOPIC, REAL_QID), which is the broker's to give. */
  hasRealPlace = false;
  /** How much longer than it came a property string can get. Units: bytes. */
  readonly addedSizeMax: number;
  readonly #cluster: Uint8Array;

  constructor(brokerClusterName: string) {
    this.#cluster = encoder.encode(`CLUSTER\u0001${brokerClusterName}`);
    this.addedSizeMax = this.#cluster.length + 2;
  }

  /** Puts the separator after `bytes[start, end)` that a further property needs; returns the position after it. */
  join(bytes: Uint8Array, start: number, end: number): number {
    if (end === start || bytes[end - 1] === PROPERTY_SEPARATOR) return end;
    bytes[end] = PROPERTY_SEPARATOR;
    return end + 1;
  }

  /** Adds the place that a message is to go to later to `bytes[start, end)`; returns the new end. */
  addRealPlace(bytes: Uint8Array, start: number, end: number, topic: Uint8Array, queueId: number): number {
    let at = this.#add(bytes, this.join(bytes, start, end), REAL_TOPIC);
    at = this.#add(bytes, at, topic);
    at = this.#add(bytes, this.join(bytes, start, at), REAL_QUEUE_ID);
    return putDecimal(bytes, at, queueId);
  }

  #add(bytes: Uint8Array, at: number, text: Uint8Array): number {
    copyBytes(text, 0, bytes, at, text.length);
    return at + text.length;
  }

  /** Reads `bytes[start, end)`, removes WAIT and CLUSTER, adds this broker's CLUSTER; returns the new end. */
  edit(bytes: Uint8Array, start: number, end: number): number {
    this.wait = true;
    this.delayLevel = 0;
    this.transactional = false;
    this.hasRealPlace = false;
    let write = start;
    let item = start;
    while (item < end) {
      let itemEnd = item;
      while (itemEnd < end && bytes[itemEnd] !== PROPERTY_SEPARATOR) itemEnd++;
      if (this.#keeps(bytes, item, itemEnd)) {
        if (write !== start) bytes[write++] = PROPERTY_SEPARATOR;
        if (write === item) write = itemEnd;
        else while (item < itemEnd) bytes[write++] = bytes[item++]!;
      }
      item = itemEnd + 1;
    }
    if (write !== start) bytes[write++] = PROPERTY_SEPARATOR;
    return this.#add(bytes, write, this.#cluster);
  }

  #keeps(bytes: Uint8Array, start: number, end: number): boolean {
    switch (bytes[start]) {
      case 0x57: // W
        if (!startsWith(bytes, start, end, WAIT)) return true;
        this.wait = isTrue(bytes, start + WAIT.length, end);
        return false;
      case 0x44: // D
        if (startsWith(bytes, start, end, DELAY)) this.delayLevel = digits(bytes, start + DELAY.length, end);
        return true;
      case 0x54: // T
        if (startsWith(bytes, start, end, TRAN_MSG)) this.transactional = isTrue(bytes, start + TRAN_MSG.length, end);
        return true;
      case 0x52: // R
        if (startsWith(bytes, start, end, REAL_TOPIC) || startsWith(bytes, start, end, REAL_QUEUE_ID)) {
          this.hasRealPlace = true;
        }
        return true;
      case 0x43: // C
        return !startsWith(bytes, start, end, CLUSTER);
      default: // an item without a name, a separator or a value is no property
        return end > start && bytes[start] !== NAME_VALUE_SEPARATOR;
    }
  }
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let index = 0; index < prefix.length; index++) if (bytes[start + index] !== prefix[index]) return false;
  return true;
}

function isTrue(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    (bytes[start]! | 32) === 0x74 &&
    (bytes[start + 1]! | 32) === 0x72 &&
    (bytes[start + 2]! | 32) === 0x75 &&
    (bytes[start + 3]! | 32) === 0x65
  );
}

function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}
