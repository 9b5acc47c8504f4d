import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { foldKeyHash, keyHashOf } from '../../../protocol/index-record.js';
import { javaHashText } from '../../../protocol/message-record.js';
import { nextIndexName } from '../../../storage/index-file.js';
import { MessageIndexReader, recoverIndex } from '../../../storage/message-index.js';
import { MemoryDisk } from '../../support/faulty-disk.js';
import { beginMs, files, find, folder, forever, open, put, putRaw, small, wide } from './index-fixture.js';

const index = suite('storage/message-index');

const bytesOf = (disk: MemoryDisk, at = 0): Buffer => Buffer.from(disk.bytes(join(folder, files(disk).at(at)!)));

index('hashes keys as the specification says', () => {
  assert.is(javaHashText('TopicTest#OrderID188'), -1231271670);
  assert.is(keyHashOf('TopicTest', 'OrderID188'), 1231271670);
  assert.is(javaHashText('polygenelubricants'), -2147483648);
  assert.is(foldKeyHash(-2147483648), 0);
});

index('a file has the bytes of the specification, at its full size', () => {
  const disk = new MemoryDisk();
  const config = { folder, maxHashSlotNum: 5_000_000, maxIndexNum: 100 };
  const writer = open(disk, config);
  assert.is(putRaw(writer, 'TopicTest', 'KEYS\u0001OrderID188', 0x12_3456_7890, beginMs), 1);
  assert.is(putRaw(writer, 'TopicTest', 'KEYS\u0001OrderID188', 0x12_3456_7990, beginMs + 2999), 1);
  assert.is(writer.endPhysicalOffset, 0x12_3456_7990);
  assert.is(writer.write(0, true), true);
  const bytes = bytesOf(disk);
  assert.is(bytes.length, 40 + 5_000_000 * 4 + 100 * 20);
  assert.equal(
    [0, 8, 16, 24].map(at => Number(bytes.readBigInt64BE(at))),
    [beginMs, beginMs + 2999, 0x12_3456_7890, 0x12_3456_7990],
  );
  assert.equal([bytes.readInt32BE(32), bytes.readInt32BE(36)], [1, 3], 'slots in use, next entry');
  assert.is(bytes.readInt32BE(5_086_720), 2, 'the slot holds the newest entry');
  const entries = 40 + 5_000_000 * 4;
  const hash = (1231271670).toString(16);
  assert.is(bytes.toString('hex', entries, entries + 20), '00'.repeat(20), 'entry 0 is not used');
  assert.is(bytes.toString('hex', entries + 20, entries + 40), `${hash}00000012345678900000000000000000`);
  assert.is(bytes.toString('hex', entries + 40, entries + 60), `${hash}00000012345679900000000200000001`);
  assert.is(
    bytes.subarray(entries + 60).every(byte => byte === 0),
    true,
  );
  writer.close();
});

index('a file is named by local time, and later than the one before', () => {
  const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  assert.is(nextIndexName(at, undefined), '20260102030405006');
  assert.is(nextIndexName(at, '20260102030405005'), '20260102030405006');
  assert.is(nextIndexName(at, '20260102030405006'), '20260102030405007');
  assert.is(nextIndexName(at, '20261231235959999'), '20261231235960000');
});

index('indexes UNIQ_KEY, then every word of KEYS', () => {
  const disk = new MemoryDisk();
  const writer = open(disk);
  assert.is(putRaw(writer, 'T', 'KEYS\u0001 a  b \u0002X\u0001y\u0002UNIQ_KEY\u0001U1\u0002', 100, beginMs), 3);
  assert.is(putRaw(writer, 'T', 'KEYS\u0001\u0002UNIQ_KEY\u0001', 200, beginMs), 0, 'no values');
  assert.is(putRaw(writer, 'T', 'XKEYS\u0001k\u0002KEYSX\u0001k', 250, beginMs), 0, 'other names');
  assert.is(putRaw(writer, 'T', '', 260, beginMs), 0);
  assert.is(putRaw(writer, 'T', 'KEYS\u0001old\u0002KEYS\u0001new', 300, beginMs), 1);
  writer.write(0, true);
  assert.equal([find(disk, 'U1'), find(disk, 'a'), find(disk, 'b'), find(disk, '')], [[100], [100], [100], []]);
  assert.equal([find(disk, 'old'), find(disk, 'new'), find(disk, 'k'), find(disk, 'no')], [[], [300], [], []]);
  assert.equal(find(disk, 'a', wide, 'Other'), []);
  const entries = 40 + wide.maxHashSlotNum * 4;
  assert.is(bytesOf(disk).readInt32BE(entries + 20), keyHashOf('T', 'U1'), 'UNIQ_KEY comes first');
  writer.close();
});

