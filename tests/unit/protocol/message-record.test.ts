import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MessageSysFlag } from '../../../protocol/codes.js';
import { bodyCrc32 } from '../../../protocol/crc32.js';
import { parseIpv4 } from '../../../protocol/message-id.js';
import {
  BLANK_MAGIC,
  beginRecord,
  finishRecord,
  formatProperties,
  javaHash,
  javaHashText,
  MESSAGE_MAGIC_V1,
  PROPERTIES_SIZE_MAX,
  parseProperties,
  putBlank,
  type RecordFields,
  recordBodySize,
  recordBodyStart,
  recordMagic,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordQueueId,
  recordQueueOffset,
  recordSize,
  recordStoreTimestamp,
  recordSysFlag,
  recordTopicAt,
  recordTotalSize,
  stampRecord,
  topicLength,
  topicLengthSize,
} from '../../../protocol/message-record.js';
import { AssertionError } from '../../../runtime/base/assert.js';
import { tagsCodeOf } from '../../support/property-ranges.js';
import { buildRecord, type RecordParts } from '../../support/record-builder.js';

const records = suite('protocol/message-record');

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const isAssertion = (error: unknown): boolean => error instanceof AssertionError;

/** Source: spec storage 3.2. */
const SPEC_RECORD = hex(`
  00000072 daa320a7 3610a686 00000003 00000000 0000000000000007 0000000000000400 00000000 0000018bcfe56800
  0a000001 00009c40 0000018bcfe56805 0a000002 00002a9f 00000000 0000000000000000 00000005 68656c6c6f 01 54
  0011 5441475301 54616741 02 4b45595301 6b31`);

/** Source: spec remoting 16.1; a 4.9.8 broker's. */
const WIRE_RECORD = hex(`
  000000d8 daa320a7 0731d904 00000000 00000000 0000000000000000 00000000000000d8 00000000
  000001a20790e2d8 7f000001 0000df3c 000001a20790e2dd 7f000001 000051af 00000000 0000000000000000
  00000006 68656c6c6f31 09 546f70696344656d6f 006e
  610131024b455953016b3102554e49515f4b455901464430303030303030303030303030303030303030303030303030
  303030303235413943354646443242323737333238464144383030303102434c55535445520144656661756c74436c75
  7374657202544147530154616741`);

interface Encoded {
  readonly fields?: Partial<RecordFields>;
  readonly body?: Uint8Array;
  readonly topic?: string;
  readonly properties?: Uint8Array;
  readonly queueOffset?: number;
  readonly physicalOffset?: number;
  readonly storeTimestamp?: number;
}

const MARGIN = 7;

/** Encodes as a lane and the writer do, and looks at the bytes around the record. */
function encode(message: Encoded): Buffer {
  const body = message.body ?? new Uint8Array(0);
  const topic = Buffer.from(message.topic ?? 'T');
  const properties = message.properties ?? new Uint8Array(0);
  const fields: RecordFields = {
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornAddress: 0,
    bornPort: 0,
    storeAddress: 0,
    storePort: 0,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    ...message.fields,
  };
  const size = recordSize(body.length, topic.length, properties.length);
  // Zeros, as the memory that a lane claims.
  const target = new Uint8Array(size + 2 * MARGIN);
  const source = Buffer.concat([Buffer.alloc(3), body]);
  const crc = bodyCrc32(body, 0, body.length);
  const lengthAt = beginRecord(target, MARGIN, fields, crc, source, 3, body.length, topic);
  target.set(properties, lengthAt + 2);
  const end = finishRecord(target, MARGIN, lengthAt, properties.length);
  assert.is(end, MARGIN + size);
  const { queueOffset = 0, physicalOffset = 0, storeTimestamp = 0 } = message;
  stampRecord(target, MARGIN, queueOffset, physicalOffset, storeTimestamp);
  const outside = [...target.subarray(0, MARGIN), ...target.subarray(end)];
  assert.ok(
    outside.every(byte => byte === 0),
    'nothing is written outside',
  );
  return Buffer.from(target.subarray(MARGIN, end));
}

records('encodes the record of the specification', () => {
  const encoded = encode({
    fields: {
      queueId: 3,
      bornTimestamp: 1_700_000_000_000,
      bornAddress: parseIpv4('10.0.0.1'),
      bornPort: 40000,
      storeAddress: parseIpv4('10.0.0.2'),
      storePort: 10911,
    },
    body: Buffer.from('hello'),
    properties: Buffer.from('TAGS\u0001TagA\u0002KEYS\u0001k1'),
    queueOffset: 7,
    physicalOffset: 1024,
    storeTimestamp: 1_700_000_000_005,
  });
  assert.is(encoded.toString('hex'), SPEC_RECORD.toString('hex'));
});

