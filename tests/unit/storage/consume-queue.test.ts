import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConsumeQueueReader, ConsumeQueueWriter } from '../../../storage/consume-queue.js';
import { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';
import { buildGapUnit, buildUnit } from '../../support/record-builder.js';

const queue = suite('storage/consume-queue');
const folder = '/consumequeue/T/0';
const unitsPerFile = 5;
const fileSize = unitsPerFile * 20;

const write = (disk: FaultyDisk | MemoryDisk, next = 0, maxPhysical = -1): ConsumeQueueWriter =>
  new ConsumeQueueWriter(disk, folder, fileSize, next, maxPhysical);

/** Appends entry `offset`, 100 bytes at 100 times its offset. */
const append = (writer: ConsumeQueueWriter, offset: number): boolean =>
  writer.append(offset, offset * 100, 100, 0, offset);

const unitAt = (disk: MemoryDisk, offset: number): Buffer => {
  const start = Math.floor(offset / unitsPerFile) * fileSize;
  const bytes = Buffer.from(disk.bytes(join(folder, String(start).padStart(20, '0'))));
  return bytes.subarray((offset % unitsPerFile) * 20, (offset % unitsPerFile) * 20 + 20);
};

const same = (actual: Uint8Array, expected: Uint8Array): void =>
  assert.is(Buffer.from(actual).toString('hex'), Buffer.from(expected).toString('hex'));

queue('writes entries as the specification lays them out', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  assert.is(writer.append(0, 1024, 0x72, 0, 0x0027a807), true);
  assert.is(writer.append(1, 0x12_3456_789a, 200, -1, -2), true);
  assert.equal([writer.nextOffset, writer.writtenOffset], [2, 0], 'gathered, not written');
  writer.write();
  assert.is(writer.writtenOffset, 2);
  assert.is(unitAt(disk, 0).toString('hex'), '0000000000000400000000720000000000' + '27a807');
  same(unitAt(disk, 1), buildUnit(0x12_3456_789a, 200, -2n));
  assert.is(writer.maxPhysicalOffset, 0x12_3456_789a + 200);
});

queue('a run goes over as many files as it needs', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  for (let offset = 0; offset < 12; offset++) append(writer, offset);
  writer.write();
  assert.is(disk.list(folder).length, 3);
  for (let offset = 0; offset < 12; offset++) same(unitAt(disk, offset), buildUnit(offset * 100, 100, BigInt(offset)));
  assert.equal([writer.writtenOffset, writer.unsyncedCount], [12, 12]);
});

queue('takes more entries than its first memory holds', () => {
  const disk = new MemoryDisk();
  const writer = new ConsumeQueueWriter(disk, folder, 20_000, 0, -1);
  for (let offset = 0; offset < 5000; offset++) append(writer, offset);
  writer.write();
  const reader = new ConsumeQueueReader(disk, folder, 20_000, new Uint8Array(20_000));
  for (let offset = 0; offset < 5000; offset += 1000) {
    assert.is(reader.load(offset, 1000), 1000);
    for (let index = 0; index < 1000; index++) assert.is(reader.physicalOffset(index), (offset + index) * 100);
  }
});

queue('what is there already is left alone', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  for (let offset = 0; offset < 3; offset++) assert.is(append(writer, offset), true);
  writer.write();
  assert.is(append(writer, 1), false, 'an entry before the next');
  assert.is(writer.append(3, 200, 100, 0, 0), false, 'a record that ended before');
  assert.is(append(writer, 3), true);
  writer.write();
  assert.is(writer.nextOffset, 4);
  const later = write(disk, 4, 400);
  assert.is(append(later, 3), false);
  assert.is(append(later, 4), true);
});

queue('a queue that begins late begins with a whole file, its gap filled with entries nobody gets', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  assert.is(append(writer, 13), true);
  writer.write();
  assert.equal(disk.list(folder), [String(10 * 20).padStart(20, '0')]);
  for (const offset of [10, 11, 12]) same(unitAt(disk, offset), buildGapUnit());
  same(unitAt(disk, 13), buildUnit(1300, 100, 13n));
  assert.equal([writer.nextOffset, writer.writtenOffset], [14, 14]);
});

