/**
 * More than the broker can take: what is too much is refused at once with its cause, what was accepted is answered, and
 * everything is well again by itself when the load or the fault is gone.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawClient, SendAnswer } from '../support/raw-client.js';
import { createTopic, queueBound } from '../support/raw-requests.js';
import { frameOf } from '../support/rooms.js';
import { type TestWorld, withNode } from '../support/test-node.js';
import { until } from '../support/until.js';
import { pullFrame } from '../unit/actors/pull-lane/support.js';

const overload = suite('overload');

const body = Buffer.from('hello');
const message = { topic: 'T', queueId: 0, body };

/** Sends without waiting; the answers come into the list. */
function pipeline(client: RawClient, count: number, size = 5): (SendAnswer | undefined)[] {
  const answers: (SendAnswer | undefined)[] = [];
  for (let index = 0; index < count; index++)
    client.sendPipelined({ ...message, body: Buffer.alloc(size) }, answer => answers.push(answer));
  return answers;
}

const codesOf = (answers: readonly (SendAnswer | undefined)[]): number[] => answers.map(answer => answer?.code ?? -1);
const countOf = (answers: readonly (SendAnswer | undefined)[], code: number): number =>
  codesOf(answers).filter(one => one === code).length;

async function withTopic(world: TestWorld): Promise<RawClient> {
  const client = await world.connect();
  await createTopic(client, 'T', 1);
  return client;
}

overload('a stalled disk: sends beyond maxInflight are refused at once, the rest is answered when it works again', () =>
  withNode({ set: { maxInflight: '16', syncFlushTimeout: '60000' } }, async world => {
    const client = await withTopic(world);
    assert.is((await client.send(message)).code, 0);
    world.disk.faults.holdSyncs = true;
    const answers = pipeline(client, 16);
    const { shop } = world.node;
    await until(() => shop.counters('remoting').read('sendsAwaitingFlush') === 16, 'all permits wait for the disk');
    const refusals = pipeline(client, 24);
    await until(() => refusals.length >= 24, 'refusals');
    assert.equal(codesOf(refusals), new Array(24).fill(2));
    for (const answer of refusals)
      assert.match(answer!.remark, /^\[REJECTREQUEST\].*16 sends .*maxInflight\); limited by disk flush$/);
    // Everything but sends goes on.
    const wire = await world.dial();
    assert.is((await wire.ask(frameOf(4711, {}))).code, 3);
    assert.is((await wire.ask(pullFrame({ topic: 'T' }))).code, 0);
    assert.is((await queueBound(client, 'T', 0, 'max')) >= 1, true);
    assert.is(answers.length, 0, 'nothing is acknowledged that is not on disk');
    world.repair();
    await until(() => answers.length === 16, 'answers');
    assert.equal(codesOf(answers), new Array(16).fill(0));
    assert.is((await client.send(message)).code, 0);
    assert.equal(world.failures, []);
  }),
);

overload('a disk that stalls for longer than syncFlushTimeout: FLUSH_DISK_TIMEOUT, with where the message stands', () =>
  withNode({ set: { syncFlushTimeout: '30' } }, async world => {
    const client = await withTopic(world);
    await client.send(message);
    world.disk.faults.holdSyncs = true;
    const late = await client.send(message);
    assert.equal([late.code, late.queueOffset], [10, 1]);
    assert.match(late.msgId, /^[0-9A-F]{32}$/);
    world.repair();
    const next = await client.send(message);
    assert.equal([next.code, next.queueOffset], [0, 2], 'the late one is stored');
  }),
);

overload('ASYNC_FLUSH does not wait for a stalled disk', () =>
  withNode(
    { set: { flushDiskType: 'ASYNC_FLUSH', flushCommitLogLeastPages: '0', flushIntervalCommitLog: '1' } },
    async world => {
      const client = await withTopic(world);
      world.disk.faults.holdSyncs = true;
      for (let index = 0; index < 100; index++) assert.is((await client.send(message)).code, 0);
    },
  ),
);

