/** Groups against a running node: made, seen, moved, gone; offline and with a consumer that is online. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Producer, PushConsumer } from '../../../../client/index.js';
import { until } from '../../../support/until.js';
import { TestNode } from '../support.js';

const groups = suite('ringmq group, producer and stats against a node');
let node: TestNode;

const json = async (...args: string[]): Promise<unknown> => {
  const { code, out, err } = await node.ringmq(...args, '--json');
  assert.is(code, 0, err);
  return JSON.parse(out);
};

/** Offsets of a group in its only topic, by queue. */
async function offsets(group: string): Promise<number[]> {
  const { queues } = (await json('group', 'progress', group)) as { queues: { consumerOffset: number }[] };
  return queues.map(({ consumerOffset }) => consumerOffset);
}

groups.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
  assert.is((await node.ringmq('topic', 'create', 'Orders', '-q', '2')).code, 0);
  // The client spreads over the queues: with four messages both have some.
  const producer = new Producer({ namesrvAddr: node.namesrvAddr, producerGroup: 'shop' });
  await producer.start();
  for (const body of ['0', '1', '2', '3']) await producer.send({ topic: 'Orders', body });
  await producer.shutdown();
  await node.until(({ out }) => out.includes('4 messages in 2 queues'), 'topic', 'status', 'Orders');
});

groups.after(() => node.stop());

groups('a group is created, changed, listed, shown and deleted', async () => {
  assert.match((await node.ringmq('group', 'list')).out, /no groups yet/);
  const made = await node.ringmq(
    'group',
    'create',
    'billing',
    '--retryMaxTimes',
    '3',
    '--consumeBroadcastEnable',
    'false',
  );
  assert.is(made.code, 0, made.err);
  assert.match(made.out, /^retryMaxTimes +3$/m);
  await node.ringmq('group', 'create', 'billing', '--retryQueueNums', '2');
  const { out } = await node.ringmq('group', 'show', 'billing');
  for (const line of [/^retryMaxTimes +3$/m, /^retryQueueNums +2$/m, /^consumeBroadcastEnable +false$/m])
    assert.match(out, line, 'what is not given stays');
  assert.match((await node.ringmq('group', 'list')).out, /^billing +0 +- +- +broker-a$/m);
  assert.match((await node.ringmq('group', 'list', '--all')).out, /^TOOLS_CONSUMER /m);
  assert.match((await node.ringmq('group', 'create', 'x', '--consumeEnable', 'maybe')).err, /Expected true or false/);

  const hesitant = await node.ringmq('group', 'delete', 'billing');
  assert.is(hesitant.code, 1);
  assert.match(hesitant.err, /would delete billing .* 0 dead letters; 0 of its clients are online/);
  assert.is((await node.ringmq('group', 'delete', 'billing', '--yes')).code, 0);
  for (const verb of ['show', 'delete', 'progress']) {
    const gone = await node.ringmq('group', verb, 'billing');
    assert.is(gone.code, 1);
    assert.match(gone.err, /there is no group billing/);
  }
});

groups('the offsets of a group that is offline are set, to every kind of place', async () => {
  await node.ringmq('group', 'create', 'offline');
  assert.match((await node.ringmq('group', 'progress', 'offline')).out, /has consumed nothing yet/);
  const reset = (...to: string[]) => node.ringmq('group', 'reset', 'offline', 'Orders', '--to', ...to);

  const planned = await reset('latest', '--dryRun');
  assert.match(planned.out, /WOULD BE\nbroker-a +0 +0 +2\nbroker-a +1 +0 +2$/);
  assert.match((await node.ringmq('group', 'progress', 'offline')).out, /has consumed nothing yet/, 'nothing was done');
  assert.is((await reset('latest')).code, 0);
  assert.equal(await offsets('offline'), [2, 2]);
  await reset('offset:1', '--queue', '1');
  assert.equal(await offsets('offline'), [2, 1]);
  await reset('-1h');
  assert.equal(await offsets('offline'), [0, 0]);
  await reset('latest');
  await reset('earliest', '-b', 'broker-a');
  assert.equal(await offsets('offline'), [0, 0]);
  assert.match((await node.ringmq('group', 'progress', 'offline')).out, /^4 messages behind/m);

  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['offset:9'], /queue 0 of broker-a has no offset 9: it holds 0 to 2/],
    [['earliest', '-q', '7'], /Orders has no queue 7/],
    [['earliest', '-b', 'broker-z'], /Orders has no master broker-z/],
    [['7'], /Expected earliest, latest, offset:N or a time/],
  ];
  for (const [to, says] of refusals) {
    const { code, err } = await reset(...to);
    assert.is(code, 1);
    assert.match(err, says);
  }
  assert.match((await node.ringmq('group', 'reset', 'nobody', 'Orders', '--to', 'latest')).err, /no group nobody/);
  assert.match((await node.ringmq('group', 'reset', 'offline', 'Nothing', '--to', 'latest')).err, /no topic Nothing/);
});

