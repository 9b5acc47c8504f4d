import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtualClock } from '../../../runtime/base/clock.js';
import {
  commitLogFlushConfig,
  consumeQueueFlushConfig,
  decideFlush,
  isWorthFlushing,
} from '../../../storage/flush-policy.js';

const policy = suite('storage/flush-policy');

const page = 4096;
const segmentSize = 16 * page;
const config = commitLogFlushConfig({
  flushIntervalCommitLog: 500,
  flushCommitLogTimed: true,
  flushCommitLogLeastPages: 4,
  flushCommitLogThoroughInterval: 10_000,
});

policy('flushes at enough dirty pages or a full file', () => {
  const cases: [flushed: number, appended: number, leastPages: number, expected: boolean][] = [
    [0, 0, 4, false],
    [0, 0, 0, false],
    [0, 1, 4, false],
    [0, 1, 0, true],
    [0, 4 * page - 1, 4, false],
    [0, 4 * page, 4, true],
    [page - 1, 4 * page, 4, true], // pages are counted by their numbers, not by bytes between
    [page, 4 * page + 1, 4, false],
    [page, 5 * page, 4, true],
    [15 * page, 16 * page, 4, true], // full
    [15 * page, 16 * page - 1, 4, false],
    [15 * page, 16 * page + 1, 4, true],
    [16 * page, 16 * page, 4, false],
    [16 * page, 19 * page, 4, false],
    [16 * page, 20 * page, 4, true],
    [1, 100 * page, 4, true],
  ];
  for (const [flushed, appended, leastPages, expected] of cases) {
    assert.is(
      isWorthFlushing({ flushed, appended, segmentSize }, leastPages),
      expected,
      `${flushed}..${appended} ${leastPages}`,
    );
  }
});

policy('a thorough flush comes when its interval is over, dirty or not', () => {
  const clock = new VirtualClock();
  const lastThoroughMs = clock.nowMs();
  const look = (appended: number) =>
    decideFlush({ appended, flushed: 0, segmentSize, lastThoroughMs, nowMs: clock.nowMs() }, config).action;
  assert.equal([look(0), look(page), look(4 * page)], ['none', 'none', 'flush']);
  clock.advance(9999);
  assert.equal([look(0), look(page), look(4 * page)], ['none', 'none', 'flush']);
  clock.advance(1);
  assert.equal([look(0), look(page), look(4 * page)], ['thorough', 'thorough', 'thorough']);
});

policy('the next look is an interval away, earlier only when not timed', () => {
  const state = { appended: 0, flushed: 0, segmentSize, lastThoroughMs: 1000, nowMs: 1000 };
  assert.equal(decideFlush(state, config), { action: 'none', nextWakeMs: 1500, wakeOnAppend: false });
  assert.equal(decideFlush(state, { ...config, timed: false }), {
    action: 'none',
    nextWakeMs: 1500,
    wakeOnAppend: true,
  });
});

policy('consume queues have keys of their own and never wake early', () => {
  const queues = consumeQueueFlushConfig({
    flushIntervalConsumeQueue: 1000,
    flushConsumeQueueLeastPages: 2,
    flushConsumeQueueThoroughInterval: 60_000,
  });
  const state = { appended: 2 * page, flushed: 0, segmentSize, lastThoroughMs: 0, nowMs: 0 };
  assert.equal(decideFlush(state, queues), { action: 'flush', nextWakeMs: 1000, wakeOnAppend: false });
  assert.is(decideFlush({ ...state, appended: 2 * page - 1 }, queues).action, 'none');
  assert.is(decideFlush({ ...state, nowMs: 60_000 }, queues).action, 'thorough');
});

policy('no data waits longer than the thorough interval and one look', () => {
  const clock = new VirtualClock();
  const start = clock.nowMs();
  let lastThoroughMs = start;
  let flushed = 0;
  const appended = 10;
  while (flushed < appended) {
    const { action, nextWakeMs } = decideFlush(
      { appended, flushed, segmentSize, lastThoroughMs, nowMs: clock.nowMs() },
      config,
    );
    if (action !== 'none') flushed = appended;
    if (action === 'thorough') lastThoroughMs = clock.nowMs();
    else clock.advance(nextWakeMs - clock.nowMs());
  }
  assert.is(clock.nowMs() - start, 10_000);
});

policy.run();
