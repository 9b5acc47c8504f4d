// @limit 300
/** Short runs of the churn rig; `node dist/tests/chaos/churn.js` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { type ChurnResult, formatChurn, runChurn } from './churn.js';

const churn = suite('consumers that come and go');

/** The moments of a run come from its seed; what it meets there does not. */
async function run(more: { order: boolean; kills: boolean }): Promise<ChurnResult | undefined> {
  const launchers = ringmqLaunchers();
  if (!launchers) {
    skip('bin/mqnamesrv and bin/mqbroker are not there');
    return undefined;
  }
  const shape = { seconds: 10, members: 8, queues: 12, producers: 1, seed: 1 };
  const result = await runChurn({ launchers, ...shape, ...more, keep: false, log: console.log });
  assert.is(result.faultCount, 0, formatChurn(result));
  assert.ok(result.sent > 0 && result.leaves > 0 && result.handovers > 0, formatChurn(result));
  return result;
}

churn('every message is consumed, and none too often, though members are killed', async () => {
  const result = await run({ order: false, kills: true });
  if (result !== undefined) assert.ok(result.kills > 0, formatChurn(result));
});

// Without kills: the locks of a member that was killed hold its queues for a minute.
churn('each queue is consumed in its order', async () => {
  await run({ order: true, kills: false });
});

churn.run();
