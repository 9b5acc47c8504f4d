import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommitLogReader } from '../../../storage/commit-log-reader.js';
import { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';
import { writeStream } from '../../support/record-builder.js';

const reader = suite('storage/commit-log-reader');
const folder = '/log';

const filled = (disk: MemoryDisk, files: number): void => {
  for (let file = 0; file < files; file++) {
    writeStream(
      disk,
      folder,
      100,
      file * 100,
      Uint8Array.from({ length: 100 }, (_, index) => file * 100 + index),
    );
  }
};

reader('reads at a position, not beyond the end of its file', () => {
  const disk = new MemoryDisk();
  filled(disk, 2);
  const log = new CommitLogReader(disk, folder, 100);
  const target = new Uint8Array(300).fill(255);
  assert.is(log.read(target, 10, 50, 20), 50);
  assert.equal([...target.subarray(9, 12)], [255, 20, 21]);
  assert.is(log.read(target, 0, 300, 90), 10);
  assert.equal([...target.subarray(0, 10)], [90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
  assert.is(log.read(target, 0, 300, 100), 100);
  assert.is(target[0], 100);
  assert.is(log.read(target, 0, 10, 200), 0, 'no such file');
  log.close();
});

reader('reads on in a file that was removed while it is open, until it lets go of it', () => {
  const disk = new MemoryDisk();
  filled(disk, 2);
  const log = new CommitLogReader(disk, folder, 100);
  const target = new Uint8Array(10);
  log.read(target, 0, 10, 0);
  disk.remove('/log/00000000000000000000');
  assert.is(log.read(target, 0, 10, 50), 10);
  assert.is(target[0], 50);
  log.closeBefore(100);
  assert.is(log.read(target, 0, 10, 50), 0);
  assert.is(log.read(target, 0, 10, 150), 10);
  log.close();
});

reader('a read that fails is a fault with its cause', () => {
  const memory = new MemoryDisk();
  filled(memory, 1);
  const disk = new FaultyDisk(memory, { fail: call => (call === 'read' ? 'EIO' : undefined) });
  const log = new CommitLogReader(disk, folder, 100);
  assert.throws(
    () => log.read(new Uint8Array(10), 0, 10, 0),
    (error: { code: string; message: string }) => error.code === 'DISK_READ_FAILED' && error.message.includes('EIO'),
  );
});

reader.run();
