/** Name servers and brokers against a running node: configuration, the key-value table, permissions, cleaning up. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestNode } from '../support.js';

const servers = suite('ringmq namesrv, kv, broker and topic perm against a node');
let node: TestNode;

servers.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
  assert.is((await node.ringmq('topic', 'create', 'Orders', '-q', '3')).code, 0);
});

servers.after(() => node.stop());

servers('namesrv config shows keys, namesrv set changes them', async () => {
  assert.is((await node.ringmq('namesrv', 'config', 'orderMessageEnable')).out, 'orderMessageEnable=false');
  const { code, out } = await node.ringmq('namesrv', 'set', 'orderMessageEnable=true');
  assert.is(code, 0);
  assert.match(out, new RegExp(`${node.namesrvAddr} +orderMessageEnable +false +true`));
  const shown = JSON.parse((await node.ringmq('namesrv', 'config', '--json')).out) as Record<string, object>;
  assert.is((shown[node.namesrvAddr] as { orderMessageEnable: string }).orderMessageEnable, 'true');
  const mistyped = await node.ringmq('namesrv', 'set', 'orderMesageEnable=false');
  assert.is(mistyped.code, 1);
  assert.match(mistyped.err, /no key orderMesageEnable\nDid you mean orderMessageEnable\?/);
  assert.match((await node.ringmq('namesrv', 'set', 'orderMessageEnable')).err, /is no setting/);
});

servers('kv sets, gets, lists and deletes', async () => {
  const kv = (...args: string[]) => node.ringmq('kv', ...args);
  assert.match((await kv('list', 'ORDER_TOPIC_CONFIG')).err, /there is no namespace ORDER_TOPIC_CONFIG/);
  assert.is((await kv('set', 'ORDER_TOPIC_CONFIG', 'Orders', 'broker-a:3')).code, 0);
  assert.is((await kv('get', 'ORDER_TOPIC_CONFIG', 'Orders')).out, 'broker-a:3');
  assert.match((await kv('list', 'ORDER_TOPIC_CONFIG')).out, /^Orders +broker-a:3$/);
  assert.is((await kv('delete', 'ORDER_TOPIC_CONFIG', 'Orders')).code, 0);
  for (const verb of ['get', 'delete']) {
    const gone = await kv(verb, 'ORDER_TOPIC_CONFIG', 'Orders');
    assert.is(gone.code, 1);
    assert.match(gone.err, /ORDER_TOPIC_CONFIG has no key Orders/);
  }
  assert.not.match((await kv('list', 'ORDER_TOPIC_CONFIG')).out, /Orders/);
});

servers('topic perm changes the permission and nothing else', async () => {
  await node.ringmq('topic', 'create', 'Uneven', '-r', '6', '-w', '2');
  const { code, out } = await node.ringmq('topic', 'perm', 'Uneven', 'r');
  assert.is(code, 0);
  assert.match(out, /broker-a +\S+ +RW- +R--$/);
  assert.match((await node.ringmq('topic', 'route', 'Uneven')).out, / 6 +2 +R-- /);
  const [change] = JSON.parse((await node.ringmq('topic', 'perm', 'Uneven', 'rw', '-b', 'broker-a', '--json')).out);
  assert.equal([change.before, change.perm], [4, 6]);
  assert.match((await node.ringmq('topic', 'perm', 'Uneven', 'rw', '-b', 'broker-z')).err, /no master broker-z/);
  assert.match((await node.ringmq('topic', 'perm', 'Uneven', 'x')).err, /Allowed choices are rw, r, w/);
  assert.match((await node.ringmq('topic', 'perm', 'Nothing', 'r')).err, /there is no topic Nothing/);
});

servers('wipe-write takes a broker out for producers, add-write brings it back', async () => {
  const wiped = await node.ringmq('broker', 'wipe-write', 'broker-a');
  assert.is(wiped.code, 0);
  assert.match(wiped.out, new RegExp(`${node.namesrvAddr} +[1-9]\\d*$`, 'm'));
  assert.match((await node.ringmq('topic', 'route', 'Orders')).out, / R-- /);
  assert.is((await node.ringmq('broker', 'add-write', 'broker-a')).code, 0);
  assert.match((await node.ringmq('topic', 'route', 'Orders')).out, / RW- /);
  const unknown = await node.ringmq('broker', 'wipe-write', 'broker-z');
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /no broker named broker-z\nBrokers: broker-a/);
});

servers('clean asks the brokers meant', async () => {
  for (const what of ['expired-queues', 'unused-topics']) {
    for (const place of [[], ['-b', 'broker-a'], ['-c', 'DefaultCluster']]) {
      const { code, out } = await node.ringmq('broker', 'clean', what, ...place);
      assert.is(code, 0);
      assert.match(out, new RegExp(`^broker-a ${node.brokerAddr} deletes`));
    }
  }
  assert.match((await node.ringmq('broker', 'clean', 'everything')).err, /Allowed choices/);
  assert.match((await node.ringmq('broker', 'clean', 'unused-topics', '-c', 'Other')).err, /no cluster Other/);
});

servers('broker status tells how long puts take', async () => {
  assert.is((await node.ringmq('send', 'Orders', 'x')).code, 0);
  const { out } = await node.ringmq('broker', 'status');
  assert.match(
    out,
    /^put latency +(this minute .*\d+|nothing stored this minute); .*p99.9 \d+\.\d\d ms; longest \d+ ms$/m,
  );
});

servers('cluster status has a line for each broker', async () => {
  const [state] = JSON.parse((await node.ringmq('cluster', 'status', '--json')).out) as Record<string, unknown>[];
  assert.is(state?.role, 'ASYNC_MASTER');
  assert.is(state?.address, node.brokerAddr);
  assert.type(state?.commitLogMaxOffset, 'number');
});

servers.run();
