/**
 * Makes a filter of an expression: functions that are put together once and then look at the property strings of any
 * number of messages. Truth has three values, and an error ends all: text that is no number compared with one, for
 * example. Only what is true passes. Hot once made.
 * Source: rocketmq 4.9.8 filter/expression; ExpressionMessageFilter.
 */
import type { CompareOperator, Condition, Constant, Expression } from './expression.js';
import { parseLong } from './java-numbers.js';
import { parseSqlExpression } from './parser.js';
import { PropertyScan } from './property-scan.js';
import { isRange, TextIndex } from './text-index.js';
import { compareAsDoubles, compareValues, createValue, INCOMPARABLE, type Value, ValueKind } from './values.js';

export const Truth = { FALSE: 0, TRUE: 1, UNKNOWN: 2, ERROR: 3 } as const;
export type Truth = (typeof Truth)[keyof typeof Truth];

type Evaluate = (message: PropertyScan) => Truth;
type Load = (message: PropertyScan) => Value;

const encoder = new TextEncoder();

/**
 * A filter ready for use. It keeps its scratch memory, so one thread uses it at a time.
 *
 * @example
 * const filter = compileSqlFilter("price > 10 AND region = 'eu'");
 * filter.matches(bytes, propertiesStart, propertiesEnd);
 */
export class SqlFilter {
  readonly expression: string;
  readonly #scan: PropertyScan;
  readonly #evaluate: Evaluate;

  /** Errors: SqlExpressionError. */
  constructor(expression: string) {
    this.expression = expression;
    const compiler = new Compiler();
    this.#evaluate = compiler.condition(parseSqlExpression(expression));
    this.#scan = new PropertyScan(compiler.slots.keys());
  }

  /** What the expression is for the property string `bytes[start, end)`. */
  evaluate(bytes: Uint8Array, start: number, end: number): Truth {
    this.#scan.read(bytes, start, end);
    return this.#evaluate(this.#scan);
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    return this.evaluate(bytes, start, end) === Truth.TRUE;
  }
}

/** Errors: SqlExpressionError. */
export function compileSqlFilter(expression: string): SqlFilter {
  return new SqlFilter(expression);
}

class Compiler {
  /** Place of each property in the scan; in order. */
  readonly slots = new Map<string, number>();

