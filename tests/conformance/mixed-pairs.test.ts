// @limit 240
/** The checks of the rig for mixed pairs find what is wrong: on a pair of RingMQ alone, so without Java. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatRow } from './mixed-pairs.js';
import { drawEvents, formatPairRun, type PairRunResult, type Plant, pairEvents, runPair } from './pair-run.js';

const rig = suite('the rig for mixed pairs');

async function run(plant?: Plant): Promise<PairRunResult | undefined> {
  const ringmq = ringmqLaunchers();
  if (!ringmq) {
    skip('bin/mqnamesrv and bin/mqbroker are not there');
    return undefined;
  }
  const result = await runPair({
    master: ringmq,
    slave: ringmq,
    role: 'ASYNC_MASTER',
    count: 2000,
    seed: 1,
    events: plant === undefined ? drawEvents(1, 1) : [],
    segmentBytes: MiB,
    ...(plant === undefined ? {} : { plant }),
    keep: false,
    log: line => console.log(line),
  });
  console.log(formatPairRun(result));
  return result;
}

rig('finds nothing where all is well, through all restarts', async () => {
  const result = await run();
  if (result === undefined) return;
  assert.is(result.faultCount, 0, formatPairRun(result));
  assert.is(result.restarts, pairEvents.length);
  assert.ok(result.report.acknowledged >= 2000);
  assert.ok(result.report.read >= result.report.acknowledged);
  assert.ok(result.logs.bytes > MiB);
});

rig('finds messages that only the master had', async () => {
  const result = await run('loss');
  if (result === undefined) return;
  assert.is(result.report.faults.lost.length, 10);
  assert.match(formatRow('a, b', 'ASYNC_MASTER', result), /^\| a, b \| ASYNC_MASTER \| 2\d{3} \| 0 \| 10 \| 0 \|/);
});

rig('finds one byte that differs', async () => {
  const result = await run('byte');
  if (result === undefined) return;
  assert.is(result.logs.differing, 1);
  assert.equal(result.logs.places, ['00000000000000000000: 1 bytes differ, the first at 100']);
  assert.is(result.faultCount, 1, formatPairRun(result));
});

rig('draws each way to end each of the two once a round, in an order of the seed', () => {
  const events = drawEvents(7, 3);
  assert.equal(events, drawEvents(7, 3));
  assert.not.equal(events, drawEvents(8, 3));
  for (const event of pairEvents) assert.is(events.filter(drawn => drawn === event).length, 3);
});

rig.run();
