import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtualClock } from '../../../runtime/base/clock.js';
import { hourMs } from '../../../runtime/base/units.js';
import {
  decideDiskFull,
  decideExpired,
  decideRetention,
  isTimeToDelete,
  type RetentionConfig,
  type RetentionState,
  usedRatio,
} from '../../../storage/retention.js';

const retention = suite('storage/retention');

const config: RetentionConfig = {
  deleteWhen: '04',
  fileReservedTime: 72,
  diskMaxUsedSpaceRatio: 75,
  diskSpaceWarningLevelRatio: 90,
  diskSpaceCleanForciblyRatio: 85,
  cleanFileForciblyEnable: true,
  deleteFileBatchMax: 10,
};
const clock = new VirtualClock();

/** Files last modified so many hours ago, oldest first; file i begins at i * 1000. */
function stateOf(agesHours: readonly number[], more: Partial<RetentionState> = {}): RetentionState {
  const segments = agesHours.map((age, index) => ({
    startOffset: index * 1000,
    modifiedMs: clock.nowMs() - age * hourMs,
  }));
  return {
    segments,
    commitLogUsedRatio: 0.5,
    consumeQueueUsedRatio: 0.5,
    diskFull: false,
    manualPassesLeft: 0,
    ...more,
  };
}

function decide(state: RetentionState, localHour = 12, more: Partial<RetentionConfig> = {}) {
  return decideRetention(state, { ...config, ...more }, clock.nowMs(), localHour);
}

retention('what makes a pass, and which files go in it', () => {
  const ages = [100, 80, 72, 71, 90, 0];
  const cases: [name: string, state: Partial<RetentionState>, hour: number, reason: string, deleted: number[]][] = [
    ['nothing', {}, 12, 'none', []],
    ['the hour', {}, 4, 'time', [0, 1000, 2000]],
    ['the hour after', {}, 5, 'none', []],
    ['manual', { manualPassesLeft: 1 }, 12, 'manual', [0, 1000, 2000]],
    ['log space at the limit', { commitLogUsedRatio: 0.75 }, 12, 'none', []],
    ['log space', { commitLogUsedRatio: 0.76 }, 12, 'space', [0, 1000, 2000]],
    ['log space unknown', { commitLogUsedRatio: -1 }, 12, 'space', [0, 1000, 2000]],
    ['queue space', { consumeQueueUsedRatio: 0.76 }, 12, 'space', [0, 1000, 2000]],
    ['queue space unknown', { consumeQueueUsedRatio: -1 }, 12, 'space', [0, 1000, 2000]],
    ['forcibly at the limit', { commitLogUsedRatio: 0.85 }, 12, 'space', [0, 1000, 2000]],
    ['forcibly', { commitLogUsedRatio: 0.86 }, 12, 'space', [0, 1000, 2000, 3000, 4000]],
    ['forcibly by the queues', { consumeQueueUsedRatio: 0.86 }, 12, 'space', [0, 1000, 2000, 3000, 4000]],
    ['full', { commitLogUsedRatio: 0.91 }, 12, 'space', [0, 1000, 2000, 3000, 4000]],
  ];
  for (const [name, more, hour, reason, deleted] of cases) {
    const decision = decide(stateOf(ages, more), hour);
    assert.is(decision.reason, reason, name);
    assert.equal(decision.segmentsToDelete, deleted, name);
    assert.is(decision.immediately, deleted.length === 5, name);
  }
});

retention('a file is old enough to the millisecond', () => {
  const state = stateOf([72, 0]);
  assert.equal(decide(state, 4).segmentsToDelete, [0]);
  assert.equal(decideRetention(state, config, clock.nowMs() - 1, 4).segmentsToDelete, []);
});

retention('age counts however full the disk is unless cleaning by force is on', () => {
  const decision = decide(stateOf([1, 1, 0], { commitLogUsedRatio: 0.95 }), 12, { cleanFileForciblyEnable: false });
  assert.equal([decision.reason, decision.immediately, decision.diskFull], ['space', false, true]);
  assert.equal(decision.segmentsToDelete, []);
});

