/**
 * Random filter expressions with a second opinion on what they are worth: written for clearness from the rules of
 * Java's filter module, over a map and with exceptions, and sharing nothing with `protocol/sql-filter`.
 */
import fc from 'fast-check';

export type Operand =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'number'; readonly written: string }
  | { readonly is: 'truth'; readonly value: boolean }
  | { readonly is: 'property'; readonly name: string }
  | { readonly is: 'negative'; readonly of: Operand }
  | { readonly is: 'condition'; readonly of: Condition };

export type Condition =
  | { readonly is: 'truth'; readonly value: boolean | null }
  | { readonly is: 'property'; readonly name: string }
  | { readonly is: 'ordered'; readonly operator: string; readonly left: Operand; readonly right: Operand }
  | { readonly is: 'equal'; readonly operator: '=' | '<>'; readonly left: Operand; readonly right: Operand }
  | { readonly is: 'null'; readonly not: boolean; readonly of: Operand }
  | {
      readonly is: 'between';
      readonly not: boolean;
      readonly of: Operand;
      readonly low: Operand;
      readonly high: Operand;
    }
  | { readonly is: 'in'; readonly not: boolean; readonly name: string; readonly texts: readonly string[] }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'row'; readonly word: 'AND' | 'OR'; readonly terms: readonly Condition[] };

// ---- drawing ----

export const propertyNames = ['a', 'b', '_c', 'TAGS', 'region$1', 'Contains', 'd', 'e', 'f'] as const;

const numbers = [
  '0',
  '5',
  '10',
  '10L',
  '2147483647',
  '2147483648',
  '5000000000',
  '9223372036854775807',
  '5.0',
  '.5',
  '1e3',
  '5.',
];
const texts = ['', 'x', '5', 'true', "it's", 'é消🙂', 'TagA', '5.0'];
const values = [
  ...texts,
  ...['TRUE', 'false', '+7', '-3', ' 5 ', '5e0', '5d', 'NaN', 'Infinity', '-Infinity', '-0', '0', '10', '.5', '.', '-'],
  ...['2147483647', '2147483648', '-2147483648', '-2147483649', '5000000000', '05', '5000000000000000000000'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '0x1p3', '1e400'],
  ...['0x1.8p1', '12345678901234567890.5', '3.14159265358979323846', '0.1', '100.0', 'a\u0001b'],
];

const anyName = fc.constantFrom(...propertyNames);
const property: fc.Arbitrary<Operand> = anyName.map(name => ({ is: 'property', name }));
const number: fc.Arbitrary<Operand> = fc.constantFrom(...numbers).map(written => ({ is: 'number', written }));
const text: fc.Arbitrary<Operand> = fc.constantFrom(...texts).map(value => ({ is: 'text', text: value }));
const truth: fc.Arbitrary<Operand> = fc.boolean().map(value => ({ is: 'truth', value }));
const negative: fc.Arbitrary<Operand> = fc.oneof(number, property, text).map(of => ({ is: 'negative', of }));
const orderable = fc.oneof({ weight: 4, arbitrary: property }, { weight: 3, arbitrary: number }, negative);

function conditionOf(depth: number): fc.Arbitrary<Condition> {
  const inner = depth === 0 ? fc.constant<Condition>({ is: 'truth', value: null }) : conditionOf(depth - 1);
  const comparison = inner.map((of): Condition => (of.is === 'truth' || of.is === 'property' ? { is: 'not', of } : of));
  const operand: fc.Arbitrary<Operand> = fc.oneof(
    { weight: 6, arbitrary: property },
    { weight: 3, arbitrary: text },
    { weight: 3, arbitrary: number },
    truth,
    negative,
    // In parentheses a property or a constant is what it is without them.
    comparison.map((of): Operand => ({ is: 'condition', of })),
  );
  const leaf: fc.Arbitrary<Condition> = fc.oneof(
    fc.constantFrom(true, false, null).map((value): Condition => ({ is: 'truth', value })),
    anyName.map((name): Condition => ({ is: 'property', name })),
    fc.record({
      is: fc.constant('ordered' as const),
      operator: fc.constantFrom('<', '<=', '>', '>='),
      left: orderable,
      right: orderable,
    }),
    fc
      .record({
        is: fc.constant('equal' as const),
        operator: fc.constantFrom('=' as const, '<>' as const),
        left: operand,
        right: operand,
      })
      .filter(({ left, right }) => left.is !== 'truth' || (right.is !== 'text' && right.is !== 'number')),
    fc.record({ is: fc.constant('null' as const), not: fc.boolean(), of: operand }),
    fc
      .record({
        is: fc.constant('between' as const),
        not: fc.boolean(),
        of: orderable,
        low: orderable,
        high: orderable,
      })
      .filter(isBetween),
    fc.record({
      is: fc.constant('in' as const),
      not: fc.boolean(),
      name: anyName,
      texts: fc.array(fc.constantFrom(...texts, 'y', 'z'), { minLength: 1, maxLength: 8 }),
    }),
  );
  if (depth === 0) return leaf;
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    inner.map((of): Condition => ({ is: 'not', of })),
    {
      weight: 3,
      arbitrary: fc.record({
        is: fc.constant('row' as const),
        word: fc.constantFrom('AND' as const, 'OR' as const),
        terms: fc.array(inner, { minLength: 2, maxLength: 4 }),
      }),
    },
  );
}

