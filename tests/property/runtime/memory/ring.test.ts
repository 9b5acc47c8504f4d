import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { align8 } from '../../../../runtime/base/units.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { Ring } from '../../../../runtime/memory/ring.js';
import { withWorkers } from '../../../support/worker-harness.js';
import type { RingWorkerData, RingWorkerResult } from './ring.worker.js';

const ring = suite('ring properties');
const workerFile = new URL('./ring.worker.js', import.meta.url);

const runTwoThreads = (
  seed: number,
  capacityBytes: number,
  records: number,
  largeOneIn: number,
): Promise<RingWorkerResult[]> => {
  const progress = new SharedArrayBuffer(4);
  const shared = {
    seed,
    records,
    largeOneIn,
    ring: Ring.allocate(capacityBytes),
    recordsBell: new Doorbell().memory,
    roomBell: new Doorbell().memory,
    progress,
  };
  return withWorkers(
    workers =>
      Promise.all(
        (['consumer', 'producer'] as const).map(role =>
          workers.run<RingWorkerResult>(workerFile, { ...shared, role } satisfies RingWorkerData),
        ),
      ),
    { progress: () => Atomics.load(new Int32Array(progress), 0) },
  );
};

ring('carries millions of records between two threads in order, whole, without losing a wake-up', async () => {
  const [consumer] = await runTwoThreads(20_261_123, 64 * 1024, 2_000_000, 64);
  assert.is(consumer!.records, 2_000_000);
});

ring('survives being full and empty all the time', async () => {
  const parameters = fc.record({ seed: fc.nat(), capacityBytes: fc.constantFrom(1024, 2048, 16_384) });
  await fc.assert(
    fc.asyncProperty(parameters, async ({ seed, capacityBytes }) => {
      const [consumer, producer] = await runTwoThreads(seed, capacityBytes, 40_000, 2);
      assert.is(consumer!.records, 40_000);
      assert.ok(producer!.waits + consumer!.waits > 0, 'somebody had to wait');
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

interface Model {
  readonly queue: { readonly type: number; readonly payload: Uint8Array }[];
  type: number;
}

const bytesOf = (type: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (type * 31 + index) & 0xff);

const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('offer' as const), length: fc.nat(504) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('claim' as const), length: fc.nat(504), spare: fc.nat(504) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const), length: fc.nat(504) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), records: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

const send = (producer: Ring, model: Model, length: number, claimed: number, useOffer: boolean): void => {
  const type = model.type;
  const payload = bytesOf(type, length);
  const depthBytes = producer.depthBytes();
  const needed = 8 + align8(claimed);
  let accepted: boolean;
  if (useOffer) accepted = producer.offer(type, payload);
  else {
    const at = producer.claim(claimed);
    accepted = at >= 0;
    if (accepted) {
      producer.bytes.set(payload, at);
      producer.commit(type, length);
    }
  }
  if (accepted) {
    assert.ok(depthBytes + needed <= producer.capacity, 'what was accepted did fit');
    model.queue.push({ type, payload });
    model.type++;
  } else {
    assert.ok(depthBytes + 2 * needed > producer.capacity, 'what was refused did not fit, padding included');
  }
};

const take = (consumer: Ring, model: Model, records: number): void => {
  for (let count = 0; count < records; count++) {
    const at = consumer.poll();
    assert.is(at >= 0, model.queue.length > 0);
    if (at < 0) break;
    const expected = model.queue.shift()!;
    assert.is(consumer.poll(), at, 'a record stays until it is released');
    assert.is(consumer.type, expected.type);
    assert.is(consumer.length, expected.payload.length);
    assert.equal(consumer.bytes.slice(at, at + consumer.length), expected.payload);
    consumer.release();
  }
  consumer.publishReleased();
};

ring('behaves as a queue of bounded bytes', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), fc.boolean(), (operations, local) => {
      const memory = Ring.allocate(1024);
      const open = (): readonly [Ring, Ring] => {
        const side = new Ring(memory, local);
        return [side, local ? side : new Ring(memory)];
      };
      let [producer, consumer] = open();
      const model: Model = { queue: [], type: 0 };
      for (const step of operations) {
        if (step.kind === 'offer') send(producer, model, step.length, step.length, true);
        else if (step.kind === 'claim') {
          send(producer, model, step.length, Math.min(producer.payloadMax, step.length + step.spare), false);
        } else if (step.kind === 'abandon') producer.claim(step.length);
        else if (step.kind === 'take') take(consumer, model, step.records);
        else {
          // Both sides die and come back: all is in the shared memory.
          [producer, consumer] = open();
        }
      }
      take(consumer, model, model.queue.length + 1);
      assert.is(consumer.depthBytes(), 0);
      assert.ok(producer.offer(7, new Uint8Array(producer.payloadMax)), 'the largest record fits an empty ring');
    }),
    { numRuns: 300 },
  );
});

ring('begins again at its start when it is found empty, if both sides are on one thread', () => {
  const local = new Ring(Ring.allocate(1024), true);
  for (let round = 0; round < 100; round++) {
    for (let count = 0; count < 3; count++) {
      assert.is(local.claim(8), 8 + count * 16, 'the room of the last round is used again');
      local.commit(1, 8);
    }
    for (let count = 0; count < 3; count++) {
      assert.is(local.poll(), 8 + count * 16);
      local.release();
    }
    assert.is(local.poll(), -1);
    local.publishReleased();
    assert.is(local.depthBytes(), 0);
  }
});

ring.run();
