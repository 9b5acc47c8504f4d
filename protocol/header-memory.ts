/**
 * Headers that were seen before, so that the next one of the same client is compared instead of scanned. Hot.
 *
 * The headers of one client are the same but for some digits and letters: a time, a unique key, the opaque. Eight bytes
 * at a time they are compared with a header of the same length that was scanned before; where they differ, both must be
 * plain letters inside the text of an ext field, or digits of the opaque. Everything else then stands where it stood.
 * What is recalled and what {@link scanJsonHeader} reads are the same; a property test holds them equal.
 */
import type { HeaderFields } from './header-fields.js';

/** Longer headers are not remembered. Units: bytes. */
const LENGTH_MAX = 1024;
/** Remembered headers, one of each length modulo this; a power of two. */
const SHAPES_MAX = 64;
/** A header that was recalled gives its place to another after so many misses. */
const PATIENCE = 4;

/** What a byte may become, a bit each: a plain ASCII letter of a text, a digit, a digit but 0. FIXED: nothing else. */
const ByteKind = { FIXED: 0, TEXT: 1, DIGIT: 2, LEADING_DIGIT: 4 } as const;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const MINUS = 0x2d;

/** The kinds of places where each byte may stand, or-ed. */
const kindsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) return 0;
  if (byte < 0x30 || byte > 0x39) return ByteKind.TEXT;
  return ByteKind.TEXT | ByteKind.DIGIT | (byte === 0x30 ? 0 : ByteKind.LEADING_DIGIT);
});

/** One remembered header. All positions count from its start. */
export class HeaderShape {
  readonly length: number;
  /** Where the fields of a handler are, and the index that found them: the same for all headers of this shape. */
  slots: Int16Array | undefined;
  slotsOf: object | undefined;
  patience = PATIENCE;
  readonly #bytes: Uint8Array;
  /**
   * The same bytes, eight at a time. As all are ASCII letters none of these numbers is NaN or 0, and they are equal
   * when their bits are.
   */
  readonly #words: Float64Array;
  readonly #kinds: Uint8Array;
  readonly #opaqueStart: number;
  readonly #opaqueEnd: number;
  readonly #code: number;
  readonly #flag: number;
  readonly #opaque: number;
  readonly #version: number;
  readonly #language: number;
  readonly #count: number;
  /** Key start, key end, value start, value end, kind of each ext field. */
  readonly #ranges: Int16Array;

