import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messageOf, type RingError } from '../../../../runtime/base/errors.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { LanePool } from '../../../../runtime/pool/lane-pool.js';
import { until } from '../../../support/until.js';
import type { LaneTestData } from './lane.worker.js';

const lanePool = suite('lane pool');
const workerFile = new URL('./lane.worker.js', import.meta.url);

const running = 1;
const drained = 2;
const orders = { drain: 1, throw: 2, exit: 3, throwOutside: 4 } as const;

class TestLane {
  readonly bell = new Doorbell();
  readonly words = new Int32Array(new SharedArrayBuffer(8));

  get data(): LaneTestData {
    return { bell: this.bell.memory, words: this.words.buffer as SharedArrayBuffer };
  }

  get state(): number {
    return Atomics.load(this.words, 0);
  }

  order(order: keyof typeof orders): void {
    Atomics.store(this.words, 1, orders[order]);
    this.bell.ring();
  }
}

const withPool = async (
  lanesMax: number,
  work: (pool: LanePool, crashes: { laneIndex: number; error: unknown }[]) => Promise<void>,
  file = workerFile,
): Promise<void> => {
  const crashes: { laneIndex: number; error: unknown }[] = [];
  const onCrashed = (laneIndex: number, error: unknown): void => void crashes.push({ laneIndex, error });
  const pool = new LanePool({ name: 'sendMessage', workerFile: file, lanesMax, onCrashed });
  try {
    await work(pool, crashes);
  } finally {
    await pool.close();
  }
};

lanePool('runs each lane on a thread of its own, and removes those that drained', async () => {
  await withPool(3, async (pool, crashes) => {
    const lanes = [new TestLane(), new TestLane(), new TestLane()];
    for (const [laneIndex, lane] of lanes.entries()) await pool.add(laneIndex, lane.data);
    // All run although each of them blocks its thread.
    await until(() => lanes.every(lane => lane.state === running), 'all lanes run');
    assert.equal(pool.laneIndexes, [0, 1, 2]);
    const removed = pool.remove(1);
    lanes[1]!.order('drain');
    await removed;
    assert.is(lanes[1]!.state, drained);
    assert.equal(pool.laneIndexes, [0, 2]);
    const again = new TestLane();
    await pool.add(1, again.data);
    await until(() => again.state === running, 'the place is used again');
    for (const lane of [lanes[0]!, lanes[2]!, again]) lane.order('drain');
    await Promise.all([0, 1, 2].map(laneIndex => pool.remove(laneIndex)));
    assert.equal(pool.laneIndexes, []);
    assert.equal(crashes, []);
  });
});

for (const [order, message] of [
  ['throw', 'lane gave up'],
  ['exit', 'worker exited with code: 7'],
  ['throwOutside', 'thrown outside the task'],
] as const) {
  lanePool(`reports a lane that crashes (${order}) and lets it be started again`, async () => {
    await withPool(2, async (pool, crashes) => {
      const [first, second] = [new TestLane(), new TestLane()];
      await pool.add(0, first.data);
      await pool.add(1, second.data);
      await until(() => first.state === running && second.state === running, 'both lanes run');
      second.order(order);
      await until(() => crashes.length === 1, 'the crash is reported');
      assert.is(crashes[0]!.laneIndex, 1);
      assert.is(messageOf(crashes[0]!.error), message);
      if (order === 'throw') assert.is((crashes[0]!.error as RingError).code, 'DISK_READ_FAILED');
      assert.equal(pool.laneIndexes, [0]);
      const third = new TestLane();
      await pool.add(1, third.data);
      await until(() => third.state === running, 'it runs again');
      assert.is(first.state, running, 'the other lane never stopped');
      assert.is(crashes.length, 1);
    });
  });
}

lanePool('reports a lane whose file does not load', async () => {
  await withPool(
    1,
    async (pool, crashes) => {
      await pool.add(0, new TestLane().data);
      await until(() => crashes.length === 1, 'the crash is reported');
      assert.match(messageOf(crashes[0]!.error), /not-there/);
    },
    new URL('./not-there.js', import.meta.url),
  );
});

lanePool('ends lanes that do not drain, without calling that a crash', async () => {
  await withPool(1, async (pool, crashes) => {
    const lane = new TestLane();
    await pool.add(0, lane.data);
    await until(() => lane.state === running, 'the lane runs');
    const removed = pool.remove(0);
    await pool.close();
    await removed;
    assert.equal(crashes, []);
    assert.equal(pool.laneIndexes, []);
  });
});

lanePool('asserts its limits', async () => {
  await withPool(1, async pool => {
    await pool.add(0, new TestLane().data);
    const rejected = async (laneIndex: number): Promise<string> =>
      pool.add(laneIndex, new TestLane().data).then(() => 'added', messageOf);
    assert.match(await rejected(0), /lane 0 is free/);
    assert.match(await rejected(1), /room for a lane/);
    await pool.close();
    assert.match(await rejected(0), /pool is open/);
  });
});

lanePool.run();
