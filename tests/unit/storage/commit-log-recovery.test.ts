import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../runtime/base/errors.js';
import { KiB } from '../../../runtime/base/units.js';
import { emptyCheckpoint } from '../../../storage/checkpoint.js';
import { type CommitLogRecoveryOptions, recoverCommitLog } from '../../../storage/commit-log-recovery.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../../support/faulty-disk.js';
import { buildRecord, LogBuilder, writeStream } from '../../support/record-builder.js';

const recovery = suite('storage/commit-log-recovery');

const folder = '/store/commitlog';
const segmentSize = 4 * KiB;
const segmentPath = (start: number): string => `${folder}/${String(start).padStart(20, '0')}`;

function recover(disk: MemoryDisk | FaultyDisk, options: Partial<CommitLogRecoveryOptions> = {}) {
  return recoverCommitLog({
    disk,
    folder,
    segmentSize,
    checkpoint: emptyCheckpoint(),
    cleanStop: false,
    checkCrc: true,
    ...options,
  });
}

/** A log of records with bodies of 500 bytes, six to a file. */
function buildLog(disk: MemoryDisk, count: number): LogBuilder {
  const log = new LogBuilder(disk, folder, segmentSize);
  for (let index = 0; index < count; index++) {
    log.append({ body: new Uint8Array(500).fill(index + 1), storeTimestamp: 1_700_000_000_000 + index * 1000 });
  }
  return log;
}

function assertCorrupt(disk: MemoryDisk, pattern: RegExp): void {
  assert.throws(
    () => recover(disk),
    (error: unknown) => error instanceof RingError && error.code === 'STORE_CORRUPT' && pattern.test(error.message),
  );
}

recovery('no files: an empty log', () => {
  const found = recover(new MemoryDisk());
  assert.equal([found.minOffset, found.endOffset, found.segments], [0, 0, []]);
});

recovery('one empty file: the log begins at zero', () => {
  const disk = new MemoryDisk();
  new LogBuilder(disk, folder, segmentSize).preallocate(0);
  const found = recover(disk);
  assert.equal([found.endOffset, found.segments.length, found.truncatedBytes], [0, 1, 0]);
});

for (const cleanStop of [true, false]) {
  recovery(`an undamaged log is left as it is (clean stop: ${cleanStop})`, () => {
    const disk = new MemoryDisk();
    const log = buildLog(disk, 40);
    const before = disk.clone();
    const found = recover(disk, { cleanStop });
    assert.is(found.endOffset, log.end);
    assert.is(found.truncatedBytes, 0);
    assert.is(found.dispatchFrom, cleanStop ? log.end : 0);
    for (const { path } of found.segments) assert.equal(disk.bytes(path), before.bytes(path));
  });

  recovery(`files made ahead of need do not count (clean stop: ${cleanStop})`, () => {
    const disk = new MemoryDisk();
    const log = buildLog(disk, 10);
    for (const ahead of [2, 3, 4, 5]) log.preallocate(ahead * segmentSize);
    const found = recover(disk, { cleanStop });
    assert.is(found.endOffset, log.end);
    assert.is(found.truncatedBytes, 0);
    assert.equal(disk.list(folder).length, 2);
  });
}

recovery('after a clean stop only the last three files are read', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 40);
  const starts: number[] = [];
  const found = recover(disk, { cleanStop: true, onRecord: (_bytes, _start, _size, offset) => starts.push(offset) });
  const from = found.segments.at(-3)!.startOffset;
  assert.equal(
    starts,
    log.records.map(record => record.start).filter(start => start >= from),
  );
  assert.is(found.recordsScanned, starts.length);
});

recovery('after a crash reading begins at the newest file that the checkpoint covers', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 40);
  const thirdFile = log.records.findIndex(record => record.start === 3 * segmentSize);
  const firstStoredMs = 1_700_000_000_000 + thirdFile * 1000;
  for (const [aheadMs, expected] of [
    [3000, 3],
    [2999, 2],
  ] as const) {
    const storedMs = firstStoredMs + aheadMs;
    const checkpoint = { ...emptyCheckpoint(), physicMsgTimestamp: storedMs, logicsMsgTimestamp: storedMs + 1 };
    assert.is(recover(disk, { checkpoint }).dispatchFrom, expected * segmentSize);
    assert.is(recover(disk, { checkpoint, indexToo: true }).dispatchFrom, 0);
  }
});

recovery('the records handed out are the records written', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 20);
  const seen: string[] = [];
  recover(disk, {
    onRecord: (bytes, start, size) => seen.push(Buffer.from(bytes.slice(start, start + size)).toString('hex')),
  });
  const expected = log.records.map(({ start }, index) => {
    const body = new Uint8Array(500).fill(index + 1);
    const storeTimestamp = 1_700_000_000_000 + index * 1000;
    return Buffer.from(buildRecord({ body, storeTimestamp, physicalOffset: start })).toString('hex');
  });
  assert.equal(seen, expected);
});

