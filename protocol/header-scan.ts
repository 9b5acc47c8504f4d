/**
 * The JSON header as RocketMQ's clients write it, scanned in place. Hot: no allocation, one pass.
 *
 * What is unusual (white space, escapes in names, nested values, floats, nulls, invalid UTF-8) is not taken, and left
 * to {@link parseJsonHeader}: whatever the scan takes, both read alike. A property test holds them equal.
 * Source: spec remoting 1.1.
 */
import { isUtf8 } from 'node:buffer';
import { LanguageCode } from './codes.js';
import { EXT_FIELDS_MAX, type HeaderFields, ValueKind } from './header-fields.js';
import { languageOf } from './header-json.js';
import { areEscapesValid, decodeUtf8 } from './json-text.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const FALLEN_BACK = -1;

const encoder = new TextEncoder();
const JAVA = encoder.encode('"JAVA"');
const TRUE = encoder.encode('true');
const FALSE = encoder.encode('false');

// What the last scan of a part found besides its end. One header is scanned at a time, on one thread.
let escaped = false;
let number = 0;
/** All bytes of all texts so far, or-ed: tells whether any is beyond ASCII. */
let seenBytes = 0;

/** Whether the header that was scanned last is plain ASCII. */
export function wasAscii(): boolean {
  return seenBytes < 0x80;
}

/**
 * Reads `bytes[start, end)` into `fields`. Errors: false when it is not of the usual form; the fields holds nothing
 * then.
 */
export function scanJsonHeader(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): boolean {
  seenBytes = 0;
  let at = start;
  if (at >= end || bytes[at++] !== OPEN) return false;
  for (;;) {
    if (bytes[at] !== QUOTE) return false;
    const keyStart = at + 1;
    const keyEnd = scanText(bytes, keyStart, end);
    if (keyEnd < 0 || escaped) return false;
    at = keyEnd + 1;
    if (bytes[at++] !== COLON) return false;
    at = scanMember(fields, bytes, keyStart, keyEnd, at, end);
    if (at < 0 || at >= end) return false;
    const next = bytes[at++];
    if (next === COMMA) continue;
    if (next !== CLOSE || at !== end) return false;
    // A slice, because isUtf8 does not take shared memory.
    return seenBytes < 0x80 || isUtf8(bytes.slice(start, end));
  }
}

/** Reads one value of the outer object; returns the position after it. */
function scanMember(
  fields: HeaderFields,
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  at: number,
  end: number,
): number {
  const member = memberOf(bytes, keyStart, keyEnd);
  if (member === Member.EXT_FIELDS) return scanExtFields(fields, bytes, at, end);
  if (member === Member.LANGUAGE) return scanLanguage(fields, bytes, at, end);
  if (member === Member.OTHER) return scanIgnored(bytes, at, end);
  const after = scanInteger(bytes, at, end);
  if (after < 0 || number !== (number | 0)) return FALLEN_BACK;
  switch (member) {
    case Member.CODE:
      fields.code = number;
      return after;
    case Member.FLAG:
      fields.flag = number;
      return after;
    case Member.OPAQUE:
      fields.opaque = number;
      fields.opaqueStart = at;
      fields.opaqueEnd = after;
      return after;
    default:
      fields.version = number;
      return after;
  }
}

function scanLanguage(fields: HeaderFields, bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return FALLEN_BACK;
  if (startsWith(bytes, at, end, JAVA)) {
    fields.language = LanguageCode.JAVA;
    return at + JAVA.length;
  }
  const close = scanText(bytes, at + 1, end);
  if (close < 0 || escaped) return FALLEN_BACK;
  fields.language = languageOf(decodeUtf8(bytes, at + 1, close));
  return close + 1;
}

/** The remark, serializeTypeCurrentRPC and what we do not know: only texts go this way. */
function scanIgnored(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return FALLEN_BACK;
  const close = scanText(bytes, at + 1, end);
  if (close < 0 || (escaped && !areEscapesValid(bytes, at + 1, close))) return FALLEN_BACK;
  return close + 1;
}

