import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteRing } from '../../../../runtime/memory/byte-ring.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { withWorkers } from '../../../support/worker-harness.js';
import type { ByteRingWorkerData } from './byte-ring.worker.js';

const byteRing = suite('byte ring properties');
const workerFile = new URL('./byte-ring.worker.js', import.meta.url);

byteRing('carries records between two threads in order, whole, without losing a wake-up', async () => {
  const parameters = fc.record({ seed: fc.nat(), capacityBytes: fc.constantFrom(300, 4096, 65_536) });
  await fc.assert(
    fc.asyncProperty(parameters, async ({ seed, capacityBytes }) => {
      const records = 20_000;
      const progress = new SharedArrayBuffer(4);
      const shared = {
        seed,
        records,
        ring: ByteRing.allocate(capacityBytes),
        recordsBell: new Doorbell().memory,
        roomBell: new Doorbell().memory,
        progress,
      };
      const results = await withWorkers(
        workers =>
          Promise.all(
            (['consumer', 'producer'] as const).map(role =>
              workers.run<number>(workerFile, { ...shared, role } satisfies ByteRingWorkerData),
            ),
          ),
        { progress: () => Atomics.load(new Int32Array(progress), 0) },
      );
      assert.equal(results, [records, records]);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

byteRing('behaves as a queue of bounded bytes', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('offer' as const), payload: fc.uint8Array({ maxLength: 96 }) }),
    fc.record({ kind: fc.constant('poll' as const) }),
    fc.record({ kind: fc.constant('reopen' as const) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), operations => {
      const memory = ByteRing.allocate(100);
      let ring = new ByteRing(memory);
      const queue: Uint8Array[] = [];
      let depthBytes = 0;
      for (const step of operations) {
        if (step.kind === 'offer') {
          const fits = depthBytes + 4 + step.payload.length <= 100;
          assert.is(ring.offer(step.payload), fits);
          if (!fits) continue;
          queue.push(step.payload);
          depthBytes += 4 + step.payload.length;
        } else if (step.kind === 'poll') {
          const expected = queue.shift();
          const payload = ring.poll();
          assert.equal(
            payload === undefined ? undefined : [...payload],
            expected === undefined ? undefined : [...expected],
          );
          if (expected !== undefined) depthBytes -= 4 + expected.length;
        } else ring = new ByteRing(memory);
        assert.is(ring.depthBytes(), depthBytes);
      }
    }),
    { numRuns: 300 },
  );
});

byteRing('asserts that a record fits the ring at all', () => {
  const ring = new ByteRing(ByteRing.allocate(100));
  assert.is(ring.payloadMax, 96);
  assert.throws(() => ring.offer(new Uint8Array(97)), /fits an empty ring/);
});

byteRing.run();
