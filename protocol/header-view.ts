/**
 * One request header, read in place. Hot: a view is made once and reused; a scan allocates nothing.
 *
 * The scan accepts the JSON that RocketMQ clients write and leaves anything unusual (white space, escapes in names,
 * nested values, floats, invalid UTF-8) to `JSON.parse`, so both ways accept the same input: a property test holds
 * them equal. The ROCKETMQ binary header fills the same view, so handlers do not know which one arrived.
 *
 * Shape: fields are ranges in `bytes`; a value whose kind is ESCAPED holds JSON escapes to be undone on reading.
 * Source: spec remoting 1.1 and 1.2; RemotingCommand, RocketMQSerializable.
 */
import { isUtf8 } from 'node:buffer';
import { getI8, getI16, getI32 } from './bytes.js';
import { LanguageCode, languageNames, SerializeType } from './codes.js';

/** Most ext fields a header may carry. */
export const EXT_FIELDS_MAX = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const ValueKind = { PLAIN: 0, ESCAPED: 1 } as const;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes a UTF-8 range; works on shared memory. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let ascii = end - start < 48;
  for (let index = start; ascii && index < end; index++) ascii = bytes[index]! < 0x80;
  if (!ascii) return utf8.decode(bytes.subarray(start, end));
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

export class HeaderView {
  /** What the ranges point into: the frame, or a scratch copy when `JSON.parse` had to help. */
  bytes: Uint8Array = new Uint8Array(0);
  code = 0;
  flag = 0;
  opaque = 0;
  version = 0;
  /** A {@link LanguageCode} ordinal. */
  language: number = LanguageCode.JAVA;
  serializeType: SerializeType = SerializeType.JSON;
  /** Number of ext fields. */
  count = 0;
  readonly keyStart = new Int32Array(EXT_FIELDS_MAX);
  readonly keyEnd = new Int32Array(EXT_FIELDS_MAX);
  readonly valueStart = new Int32Array(EXT_FIELDS_MAX);
  readonly valueEnd = new Int32Array(EXT_FIELDS_MAX);
  readonly #valueKind = new Uint8Array(EXT_FIELDS_MAX);
  /** How often the slow path was taken, for the counters. */
  fallbacks = 0;

  #position = 0;
  #escaped = false;
  #nonAscii = false;