function scanExtFields(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at++] !== OPEN) return FALLEN_BACK;
  fields.count = 0;
  if (bytes[at] === CLOSE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE || fields.count >= EXT_FIELDS_MAX) return FALLEN_BACK;
    const keyStart = at + 1;
    const keyEnd = scanText(bytes, keyStart, end);
    if (keyEnd < 0 || escaped) return FALLEN_BACK;
    at = keyEnd + 1;
    if (bytes[at++] !== COLON) return FALLEN_BACK;
    if (bytes[at] === QUOTE) {
      const close = scanText(bytes, at + 1, end);
      if (close < 0 || (escaped && !areEscapesValid(bytes, at + 1, close))) return FALLEN_BACK;
      fields.add(keyStart, keyEnd, at + 1, close, escaped ? ValueKind.ESCAPED : ValueKind.PLAIN);
      at = close + 1;
    } else {
      const after = scanLiteral(bytes, at, end);
      if (after < 0) return FALLEN_BACK;
      fields.add(keyStart, keyEnd, at, after, ValueKind.PLAIN);
      at = after;
    }
    const next = bytes[at++];
    if (next === COMMA) continue;
    return next === CLOSE && at < end ? at : FALLEN_BACK;
  }
}

/** Finds the closing quote of a text whose content starts at `start`; leaves in `escaped` whether it has escapes. */
function scanText(bytes: Uint8Array, start: number, end: number): number {
  let hasEscapes = false;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      escaped = hasEscapes;
      seenBytes |= seen;
      return at;
    }
    if (byte < 0x20) return FALLEN_BACK;
    if (byte === BACKSLASH) {
      hasEscapes = true;
      at++;
    }
    seen |= byte;
  }
  return FALLEN_BACK;
}

/** A decimal integer of at most 15 digits as JSON writes it; returns its end and leaves it in `number`. */
function scanInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  let value = 0;
  while (at < end) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  const digits = at - first;
  if (digits === 0 || digits > 15 || at >= end) return FALLEN_BACK;
  if (bytes[first] === ZERO && (digits > 1 || negative)) return FALLEN_BACK;
  const next = bytes[at];
  if (next !== COMMA && next !== CLOSE) return FALLEN_BACK;
  number = negative ? -value : value;
  return at;
}

/** `true`, `false` or an integer, as ali-ons sends them; returns its end. */
function scanLiteral(bytes: Uint8Array, at: number, end: number): number {
  const word = bytes[at] === TRUE[0] ? TRUE : bytes[at] === FALSE[0] ? FALSE : undefined;
  if (word === undefined) return scanInteger(bytes, at, end);
  const after = at + word.length;
  if (after >= end || !startsWith(bytes, at, end, word)) return FALLEN_BACK;
  return bytes[after] === COMMA || bytes[after] === CLOSE ? after : FALLEN_BACK;
}

function startsWith(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start < word.length) return false;
  for (let index = 0; index < word.length; index++) if (bytes[start + index] !== word[index]) return false;
  return true;
}

const Member = { OTHER: 0, CODE: 1, EXT_FIELDS: 2, FLAG: 3, LANGUAGE: 4, OPAQUE: 5, VERSION: 6 } as const;
const memberNames = ['', 'code', 'extFields', 'flag', 'language', 'opaque', 'version'].map(name =>
  encoder.encode(name),
);

/** Which member of a header is called `bytes[start, end)`. */
function memberOf(bytes: Uint8Array, start: number, end: number): number {
  let member: number = Member.OTHER;
  switch (bytes[start]) {
    case 0x63: // c
      member = Member.CODE;
      break;
    case 0x65: // e
      member = Member.EXT_FIELDS;
      break;
    case 0x66: // f
      member = Member.FLAG;
      break;
    case 0x6c: // l
      member = Member.LANGUAGE;
      break;
    case 0x6f: // o
      member = Member.OPAQUE;
      break;
    case 0x76: // v
      member = Member.VERSION;
      break;
    default:
      return Member.OTHER;
  }
  const name = memberNames[member]!;
  return name.length === end - start && startsWith(bytes, start, end, name) ? member : Member.OTHER;
}
