import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../../runtime/base/units.js';
import { CommitLogReader } from '../../../storage/commit-log-reader.js';
import { RecordWalk } from '../../../storage/record-walk.js';
import { MemoryDisk } from '../../support/faulty-disk.js';
import { LogBuilder, writeStream } from '../../support/record-builder.js';

const walks = suite('storage/record-walk');

const segmentSize = 4 * MiB;

/** More than is read at once. */
const LARGE = MiB + 1000;

/** A log with records on both sides of a file's end; one of them is larger than what is read at once. */
function build(): { disk: MemoryDisk; log: LogBuilder } {
  const disk = new MemoryDisk();
  const log = new LogBuilder(disk, '/log', segmentSize);
  for (const bodySize of [10, MiB - 300, 500, LARGE, 0, 7, LARGE, 100, LARGE, 1]) {
    log.append({ body: new Uint8Array(bodySize) });
  }
  return { disk, log };
}

const built = build();
const buildLog = (): typeof built => ({ disk: built.disk.clone(), log: built.log });

function walkAll(disk: MemoryDisk, from: number, to: number): { starts: number[]; end: number } {
  const walk = new RecordWalk(new CommitLogReader(disk, '/log', segmentSize), from, to);
  const starts: number[] = [];
  while (walk.next()) {
    starts.push(walk.position);
    assert.is(new DataView(walk.bytes.buffer).getInt32(walk.start), walk.size);
  }
  return { starts, end: walk.end };
}

walks('every record once, over the padding of a file, whatever its size', () => {
  const { disk, log } = buildLog();
  const starts = log.records.map(({ start }) => start);
  assert.ok(starts.at(-1)! > segmentSize);
  assert.equal(walkAll(disk, 0, log.end), { starts, end: log.end });
  assert.equal(walkAll(disk, starts[4]!, log.end).starts, starts.slice(4));
});

walks('it ends in front of a record that is not whole, and of what is none', () => {
  const { disk, log } = buildLog();
  const { start, end } = log.records[3]!;
  for (const to of [start + 1, start + 8, start + 100, end - 1]) assert.is(walkAll(disk, 0, to).end, start);
  assert.is(walkAll(disk, 0, end).end, end);
  writeStream(disk, '/log', segmentSize, start + 4, new Uint8Array([1, 2, 3, 4]));
  assert.is(walkAll(disk, 0, log.end).end, start);
  assert.is(walkAll(disk, 0, 100 * segmentSize).end, start);
});

walks('it ends where the log does, also when more is said to be there', () => {
  const { disk, log } = buildLog();
  assert.is(walkAll(disk, 0, 100 * segmentSize).end, log.end);
  assert.equal(walkAll(new MemoryDisk(), 0, 4096), { starts: [], end: 0 });
});

walks.run();
