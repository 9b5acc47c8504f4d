// @limit 240
/** Master and slave that change their roles on command, through `ringmq` and its requests. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Producer, PushConsumer } from '../../../../client/index.js';
import { decodeTopicRouteData } from '../../../../protocol/bodies/route.js';
import { physicalOffsetOf, RawClient } from '../../../support/raw-client.js';
import { formatProperties } from '../../../support/raw-record.js';
import { pullQueue, queueBound } from '../../../support/raw-requests.js';
import { queryOffset, type ReplicaPair, withPair } from '../../../support/replica-pair.js';
import { frameOf, sendFrame } from '../../../support/rooms.js';
import { type TestWorld, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { type Outcome, runProgram } from '../../cli/support.js';

const roleChange = suite('actors/node: change of role');

const SYNC = { brokerRole: 'SYNC_MASTER', slaveTimeout: '30000' };
const GET_ROLE = 12_011;
const CHANGE_ROLE = 12_010;

const ringmq = (pair: ReplicaPair, ...words: string[]): Promise<Outcome> =>
  runProgram('ringmq', [...words, '-n', pair.namesrvAddr]);

async function factsOf(world: TestWorld): Promise<Readonly<Record<string, string>>> {
  const client = await world.connect();
  const { ext } = await client.request(GET_ROLE, {});
  client.close();
  return ext;
}

async function countOf(world: TestWorld, topic: string): Promise<number> {
  const client = await world.connect();
  let count = 0;
  for (let queueId = 0; queueId < 4; queueId++) {
    await pullQueue(client, topic, queueId, () => count++, { patienceMs: 0 });
  }
  client.close();
  return count;
}

roleChange('switch: the roles and ids are changed over, there and back, and the logs stay the same', () =>
  withPair({ master: SYNC }, async pair => {
    assert.ok((await pair.send('T', 200)).every(code => code === 0));
    const there = await ringmq(pair, 'switch', 'broker-a');
    assert.is(there.code, 0, there.err);
    const [was, is] = [await factsOf(pair.master), await factsOf(pair.slave)];
    assert.equal([was.brokerRole, was.brokerId, was.haState], ['SLAVE', '1', 'transfer']);
    assert.equal([is.brokerRole, is.brokerId, is.registered], ['SYNC_MASTER', '0', 'true']);
    assert.ok((await pair.send('T', 200, 100, pair.slave)).every(code => code === 0));
    assert.ok(
      (await pair.send('T', 20)).every(code => code === 0),
      'what goes to the old master is passed on',
    );
    assert.is(await countOf(pair.slave, 'T'), 420);
    const back = await ringmq(pair, 'switch', 'broker-a', '--json');
    assert.is(back.code, 0, back.err);
    assert.is(JSON.parse(back.out).master.address, pair.master.address);
    assert.ok((await pair.send('T', 200)).every(code => code === 0));
    await pair.caughtUp();
    pair.assertSameLog();
    assert.is(await countOf(pair.slave, 'T'), 620);
    assert.equal([...pair.master.errors, ...pair.slave.errors], []);
  }),
);

roleChange(
  'clients that know nothing keep their connections through switches, and every send is done, at its place',
  () =>
    withPair({ master: SYNC }, async pair => {
      const wire = await pair.master.dial();
      await wire.ask(sendFrame({ topic: 'T', body: '0' }));
      let sent = 1;
      let over = false;
      const places: [string, string][] = [];
      const sending = (async () => {
        while (!over) {
          const body = String(sent++);
          const { code, extFields } = await wire.ask(sendFrame({ topic: 'T', body, opaque: sent }));
          assert.is(code, 0, body);
          places.push([extFields.queueOffset!, body]);
        }
      })();
      for (let round = 0; round < 3; round++) {
        const before = sent;
        await Promise.race([sending, until(() => sent > before + 10, 'messages are sent')]);
        const { code, err } = await ringmq(pair, 'switch', 'broker-a');
        assert.is(code, 0, err);
      }
      over = true;
      await sending;
      assert.not(wire.isClosed);
      const stored = new Map<string, string>();
      const client = await pair.slave.connect();
      await pullQueue(client, 'T', 0, ({ queueOffset, body }) => stored.set(String(queueOffset), String(body)), {});
      for (const [queueOffset, body] of places) assert.is(stored.get(queueOffset), body);
      assert.is(stored.size, sent);
    }),
);

roleChange('at every moment of a switch the name server knows a master', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 10);
    const client = await RawClient.connect(pair.namesrvAddr);
    const masters = new Set<string>();
    let over = false;
    const looking = (async () => {
      while (!over) {
        const { code, body } = await client.request(105, { topic: 'T' });
        assert.is(code, 0);
        masters.add(decodeTopicRouteData(body).brokerDatas[0]?.brokerAddrs[0] ?? 'nobody');
      }
    })();
    const { code, err } = await ringmq(pair, 'switch', 'broker-a');
    over = true;
    await looking;
    client.close();
    assert.is(code, 0, err);
    assert.equal([...masters], [pair.master.address, pair.slave.address]);
  }),
);

roleChange('who consumes stays known: its pull is answered, its group has it, its offsets go to the new master', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 10);
    const client = await pair.master.connect();
    const consumer = { groupName: 'C', consumeType: 'CONSUME_PASSIVELY', messageModel: 'CLUSTERING' };
    const subscription = { topic: 'T', subString: '*', subVersion: 1, tagsSet: [], codeSet: [] };
    const data = { ...consumer, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', subscriptionDataSet: [subscription] };
    const heartbeat = { clientID: 'one', consumerDataSet: [data], producerDataSet: [] };
    assert.is((await client.request(34, {}, Buffer.from(JSON.stringify(heartbeat)))).code, 0);
    const place = { consumerGroup: 'C', topic: 'T', queueId: '0' };
    const pull = { ...place, queueOffset: '1000', maxMsgNums: '1', sysFlag: '2', commitOffset: '0', subVersion: '1' };
    const held = client.request(11, { ...pull, queueOffset: '3', suspendTimeoutMillis: '60000', subscription: '*' });
    assert.is((await ringmq(pair, 'switch', 'broker-a')).code, 0);
    assert.is((await held).code, 19);
    const members = await client.request(38, { consumerGroup: 'C' });
    assert.equal(JSON.parse(String(members.body)), { consumerIdList: ['one'] });
    assert.is((await client.request(15, { ...place, commitOffset: '2' })).code, 0);
    assert.is((await queryOffset(await pair.slave.connect(), 'C', 'T', 0)).ext.offset, '2');
    assert.is((await queryOffset(client, 'C', 'T', 0)).ext.offset, '2');
    assert.ok(client.isOpen);
  }),
);

roleChange('a former master that gets its role back takes what waited for its successor', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 4);
    const wire = await pair.master.dial();
    await changeRole(pair.master, { brokerRole: 'SLAVE', brokerId: '1', successor: pair.slave.address });
    wire.write(sendFrame({ topic: 'T', body: 'waits', opaque: 77 }));
    const client = await pair.master.connect();
    const asMaster = { brokerRole: 'SYNC_MASTER', brokerId: '0' };
    assert.is((await client.request(CHANGE_ROLE, asMaster)).code, 0);
    const [answer] = await wire.received(1);
    assert.equal([answer!.code, answer!.opaque], [0, 77]);
    assert.is((await factsOf(pair.master)).brokerRole, 'SYNC_MASTER');
    assert.is(await countOf(pair.master, 'T'), 5);
    assert.ok(client.isOpen && !wire.isClosed);
  }),
);

roleChange('demoted with nobody to come after it, it refuses as a slave does', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 4);
    const wire = await pair.master.dial();
    assert.is((await ringmq(pair, 'demote', 'broker-a')).code, 0);
    assert.is((await wire.ask(sendFrame({ topic: 'T' }))).code, 14);
  }),
);

roleChange(
  'a transaction that began before a switch is committed after it, and a message is sent back, by who knows nothing',
  () =>
    withPair({ master: SYNC }, async pair => {
      const wire = await pair.master.dial();
      await pair.send('T', 4);
      const properties = formatProperties(Object.entries({ TRAN_MSG: 'true', PGROUP: 'PG', UNIQ_KEY: 'half' }));
      const half = await wire.ask(sendFrame({ topic: 'T', properties, more: { sysFlag: 4 } }));
      assert.is(half.code, 0);
      assert.is((await ringmq(pair, 'switch', 'broker-a')).code, 0);
      const { msgId, queueOffset } = half.extFields;
      const commitLogOffset = physicalOffsetOf(msgId!);
      const fields = { producerGroup: 'PG', tranStateTableOffset: queueOffset, commitLogOffset, commitOrRollback: 8 };
      assert.is((await wire.ask(frameOf(37, fields))).code, 0);
      assert.is(await countOf(pair.slave, 'T'), 5);
      const back = { offset: 0, group: 'C', delayLevel: 1, originTopic: 'T', maxReconsumeTimes: 16 };
      assert.is((await wire.ask(frameOf(36, back))).code, 0);
      const client = await pair.slave.connect();
      const delayed = (): Promise<number> => queueBound(client, 'SCHEDULE_TOPIC_XXXX', 0, 'max');
      await until(async () => (await delayed()) === 1, 'the message that was sent back waits at the new master');
    }),
);

roleChange('a role given on command holds after a restart, until the configuration is changed', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 10);
    assert.is((await ringmq(pair, 'switch', 'broker-a')).code, 0);
    await pair.slave.restart();
    await pair.master.restart();
    assert.is((await factsOf(pair.slave)).brokerRole, 'SYNC_MASTER');
    assert.is((await factsOf(pair.master)).brokerRole, 'SLAVE');
    await pair.slave.stop();
    await pair.slave.start({ brokerId: '2' });
    assert.equal([(await factsOf(pair.slave)).brokerRole, (await factsOf(pair.slave)).brokerId], ['SLAVE', '2']);
  }),
);

roleChange('demote: refused while a slave lacks what was acknowledged, and then sends are taken as before', () =>
  withPair({}, async pair => {
    await pair.send('T', 10);
    await pair.caughtUp();
    const { address } = pair.slave;
    await pair.slave.stop();
    await pair.send('T', 10);
    const demoted = await ringmq(pair, 'demote', 'broker-a', '--patience', '1');
    assert.is(demoted.code, 1);
    assert.match(demoted.err, /\d+ bytes of its log would be lost: no slave has them/);
    assert.ok((await pair.send('T', 10)).every(code => code === 0));
    const switched = await ringmq(pair, 'switch', 'broker-a', '--to', address);
    assert.match(switched.err, /cannot be reached/);
    assert.ok(!fs.existsSync(path.join(pair.master.folder, 'config', 'role.json')));
    const forced = await ringmq(pair, 'demote', 'broker-a', '--force');
    assert.is(forced.code, 0, forced.err);
    assert.ok(pair.master.lines.some(({ message }) => /it becomes a slave although .* last \d+ bytes/.test(message)));
    assert.is((await factsOf(pair.master)).brokerRole, 'SLAVE');
  }),
);

roleChange('promote: a slave whose master is gone, by force only, and it takes sends', () =>
  withPair({}, async pair => {
    await pair.send('T', 100);
    await pair.caughtUp();
    const early = await ringmq(pair, 'promote', pair.slave.address);
    assert.match(early.err, /is the master of broker-a/);
    await pair.master.stop();
    await until(() => !pair.slave.saysReplicating, 'the slave misses its master');
    const refused = await ringmq(pair, 'promote', 'broker-a');
    assert.match(refused.err, /no other broker of broker-a can be asked/);
    const promoted = await ringmq(pair, 'promote', 'broker-a', '--force');
    assert.is(promoted.code, 0, promoted.err);
    assert.ok((await pair.send('T', 100, 100, pair.slave)).every(code => code === 0));
    assert.is(await countOf(pair.slave, 'T'), 200);
  }),
);

roleChange('promote: refused where another broker has more, and the slave goes on following', () =>
  withPair({}, async pair => {
    await pair.send('T', 10);
    await pair.caughtUp();
    const client = await pair.slave.connect();
    const fields = { brokerRole: 'ASYNC_MASTER', brokerId: '0', timeoutMs: '50', expectedEnd: '1000000' };
    assert.is((await client.request(CHANGE_ROLE, fields)).code, 0);
    await untilRefused(pair.slave, /its log ends \d+ bytes before 1000000/);
    await pair.send('T', 10);
    await pair.caughtUp();
  }),
);

async function untilRefused(world: TestWorld, pattern: RegExp): Promise<void> {
  for (;;) {
    const { refusal = '', changing } = await factsOf(world);
    if (changing === 'false' && refusal !== '') return assert.match(refusal, pattern);
  }
}

roleChange('requests that make no sense are answered with the reason', () =>
  withPair({}, async pair => {
    const client = await pair.master.connect();
    const refusals: [Record<string, string>, RegExp][] = [
      [{ brokerRole: 'KING', brokerId: '0' }, /brokerRole must be one of/],
      [{ brokerRole: 'SLAVE', brokerId: '0' }, /brokerId must be 0 for a master and more for a slave/],
      [{ brokerRole: 'SYNC_MASTER', brokerId: '1' }, /brokerId must be 0/],
      [{ brokerRole: 'SYNC_MASTER', brokerId: '0' }, /is a master already/],
      [{ brokerRole: 'SLAVE', brokerId: '1', timeoutMs: '-1' }, /timeoutMs must be/],
      [{ brokerRole: 'SLAVE', brokerId: '1', expectedEnd: 'x' }, /expectedEnd must be/],
      [{ brokerRole: 'SLAVE', brokerId: '1', successor: 'nowhere' }, /successor must be the address/],
      [{ brokerRole: 'SYNC_MASTER', brokerId: '0', successor: '127.0.0.1:1' }, /successor must be/],
    ];
    for (const [fields, pattern] of refusals) {
      const { code, remark } = await client.request(CHANGE_ROLE, fields);
      assert.is(code, 1);
      assert.match(remark, pattern);
    }
    assert.is((await factsOf(pair.master)).changing, 'false');
  }),
);

for (const threadingMode of ['shared', 'dedicated']) {
  roleChange(`with threads of their own (${threadingMode}) the rooms come back in the other role, and back again`, () =>
    withNode({ real: true, set: { threadingMode, brokerRole: 'ASYNC_MASTER' } }, async world => {
      const wire = await world.dial();
      assert.is((await wire.ask(sendFrame({ topic: 'T', body: 'first' }))).code, 0);
      const { ports } = world.node;
      await changeRole(world, { brokerRole: 'SLAVE', brokerId: '1', force: 'true' });
      const slaveWire = await world.dial();
      assert.is((await slaveWire.ask(sendFrame({ topic: 'T', body: 'refused' }))).code, 14);
      await changeRole(world, { brokerRole: 'ASYNC_MASTER', brokerId: '0' });
      assert.equal(world.node.ports, ports);
      assert.is(world.node.threadPlan.mode, threadingMode);
      const masterWire = await world.dial();
      // Its ports are open a moment before it takes messages: a client tries again.
      let code = 14;
      for (let tries = 0; code === 14 && tries < 1000; tries++) {
        code = (await masterWire.ask(sendFrame({ topic: 'T', body: 'second' }))).code;
      }
      assert.is(code, 0);
      assert.is(await countOf(world, 'T'), 2);
      assert.equal(world.failures, []);
    }),
  );
}

/** Asks for another role and waits until the broker has it. */
async function changeRole(world: TestWorld, fields: Readonly<Record<string, string>>): Promise<void> {
  const client = await world.connect();
  assert.is((await client.request(CHANGE_ROLE, fields)).code, 0);
  const hasIt = async (): Promise<boolean> => (await factsOf(world)).brokerRole === fields.brokerRole;
  while (!(await hasIt().catch(() => false))) await new Promise(resolve => setTimeout(resolve, 10));
}

