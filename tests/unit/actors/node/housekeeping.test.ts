/** When files are asked to go and when sends are refused, with a disk, a clock and a writer in the test's hands. */
import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Housekeeping } from '../../../../actors/node/housekeeping.js';
import { StoreState } from '../../../../actors/store-state.js';
import { type BrokerConfig, loadBrokerConfig } from '../../../../config/index.js';
import type { Logger } from '../../../../runtime/log/contract.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import type { DiskSpace } from '../../../../storage/disk.js';
import { segmentName, storePaths } from '../../../../storage/paths.js';
import { MANUAL_PASSES } from '../../../../storage/retention.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';

const housekeeping = suite('housekeeping');

const segmentSize = 131_072;
const hourMs = 3_600_000;
const paths = storePaths('/store', '/store/commitlog');
/** Local time, because `deleteWhen` is. */
const atFour = new Date(2026, 2, 10, 4, 30);
const atNoon = new Date(2026, 2, 10, 12, 0);

/** Housekeeping over a disk in memory; `retired` is what it asked the writer for. */
class Room {
  readonly disk = new MemoryDisk();
  readonly storeState = new SharedFlags();
  readonly retired: number[] = [];
  readonly said: string[] = [];
  readonly housekeeping: Housekeeping;
  /** By folder, in percent. */
  readonly used = { commitLog: 10, consumeQueue: 10 };
  config: BrokerConfig;
  retireFails = false;
  passes = 0;
  /** What administrators ask for, by pass. */
  readonly manualPasses: number[] = [];

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.config = loadBrokerConfig({
      set: { mappedFileSizeCommitLog: String(segmentSize), maxMessageSize: '1024', deleteWhen: '04', ...settings },
    }).config;
    const say = (_: object, message: string): void => void this.said.push(message);
    const log = { info: say, warn: say, error: say } as unknown as Logger;
    this.disk.space = (folder?: string): DiskSpace => this.#space(folder);
    this.disk.makeFolder(paths.commitLog);
    this.disk.makeFolder(paths.consumeQueue);
    this.housekeeping = new Housekeeping({
      disk: this.disk,
      paths,
      storeState: this.storeState,
      log,
      cleanResourceInterval: this.config.cleanResourceInterval,
      config: async () => {
        this.passes++;
        return this.config;
      },
      manualPasses: async () => this.manualPasses.shift() ?? 0,
      retire: async position => {
        if (this.retireFails) throw new Error('the writer is busy');
        this.retired.push(position);
      },
    });
  }

  #space(folder: string | undefined): DiskSpace {
    const percent = folder === paths.commitLog ? this.used.commitLog : this.used.consumeQueue;
    if (percent < 0) throw new Error('no such partition');
    const freeBytes = 1e6 * (100 - percent);
    return { totalBytes: 1e8, freeBytes, usableBytes: freeBytes };
  }

  /** Files of the log, oldest first, last changed that many hours before `atNoon`. */
  addFiles(...hoursOld: readonly number[]): this {
    hoursOld.forEach((hours, index) => {
      const path = `${paths.commitLog}/${segmentName(index * segmentSize)}`;
      this.disk.open(path, 'create').close();
      this.disk.setModified(path, atNoon.getTime() - hours * hourMs);
    });
    return this;
  }

  get isFull(): boolean {
    return this.storeState.has(StoreState.DISK_FULL);
  }
}

housekeeping('at the hour of deleteWhen expired files go, at other hours none', async () => {
  const room = new Room().addFiles(200, 100, 50, 1);
  await room.housekeeping.clean(atNoon);
  assert.equal(room.retired, []);
  await room.housekeeping.clean(atFour);
  assert.equal(room.retired, [2 * segmentSize]);
  assert.equal(room.said, ['expired files of the commit log are deleted']);
});

housekeeping('the first file that is too young ends the pass, and the newest never goes', async () => {
  const young = new Room().addFiles(1, 200, 200);
  await young.housekeeping.clean(atFour);
  assert.equal(young.retired, []);
  const old = new Room().addFiles(400, 300, 200);
  await old.housekeeping.clean(atFour);
  assert.equal(old.retired, [2 * segmentSize]);
  const only = new Room().addFiles(400);
  await only.housekeeping.clean(atFour);
  assert.equal(only.retired, []);
});

housekeeping('no more than deleteFileBatchMax files go in a pass', async () => {
  const room = new Room({ deleteFileBatchMax: '2' }).addFiles(400, 400, 400, 400, 400);
  await room.housekeeping.clean(atFour);
  assert.equal(room.retired, [2 * segmentSize]);
});

housekeeping('what is not named by its position is no file of the log', async () => {
  const room = new Room().addFiles(400, 1);
  room.disk.open(`${paths.commitLog}/00000000000000000000.resize`, 'create').close();
  room.disk.open(`${paths.commitLog}/notes`, 'create').close();
  await room.housekeeping.clean(atFour);
  assert.equal(room.retired, [segmentSize]);
});

