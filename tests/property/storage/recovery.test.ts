/**
 * Whatever a crash leaves of the end of a log, recovery keeps the records that lie wholly before the damage, ends where
 * a record ends, and keeps none that was damaged where the format can tell.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Prng } from '../../../runtime/base/prng.js';
import { emptyCheckpoint } from '../../../storage/checkpoint.js';
import { recoverCommitLog } from '../../../storage/commit-log-recovery.js';
import { recoverConsumeQueue } from '../../../storage/consume-queue-recovery.js';
import { MemoryDisk } from '../../support/faulty-disk.js';
import {
  type BuiltRecord,
  buildUnit,
  LogBuilder,
  type RecordParts,
  writeStream,
} from '../../support/record-builder.js';

const recoveryProperties = suite('property storage/recovery');

const folder = '/store/commitlog';

function recover(disk: MemoryDisk, segmentSize: number) {
  return recoverCommitLog({
    disk,
    folder,
    segmentSize,
    checkpoint: emptyCheckpoint(),
    cleanStop: false,
    checkCrc: true,
  });
}

function randomParts(random: Prng): RecordParts {
  const address = (): number[] => [...random.bytes(random.oneIn(4) ? 16 : 4)];
  return {
    topic: 'T'.repeat(random.between(1, 20)),
    // Never zero at its end, so that a lost end shows.
    body: random.bytes(random.oneIn(5) ? 0 : random.between(1, 300)).map(byte => byte || 1),
    properties: random.oneIn(4) ? '' : 'k\u0001'.concat('v'.repeat(random.between(1, 40))),
    queueOffset: random.below(1000),
    bornAddress: address(),
    storeAddress: address(),
    version: random.oneIn(4) ? 2 : 1,
  };
}

function buildLog(disk: MemoryDisk, segmentSize: number, random: Prng, count: number): LogBuilder {
  const log = new LogBuilder(disk, folder, segmentSize);
  for (let index = 0; index < count; index++) log.append(randomParts(random));
  return log;
}

function fileOf(disk: MemoryDisk, segmentSize: number, position: number): { bytes: Uint8Array; at: number } {
  const start = position - (position % segmentSize);
  return { bytes: disk.bytes(`${folder}/${String(start).padStart(20, '0')}`), at: position - start };
}

/** Where the log may end when the damage begins at `position`: behind the last record that ends at or before it. */
function endBefore(records: readonly BuiltRecord[], position: number): number {
  return records.findLast(record => record.end <= position)?.end ?? 0;
}

/** Ends that mean the same place: behind a record, or at the start of the next file after the blank behind it. */
function assertEnd(actual: number, expected: number, segmentSize: number, note: string): void {
  const rolled = Math.ceil(expected / segmentSize) * segmentSize;
  assert.ok(actual === expected || actual === rolled, `${note}: ends at ${actual}, not ${expected}`);
}

recoveryProperties('what never reached the disk is cut off at every byte of the last records', () => {
  for (const segmentSize of [4096, 16384]) {
    const whole = new MemoryDisk();
    const log = buildLog(whole, segmentSize, new Prng(segmentSize), 40);
    const first = log.records.at(-4)!.start;
    for (let cut = first; cut < log.end; cut++) {
      const disk = whole.clone();
      for (let start = cut - (cut % segmentSize); start < log.end; start += segmentSize) {
        const { bytes } = fileOf(disk, segmentSize, start);
        bytes.fill(0, Math.max(0, cut - start));
      }
      const found = recover(disk, segmentSize);
      // A record that lost only zeros lost nothing.
      const lost = log.records.findIndex(record => record.end > cut && differs(whole, disk, segmentSize, record));
      const expected = lost < 0 ? log.end : endBefore(log.records, log.records[lost]!.start);
      assertEnd(found.endOffset, expected, segmentSize, `segments of ${segmentSize}, cut at ${cut}`);
    }
  }
});

function differs(left: MemoryDisk, right: MemoryDisk, segmentSize: number, record: BuiltRecord): boolean {
  const one = fileOf(left, segmentSize, record.start);
  const other = fileOf(right, segmentSize, record.start);
  for (let index = 0; index < record.end - record.start; index++) {
    if (one.bytes[one.at + index] !== other.bytes[other.at + index]) return true;
  }
  return false;
}

/** Bytes of a record that its own format protects: sizes, magic, CRC, its place, the host kinds, the body. */
function protectedRanges(bytes: Uint8Array, at: number): [number, number][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const sysFlag = view.getInt32(36);
  const bodyLengthAt = 84 + (sysFlag & 0x10 ? 12 : 0) + (sysFlag & 0x20 ? 12 : 0);
  const bodyLength = view.getInt32(bodyLengthAt);
  const topicLengthAt = bodyLengthAt + 4 + bodyLength;
  const topicLengthSize = view.getInt32(4) === (0xdaa320ab | 0) ? 2 : 1;
  const topicLength = topicLengthSize === 2 ? view.getInt16(topicLengthAt) : view.getInt8(topicLengthAt);
  const propertiesLengthAt = topicLengthAt + topicLengthSize + topicLength;
  const ranges: [number, number][] = [
    [0, 8],
    [28, 36],
    [bodyLengthAt, topicLengthAt + topicLengthSize],
    [propertiesLengthAt, propertiesLengthAt + 2],
  ];
  if (bodyLength > 0) ranges.push([8, 12]);
  return ranges;
}

