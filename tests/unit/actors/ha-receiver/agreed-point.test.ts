/** Where two logs part, found by questions for single records. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AgreedPoint,
  findAgreedPoint,
  type MasterLog,
  type OwnLog,
  stillPartsAt,
} from '../../../../actors/ha-receiver/agreed-point.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { readRecord } from '../../../../storage/record-reader.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder } from '../../../support/record-builder.js';

const point = suite('actors/ha-receiver: agreed point');

const segmentSize = 128 * 1024;
const folder = '/log';

class TestLog {
  readonly disk = new MemoryDisk();
  readonly builder = new LogBuilder(this.disk, folder, segmentSize);
  readonly reader = new CommitLogReader(this.disk, folder, segmentSize);
  minimum = 0;
  asked = 0;

  /** Records of sizes that the generator draws; `host` tells two brokers apart. */
  add(count: number, random: Prng, host = 1): void {
    for (let index = 0; index < count; index++) {
      const body = new Uint8Array(20 + random.below(400)).fill(index);
      this.builder.append({
        body,
        storeTimestamp: 1_700_000_000_000 + this.builder.end,
        storeAddress: [10, 0, 0, host],
      });
    }
  }

  get own(): OwnLog {
    return { reader: this.reader, minimum: this.minimum, end: this.builder.end };
  }

  get master(): MasterLog {
    const { minimum } = this;
    const maximum = this.builder.end;
    const recordAt = async (offset: number): Promise<Uint8Array | undefined> => {
      this.asked++;
      return readRecord(this.reader, offset, minimum, maximum);
    };
    return { minimum, maximum, recordAt };
  }
}

/** Two logs that are the same for so many records, and what is the end of the last one of them. */
function twoLogs(seed: number, common: number, own: number, master: number): [TestLog, TestLog, number] {
  const [mine, theirs] = [new TestLog(), new TestLog()];
  for (const log of [mine, theirs]) log.add(common, new Prng(seed));
  const agreed = mine.builder.records.at(-1)?.end ?? 0;
  mine.add(own, new Prng(seed + 1), 1);
  theirs.add(master, new Prng(seed + 2), 2);
  return [mine, theirs, agreed];
}

for (const [common, own, master] of [
  [1, 1, 0],
  [1, 500, 500],
  [700, 1, 0],
  [700, 1, 1],
  [700, 3, 700],
  [700, 700, 3],
  [1500, 40, 0],
] as const) {
  point(`${common} records in common, then ${own} of one and ${master} of the other`, async () => {
    for (const seed of [1, 2]) {
      const [mine, theirs, agreed] = twoLogs(seed, common, own, master);
      const found = (await findAgreedPoint(mine.own, theirs.master))!;
      assert.is(found.position, agreed);
      assert.is(found.storeTimestamp, 1_700_000_000_000 + found.recordOffset);
      assert.ok(theirs.asked < 80, `${theirs.asked} questions`);
      assert.ok(await stillPartsAt(mine.own, theirs.master, found));
      theirs.asked = 0;
      assert.ok((await stillPartsAt(mine.own, theirs.master, found)) && theirs.asked <= 2, 'two questions later');
    }
  });
}

point(
  'the last records of both files of one place differ only in their end: the one before them is the point',
  async () => {
    const [mine, theirs, agreed] = twoLogs(5, 300, 0, 0);
    const { start, end } = mine.builder.records.at(-1)!;
    const path = `${folder}/${String(Math.floor(start / segmentSize) * segmentSize).padStart(20, '0')}`;
    theirs.disk.bytes(path)[(end - 1) % segmentSize]! ^= 1;
    assert.is((await findAgreedPoint(mine.own, theirs.master))!.position, start);
    assert.ok(agreed > start);
  },
);

point('nothing in common: no point', async () => {
  const [mine, theirs] = twoLogs(7, 0, 500, 500);
  assert.is(await findAgreedPoint(mine.own, theirs.master), undefined);
  assert.is(await findAgreedPoint(mine.own, new TestLog().master), undefined, 'an empty master');
});

point('older files are gone here or there: the files that both have decide', async () => {
  const [mine, theirs, agreed] = twoLogs(9, 1600, 20, 20);
  theirs.minimum = 2 * segmentSize;
  assert.is((await findAgreedPoint(mine.own, theirs.master))!.position, agreed);
  mine.minimum = 3 * segmentSize;
  assert.is((await findAgreedPoint(mine.own, theirs.master))!.position, agreed);
  theirs.minimum = Math.ceil(agreed / segmentSize) * segmentSize;
  assert.is(await findAgreedPoint(mine.own, theirs.master), undefined, 'what both had is gone');
});

point('records that differ in front of the point: no point, since one of the two logs is damaged', async () => {
  const [mine, theirs] = twoLogs(11, 700, 20, 20);
  const { start } = theirs.builder.records[699 - 3]!;
  const path = `${folder}/${String(Math.floor(start / segmentSize) * segmentSize).padStart(20, '0')}`;
  theirs.disk.bytes(path)[(start % segmentSize) + 60]! ^= 1;
  const found = await findAgreedPoint(mine.own, theirs.master);
  // The search may meet the record itself, and then ends in front of it.
  assert.ok(found === undefined || found.position <= start);
});

point('the master has the same there by now, or no longer what was the same: the logs part elsewhere', async () => {
  const [mine, theirs, agreed] = twoLogs(13, 300, 20, 0);
  const found = (await findAgreedPoint(mine.own, theirs.master))!;
  assert.is(found.position, agreed);
  const [, grown] = twoLogs(13, 300, 0, 0);
  grown.add(20, new Prng(14), 1);
  assert.not(await stillPartsAt(mine.own, grown.master, found));
  const other: AgreedPoint = { ...found, recordOffset: found.position };
  assert.not(await stillPartsAt(mine.own, theirs.master, other));
});

point('an answer that fails ends the search with its error', async () => {
  const [mine, theirs] = twoLogs(17, 300, 20, 20);
  const recordAt = async (): Promise<never> => {
    throw new Error('busy');
  };
  const error = await findAgreedPoint(mine.own, { ...theirs.master, recordAt }).catch((caught: Error) => caught);
  assert.is((error as Error).message, 'busy');
});

point.run();
