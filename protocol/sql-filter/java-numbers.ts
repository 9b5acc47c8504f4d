/**
 * Numbers in the text of properties, as Java's valueOf reads them. Hot but for what is unusual: exponents, more than 15
 * digits, hexadecimal. Digits are the ASCII ones; Java takes those of other scripts for integers too.
 * Source: Integer.parseInt, Long.parseLong, FloatingDecimal.
 */
import { decodeUtf8 } from '../header-view.js';

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

const INTEGER_MAX = 2_147_483_647;
/** A long is two numbers: what is above its last nine digits, and those. */
const LOW_BASE = 1_000_000_000;
const LONG_HIGH_MAX = 9_223_372_036;
const LONG_LOW_MAX = 854_775_807;

/** Integer.valueOf; NaN where it throws. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  let at = negative || bytes[start] === PLUS ? start + 1 : start;
  if (at >= end) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
    if (value > INTEGER_MAX + 1) return Number.NaN;
  }
  if (negative) return 0 - value;
  return value > INTEGER_MAX ? Number.NaN : value;
}

/** Where {@link parseLong} puts what it read; both parts have the sign. */
export interface LongParts {
  high: number;
  low: number;
}

/** Long.valueOf; false where it throws. */
export function parseLong(bytes: Uint8Array, start: number, end: number, target: LongParts): boolean {
  const negative = bytes[start] === MINUS;
  let at = negative || bytes[start] === PLUS ? start + 1 : start;
  if (at >= end) return false;
  let high = 0;
  let low = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / LOW_BASE);
    low -= carry * LOW_BASE;
    high = high * 10 + carry;
    if (high > LONG_HIGH_MAX) return false;
  }
  if (high === LONG_HIGH_MAX && low > LONG_LOW_MAX + (negative ? 1 : 0)) return false;
  target.high = negative ? 0 - high : high;
  target.low = negative ? 0 - low : low;
  return true;
}

/** Double.valueOf; NaN where it throws, and where the text says so: {@link saysNaN} tells which. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const simple = parseSimpleDouble(bytes, start, end);
  return Number.isNaN(simple) ? parseAnyDouble(decodeUtf8(bytes, start, end)) : simple;
}

/** Sign, digits and a point, at most 15 digits: both halves of the fraction are exact, so the quotient is right. */
function parseSimpleDouble(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  const first = negative || bytes[start] === PLUS ? start + 1 : start;
  if (end - first > 16) return Number.NaN;
  let value = 0;
  let digits = 0;
  let pointAt = -1;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (bytes[at] === POINT && pointAt < 0) pointAt = at;
    else return Number.NaN;
  }
  if (digits === 0 || digits > 15) return Number.NaN;
  if (pointAt >= 0) value /= powersOfTen[end - pointAt - 1]!;
  return negative ? -value : value;
}

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

const decimalDouble = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?[fd]?$/i;
const hexadecimalDouble = /^([+-]?)0x(?:([0-9a-f]+)\.?|([0-9a-f]*)\.([0-9a-f]+))p([+-]?[0-9]+)[fd]?$/i;

function parseAnyDouble(raw: string): number {
  const text = trimAsJava(raw);
  if (decimalDouble.test(text)) return Number(text.replace(/[fd]$/i, ''));
  const infinite = /^([+-]?)Infinity$/.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const hexadecimal = hexadecimalDouble.exec(text);
  if (hexadecimal === null) return Number.NaN;
  const [, sign, whole = hexadecimal[3]!, , fraction = '', exponent] = hexadecimal;
  const value = scaled(Number(BigInt(`0x${whole}${fraction}`)), Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

/** `value * 2 ** exponent` without leaving the range of a double half way. */
function scaled(value: number, exponent: number): number {
  let rest = Math.max(-5000, Math.min(5000, exponent));
  let result = value;
  for (; rest > 1000; rest -= 1000) result *= 2 ** 1000;
  for (; rest < -1000; rest += 1000) result *= 2 ** -1000;
  return result * 2 ** rest;
}

/** Whether a text that {@link parseDouble} reads as NaN says NaN itself. Cold. */
export function saysNaN(bytes: Uint8Array, start: number, end: number): boolean {
  return /^[+-]?NaN$/.test(trimAsJava(decodeUtf8(bytes, start, end)));
}

/** Java's trim: everything up to the space. */
function trimAsJava(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}

/** Double.compareTo: NaN is equal to itself and greater than everything, -0 is less than 0. */
export function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return left !== 0 ? 0 : compareZeros(left, right);
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  return -1;
}

function compareZeros(left: number, right: number): number {
  return Number(Object.is(right, -0)) - Number(Object.is(left, -0));
}

/** Compares two numbers written in decimal digits. */
export function compareDigits(left: string, right: string): number {
  const one = left.replace(/^0+/, '');
  const other = right.replace(/^0+/, '');
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Boolean.valueOf: only `true` is true, however it is written. */
export function parseBoolean(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  return (
    (bytes[start]! | 0x20) === 0x74 &&
    (bytes[start + 1]! | 0x20) === 0x72 &&
    (bytes[start + 2]! | 0x20) === 0x75 &&
    (bytes[start + 3]! | 0x20) === 0x65
  );
}