/** Everything the accessors say of a record that stands at `start`. */
function readAll(bytes: Uint8Array, start: number): Record<string, unknown> {
  const topicAt = recordTopicAt(bytes, start);
  const lengthSize = topicLengthSize(bytes, start);
  const propertiesStart = recordPropertiesStart(bytes, start);
  const propertiesEnd = propertiesStart + recordPropertiesSize(bytes, propertiesStart);
  const bodyStart = recordBodyStart(bytes, start);
  const text = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString();
  return {
    totalSize: recordTotalSize(bytes, start),
    magic: recordMagic(bytes, start),
    queueId: recordQueueId(bytes, start),
    queueOffset: recordQueueOffset(bytes, start),
    physicalOffset: recordPhysicalOffset(bytes, start),
    sysFlag: recordSysFlag(bytes, start),
    storeTimestamp: recordStoreTimestamp(bytes, start),
    body: text(bodyStart, bodyStart + recordBodySize(bytes, start)),
    topic: text(topicAt + lengthSize, topicAt + lengthSize + topicLength(bytes, topicAt, lengthSize)),
    properties: [...parseProperties(text(propertiesStart, propertiesEnd))],
    tagsCode: tagsCodeOf(bytes, propertiesStart, propertiesEnd),
    end: propertiesEnd - start,
  };
}

records('reads the records of the specification, at any position', () => {
  const bytes = Buffer.concat([hex('ffffff'), WIRE_RECORD, SPEC_RECORD]);
  const wire = readAll(bytes, 3);
  assert.equal(wire, {
    totalSize: 216,
    magic: MESSAGE_MAGIC_V1,
    queueId: 0,
    queueOffset: 0,
    physicalOffset: 216,
    sysFlag: 0,
    storeTimestamp: 0x1a20790e2dd,
    body: 'hello1',
    topic: 'TopicDemo',
    properties: [
      ['a', '1'],
      ['KEYS', 'k1'],
      ['UNIQ_KEY', 'FD0000000000000000000000000000025A9C5FFD2B277328FAD80001'],
      ['CLUSTER', 'DefaultCluster'],
      ['TAGS', 'TagA'],
    ],
    tagsCode: 2598919,
    end: 216,
  });
  const spec = readAll(bytes, 3 + 216);
  assert.equal([spec.queueId, spec.queueOffset, spec.physicalOffset, spec.body], [3, 7, 1024, 'hello']);
  assert.equal([spec.storeTimestamp, spec.tagsCode, spec.end], [1_700_000_000_005, 2598919, SPEC_RECORD.length]);
});

const v6 = Array.from({ length: 16 }, (_, index) => 0xf0 + index);

records('agrees with a builder that shares nothing with it', () => {
  const variants: readonly RecordParts[] = [
    {},
    { body: new Uint8Array(0), properties: '' },
    { bornAddress: v6 },
    { storeAddress: v6 },
    { bornAddress: v6, storeAddress: v6 },
    { version: 2, topic: '%RETRY%'.padEnd(200, 'g') },
    { version: 2, bornAddress: v6, storeAddress: v6, topic: 'T' },
    { topic: 'T'.repeat(127), queueId: -1, physicalOffset: 2 ** 40, queueOffset: 2 ** 33, sysFlag: 0x301 },
  ];
  for (const parts of variants) {
    const record = buildRecord(parts);
    const read = readAll(Buffer.concat([Buffer.alloc(11, 0xff), record]), 11);
    const { topic = 'TopicTest', queueId = 0, physicalOffset = 0, queueOffset = 0 } = parts;
    assert.is(read.totalSize, record.length);
    assert.is(read.end, record.length);
    assert.equal([read.topic, read.queueId, read.physicalOffset], [topic, queueId, physicalOffset]);
    assert.equal([read.queueOffset, read.storeTimestamp], [queueOffset, 1_700_000_000_005]);
    assert.is(read.body, parts.body?.length === 0 ? '' : 'hello');
    assert.is(read.tagsCode, parts.properties === '' ? 0 : 2598919);
  }
});

records('stamps behind an IPv6 born host', () => {
  const record = buildRecord({ bornAddress: v6, storeTimestamp: 0 });
  assert.is(recordSysFlag(record, 0), MessageSysFlag.BORN_HOST_V6);
  stampRecord(record, 0, 5, 6, 1_700_000_000_005);
  assert.equal(record, buildRecord({ bornAddress: v6, queueOffset: 5, physicalOffset: 6 }));
});

