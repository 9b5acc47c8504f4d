/** Producer or consumer of the two-thread ring test: both draw the same records from the same seed. */
import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '../../../../runtime/base/prng.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { Ring } from '../../../../runtime/memory/ring.js';

export interface RingWorkerData {
  readonly role: 'producer' | 'consumer';
  readonly seed: number;
  readonly records: number;
  /** Of the larger records one in so many is as large as a record can be. */
  readonly largeOneIn: number;
  readonly ring: SharedArrayBuffer;
  /** Rung by the producer when records are there, by the consumer when room is. */
  readonly recordsBell: SharedArrayBuffer;
  readonly roomBell: SharedArrayBuffer;
  /** Records consumed, for the watchdog. Shape: one Int32. */
  readonly progress: SharedArrayBuffer;
}

export interface RingWorkerResult {
  readonly records: number;
  readonly waits: number;
}

const data = workerData as RingWorkerData;
const ring = new Ring(data.ring);
const recordsBell = new Doorbell(data.recordsBell);
const roomBell = new Doorbell(data.roomBell);
const shape = new Prng(data.seed);
/** What each side does in its own rhythm must not disturb the sequence of records. */
const rhythm = new Prng(data.seed + (data.role === 'producer' ? 1 : 2));

const nextLength = (): number => {
  if (shape.oneIn(64)) return shape.oneIn(data.largeOneIn) ? ring.payloadMax : shape.between(0, ring.payloadMax >> 4);
  return shape.below(48);
};
const byteOf = (record: number, index: number): number => (record * 31 + index * 7 + (index >> 8)) & 0xff;

const produce = (): number => {
  let waits = 0;
  let unrung = 0;
  for (let record = 0; record < data.records; record++) {
    const length = nextLength();
    // Now and then more is claimed than is committed.
    const claimed = rhythm.oneIn(4) ? Math.min(ring.payloadMax, length + rhythm.below(200)) : length;
    for (;;) {
      const seen = roomBell.read();
      const at = ring.claim(claimed);
      if (at >= 0) {
        for (let index = 0; index < length; index++) ring.bytes[at + index] = byteOf(record, index);
        ring.commit(record & 0x7fff_ffff, length);
        break;
      }
      recordsBell.ring();
      unrung = 0;
      waits++;
      roomBell.wait(seen, Number.POSITIVE_INFINITY);
    }
    if (++unrung > rhythm.below(16)) {
      recordsBell.ring();
      unrung = 0;
    }
  }
  recordsBell.ring();
  return waits;
};

const check = (record: number, at: number): void => {
  const length = nextLength();
  if (ring.type !== record) throw new Error(`seed ${data.seed}: record ${record} is ${ring.type}`);
  if (ring.length !== length) throw new Error(`seed ${data.seed}: record ${record} has ${ring.length}, not ${length}`);
  if ((at & 7) !== 0) throw new Error(`seed ${data.seed}: record ${record} is not aligned`);
  for (let index = 0; index < length; index++) {
    if (ring.bytes[at + index] !== byteOf(record, index)) {
      throw new Error(`seed ${data.seed}: record ${record} is damaged at ${index} of ${length}`);
    }
  }
};

const consume = (): number => {
  const progress = new Int32Array(data.progress);
  let waits = 0;
  let record = 0;
  while (record < data.records) {
    const seen = recordsBell.read();
    const batchMax = 1 + rhythm.below(64);
    let batch = 0;
    for (; batch < batchMax; batch++) {
      const at = ring.poll();
      if (at < 0) break;
      check(record++, at);
      ring.release();
    }
    if (batch > 0) {
      ring.publishReleased();
      roomBell.ring();
      Atomics.store(progress, 0, record);
    } else {
      waits++;
      recordsBell.wait(seen, Number.POSITIVE_INFINITY);
    }
  }
  if (ring.poll() >= 0) throw new Error(`seed ${data.seed}: more records than were sent`);
  return waits;
};

const waits = data.role === 'producer' ? produce() : consume();
parentPort!.postMessage({ records: data.records, waits } satisfies RingWorkerResult);
