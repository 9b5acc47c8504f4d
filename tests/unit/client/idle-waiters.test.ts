/** Waiting until nothing runs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IdleWaiters } from '../../../client/idle-waiters.js';

const idle = suite('client/idle-waiters');

idle('a release ends every wait, with and without a limit', async () => {
  const waiters = new IdleWaiters();
  const waits = [waiters.wait(), waiters.wait(60_000)];
  waiters.release();
  assert.equal(await Promise.all(waits), [true, true]);
});

idle('a wait that is over its limit is not kept, and others are', async () => {
  const waiters = new IdleWaiters();
  const patient = waiters.wait();
  assert.is(await waiters.wait(1), false);
  waiters.release();
  assert.is(await patient, true);
});

idle.run();
