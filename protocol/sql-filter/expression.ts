/**
 * A filter expression as the parser leaves it: what Java's expression classes are, as data.
 * Source: rocketmq 4.9.8 filter/expression; SEARCH operators of 5.x.
 */

export type Constant =
  | { readonly kind: 'text'; readonly value: string }
  /** Java's Integer. */
  | { readonly kind: 'integer'; readonly value: number }
  /** Java's Long: a number beyond 32 bits, in its digits. */
  | { readonly kind: 'long'; readonly digits: string }
  | { readonly kind: 'double'; readonly value: number; readonly written: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

export type CompareOperator = '=' | '<' | '<=' | '>' | '>=';
export type SearchOperator = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH';

export type Property = { readonly kind: 'property'; readonly name: string };

/** What has a truth value. */
export type Condition =
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'isNull'; readonly operand: Expression }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  /** A property where a condition is wanted: unknown when it is absent, else false, since properties are text. */
  | { readonly kind: 'truth'; readonly property: Property }
  | { readonly kind: 'in'; readonly property: Property; readonly values: readonly string[]; readonly negated: boolean }
  | {
      readonly kind: 'search';
      readonly operator: SearchOperator;
      readonly operand: Expression;
      readonly text: string;
      readonly negated: boolean;
    };

export type Expression = Constant | Property | Condition | { readonly kind: 'negate'; readonly operand: Expression };

const constantKinds: ReadonlySet<string> = new Set(['text', 'integer', 'long', 'double', 'boolean', 'null']);

export function isConstant(expression: Expression): expression is Constant {
  return constantKinds.has(expression.kind);
}

export function isNumber(expression: Expression): boolean {
  return expression.kind === 'integer' || expression.kind === 'long' || expression.kind === 'double';
}

export function isCondition(expression: Expression): expression is Condition {
  const { kind } = expression;
  return kind === 'boolean' || kind === 'null' || !(isConstant(expression) || kind === 'property' || kind === 'negate');
}

/** A constant as it would be written, for messages. */
export function formatConstant(constant: Constant): string {
  switch (constant.kind) {
    case 'text':
      return `'${constant.value.replaceAll("'", "''")}'`;
    case 'integer':
      return String(constant.value);
    case 'long':
      return constant.digits;
    case 'double':
      return constant.written;
    case 'boolean':
      return constant.value ? 'TRUE' : 'FALSE';
    case 'null':
      return 'NULL';
  }
}
