import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ConsumeQueueRecoveryOptions,
  findMinOffset,
  maxPhysicalOffsetOf,
  recoverConsumeQueue,
  recoverConsumeQueues,
  truncateConsumeQueue,
} from '../../../storage/consume-queue-recovery.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../../support/faulty-disk.js';
import { buildGapUnit, buildUnit, writeStream } from '../../support/record-builder.js';

const recovery = suite('storage/consume-queue-recovery');

const root = '/store/consumequeue';
const folder = `${root}/TopicTest/0`;
/** Ten entries. */
const segmentSize = 200;
const UNIT = 20;
const segmentPath = (start: number): string => `${folder}/${String(start).padStart(20, '0')}`;

/** Entry i points to the record at (i + 1) * 100, which is 100 long. */
function writeUnits(disk: MemoryDisk, from: number, to: number, into = folder): void {
  for (let index = from; index < to; index++) {
    writeStream(disk, into, segmentSize, index * UNIT, buildUnit((index + 1) * 100, 100, BigInt(-index)));
  }
}

function options(disk: MemoryDisk | FaultyDisk, more: Partial<ConsumeQueueRecoveryOptions> = {}) {
  return {
    disk,
    folder,
    segmentSize,
    cleanStop: true,
    minPhysicalOffset: 0,
    endPhysicalOffset: Number.MAX_SAFE_INTEGER,
    ...more,
  };
}

const recover = (disk: MemoryDisk, more: Partial<ConsumeQueueRecoveryOptions> = {}) =>
  recoverConsumeQueue(options(disk, more));

recovery('no files: an empty queue', () => {
  const disk = new MemoryDisk();
  disk.makeFolder(folder);
  assert.equal(recover(disk), { minOffset: 0, maxOffset: 0, maxPhysicalOffset: -1 });
});

recovery('queues of every length, cleanly stopped or not', () => {
  for (let count = 0; count <= 45; count++) {
    for (const cleanStop of [true, false]) {
      const disk = new MemoryDisk();
      writeStream(disk, folder, segmentSize, 0, new Uint8Array(0));
      writeUnits(disk, 0, count);
      const before = disk.clone();
      const expected = { minOffset: 0, maxOffset: count, maxPhysicalOffset: count === 0 ? -1 : (count + 1) * 100 };
      assert.equal(recover(disk, { cleanStop }), expected);
      for (const name of disk.list(folder))
        assert.equal(disk.bytes(`${folder}/${name}`), before.bytes(`${folder}/${name}`));
    }
  }
});

recovery('an entry that is none ends the queue, whatever follows', () => {
  for (const bad of [buildUnit(-1, 100), buildUnit(500, 0), buildUnit(500, -7), new Uint8Array(UNIT)]) {
    const disk = new MemoryDisk();
    writeUnits(disk, 0, 35);
    writeStream(disk, folder, segmentSize, 24 * UNIT, bad);
    assert.equal(recover(disk), { minOffset: 0, maxOffset: 24, maxPhysicalOffset: 2500 });
    assert.is(disk.list(folder).length, 3);
    assert.ok(
      disk
        .bytes(segmentPath(400))
        .subarray(4 * UNIT)
        .every(byte => byte === 0),
    );
    assert.is(recover(disk).maxOffset, 24);
  }
});

recovery('gap entries count as places and point nowhere', () => {
  const disk = new MemoryDisk();
  for (let index = 20; index < 26; index++) writeStream(disk, folder, segmentSize, index * UNIT, buildGapUnit());
  assert.equal(recover(disk), { minOffset: 26, maxOffset: 26, maxPhysicalOffset: -1 });
  writeUnits(disk, 26, 32);
  assert.equal(recover(disk), { minOffset: 26, maxOffset: 32, maxPhysicalOffset: 3300 });
  assert.is(recover(disk, { minPhysicalOffset: 2901 }).minOffset, 29);
});

recovery('the first offset is that of the first message still in the log', () => {
  for (let min = 0; min <= 3600; min += 50) {
    const disk = new MemoryDisk();
    writeUnits(disk, 10, 35);
    const expected = min > 3500 ? 10 : Math.max(10, Math.ceil(min / 100) - 1);
    assert.is(recover(disk, { minPhysicalOffset: min }).minOffset, expected, `log starts at ${min}`);
  }
});

recovery('the search for the first offset looks at few entries', () => {
  let probes = 0;
  const found = findMinOffset(0, 1_000_000, 777_777, offset => {
    probes++;
    return offset;
  });
  assert.is(found, 777_777);
  assert.ok(probes <= 25, `${probes} probes`);
});

recovery('entries of messages behind the end of the log go', () => {
  for (let end = 0; end <= 3700; end += 50) {
    for (const viaRecovery of [true, false]) {
      const disk = new MemoryDisk();
      writeUnits(disk, 10, 35);
      const more = { endPhysicalOffset: end };
      const found = viaRecovery ? recover(disk, more) : truncateConsumeQueue(options(disk, more));
      const kept = Math.min(35, Math.floor(end / 100) - 1);
      if (kept <= 10) {
        assert.equal(found, { minOffset: 0, maxOffset: 0, maxPhysicalOffset: -1 });
        assert.equal(disk.list(folder), []);
        continue;
      }
      assert.equal(found, { minOffset: 10, maxOffset: kept, maxPhysicalOffset: (kept + 1) * 100 }, `end ${end}`);
      // With the log's end moved on, what was cut must not be taken for real.
      assert.equal(recover(disk), found);
    }
  }
});

recovery('losing power while cutting does not change what the next start finds', () => {
  const damaged = new MemoryDisk();
  writeUnits(damaged, 0, 35);
  let interrupted = 0;
  for (let powerChanges = 0; ; powerChanges++) {
    const disk = damaged.clone();
    try {
      recoverConsumeQueue(
        options(new FaultyDisk(disk, { powerChanges }), { endPhysicalOffset: 1550, cleanStop: false }),
      );
      break;
    } catch (error) {
      if (!(error instanceof PowerFailure)) throw error;
      interrupted++;
      disk.crash(powerChanges);
    }
    const found = recover(disk, { endPhysicalOffset: 1550, cleanStop: false });
    assert.equal(found, { minOffset: 0, maxOffset: 14, maxPhysicalOffset: 1500 });
  }
  assert.ok(interrupted >= 6, `${interrupted} steps`);
});

recovery('all queues of all topics, and nothing that is none', () => {
  const disk = new MemoryDisk();
  writeUnits(disk, 0, 3, `${root}/A/10`);
  writeUnits(disk, 0, 5, `${root}/A/2`);
  writeUnits(disk, 0, 1, `${root}/%RETRY%group/0`);
  disk.makeFolder(`${root}/A/backup`);
  disk.writeText(`${root}/README`, 'not a topic');
  const queues = recoverConsumeQueues({ ...options(disk), root });
  assert.equal(
    queues.map(({ topic, queueId, maxOffset }) => [topic, queueId, maxOffset]),
    [
      ['%RETRY%group', 0, 1],
      ['A', 2, 5],
      ['A', 10, 3],
    ],
  );
  assert.is(maxPhysicalOffsetOf(queues), 600);
  assert.is(maxPhysicalOffsetOf([]), -1);
  assert.equal(recoverConsumeQueues({ ...options(new MemoryDisk()), root }), []);
});

recovery.run();
