/**
 * What the store reads from a message's properties: its tags, its unique key and its keys, found in one pass over the
 * bytes. Hot.
 * Source: spec storage 3.3, 3.4, 5.2.
 */
import { javaHash, PROPERTY_SEPARATOR } from './message-record.js';

const encoder = new TextEncoder();
const TAGS = encoder.encode('TAGS\u0001');
const KEYS = encoder.encode('KEYS\u0001');
const UNIQ_KEY = encoder.encode('UNIQ_KEY\u0001');

/** Shape: an empty range where the property is missing. */
export class PropertyRanges {
  tagsStart = 0;
  tagsEnd = 0;
  keysStart = 0;
  keysEnd = 0;
  uniqueKeyStart = 0;
  uniqueKeyEnd = 0;

  /**
   * Reads the property string `bytes[start, end)`. An item without a value is left out; of several of one name the last
   * counts, as in Java's map.
   */
  find(bytes: Uint8Array, start: number, end: number): void {
    this.tagsStart = this.tagsEnd = this.keysStart = this.keysEnd = this.uniqueKeyStart = this.uniqueKeyEnd = 0;
    for (let item = start; item < end; ) {
      const first = bytes[item];
      const name = first === 0x55 ? UNIQ_KEY : first === 0x54 ? TAGS : first === 0x4b ? KEYS : undefined;
      let value = item;
      if (name !== undefined && startsWith(bytes, item, end, name)) value += name.length;
      let itemEnd = value;
      while (itemEnd < end && bytes[itemEnd] !== PROPERTY_SEPARATOR) itemEnd++;
      if (value > item && itemEnd > value) {
        if (name === UNIQ_KEY) {
          this.uniqueKeyStart = value;
          this.uniqueKeyEnd = itemEnd;
        } else if (name === TAGS) {
          this.tagsStart = value;
          this.tagsEnd = itemEnd;
        } else {
          this.keysStart = value;
          this.keysEnd = itemEnd;
        }
      }
      item = itemEnd + 1;
    }
  }

  /** Hash of the tags in the bytes that were read; 0 when there are none. */
  tagsCode(bytes: Uint8Array): number {
    return javaHash(bytes, this.tagsStart, this.tagsEnd);
  }
}

function startsWith(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start < name.length) return false;
  for (let index = 1; index < name.length; index++) if (bytes[start + index] !== name[index]) return false;
  return true;
}