/** Two bounds without a sign must be in order, or Java refuses. */
function isBetween({
  not,
  low,
  high,
}: {
  readonly not: boolean;
  readonly low: Operand;
  readonly high: Operand;
}): boolean {
  return (
    not || low.is !== 'number' || high.is !== 'number' || order(numberOf(low.written), numberOf(high.written)) <= 0
  );
}

export const anyCondition: fc.Arbitrary<Condition> = conditionOf(2);

/** Properties of a message; some of them are there. */
export const anyProperties: fc.Arbitrary<ReadonlyMap<string, string>> = fc
  .array(fc.tuple(anyName, fc.constantFrom(...values)), { maxLength: 9 })
  .map(pairs => new Map(pairs));

// ---- writing ----

/** As a consumer would write it. */
export function writeCondition(condition: Condition): string {
  switch (condition.is) {
    case 'truth':
      return condition.value === null ? 'NULL' : String(condition.value);
    case 'property':
      return condition.name;
    case 'ordered':
      return `${writeOperand(condition.left)}${condition.operator}${writeOperand(condition.right)}`;
    case 'equal':
      return `${writeOperand(condition.left)} ${condition.operator} ${writeOperand(condition.right)}`;
    case 'null':
      return `${writeOperand(condition.of)} IS ${condition.not ? 'NOT ' : ''}NULL`;
    case 'between': {
      const [of, low, high] = [condition.of, condition.low, condition.high].map(writeOperand);
      return `${of} ${condition.not ? 'not ' : ''}between ${low} AND ${high}`;
    }
    case 'in':
      return `${condition.name} ${condition.not ? 'NOT ' : ''}IN (${condition.texts.map(quote).join(', ')})`;
    case 'not':
      return `NOT (${writeCondition(condition.of)})`;
    case 'row':
      return condition.terms.map(term => `(${writeCondition(term)})`).join(` ${condition.word} `);
  }
}

function writeOperand(operand: Operand): string {
  switch (operand.is) {
    case 'text':
      return quote(operand.text);
    case 'number':
      return operand.written;
    case 'truth':
      return operand.value ? 'TRUE' : 'FALSE';
    case 'property':
      return operand.name;
    case 'negative':
      return `- ${writeOperand(operand.of)}`;
    case 'condition':
      return `(${writeCondition(operand.of)})`;
  }
}

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

// ---- judging ----

type Whole = { readonly type: 'integer' | 'long'; readonly value: bigint };
type Numeric = Whole | { readonly type: 'double'; readonly value: number };
type Value = string | boolean | null | Numeric;

class NoAnswer extends Error {}

/** 'T', 'F', 'N' (unknown) or 'X' (an error). */
export function judge(condition: Condition, properties: ReadonlyMap<string, string>): 'T' | 'F' | 'N' | 'X' {
  try {
    const truth = truthOf(condition, properties);
    return truth === null ? 'N' : truth ? 'T' : 'F';
  } catch (error) {
    if (error instanceof NoAnswer) return 'X';
    throw error;
  }
}

type Properties = ReadonlyMap<string, string>;

function truthOf(condition: Condition, properties: Properties): boolean | null {
  switch (condition.is) {
    case 'truth':
      return condition.value;
    case 'property':
      return found(condition.name, properties) === null ? null : false;
    case 'ordered':
      return ordered(condition.operator, condition.left, condition.right, properties);
    case 'equal': {
      const equal = isEqual(valueOfOperand(condition.left, properties), valueOfOperand(condition.right, properties));
      return condition.operator === '=' || equal === null ? equal : !equal;
    }
    case 'null':
      return (valueOfOperand(condition.of, properties) === null) !== condition.not;
    case 'between': {
      const { of, low, high, not } = condition;
      const terms = [
        () => ordered(not ? '<' : '>=', of, low, properties),
        () => ordered(not ? '>' : '<=', of, high, properties),
      ];
      return row(terms, not);
    }
    case 'in': {
      const value = found(condition.name, properties);
      return value === null ? null : condition.texts.includes(value) !== condition.not;
    }
    case 'not': {
      const truth = truthOf(condition.of, properties);
      return truth === null ? null : !truth;
    }
    case 'row':
      return row(
        condition.terms.map(term => () => truthOf(term, properties)),
        condition.word === 'OR',
      );
  }
}

