/**
 * Finds the properties that an expression names in the property string of a record, in one pass and without a map. Hot.
 * Source: MessageDecoder.string2messageProperties: the last of several counts, one without a value is none.
 */
import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from '../message-record.js';
import { TextIndex } from './text-index.js';

export class PropertyScan {
  /** Where each property's value begins, in the order of the names; -1 when it is absent. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  bytes: Uint8Array = new Uint8Array(0);
  readonly #names: TextIndex;

  constructor(names: Iterable<string>) {
    this.#names = new TextIndex(names);
    this.starts = new Int32Array(this.#names.size);
    this.ends = new Int32Array(this.#names.size);
  }

  /** Looks through the property string `bytes[start, end)`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.starts.fill(-1);
    let item = start;
    while (item < end) {
      let separator = -1;
      let at = item;
      for (; at < end; at++) {
        const byte = bytes[at]!;
        if (byte === PROPERTY_SEPARATOR) break;
        if (byte === NAME_VALUE_SEPARATOR && separator < 0) separator = at;
      }
      if (separator > item && separator < at - 1) {
        const slot = this.#names.find(bytes, item, separator);
        if (slot >= 0) {
          this.starts[slot] = separator + 1;
          this.ends[slot] = at;
        }
      }
      item = at + 1;
    }
  }
}
