/** The hops of one message by each path, as `ringmq trace message` tells them, and what its client measured. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { inOrder, pathNames, paths, slaveActor, slaveLabels } from '../support/trace-clients.js';
import { type PathResult, tracePaths } from './trace-paths.js';

const trace = suite('one message by each path');
let results: readonly PathResult[] = [];

trace.before(async () => {
  results = await tracePaths(ringmqLaunchers()!, pathNames, 1);
});

for (const name of pathNames) {
  trace(`${name}: every hop is there, in its order, and they leave no time out`, () => {
    const { messages } = results.find(({ path }) => path === name)!;
    const [{ hops, inMs, sumMs, outMs, clientMs, printed }] = messages as [(typeof messages)[number]];
    const labels = hops.map(({ label }) => label);
    assert.ok(inOrder(hops, paths[name].labels), labels.join(', '));
    assert.is(labels[0], 'arrived');
    assert.is(labels.at(-1), paths[name].last);
    assert.ok(Math.abs(sumMs - (hops.at(-1)!.timeMs - hops[0]!.timeMs)) < 0.001);
    // The clocks of two processes agree as far as they can be compared: the broker's part lies within the client's.
    assert.ok(inMs > 0 && outMs > 0 && sumMs < clientMs, `${inMs} + ${sumMs} + ${outMs} of ${clientMs} ms`);
    assert.ok(
      Math.abs(inMs + sumMs + outMs - clientMs) < 0.05 * clientMs,
      `${inMs} + ${sumMs} + ${outMs} of ${clientMs} ms`,
    );
    assert.match(printed, /^HOP +ACTOR +AT MS +TOOK MS$/m);
  });
}

trace('replicated: the slave tells its part, and its clock is compared', () => {
  const { messages } = results.find(({ path }) => path === 'replicated')!;
  const { hops, printed } = messages[0]!;
  const ofSlave = hops.filter(({ actor }) => slaveActor.test(actor));
  assert.ok(inOrder(ofSlave, slaveLabels), ofSlave.map(({ label }) => label).join(', '));
  assert.match(printed, /^the clock of 127\.0\.0\.1:\d+ is /m);
});

trace.run();
