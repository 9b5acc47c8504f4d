/**
 * Ten thousand pulls that wait, in a whole node: what is looked at is counted, so nothing here depends on a time.
 * Source: spec remoting 6.4.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PullLane } from '../../../../actors/pull-lane/actor.js';
import { createTopic, pullQueue, queueBound } from '../../../support/raw-requests.js';
import { type TestWorld, type Wire, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { pullFrame } from '../pull-lane/support.js';

const held = suite('actors/node held pulls');

const CONNECTIONS = 10;
const QUEUES = 1000;
const PULLS_PER_QUEUE = 10;
const PULLS = QUEUES * PULLS_PER_QUEUE;
const SUSPEND_SUBSCRIPTION = 6;
const settings = { threadingMode: 'inline', pullThreadPoolNums: '1', ringCapacityBytes: '1048576' };
const body = Buffer.from('hello');

/** How often the lane has looked for messages, of pulls that came and of pulls that are held. */
const looks = (world: TestWorld): number =>
  world.node.shop
    .getLatencies('pull-lane-0')
    .counts()
    .reduce((sum, count) => sum + count, 0);
const counter = (world: TestWorld, name: 'pullsHeld' | 'pullsFound' | 'pullsMissed'): number =>
  world.node.shop.counters('pull-lane-0').read(name);

/** Each connection waits for every queue. */
async function holdAll(world: TestWorld): Promise<Wire[]> {
  const client = await world.connect();
  await createTopic(client, 'T', QUEUES + 1);
  const wires = await Promise.all(Array.from({ length: CONNECTIONS }, () => world.dial()));
  const hold = { topic: 'T', sysFlag: SUSPEND_SUBSCRIPTION, suspendMs: 600_000 };
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    for (const wire of wires) wire.write(pullFrame({ ...hold, queueId }, { opaque: queueId }));
  }
  await until(() => counter(world, 'pullsHeld') === PULLS, 'all pulls are held', 60_000);
  return wires;
}

held('ten thousand are not looked at while nothing comes for them', () =>
  withNode({ set: settings }, async world => {
    await holdAll(world);
    const client = await world.connect();
    const before = looks(world);
    assert.is(before, PULLS, 'each was looked at when it came');
    for (let count = 0; count < 200; count++) await queueBound(client, 'T', count, 'max');
    for (let count = 0; count < 50; count++) await client.send({ topic: 'T', queueId: QUEUES, body });
    await client.send({ topic: 'Other', queueId: 0, body });
    await pullQueue(client, 'T', QUEUES, () => undefined, { untilOffset: 50 });
    const ownPulls = counter(world, 'pullsFound') + counter(world, 'pullsMissed');
    assert.is(looks(world), before + ownPulls, 'requests and messages for other queues make nobody look');
  }),
);

held('the lane of ten thousand has nothing to do, and asks for no turn before the first of them is over', () =>
  withNode({ set: settings }, async world => {
    const lanes = new Set<PullLane>();
    const { doWork } = PullLane.prototype;
    PullLane.prototype.doWork = function (this: PullLane, nowMs: number): number {
      lanes.add(this);
      return doWork.call(this, nowMs);
    };
    try {
      await holdAll(world);
      const [lane] = lanes;
      const nowMs = Date.now();
      for (let turn = 0; turn < 100; turn++) assert.is(doWork.call(lane!, nowMs), 0);
      assert.ok(lane!.deadlineMs() > nowMs + 300_000, 'the deadline of the first pull');
    } finally {
      PullLane.prototype.doWork = doWork;
    }
  }),
);

held('one message wakes only those that wait for its queue', () =>
  withNode({ set: settings }, async world => {
    const wires = await holdAll(world);
    const client = await world.connect();
    const frames = (): number => wires.reduce((sum, wire) => sum + wire.frames.length, 0);
    for (const [round, queueId] of [7, 993, 0, 500].entries()) {
      const before = looks(world);
      await client.send({ topic: 'T', queueId, body });
      await until(() => frames() >= (round + 1) * PULLS_PER_QUEUE, `those of queue ${queueId} are woken`);
      assert.is(looks(world) - before, PULLS_PER_QUEUE, 'no other pull was looked at');
      assert.is(counter(world, 'pullsFound'), (round + 1) * PULLS_PER_QUEUE);
      for (const { frames } of wires) {
        assert.equal([frames.length, frames.at(-1)!.code, frames.at(-1)!.opaque], [round + 1, 0, queueId]);
      }
    }
    assert.equal([counter(world, 'pullsHeld'), counter(world, 'pullsMissed')], [PULLS, 0]);
  }),
);

held.run();
