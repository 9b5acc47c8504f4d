import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { withWorkers } from '../../../support/worker-harness.js';
import type { DoorbellWorkerData } from './doorbell.worker.js';

const doorbell = suite('doorbell properties');
const workerFile = new URL('./doorbell.worker.js', import.meta.url);

doorbell('loses no wake-up between two threads that sleep without a limit', async () => {
  const rounds = 30_000;
  const turn = new SharedArrayBuffer(4);
  const bells = [new Doorbell().memory, new Doorbell().memory] as const;
  const results = await withWorkers(
    workers =>
      Promise.all(
        ([0, 1] as const).map(parity =>
          workers.run<number>(workerFile, {
            parity,
            rounds,
            mine: bells[parity],
            theirs: bells[parity === 0 ? 1 : 0],
            turn,
          } satisfies DoorbellWorkerData),
        ),
      ),
    { progress: () => Atomics.load(new Int32Array(turn), 0) },
  );
  assert.equal(results, [rounds, rounds]);
});

doorbell('wakes an event loop as often as another thread rings', async () => {
  const rounds = 3000;
  const turn = new SharedArrayBuffer(4);
  const word = new Int32Array(turn);
  const mine = new Doorbell();
  const theirs = new Doorbell();
  await withWorkers(
    async workers => {
      const data: DoorbellWorkerData = { parity: 1, rounds, mine: theirs.memory, theirs: mine.memory, turn };
      const ended = workers.run<number>(workerFile, data);
      for (;;) {
        const seen = mine.read();
        const now = Atomics.load(word, 0);
        if (now >= rounds) break;
        if ((now & 1) === 0) {
          Atomics.store(word, 0, now + 1);
          theirs.ring();
        } else await mine.waitAsync(seen);
      }
      theirs.ring();
      assert.is(await ended, rounds);
    },
    { progress: () => Atomics.load(word, 0) },
  );
});

doorbell.run();
