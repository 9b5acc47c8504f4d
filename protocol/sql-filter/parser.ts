/**
 * Parses the SQL92 subset of RocketMQ: comparisons, BETWEEN, IN, IS NULL, AND, OR, NOT, parentheses; CONTAINS,
 * STARTSWITH and ENDSWITH as 5.x has them. What Java refuses is refused; an expression ends where the grammar ends, and
 * what stands behind it is ignored, as in Java. Cold.
 * Source: SelectorParser.jj, ComparisonExpression, UnaryExpression, ConstantExpression of 4.9.8.
 */

import { compareConstants, readDecimal, readFloat } from './constants.js';
import { SqlExpressionError } from './error.js';
import {
  type CompareOperator,
  type Condition,
  type Constant,
  type Expression,
  formatConstant,
  isCondition,
  isConstant,
  isNumber,
  type Property,
  type SearchOperator,
} from './expression.js';
import { readToken, type Token } from './tokens.js';

/** Longer expressions are refused. Units: UTF-16 code units. */
export const EXPRESSION_LENGTH_MAX = 65_536;
/** Parentheses and signs within one another, and operators in a row without AND or OR, at most. */
export const EXPRESSION_DEPTH_MAX = 256;

/** Errors: SqlExpressionError, nothing else. */
export function parseSqlExpression(expression: string): Condition {
  if (expression.length > EXPRESSION_LENGTH_MAX) {
    const reason = `an expression may have ${EXPRESSION_LENGTH_MAX} characters, this one has ${expression.length}`;
    throw new SqlExpressionError(expression, 0, reason);
  }
  return new Parser(expression).parse();
}

