/**
 * Makes a filter of an expression: functions that are put together once and then look at the property strings of any
 * number of messages. Only what is true passes. Hot once made.
 * Source: rocketmq 4.9.8 filter/expression; ExpressionMessageFilter.
 */
import { type Evaluate, equal, isIn, isNull, not, ordered, row, search, Truth } from './conditions.js';
import type { Condition, Expression } from './expression.js';
import { constantValue, type Load, negative, property, truthValue } from './operands.js';
import { parseSqlExpression } from './parser.js';
import { PropertyScan } from './property-scan.js';

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
      case 'or': {
        const terms = condition.terms.map(term => this.condition(term));
        return row(terms, condition.kind === 'or' ? Truth.TRUE : Truth.FALSE);
      }
      case 'truth': {
        const slot = this.#slotOf(condition.property.name);
        return message => (message.starts[slot]! < 0 ? Truth.UNKNOWN : Truth.FALSE);
      }
      case 'in':
        return isIn(this.#slotOf(condition.property.name), condition.values, condition.negated);
      case 'search':
        return search(this.operand(condition.operand), condition.operator, condition.text, condition.negated);
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
