/**
 * One request header, read in place. Hot: a view is made once and reused; reading allocates nothing.
 *
 * Both forms of a header fill the same view, so handlers do not know which one arrived: `header-scan.ts` reads the JSON
 * that clients write, `header-memory.ts` what is like a header before, `header-json.ts` any other JSON,
 * `header-binary.ts` the ROCKETMQ form.
 *
 * Shape: fields are ranges in `bytes`; a value whose kind is ESCAPED holds JSON escapes to be undone on reading.
 * Source: spec remoting 1.1 and 1.2; RemotingCommand, RocketMQSerializable.
 */
import { SerializeType } from './codes.js';
import { readBinaryHeader } from './header-binary.js';
import { HeaderFields, ValueKind } from './header-fields.js';
import { parseJsonHeader } from './header-json.js';
import { HeaderMemory, type HeaderShape } from './header-memory.js';
import { scanJsonHeader, wasAscii } from './header-scan.js';
import { copyUnescaped, decodeUnescaped, decodeUtf8 } from './json-text.js';

export { EXT_FIELDS_MAX } from './header-fields.js';
export { decodeUtf8 };

const MINUS = 0x2d;
const PLUS = 0x2b;

export class HeaderView extends HeaderFields {
  /** How often the slow path was taken, for the counters. */
  fallbacks = 0;
  /** Headers of one shape have their fields in the same order; undefined when the header is of no known shape. */
  shape: HeaderShape | undefined;
  readonly #memory: HeaderMemory | undefined;

  /** `remembers`: worth it for who reads many headers of the same clients. */
  constructor(remembers = false) {
    super();
    this.#memory = remembers ? new HeaderMemory() : undefined;
  }

  /**
   * Reads the header `bytes[start, end)`.
   * Errors: returns false when it is no header; the caller closes the connection.
   */
  read(bytes: Uint8Array, start: number, end: number, serializeType: number): boolean {
    this.shape = undefined;
    if (serializeType === SerializeType.JSON && this.#memory !== undefined) {
      this.shape = this.#memory.recall(this, bytes, start, end);
      if (this.shape !== undefined) {
        this.bytes = bytes;
        this.serializeType = SerializeType.JSON;
        return true;
      }
    }
    this.reset(bytes);
    if (serializeType === SerializeType.ROCKETMQ) {
      this.serializeType = SerializeType.ROCKETMQ;
      return readBinaryHeader(this, bytes, start, end);
    }
    this.serializeType = SerializeType.JSON;
    if (serializeType !== SerializeType.JSON) return false;
    if (scanJsonHeader(this, bytes, start, end)) {
      if (wasAscii()) this.shape = this.#memory?.learn(this, start, end);
      return true;
    }
    this.fallbacks++;
    return this.parseJson(bytes, start, end);
  }

  /** The slow way alone. Public for the test that compares both. Errors: as {@link read}. */
  parseJson(bytes: Uint8Array, start: number, end: number): boolean {
    this.reset(bytes);
    this.serializeType = SerializeType.JSON;
    return parseJsonHeader(this, bytes, start, end);
  }

  /** Index of the last ext field called `name` (ASCII bytes), or -1. */
  find(name: Uint8Array): number {
    const { keyStart, keyEnd, bytes } = this;
    const length = name.length;
    search: for (let index = this.count - 1; index >= 0; index--) {
      const start = keyStart[index]!;
      if (keyEnd[index]! - start !== length) continue;
      for (let at = 0; at < length; at++) if (bytes[start + at] !== name[at]) continue search;
      return index;
    }
    return -1;
  }

  /**
   * The integer in field `index`; `missing` when there is none or it is no integer. One beyond ±(2^53 - 1) becomes
   * ±Number.MAX_SAFE_INTEGER, so that every result fits a 64-bit field.
   */
  integer(index: number, missing = 0): number {
    if (index < 0) return missing;
    const { bytes } = this;
    const start = this.valueStart[index]!;
    const end = this.valueEnd[index]!;
    const sign = bytes[start] === MINUS || bytes[start] === PLUS ? 1 : 0;
    if (end - start <= sign) return missing;
    let value = 0;
    for (let at = start + sign; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return this.isEscaped(index) ? integerOf(this.string(index), missing) : missing;
      value = value * 10 + digit;
    }
    if (value > Number.MAX_SAFE_INTEGER) value = Number.MAX_SAFE_INTEGER;
    return bytes[start] === MINUS ? -value : value;
  }

  /** True for "true" in any letter case, else false, as Boolean.parseBoolean. */
  boolean(index: number): boolean {
    if (index < 0) return false;
    if (this.isEscaped(index)) return this.string(index).toLowerCase() === 'true';
    const start = this.valueStart[index]!;
    if (this.valueEnd[index]! - start !== 4) return false;
    const { bytes } = this;
    return (
      (bytes[start]! | 32) === 0x74 &&
      (bytes[start + 1]! | 32) === 0x72 &&
      (bytes[start + 2]! | 32) === 0x75 &&
      (bytes[start + 3]! | 32) === 0x65
    );
  }

  /** The text of field `index`; "" when `index` is -1. Allocates: not for every message. */
  string(index: number): string {
    if (index < 0) return '';
    const start = this.valueStart[index]!;
    const end = this.valueEnd[index]!;
    return this.isEscaped(index) ? decodeUnescaped(this.bytes, start, end) : decodeUtf8(this.bytes, start, end);
  }

  key(index: number): string {
    return decodeUtf8(this.bytes, this.keyStart[index]!, this.keyEnd[index]!);
  }

  /** True when the value must be unescaped before its bytes mean anything. */
  isEscaped(index: number): boolean {
    return this.valueKind[index] === ValueKind.ESCAPED;
  }

  /** Writes the value of field `index` as UTF-8 at `at` in `target`; returns the position after it. */
  copyValue(index: number, target: Uint8Array, at: number): number {
    if (index < 0) return at;
    const { bytes } = this;
    const end = this.valueEnd[index]!;
    let source = this.valueStart[index]!;
    if (this.isEscaped(index)) return copyUnescaped(bytes, source, end, target, at);
    let position = at;
    while (source < end) target[position++] = bytes[source++]!;
    return position;
  }

  /** All ext fields as an object; the last of two equal names wins. */
  toObject(): Record<string, string> {
    const fields: Record<string, string> = {};
    for (let index = 0; index < this.count; index++) setField(fields, this.key(index), this.string(index));
    return fields;
  }
}

/** Sets a field of any name: `__proto__`, merely assigned, would be lost. */
export function setField(fields: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') {
    Object.defineProperty(fields, name, { value, configurable: true, enumerable: true, writable: true });
  } else {
    fields[name] = value;
  }
}

function integerOf(text: string, missing: number): number {
  if (!/^[+-]?\d+$/.test(text)) return missing;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}
