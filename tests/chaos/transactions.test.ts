// @limit 240
/** A short run of the rig for transactions; `node dist/tests/chaos/transactions.js` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatTransactions, runTransactions } from './transactions.js';

const transactions = suite('transactions under kill -9');

transactions('each is committed or rolled back in the end', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const options = { transactions: 150, kills: 2, seed: 1, producers: 3, keep: false, log: console.log };
  const result = await runTransactions({ launchers, ...options });
  assert.equal(result.faults, [], formatTransactions(result));
  assert.ok(result.questions > 0, formatTransactions(result));
});

transactions.run();
