/**
 * Text inside a header: UTF-8 ranges to strings, and the escapes of a JSON text undone byte by byte. Hot, except where
 * a string is made.
 */

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const REPLACEMENT = 0xfffd;

/** A BOM is text here, as it is in Java. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** What the byte after a backslash stands for; 0 for a byte that may not stand there. */
const simpleEscapes = makeSimpleEscapes();

function makeSimpleEscapes(): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of encoder.encode('"\\/')) table[byte] = byte;
  for (const [letter, meaning] of [...'bfnrt'].map((letter, index) => [letter, '\b\f\n\r\t'[index]!] as const)) {
    table[letter.charCodeAt(0)] = meaning.charCodeAt(0);
  }
  return table;
}

/** Decodes a UTF-8 range, invalid bytes as U+FFFD; works on shared memory. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let ascii = end - start < 48;
  for (let index = start; ascii && index < end; index++) ascii = bytes[index]! < 0x80;
  if (!ascii) return utf8.decode(bytes.subarray(start, end));
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

/** True when every backslash in `bytes[start, end)` begins an escape that JSON knows. */
export function areEscapesValid(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    at++;
    if (at >= end) return false;
    if (bytes[at] === LETTER_U) {
      if (at + 4 >= end) return false;
      for (let index = 1; index <= 4; index++) if (hexDigit(bytes[at + index]!) < 0) return false;
      at += 4;
    } else if (simpleEscapes[bytes[at]!] === 0) {
      return false;
    }
  }
  return true;
}

/**
 * Writes    the text `bytes[start, end)`, whose escapes are valid, as UTF-8 at `at` in `target`; returns the position
 *           after it. A surrogate without its other half becomes U+FFFD. It never gets longer.
 */
export function copyUnescaped(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let source = start;
  let position = at;
  while (source < end) {
    const byte = bytes[source++]!;
    if (byte !== BACKSLASH) {
      target[position++] = byte;
      continue;
    }
    const letter = bytes[source++]!;
    if (letter !== LETTER_U) {
      target[position++] = simpleEscapes[letter]!;
      continue;
    }
    let unit = hex16(bytes, source);
    source += 4;
    if (isHighSurrogate(unit) && bytes[source] === BACKSLASH && bytes[source + 1] === LETTER_U) {
      const low = hex16(bytes, source + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        source += 6;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    position = putCodePoint(target, position, unit >= 0xd800 && unit < 0xe000 ? REPLACEMENT : unit);
  }
  return position;
}

/** The text `bytes[start, end)`, whose escapes are valid, as a string: what {@link copyUnescaped} writes, decoded. */
export function decodeUnescaped(bytes: Uint8Array, start: number, end: number): string {
  const scratch = new Uint8Array(end - start);
  return decodeUtf8(scratch, 0, copyUnescaped(bytes, start, end, scratch, 0));
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
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
