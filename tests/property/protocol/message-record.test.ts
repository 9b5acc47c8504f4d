/** Records against a builder that shares nothing with the encoder. The seed is printed; `RINGMQ_SEED` repeats it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bodyCrc32 } from '../../../protocol/crc32.js';
import {
  beginRecord,
  finishRecord,
  javaHashText,
  parseProperties,
  recordBodySize,
  recordBodyStart,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordQueueId,
  recordQueueOffset,
  recordSize,
  recordStoreTimestamp,
  recordTopicAt,
  recordTotalSize,
  stampRecord,
  topicLength,
  topicLengthSize,
} from '../../../protocol/message-record.js';
import { tagsCodeOf } from '../../support/property-ranges.js';
import { buildRecord } from '../../support/record-builder.js';
import { seed, seeded } from './generators.js';

const records = suite('protocol/message-record properties');

console.log(`message-record: RINGMQ_SEED=${seed}`);

const int32 = fc.integer();
const offset = fc.oneof(fc.nat(), fc.maxSafeNat());
const octet = fc.nat(255);
const ipv4 = fc.array(octet, { minLength: 4, maxLength: 4 });
const ipv6 = fc.array(octet, { minLength: 16, maxLength: 16 });
const topic = fc.stringMatching(/^[%|a-zA-Z0-9_-]{1,127}$/);

/** Names, values and separators in every order: most are properties, some are none. */
const properties = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('TAGS\u0001TagA', 'TAGS\u0001', 'KEYS\u0001k1', 'TAGS\u0001ü', 'TAGS') },
      { weight: 3, arbitrary: fc.constantFrom('\u0002', '\u0002', '\u0001', 'x', 'TAGS\u0001polygenelubricants') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
    ),
    { maxLength: 9 },
  )
  .map(parts => parts.join(''));

const common = {
  queueId: int32,
  flag: int32,
  bornTimestamp: offset,
  bornPort: int32,
  storePort: int32,
  reconsumeTimes: int32,
  preparedTransactionOffset: offset,
  queueOffset: offset,
  physicalOffset: offset,
  storeTimestamp: offset,
  body: fc.uint8Array({ maxLength: 500 }),
  properties,
};

const toInt32 = (address: readonly number[]): number => address.reduce((value, part) => (value << 8) | part, 0);

records('a lane and the writer make the record that the specification builds', () => {
  const sysFlag = fc.integer().map(flag => flag & ~0x30);
  const parts = fc.record({ ...common, topic, sysFlag, bornAddress: ipv4, storeAddress: ipv4 });
  fc.assert(
    fc.property(parts, fc.nat(20), (message, start) => {
      const name = Buffer.from(message.topic);
      const text = Buffer.from(message.properties);
      const target = new Uint8Array(start + recordSize(message.body.length, name.length, text.length) + 5);
      const fields = {
        ...message,
        bornAddress: toInt32(message.bornAddress),
        storeAddress: toInt32(message.storeAddress),
      };
      const crc = bodyCrc32(message.body, 0, message.body.length);
      const lengthAt = beginRecord(target, start, fields, crc, message.body, 0, message.body.length, name);
      target.set(text, lengthAt + 2);
      const end = finishRecord(target, start, lengthAt, text.length);
      stampRecord(target, start, message.queueOffset, message.physicalOffset, message.storeTimestamp);
      const expected = buildRecord(message);
      assert.ok(Buffer.from(target.subarray(start, end)).equals(expected), 'the same bytes');
      assert.ok(target.subarray(0, start).every(byte => byte === 0));
      assert.ok(target.subarray(end).every(byte => byte === 0));
    }),
    { ...seeded, numRuns: 1500 },
  );
});

records('every record that can be built is read: hosts of both families, both versions, any position', () => {
  const address = fc.oneof(ipv4, ipv6);
  const parts = fc
    .record({
      ...common,
      topic,
      version: fc.constantFrom(1, 2) as fc.Arbitrary<1 | 2>,
      bornAddress: address,
      storeAddress: address,
    })
    .chain(part =>
      part.version === 1
        ? fc.constant(part)
        : fc.nat(200).map(more => ({ ...part, topic: part.topic + 'g'.repeat(more) })),
    );
  fc.assert(
    fc.property(parts, fc.nat(20), fc.nat(255), (message, start, filler) => {
      const record = buildRecord(message);
      const bytes = new Uint8Array(start + record.length + 20).fill(filler);
      bytes.set(record, start);
      const text = (from: number, size: number): string => Buffer.from(bytes.subarray(from, from + size)).toString();
      assert.is(recordTotalSize(bytes, start), record.length);
      assert.is(recordQueueId(bytes, start), message.queueId);
      assert.equal(
        [recordQueueOffset(bytes, start), recordPhysicalOffset(bytes, start), recordStoreTimestamp(bytes, start)],
        [message.queueOffset, message.physicalOffset, message.storeTimestamp],
      );
      const bodyStart = recordBodyStart(bytes, start);
      const bodySize = recordBodySize(bytes, start);
      assert.equal(bytes.slice(bodyStart, bodyStart + bodySize), message.body);
      const topicAt = recordTopicAt(bytes, start);
      const lengthSize = topicLengthSize(bytes, start);
      assert.is(text(topicAt + lengthSize, topicLength(bytes, topicAt, lengthSize)), message.topic);
      const propertiesStart = recordPropertiesStart(bytes, start);
      const propertiesSize = recordPropertiesSize(bytes, propertiesStart);
      assert.is(propertiesStart + propertiesSize, start + record.length);
      assert.is(text(propertiesStart, propertiesSize), Buffer.from(message.properties).toString());
    }),
    { ...seeded, numRuns: 1500 },
  );
});

records('the tags code is the hash of what the properties call TAGS', () => {
  let tagged = 0;
  fc.assert(
    fc.property(properties, fc.constantFrom('', '\u0002', 'TAGS\u0001x', '\u0001x'), (text, around) => {
      const expected = javaHashText(parseProperties(text).get('TAGS') ?? '');
      const bytes = Buffer.from(`${around}${text}${around}`);
      const start = Buffer.byteLength(around);
      assert.is(tagsCodeOf(bytes, start, bytes.length - start), expected, JSON.stringify(text));
      if (expected !== 0) tagged++;
    }),
    { ...seeded, numRuns: 4000 },
  );
  assert.ok(tagged > 500, `${tagged} had a tag`);
});

records.run();
