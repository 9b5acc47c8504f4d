/** What the index's writer does when it is reopened, given a record again, or refused by the disk. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recoverIndex } from '../../../storage/message-index.js';
import { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';
import { beginMs, files, find, folder, open, put, putRaw, small, wide } from './index-fixture.js';

const writing = suite('storage/message-index-writer');

writing('is reopened where it was closed, and skips what it has', () => {
  const disk = new MemoryDisk();
  const properties = 'UNIQ_KEY\u0001u\u0002KEYS\u0001a b';
  const first = open(disk);
  put(first, 'x', 100);
  putRaw(first, 'T', properties, 200, beginMs);
  first.close();
  assert.is(recoverIndex(disk, wide, 0, true, 0), Number.POSITIVE_INFINITY);
  const second = open(disk);
  assert.is(second.endPhysicalOffset, 200);
  assert.equal([put(second, 'x', 100), putRaw(second, 'T', properties, 200, beginMs)], [0, 0]);
  assert.is(put(second, 'x', 300), 1);
  assert.is(put(second, 'x', 300), 0, 'dispatched again');
  second.close();
  assert.equal([find(disk, 'x'), find(disk, 'a'), find(disk, 'u')], [[300, 100], [200], [200]]);
  assert.is(files(disk).length, 1);
});

for (const reopened of [false, true]) {
  writing(
    `a record whose keys are split over two files gets the rest when given again${reopened ? ' to another writer' : ''}`,
    () => {
      const disk = new FaultyDisk(new MemoryDisk());
      let writer = open(disk, small);
      put(writer, 'a b c', 100);
      const firstFile = join(folder, files(disk)[0]!);
      disk.faults.fail = (call, path) => (call === 'write' && path !== firstFile ? 'EIO' : undefined);
      for (let attempt = 0; attempt < 3; attempt++) assert.throws(() => put(writer, 'd e f', 200), /EIO/);
      assert.is(files(disk).length, 1, 'nothing is left of the file that could not be made');
      if (reopened) {
        writer.close();
        writer = open(disk, small);
      }
      delete disk.faults.fail;
      assert.is(put(writer, 'd e f', 200), 2);
      assert.is(put(writer, 'd e f', 200), 0);
      writer.close();
      for (const key of ['d', 'e', 'f']) assert.equal(find(disk, key, small), [200], key);
    },
  );
}

writing('one record may fill several files', () => {
  const disk = new MemoryDisk();
  const keys = Array.from({ length: 11 }, (_, number) => `key${number}`);
  const first = open(disk, small);
  put(first, 'before', 50);
  put(first, keys.join(' '), 100);
  first.close();
  assert.is(files(disk).length, 3);
  const second = open(disk, small);
  assert.is(put(second, [...keys, 'more'].join(' '), 100), 1);
  second.close();
  for (const key of [...keys, 'more']) assert.equal(find(disk, key, small), [100], key);
});

writing('what a full disk refused is kept and written later', () => {
  let refused = 0;
  for (let spaceBytes = 0; spaceBytes < 7000; spaceBytes += 97) {
    const disk = new FaultyDisk(new MemoryDisk());
    const writer = open(disk);
    put(writer, 'first', 0);
    for (let record = 1; record < 200; record++) put(writer, `key${record}`, record);
    disk.faults.spaceBytes = spaceBytes;
    try {
      writer.write(0, true);
    } catch (error) {
      assert.is((error as { code?: string }).code, 'DISK_WRITE_FAILED');
      refused++;
      put(writer, 'meanwhile', 200);
    }
    delete disk.faults.spaceBytes;
    writer.write(0, true);
    for (let record = 1; record < 200; record++) assert.equal(find(disk, `key${record}`), [record]);
    writer.close();
  }
  assert.ok(refused > 10);
});

writing('more keys than are gathered at once are written in between; a refused one may be put again', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const writer = open(disk);
  put(writer, 'k0', 0);
  disk.faults.spaceBytes = 0;
  let record = 1;
  assert.throws(() => {
    for (; record < 10_000; record++) put(writer, `k${record}`, record);
  }, /ENOSPC/);
  assert.ok(record > 1000);
  delete disk.faults.spaceBytes;
  for (; record < 10_000; record++) assert.is(put(writer, `k${record}`, record), 1);
  writer.close();
  for (let key = 0; key < 10_000; key += 77) assert.ok(find(disk, `k${key}`).includes(key), `k${key}`);
});

writing('a file that cannot be synced, and those after it, are not told to be on the device', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const full: number[] = [];
  const writer = open(disk, small, { onFileFull: endMs => full.push(endMs) });
  for (let record = 0; record < 5; record++) put(writer, 'k', record, beginMs + record);
  assert.equal(full, [beginMs + 3]);
  disk.faults.fail = call => (call === 'sync' ? 'EIO' : undefined);
  for (let record = 5; record < 8; record++) put(writer, 'k', record, beginMs + record);
  assert.throws(() => put(writer, 'k', 8), /EIO/);
  delete disk.faults.fail;
  for (let record = 8; record < 20; record++) assert.is(put(writer, 'k', record, beginMs + record), 1);
  assert.equal(full, [beginMs + 3]);
  writer.close();
  assert.is(find(disk, 'k', small).length, 20);
});

writing('full files are synced aside when the thread may not block, and told of in order', async () => {
  const disk = new FaultyDisk(new MemoryDisk(), { holdSyncs: true });
  const full: number[] = [];
  const writer = open(disk, small, { mayBlock: false, onFileFull: endMs => full.push(endMs) });
  for (let record = 0; record < 9; record++) put(writer, 'k', record, beginMs + record);
  assert.equal([full.length, disk.heldSyncCount], [0, 2]);
  writer.close();
  assert.is(find(disk, 'k', small).length, 9);
  disk.releaseSyncs();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(full, [beginMs + 3, beginMs + 7]);
});

writing('sync puts what was written on the device', () => {
  const disk = new MemoryDisk();
  const writer = open(disk);
  put(writer, 'k', 100);
  writer.write(0, true);
  writer.sync();
  disk.crash(1);
  assert.equal(find(disk, 'k'), [100]);
});

writing.run();
