/** Numbers in text as Java reads them. Source: Integer.valueOf, Long.valueOf, Double.valueOf, Double.compareTo. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compareDigits,
  compareDoubles,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseLong,
  saysNaN,
} from '../../../../protocol/sql-filter/java-numbers.js';

const numbers = suite('protocol/sql-filter/java-numbers');

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(`[${text}]`);
const within = <Result>(read: (bytes: Uint8Array, start: number, end: number) => Result, text: string): Result => {
  const bytes = bytesOf(text);
  return read(bytes, 1, bytes.length - 1);
};

numbers('integers have 32 bits, a sign and digits', () => {
  for (const text of ['0', '5', '+7', '-3', '2147483647', '-2147483648', '0000000000000005', '-0']) {
    assert.is(within(parseInteger, text), Number(text) + 0, text);
  }
  for (const text of [
    '',
    '-',
    '+',
    '5.0',
    ' 5',
    '5 ',
    '2147483648',
    '-2147483649',
    '1e3',
    '0x5',
    '99999999999999',
    '٥',
  ]) {
    assert.ok(Number.isNaN(within(parseInteger, text)), text);
  }
});

numbers('longs have 64 bits, in two parts', () => {
  const parts = { high: 0, low: 0 };
  const read = (text: string): string | undefined =>
    within((bytes, start, end) => parseLong(bytes, start, end, parts), text)
      ? String(BigInt(parts.high) * 1_000_000_000n + BigInt(parts.low))
      : undefined;
  for (const text of ['0', '5', '-5', '999999999', '1000000000', '9223372036854775807', '-9223372036854775808']) {
    assert.is(read(text), text);
  }
  assert.is(read('+00000000000000000000000123456789012'), '123456789012');
  for (const text of ['', '-', 'x', '5L', '9223372036854775808', '-9223372036854775809', '99999999999999999999']) {
    assert.is(read(text), undefined, text);
  }
});

numbers('doubles are what Java takes for one', () => {
  const cases: [text: string, value: number][] = [
    ['5', 5],
    ['-5.25', -5.25],
    ['+.5', 0.5],
    ['5.', 5],
    ['0.1', 0.1],
    ['123456789.123456', 123_456_789.123456],
    ['3.14159265358979323846', Math.PI],
    ['1e3', 1000],
    ['1E-3', 0.001],
    ['1e400', Infinity],
    ['-Infinity', -Infinity],
    [' \t5\n', 5],
    ['5f', 5],
    ['5.5D', 5.5],
    ['0x1p3', 8],
    ['-0X.8p1f', -1],
    ['0x1.fffffffffffffp1023', Number.MAX_VALUE],
    ['0x1p-1074', Number.MIN_VALUE],
    ['0x1p99999', Infinity],
    ['-0', -0],
  ];
  for (const [text, value] of cases) assert.ok(Object.is(within(parseDouble, text), value), text);
  for (const text of ['', '.', '-', 'e5', '1e', '5x', '5 5', '0x5', '0xp1', 'infinity', 'nan', '1_000', '５']) {
    assert.ok(Number.isNaN(within(parseDouble, text)), text);
    assert.not(within(saysNaN, text), text);
  }
  for (const text of ['NaN', '-NaN', ' NaN ']) assert.ok(within(saysNaN, text), text);
});

numbers('a long text that is nearly a number is refused quickly', () => {
  for (const text of [`${'1'.repeat(30_000)}x`, `0x${'f'.repeat(30_000)}`, `.${'1'.repeat(30_000)}.`]) {
    assert.ok(Number.isNaN(within(parseDouble, text)));
  }
});

numbers('doubles have the order of Double.compareTo', () => {
  const order = [-Infinity, -1, -0, 0, 1, Infinity, Number.NaN];
  for (const [left, one] of order.entries()) {
    for (const [right, other] of order.entries()) assert.is(compareDoubles(one, other), Math.sign(left - right));
  }
});

numbers('digits are compared as numbers', () => {
  assert.ok(compareDigits('9', '10') < 0);
  assert.is(compareDigits('007', '7'), 0);
  assert.ok(compareDigits('9223372036854775808', '9223372036854775807') > 0);
});

numbers('only true is true', () => {
  for (const text of ['true', 'TRUE', 'tRuE']) assert.ok(within(parseBoolean, text), text);
  for (const text of ['', 'tru', 'truee', 'yes', '1', 'false']) assert.not(within(parseBoolean, text), text);
});

numbers.run();