index('keys and topics beyond ASCII hash as Java strings', () => {
  const disk = new MemoryDisk();
  const writer = open(disk);
  putRaw(writer, 'Größe', 'KEYS\u0001中文 😀 plain', 10, beginMs);
  putRaw(writer, 'T', 'UNIQ_KEY\u0001\ufeffBOM', 20, beginMs);
  writer.write(0, true);
  assert.equal(
    ['中文', '😀', 'plain'].map(key => find(disk, key, wide, 'Größe')),
    [[10], [10], [10]],
  );
  assert.equal(find(disk, '\ufeffBOM'), [20]);
  writer.close();
});

index('a chain is followed newest first, at most as far as asked', () => {
  const disk = new MemoryDisk();
  const config = { folder, maxHashSlotNum: 3, maxIndexNum: 2000 };
  const writer = open(disk, config);
  for (let record = 0; record < 1000; record++) put(writer, record % 100 === 0 ? 'rare' : `k${record}`, record * 10);
  writer.write(0, true);
  const rare = [9000, 8000, 7000, 6000, 5000, 4000, 3000, 2000, 1000, 0];
  assert.equal(find(disk, 'rare', config), rare);
  assert.equal(find(disk, 'rare', config, 'T', 0, forever, 3), rare.slice(0, 3));
  assert.equal(find(disk, 'rare', config, 'T', 0, forever, 0), []);
  assert.is(bytesOf(disk).readInt32BE(32), 3, 'all slots are used, and counted once');
  writer.close();
});

index('keys of one hash are all found: the client tells them apart', () => {
  const disk = new MemoryDisk();
  const writer = open(disk);
  put(writer, 'Aa', 1);
  put(writer, 'BB', 2);
  writer.write(0, true);
  assert.equal(find(disk, 'Aa'), [2, 1]);
  writer.close();
});

index('a slot that points nowhere begins a new chain', () => {
  const disk = new MemoryDisk();
  const config = { folder, maxHashSlotNum: 1, maxIndexNum: 50 };
  const writer = open(disk, config);
  put(writer, 'a', 1);
  writer.close();
  for (const value of [77, -1]) {
    const copy = disk.clone();
    Buffer.from(copy.bytes(join(folder, files(copy)[0]!)).buffer).writeInt32BE(value, 40);
    assert.equal(find(copy, 'a', config), []);
    const again = open(copy, config);
    put(again, 'a', 2);
    again.close();
    assert.equal(find(copy, 'a', config), [2]);
  }
});

index('a chain that points forward ends', () => {
  const disk = new MemoryDisk();
  const config = { folder, maxHashSlotNum: 1, maxIndexNum: 50 };
  const writer = open(disk, config);
  for (const offset of [1, 2, 3]) put(writer, 'a', offset);
  writer.close();
  const bytes = Buffer.from(disk.bytes(join(folder, files(disk)[0]!)).buffer);
  bytes.writeInt32BE(3, 44 + 2 * 20 + 16);
  assert.equal(find(disk, 'a', config), [3, 2]);
});

index('rolls to another file that begins where the full one ends', () => {
  const disk = new MemoryDisk();
  const full: number[] = [];
  const writer = open(disk, small, { onFileFull: endMs => full.push(endMs) });
  for (let record = 0; record < 9; record++) put(writer, 'k', record * 100, beginMs + record * 1000);
  assert.equal(full, [beginMs + 3000, beginMs + 7000], 'a file of 5 holds 4 keys');
  assert.is(files(disk).length, 3);
  writer.write(0, true);
  assert.equal(find(disk, 'k', small), [800, 700, 600, 500, 400, 300, 200, 100, 0]);
  assert.equal(find(disk, 'k', small, 'T', 0, forever, 5), [800, 700, 600, 500, 400]);
  const second = bytesOf(disk, 1);
  assert.is(Number(second.readBigInt64BE(0)), beginMs + 4000, 'the first key sets the begin');
  assert.is(second.readInt32BE(40 + 28 + 20 + 12), 1, 'but counts its seconds from the end of the file before');
  writer.close();
});

