// @limit 240
/** A short run of the rig that switches; `node dist/tests/chaos/switch.js --cycles 50` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { faultsOf, formatSwitches, runSwitches } from './switch.js';

const switches = suite('switching under load');

switches('what a SYNC_MASTER acknowledged is there after every switch, at its place', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const options = { cycles: 3, seed: 3, connections: 3, window: 8, loadMs: 500, keep: false, log: console.log };
  const result = await runSwitches({ launchers, ...options });
  console.log(formatSwitches(result));
  assert.is(faultsOf(result), 0);
  assert.ok(result.report.acknowledged > 100);
});

switches.run();
