/**
 * Values of operands and how Java compares them: the text of a property becomes what it is compared with. Hot.
 * Source: ComparisonExpression.__compare.
 */
import {
  compareDoubles,
  type LongParts,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseLong,
  saysNaN,
} from './java-numbers.js';

export const ValueKind = { NULL: 0, TEXT: 1, INTEGER: 2, LONG: 3, DOUBLE: 4, BOOLEAN: 5, ERROR: 6 } as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

/** The value of one operand, written anew for every message. */
export interface Value {
  kind: ValueKind;
  /** TEXT: `bytes[start, end)`. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** INTEGER, LONG (as near as it can), DOUBLE; BOOLEAN as 0 or 1. */
  number: number;
  /** LONG, exactly. */
  readonly long: LongParts;
}

const noBytes = new Uint8Array(0);

export function createValue(kind: ValueKind): Value {
  return { kind, bytes: noBytes, start: 0, end: 0, number: 0, long: { high: 0, low: 0 } };
}

/** What {@link compareValues} and {@link compareAsDoubles} say where Java throws. */
export const INCOMPARABLE = 2;

const parts: LongParts = { high: 0, low: 0 };

/** -1, 0 or 1 as compareTo of `left`; of two texts only 0 means something. Neither is null. */
export function compareValues(left: Value, right: Value): number {
  if (left.kind === right.kind) return compareSame(left, right);
  // Java turns the wrong side into a truth value here and fails.
  if (left.kind === ValueKind.BOOLEAN) return right.kind === ValueKind.TEXT ? INCOMPARABLE : -1;
  if (left.kind === ValueKind.TEXT) return compareText(left, right);
  if (right.kind === ValueKind.TEXT) {
    const answer = compareText(right, left);
    return answer === INCOMPARABLE ? answer : 0 - answer;
  }
  return right.kind === ValueKind.BOOLEAN ? -1 : compareDoubles(left.number, right.number);
}

function compareSame(left: Value, right: Value): number {
  if (left.kind === ValueKind.TEXT) return isSameText(left, right) ? 0 : 1;
  if (left.kind === ValueKind.LONG) return compareLongs(left.long, right.long);
  return compareDoubles(left.number, right.number);
}

function isSameText(left: Value, right: Value): boolean {
  const size = left.end - left.start;
  if (right.end - right.start !== size) return false;
  for (let index = 0; index < size; index++) {
    if (left.bytes[left.start + index] !== right.bytes[right.start + index]) return false;
  }
  return true;
}

function compareLongs(left: LongParts, right: LongParts): number {
  if (left.high !== right.high) return left.high < right.high ? -1 : 1;
  return left.low === right.low ? 0 : left.low < right.low ? -1 : 1;
}

/** Reads a text as what `other` is. */
function compareText({ bytes, start, end }: Value, other: Value): number {
  switch (other.kind) {
    case ValueKind.BOOLEAN:
      return Number(parseBoolean(bytes, start, end)) - other.number;
    case ValueKind.INTEGER: {
      const number = parseInteger(bytes, start, end);
      return Number.isNaN(number) ? INCOMPARABLE : compareDoubles(number, other.number);
    }
    case ValueKind.LONG:
      return parseLong(bytes, start, end, parts) ? compareLongs(parts, other.long) : INCOMPARABLE;
    default: {
      const number = parseDouble(bytes, start, end);
      if (Number.isNaN(number) && !saysNaN(bytes, start, end)) return INCOMPARABLE;
      return compareDoubles(number, other.number);
    }
  }
}

/** Two texts in the order of the numbers they are; Java orders no text by its letters. */
export function compareAsDoubles(left: Value, right: Value): number {
  const one = parseDouble(left.bytes, left.start, left.end);
  if (Number.isNaN(one) && !saysNaN(left.bytes, left.start, left.end)) return INCOMPARABLE;
  const other = parseDouble(right.bytes, right.start, right.end);
  if (Number.isNaN(other) && !saysNaN(right.bytes, right.start, right.end)) return INCOMPARABLE;
  return compareDoubles(one, other);
}
