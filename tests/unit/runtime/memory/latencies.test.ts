/** Counting durations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Latencies, percentileMs, spanOf, spanStarts } from '../../../../runtime/memory/latencies.js';

const latencies = suite('runtime/memory/latencies');

latencies('every duration falls into the span it is in', () => {
  assert.is(spanStarts.length, 76);
  for (const [span, start] of spanStarts.entries()) {
    assert.is(spanOf(start), span, `${start} ms`);
    const end = spanStarts[span + 1];
    if (end !== undefined) assert.is(spanOf(end - 0.001), span, `just below ${end} ms`);
  }
  assert.equal([spanOf(-3), spanOf(0.4), spanOf(1e9)], [0, 0, 75]);
});

latencies('counts, and keeps the longest', () => {
  const writer = new Latencies();
  for (const ms of [0, 0, 3, 700]) writer.add(ms);
  const reader = new Latencies(writer.memory);
  const counts = reader.counts();
  assert.equal([counts[0], counts[3], counts[spanOf(700)], reader.longestMs], [2, 1, 1, 700]);
});

latencies('says what a share of all does not exceed', () => {
  const taken = new Latencies();
  assert.is(percentileMs(taken.counts(), 0.99), 0);
  for (let count = 0; count < 99; count++) taken.add(2);
  taken.add(150);
  assert.is(percentileMs(taken.counts(), 0.99), 3, 'the end of the span from 2 to 3');
  assert.is(Math.round(percentileMs(taken.counts(), 0.999)), 159);
  const longest = new Latencies();
  longest.add(60_000);
  assert.is(percentileMs(longest.counts(), 0.5), 10_000, 'the last span has no end');
});

latencies.run();