  /** `fields`: as the scan of the ASCII header `bytes[start, end)` filled them. */
  constructor(fields: HeaderFields, start: number, end: number) {
    this.length = end - start;
    const memory = new ArrayBuffer(this.length);
    this.#bytes = new Uint8Array(memory);
    this.#bytes.set(fields.bytes.subarray(start, end));
    const view = new DataView(memory);
    this.#words = new Float64Array(this.length >> 3);
    for (let index = 0; index < this.#words.length; index++) this.#words[index] = view.getFloat64(index * 8, true);
    this.#code = fields.code;
    this.#flag = fields.flag;
    this.#opaque = fields.opaque;
    this.#version = fields.version;
    this.#language = fields.language;
    this.#count = fields.count;
    this.#opaqueStart = fields.opaqueStart - start;
    this.#opaqueEnd = fields.opaqueEnd - start;
    this.#kinds = new Uint8Array(this.length);
    this.#ranges = new Int16Array(fields.count * 5);
    for (let index = 0; index < fields.count; index++) this.#noteField(fields, index, start);
    if (fields.opaqueStart >= 0) this.#noteOpaque();
  }

  #noteField(fields: HeaderFields, index: number, start: number): void {
    const valueStart = fields.valueStart[index]! - start;
    const valueEnd = fields.valueEnd[index]! - start;
    const keyStart = fields.keyStart[index]! - start;
    const kind = fields.valueKind[index]!;
    this.#ranges.set([keyStart, fields.keyEnd[index]! - start, valueStart, valueEnd, kind], index * 5);
    // A value without quotes, or what an escape is made of, stays as it is.
    if (this.#bytes[valueStart - 1] !== QUOTE) return;
    for (let at = valueStart; at < valueEnd; at++) {
      if (this.#bytes[at] === BACKSLASH) at += this.#bytes[at + 1] === LETTER_U ? 5 : 1;
      else this.#kinds[at] = ByteKind.TEXT;
    }
  }

  #noteOpaque(): void {
    const first = this.#opaqueStart + (this.#bytes[this.#opaqueStart] === MINUS ? 1 : 0);
    this.#kinds.fill(ByteKind.DIGIT, first, this.#opaqueEnd);
    this.#kinds[first] = this.#bytes[first] === 0x30 ? ByteKind.FIXED : ByteKind.LEADING_DIGIT;
  }

  /** Fills `fields` with the header at `start`, which has this length. False when it is of another shape. */
  recall(fields: HeaderFields, bytes: Uint8Array, view: DataView, start: number): boolean {
    const words = this.#words;
    let at = 0;
    for (let index = 0; index < words.length; index++, at += 8) {
      if (view.getFloat64(start + at, true) === words[index]) continue;
      if (!this.#allows(bytes, start, at, at + 8)) return false;
    }
    if (!this.#allows(bytes, start, at, this.length)) return false;
    const opaque = this.#readOpaque(bytes, start);
    if (opaque !== (opaque | 0)) return false;
    fields.code = this.#code;
    fields.flag = this.#flag;
    fields.opaque = opaque;
    fields.version = this.#version;
    fields.language = this.#language;
    fields.count = this.#count;
    this.#putRanges(fields, start);
    return true;
  }

  #allows(bytes: Uint8Array, start: number, from: number, to: number): boolean {
    for (let at = from; at < to; at++) {
      const byte = bytes[start + at]!;
      if (byte !== this.#bytes[at] && (kindsOfByte[byte]! & this.#kinds[at]!) === 0) return false;
    }
    return true;
  }

  #readOpaque(bytes: Uint8Array, start: number): number {
    if (this.#opaqueEnd <= this.#opaqueStart) return this.#opaque;
    const end = start + this.#opaqueEnd;
    let at = start + this.#opaqueStart;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    let value = 0;
    for (; at < end; at++) value = value * 10 + bytes[at]! - 0x30;
    return negative ? -value : value;
  }

  #putRanges(fields: HeaderFields, start: number): void {
    const ranges = this.#ranges;
    const { keyStart, keyEnd, valueStart, valueEnd, valueKind } = fields;
    for (let index = 0, at = 0; at < ranges.length; index++, at += 5) {
      keyStart[index] = start + ranges[at]!;
      keyEnd[index] = start + ranges[at + 1]!;
      valueStart[index] = start + ranges[at + 2]!;
      valueEnd[index] = start + ranges[at + 3]!;
      valueKind[index] = ranges[at + 4]!;
    }
  }
}

export class HeaderMemory {
  readonly #shapes: (HeaderShape | undefined)[] = new Array(SHAPES_MAX).fill(undefined);
  #bytes: Uint8Array | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** Fills `fields` when a header like `bytes[start, end)` is remembered; returns its shape. */
  recall(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): HeaderShape | undefined {
    const length = end - start;
    const shape = this.#shapes[length & (SHAPES_MAX - 1)];
    if (shape === undefined || shape.length !== length) return undefined;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    if (!shape.recall(fields, bytes, this.#view, start)) return undefined;
    shape.patience = PATIENCE;
    return shape;
  }

  /**
   * Remembers a header that was scanned and is plain ASCII, unless one that is recalled more often has its place;
   * returns its shape then.
   */
  learn(fields: HeaderFields, start: number, end: number): HeaderShape | undefined {
    const length = end - start;
    if (length > LENGTH_MAX) return undefined;
    const place = length & (SHAPES_MAX - 1);
    const known = this.#shapes[place];
    if (known !== undefined && known.patience-- > 0) return undefined;
    const shape = new HeaderShape(fields, start, end);
    this.#shapes[place] = shape;
    return shape;
  }
}