  /**
   * Reads the header `bytes[start, end)`.
   * Errors: returns false when it is no header; the caller closes the connection.
   */
  read(bytes: Uint8Array, start: number, end: number, serializeType: number): boolean {
    this.bytes = bytes;
    this.count = 0;
    this.code = 0;
    this.flag = 0;
    this.opaque = 0;
    this.version = 0;
    this.language = LanguageCode.JAVA;
    if (serializeType === SerializeType.ROCKETMQ) {
      this.serializeType = SerializeType.ROCKETMQ;
      return this.#readBinary(bytes, start, end);
    }
    this.serializeType = SerializeType.JSON;
    if (serializeType !== SerializeType.JSON) return false;
    if (this.#scanJson(bytes, start, end)) return true;
    this.fallbacks++;
    return this.parseJson(bytes, start, end);
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

  /** The integer in field `index`; `missing` when there is none or it is no integer. */
  integer(index: number, missing = 0): number {
    if (index < 0) return missing;
    const { bytes } = this;
    let at = this.valueStart[index]!;
    const end = this.valueEnd[index]!;
    if (at === end) return missing;
    const negative = bytes[at] === 0x2d;
    if (negative || bytes[at] === 0x2b) at++;
    if (at === end) return missing;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return missing;
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }

  /** True for "true" in any letter case, else false, as Boolean.parseBoolean. */
  boolean(index: number): boolean {
    if (index < 0) return false;
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
    const text = decodeUtf8(this.bytes, start, end);
    return this.#valueKind[index] === ValueKind.ESCAPED ? (JSON.parse(`"${text}"`) as string) : text;
  }

  key(index: number): string {
    return decodeUtf8(this.bytes, this.keyStart[index]!, this.keyEnd[index]!);
  }

  /** True when the value must be unescaped before its bytes mean anything. */
  isEscaped(index: number): boolean {
    return this.#valueKind[index] === ValueKind.ESCAPED;
  }

  /** Writes the value of field `index` as UTF-8 at `at` in `target`; returns the position after it. */
  copyValue(index: number, target: Uint8Array, at: number): number {
    if (index < 0) return at;
    const { bytes } = this;
    const end = this.valueEnd[index]!;
    let source = this.valueStart[index]!;
    let position = at;
    if (this.#valueKind[index] !== ValueKind.ESCAPED) {
      while (source < end) target[position++] = bytes[source++]!;
      return position;
    }
    while (source < end) {
      const byte = bytes[source++]!;
      if (byte !== BACKSLASH) {
        target[position++] = byte;
        continue;
      }
      const escape = bytes[source++]!;
      if (escape !== 0x75) {
        target[position++] = simpleEscape(escape);
        continue;
      }
      let unit = hex16(bytes, source);
      source += 4;
      if (unit >= 0xd800 && unit < 0xdc00 && bytes[source] === BACKSLASH && bytes[source + 1] === 0x75) {
        const low = hex16(bytes, source + 2);
        if (low >= 0xdc00 && low < 0xe000) {
          source += 6;
          unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        }
      }
      if (unit >= 0xd800 && unit < 0xe000) unit = 0xfffd;
      position = putCodePoint(target, position, unit);
    }
    return position;
  }

  /** All ext fields as an object; the last of two equal names wins. */
  toObject(): Record<string, string> {
    const fields: Record<string, string> = {};
    for (let index = 0; index < this.count; index++) fields[this.key(index)] = this.string(index);
    return fields;
  }

  // ---- ROCKETMQ binary ----

  #readBinary(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 21) return false;
    this.code = getI16(bytes, start);
    this.language = getI8(bytes, start + 2);
    this.version = getI16(bytes, start + 3);
    this.opaque = getI32(bytes, start + 5);
    this.flag = getI32(bytes, start + 9);
    const remarkLength = getI32(bytes, start + 13);
    let at = start + 17;
    if (remarkLength < 0 || remarkLength > end - at - 4) return false;
    at += remarkLength;
    const extLength = getI32(bytes, at);
    at += 4;
    if (extLength < 0 || extLength > end - at) return false;
    const extEnd = at + extLength;
    while (at < extEnd) {
      if (extEnd - at < 2 || this.count >= EXT_FIELDS_MAX) return false;
      const keyLength = getI16(bytes, at);
      at += 2;
      if (keyLength < 0 || keyLength > extEnd - at - 4) return false;
      const keyStart = at;
      at += keyLength;
      const valueLength = getI32(bytes, at);
      at += 4;
      if (valueLength < 0 || valueLength > extEnd - at) return false;
      if (keyLength > 0 && valueLength > 0) this.#add(keyStart, keyStart + keyLength, at, at + valueLength, 0);
      at += valueLength;
    }
    return true;
  }

  #add(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number, kind: number): void {
    const index = this.count++;
    this.keyStart[index] = keyStart;
    this.keyEnd[index] = keyEnd;
    this.valueStart[index] = valueStart;
    this.valueEnd[index] = valueEnd;
    this.#valueKind[index] = kind;
  }

  // ---- JSON, the usual form ----

  #scanJson(bytes: Uint8Array, start: number, end: number): boolean {
    this.#nonAscii = false;
    let at = start;
    if (at >= end || bytes[at++] !== OPEN) return false;
    for (;;) {
      if (bytes[at] !== QUOTE) return false;
      const keyStart = at + 1;
      if (!this.#scanString(bytes, keyStart, end) || this.#escaped) return false;
      const keyEnd = this.#position;
      at = keyEnd + 1;
      if (bytes[at++] !== COLON) return false;
      at = this.#scanTopLevel(bytes, keyStart, keyEnd, at, end);
      if (at < 0 || at >= end) return false;
      const next = bytes[at++];
      if (next === COMMA) continue;
      if (next !== CLOSE || at !== end) return false;
      return !this.#nonAscii || isUtf8(bytes.slice(start, end));
    }
  }