groups('a group starts where another one is', async () => {
  await node.ringmq('group', 'create', 'source');
  assert.match((await node.ringmq('group', 'clone', 'source', 'copy')).err, /source has consumed nothing/);
  await node.ringmq('group', 'reset', 'source', 'Orders', '--to', 'offset:1');
  assert.match((await node.ringmq('group', 'clone', 'source', 'other', '-t', 'None')).err, /nothing of None/);
  const { code, out } = await node.ringmq('group', 'clone', 'source', 'copy');
  assert.is(code, 0);
  assert.match(out, /Orders +broker-a +0 +1\nOrders +broker-a +1 +1$/);
  assert.equal(await offsets('copy'), [1, 1]);
});

groups('clients that are online are shown, counted, and told of a reset', async () => {
  let seen = 0;
  const consumer = new PushConsumer({
    namesrvAddr: node.namesrvAddr,
    consumerGroup: 'online',
    instanceName: 'one',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    persistConsumerOffsetIntervalMs: 100,
  });
  consumer.subscribe('Orders');
  consumer.consumeConcurrently(async messages => {
    seen += messages.length;
    return 'CONSUME_SUCCESS';
  });
  await consumer.start();
  try {
    const shown = await node.until(({ code }) => code === 0, 'group', 'clients', 'online');
    assert.match(shown.out, /^model +CLUSTERING$/m);
    assert.match(shown.out, /@one +127\.0\.0\.1:\d+ +\w+ +V4_9_8$/m);
    assert.match(shown.out, /^Orders +TAG +\*$/m);
    assert.match((await node.ringmq('group', 'list')).out, /^online +1 +CONSUME_PASSIVELY +CLUSTERING +broker-a$/m);
    assert.match((await node.ringmq('cluster', 'status')).out, /ASYNC_MASTER +\S+ +\d+ +- +1 +0$/m);

    const progress = ['group', 'progress', 'online'];
    assert.match((await node.ringmq('group', 'clone', 'source', 'online')).err, /1 clients of online are online/);
    const one = await node.ringmq('group', 'reset', 'online', 'Orders', '--to', 'offset:1');
    assert.is(one.code, 1);
    assert.match(one.err, /1 clients of online are online\nThey can be told of a time/);
    await node.until(({ out }) => out.includes('\n0 messages behind'), ...progress);
    assert.is(seen, 4);
    const told = await node.ringmq('group', 'reset', 'online', 'Orders', '--to', 'earliest');
    assert.is(told.code, 0);
    assert.match(told.out, /broker-a +0 +2 +0\nbroker-a +1 +2 +0\n1 clients are online and were told/);
    await until(() => seen === 8, 'all messages once more');
    assert.match((await node.ringmq('group', 'progress')).out, /^online +1 /m);
  } finally {
    await consumer.shutdown();
  }
  const gone = await node.until(({ code }) => code === 1, 'group', 'clients', 'online');
  assert.match(gone.err, /no client of the consumer group online is online/);
});

groups('producers that are online are shown', async () => {
  const { err } = await node.until(({ code }) => code === 1, 'producer', 'clients', 'shop');
  assert.match(err, /no client of the producer group shop is online/);
  const producer = new Producer({ namesrvAddr: node.namesrvAddr, producerGroup: 'shop' });
  await producer.start();
  try {
    await producer.send({ topic: 'Orders', body: 'x' });
    const shown = await node.until(({ code }) => code === 0, 'producer', 'clients', 'shop');
    assert.match(shown.out, /@\S+ +127\.0\.0\.1:\d+ +\w+ +V4_9_8$/m);
  } finally {
    await producer.shutdown();
  }
});

groups('stats show each topic with its groups, and what waits', async () => {
  await node.ringmq('group', 'reset', 'offline', 'Orders', '--to', 'latest');
  await node.ringmq('group', 'reset', 'offline', 'Orders', '--to', 'offset:1', '-q', '0');
  await node.ringmq('topic', 'create', 'Quiet');
  const { out } = await node.ringmq('stats');
  assert.match(out, /^Quiet +- +- +0\.0 +- +0 +-$/m);
  assert.match(out, /^Orders +offline +[12] +\d+\.\d +0\.0 +\d+ +0$/m);
  const lines = (await json('stats', 'offline')) as { group: string; backlog: number }[];
  assert.equal(
    lines.map(({ group }) => group),
    ['offline'],
  );
  assert.not.match((await node.ringmq('stats', 'Quiet')).out, /Orders/);
  const unknown = await node.ringmq('stats', 'Nothing');
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /no topic is called Nothing/);
});

groups.run();
