/**
 * Makes the clock of a process jump: `node --import` runs this first, in each of its threads, and from then on
 * `Date.now` is ahead by the milliseconds in the file that the variable names. The steady clock stays as it is.
 */
import fs from 'node:fs';

const lookEveryMs = 10;
const file = process.env.RINGMQ_TEST_CLOCK;
const wallClockMs = Date.now;
let aheadMs = 0;
let lookedMs = Number.NEGATIVE_INFINITY;

if (file !== undefined) {
  Date.now = () => {
    const atMs = performance.now();
    if (atMs - lookedMs >= lookEveryMs) {
      lookedMs = atMs;
      aheadMs = Number(fs.readFileSync(file, 'utf8'));
    }
    return wallClockMs() + aheadMs;
  };
}
