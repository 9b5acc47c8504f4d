import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommitLogAppender } from '../../../storage/commit-log-appender.js';
import { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';

const appender = suite('storage/commit-log-appender');
const folder = '/log';

const bytesOf = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const fileOf = (disk: MemoryDisk, start: number): Buffer =>
  Buffer.from(disk.bytes(join(folder, String(start).padStart(20, '0'))));

appender('stages in memory and counts nothing until it is committed', () => {
  const disk = new MemoryDisk();
  const log = new CommitLogAppender(disk, folder, 1000, 0);
  const source = Uint8Array.from([9, 9, 1, 2, 3, 9]);
  assert.is(log.stage(source, 2, 3), 0);
  assert.is(log.stage(bytesOf(5, 7), 0, 5), 3);
  assert.equal([log.end, log.stagedSize, disk.list(folder)], [0, 8, []]);
  log.buffer[0] = 42; // stamped where it was staged
  log.commit();
  assert.equal([log.end, log.stagedSize], [8, 0]);
  assert.equal([...fileOf(disk, 0).subarray(0, 9)], [42, 2, 3, 7, 7, 7, 7, 7, 0]);
  log.commit();
  assert.is(log.end, 8, 'nothing is staged any more');
});

appender('rollback forgets what was staged', () => {
  const disk = new MemoryDisk();
  const log = new CommitLogAppender(disk, folder, 1000, 0);
  log.stage(bytesOf(10, 1), 0, 10);
  log.rollback();
  log.stage(bytesOf(4, 2), 0, 4);
  log.commit();
  assert.equal([...fileOf(disk, 0).subarray(0, 6)], [2, 2, 2, 2, 0, 0]);
});

appender('rolls only when a BLANK would not fit behind the records', () => {
  const disk = new MemoryDisk();
  const log = new CommitLogAppender(disk, folder, 100, 0);
  log.stage(bytesOf(92, 1), 0, 92);
  log.commit();
  assert.is(log.end, 92, 'a record that leaves 8 bytes fits');
  assert.is(log.fits(1), true, 'an empty batch takes whatever comes');
  log.stage(bytesOf(10, 2), 0, 10);
  assert.is(log.end, 100, 'the position of the staged bytes is that of the next file');
  log.commit();
  assert.is(log.end, 110);
  const first = fileOf(disk, 0);
  assert.equal([first.readInt32BE(92), first.readUInt32BE(96)], [8, 0xcbd43194]);
  assert.is(fileOf(disk, 100)[9], 2);
});

appender('a record that would leave 7 bytes goes to the next file', () => {
  const disk = new MemoryDisk();
  const log = new CommitLogAppender(disk, folder, 100, 0);
  log.stage(bytesOf(50, 1), 0, 50);
  assert.is(log.fits(42), true);
  assert.is(log.fits(43), false, 'it belongs in another write');
  log.commit();
  log.stage(bytesOf(43, 2), 0, 43);
  log.commit();
  assert.is(log.end, 143);
  assert.equal([fileOf(disk, 0).readInt32BE(50), fileOf(disk, 0).readUInt32BE(54)], [50, 0xcbd43194]);
});

appender('does not gather more than a write of about a megabyte', () => {
  const log = new CommitLogAppender(new MemoryDisk(), folder, 16 * 1024 * 1024, 0);
  const half = bytesOf(600_000, 1);
  log.stage(half, 0, half.length);
  assert.is(log.fits(half.length), false);
  assert.is(log.fits(1000), true);
  log.commit();
  const large = bytesOf(5_000_000, 3);
  assert.is(log.fits(large.length), true, 'one large request is a write of its own');
  log.stage(large, 0, large.length);
  log.commit();
  assert.is(log.end, 5_600_000);
  assert.ok(log.buffer.length < large.length, 'the memory for it is not kept');
});

appender('a failed commit moves nothing, and the same place is written again', () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory);
  const log = new CommitLogAppender(disk, folder, 1000, 0);
  log.stage(bytesOf(10, 1), 0, 10);
  log.commit();
  disk.faults.spaceBytes = 3;
  log.stage(bytesOf(10, 2), 0, 10);
  assert.throws(() => log.commit(), /ENOSPC/);
  log.rollback();
  assert.is(log.end, 10);
  delete disk.faults.spaceBytes;
  log.stage(bytesOf(2, 3), 0, 2);
  log.commit();
  assert.is(log.end, 12);
  assert.equal([...fileOf(memory, 0).subarray(9, 12)], [1, 3, 3]);
});

appender('a roll that fails is tried again', () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory);
  const log = new CommitLogAppender(disk, folder, 100, 0);
  log.stage(bytesOf(80, 1), 0, 80);
  log.commit();
  for (const fault of ['write of the BLANK', 'new file']) {
    disk.faults.fail = (call, path) => {
      const isNew = path.endsWith('0100');
      return call === 'write' && isNew === (fault === 'new file') ? 'EIO' : undefined;
    };
    assert.throws(() => log.stage(bytesOf(50, 2), 0, 50), /EIO/, fault);
    log.rollback();
  }
  delete disk.faults.fail;
  log.stage(bytesOf(50, 2), 0, 50);
  log.commit();
  assert.is(log.end, 150);
  assert.equal([fileOf(memory, 0).readInt32BE(80), fileOf(memory, 0).readUInt32BE(84)], [20, 0xcbd43194]);
});

appender('goes on where recovery left the log', () => {
  const disk = new MemoryDisk();
  const log = new CommitLogAppender(disk, folder, 100, 340);
  log.stage(bytesOf(5, 4), 0, 5);
  log.commit();
  assert.is(log.end, 345);
  assert.equal([...fileOf(disk, 300).subarray(39, 46)], [0, 4, 4, 4, 4, 4, 0]);
});

appender.run();
