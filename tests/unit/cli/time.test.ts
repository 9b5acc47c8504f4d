import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTime, readTime } from '../../../cli/time.js';

const time = suite('cli/time');

const NOW_MS = Date.UTC(2026, 10, 25, 12);

const times: readonly (readonly [string, number])[] = [
  ['now', NOW_MS],
  ['-90s', NOW_MS - 90_000],
  ['-30m', NOW_MS - 1_800_000],
  ['-1h', NOW_MS - 3_600_000],
  ['-7d', NOW_MS - 7 * 86_400_000],
  ['1795608000000', 1_795_608_000_000],
  ['2026-11-25T10:00:00Z', Date.UTC(2026, 10, 25, 10)],
  ['2026-11-25T10:00:00.250+02:00', Date.UTC(2026, 10, 25, 8, 0, 0, 250)],
  ['2026-11-25T10:00', new Date(2026, 10, 25, 10).getTime()],
  ['2026-11-25', new Date(2026, 10, 25).getTime()],
];
for (const [text, expected] of times) time(`reads ${text}`, () => assert.is(readTime(text, NOW_MS), expected));

// Ten digits are seconds, fewer an offset; months and days that do not exist are no times.
for (const text of ['', '1795608000', '12', '-1', '-1w', '1h', 'yesterday', '2026-13-01', '25.11.2026', '-1.5h']) {
  time(`refuses "${text}"`, () => assert.throws(() => readTime(text, NOW_MS), /Expected a time/));
}

time('writes a time as ISO, and - where there is none', () => {
  assert.is(formatTime(NOW_MS), '2026-11-25T12:00:00.000Z');
  assert.is(formatTime(0), '-');
  assert.is(formatTime(-1), '-');
});

time.run();