  /** Reads one top-level value; returns the position after it, or -1. */
  #scanTopLevel(bytes: Uint8Array, keyStart: number, keyEnd: number, at: number, end: number): number {
    switch (topLevelKey(bytes, keyStart, keyEnd)) {
      case TopLevel.EXT_FIELDS:
        return this.#scanExtFields(bytes, at, end);
      case TopLevel.CODE:
        if (!this.#scanInteger(bytes, at, end)) return -1;
        this.code = this.#number;
        return this.#position;
      case TopLevel.FLAG:
        if (!this.#scanInteger(bytes, at, end)) return -1;
        this.flag = this.#number;
        return this.#position;
      case TopLevel.OPAQUE:
        if (!this.#scanInteger(bytes, at, end)) return -1;
        this.opaque = this.#number;
        return this.#position;
      case TopLevel.VERSION:
        if (!this.#scanInteger(bytes, at, end)) return -1;
        this.version = this.#number;
        return this.#position;
      case TopLevel.LANGUAGE: {
        if (bytes[at] !== QUOTE || !this.#scanString(bytes, at + 1, end) || this.#escaped) return -1;
        const close = this.#position;
        this.language =
          close - at === 5 && bytes[at + 1] === 0x4a && bytes[at + 2] === 0x41
            ? LanguageCode.JAVA
            : languageOf(decodeUtf8(bytes, at + 1, close));
        return close + 1;
      }
      default: // remark, serializeTypeCurrentRPC and what we do not know: only strings go this way
        if (bytes[at] !== QUOTE || !this.#scanString(bytes, at + 1, end)) return -1;
        if (this.#escaped && !validEscapes(bytes, at + 1, this.#position)) return -1;
        return this.#position + 1;
    }
  }

  #scanExtFields(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (bytes[at++] !== OPEN) return -1;
    this.count = 0;
    if (bytes[at] === CLOSE) return at + 1;
    for (;;) {
      if (bytes[at] !== QUOTE || this.count >= EXT_FIELDS_MAX) return -1;
      const keyStart = at + 1;
      if (!this.#scanString(bytes, keyStart, end) || this.#escaped) return -1;
      const keyEnd = this.#position;
      at = keyEnd + 1;
      if (bytes[at++] !== COLON) return -1;
      if (bytes[at] === QUOTE) {
        if (!this.#scanString(bytes, at + 1, end)) return -1;
        if (this.#escaped && !validEscapes(bytes, at + 1, this.#position)) return -1;
        this.#add(keyStart, keyEnd, at + 1, this.#position, this.#escaped ? ValueKind.ESCAPED : ValueKind.PLAIN);
        at = this.#position + 1;
      } else {
        const valueStart = at;
        const literal = literalLength(bytes, at, end);
        if (literal > 0) at += literal;
        else if (this.#scanInteger(bytes, at, end)) at = this.#position;
        else return -1;
        this.#add(keyStart, keyEnd, valueStart, at, ValueKind.PLAIN);
      }
      const next = bytes[at++];
      if (next === COMMA) continue;
      return next === CLOSE && at < end ? at : -1;
    }
  }

  /** Finds the closing quote of a string whose content starts at `start`; its position is left in #position. */
  #scanString(bytes: Uint8Array, start: number, end: number): boolean {
    let escaped = false;
    let high = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.#position = at;
        this.#escaped = escaped;
        if (high >= 0x80) this.#nonAscii = true;
        return true;
      }
      if (byte < 0x20) return false;
      if (byte === BACKSLASH) {
        escaped = true;
        at++;
      }
      high |= byte;
    }
    return false;
  }

  #number = 0;

  /** A decimal integer of at most 15 digits without leading zeros; its end is left in #position. */
  #scanInteger(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    const negative = bytes[at] === 0x2d;
    if (negative) at++;
    const first = at;
    let value = 0;
    while (at < end) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    const digits = at - first;
    if (digits === 0 || digits > 15 || at >= end) return false;
    if (bytes[first] === 0x30 && (digits > 1 || negative)) return false;
    const next = bytes[at];
    if (next !== COMMA && next !== CLOSE) return false;
    this.#number = negative ? -value : value;
    this.#position = at;
    return true;
  }

  // ---- JSON, any form ----

  /** The slow way: `JSON.parse`, then the values laid out in a scratch copy. Public for the test that compares both. */
  parseJson(bytes: Uint8Array, start: number, end: number): boolean {
    let parsed: unknown;
    try {
      parsed = JSON.parse(utf8.decode(bytes.subarray(start, end)));
    } catch {
      return false;
    }
    if (!isObject(parsed)) return false;
    const integers = ['code', 'flag', 'opaque', 'version'] as const;
    for (const name of integers) {
      const value = parsed[name] ?? 0;
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
      this[name] = value;
    }
    this.language = languageOf(parsed.language);
    this.count = 0;
    if (parsed.extFields === undefined || parsed.extFields === null) return true;
    if (!isObject(parsed.extFields)) return false;
    const entries = Object.entries(parsed.extFields).filter(([, value]) => value !== null);
    if (entries.length > EXT_FIELDS_MAX) return false;
    return this.#layOut(entries);
  }

  #layOut(entries: readonly [string, unknown][]): boolean {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (const [key, value] of entries) {
      if (typeof value === 'object') return false;
      const keyBytes = encoder.encode(key);
      const valueBytes = encoder.encode(String(value));
      parts.push(keyBytes, valueBytes);
      const valueStart = size + keyBytes.length;
      this.#add(size, valueStart, valueStart, valueStart + valueBytes.length, ValueKind.PLAIN);
      size = valueStart + valueBytes.length;
    }
    const scratch = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      scratch.set(part, at);
      at += part.length;
    }
    this.bytes = scratch;
    return true;
  }
}

const TopLevel = { OTHER: 0, CODE: 1, EXT_FIELDS: 2, FLAG: 3, LANGUAGE: 4, OPAQUE: 5, VERSION: 6 } as const;
const topLevelNames = [
  ['code', TopLevel.CODE],
  ['extFields', TopLevel.EXT_FIELDS],
  ['flag', TopLevel.FLAG],
  ['language', TopLevel.LANGUAGE],
  ['opaque', TopLevel.OPAQUE],
  ['version', TopLevel.VERSION],
] as const;
const topLevelTable = topLevelNames.map(([name, id]) => ({ bytes: encoder.encode(name), id }));

function topLevelKey(bytes: Uint8Array, start: number, end: number): number {
  search: for (let index = 0; index < topLevelTable.length; index++) {
    const known = topLevelTable[index]!;
    if (known.bytes.length !== end - start) continue;
    for (let at = 0; at < known.bytes.length; at++) if (bytes[start + at] !== known.bytes[at]) continue search;
    return known.id;
  }
  return TopLevel.OTHER;
}

function languageOf(value: unknown): number {
  if (value === undefined || value === null) return LanguageCode.JAVA;
  if (typeof value === 'number') return value;
  const ordinal = languageNames.indexOf(String(value));
  return ordinal < 0 ? LanguageCode.OTHER : ordinal;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Length of `true` or `false` at `at` when `,` or `}` follows, else 0. */
function literalLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  const word = first === 0x74 ? TRUE : first === 0x66 ? FALSE : undefined;
  if (word === undefined || at + word.length >= end) return 0;
  for (let index = 1; index < word.length; index++) if (bytes[at + index] !== word[index]) return 0;
  const next = bytes[at + word.length];
  return next === COMMA || next === CLOSE ? word.length : 0;
}
const TRUE = encoder.encode('true');
const FALSE = encoder.encode('false');

function simpleEscape(escape: number): number {
  switch (escape) {
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default: // " \ /
      return escape;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 32;
  return lower >= 0x61 && lower <= 0x66 ? lower - 87 : -1;
}

function hex16(bytes: Uint8Array, at: number): number {
  return (
    (hexDigit(bytes[at]!) << 12) |
    (hexDigit(bytes[at + 1]!) << 8) |
    (hexDigit(bytes[at + 2]!) << 4) |
    hexDigit(bytes[at + 3]!)
  );
}

/** True when every escape between `start` and `end` is one that JSON knows. */
function validEscapes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const escape = bytes[++at]!;
    if (escape === 0x75) {
      if (at + 4 >= end) return false;
      for (let index = 1; index <= 4; index++) if (hexDigit(bytes[at + index]!) < 0) return false;
      at += 4;
    } else if (!SIMPLE_ESCAPES.includes(escape)) {
      return false;
    }
  }
  return true;
}
const SIMPLE_ESCAPES = encoder.encode('"\\/bfnrt');

function putCodePoint(target: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    target[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    target[at] = 0xc0 | (code >> 6);
    target[at + 1] = 0x80 | (code & 63);
    return at + 2;
  }
  if (code < 0x10000) {
    target[at] = 0xe0 | (code >> 12);
    target[at + 1] = 0x80 | ((code >> 6) & 63);
    target[at + 2] = 0x80 | (code & 63);
    return at + 3;
  }
  target[at] = 0xf0 | (code >> 18);
  target[at + 1] = 0x80 | ((code >> 12) & 63);
  target[at + 2] = 0x80 | ((code >> 6) & 63);
  target[at + 3] = 0x80 | (code & 63);
  return at + 4;
}