recovery('a log that ends with a blank ends at the end of its file', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 3);
  log.roll();
  assert.is(recover(disk).endOffset, segmentSize);
  assert.is(recover(disk, { cleanStop: true }).endOffset, segmentSize);
});

recovery('records larger than the window and V2 or IPv6 records are followed', () => {
  const disk = new MemoryDisk();
  const size = 12 * 1024 * KiB;
  const log = new LogBuilder(disk, folder, size);
  const v6 = new Array<number>(16).fill(9);
  const body = new Uint8Array(5 * 1024 * KiB).fill(7);
  for (const parts of [{ body }, { bornAddress: v6 }, { version: 2 as const, storeAddress: v6 }, { body }, { body }])
    log.append(parts);
  const progress: number[] = [];
  const found = recover(disk, { segmentSize: size, onProgress: ({ scannedBytes }) => progress.push(scannedBytes) });
  assert.is(found.endOffset, log.end);
  assert.is(found.recordsScanned, 5);
  assert.ok(progress.length > 2);
  assert.equal(
    progress,
    [...progress].sort((left, right) => left - right),
  );
});

recovery('damage in the middle ends the log there and later files go', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 30);
  const victim = log.records[9]!;
  const start = victim.start - (victim.start % segmentSize);
  disk.bytes(segmentPath(start))[victim.start - start + 100]! ^= 0xff;
  const found = recover(disk);
  assert.is(found.endOffset, victim.start);
  assert.is(found.segments.at(-1)!.startOffset, start);
  assert.ok(found.truncatedBytes > segmentSize);
  assert.ok(
    disk
      .bytes(segmentPath(start))
      .subarray(victim.start - start)
      .every(byte => byte === 0),
  );
  assert.is(recover(disk).endOffset, victim.start);
});

recovery('old bytes behind the end cannot come back as records', () => {
  for (const cleanStop of [true, false]) {
    const disk = new MemoryDisk();
    const log = buildLog(disk, 5);
    const cut = log.records[2]!;
    // What a Java broker leaves after a crash: the record at the end is broken, older ones of the same size follow it.
    disk.bytes(segmentPath(0))[cut.start + 4] = 0;
    const found = recover(disk, { cleanStop });
    assert.is(found.endOffset, cut.start);
    writeStream(
      disk,
      folder,
      segmentSize,
      cut.start,
      buildRecord({ body: new Uint8Array(500), physicalOffset: cut.start }),
    );
    assert.is(recover(disk).endOffset, cut.end);
  }
});

recovery('after a crash old bytes far behind the end go too; after a clean stop nothing is searched for', () => {
  const size = 256 * KiB;
  for (const cleanStop of [true, false]) {
    const disk = new MemoryDisk();
    const log = new LogBuilder(disk, folder, size);
    log.append();
    writeStream(disk, folder, size, 200 * KiB, buildRecord({ physicalOffset: 200 * KiB }));
    assert.is(recover(disk, { segmentSize: size, cleanStop }).endOffset, log.end);
    const cleared = disk
      .bytes(segmentPath(0))
      .subarray(log.end)
      .every(byte => byte === 0);
    assert.is(cleared, !cleanStop);
  }
});

recovery('a file under both its names is for a human to judge', () => {
  const disk = new MemoryDisk();
  buildLog(disk, 3);
  disk.open(`${segmentPath(0)}.resize`, 'create').close();
  assertCorrupt(disk, /holds both 00000000000000000000.resize and 00000000000000000000/);
});

recovery('clearing the tail keeps the time of the last write', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 5);
  disk.bytes(segmentPath(0))[log.records[3]!.start] = 0xff;
  disk.nowMs += 1_000_000;
  recover(disk);
  assert.is(disk.facts(segmentPath(0))!.modifiedMs, disk.nowMs - 1_000_000);
});

recovery('a record that names another place is not followed', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 3);
  writeStream(disk, folder, segmentSize, log.end, buildRecord({ physicalOffset: log.end + 8 }));
  assert.is(recover(disk).endOffset, log.end);
});

recovery('a record whose properties end in zeros at the end of a crashed log is torn', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 3);
  const last = log.append();
  const clean = disk.clone();
  disk.bytes(segmentPath(0))[last.end - 1] = 0;
  clean.bytes(segmentPath(0))[last.end - 1] = 0;
  assert.is(recover(disk).endOffset, last.start);
  assert.is(recover(clean, { cleanStop: true }).endOffset, last.end);
});

