/** Windows of a statistic. Source: StatsItem. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StatsItem } from '../../../../actors/coordinator/stats-item.js';

const stats = suite('actors/coordinator/stats-item');

const startMs = 1_700_000_000_000;

stats('what came before the first sample counts as come in the time before it', () => {
  const item = new StatsItem();
  assert.equal(item.figures('minute', 'messages'), { sum: 0, tps: 0, avgpt: 0 });
  item.total = { messages: 50, bytes: 5000, times: 10 };
  item.sample('minute', startMs);
  assert.equal(item.figures('minute', 'messages'), { sum: 50, tps: 5, avgpt: 5 });
  assert.equal(item.figures('minute', 'bytes'), { sum: 5000, tps: 500, avgpt: 500 });
  assert.equal(item.figures('hour', 'messages'), { sum: 0, tps: 0, avgpt: 0 }, 'not sampled yet');
});

stats('a minute is over after six samples more', () => {
  const item = new StatsItem();
  item.total = { messages: 60, bytes: 0, times: 60 };
  for (let sample = 0; sample < 6; sample++) item.sample('minute', startMs + sample * 10_000);
  assert.is(item.figures('minute', 'messages').sum, 60);
  assert.is(item.figures('minute', 'messages').tps, 1);
  item.sample('minute', startMs + 60_000);
  assert.equal(item.figures('minute', 'messages'), { sum: 0, tps: 0, avgpt: 0 });
});

stats('the windows are apart', () => {
  const item = new StatsItem();
  item.total = { messages: 3600, bytes: 0, times: 3600 };
  for (const window of ['minute', 'hour', 'day'] as const) item.sample(window, startMs);
  assert.equal(
    (['minute', 'hour', 'day'] as const).map(window => item.figures(window, 'messages').tps),
    [360, 6, 1],
  );
});

stats.run();
