/** A lane that works until it is told to drain, or ends badly in one of the ways a lane can. */
import { RingError } from '../../../../runtime/base/errors.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { laneEntry } from '../../../../runtime/pool/lane-entry.js';

export interface LaneTestData {
  readonly bell: SharedArrayBuffer;
  /** [0] 1 when it runs, 2 when it has drained; [1] what to do: 0 wait, 1 drain, 2 throw, 3 exit, 4 throw outside. */
  readonly words: SharedArrayBuffer;
}

export default laneEntry(async (data: LaneTestData) => {
  const bell = new Doorbell(data.bell);
  const words = new Int32Array(data.words);
  Atomics.store(words, 0, 1);
  for (;;) {
    const seen = bell.read();
    const order = Atomics.load(words, 1);
    if (order === 1) break;
    if (order === 2) throw new RingError('DISK_READ_FAILED', 'lane gave up', { lane: 1 });
    if (order === 3) process.exit(7);
    if (order === 4) {
      setImmediate(() => {
        throw new Error('thrown outside the task');
      });
      await new Promise(() => {});
    }
    bell.wait(seen, Number.POSITIVE_INFINITY);
  }
  Atomics.store(words, 0, 2);
});
