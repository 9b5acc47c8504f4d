// @limit 240
/** A short run of the rig of former masters; `node dist/tests/chaos/rejoin.js --cycles 50` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatRejoins, runRejoins } from './rejoin.js';

const rejoins = suite('former masters that rejoin');

rejoins('what the dead master had alone is in its file, and it follows its successor', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const options = { cycles: 3, seed: 3, connections: 3, window: 8, loadMs: 500, keep: false, log: console.log };
  const result = await runRejoins({ launchers, ...options });
  console.log(formatRejoins(result));
  assert.equal(result.faults, []);
  assert.ok(result.tails > 0, 'a master had something alone');
});

rejoins.run();