index('a new file without a key carries the end of the one before', () => {
  const disk = new MemoryDisk();
  const writer = open(disk, small);
  for (let record = 0; record < 4; record++) put(writer, 'k', record * 100, beginMs + record);
  writer.write(0, true);
  put(writer, 'k', 400, beginMs + 500);
  const reader = new MessageIndexReader(disk, small);
  const answer = reader.query('T', 'k', 32, 0, forever);
  assert.equal([answer.indexLastUpdateTimestamp, answer.indexLastUpdatePhyoffset], [beginMs + 3, 300]);
  assert.equal(answer.physicalOffsets, [300, 200, 100, 0]);
  reader.close();
  writer.close();
});

index('a query looks at a window of time', () => {
  const disk = new MemoryDisk();
  const writer = open(disk, small);
  // Two files: 0..3 s, and 4 s on, whose first key counts from the end of the first file and so seems a second late.
  for (let record = 0; record < 8; record++) put(writer, 'k', record, beginMs + record * 1000);
  writer.write(0, true);
  const window = (from: number, to: number): number[] =>
    find(disk, 'k', small, 'T', beginMs + from * 1000, beginMs + to * 1000);
  assert.equal(window(1, 2), [2, 1]);
  assert.equal(window(3, 3), [3]);
  assert.equal(window(3, 6), [6, 5, 4, 3]);
  assert.equal(window(-9, 0), [0]);
  assert.equal(window(8, 99), []);
  assert.equal(window(-9, -1), []);
  writer.close();
});

index('seconds are never negative and never too many', () => {
  const disk = new MemoryDisk();
  const writer = open(disk);
  for (const [offset, storeMs] of [beginMs, beginMs - 5000, beginMs + 3e12].entries())
    put(writer, 'k', offset, storeMs);
  writer.close();
  const entries = 40 + wide.maxHashSlotNum * 4;
  const deltas = [1, 2, 3].map(number => bytesOf(disk).readInt32BE(entries + number * 20 + 12));
  assert.equal(deltas, [0, 0, 0x7fffffff]);
});

index('few changes are written at once, many wait for each other', () => {
  const disk = new MemoryDisk();
  const config = { folder, maxHashSlotNum: 1_000_000, maxIndexNum: 100_000 };
  const writer = open(disk, config);
  assert.is(writer.dueMs, Number.POSITIVE_INFINITY);
  assert.is(writer.write(1000, false), true, 'nothing to do');
  put(writer, 'one', 0);
  assert.ok(writer.dueMs <= 1000);
  assert.is(writer.write(1000, false), true);
  assert.equal(find(disk, 'one', config), [0]);
  for (let record = 1; record < 6000; record++) put(writer, `key${record * 7919}`, record);
  assert.is(writer.dueMs, 1500);
  assert.is(writer.write(1499, false), false);
  assert.equal(find(disk, `key${5999 * 7919}`, config), []);
  assert.equal(find(disk, 'one', config), [0], 'what was visible stays so');
  assert.is(writer.write(1500, false), true);
  for (let record = 1; record < 6000; record++) {
    assert.ok(find(disk, `key${record * 7919}`, config).includes(record), `key ${record}`);
  }
  put(writer, 'last', 6000);
  assert.is(writer.write(1501, true), true);
  assert.equal(find(disk, 'last', config), [6000]);
  writer.close();
});

