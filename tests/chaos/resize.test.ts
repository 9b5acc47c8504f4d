// @limit 120
/** A short run of the rig for resizes; `node dist/tests/chaos/resize.js` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatResize, runResize } from './resize.js';

const resize = suite('lanes are added and drained under load');

resize('nothing is lost, answered twice or out of order', async () => {
  const result = await runResize({ resizes: 25, seed: 1, log: () => {} });
  assert.equal(result.faults, [], formatResize(result));
  assert.ok(result.sent > 1000 && result.pulled === result.sent, formatResize(result));
});

resize.run();
