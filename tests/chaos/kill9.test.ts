// @limit 240
/** A short run of the kill -9 rig; `node dist/tests/chaos/kill9.js --cycles 200` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatKill9, runKill9 } from './kill9.js';
import { formatKill9Delayed, runKill9Delayed } from './kill9-delayed.js';

const kill9 = suite('kill -9');

kill9('an acknowledged message survives the broker', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const options = { cycles: 3, seed: 1, connections: 3, window: 8, loadMs: 600, keep: false, log: console.log };
  const result = await runKill9({ launchers, ...options });
  assert.is(result.faultCount, 0, formatKill9(result));
  assert.ok(result.acknowledged > 0, formatKill9(result));
});

kill9('a delayed message survives the broker, and is delivered in its order', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const result = await runKill9Delayed({ launchers, cycles: 3, seed: 1, loadMs: 2500, log: console.log });
  assert.equal(result.faults, [], formatKill9Delayed(result));
  assert.ok(result.acknowledged > 0, formatKill9Delayed(result));
});

kill9.run();