index('an open reader sees growth, new files and files that went', () => {
  const disk = new MemoryDisk();
  const reader = new MessageIndexReader(disk, small);
  const offsets = (): number[] => reader.query('T', 'k', 32, 0, forever).physicalOffsets;
  assert.equal(reader.query('T', 'k', 32, 0, forever), {
    physicalOffsets: [],
    indexLastUpdateTimestamp: 0,
    indexLastUpdatePhyoffset: 0,
  });
  const writer = open(disk, small);
  put(writer, 'k', 0);
  writer.write(0, true);
  assert.equal(offsets(), [0]);
  for (let record = 1; record < 9; record++) put(writer, 'k', record);
  writer.write(0, true);
  assert.equal(offsets(), [8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.is(writer.retire(3), 0, 'the first file ends with record 3');
  assert.is(writer.retire(4), 1);
  assert.equal(offsets(), [8, 7, 6, 5, 4]);
  assert.is(writer.retire(forever), 1, 'never the last one');
  assert.equal(offsets(), [8]);
  writer.close();
  reader.close();
});

/** Three files: 4 keys, 4 keys, 1 key; what a process leaves that is killed. */
function killed(): { disk: MemoryDisk; checkpointMs: number } {
  const disk = new MemoryDisk();
  let checkpointMs = 0;
  const writer = open(disk, small, {
    onFileFull: endMs => {
      checkpointMs = endMs;
    },
  });
  for (let record = 0; record < 9; record++) put(writer, `k${record}`, record * 100, beginMs + record);
  writer.write(0, true);
  put(writer, 'gathered', 900, beginMs + 9);
  return { disk: disk.clone(), checkpointMs };
}

index('after an unclean stop full files the checkpoint knows stay, and the log is read again from their end', () => {
  const { disk, checkpointMs } = killed();
  assert.is(recoverIndex(disk, small, checkpointMs, false, 0), 700);
  assert.is(files(disk).length, 2);
  const writer = open(disk, small);
  for (let record = 7; record < 10; record++) put(writer, `k${record}`, record * 100, beginMs + record);
  writer.close();
  for (let record = 0; record < 10; record++) assert.equal(find(disk, `k${record}`, small), [record * 100]);
});

index('after an unclean stop files the checkpoint does not know go', () => {
  const one = killed();
  assert.is(recoverIndex(one.disk, small, one.checkpointMs - 1, false, 0), 300);
  assert.is(files(one.disk).length, 1);
  const none = killed();
  assert.is(recoverIndex(none.disk, small, 0, false, 40), 40);
  assert.equal(files(none.disk), []);
  const expired = killed();
  assert.is(recoverIndex(expired.disk, small, expired.checkpointMs, false, 5000), 5000, 'not before the log begins');
});

index('a file that is not full goes although the checkpoint has its time', () => {
  const { disk } = killed();
  assert.is(recoverIndex(disk, small, forever, false, 0), 700);
  assert.is(files(disk).length, 2);
});

index('of full files with one time only the first is known to the checkpoint', () => {
  const disk = new MemoryDisk();
  const writer = open(disk, small);
  for (let record = 0; record < 8; record++) put(writer, `k${record}`, record * 100);
  writer.close();
  assert.is(recoverIndex(disk, small, beginMs, false, 0), 300);
  assert.is(files(disk).length, 1);
});

index('after a clean stop, or without an index, nothing is to be read again', () => {
  const { disk } = killed();
  assert.is(recoverIndex(disk, small, 0, true, 0), Number.POSITIVE_INFINITY);
  assert.is(files(disk).length, 3);
  assert.is(recoverIndex(new MemoryDisk(), small, 0, false, 0), Number.POSITIVE_INFINITY);
});

index('files that index what the log lost go', () => {
  const { disk } = killed();
  assert.is(recoverIndex(disk, small, forever, true, 0, 700), 300);
  assert.is(files(disk).length, 1);
});

/** Resizes the file `number` counts to. */
function cut(disk: MemoryDisk, number: number, size: number): void {
  const file = disk.open(join(folder, files(disk)[number]!), 'write');
  file.truncate(size);
  file.close();
}

index('files cut short of what they count go, with all newer ones', () => {
  for (const size of [0, 39, 40, 40 + 28 + 20 * 5 - 1]) {
    const { disk, checkpointMs } = killed();
    cut(disk, 1, size);
    assert.is(recoverIndex(disk, small, checkpointMs, true, 0), 300, `${size} bytes`);
    assert.is(files(disk).length, 1);
  }
});

index('a shorter file that holds its entries is read and filled further', () => {
  const { disk } = killed();
  cut(disk, 2, 40 + 28 + 20 * 2);
  assert.is(recoverIndex(disk, small, 0, true, 0), Number.POSITIVE_INFINITY);
  assert.equal(find(disk, 'k8', small), [800]);
  const writer = open(disk, small);
  put(writer, 'next', 900);
  writer.close();
  assert.equal([find(disk, 'k8', small), find(disk, 'next', small)], [[800], [900]]);
  assert.is(files(disk).length, 3);
});

index('files with other names are left alone', () => {
  const disk = new MemoryDisk();
  disk.makeFolder(folder);
  disk.writeText(join(folder, 'notes.txt'), 'mine');
  assert.is(recoverIndex(disk, small, 0, false, 0), Number.POSITIVE_INFINITY);
  const writer = open(disk, small);
  put(writer, 'k', 1);
  assert.is(writer.retire(forever), 0);
  writer.close();
  assert.equal(find(disk, 'k', small), [1]);
  assert.is(disk.readText(join(folder, 'notes.txt')), 'mine');
});

index.run();