class Parser {
  readonly #expression: string;
  #token: Token;
  #depth = 0;
  /** Operators in a row, beyond the first of each row. */
  #chained = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#token = readToken(expression, 0);
  }

  parse(): Condition {
    const { offset } = this.#token;
    return this.#asCondition(this.#or(), offset);
  }

  #or(): Expression {
    return this.#row('or', 'OR', () => this.#and());
  }

  #and(): Expression {
    return this.#row('and', 'AND', () => this.#equality());
  }

  #row(kind: 'and' | 'or', keyword: string, parseTerm: () => Expression): Expression {
    const start = this.#token.offset;
    const first = parseTerm();
    if (!this.#isKeyword(keyword)) return first;
    const terms = [this.#asCondition(first, start)];
    while (this.#isKeyword(keyword)) {
      this.#next();
      const { offset } = this.#token;
      terms.push(this.#asCondition(parseTerm(), offset));
    }
    return { kind, terms };
  }

  #equality(): Expression {
    const start = this.#token.offset;
    let left = this.#comparison();
    for (let count = 0; ; count++) {
      if (!this.#isSymbol('=') && !this.#isSymbol('<>') && !this.#isKeyword('IS')) return left;
      if (count > 0) this.#chain();
      const operator = this.#next();
      if (operator.text === 'IS') {
        const negated = this.#takeKeyword('NOT');
        if (!this.#takeKeyword('NULL')) throw this.#unexpected(negated ? 'NULL' : 'NULL or NOT NULL');
        left = negate({ kind: 'isNull', operand: left }, negated);
        continue;
      }
      const rightAt = this.#token.offset;
      const right = this.#comparison();
      for (const [operand, at] of [
        [left, start],
        [right, rightAt],
      ] as const) {
        if (operand.kind === 'null') throw this.#error(at, 'nothing can be compared with NULL: use IS NULL');
      }
      if (left.kind === 'boolean' && isConstant(right) && right.kind !== 'boolean') {
        throw this.#error(rightAt, `${formatConstant(left)} cannot be compared with ${formatConstant(right)}`);
      }
      left = negate({ kind: 'compare', operator: '=', left, right }, operator.text === '<>');
    }
  }

  #comparison(): Expression {
    const start = this.#token.offset;
    let left = this.#unary();
    for (let count = 0; ; count++) {
      const { kind, text } = this.#token;
      const searching = kind === 'name' && isSearchOperator(text.toUpperCase());
      const comparing = kind === 'symbol' && isOrdering(text);
      if (!comparing && !searching && !(kind === 'keyword' && /^(NOT|BETWEEN|IN)$/.test(text))) return left;
      if (count > 0) this.#chain();
      const negated = this.#takeKeyword('NOT');
      const operator = this.#token;
      if (comparing) left = this.#ordering(left, start);
      else if (this.#takeKeyword('BETWEEN')) left = this.#between(left, start, negated);
      else if (this.#takeKeyword('IN')) left = this.#in(left, start, negated);
      else if (operator.kind === 'name' && isSearchOperator(operator.text.toUpperCase())) {
        left = this.#search(left, negated);
      } else throw this.#unexpected('BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH');
    }
  }

  #ordering(left: Expression, start: number): Condition {
    const operator = this.#next().text as CompareOperator;
    const { offset } = this.#token;
    const right = this.#unary();
    this.#checkOrdered(left, start);
    this.#checkOrdered(right, offset);
    return { kind: 'compare', operator, left, right };
  }

  #between(value: Expression, start: number, negated: boolean): Condition {
    const lowAt = this.#token.offset;
    const low = this.#unary();
    if (!this.#takeKeyword('AND')) throw this.#unexpected('AND');
    const highAt = this.#token.offset;
    const high = this.#unary();
    this.#checkOrdered(value, start);
    this.#checkOrdered(low, lowAt);
    this.#checkOrdered(high, highAt);
    // Only what is written without a sign is checked: -5 is no constant in Java.
    if (!negated && isConstant(low) && isConstant(high) && compareConstants(high, low) < 0) {
      throw this.#error(lowAt, `BETWEEN ${formatConstant(low)} AND ${formatConstant(high)} is empty`);
    }
    const [below, above] = negated ? (['<', '>'] as const) : (['>=', '<='] as const);
    return {
      kind: negated ? 'or' : 'and',
      terms: [
        { kind: 'compare', operator: below, left: value, right: low },
        { kind: 'compare', operator: above, left: value, right: high },
      ],
    };
  }

  #in(left: Expression, start: number, negated: boolean): Condition {
    this.#takeSymbol('(');
    const values: string[] = [];
    do values.push(this.#text());
    while (this.#isSymbol(',') && this.#next());
    this.#takeSymbol(')');
    if (left.kind !== 'property') throw this.#error(start, 'only a property can be IN a list');
    return { kind: 'in', property: left, values, negated };
  }

  #search(operand: Expression, negated: boolean): Condition {
    const operator = this.#next().text.toUpperCase() as SearchOperator;
    return { kind: 'search', operator, operand, text: this.#text(), negated };
  }

  #unary(): Expression {
    const { kind, text, offset } = this.#token;
    const sign = kind === 'symbol' && (text === '+' || text === '-');
    const not = this.#isKeyword('NOT');
    if (!sign && !not) return this.#primary();
    this.#next();
    this.#enter(offset);
    const operandAt = this.#token.offset;
    const operand = this.#unary();
    this.#depth--;
    if (not) return { kind: 'not', operand: this.#asCondition(operand, operandAt) };
    return text === '+' ? operand : { kind: 'negate', operand };
  }

  #primary(): Expression {
    const { kind, text, offset } = this.#token;
    if (this.#isSymbol('(')) {
      this.#next();
      this.#enter(offset);
      const inner = this.#or();
      this.#depth--;
      this.#takeSymbol(')');
      return inner;
    }
    const value = kind === 'name' ? ({ kind: 'property', name: text } as Property) : this.#constant();
    if (value === undefined) throw this.#unexpected('a property, a value or "("');
    this.#next();
    return value;
  }

  #constant(): Constant | undefined {
    const { kind, text, offset } = this.#token;
    switch (kind) {
      case 'text':
        return { kind: 'text', value: text };
      case 'decimal':
        return this.#number(offset, readDecimal(text.replace(/l$/i, '')));
      case 'float':
        return this.#number(offset, readFloat(text));
      case 'keyword':
        if (text === 'NULL') return { kind: 'null' };
        return text === 'TRUE' || text === 'FALSE' ? { kind: 'boolean', value: text === 'TRUE' } : undefined;
      default:
        return undefined;
    }
  }

  #number(offset: number, number: Constant | string): Constant {
    if (typeof number === 'string') throw this.#error(offset, number);
    return number;
  }

  // ---- rules that the grammar does not tell ----

  #asCondition(expression: Expression, offset: number): Condition {
    if (isCondition(expression)) return expression;
    if (expression.kind === 'property') return { kind: 'truth', property: expression };
    throw this.#error(offset, 'a condition is expected, this is a value');
  }

  /** Text and truth values have no order. */
  #checkOrdered(expression: Expression, offset: number): void {
    if (isConstant(expression) ? isNumber(expression) : !isCondition(expression)) return;
    const what = isConstant(expression) ? formatConstant(expression) : 'a condition';
    throw this.#error(offset, `${what} is no number: it is neither greater nor less than anything`);
  }

  // ---- tokens ----

  #next(): Token {
    const token = this.#token;
    this.#token = readToken(this.#expression, token.end);
    return token;
  }

  #isKeyword(text: string): boolean {
    return this.#token.kind === 'keyword' && this.#token.text === text;
  }

  #takeKeyword(text: string): boolean {
    const found = this.#isKeyword(text);
    if (found) this.#next();
    return found;
  }

  #isSymbol(text: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === text;
  }

  #takeSymbol(text: string): void {
    if (!this.#isSymbol(text)) throw this.#unexpected(`"${text}"`);
    this.#next();
  }

  #text(): string {
    if (this.#token.kind !== 'text') throw this.#unexpected('a text in single quotes');
    return this.#next().text;
  }

  #enter(offset: number): void {
    if (++this.#depth > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(offset);
  }

  #chain(): void {
    if (++this.#chained > EXPRESSION_DEPTH_MAX) throw this.#tooDeep(this.#token.offset);
  }

  #tooDeep(offset: number): SqlExpressionError {
    return this.#error(offset, `more than ${EXPRESSION_DEPTH_MAX} levels`);
  }

  #unexpected(expected: string): SqlExpressionError {
    const { kind, text, offset } = this.#token;
    const found = kind === 'end' ? 'the end' : kind === 'text' ? `the text '${text}'` : JSON.stringify(text);
    return this.#error(offset, `expected ${expected}, found ${found}`);
  }

  #error(offset: number, reason: string): SqlExpressionError {
    return new SqlExpressionError(this.#expression, offset, reason);
  }
}

function negate(condition: Condition, negated: boolean): Condition {
  return negated ? { kind: 'not', operand: condition } : condition;
}

function isSearchOperator(text: string): text is SearchOperator {
  return text === 'CONTAINS' || text === 'STARTSWITH' || text === 'ENDSWITH';
}

function isOrdering(text: string): boolean {
  return text === '<' || text === '<=' || text === '>' || text === '>=';
}