retention('the last file stays and a pass has a limit', () => {
  assert.equal(decide(stateOf([1000]), 4).segmentsToDelete, []);
  assert.equal(decide(stateOf([]), 4).segmentsToDelete, []);
  assert.is(decide(stateOf(new Array<number>(11).fill(1000)), 4).segmentsToDelete.length, 10);
  assert.is(decide(stateOf(new Array<number>(50).fill(1000)), 4).segmentsToDelete.length, 10);
  assert.is(decide(stateOf(new Array<number>(50).fill(1000)), 4, { deleteFileBatchMax: 3 }).segmentsToDelete.length, 3);
});

retention('manual passes are used up by passes and by nothing else', () => {
  let manualPassesLeft = 2;
  const reasons: string[] = [];
  for (let pass = 0; pass < 3; pass++) {
    const decision = decide(stateOf([100, 0], { manualPassesLeft }));
    manualPassesLeft = decision.manualPassesLeft;
    reasons.push(decision.reason);
  }
  assert.equal(reasons, ['manual', 'manual', 'none']);
  assert.is(decide(stateOf([100, 0], { manualPassesLeft: 5 }), 4).manualPassesLeft, 4);
});

retention('the disk-full flag rises above 90, falls at 85 and stays in between', () => {
  const cases: [ratio: number, before: boolean, after: boolean][] = [
    [0.91, false, true],
    [0.9, false, false],
    [0.9, true, true],
    [0.86, true, true],
    [0.85, true, false],
    [-1, true, false],
  ];
  for (const [ratio, before, after] of cases) {
    assert.is(decideDiskFull(ratio, before, config), after, `${ratio} ${before}`);
    assert.is(
      decide(stateOf([0], { commitLogUsedRatio: ratio, diskFull: before, consumeQueueUsedRatio: ratio })).diskFull,
      after,
    );
  }
  // The queues' partition is asked only when the log's is fine, and may raise the flag alone.
  assert.is(decide(stateOf([0], { consumeQueueUsedRatio: 0.95 })).diskFull, true);
  assert.is(decide(stateOf([0], { commitLogUsedRatio: 0.91, consumeQueueUsedRatio: 0.1 })).diskFull, true);
});

retention('diskMaxUsedSpaceRatio is kept within 10 and 95', () => {
  assert.is(decide(stateOf([0], { commitLogUsedRatio: 0.96 }), 12, { diskMaxUsedSpaceRatio: 100 }).reason, 'space');
  assert.is(decide(stateOf([0], { commitLogUsedRatio: 0.95 }), 12, { diskMaxUsedSpaceRatio: 100 }).reason, 'none');
  const low = { commitLogUsedRatio: 0.1, consumeQueueUsedRatio: 0.1 };
  assert.is(decide(stateOf([0], low), 12, { diskMaxUsedSpaceRatio: 0 }).reason, 'none');
});

retention('deleteWhen takes several two-digit hours', () => {
  assert.equal(
    [
      isTimeToDelete('04', 4),
      isTimeToDelete('4', 4),
      isTimeToDelete('04;16;00', 16),
      isTimeToDelete('04;16;00', 0),
      isTimeToDelete('', 0),
    ],
    [true, false, true, true, false],
  );
});

retention('the used ratio is a whole percent rounded up, without what is reserved', () => {
  const ratio = (totalBytes: number, freeBytes: number, usableBytes: number) =>
    usedRatio({ totalBytes, freeBytes, usableBytes });
  assert.equal(
    [
      ratio(1000, 930, 930),
      ratio(1000, 929, 929),
      ratio(1000, 300, 100),
      ratio(1000, 0, 0),
      ratio(0, 0, 0),
      usedRatio(undefined),
    ],
    [0.07, 0.08, 0.88, 1, -1, -1],
  );
});

retention('queue files go when their last entry points below the log', () => {
  const files = [100, 200, 300, 250, 50].map((newestPhysicalOffset, index) => ({
    startOffset: index,
    newestPhysicalOffset,
  }));
  const cases: [min: number, deleted: number[]][] = [
    [0, []],
    [100, []],
    [101, [0]],
    [300, [0, 1]],
    [301, [0, 1, 2, 3]],
    [9999, [0, 1, 2, 3]],
  ];
  for (const [min, deleted] of cases) assert.equal(decideExpired(files, min), deleted, `log starts at ${min}`);
  assert.equal(decideExpired([], 5), []);
});

retention.run();
