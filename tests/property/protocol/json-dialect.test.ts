import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyedMap, parseDialect, parseKeyObject, stringifyDialect } from '../../../protocol/json-dialect.js';
import { RingError } from '../../../runtime/base/errors.js';

const dialect = suite('protocol/json-dialect properties');

/** Anything JSON can hold, with integers that are exact in Java and here. */
const anyJson = fc.jsonValue({ maxDepth: 6, noUnicodeString: false });

function isSafe(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isSafe);
}

dialect('is JSON.parse on JSON', () => {
  fc.assert(
    fc.property(anyJson.filter(isSafe), value => {
      const text = JSON.stringify(value);
      assert.equal(parseDialect(text), JSON.parse(text));
    }),
  );
});

dialect('the tolerant reader is JSON.parse too', () => {
  fc.assert(
    fc.property(anyJson.filter(isSafe), fc.constantFrom('', '  ', '\n'), (value, space) => {
      const text = JSON.stringify(value, null, space);
      // The unquoted key makes JSON.parse give up, so that all of the text is read by our own reader.
      assert.equal(parseDialect(`{0:${text}}`), { '0': JSON.parse(text) });
    }),
  );
});

dialect('writing and reading give the value back, without nulls', () => {
  const value = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string())));
  fc.assert(
    fc.property(value, original => {
      const text = stringifyDialect(original);
      const expected: unknown = JSON.parse(JSON.stringify(original));
      assert.equal(JSON.parse(text), expected);
      assert.equal(parseDialect(text), expected);
    }),
  );
});

dialect('maps with objects as keys come back', () => {
  const queue = fc.record(
    { brokerName: fc.string(), queueId: fc.nat(), topic: fc.string() },
    { noNullPrototype: true },
  );
  const entries = fc.uniqueArray(fc.tuple(queue, fc.maxSafeNat()), { selector: ([key]) => JSON.stringify(key) });
  fc.assert(
    fc.property(entries, original => {
      const parsed = parseDialect(stringifyDialect({ table: new KeyedMap(original) })) as { table: object };
      assert.equal(
        Object.entries(parsed.table).map(([key, offset]) => [parseKeyObject(key), offset]),
        original,
      );
    }),
  );
});

dialect('garbage is a RingError with a position in the text, or a value', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '0',
    '-',
    '1e',
    'true',
    'nul',
    'a',
    ' ',
    '\u0000',
  );
  const garbage = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token, { maxLength: 40 }).map(tokens => tokens.join('')),
  );
  fc.assert(
    fc.property(garbage, text => {
      try {
        parseDialect(text);
      } catch (error) {
        assert.instance(error, RingError);
        const { code, facts } = error as RingError;
        assert.is(code, 'PROTOCOL_VIOLATION');
        const position = facts.position as number;
        assert.ok(position >= 0 && position <= text.length, `position ${position} of ${text.length}`);
      }
    }),
    { numRuns: 2000 },
  );
});

dialect.run();
