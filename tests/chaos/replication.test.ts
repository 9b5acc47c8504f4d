// @limit 240
/** A short run of the replication rig; `node dist/tests/chaos/replication.js --cycles 100` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatReplication, runReplication } from './replication.js';

const replication = suite('replication under kill -9');

replication('what a SYNC_MASTER acknowledged is on its slave, whoever is killed', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const options = { cycles: 3, seed: 3, connections: 3, window: 8, loadMs: 500, keep: false, log: console.log };
  const result = await runReplication({ launchers, ...options });
  console.log(formatReplication(result));
  assert.equal(result.faults, []);
  assert.ok(result.acknowledged > 100);
});

replication.run();
