/** Commands against a running node: topics, messages, brokers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestNode } from '../support.js';

const commands = suite('commands against a node');
let node: TestNode;

commands.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
});

commands.after(() => node.stop());

commands('cluster list shows the broker and its version', async () => {
  const { code, out } = await node.ringmq('cluster', 'list');
  assert.is(code, 0);
  assert.match(out, new RegExp(`DefaultCluster +broker-a +0 +${node.brokerAddr} +V\\d`));
  const [line] = JSON.parse((await node.ringmq('cluster', 'list', '--json')).out) as Record<string, unknown>[];
  assert.is(line?.address, node.brokerAddr);
  assert.is(line?.answers, true);
});

commands('a topic is created, listed, shown and deleted', async () => {
  assert.match((await node.ringmq('topic', 'list')).out, /no topics yet/);
  const made = await node.ringmq('topic', 'create', 'Orders', '--queues', '3', '--perm', 'r');
  assert.is(made.code, 0, made.err);
  assert.match(made.out, /Orders is there: 3 queues/);
  assert.match((await node.ringmq('topic', 'list')).out, /^Orders +3 +broker-a$/m);
  assert.not.match((await node.ringmq('topic', 'list')).out, 'TBW102');
  assert.match((await node.ringmq('topic', 'list', '--all')).out, /^TBW102 /m);
  assert.match((await node.ringmq('topic', 'route', 'Orders')).out, /broker-a +DefaultCluster +3 +3 +R-- /);

  const hesitant = await node.ringmq('topic', 'delete', 'Orders');
  assert.is(hesitant.code, 1);
  assert.match(hesitant.err, /would delete Orders with 0 messages in 3 queues/);
  assert.match(hesitant.err, /--yes/);
  assert.match((await node.ringmq('topic', 'list')).out, /^Orders /m, 'it is still there');
  assert.is((await node.ringmq('topic', 'delete', 'Orders', '--yes')).code, 0);
  assert.match((await node.ringmq('topic', 'list')).out, /no topics yet/);
  const gone = await node.ringmq('topic', 'route', 'Orders');
  assert.is(gone.code, 1);
  assert.match(gone.err, /there is no topic Orders/);
});

commands('a topic can have other numbers of queues to read and to write', async () => {
  const { out } = await node.ringmq('topic', 'create', 'Uneven', '-r', '6', '-w', '2', '--json');
  const { readQueueNums, writeQueueNums, brokerAddrs } = JSON.parse(out) as Record<string, unknown>;
  assert.equal([readQueueNums, writeQueueNums, brokerAddrs], [6, 2, [node.brokerAddr]]);
  assert.match((await node.ringmq('topic', 'route', 'Uneven')).out, / 6 +2 +RW- /);
});

commands('a topic for a cluster nobody knows is refused with the ones there are', async () => {
  const { code, err } = await node.ringmq('topic', 'create', 'Lost', '-c', 'OtherCluster');
  assert.is(code, 1);
  assert.match(err, /OtherCluster has no master/);
  assert.match(err, /Clusters: DefaultCluster/);
});

commands('what was sent is pulled, in the order it was stored', async () => {
  assert.is((await node.ringmq('topic', 'create', 'Letters', '-q', '2')).code, 0);
  for (const [text, tag] of [
    ['first', 'a'],
    ['second', 'b'],
    ['third', 'a'],
  ] as const) {
    const sent = await node.ringmq('send', 'Letters', text, '--tags', tag, '--keys', `key-${text}`);
    assert.is(sent.code, 0, sent.err);
    assert.match(sent.out, /^SEND_OK +Letters, broker-a, queue [01], offset \d/);
  }
  const { out } = await node.until(outcome => outcome.out.split('\n').length === 3, 'pull', 'Letters');
  assert.equal(
    out.split('\n').map(line => line.replace(/^\S+ \S+ +/, '')),
    ['[a] first', '[b] second', '[a] third'],
  );

  const tagged = await node.ringmq('pull', 'Letters', '--tags', 'a', '--json');
  const messages = tagged.out.split('\n').map(line => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    messages.map(({ body, tags, keys }) => [body, tags, keys]),
    [
      ['first', 'a', ['key-first']],
      ['third', 'a', ['key-third']],
    ],
  );

  const one = await node.ringmq('pull', 'Letters', '--max', '1');
  assert.is(one.out.split('\n').length, 1);
  assert.match(one.err, /there are more/);
  assert.match((await node.ringmq('topic', 'status', 'Letters')).out, /3 messages in 2 queues$/);
  assert.match((await node.ringmq('pull', 'Letters', '--from', 'latest')).err, /nothing to read in Letters/);
});

commands('a send that cannot be is refused in words', async () => {
  const { code, err } = await node.ringmq('send', 'bad topic', 'x');
  assert.is(code, 1);
  assert.match(err, /topic "bad topic" is blank or holds characters/);
});

commands('broker status tells what it holds; one broker needs no name', async () => {
  const { code, out } = await node.ringmq('broker', 'status');
  assert.is(code, 0);
  assert.match(out, new RegExp(`^broker +broker-a ${node.brokerAddr}$`, 'm'));
  assert.match((await node.ringmq('broker', 'status', node.brokerAddr, '--all')).out, /^commitLogMaxOffset +\d+$/m);
  const unknown = await node.ringmq('broker', 'status', 'broker-z');
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /no broker named broker-z\nBrokers: broker-a/);
});

commands('broker config shows keys; broker set changes them', async () => {
  assert.is((await node.ringmq('broker', 'config', 'fileReservedTime')).out, 'fileReservedTime=72');
  const { code, out } = await node.ringmq('broker', 'set', 'fileReservedTime=48', '-b', 'broker-a');
  assert.is(code, 0);
  assert.match(out, /fileReservedTime +72 +48/);
  assert.is((await node.ringmq('broker', 'config', 'fileReservedTime')).out, 'fileReservedTime=48');

  const later = await node.ringmq('broker', 'set', 'maxMessageSize=65536');
  assert.match(later.out, /after a restart: maxMessageSize/);
});

commands('broker set refuses keys nobody knows, values that are none and words without a sign', async () => {
  const mistyped = await node.ringmq('broker', 'set', 'fileReservedTme=1');
  assert.is(mistyped.code, 1);
  assert.match(mistyped.err, /no key fileReservedTme\nDid you mean fileReservedTime\?/);
  const bad = await node.ringmq('broker', 'set', 'fileReservedTime=soon');
  assert.is(bad.code, 1);
  assert.match(bad.err, /fileReservedTime=soon: must be a whole number/);
  const word = await node.ringmq('broker', 'set', 'fileReservedTime');
  assert.is(word.code, 1);
  assert.match(word.err, /is no setting/);
});

commands.run();