/** The first term that is `decisive` ends it. */
function row(terms: readonly (() => boolean | null)[], decisive: boolean): boolean | null {
  const truths: (boolean | null)[] = [];
  for (const term of terms) {
    const truth = term();
    if (truth === decisive) return decisive;
    truths.push(truth);
  }
  return truths.includes(null) ? null : !decisive;
}

function found(name: string, properties: Properties): string | null {
  return properties.get(name) || null;
}

function valueOfOperand(operand: Operand, properties: Properties): Value {
  switch (operand.is) {
    case 'text':
      return operand.text;
    case 'number':
      return numberOf(operand.written);
    case 'truth':
      return operand.value;
    case 'property':
      return found(operand.name, properties);
    case 'condition':
      return truthOf(operand.of, properties);
    case 'negative': {
      const value = valueOfOperand(operand.of, properties);
      if (typeof value !== 'object' || value === null) return null;
      return value.type === 'double' ? { type: 'double', value: -value.value } : { ...value, value: -value.value };
    }
  }
}

function numberOf(written: string): Numeric {
  if (!/^\d+l?$/i.test(written)) return { type: 'double', value: Number(written) };
  const value = BigInt(written.replace(/l$/i, ''));
  return { type: value <= 2147483647n ? 'integer' : 'long', value };
}

function isEqual(left: Value, right: Value): boolean | null {
  if (left === null || right === null) return left === right ? true : left === null ? null : false;
  if (typeof left === 'string' && typeof right === 'string') return left === right;
  return compare(left, right) === 0;
}

function ordered(operator: string, left: Operand, right: Operand, properties: Properties): boolean | null {
  const one = valueOfOperand(left, properties);
  if (one === null) return null;
  const other = valueOfOperand(right, properties);
  if (other === null) return null;
  const texts = typeof one === 'string' && typeof other === 'string';
  const answer = texts ? order(doubleOf(one), doubleOf(other)) : compare(one, other);
  if (operator === '<' || operator === '<=') return answer < 0 || (answer === 0 && operator === '<=');
  return answer > 0 || (answer === 0 && operator === '>=');
}

function compare(left: Exclude<Value, null>, right: Exclude<Value, null>): number {
  if (typeof left === 'boolean') {
    if (typeof right === 'string') throw new NoAnswer('the wrong side is converted');
    return typeof right === 'boolean' ? Number(left) - Number(right) : -1;
  }
  if (typeof left === 'string') {
    if (typeof right === 'string') throw new Error('texts are compared elsewhere');
    if (typeof right === 'boolean') return Number(left.toLowerCase() === 'true') - Number(right);
    return order(converted(left, right.type), right);
  }
  if (typeof right === 'boolean') return -1;
  return order(left, typeof right === 'string' ? converted(right, left.type) : right);
}

function converted(value: string, type: Numeric['type']): Numeric {
  if (type === 'double') return doubleOf(value);
  if (!/^[+-]?\d+$/.test(value)) throw new NoAnswer(value);
  const whole = BigInt(value.replace('+', ''));
  const bits = type === 'integer' ? 32 : 64;
  if (BigInt.asIntN(bits, whole) !== whole) throw new NoAnswer(value);
  return { type, value: whole };
}

/** The doubles among {@link values}, and nothing more of what Java takes for one. */
function doubleOf(value: string): Numeric {
  const known: Readonly<Record<string, number>> = { '0x1p3': 8, '0x1.8p1': 3, '5d': 5, NaN: Number.NaN };
  const number = known[value] ?? (value.trim() === '' ? Number.NaN : Number(value));
  if (Number.isNaN(number) && value !== 'NaN') throw new NoAnswer(value);
  return { type: 'double', value: number };
}

function order(left: Numeric, right: Numeric): number {
  if (left.type !== 'double' && right.type !== 'double')
    return left.value < right.value ? -1 : Number(left.value > right.value);
  const rank = (value: number): number[] => [Number(Number.isNaN(value)), value, Number(!Object.is(value, -0))];
  const [one, other] = [rank(Number(left.value)), rank(Number(right.value))];
  for (let index = 0; index < 3; index++) {
    if (one[index]! < other[index]!) return -1;
    if (one[index]! > other[index]!) return 1;
  }
  return 0;
}
