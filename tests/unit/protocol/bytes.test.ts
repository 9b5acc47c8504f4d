import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  copyBytes,
  equalBytes,
  getI8,
  getI16,
  getI32,
  getI64,
  getU16,
  getU24,
  getU32,
  putDecimal,
  putHex32,
  putI8,
  putI16,
  putI32,
  putI64,
  putU24,
} from '../../../protocol/bytes.js';
import { AssertionError } from '../../../runtime/base/assert.js';

const bytes = suite('protocol/bytes');

const CANARY = 0xa5;
const AT = 3;

/** What `write` puts at {@link AT}, after a look at the bytes around it. */
function written(size: number, write: (target: Uint8Array) => void): Buffer {
  const target = new Uint8Array(AT + size + 3).fill(CANARY);
  write(target);
  for (const index of [0, 1, 2, AT + size, AT + size + 1, AT + size + 2]) {
    assert.is(target[index], CANARY, `byte ${index} was not to be touched`);
  }
  return Buffer.from(target.subarray(AT, AT + size));
}

type Put = (target: Uint8Array, at: number, value: number) => void;
type Get = (source: Uint8Array, at: number) => number;

function inBothDirections(name: string, put: Put, get: Get, vectors: Readonly<Record<string, number>>): void {
  bytes(`${name}: known bytes, both ways`, () => {
    for (const [hex, value] of Object.entries(vectors)) {
      assert.is(written(hex.length / 2, target => put(target, AT, value)).toString('hex'), hex);
      assert.is(get(Buffer.from(`ff${hex}ff`, 'hex'), 1), value, hex);
    }
  });
}

inBothDirections('i8', putI8, getI8, { '00': 0, '7f': 127, '80': -128, ff: -1 });
inBothDirections('i16', putI16, getI16, { '0000': 0, '0199': 409, '7fff': 32767, '8000': -32768, ffff: -1 });
inBothDirections('u24', putU24, getU24, { '000000': 0, '00005a': 90, ffffff: 0xffffff });
inBothDirections('i32', putI32, getI32, {
  '00000000': 0,
  '0000005e': 94,
  '7fffffff': 0x7fffffff,
  '80000000': -0x80000000,
  daa320a7: -626843481,
  ffffffff: -1,
});
inBothDirections('i64', putI64, getI64, {
  '0000000000000000': 0,
  '0000000000000400': 1024,
  '0000018bcfe56800': 1_700_000_000_000,
  '0000000080000000': 0x80000000,
  '00000000ffffffff': 0xffffffff,
  '0000000100000000': 0x1_0000_0000,
  '001fffffffffffff': Number.MAX_SAFE_INTEGER,
  ffe0000000000001: Number.MIN_SAFE_INTEGER,
  ffffffffffffffff: -1,
  ffffffff00000000: -0x1_0000_0000,
  fffffffeffffffff: -0x1_0000_0001,
});

bytes('unsigned readings of the same bytes', () => {
  const source = Buffer.from('ffffffff', 'hex');
  assert.is(getU16(source, 0), 0xffff);
  assert.is(getU24(source, 0), 0xffffff);
  assert.is(getU32(source, 0), 0xffffffff);
});

bytes('a 64-bit value agrees with the platform, even beyond what is exact', () => {
  for (const hex of ['7fffffffffffffff', '8000000000000000', '0123456789abcdef', 'fedcba9876543210']) {
    const source = Buffer.from(hex, 'hex');
    const exact = Number(source.readBigInt64BE());
    assert.ok(Math.abs(getI64(source, 0) - exact) <= Math.abs(exact) * Number.EPSILON, hex);
  }
});

bytes('a 64-bit field takes safe integers only', () => {
  for (const value of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => putI64(new Uint8Array(8), 0, value),
      (error: unknown) => error instanceof AssertionError,
    );
  }
});

const decimals = [
  0,
  1,
  9,
  10,
  99,
  100,
  4096,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  9_999_999_999,
  999_999_999_999_999,
  1_000_000_000_000_000,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER - 1,
  1_795_423_265_496,
];

bytes('decimal digits', () => {
  for (const value of [...decimals, ...decimals.filter(value => value > 0).map(value => -value)]) {
    const text = String(value);
    let end = 0;
    const digits = written(text.length, target => {
      end = putDecimal(target, AT, value);
    });
    assert.is(digits.toString(), text);
    assert.is(end, AT + text.length);
  }
});

bytes('every power of ten and its neighbours', () => {
  for (let power = 1; power <= 1e15; power *= 10) {
    for (const value of [power - 1, power, power + 1]) {
      const target = new Uint8Array(20);
      assert.is(Buffer.from(target.subarray(0, putDecimal(target, 0, value))).toString(), String(value));
    }
  }
});

bytes('hex digits are upper case', () => {
  const vectors = { '00000000': 0, '7F000001': 0x7f000001, FEDCBA98: 0xfedcba98 | 0, FFFFFFFF: -1 };
  for (const [text, value] of Object.entries(vectors)) {
    assert.is(written(8, target => assert.is(putHex32(target, AT, value), AT + 8)).toString(), text);
  }
});

bytes('copies short and long ranges, and nothing around them', () => {
  for (const length of [0, 1, 95, 96, 97, 1000]) {
    const source = Uint8Array.from({ length: length + 2 }, (_, index) => index * 7);
    const copied = written(length, target => copyBytes(source, 1, target, AT, length));
    assert.equal(copied, Buffer.from(source.subarray(1, 1 + length)));
  }
});

bytes('compares ranges', () => {
  const left = Buffer.from('..same..');
  const right = Buffer.from('samE');
  assert.ok(equalBytes(left, 2, right, 0, 3));
  assert.not(equalBytes(left, 2, right, 0, 4));
  assert.ok(equalBytes(left, 0, right, 0, 0));
});

bytes.run();