recovery('so is one that lost any sector of its properties, though its end is there', () => {
  let sectors = 0;
  for (let shift = 0; shift < 520; shift += 40) {
    const disk = new MemoryDisk();
    const log = buildLog(disk, 2);
    log.append({ body: new Uint8Array(shift) });
    const last = log.append({ properties: `KEYS\u0001${'k'.repeat(1500)}` });
    const propertiesStart = last.end - 1505;
    for (let sector = Math.ceil(propertiesStart / 512) * 512; sector + 512 <= last.end; sector += 512, sectors++) {
      const torn = disk.clone();
      torn.bytes(segmentPath(0)).fill(0, sector, sector + 512);
      assert.is(recover(torn).endOffset, last.start, `the sector at ${sector} of ${last.start} to ${last.end}`);
      const within = disk.clone();
      within.bytes(segmentPath(0)).fill(0, sector + 1, sector + 512);
      assert.is(recover(within).endOffset, last.end, 'zeros that are no whole sector are a part of the message');
    }
    assert.is(recover(disk).endOffset, last.end);
  }
  assert.ok(sectors >= 20);
});

recovery('such a record with others behind it is not', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 3);
  log.append({ properties: 'name\u0001value\u0000' });
  const last = log.append();
  assert.is(recover(disk).endOffset, last.end);
});

recovery('a newest file without its size is completed', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 6);
  log.roll();
  disk.open(segmentPath(segmentSize), 'create').close();
  const found = recover(disk, { cleanStop: true });
  assert.is(found.endOffset, segmentSize);
  assert.is(disk.facts(segmentPath(segmentSize))!.size, segmentSize);
});

recovery('files of another size are refused with advice', () => {
  const disk = new MemoryDisk();
  buildLog(disk, 10);
  disk.open(segmentPath(segmentSize), 'write').truncate(100);
  assertCorrupt(disk, /00000000000000004096 is 100 bytes long but mappedFileSizeCommitLog is 4096/);
  disk.open(segmentPath(segmentSize), 'write').truncate(segmentSize);
  disk.open(segmentPath(0), 'write').truncate(0);
  assertCorrupt(disk, /00000000000000000000 is 0 bytes long/);
});

recovery('a gap and an odd start are refused', () => {
  const disk = new MemoryDisk();
  buildLog(disk, 30);
  disk.remove(segmentPath(segmentSize));
  assertCorrupt(disk, /gap: the file that begins at 4096 is missing/);
  const other = new MemoryDisk();
  new LogBuilder(other, folder, segmentSize / 4, segmentSize / 4).append();
  assertCorrupt(other, /no multiple of mappedFileSizeCommitLog=4096/);
});

recovery('other names in the folder are left alone', () => {
  const disk = new MemoryDisk();
  const log = buildLog(disk, 3);
  disk.writeText(`${folder}/notes.txt`, 'mine');
  disk.makeFolder(`${folder}/lost+found`);
  assert.is(recover(disk).endOffset, log.end);
  assert.is(disk.readText(`${folder}/notes.txt`), 'mine');
});

recovery('losing power at any step of recovery does not change what the next one finds', () => {
  const damaged = new MemoryDisk();
  const log = buildLog(damaged, 30);
  const victim = log.records[9]!;
  const start = victim.start - (victim.start % segmentSize);
  damaged.bytes(segmentPath(start))[victim.start - start + 4] = 0;
  let interrupted = 0;
  for (let powerChanges = 0; ; powerChanges++) {
    const disk = damaged.clone();
    const faulty = new FaultyDisk(disk, { powerChanges });
    try {
      recover(faulty);
      break;
    } catch (error) {
      if (!(error instanceof PowerFailure)) throw error;
      interrupted++;
      disk.crash(powerChanges);
    }
    const found = recover(disk);
    assert.is(found.endOffset, victim.start);
    assert.equal(
      disk.list(folder),
      found.segments.map(({ startOffset }) => String(startOffset).padStart(20, '0')),
    );
    for (const { path } of found.segments) assert.is(disk.facts(path)!.size, segmentSize);
    assert.ok(
      disk
        .bytes(segmentPath(start))
        .subarray(victim.start - start)
        .every(byte => byte === 0),
    );
  }
  assert.ok(interrupted >= 6, `${interrupted} steps`);
});

recovery('read errors are passed on', () => {
  const disk = new MemoryDisk();
  buildLog(disk, 3);
  const faulty = new FaultyDisk(disk, { fail: call => (call === 'read' ? 'EIO' : undefined) });
  assert.throws(
    () => recover(faulty),
    (error: RingError) => error.code === 'DISK_READ_FAILED',
  );
});

recovery.run();
