/**
 * Big-endian integers at a byte offset, and ASCII digits. Hot: no allocation, no `bigint`, no DataView.
 * 64-bit values are JavaScript numbers split high/low, asserted to be safe integers; the few that are not
 * (tags codes) are read as two halves by who needs them. Works on SharedArrayBuffer-backed views.
 */
import { assert } from '../runtime/base/assert.js';

const TWO_32 = 0x1_0000_0000;

export function getI8(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) >> 24;
}

export function getI16(bytes: Uint8Array, at: number): number {
  return (((bytes[at]! << 8) | bytes[at + 1]!) << 16) >> 16;
}

export function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function getU24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

export function getI32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

export function getU32(bytes: Uint8Array, at: number): number {
  return getI32(bytes, at) >>> 0;
}

/** A signed 64-bit value as a number: exact within ±2^53, rounded beyond. */
export function getI64(bytes: Uint8Array, at: number): number {
  return getI32(bytes, at) * TWO_32 + getU32(bytes, at + 4);
}

export function putI8(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
}

export function putI16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function putU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

export function putI32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes a safe integer as signed 64 bit. */
export function putI64(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'a 64-bit field takes safe integers only');
  putI32(bytes, at, Math.floor(value / TWO_32) | 0);
  putI32(bytes, at + 4, value | 0);
}

/** Writes `value` (a safe integer) as decimal ASCII at `at`; returns the position after the last digit. */
export function putDecimal(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  if (rest < 0) {
    bytes[position++] = 0x2d;
    rest = -rest;
  }
  return putDigits(bytes, position, decimalDigits(rest), rest);
}

/** Digits of a non-negative safe integer. */
export function decimalDigits(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value && digits < 16; power *= 10) digits++;
  return digits;
}

/** Writes the last `count` digits of a non-negative safe integer at `at`; returns the position after them. */
export function putDigits(bytes: Uint8Array, at: number, count: number, value: number): number {
  const end = at + count;
  let index = end;
  let rest = value;
  // Above 2^31 a float division a digit; below it, integers.
  while (rest > 0x7fffffff && index > at) {
    const quotient = Math.floor(rest / 10);
    bytes[--index] = 0x30 + (rest - quotient * 10);
    rest = quotient;
  }
  let small = rest | 0;
  while (index > at) {
    const quotient = (small / 10) | 0;
    bytes[--index] = 0x30 + (small - quotient * 10);
    small = quotient;
  }
  return end;
}

/** Reads `bytes[start, end)` as decimal ASCII digits; -1 when it is anything else, or too large for 32 bits. */
export function getDecimal(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > 10) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 0x7fffffff ? -1 : value;
}

const HEX_DIGITS = new Uint8Array([...'0123456789ABCDEF'].map(digit => digit.charCodeAt(0)));

/** Writes the low 32 bits of `value` as 8 upper-case hex digits; returns the position after them. */
export function putHex32(bytes: Uint8Array, at: number, value: number): number {
  for (let shift = 28, index = at; shift >= 0; shift -= 4, index++) bytes[index] = HEX_DIGITS[(value >>> shift) & 15]!;
  return at + 8;
}

/** Copies `length` bytes; a plain loop beats `set(subarray())` for short runs because it allocates nothing. */
export function copyBytes(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  length: number,
): void {
  if (length > 96) {
    target.set(source.subarray(sourceStart, sourceStart + length), targetStart);
    return;
  }
  for (let index = 0; index < length; index++) target[targetStart + index] = source[sourceStart + index]!;
}

/** True when the two ranges hold the same bytes. */
export function equalBytes(
  left: Uint8Array,
  leftStart: number,
  right: Uint8Array,
  rightStart: number,
  length: number,
): boolean {
  for (let index = 0; index < length; index++) if (left[leftStart + index] !== right[rightStart + index]) return false;
  return true;
}
