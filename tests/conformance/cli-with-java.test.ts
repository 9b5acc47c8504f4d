// @limit 300
/**
 * The verbs of `ringmq` against a Java 4.9.7 name server and broker. `RINGMQ_REFERENCE` names the folder of the
 * launchers `mqnamesrv` and `mqbroker`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientCluster, eventually } from '../support/client-cluster.js';
import { javaLaunchers } from '../support/java.js';
import { skip } from '../support/skip.js';
import { type Outcome, runProgram } from '../unit/cli/support.js';

const java = suite('ringmq against Java 4.9.7');

let cluster: ClientCluster | undefined;
let reason = '';

java.before(async () => {
  const launchers = javaLaunchers('4.9.7');
  if (typeof launchers === 'string') reason = launchers;
  else cluster = await ClientCluster.start(launchers, {});
});

java.after(() => cluster?.end());

async function ringmq(...args: string[]): Promise<Outcome> {
  return runProgram('ringmq', args, { NAMESRV_ADDR: cluster!.namesrvAddr });
}

/** Insists on success. */
async function out(...args: string[]): Promise<string> {
  const outcome = await ringmq(...args);
  assert.is(outcome.code, 0, `ringmq ${args.join(' ')}: ${outcome.err}`);
  return outcome.out;
}

async function json<Value>(...args: string[]): Promise<Value> {
  return JSON.parse(await out(...args, '--json')) as Value;
}

/** Until a command says this. */
const says = (pattern: RegExp, ...args: string[]): Promise<void> =>
  eventually(async () => pattern.test((await ringmq(...args)).out), `${pattern} from ringmq ${args.join(' ')}`);

interface Found {
  readonly msgId: string;
  readonly offsetMsgId: string;
  readonly body: string;
}

function withCluster(name: string, body: (cluster: ClientCluster) => Promise<void>): void {
  java(name, async () => {
    if (cluster === undefined) return skip(reason);
    await body(cluster);
  });
}

withCluster('topics: created, permission changed, shown', async ({ broker }) => {
  await out('topic', 'create', 'Perm', '-r', '6', '-w', '2');
  await says(/^Perm /m, 'topic', 'list');
  assert.match(await out('topic', 'perm', 'Perm', 'r'), new RegExp(`${broker.address} +RW- +R--$`));
  await says(/ 6 +2 +R-- /, 'topic', 'route', 'Perm');
});

withCluster('messages: listed by time, found by key and unique id, shown', async () => {
  await out('topic', 'create', 'Letters', '-q', '2');
  await says(/ 2 +2 /, 'topic', 'route', 'Letters');
  for (const body of ['first', 'second']) await out('send', 'Letters', body, '--keys', `key-${body}`);
  await says(/"second"/, 'message', 'list', 'Letters', '--from', '-1h', '--json');
  await says(/key-second/, 'message', 'find', '-t', 'Letters', '--key', 'key-second');
  const [found] = await json<Found[]>('message', 'find', '-t', 'Letters', '--key', 'key-second');
  assert.is(found?.body, 'second');
  const [same] = await json<Found[]>('message', 'find', '-t', 'Letters', '--unique', found!.msgId);
  assert.is(same?.offsetMsgId, found?.offsetMsgId);
  assert.match(await out('message', 'show', found!.offsetMsgId), /^keys +key-second$/m);
  assert.match((await ringmq('message', 'find', '-t', 'Letters', '--key', 'none')).err, /no message of Letters/);
});

withCluster('groups that are offline: created, reset, cloned, deleted', async () => {
  await out('group', 'create', 'billing', '--retryMaxTimes', '3');
  assert.match(await out('group', 'show', 'billing'), /^retryMaxTimes +3$/m);
  assert.match(await out('group', 'list'), /^billing +0 /m);
  const lag = async (group: string) => (await json<{ lag: number }>('group', 'progress', group)).lag;
  await out('group', 'reset', 'billing', 'Letters', '--to', 'earliest');
  assert.is(await lag('billing'), 2);
  await out('group', 'clone', 'billing', 'copy');
  await out('group', 'reset', 'billing', 'Letters', '--to', 'latest');
  assert.is(await lag('billing'), 0);
  assert.match(await out('stats', 'Letters'), /^Letters +billing +0 /m);
  assert.match((await ringmq('group', 'clients', 'billing')).err, /no client of the consumer group billing/);
  assert.match((await ringmq('group', 'delete', 'billing')).err, /would delete billing/);
  await out('group', 'delete', 'billing', '--yes');
  assert.not.match(await out('group', 'list'), /^billing /m);
});

withCluster('clients that are online: shown, and told of a reset', async running => {
  let seen = 0;
  const consumer = running.pushConsumer({ consumerGroup: 'online', persistConsumerOffsetIntervalMs: 200 });
  consumer.subscribe('Letters');
  consumer.consumeConcurrently(async messages => {
    seen += messages.length;
    return 'CONSUME_SUCCESS';
  });
  await consumer.start();
  await eventually(() => seen === 2, 'both messages');
  await says(/^0 messages behind/m, 'group', 'progress', 'online');
  assert.match(await out('group', 'clients', 'online'), /^Letters +TAG +\*$/m);
  assert.match(await out('group', 'reset', 'online', 'Letters', '--to', 'earliest'), /1 clients are online/);
  await eventually(() => seen === 4, 'both messages once more');
  const [state] = await json<{ consumers: number; role: string }[]>('cluster', 'status');
  assert.is(state?.role, 'ASYNC_MASTER');
  assert.is(state?.consumers, 1);
  const producer = await running.producer({ producerGroup: 'shop' });
  await producer.send({ topic: 'Letters', body: 'third' });
  assert.match(await out('producer', 'clients', 'shop'), /V4_9_8$/m);
});

withCluster(
  'brokers and name servers: write permission, cleaning, configuration, key-value table',
  async ({ broker }) => {
    const [state] = await json<{ brokerName: string }[]>('cluster', 'status');
    const name = state!.brokerName;
    assert.match(await out('broker', 'status'), /^put latency +(this minute|nothing stored)/m);
    await out('broker', 'wipe-write', name);
    await says(/ R-- /, 'topic', 'route', 'Letters');
    await out('broker', 'add-write', name);
    await says(/ RW- /, 'topic', 'route', 'Letters');
    for (const what of ['expired-queues', 'unused-topics'])
      assert.match(await out('broker', 'clean', what), new RegExp(`${broker.address} deletes`));
    assert.match(await out('namesrv', 'set', 'orderMessageEnable=true'), /orderMessageEnable +false +true/);
    await out('kv', 'set', 'N', 'k', 'v');
    assert.is(await out('kv', 'get', 'N', 'k'), 'v');
    assert.match(await out('kv', 'list', 'N'), /^k +v$/);
    await out('kv', 'delete', 'N', 'k');
    assert.match((await ringmq('kv', 'get', 'N', 'k')).err, /N has no key k/);
  },
);

java.run();
