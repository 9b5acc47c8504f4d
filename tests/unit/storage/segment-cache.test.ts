import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Disk, DiskFile } from '../../../storage/disk.js';
import { SegmentCache } from '../../../storage/segment-cache.js';
import { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';

const cache = suite('storage/segment-cache');
const folder = '/log';

/** Counts what is open. */
class CountingDisk {
  opened = 0;
  closed = 0;
  readonly memory = new MemoryDisk();
  readonly disk: Disk;

  constructor() {
    const { memory } = this;
    this.disk = new Proxy(memory, {
      get: (target, key) => {
        if (key !== 'open') return Reflect.get(target, key).bind(target);
        return (path: string, mode: 'read' | 'write' | 'create'): DiskFile => {
          this.opened++;
          return { ...target.open(path, mode), close: () => this.closed++ } as DiskFile;
        };
      },
    }) as unknown as Disk;
  }
}

cache('finds the segment of a position and makes it at its full size', () => {
  const disk = new MemoryDisk();
  const segments = new SegmentCache(disk, folder, 1000, 'create', 2);
  assert.equal(
    [0, 999, 1000, 2500].map(position => segments.startOf(position)),
    [0, 0, 1000, 2000],
  );
  const file = segments.at(2500)!;
  assert.is(file.path, '/log/00000000000000002000');
  assert.is(file.size(), 1000);
  assert.is(segments.at(2000), file);
  assert.equal(disk.list(folder), ['00000000000000002000']);
});

cache('a reader makes nothing', () => {
  const disk = new MemoryDisk();
  const segments = new SegmentCache(disk, folder, 1000, 'read', 2);
  assert.is(segments.at(0), undefined);
  assert.equal(disk.list('/'), []);
  new SegmentCache(disk, folder, 1000, 'create', 2).at(0);
  assert.is(segments.at(5)!.size(), 1000, 'it is found as soon as it is there');
});

cache('keeps the segments used last and closes the rest', () => {
  const counting = new CountingDisk();
  const segments = new SegmentCache(counting.disk, folder, 1000, 'create', 2);
  for (const position of [0, 1000, 0, 2000]) segments.at(position);
  assert.equal(
    segments.openSegments().map(segment => segment.start),
    [0, 2000],
  );
  assert.equal([counting.opened, counting.closed], [3, 1]);
  segments.at(1000);
  assert.equal([counting.opened, counting.closed], [4, 2]);
  segments.close();
  assert.equal([counting.opened, counting.closed], [4, 4]);
  assert.is(segments.openSegments().length, 0);
});

cache('closes what ends at or before a position', () => {
  const counting = new CountingDisk();
  const segments = new SegmentCache(counting.disk, folder, 1000, 'create', 8);
  for (const position of [0, 1000, 2000]) segments.at(position);
  segments.closeBefore(1999);
  assert.equal(
    segments.openSegments().map(segment => segment.start),
    [1000, 2000],
  );
  segments.closeBefore(2000);
  assert.equal(
    segments.openSegments().map(segment => segment.start),
    [2000],
  );
  assert.is(counting.closed, 2);
});

cache('a segment that cannot get its size is not left behind half made', () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory);
  const segments = new SegmentCache(disk, folder, 1000, 'create', 2);
  disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.throws(
    () => segments.at(0),
    (error: { code: string }) => error.code === 'DISK_WRITE_FAILED',
  );
  assert.equal(memory.list(folder), []);
  delete disk.faults.fail;
  assert.is(segments.at(0)!.size(), 1000);
});

cache.run();
