/** The end of a log set aside and cut off, with the power failing at every step. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../runtime/base/errors.js';
import { emptyCheckpoint, readCheckpoint, writeCheckpoint } from '../../../storage/checkpoint.js';
import { CommitLogReader } from '../../../storage/commit-log-reader.js';
import { recoverCommitLog } from '../../../storage/commit-log-recovery.js';
import { cutLog } from '../../../storage/cut-log.js';
import type { Disk } from '../../../storage/disk.js';
import { storePaths } from '../../../storage/paths.js';
import { listSetAside, SetAsideFile, type SetAsideOptions, setAside } from '../../../storage/set-aside.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../../support/faulty-disk.js';
import { LogBuilder } from '../../support/record-builder.js';

const aside = suite('storage/set-aside');

const paths = storePaths('/store');
const segmentSize = 4096;
/** Of the last record that stays. */
const KEPT = 13;
const COUNT = 40;
const storedMs = (index: number): number => 1_700_000_000_000 + index * 1000;

/** Six records to a file. */
function buildLog(memory: MemoryDisk): LogBuilder {
  const log = new LogBuilder(memory, paths.commitLog, segmentSize);
  for (let index = 0; index < COUNT; index++) {
    const parts = { topic: `T${index % 2}`, queueId: index % 3, queueOffset: index };
    log.append({ ...parts, body: new Uint8Array(500).fill(index + 1), storeTimestamp: storedMs(index) });
  }
  const times = { physicMsgTimestamp: storedMs(COUNT), logicsMsgTimestamp: storedMs(COUNT) };
  writeCheckpoint(memory, paths.checkpoint, { ...emptyCheckpoint(), ...times });
  return log;
}

/** Bytes of a log in memory. */
function bytesOf(disk: Disk, from: number, to: number): Buffer {
  const reader = new CommitLogReader(disk, paths.commitLog, segmentSize);
  const bytes = Buffer.alloc(to - from);
  for (let at = from; at < to; ) at += reader.read(bytes, at - from, to - at, at);
  reader.close();
  return bytes;
}

function optionsFor(disk: Disk, from: number, to: number, nowMs = 1_764_100_000_123): SetAsideOptions {
  const log = new CommitLogReader(disk, paths.commitLog, segmentSize);
  return { disk, folder: paths.setAside, log, from, to, reason: 'a test', nowMs, pause: async () => {} };
}

const contentOf = (disk: Disk, name: string): Buffer => {
  const path = join(paths.setAside, name);
  const bytes = Buffer.alloc(disk.facts(path)!.size);
  disk.open(path, 'read').read(bytes, 0, bytes.length, 0);
  return bytes;
};

aside('the file holds the bytes, the report says what they are, and the records can be read', async () => {
  const memory = new MemoryDisk();
  const log = buildLog(memory);
  const [from, to] = [log.records[KEPT]!.end, log.end];
  const done = await setAside(optionsFor(memory, from, to));
  assert.is(done.path, `/store/set-aside/commitlog-${from}-${to}-20251125T194640123Z`);
  assert.ok(contentOf(memory, done.file).equals(bytesOf(memory, from, to)));
  const report = JSON.parse(memory.readText(`${done.path}.json`)!);
  assert.is(report.messages, COUNT - KEPT - 1);
  assert.equal([report.firstStoreTimestamp, report.lastStoreTimestamp], [storedMs(KEPT + 1), storedMs(COUNT - 1)]);
  assert.equal(report.topics.T0[0], { queueId: 0, messages: 4, firstOffset: 18, lastOffset: 36 });
  const file = new SetAsideFile(memory, done.path);
  assert.equal(
    [...file.records()].map(record => Buffer.from(record)),
    log.records.slice(KEPT + 1).map(({ start, end }) => bytesOf(memory, start, end)),
  );
});

aside('what is in a file already is not written again, also when the log has become shorter', async () => {
  const memory = new MemoryDisk();
  const log = buildLog(memory);
  const from = log.records[KEPT]!.end;
  const first = await setAside(optionsFor(memory, from, log.end));
  for (const to of [log.end, log.records[30]!.end, log.records[20]!.end]) {
    const again = await setAside(optionsFor(memory, from, to, 1_764_200_000_000));
    assert.equal([again.path, again.wasThere], [first.path, true]);
    assert.is(JSON.parse(memory.readText(`${first.path}.json`)!).messages, COUNT - KEPT - 1, 'its report is kept');
  }
  // Another history at the same place.
  const at = join(paths.commitLog, String(Math.floor(from / segmentSize) * segmentSize).padStart(20, '0'));
  memory.bytes(at)[(from % segmentSize) + 200]! ^= 1;
  const other = await setAside(optionsFor(memory, from, log.end, 1_764_200_000_000));
  assert.is(other.wasThere, false);
  assert.equal(listSetAside(memory, paths.setAside), [first.file, other.file]);
});