overload('full rings: SYSTEM_BUSY with its cause, and well again by itself', () =>
  withNode({ set: { flushDiskType: 'ASYNC_FLUSH', brokerFastFailureEnable: 'false' } }, async world => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => world.connect()));
    await createTopic(clients[0]!, 'T', 1);
    let acknowledged = 0;
    let refused = 0;
    for (let round = 0; refused === 0; round++) {
      assert.ok(round < 50, 'the ring of 512 KiB was never full');
      const answers = clients.map(client => pipeline(client, 10, 60_000));
      await until(() => answers.every(list => list.length === 10), 'every request is answered');
      for (const list of answers) {
        acknowledged += countOf(list, 0);
        refused += countOf(list, 2);
        assert.is(countOf(list, 0) + countOf(list, 2), 10, String(codesOf(list)));
        for (const answer of list)
          if (answer?.code === 2) assert.match(answer.remark, /queue of sendLane is full \(key ringCapacityBytes\)/);
      }
    }
    assert.ok(acknowledged > 0);
    assert.is((await clients[0]!.send(message)).code, 0);
    assert.is(
      await queueBound(clients[0]!, 'T', 0, 'max').then(() =>
        world.node.shop.counters('commit-log-writer').read('messagesAppended'),
      ),
      acknowledged + 1,
      'what was refused is not stored',
    );
    assert.equal([world.errors, world.failures], [[], []]);
  }),
);

overload('many more pulls than may be held: the rest is answered at once', () =>
  withNode({ set: { pullThreadPoolQueueCapacity: '100' } }, async world => {
    const client = await withTopic(world);
    const wire = await world.dial();
    const hold = { topic: 'T', sysFlag: 6, suspendMs: 60_000 };
    for (let opaque = 0; opaque < 300; opaque++) wire.write(pullFrame(hold, { opaque }));
    await wire.received(200);
    assert.ok(wire.frames.every(frame => frame.code === 19));
    await client.send(message);
    await wire.received(300);
  }),
);

overload('a client that is gone before its answers come costs nothing', () =>
  withNode({ set: { maxInflight: '16', syncFlushTimeout: '60000' } }, async world => {
    const client = await withTopic(world);
    await client.send(message);
    world.disk.faults.holdSyncs = true;
    for (let round = 0; round < 4; round++) {
      const gone = await world.connect();
      pipeline(gone, 4);
      await gone.request(4711, {});
      gone.close();
    }
    const refused = await client.send(message);
    assert.is(refused.code, 2, 'their sends are in progress');
    world.repair();
    const { positions } = world.node.shop;
    await until(() => positions.read('flushed') === positions.read('appended'), 'everything is on disk');
    await client.request(4711, {});
    assert.is(world.node.shop.counters('remoting').read('connectionsClosed'), 4);
    const answers = pipeline(client, 16);
    await until(() => answers.length === 16, 'answers');
    assert.equal(codesOf(answers), new Array(16).fill(0), 'all permits are back');
    assert.is((await client.send(message)).queueOffset, 1 + 16 + 16, 'what they sent is stored');
  }),
);

overload('held pulls of clients that are gone are forgotten when their time is over', () =>
  withNode({}, async world => {
    const client = await withTopic(world);
    for (let round = 0; round < 20; round++) {
      const wire = await world.dial();
      for (let opaque = 0; opaque < 50; opaque++)
        wire.write(pullFrame({ topic: 'T', sysFlag: 6, suspendMs: 20 }, { opaque }));
      await wire.ask(frameOf(4711, {}));
      wire.close();
    }
    await until(() => !world.node.shop.queueTable.isAwaited(numberOfT(world)), 'nobody waits any more');
    assert.is((await client.send(message)).code, 0);
  }),
);

/** The only queue with a waiting pull, or any when there is none. */
function numberOfT(world: TestWorld): number {
  const { queueTable } = world.node.shop;
  for (let number = 0; number < 2000; number++) if (queueTable.isAwaited(number)) return number;
  return 0;
}

overload.run();
