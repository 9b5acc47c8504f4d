/** One of two threads that hand a number to and fro; each sleeps without a time limit until it is rung. */
import { parentPort, workerData } from 'node:worker_threads';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';

export interface DoorbellWorkerData {
  readonly parity: 0 | 1;
  readonly rounds: number;
  readonly mine: SharedArrayBuffer;
  readonly theirs: SharedArrayBuffer;
  /** The number: whose turn it is is whether it is even or odd. Shape: one Int32. */
  readonly turn: SharedArrayBuffer;
}

const data = workerData as DoorbellWorkerData;
const mine = new Doorbell(data.mine);
const theirs = new Doorbell(data.theirs);
const turn = new Int32Array(data.turn);

for (;;) {
  const seen = mine.read();
  const now = Atomics.load(turn, 0);
  if (now >= data.rounds) break;
  if ((now & 1) === data.parity) {
    Atomics.store(turn, 0, now + 1);
    theirs.ring();
  } else {
    mine.wait(seen, Number.POSITIVE_INFINITY);
  }
}
theirs.ring();
parentPort!.postMessage(Atomics.load(turn, 0));
