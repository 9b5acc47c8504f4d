/** What an expression may be, and what is said of one that is none. Source: SelectorParser.jj of 4.9.8. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EXPRESSION_DEPTH_MAX,
  EXPRESSION_LENGTH_MAX,
  parseSqlExpression,
  SqlExpressionError,
} from '../../../../protocol/sql-filter.js';

const parser = suite('protocol/sql-filter/parser');

function refusalOf(expression: string): SqlExpressionError {
  try {
    parseSqlExpression(expression);
  } catch (error) {
    assert.instance(error, SqlExpressionError);
    return error as SqlExpressionError;
  }
  throw new Error(`${expression} was taken`);
}

const a = { kind: 'property', name: 'a' } as const;
const five = { kind: 'integer', value: 5 } as const;
const aIsFive = { kind: 'compare', operator: '=', left: a, right: five } as const;

parser('AND binds more than OR, and both less than everything else', () => {
  assert.equal(parseSqlExpression('a = 5 OR a AND NOT b IS NULL'), {
    kind: 'or',
    terms: [
      aIsFive,
      {
        kind: 'and',
        terms: [
          { kind: 'truth', property: a },
          {
            kind: 'isNull',
            operand: { kind: 'not', operand: { kind: 'truth', property: { kind: 'property', name: 'b' } } },
          },
        ],
      },
    ],
  });
});

parser('a row of AND or OR is one condition, however long', () => {
  const { kind, terms } = parseSqlExpression('a = 5 AND a = 5 AND a = 5') as { kind: string; terms: unknown[] };
  assert.equal([kind, terms.length], ['and', 3]);
  const long = Array.from({ length: 5000 }, () => 'a = 5').join(' OR ');
  assert.is((parseSqlExpression(long) as unknown as { terms: unknown[] }).terms.length, 5000);
});

parser('BETWEEN is two comparisons, IN a list', () => {
  const compare = (operator: string, value: number) => ({
    ...aIsFive,
    operator,
    right: { kind: 'integer', value },
  });
  assert.equal(parseSqlExpression('a BETWEEN 1 AND 9'), { kind: 'and', terms: [compare('>=', 1), compare('<=', 9)] });
  assert.equal(parseSqlExpression('a not between 1 and 9'), { kind: 'or', terms: [compare('<', 1), compare('>', 9)] });
  assert.equal(parseSqlExpression("a NOT IN ('x', 'it''s')"), {
    kind: 'in',
    property: a,
    values: ['x', "it's"],
    negated: true,
  });
});

parser('the searches of RocketMQ 5 are words only behind a value', () => {
  assert.equal(parseSqlExpression("a CONTAINS 'x'"), {
    kind: 'search',
    operator: 'CONTAINS',
    operand: a,
    text: 'x',
    negated: false,
  });
  const property = { kind: 'property', name: 'contains' };
  assert.equal(parseSqlExpression('contains = 5'), { ...aIsFive, left: property });
  assert.match(refusalOf('a startswith 5').message, 'expected a text in single quotes');
  assert.match(refusalOf('a NOT 5').message, 'expected BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH, found "5"');
});

parser('numbers have the kinds of Java', () => {
  const kinds = ['5', '2147483647', '2147483648', '9223372036854775807', '5.0', '.5', '1e3', '5L'].map(number => {
    const { right } = parseSqlExpression(`a > ${number}`) as unknown as { right: { kind: string } };
    return right.kind;
  });
  assert.equal(kinds, ['integer', 'integer', 'long', 'long', 'double', 'double', 'double', 'integer']);
});

parser('what stands behind a whole expression is ignored, as in Java, unless it cannot be read', () => {
  assert.equal(parseSqlExpression("a = 5 LIKE 'x' ;"), aIsFive);
  assert.equal(parseSqlExpression('a = 5 -- no end of the line'), aIsFive);
  assert.match(refusalOf('a = 5 ; b').message, '";" is no part of an expression');
});

parser('says where and why', () => {
  const cases: [expression: string, line: number, column: number, reason: string][] = [
    ['', 1, 1, 'expected a property, a value or "(", found the end'],
    ['a == 5', 1, 4, 'expected a property, a value or "(", found "="'],
    ['a = 5 AND', 1, 10, 'expected a property, a value or "(", found the end'],
    ['a =\r\n 5 AND\n#', 3, 1, '"#" is no part of an expression'],
    ["a = 'x", 1, 5, 'the quote is never closed'],
    ['a /* x', 1, 3, 'the comment is never closed'],
    ['(a = 5', 1, 7, 'expected ")", found the end'],
    ['a IS 5', 1, 6, 'expected NULL or NOT NULL, found "5"'],
    ['a IS NOT TRUE', 1, 10, 'expected NULL, found "TRUE"'],
    ['a BETWEEN 1', 1, 12, 'expected AND, found the end'],
    ['a IN (5)', 1, 7, 'expected a text in single quotes, found "5"'],
    ["-a IN ('x')", 1, 1, 'only a property can be IN a list'],
    ['a AND 5', 1, 7, 'a condition is expected, this is a value'],
    ["a > 'x'", 1, 5, "'x' is no number: it is neither greater nor less than anything"],
    ['(a = 5) > 1', 1, 1, 'a condition is no number: it is neither greater nor less than anything'],
    ['a = NULL', 1, 5, 'nothing can be compared with NULL: use IS NULL'],
    ['TRUE = 5', 1, 8, 'TRUE cannot be compared with 5'],
    ['a BETWEEN 9 AND 1', 1, 11, 'BETWEEN 9 AND 1 is empty'],
    ['a = 9223372036854775808', 1, 5, '9223372036854775808 is greater than 9223372036854775807'],
    ['a = 1e400', 1, 5, '1e400 is greater than 1.7976931348623157e+308'],
    ['a = 0.0', 1, 5, '0.0 is less than 5e-324'],
  ];
  for (const [expression, line, column, reason] of cases) {
    const { message, ...place } = refusalOf(expression);
    assert.is(message, `line ${line}, column ${column}: ${reason}`, expression);
    assert.equal([place.line, place.column], [line, column], expression);
  }
});

parser('has limits, and they are no more than that', () => {
  const nested = (depth: number, open: string, close: string): string =>
    `${open.repeat(depth)}a = 5${close.repeat(depth)}`;
  for (const [open, close] of [
    ['(', ')'],
    ['NOT (', ')'],
  ] as const) {
    const most = EXPRESSION_DEPTH_MAX / (open === '(' ? 1 : 2);
    parseSqlExpression(nested(most, open, close));
    assert.match(refusalOf(nested(most + 1, open, close)).message, 'more than 256 levels');
  }
  assert.match(refusalOf(`${'- '.repeat(300)}5 IS NULL`).message, 'more than 256 levels');
  const row = (count: number): string => `a${' IS NULL'.repeat(count)}`;
  parseSqlExpression(row(EXPRESSION_DEPTH_MAX + 1));
  assert.match(refusalOf(row(EXPRESSION_DEPTH_MAX + 2)).message, 'more than 256 levels');
  assert.match(refusalOf(`a${' > 5'.repeat(300)}`).message, 'no number', 'a condition has no order');
  const text = (length: number): string => `a = '${'x'.repeat(length - 6)}'`;
  parseSqlExpression(text(EXPRESSION_LENGTH_MAX));
  assert.match(refusalOf(text(EXPRESSION_LENGTH_MAX + 1)).message, 'may have 65536 characters');
});

parser.run();