recoveryProperties('a changed byte anywhere in the last records is noticed or harmless', () => {
  const segmentSize = 4096;
  const whole = new MemoryDisk();
  const random = new Prng(7);
  const log = buildLog(whole, segmentSize, random, 30);
  for (const record of log.records.slice(-4)) {
    const { bytes, at } = fileOf(whole, segmentSize, record.start);
    const ranges = protectedRanges(bytes, at);
    for (let index = 0; index < record.end - record.start; index++) {
      const disk = whole.clone();
      fileOf(disk, segmentSize, record.start).bytes[at + index]! ^= random.between(1, 255);
      const found = recover(disk, segmentSize).endOffset;
      const before = endBefore(log.records, record.start);
      const note = `byte ${index} of the record at ${record.start}`;
      if (ranges.some(([from, to]) => index >= from && index < to)) assertEnd(found, before, segmentSize, note);
      else assert.ok(found === log.end || found === record.start || found === before, `${note}: ends at ${found}`);
    }
  }
});

recoveryProperties('pages lost by a crash never cost what was synced, and what is kept is whole', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.constantFrom(4096, 8192, 65536), (seed, crashSeed, segmentSize) => {
      const disk = new MemoryDisk();
      const random = new Prng(seed);
      const log = buildLog(disk, segmentSize, random, random.between(0, 40));
      for (const name of disk.list(folder)) disk.open(`${folder}/${name}`, 'write').sync();
      const synced = log.end;
      const syncedCount = log.records.length;
      for (let index = random.between(0, 60); index > 0; index--) log.append(randomParts(random));
      const written = disk.clone();
      disk.crash(crashSeed);
      const kept: number[] = [];
      const found = recoverCommitLog({
        disk,
        folder,
        segmentSize,
        checkpoint: emptyCheckpoint(),
        cleanStop: false,
        checkCrc: true,
        onRecord: (_bytes, _start, _size, physicalOffset) => kept.push(physicalOffset),
      });
      assert.ok(found.endOffset >= synced, `synced to ${synced}, kept to ${found.endOffset}`);
      assert.ok(kept.length >= syncedCount);
      // A prefix, record by record.
      assert.equal(
        kept,
        log.records.slice(0, kept.length).map(record => record.start),
      );
      for (const record of log.records.slice(0, kept.length)) {
        // Only a page in the middle of the log can be lost unnoticed, where the format has no checksum.
        if (record.end % 4096 >= record.end - record.start) assert.not(differs(written, disk, segmentSize, record));
      }
      const again = recover(disk, segmentSize);
      assert.is(again.endOffset, found.endOffset);
      assert.is(again.truncatedBytes, 0);
    }),
    { numRuns: 150 },
  );
});

recoveryProperties('garbage in place of the log is survived', () => {
  fc.assert(
    fc.property(fc.integer(), seed => {
      const segmentSize = 4096;
      const disk = new MemoryDisk();
      const random = new Prng(seed);
      const log = buildLog(disk, segmentSize, random, random.between(1, 30));
      const from = random.below(log.end);
      for (let count = random.between(1, 10); count > 0; count--) {
        const { bytes, at } = fileOf(disk, segmentSize, Math.min(from + random.below(500), log.end - 1));
        const junk = random.bytes(random.between(1, 64));
        if (random.oneIn(2)) junk.set([0xda, 0xa3, 0x20, 0xa7].slice(0, junk.length));
        bytes.set(junk.subarray(0, segmentSize - at), at);
      }
      const found = recover(disk, segmentSize);
      const intact = log.records.filter(record => record.end <= from);
      assert.ok(found.endOffset >= (intact.at(-1)?.end ?? 0), `seed ${seed}: an intact record is lost`);
      // Not always the same end: a file that the first scan emptied is no place to begin any more, and the second scan
      // then begins in an older one and may meet garbage there. It never finds more.
      const again = recover(disk, segmentSize).endOffset;
      assert.ok(again <= found.endOffset, `seed ${seed}: a second recovery finds ${again}, behind ${found.endOffset}`);
    }),
    { numRuns: 200 },
  );
});

recoveryProperties('a consume queue cut at every byte keeps its whole entries', () => {
  const segmentSize = 400;
  const queueFolder = '/store/consumequeue/T/0';
  const whole = new MemoryDisk();
  const count = 55;
  for (let index = 0; index < count; index++) {
    writeStream(whole, queueFolder, segmentSize, index * 20, buildUnit(0x01010101 + index * 0x100, 0x01010101, -1n));
  }
  for (let cut = 15 * 20; cut <= count * 20; cut++) {
    const disk = whole.clone();
    for (let start = 0; start < count * 20; start += segmentSize) {
      disk.bytes(`${queueFolder}/${String(start).padStart(20, '0')}`).fill(0, Math.max(0, cut - start));
    }
    const found = recoverConsumeQueue({
      disk,
      folder: queueFolder,
      segmentSize,
      cleanStop: false,
      minPhysicalOffset: 0,
      endPhysicalOffset: Number.MAX_SAFE_INTEGER,
    });
    // Offset and size show a lost end; the tags code behind them has nothing to show it by.
    const wholeEntries = Math.floor(cut / 20);
    const tornInTagsCode = cut % 20 > 8 ? 1 : 0;
    assert.ok(found.maxOffset === wholeEntries || found.maxOffset === wholeEntries + tornInTagsCode, `cut at ${cut}`);
  }
});

recoveryProperties.run();
