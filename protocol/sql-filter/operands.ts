/** What stands in comparisons, as functions that give its value for a message. Hot once made. */
import { type Evaluate, Truth } from './conditions.js';
import type { Constant } from './expression.js';
import { parseLong } from './java-numbers.js';
import type { PropertyScan } from './property-scan.js';
import { createValue, type Value, ValueKind } from './values.js';

/** The same value object each time. */
export type Load = (message: PropertyScan) => Value;

const encoder = new TextEncoder();

/** The value that a constant always has. */
export function constantValue(constant: Constant): Value {
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

/** Null when the message does not have it. */
export function property(slot: number): Load {
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
export function negative(load: Load): Load {
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

/** A condition that is compared. */
export function truthValue(evaluate: Evaluate): Load {
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
