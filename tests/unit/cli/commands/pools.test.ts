/** `ringmq pools` and `ringmq doctor` against a running node. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../../../cli/exit-codes.js';
import { TestNode } from '../support.js';

const pools = suite('ringmq pools');
let node: TestNode;

pools.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
});

pools.after(() => node.stop());

pools('shows lanes and threads', async () => {
  const { code, out, err } = await node.ringmq('pools');
  assert.is(code, 0, err);
  assert.match(out, /threadingMode +inline: one lane of each kind, whatever the keys say/);
  assert.match(out, /^sends in flight +0 of 16384$/m);
  assert.match(out, /^LANE +THREAD +REQUESTS\/S +BUSY +WAITING +WAIT P99 MS +LONGEST MS +REFUSED$/m);
  assert.match(out, /^send-lane-0 +main +0 +\d+% +0 B +0\.0 +0 +0$/m);
  assert.match(out, /^pull-lane-0 +main +0 /m);
  assert.match(out, /^main +\d+% +\d+% +.*send-lane-0 .*commit-log-writer/m);
});

pools('the same as JSON', async () => {
  const facts = JSON.parse((await node.ringmq('pools', 'show', '--json')).out) as {
    readonly intervalMs: number;
    readonly lanes: readonly { readonly name: string }[];
    readonly config: { readonly sendMessageThreadPoolNums: number };
  };
  assert.equal(
    facts.lanes.map(({ name }) => name),
    ['send-lane-0', 'pull-lane-0'],
  );
  assert.ok(facts.intervalMs >= 990 && facts.config.sendMessageThreadPoolNums > 0);
});

pools('set changes keys of the pools only, and says when', async () => {
  const { code, out, err } = await node.ringmq('pools', 'set', 'sendMessageThreadPoolNums=7');
  assert.is(code, 0, err);
  assert.match(out, /^sendMessageThreadPoolNums +\d+ +7$/m);
  assert.match(out, /after a restart: sendMessageThreadPoolNums|one lane of each kind/);
  const wrong = await node.ringmq('pools', 'set', 'fileReservedTime=48');
  assert.is(wrong.code, ExitCode.BAD_COMMAND_LINE);
  assert.match(wrong.err, /fileReservedTime is no key of the pools[\s\S]*sendMessageThreadPoolNums/);
});

pools('doctor says what limits the broker', async () => {
  const { code, out, err } = await node.ringmq('doctor');
  assert.is(code, 0, err);
  assert.match(out, /^limited by nothing$/m);
  assert.match(out, /requests a second come in/);
  const diagnosis = JSON.parse((await node.ringmq('doctor', '--json')).out) as { readonly bottleneck: string };
  assert.is(diagnosis.bottleneck, 'nothing');
});

pools('a broker that is not there is named', async () => {
  const { code, err } = await node.ringmq('pools', '--broker', 'nobody');
  assert.is(code, 1);
  assert.match(err, /there is no broker named nobody/);
});

pools.run();