queue('a queue with entries stays without a hole', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  append(writer, 0);
  append(writer, 1);
  assert.is(append(writer, 6), true);
  writer.write();
  for (const offset of [2, 3, 4, 5]) same(unitAt(disk, offset), buildGapUnit());
  same(unitAt(disk, 6), buildUnit(600, 100, 6n));
});

queue('what could not be written is written later, once', () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory);
  const writer = write(disk);
  for (let offset = 0; offset < 8; offset++) append(writer, offset);
  disk.faults.fail = (call, path) => (call === 'write' && path.endsWith('100') ? 'ENOSPC' : undefined);
  assert.throws(() => writer.write(), /ENOSPC/);
  assert.equal([writer.writtenOffset, writer.nextOffset], [5, 8], 'the first file has its run');
  assert.is(append(writer, 8), true, 'it goes on gathering');
  delete disk.faults.fail;
  writer.write();
  assert.is(writer.writtenOffset, 9);
  for (let offset = 0; offset < 9; offset++) same(unitAt(memory, offset), buildUnit(offset * 100, 100, BigInt(offset)));
});

queue('syncs what is open, blocking or not, and tells a failure once', async () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory);
  const writer = write(disk);
  for (let offset = 0; offset < 7; offset++) append(writer, offset);
  writer.write();
  writer.sync();
  assert.is(writer.unsyncedCount, 0);
  memory.crash(1);
  same(unitAt(memory, 6), buildUnit(600, 100, 6n));
  const answers: (Error | null)[] = [];
  await new Promise<void>(resolve => {
    writer.syncAsync(error => {
      answers.push(error);
      resolve();
    });
  });
  append(writer, 7);
  writer.write();
  disk.faults.fail = call => (call === 'sync' ? 'EIO' : undefined);
  assert.throws(() => writer.sync(), /EIO/);
  await new Promise<void>(resolve => {
    writer.syncAsync(error => {
      answers.push(error);
      resolve();
    });
  });
  assert.is(answers.length, 2);
  assert.is(answers[0], null);
  assert.match(String(answers[1]), /EIO/);
});

queue('entries whose sync failed still count as not synced', async () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const writer = write(disk);
  append(writer, 0);
  writer.write();
  disk.faults.fail = call => (call === 'sync' ? 'EIO' : undefined);
  await new Promise<void>(resolve => writer.syncAsync(() => resolve()));
  assert.is(writer.unsyncedCount, 1);
});

queue('every file that was written is synced, however many runs went by', () => {
  const memory = new MemoryDisk();
  const writer = write(memory);
  for (let offset = 0; offset < 20; offset++) append(writer, offset);
  writer.write();
  writer.sync();
  assert.is(writer.unsyncedCount, 0);
  memory.crash(1);
  for (let offset = 0; offset < 20; offset++)
    same(unitAt(memory, offset), buildUnit(offset * 100, 100, BigInt(offset)));
});

queue('reads runs within one file', () => {
  const disk = new MemoryDisk();
  const writer = write(disk);
  for (let offset = 0; offset < 8; offset++) append(writer, offset);
  writer.write();
  const reader = new ConsumeQueueReader(disk, folder, fileSize, new Uint8Array(3 * 20));
  assert.is(reader.unitsPerFile, unitsPerFile);
  assert.is(reader.load(0, 10), 3, 'no more than its memory holds');
  assert.equal(
    [0, 1, 2].map(index => [reader.physicalOffset(index), reader.size(index), reader.tagsLow(index)]),
    [
      [0, 100, 0],
      [100, 100, 1],
      [200, 100, 2],
    ],
  );
  assert.is(reader.load(4, 3), 1, 'not beyond the file');
  assert.is(reader.physicalOffset(0), 400);
  assert.is(reader.load(5, 2), 2);
  assert.is(reader.load(15, 1), 0, 'no such file');
  assert.is(reader.load(0, 0), 0);
  reader.close();
});

queue.run();
