/** Records made from records. Expected bytes come from the builder of the tests, which shares nothing with the code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CopyFields,
  copyRecord,
  copySizeMax,
  readRecordProperties,
  readRecordTopic,
} from '../../../protocol/index.js';
import { buildRecord, type RecordParts } from '../../support/record-builder.js';

const copying = suite('protocol/record-copy');
const utf8 = new TextEncoder();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const fields: CopyFields = {
  topic: utf8.encode('%RETRY%group'),
  queueId: 3,
  flag: 9,
  sysFlag: 8,
  storeAddress: 0x0a000009,
  storePort: 4711,
  reconsumeTimes: 2,
  preparedTransactionOffset: 2 ** 40 + 7,
  properties: utf8.encode('DELAY\u00013'),
};

function copyOf(source: Uint8Array, more: Partial<CopyFields> = {}): Uint8Array {
  const own = { ...fields, ...more };
  const padded = new Uint8Array(5 + source.length);
  padded.set(source, 5);
  const target = new Uint8Array(3 + copySizeMax(padded, 5, own.topic.length, own.properties.length)).fill(0xee);
  return target.slice(3, copyRecord(padded, 5, target, 3, own));
}

const expected = (parts: RecordParts): Uint8Array =>
  buildRecord({
    ...parts,
    topic: '%RETRY%group',
    queueId: 3,
    flag: 9,
    sysFlag: 8,
    queueOffset: 0,
    physicalOffset: 0,
    storeTimestamp: 0,
    storeAddress: [10, 0, 0, 9],
    storePort: 4711,
    reconsumeTimes: 2,
    preparedTransactionOffset: 2 ** 40 + 7,
    properties: 'DELAY\u00013',
    version: 1,
  });

const bornV6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const sources: Record<string, RecordParts> = {
  plain: { body: utf8.encode('body'), queueOffset: 12, physicalOffset: 4096 },
  'an empty body': { body: new Uint8Array(0), properties: '' },
  'born at an IPv6 host': { bornAddress: bornV6 },
  'stored at an IPv6 host': { storeAddress: bornV6 },
  'both hosts IPv6': { bornAddress: bornV6, storeAddress: bornV6 },
  'of version 2': { version: 2, topic: 'x'.repeat(200) },
};

for (const [name, parts] of Object.entries(sources)) {
  copying(`keeps body and birth, takes the rest: ${name}`, () => {
    assert.is(hex(copyOf(buildRecord(parts))), hex(expected(parts)));
  });
}

copying('reads topic and properties of any record', () => {
  const source = buildRecord({ topic: 'Grüße', properties: 'KEYS\u0001a b\u0002TAGS\u0001ü', bornAddress: bornV6 });
  assert.is(readRecordTopic(source, 0), 'Grüße');
  assert.equal(
    [...readRecordProperties(source, 0)],
    [
      ['KEYS', 'a b'],
      ['TAGS', 'ü'],
    ],
  );
});

copying('what no record can carry is a bug of the caller', () => {
  assert.throws(() => copyOf(buildRecord(), { topic: new Uint8Array(128) }), /topic/);
  assert.throws(() => copyOf(buildRecord(), { properties: new Uint8Array(32768) }), /properties/);
});

copying.run();