records('limits of topic and properties', () => {
  assert.ok(encode({ topic: 'T'.repeat(127), properties: new Uint8Array(PROPERTIES_SIZE_MAX) }).length > 32767);
  assert.throws(() => encode({ topic: 'T'.repeat(128) }), isAssertion);
  assert.throws(() => encode({ properties: new Uint8Array(PROPERTIES_SIZE_MAX + 1) }), isAssertion);
});

records('a blank is 8 bytes', () => {
  const target = Buffer.alloc(12, 0xa5);
  putBlank(target, 2, 4096);
  assert.is(target.toString('hex'), 'a5a500001000cbd43194a5a5');
  assert.is(recordTotalSize(target, 2), 4096);
  assert.is(recordMagic(target, 2), BLANK_MAGIC);
});

// ---- properties ----

/** Source: spec remoting 16.1. */
records('the tags codes of the specification', () => {
  for (const [tag, code] of [
    ['TagA', 2598919],
    ['TagB', 2598920],
    ['order_created_v2', 635862212],
    ['', 0],
  ] as const) {
    assert.is(javaHashText(tag), code, tag);
    assert.is(javaHash(Buffer.from(`x${tag}x`), 1, 1 + tag.length), code, tag);
  }
});

records('hashes text beyond ASCII by its UTF-16 units', () => {
  // Of two units: first * 31 + second.
  for (const [text, hash] of [
    ['\u00fc', 252],
    ['\u6d88\u606f', 0x6d88 * 31 + 0x606f],
    ['\ud83d\ude42', 0xd83d * 31 + 0xde42],
    ['\ufeffa', 0xfeff * 31 + 0x61],
  ] as const) {
    const bytes = new Uint8Array(new SharedArrayBuffer(16));
    const { written } = new TextEncoder().encodeInto(text, new Uint8Array(16));
    bytes.set(Buffer.from(text));
    assert.is(javaHash(bytes, 0, written), hash, text);
    assert.is(javaHashText(text), hash, text);
  }
});

/** The hash of TAGS, as the last bytes of a longer buffer and in its middle. */
function tagsCode(text: string): number {
  const bytes = Buffer.from(text);
  const inside = Buffer.concat([Buffer.from('TAGS\u0001no\u0002'), bytes, Buffer.from('\u0001no\u0002TAGS\u0001no')]);
  const code = tagsCodeOf(bytes, 0, bytes.length);
  assert.is(tagsCodeOf(inside, 8, 8 + bytes.length), code, JSON.stringify(text));
  return code;
}

records('finds the tags wherever they stand', () => {
  const found = [
    'TAGS\u0001TagA',
    'TAGS\u0001TagA\u0002',
    'KEYS\u0001k\u0002TAGS\u0001TagA',
    'KEYS\u0001k\u0002TAGS\u0001TagA\u0002WAIT\u0001true\u0002',
    '\u0002\u0002TAGS\u0001TagA\u0002\u0002',
    'a\u0001TAGS\u0002TAGS\u0001TagA',
    'TAGS\u0001first\u0002TAGS\u0001TagA',
    'TAGS\u0001TagA\u0002TAGS\u0001\u0002',
    'TAGS\u0001TagA\u0002TAGS',
  ];
  for (const text of found) assert.is(tagsCode(text), 2598919, JSON.stringify(text));
  const none = [
    '',
    'TAGS',
    'TAGS\u0001',
    'TAGS\u0001\u0002',
    'XTAGS\u0001TagA',
    'tags\u0001TagA',
    'TAGSX\u0001a',
    '\u0002',
    'TAG',
  ];
  for (const text of none) assert.is(tagsCode(text), 0, JSON.stringify(text));
  assert.is(tagsCode('TAGS\u0001a\u0001b'), javaHashText('a\u0001b'), 'a value may hold the separator of names');
});

records('properties, both ways', () => {
  const pairs: [string, string][] = [
    ['KEYS', 'k1 k2'],
    ['TAGS', 'TagA'],
    ['colour', 'gr\u00fcn'],
  ];
  const text = formatProperties(pairs);
  assert.is(text, 'KEYS\u0001k1 k2\u0002TAGS\u0001TagA\u0002colour\u0001gr\u00fcn');
  assert.equal([...parseProperties(text)], pairs);
  assert.equal([...parseProperties(`${text}\u0002`)], pairs, 'with a separator at the end, as 3.x and 5.2 write');
  assert.is(formatProperties([]), '');
  assert.is(parseProperties('').size, 0);
});

records('properties: items that are none', () => {
  const text = '\u0002a\u0002b\u0001\u0002\u0001c\u0002\u0001\u0002d\u0001e\u0001f\u0002d\u0001g\u0002';
  assert.equal([...parseProperties(text)], [['d', 'g']]);
  assert.equal([...parseProperties('d\u0001e\u0001f')], [['d', 'e\u0001f']]);
});

records.run();