roleChange('a role that cannot be read stops the start: a guess could be a second master', () =>
  withNode({ set: { brokerRole: 'ASYNC_MASTER' } }, async world => {
    await world.stop();
    fs.writeFileSync(path.join(world.folder, 'config', 'role.json'), '{');
    const error = await world.start().then(
      () => undefined,
      (caught: Error) => caught,
    );
    assert.match(error?.message ?? '', /role\.json cannot be read/);
    assert.ok(!world.exists('abort') && !world.exists('lock.pid'), 'nothing is left behind');
    fs.rmSync(path.join(world.folder, 'config', 'role.json'));
    await world.start();
  }),
);

roleChange('a push consumer goes on through a switch and misses nothing', () =>
  withPair({ master: SYNC }, async pair => {
    assert.ok((await pair.send('T', 100)).every(code => code === 0));
    const got = new Set<string>();
    const { namesrvAddr } = pair;
    const consumer = new PushConsumer({
      namesrvAddr,
      consumerGroup: 'C',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    });
    consumer.subscribe('T', '*');
    consumer.consumeConcurrently(async messages => {
      for (const { queueId, queueOffset } of messages) got.add(`${queueId}@${queueOffset}`);
    });
    await consumer.start();
    try {
      await until(() => got.size === 100, 'what was there is consumed');
      const { code, err } = await ringmq(pair, 'switch', 'broker-a');
      assert.is(code, 0, err);
      assert.ok((await pair.send('T', 100, 100, pair.slave)).every(answer => answer === 0));
      await until(() => got.size === 200, 'what was sent to the new master is consumed', 60_000);
    } finally {
      await consumer.shutdown();
    }
  }),
);

roleChange('a producer sends on through a switch and its application sees no error', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 10);
    const producer = new Producer({ namesrvAddr: pair.namesrvAddr, producerGroup: 'P', sendMsgTimeoutMs: 20_000 });
    await producer.start();
    let over = false;
    let sent = 0;
    const sending = (async () => {
      while (!over) {
        await producer.send({ topic: 'T', body: `message ${sent}` });
        sent++;
      }
    })();
    try {
      for (let round = 0; round < 2; round++) {
        const before = sent;
        await Promise.race([sending, until(() => sent > before + 20, 'messages are sent')]);
        const { code, err } = await ringmq(pair, 'switch', 'broker-a');
        assert.is(code, 0, err);
      }
    } finally {
      over = true;
      await sending;
      await producer.shutdown();
    }
    assert.is(await countOf(pair.master, 'T'), 10 + sent);
  }),
);

roleChange.run();
