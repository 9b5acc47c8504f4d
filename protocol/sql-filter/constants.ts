/** Numbers in expressions. Cold. Source: ConstantExpression of 4.9.8. */
import { type Constant, formatConstant } from './expression.js';
import { compareDigits } from './java-numbers.js';

const INTEGER_MAX = 2_147_483_647;
const LONG_MAX = '9223372036854775807';

/** A whole number; or the reason why it is none. */
export function readDecimal(digits: string): Constant | string {
  if (compareDigits(digits, LONG_MAX) > 0) return `${digits} is greater than ${LONG_MAX}`;
  return Number(digits) <= INTEGER_MAX ? { kind: 'integer', value: Number(digits) } : { kind: 'long', digits };
}

/**
 * A number with a point or an exponent; or the reason why it is none. Java takes its smallest positive double for the
 * smallest of all, and so has no 0.0.
 */
export function readFloat(written: string): Constant | string {
  const value = Number(written);
  if (value > Number.MAX_VALUE) return `${written} is greater than ${Number.MAX_VALUE}`;
  if (value < Number.MIN_VALUE) return `${written} is less than ${Number.MIN_VALUE}`;
  return { kind: 'double', value, written };
}

/** Two numbers: less than 0, 0, or greater than 0. */
export function compareConstants(left: Constant, right: Constant): number {
  if (left.kind === 'long' && right.kind === 'long') return compareDigits(left.digits, right.digits);
  return Number(formatConstant(left)) - Number(formatConstant(right));
}
