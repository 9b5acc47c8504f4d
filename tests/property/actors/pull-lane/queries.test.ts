/** Time search against looking at every message. Source: spec storage 4.5. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PulledStore } from '../../../unit/actors/pull-lane/support.js';

const search = suite('actors/pull-lane/queries: time search against a naive model');

const startMs = 1_700_000_000_000;

/** Offsets that may be answered: an equal time, else the nearest message, the earlier one when two are as near. */
function model(timesMs: readonly number[], min: number, timeMs: number): number[] {
  const live = timesMs.map((time, offset) => ({ time, offset })).filter(({ offset }) => offset >= min);
  if (live.length === 0) return [0];
  const equal = live.filter(({ time }) => time === timeMs);
  if (equal.length > 0) return equal.map(({ offset }) => offset);
  const left = live.filter(({ time }) => time < timeMs).at(-1);
  const right = live.find(({ time }) => time > timeMs);
  if (left === undefined) return [right!.offset];
  if (right === undefined) return [left.offset];
  return [right.time - timeMs < timeMs - left.time ? right.offset : left.offset];
}

search('finds what the model finds', () => {
  const parameters = fc.record({
    gapsMs: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: fc.nat(20) }), {
      maxLength: 40,
    }),
    retired: fc.nat(45),
    askedMs: fc.array(fc.integer({ min: -30, max: 900 }), { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(parameters, ({ gapsMs, retired, askedMs }) => {
      const store = new PulledStore({ segmentSize: 64 * 1024, unitsPerFile: 16 });
      let nowMs = startMs;
      const times = gapsMs.map(gap => (nowMs += gap));
      for (const storeTimestamp of times) store.append(0, { storeTimestamp, body: new Uint8Array(0) });
      const min = Math.min(retired, times.length);
      store.table.publishMin(0, min);
      const queries = store.queries();
      for (const asked of askedMs) {
        const found = queries.searchOffset('TopicTest', 0, startMs + asked);
        const wanted = model(times, min, startMs + asked);
        assert.ok(
          wanted.includes(found),
          `asked ${asked} of ${times.map(time => time - startMs)} from ${min}: ${found}, not ${wanted}`,
        );
      }
    }),
    { numRuns: 300 },
  );
});

search.run();
