import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Prng } from '../../../runtime/base/prng.js';
import { checkRecord, RecordCheck, storeTimestampOf } from '../../../storage/record-check.js';
import { buildBlank, buildRecord } from '../../support/record-builder.js';

const recordCheck = suite('storage/record-check');

const v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/** The vector of spec storage 3.2. */
const golden =
  '00000072daa320a73610a686000000030000000000000000000000070000000000000400000000000000018bcfe56800' +
  '0a00000100009c400000018bcfe568050a00000200002a9f0000000000000000000000000000000568656c6c6f0154' +
  '00115441475301546167' +
  '41024b455953016b31';

recordCheck('the builder writes the golden vector', () => {
  const record = buildRecord({ topic: 'T', queueId: 3, queueOffset: 7, physicalOffset: 1024 });
  assert.is(Buffer.from(record).toString('hex'), golden);
});

recordCheck('accepts whole records of every kind at any place', () => {
  const kinds = [
    buildRecord(),
    buildRecord({ version: 2 }),
    buildRecord({ version: 2, topic: 'x'.repeat(200) }),
    buildRecord({ bornAddress: v6 }),
    buildRecord({ storeAddress: v6 }),
    buildRecord({ bornAddress: v6, storeAddress: v6, version: 2 }),
    buildRecord({ body: new Uint8Array(0), properties: '' }),
    buildRecord({ topic: 'x'.repeat(127), properties: 'p'.repeat(32767) }),
    buildRecord({ body: new Prng(1).bytes(100_000), sysFlag: 0x701 }),
  ];
  for (const record of kinds) {
    const bytes = new Uint8Array(record.length + 20);
    bytes.set(record, 7);
    assert.is(checkRecord(bytes, 7, bytes.length - 7, true), record.length);
    assert.is(checkRecord(bytes, 7, record.length, true), record.length);
  }
});

recordCheck('finds the store time behind hosts of either kind', () => {
  for (const bornAddress of [[1, 2, 3, 4], v6]) {
    const record = buildRecord({ bornAddress, storeTimestamp: 1_700_000_123_456 });
    assert.is(storeTimestampOf(record, 0), 1_700_000_123_456);
  }
});

recordCheck('every prefix is truncated, never a record and never an end', () => {
  for (const record of [buildRecord(), buildRecord({ bornAddress: v6, version: 2 })]) {
    for (let available = 0; available < record.length; available++) {
      assert.is(checkRecord(record, 0, available, true), RecordCheck.TRUNCATED, `with ${available} bytes`);
    }
  }
});

recordCheck('a blank is a blank, zeros are no record', () => {
  assert.is(checkRecord(buildBlank(4711), 0, 8, true), RecordCheck.BLANK);
  assert.is(checkRecord(new Uint8Array(200), 0, 200, true), RecordCheck.INVALID);
});

recordCheck('refuses lengths that do not add up', () => {
  const edits: [string, (view: DataView, bytes: Uint8Array) => void][] = [
    ['total size zero', view => view.setInt32(0, 0)],
    ['total size negative', view => view.setInt32(0, -5)],
    ['total size too small', view => view.setInt32(0, 91)],
    ['total size one less', (view, bytes) => view.setInt32(0, bytes.length - 1)],
    ['total size one more', (view, bytes) => view.setInt32(0, bytes.length + 1)],
    ['total size huge', view => view.setInt32(0, 0x7fffffff)],
    ['body length negative', view => view.setInt32(84, -1)],
    ['body length lowest', view => view.setInt32(84, -0x80000000)],
    ['body length huge', view => view.setInt32(84, 0x7fffffff)],
    ['topic length zero', view => view.setInt8(93, 0)],
    ['topic length negative', view => view.setInt8(93, -1)],
    ['topic length beyond the record', view => view.setInt8(93, 127)],
    ['properties length negative', view => view.setInt16(103, -1)],
    ['properties length one more', (view, bytes) => view.setInt16(103, bytes.length - 105 + 1)],
    ['born host said to be IPv6', view => view.setInt32(36, 0x10)],
    ['magic of nothing', view => view.setInt32(4, 0x01020304)],
  ];
  for (const [name, edit] of edits) {
    const bytes = new Uint8Array(400);
    const record = buildRecord();
    bytes.set(record);
    edit(new DataView(bytes.buffer, 0, record.length), record);
    assert.is(checkRecord(bytes, 0, bytes.length, true), RecordCheck.INVALID, name);
  }
});

recordCheck('a topic length that leads out of the record is refused, whatever stands there', () => {
  const bytes = new Uint8Array(400);
  const record = buildRecord();
  bytes.set(record);
  const view = new DataView(bytes.buffer);
  const topicLengthAt = 93;
  const restSize = record.length - topicLengthAt - 1 - 2;
  view.setInt8(topicLengthAt, 127);
  bytes.fill(1, record.length);
  view.setInt16(topicLengthAt + 1 + 127, restSize - 127);
  assert.is(checkRecord(bytes, 0, bytes.length, true), RecordCheck.INVALID);
});

recordCheck('checks the body only when told to, and never an empty one', () => {
  const record = buildRecord();
  record[88]! ^= 1;
  assert.is(checkRecord(record, 0, record.length, true), RecordCheck.INVALID);
  assert.is(checkRecord(record, 0, record.length, false), record.length);
  const empty = buildRecord({ body: new Uint8Array(0) });
  empty[8] = 0x12;
  assert.is(checkRecord(empty, 0, empty.length, true), empty.length);
});

recordCheck('a topic whose end is zero never reached the disk', () => {
  const record = buildRecord({ properties: '' });
  record[record.length - 3] = 0;
  assert.is(checkRecord(record, 0, record.length, true), RecordCheck.INVALID);
});

recordCheck('survives garbage', () => {
  const random = new Prng(20260731);
  for (let round = 0; round < 20_000; round++) {
    const bytes = random.bytes(random.between(8, 160));
    new DataView(bytes.buffer).setInt32(4, random.pick([0xdaa320a7, 0xdaa320ab]));
    if (random.oneIn(2)) new DataView(bytes.buffer).setInt32(0, random.between(0, 300));
    const verdict = checkRecord(bytes, 0, bytes.length, true);
    assert.ok(verdict <= bytes.length && verdict !== 0, `round ${round}: ${verdict}`);
  }
});

recordCheck.run();