  condition(condition: Condition): Evaluate {
    switch (condition.kind) {
      case 'boolean': {
        const truth = condition.value ? Truth.TRUE : Truth.FALSE;
        return () => truth;
      }
      case 'null':
        return () => Truth.UNKNOWN;
      case 'compare':
        return condition.operator === '='
          ? equal(this.operand(condition.left), this.operand(condition.right))
          : ordered(condition.operator, this.operand(condition.left), this.operand(condition.right));
      case 'isNull':
        return isNull(this.operand(condition.operand));
      case 'not':
        return not(this.condition(condition.operand));
      case 'and':
        return all(condition.terms.map(term => this.condition(term)));
      case 'or':
        return any(condition.terms.map(term => this.condition(term)));
      case 'truth': {
        const slot = this.#slotOf(condition.property.name);
        return message => (message.starts[slot]! < 0 ? Truth.UNKNOWN : Truth.FALSE);
      }
      case 'in':
        return isIn(this.#slotOf(condition.property.name), condition.values, condition.negated);
      case 'search': {
        const wanted = encoder.encode(condition.text);
        return search(this.operand(condition.operand), searches[condition.operator], wanted, condition.negated);
      }
    }
  }

  operand(expression: Expression): Load {
    switch (expression.kind) {
      case 'text':
      case 'integer':
      case 'long':
      case 'double':
      case 'boolean':
      case 'null': {
        const value = constantValue(expression);
        return () => value;
      }
      case 'property':
        return property(this.#slotOf(expression.name));
      case 'negate':
        return negative(this.operand(expression.operand));
      default:
        return truthValue(this.condition(expression));
    }
  }

  #slotOf(name: string): number {
    const known = this.slots.get(name);
    if (known !== undefined) return known;
    this.slots.set(name, this.slots.size);
    return this.slots.size - 1;
  }
}

// ---- operands ----

function constantValue(constant: Constant): Value {
  switch (constant.kind) {
    case 'text': {
      const bytes = encoder.encode(constant.value);
      return { ...createValue(ValueKind.TEXT), bytes, end: bytes.length };
    }
    case 'integer':
      return { ...createValue(ValueKind.INTEGER), number: constant.value };
    case 'double':
      return { ...createValue(ValueKind.DOUBLE), number: constant.value };
    case 'long': {
      const value = { ...createValue(ValueKind.LONG), number: Number(constant.digits) };
      const digits = encoder.encode(constant.digits);
      parseLong(digits, 0, digits.length, value.long);
      return value;
    }
    case 'boolean':
      return { ...createValue(ValueKind.BOOLEAN), number: Number(constant.value) };
    case 'null':
      return createValue(ValueKind.NULL);
  }
}

function property(slot: number): Load {
  const value = createValue(ValueKind.NULL);
  return message => {
    const start = message.starts[slot]!;
    if (start < 0) {
      value.kind = ValueKind.NULL;
      return value;
    }
    value.kind = ValueKind.TEXT;
    value.bytes = message.bytes;
    value.start = start;
    value.end = message.ends[slot]!;
    return value;
  };
}

/** Only numbers have a negative; that of a property, which is text, is unknown. */
function negative(load: Load): Load {
  const value = createValue(ValueKind.NULL);
  return message => {
    const { kind, number, long } = load(message);
    value.kind = ValueKind.NULL;
    if (
      kind === ValueKind.ERROR ||
      kind === ValueKind.INTEGER ||
      kind === ValueKind.LONG ||
      kind === ValueKind.DOUBLE
    ) {
      value.kind = kind;
      value.number = 0 - number;
      value.long.high = 0 - long.high;
      value.long.low = 0 - long.low;
    }
    return value;
  };
}

function truthValue(evaluate: Evaluate): Load {
  const value = createValue(ValueKind.NULL);
  return message => {
    const truth = evaluate(message);
    if (truth === Truth.UNKNOWN) value.kind = ValueKind.NULL;
    else if (truth === Truth.ERROR) value.kind = ValueKind.ERROR;
    else {
      value.kind = ValueKind.BOOLEAN;
      value.number = truth;
    }
    return value;
  };
}

// ---- conditions ----

/** Unknown is equal to unknown; a value is never equal to unknown, but unknown to a value is unknown. */
function equal(loadLeft: Load, loadRight: Load): Evaluate {
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

function ordered(operator: CompareOperator, loadLeft: Load, loadRight: Load): Evaluate {
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

function isNull(load: Load): Evaluate {
  return message => {
    const { kind } = load(message);
    if (kind === ValueKind.ERROR) return Truth.ERROR;
    return kind === ValueKind.NULL ? Truth.TRUE : Truth.FALSE;
  };
}

function not(evaluate: Evaluate): Evaluate {
  return message => {
    const truth = evaluate(message);
    if (truth === Truth.TRUE) return Truth.FALSE;
    return truth === Truth.FALSE ? Truth.TRUE : truth;
  };
}

/** The first that is false decides, and what stands behind it is not looked at, errors included. */
function all(terms: readonly Evaluate[]): Evaluate {
  return message => {
    let result: Truth = Truth.TRUE;
    for (let index = 0; index < terms.length; index++) {
      const truth = terms[index]!(message);
      if (truth === Truth.FALSE || truth === Truth.ERROR) return truth;
      if (truth === Truth.UNKNOWN) result = truth;
    }
    return result;
  };
}

function any(terms: readonly Evaluate[]): Evaluate {
  return message => {
    let result: Truth = Truth.FALSE;
    for (let index = 0; index < terms.length; index++) {
      const truth = terms[index]!(message);
      if (truth === Truth.TRUE || truth === Truth.ERROR) return truth;
      if (truth === Truth.UNKNOWN) result = truth;
    }
    return result;
  };
}

function isIn(slot: number, values: readonly string[], negated: boolean): Evaluate {
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
} satisfies Record<string, Search>;

/** What is no text, or is absent, neither has the wanted text nor has it not: both are false. */
function search(load: Load, find: Search, wanted: Uint8Array, negated: boolean): Evaluate {
  return message => {
    if (wanted.length === 0) return Truth.FALSE;
    const value = load(message);
    if (value.kind === ValueKind.ERROR) return Truth.ERROR;
    if (value.kind !== ValueKind.TEXT) return Truth.FALSE;
    return find(value, wanted) === negated ? Truth.FALSE : Truth.TRUE;
  };
}
