/** What an expression is worth for a message. Source: rocketmq 4.9.8 filter/expression. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatProperties } from '../../../../protocol/message-record.js';
import { compileSqlFilter, EXPRESSION_DEPTH_MAX } from '../../../../protocol/sql-filter.js';

const filters = suite('protocol/sql-filter/compile');

/** 'T', 'F', 'N' for unknown, 'X' for an error. */
function worthOf(expression: string, propertyString: string): string {
  const bytes = new TextEncoder().encode(propertyString);
  return 'FTNX'[compileSqlFilter(expression).evaluate(bytes, 0, bytes.length)]!;
}

const worth = (expression: string, properties: Readonly<Record<string, string>>): string =>
  worthOf(expression, formatProperties(Object.entries(properties)));

function check(
  cases: readonly (readonly [expression: string, properties: Record<string, string>, worth: string])[],
): void {
  for (const [expression, properties, wanted] of cases) {
    assert.is(worth(expression, properties), wanted, `${expression} of ${JSON.stringify(properties)}`);
  }
}

filters('the text of a property becomes the kind of number it is compared with', () => {
  check([
    ['a > 5', { a: '6' }, 'T'],
    ['5 < a', { a: '6' }, 'T'],
    ['a > 5', { a: '5.5' }, 'X'],
    ['a > 5.0', { a: '5.5' }, 'T'],
    ['a > 5', { a: '3000000000' }, 'X'],
    ['a > 3000000000', { a: '3000000001' }, 'T'],
    ['a = 9223372036854775807', { a: '9223372036854775806' }, 'F'],
    ['a > -(5)', { a: '-4' }, 'T'],
    ['a = 5', { a: '05' }, 'T'],
    ['a = 5', { a: ' 5' }, 'X'],
    ['a = 5.0', { a: ' 5d ' }, 'T'],
    ['a < b', { a: '1e2', b: '0x1p7' }, 'T'],
    ['a < b', { a: 'x', b: '1' }, 'X'],
    ['a > b', { a: 'NaN', b: 'Infinity' }, 'T'],
    ['a > b', { a: '0', b: '-0' }, 'T'],
  ]);
});

filters('text and truth are compared as what they are', () => {
  check([
    ["a = '5.0'", { a: '5' }, 'F'],
    ["a = 'é消'", { a: 'é消' }, 'T'],
    ['a = b', { a: 'x', b: 'x' }, 'T'],
    ['a = TRUE', { a: 'True' }, 'T'],
    ['a = FALSE', { a: 'yes' }, 'T'],
    ['TRUE = a', { a: 'true' }, 'X'],
    ['5 = TRUE', {}, 'F'],
    ["'5' = 5", {}, 'T'],
    ['a', { a: 'true' }, 'F'],
    ['NOT a', { a: 'true' }, 'T'],
  ]);
});

filters('what is absent is unknown', () => {
  check([
    ['a > 5', {}, 'N'],
    ['a = 5', {}, 'N'],
    ['5 = a', {}, 'F'],
    ['a <> 5', {}, 'N'],
    ['a = b', {}, 'T'],
    ['a = 5', { a: '' }, 'N'],
    ['a IS NULL', {}, 'T'],
    ['a IS NOT NULL', { a: 'x' }, 'T'],
    ["a IN ('x')", {}, 'N'],
    ["a NOT IN ('x')", {}, 'N'],
    ['a BETWEEN 1 AND 2', {}, 'N'],
    ['NOT a', {}, 'N'],
    ['-a > 5', { a: '-9' }, 'N'],
    ['NULL', {}, 'N'],
  ]);
});

filters('the first that decides ends a row, an error ends everything', () => {
  check([
    ['a = 1 OR b = 1', { a: '1', b: 'x' }, 'T'],
    ['b = 1 OR a = 1', { a: '1', b: 'x' }, 'X'],
    ['a = 2 AND b = 1', { a: '1', b: 'x' }, 'F'],
    ['NOT (b = 1)', { b: 'x' }, 'X'],
    ['(b = 1) IS NULL', { b: 'x' }, 'X'],
    ['c = 1 OR a = 1', { a: '1' }, 'T'],
    ['c = 1 OR a = 2', { a: '1' }, 'N'],
    ['c = 1 AND a = 2', { a: '1' }, 'F'],
    ['c = 1 AND a = 1', { a: '1' }, 'N'],
    ['c > 1 AND b > 1', { b: 'x' }, 'X'],
    ['c > (-b)', { b: 'x' }, 'N'],
  ]);
});

filters('long lists and many properties are looked up, short ones compared', () => {
  const many = Array.from({ length: 100 }, (_, index) => `'v${index}'`).join(',');
  check([
    [`a IN (${many})`, { a: 'v77' }, 'T'],
    [`a IN (${many})`, { a: 'v777' }, 'F'],
    [`a NOT IN (${many}, ${many})`, { a: 'v777' }, 'T'],
    ["a IN ('x', 'y')", { a: 'y' }, 'T'],
  ]);
  const all = Array.from({ length: 100 }, (_, index) => `p${index} = ${index}`).join(' AND ');
  const message = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, String(index)]));
  check([
    [all, message, 'T'],
    [all, { ...message, p50: '5' }, 'F'],
    // Names with the same hash: 'Aa' and 'BB'.
    ['Aa = 1 AND BB = 2 AND c = 3 AND d = 4 AND e = 5', { BB: '2', Aa: '1', c: '3', d: '4', e: '5' }, 'T'],
  ]);
});

filters('searches find text in text', () => {
  check([
    ["a CONTAINS 'ell'", { a: 'hello' }, 'T'],
    ["a contains 'elo'", { a: 'hello' }, 'F'],
    ["a NOT CONTAINS 'elo'", { a: 'hello' }, 'T'],
    ["a STARTSWITH 'he'", { a: 'hello' }, 'T'],
    ["a STARTSWITH 'hello!'", { a: 'hello' }, 'F'],
    ["a ENDSWITH 'llo'", { a: 'hello' }, 'T'],
    ["a ENDSWITH 'xhello'", { a: 'hello' }, 'F'],
    ["a NOT ENDSWITH 'x'", { a: 'hello' }, 'T'],
    ["a CONTAINS 'x'", {}, 'F'],
    ["a NOT CONTAINS 'x'", {}, 'F'],
    ["NOT (a CONTAINS 'x')", {}, 'T'],
    ["a CONTAINS ''", { a: 'x' }, 'F'],
    ["5 CONTAINS '5'", {}, 'F'],
    ["'hello' CONTAINS 'ell'", {}, 'T'],
  ]);
});

filters('of several properties of a name the last counts, and only whole ones do', () => {
  const last = (propertyString: string): string => worthOf("a = 'last'", propertyString);
  assert.is(last('a\u0001first\u0002a\u0001last'), 'T');
  assert.is(last('a\u0001last\u0002'), 'T');
  assert.is(last('a\u0001last\u0002a\u0001\u0002a\u0002\u0001x'), 'T', 'one without a value is none');
  assert.is(last('aa\u0001last'), 'N');
  assert.is(last(''), 'N');
});

filters('the deepest expression there can be is evaluated', () => {
  const depth = EXPRESSION_DEPTH_MAX / 2;
  const deep = `${'NOT ('.repeat(depth)}a = 5${' AND a IS NOT NULL)'.repeat(depth)}`;
  assert.is(worth(deep, { a: '5' }), 'T');
  assert.is(worth(`a${' IS NULL'.repeat(EXPRESSION_DEPTH_MAX + 1)}`, {}), 'F');
});

filters.run();
