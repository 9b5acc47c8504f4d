/**
 * The ROCKETMQ binary header, read into a {@link HeaderFields}. Hot.
 *
 *   | code i16 | language i8 | version i16 | opaque i32 | flag i32 | R i32 | remark, R bytes | E i32 | E bytes of
 *   entries | entry: | key length i16 | key | value length i32 | value |
 *
 * Source: spec remoting 1.2; RocketMQSerializable.
 */
import { getI8, getI16, getI32 } from './bytes.js';
import { LanguageCode, languageNames } from './codes.js';
import { EXT_FIELDS_MAX, type HeaderFields, ValueKind } from './header-fields.js';

/** A header without remark and ext fields. Units: bytes. */
export const BINARY_HEADER_SIZE_MIN = 21;
/** Where the remark's length stands in a header. */
export const BINARY_REMARK_AT = 13;

/** Reads `bytes[start, end)` into `fields`. Errors: false when a length points out of the header. */
export function readBinaryHeader(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < BINARY_HEADER_SIZE_MIN) return false;
  fields.code = getI16(bytes, start);
  const language = getI8(bytes, start + 2);
  fields.language = language >= 0 && language < languageNames.length ? language : LanguageCode.OTHER;
  fields.version = getI16(bytes, start + 3);
  fields.opaque = getI32(bytes, start + 5);
  fields.flag = getI32(bytes, start + 9);
  const remarkLength = getI32(bytes, start + BINARY_REMARK_AT);
  let at = start + BINARY_REMARK_AT + 4;
  if (remarkLength < 0 || remarkLength > end - at - 4) return false;
  at += remarkLength;
  const extLength = getI32(bytes, at);
  at += 4;
  if (extLength < 0 || extLength > end - at) return false;
  return readEntries(fields, bytes, at, at + extLength);
}

function readEntries(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 2) return false;
    const keyLength = getI16(bytes, at);
    at += 2;
    if (keyLength < 0 || keyLength > end - at - 4) return false;
    const keyStart = at;
    at += keyLength;
    const valueLength = getI32(bytes, at);
    at += 4;
    if (valueLength < 0 || valueLength > end - at) return false;
    // Java reads an empty text as none.
    if (keyLength > 0 && valueLength > 0) {
      if (fields.count >= EXT_FIELDS_MAX) return false;
      fields.add(keyStart, keyStart + keyLength, at, at + valueLength, ValueKind.PLAIN);
    }
    at += valueLength;
  }
  return true;
}