aside('too little room, or a write that fails: nothing of that name is left', async () => {
  const memory = new MemoryDisk();
  const log = buildLog(memory);
  const from = log.records[KEPT]!.end;
  const failure = async (disk: Disk): Promise<unknown> =>
    setAside(optionsFor(disk, from, log.end)).catch((error: unknown) => error);
  memory.spaceAnswer = { totalBytes: 1e9, freeBytes: 1e6, usableBytes: 1e6 };
  assert.match(String(await failure(memory)), /has 9\d\d.* free, and .* are to be set aside/);
  memory.spaceAnswer = new MemoryDisk().spaceAnswer;
  const error = await failure(new FaultyDisk(memory, { spaceBytes: 3000 }));
  assert.ok(error instanceof RingError && error.code === 'DISK_WRITE_FAILED');
  assert.equal(listSetAside(memory, paths.setAside), []);
  await setAside(optionsFor(memory, from, log.end));
  assert.is(memory.list(paths.setAside).length, 2, 'the rest of the attempt is gone');
});

aside('a file that is none, or not all of it, is refused with the reason', async () => {
  const memory = new MemoryDisk();
  const log = buildLog(memory);
  assert.throws(
    () => new SetAsideFile(memory, '/store/commitlog/00000000000000000000'),
    /was not set aside by a broker/,
  );
  const { path } = await setAside(optionsFor(memory, log.records[KEPT]!.end, log.end));
  const file = new SetAsideFile(memory, path);
  memory.bytes(path)[4] = 0;
  assert.throws(() => [...file.records()], /holds no whole record at \d+/);
  memory.open(path, 'write').truncate(100);
  assert.throws(() => new SetAsideFile(memory, path), /has 100 bytes, its name says/);
});

aside('the checkpoint does not say of what comes after the cut that it is on the device', () => {
  const memory = new MemoryDisk();
  const log = buildLog(memory);
  cutLog(memory, paths, segmentSize, { position: log.records[KEPT]!.end, storeTimestamp: storedMs(KEPT) });
  const { physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp } = readCheckpoint(memory, paths.checkpoint);
  assert.equal([physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp], [storedMs(KEPT), storedMs(KEPT), 0]);
});

/** One attempt as a broker makes it, from what it finds. */
async function attempt(disk: Disk, from: number, to: number): Promise<void> {
  if (to > from) {
    await setAside(optionsFor(disk, from, to));
    cutLog(disk, paths, segmentSize, { position: from, storeTimestamp: storedMs(KEPT) });
  }
}

function endOf(disk: Disk): number {
  const folder = paths.commitLog;
  const checkpoint = readCheckpoint(disk, paths.checkpoint);
  return recoverCommitLog({ disk, folder, segmentSize, checkpoint, cleanStop: true, checkCrc: true }).endOffset;
}

aside('the power fails at any step: what is gone from the log is in a file, and the next attempt ends it', async () => {
  let cutHalfWay = 0;
  for (let step = 0; ; step++) {
    const memory = new MemoryDisk();
    const log = buildLog(memory);
    // All of it is on the device, as after a clean stop.
    const durable = memory.clone();
    const [from, to] = [log.records[KEPT]!.end, log.end];
    const tail = bytesOf(durable, from, to);
    const disk = new FaultyDisk(durable, { powerChanges: step });
    const failed = await attempt(disk, from, to).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed === undefined) {
      assert.ok(step > 15, 'all steps were tried');
      assert.ok(cutHalfWay > 0, 'one of them between two files');
      return;
    }
    assert.ok(failed instanceof PowerFailure, String(failed));
    durable.crash(step);
    const end = endOf(durable);
    assert.ok(end >= from && end <= to, `step ${step}: ${from} ${end} ${to}`);
    if (end < to && end > from) cutHalfWay++;
    const kept = listSetAside(durable, paths.setAside).map(name => contentOf(durable, name));
    if (end < to)
      assert.ok(
        kept.some(bytes => bytes.equals(tail)),
        `step ${step}: all of it is kept`,
      );
    assert.ok(bytesOf(durable, 0, end).equals(bytesOf(memory, 0, end)), 'the rest is as it was');
    await attempt(durable, from, end);
    assert.is(endOf(durable), from);
    const [name, ...more] = listSetAside(durable, paths.setAside);
    assert.equal(more, [], 'one file, not one for each attempt');
    assert.ok(contentOf(durable, name!).equals(tail));
  }
});

aside.run();
