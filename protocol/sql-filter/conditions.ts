/**
 * Conditions as functions of a message. Truth has three values, and an error ends all: text that is no number compared
 * with one, for example. Hot once made.
 * Source: rocketmq 4.9.8 ComparisonExpression, LogicExpression, UnaryExpression; searches of 5.x.
 */
import type { CompareOperator, SearchOperator } from './expression.js';
import type { Load } from './operands.js';
import type { PropertyScan } from './property-scan.js';
import { isRange, TextIndex } from './text-index.js';
import { compareAsDoubles, compareValues, INCOMPARABLE, type Value, ValueKind } from './values.js';

export const Truth = { FALSE: 0, TRUE: 1, UNKNOWN: 2, ERROR: 3 } as const;
export type Truth = (typeof Truth)[keyof typeof Truth];

/** Told for one message after the other. */
export type Evaluate = (message: PropertyScan) => Truth;

/** Unknown is equal to unknown; a value is never equal to unknown, but unknown to a value is unknown. */
export function equal(loadLeft: Load, loadRight: Load): Evaluate {
  return message => {
    const left = loadLeft(message);
    if (left.kind === ValueKind.ERROR) return Truth.ERROR;
    const right = loadRight(message);
    if (right.kind === ValueKind.ERROR) return Truth.ERROR;
    if (left.kind === ValueKind.NULL) return right.kind === ValueKind.NULL ? Truth.TRUE : Truth.UNKNOWN;
    if (right.kind === ValueKind.NULL) return Truth.FALSE;
    const answer = compareValues(left, right);
    if (answer === INCOMPARABLE) return Truth.ERROR;
    return answer === 0 ? Truth.TRUE : Truth.FALSE;
  };
}

/** Less, greater, or either and equal: unknown when one side is. */
export function ordered(operator: CompareOperator, loadLeft: Load, loadRight: Load): Evaluate {
  const less = operator === '<' || operator === '<=';
  const orEqual = operator === '<=' || operator === '>=';
  return message => {
    const left = loadLeft(message);
    if (left.kind === ValueKind.ERROR) return Truth.ERROR;
    if (left.kind === ValueKind.NULL) return Truth.UNKNOWN;
    const right = loadRight(message);
    if (right.kind === ValueKind.ERROR) return Truth.ERROR;
    if (right.kind === ValueKind.NULL) return Truth.UNKNOWN;
    const texts = left.kind === ValueKind.TEXT && right.kind === ValueKind.TEXT;
    const answer = texts ? compareAsDoubles(left, right) : compareValues(left, right);
    if (answer === INCOMPARABLE) return Truth.ERROR;
    return (answer === 0 ? orEqual : answer < 0 === less) ? Truth.TRUE : Truth.FALSE;
  };
}

/** Never unknown itself. */
export function isNull(load: Load): Evaluate {
  return message => {
    const { kind } = load(message);
    if (kind === ValueKind.ERROR) return Truth.ERROR;
    return kind === ValueKind.NULL ? Truth.TRUE : Truth.FALSE;
  };
}

/** The opposite; unknown stays unknown. */
export function not(evaluate: Evaluate): Evaluate {
  return message => {
    const truth = evaluate(message);
    if (truth === Truth.TRUE) return Truth.FALSE;
    return truth === Truth.FALSE ? Truth.TRUE : truth;
  };
}

/** AND with FALSE as `decisive`, OR with TRUE: the first such term ends it, and errors behind it do no harm. */
export function row(terms: readonly Evaluate[], decisive: Truth): Evaluate {
  const otherwise = decisive === Truth.TRUE ? Truth.FALSE : Truth.TRUE;
  return message => {
    let result: Truth = otherwise;
    for (let index = 0; index < terms.length; index++) {
      const truth = terms[index]!(message);
      if (truth === decisive || truth === Truth.ERROR) return truth;
      if (truth === Truth.UNKNOWN) result = truth;
    }
    return result;
  };
}

/** `slot`: of a property in the scan. */
export function isIn(slot: number, values: readonly string[], negated: boolean): Evaluate {
  const texts = new TextIndex(new Set(values));
  return message => {
    const start = message.starts[slot]!;
    if (start < 0) return Truth.UNKNOWN;
    const found = texts.find(message.bytes, start, message.ends[slot]!) >= 0;
    return found === negated ? Truth.FALSE : Truth.TRUE;
  };
}

type Search = (value: Value, wanted: Uint8Array) => boolean;

const searches = {
  CONTAINS: ({ bytes, start, end }, wanted) => {
    for (let at = start; at + wanted.length <= end; at++) {
      if (bytes[at] === wanted[0] && isRange(bytes, at, at + wanted.length, wanted)) return true;
    }
    return false;
  },
  STARTSWITH: ({ bytes, start, end }, wanted) =>
    start + wanted.length <= end && isRange(bytes, start, start + wanted.length, wanted),
  ENDSWITH: ({ bytes, start, end }, wanted) =>
    end - wanted.length >= start && isRange(bytes, end - wanted.length, end, wanted),
} satisfies Record<SearchOperator, Search>;

/** What is no text, or is absent, neither has the wanted text nor has it not: both are false. */
export function search(load: Load, operator: SearchOperator, text: string, negated: boolean): Evaluate {
  const wanted = new TextEncoder().encode(text);
  const find: Search = searches[operator];
  return message => {
    if (wanted.length === 0) return Truth.FALSE;
    const value = load(message);
    if (value.kind === ValueKind.ERROR) return Truth.ERROR;
    if (value.kind !== ValueKind.TEXT) return Truth.FALSE;
    return find(value, wanted) === negated ? Truth.FALSE : Truth.TRUE;
  };
}