housekeeping('an administrator has expired files deleted at any hour, for twenty passes', async () => {
  const room = new Room().addFiles(400, 300, 200, 1, 1);
  room.manualPasses.push(MANUAL_PASSES);
  await room.housekeeping.clean(atNoon);
  assert.equal(room.retired, [3 * segmentSize]);
  for (let pass = 1; pass < MANUAL_PASSES; pass++) await room.housekeeping.clean(atNoon);
  assert.is(room.retired.length, MANUAL_PASSES, 'until the writer has deleted them');
  await room.housekeeping.clean(atNoon);
  assert.is(room.retired.length, MANUAL_PASSES);
});

for (const part of ['commitLog', 'consumeQueue'] as const) {
  housekeeping(`a ${part} partition above diskMaxUsedSpaceRatio lets expired files go at any hour`, async () => {
    const room = new Room().addFiles(200, 1, 1);
    room.used[part] = 75;
    await room.housekeeping.clean(atNoon);
    assert.equal(room.retired, []);
    room.used[part] = 76;
    await room.housekeeping.clean(atNoon);
    assert.equal(room.retired, [segmentSize], 'and young ones stay');
    assert.not(room.isFull);
  });

  housekeeping(`a ${part} partition above diskSpaceCleanForciblyRatio lets files go whatever their age`, async () => {
    const room = new Room().addFiles(1, 1, 1);
    room.used[part] = 86;
    await room.housekeeping.clean(atNoon);
    assert.equal(room.retired, [2 * segmentSize]);
    assert.not(room.isFull);
    const careful = new Room({ cleanFileForciblyEnable: 'false' }).addFiles(1, 1, 1);
    careful.used[part] = 86;
    await careful.housekeeping.clean(atNoon);
    assert.equal(careful.retired, []);
  });
}

housekeeping('above diskSpaceWarningLevelRatio sends are refused, until the lower level is left again', async () => {
  const room = new Room().addFiles(1);
  const seen: boolean[] = [];
  for (const percent of [80, 88, 90, 91, 88, 86, 85, 88]) {
    room.used.commitLog = percent;
    await room.housekeeping.checkSpace();
    seen.push(room.isFull);
  }
  assert.equal(seen, [false, false, false, true, true, true, false, false]);
  const [full, roomy] = ['the disk is too full: sends are refused', 'the disk has room again: sends are taken'];
  assert.equal(room.said, [full, roomy]);
});

housekeeping('a partition that cannot be looked at counts as crowded but not as full', async () => {
  const room = new Room().addFiles(200, 1);
  room.used.commitLog = -1;
  await room.housekeeping.clean(atNoon);
  await room.housekeeping.checkSpace();
  assert.equal(room.retired, [segmentSize]);
  assert.not(room.isFull);
});

housekeeping('settings changed at run time count at the next pass', async () => {
  const room = new Room().addFiles(200, 1);
  await room.housekeeping.clean(atNoon);
  room.config = { ...room.config, deleteWhen: '04;12', fileReservedTime: 300 };
  await room.housekeeping.clean(atNoon);
  assert.equal(room.retired, []);
  room.config = { ...room.config, fileReservedTime: 199 };
  await room.housekeeping.clean(atNoon);
  assert.equal(room.retired, [segmentSize]);
});

/** Lets what a timer has started go on to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve));
}

housekeeping(
  'checks after 1 s and every 10 s, cleans after 60 s and every cleanResourceInterval, until stopped',
  async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: atFour.getTime() });
    const room = new Room({ cleanResourceInterval: '7000' }).addFiles(200, 1);
    try {
      room.housekeeping.start();
      /** Passes made until each second. */
      const passesAt = new Map<number, number>();
      for (let second = 1; second <= 75; second++) {
        mock.timers.tick(1000);
        await settle();
        passesAt.set(second, room.passes);
      }
      // Checks at 1, 11, 21, ...; cleans at 60, 67, 74.
      const expected = (second: number): number =>
        Math.floor((second + 9) / 10) + [60, 67, 74].filter(clean => clean <= second).length;
      for (const [second, passes] of passesAt) assert.is(passes, expected(second), `${second} s`);
      assert.equal(room.retired, [segmentSize, segmentSize, segmentSize]);
      room.housekeeping.stop();
      const before = room.passes;
      mock.timers.tick(100_000);
      await settle();
      assert.is(room.passes, before);
    } finally {
      room.housekeeping.stop();
      mock.timers.reset();
    }
  },
);

housekeeping('a pass that fails is told of, and the next one is made', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: atFour.getTime() });
  const room = new Room().addFiles(200, 1);
  try {
    room.retireFails = true;
    room.housekeeping.start();
    for (let second = 0; second < 65; second++) {
      mock.timers.tick(1000);
      await settle();
    }
    assert.equal(room.retired, []);
    assert.is(room.said.at(-1), 'housekeeping failed; tried again later');
    room.retireFails = false;
    for (let second = 0; second < 10; second++) {
      mock.timers.tick(1000);
      await settle();
    }
    assert.equal(room.retired, [segmentSize]);
  } finally {
    room.housekeeping.stop();
    mock.timers.reset();
  }
});

housekeeping.run();
