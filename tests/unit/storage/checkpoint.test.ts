import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  emptyCheckpoint,
  minTimestamp,
  minTimestampWithIndex,
  readCheckpoint,
  writeCheckpoint,
} from '../../../storage/checkpoint.js';
import { MemoryDisk } from '../../support/faulty-disk.js';

const checkpoints = suite('storage/checkpoint');
const path = '/store/checkpoint';

function diskWithFolder(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeFolder('/store');
  return disk;
}

const sample = {
  physicMsgTimestamp: 1_700_000_000_000,
  logicsMsgTimestamp: 1_700_000_000_500,
  indexMsgTimestamp: 1_699_999_000_000,
  masterFlushedOffset: 2 ** 40,
  confirmPhyOffset: -1,
};

checkpoints('what is written is read, in the layout Java maps', () => {
  const disk = diskWithFolder();
  writeCheckpoint(disk, path, sample);
  assert.equal(readCheckpoint(disk, path), sample);
  const bytes = Buffer.from(disk.bytes(path));
  assert.is(bytes.length, 4096);
  assert.is(
    bytes.subarray(0, 40).toString('hex'),
    '0000018bcfe568000000018bcfe569f40000018bcfd625c00000010000000000ffffffffffffffff',
  );
  assert.ok(bytes.subarray(40).every(byte => byte === 0));
});

checkpoints('a second write replaces the first and survives a crash', () => {
  const disk = diskWithFolder();
  writeCheckpoint(disk, path, emptyCheckpoint());
  writeCheckpoint(disk, path, sample);
  disk.crash(1);
  assert.equal(readCheckpoint(disk, path), sample);
});

checkpoints('a missing or short file is all zeros', () => {
  const disk = diskWithFolder();
  assert.equal(readCheckpoint(disk, path), emptyCheckpoint());
  writeCheckpoint(disk, path, sample);
  disk.open(path, 'write').truncate(39);
  assert.equal(readCheckpoint(disk, path), emptyCheckpoint());
});

checkpoints('a value no broker wrote is zero, so that recovery reads too much rather than too little', () => {
  const disk = diskWithFolder();
  writeCheckpoint(disk, path, sample);
  disk.bytes(path)[0] = 0x7f;
  assert.equal(readCheckpoint(disk, path), { ...sample, physicMsgTimestamp: 0 });
});

checkpoints('the time everything is on disk by', () => {
  const cases: [physic: number, logics: number, index: number, expected: number, withIndex: number][] = [
    [0, 0, 0, 0, 0],
    [2999, 5000, 9000, 0, 0],
    [10_000, 20_000, 30_000, 7000, 7000],
    [20_000, 10_000, 6000, 7000, 6000],
    [20_000, 10_000, 0, 7000, 0],
  ];
  for (const [physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp, expected, withIndex] of cases) {
    const checkpoint = { ...emptyCheckpoint(), physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp };
    assert.is(minTimestamp(checkpoint), expected);
    assert.is(minTimestampWithIndex(checkpoint), withIndex);
  }
});

checkpoints.run();
