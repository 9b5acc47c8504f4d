import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEscapesValid, copyUnescaped, decodeUnescaped, decodeUtf8 } from '../../../protocol/json-text.js';

const texts = suite('protocol/json-text');

const isValid = (text: string): boolean => {
  // What follows looks like hexadecimal digits, and must not be counted.
  const bytes = Buffer.from(`ab${text}cdef0123`);
  return areEscapesValid(bytes, 2, bytes.length - 8);
};

texts('escapes that JSON knows', () => {
  for (const text of ['', 'x', '\\"', '\\\\', '\\/', '\\b\\f\\n\\r\\t', '\\u0000', '\\uABCD\\uefab', 'a\\u0001b']) {
    assert.ok(isValid(text), text);
    assert.is(decodeUnescaped(Buffer.from(text), 0, text.length), JSON.parse(`"${text}"`), text);
  }
});

texts('every other byte after a backslash is refused', () => {
  for (let byte = 0; byte < 256; byte++) {
    const bytes = Uint8Array.of(0x5c, byte);
    let known = true;
    try {
      JSON.parse(`"\\${String.fromCharCode(byte)}"`);
    } catch {
      known = false;
    }
    assert.is(areEscapesValid(bytes, 0, 2), known, `byte ${byte}`);
  }
});

texts('escapes cut off, or without their digits', () => {
  for (const text of [
    '\\',
    'x\\',
    '\\\\\\',
    '\\u',
    '\\u0',
    '\\u000',
    '\\u00g0',
    '\\u 000',
    '\\u-001',
    '\\U0001',
    '\\u@000',
  ]) {
    assert.not(isValid(text), text);
  }
});

texts('unescaped, a text is never longer', () => {
  for (let unit = 0; unit < 0x10000; unit += 13) {
    const text = `\\u${unit.toString(16).padStart(4, '0')}`;
    const target = new Uint8Array(10).fill(0xa5);
    const end = copyUnescaped(Buffer.from(text), 0, text.length, target, 2);
    const expected = Buffer.from(String.fromCharCode(unit));
    assert.equal(Buffer.from(target.subarray(2, end)), expected, text);
    assert.ok(target.subarray(end).every(byte => byte === 0xa5));
  }
});

texts('short and long ranges of shared memory, ASCII or not', () => {
  for (const text of ['', 'a', '\u00fc', 'x'.repeat(47), 'x'.repeat(48), '\ud83d\ude42'.repeat(20), '\ufeffx']) {
    const bytes = Buffer.from(text);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 4));
    shared.set(bytes, 3);
    assert.is(decodeUtf8(shared, 3, 3 + bytes.length), text);
  }
});

texts.run();
