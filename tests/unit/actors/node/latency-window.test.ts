/** Durations of the last minute. Source: StoreStatsService. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LatencyWindow } from '../../../../actors/node/latency-window.js';
import { Latencies } from '../../../../runtime/memory/latencies.js';

const window = suite('actors/node/latency-window');

window('tells the classes of the minute that has begun', () => {
  const taken = new Latencies();
  taken.add(5);
  const minute = new LatencyWindow(taken);
  for (const ms of [0, 1, 9, 10, 60, 10_000]) taken.add(ms);
  assert.is(
    minute.distribution(),
    '[<=0ms]:1 [0~10ms]:2 [10~50ms]:1 [50~100ms]:1 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:0 [1~2s]:0 [2~3s]:0 ' +
      '[3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:1',
  );
  minute.turn();
  assert.ok(minute.distribution().startsWith('[<=0ms]:0 [0~10ms]:0'));
});

window('percentiles are those of the last whole minute', () => {
  const taken = new Latencies();
  const minute = new LatencyWindow(taken);
  for (let count = 0; count < 10; count++) taken.add(3);
  assert.is(minute.percentileMs(0.99), 0, 'the minute is not over');
  minute.turn();
  assert.ok(minute.percentileMs(0.99) > 3 && minute.percentileMs(0.99) <= 4);
  minute.turn();
  assert.is(minute.percentileMs(0.99), 0);
});

window.run();
