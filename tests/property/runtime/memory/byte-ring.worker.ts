/** Producer or consumer of the two-thread byte ring test: both draw the same records from the same seed. */
import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '../../../../runtime/base/prng.js';
import { ByteRing } from '../../../../runtime/memory/byte-ring.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';

export interface ByteRingWorkerData {
  readonly role: 'producer' | 'consumer';
  readonly seed: number;
  readonly records: number;
  readonly ring: SharedArrayBuffer;
  readonly recordsBell: SharedArrayBuffer;
  readonly roomBell: SharedArrayBuffer;
  /** Records consumed, for the watchdog. Shape: one Int32. */
  readonly progress: SharedArrayBuffer;
}

const data = workerData as ByteRingWorkerData;
const ring = new ByteRing(data.ring);
const recordsBell = new Doorbell(data.recordsBell);
const roomBell = new Doorbell(data.roomBell);
const shape = new Prng(data.seed);

const nextRecord = (record: number): Uint8Array => {
  const length = shape.oneIn(100) ? shape.between(0, ring.payloadMax) : shape.between(0, 200);
  const out = new Uint8Array(length);
  for (let index = 0; index < length; index++) out[index] = (record * 31 + index) & 0xff;
  return out;
};

const produce = (): void => {
  for (let record = 0; record < data.records; record++) {
    const payload = nextRecord(record);
    for (;;) {
      const seen = roomBell.read();
      if (ring.offer(payload)) break;
      roomBell.wait(seen, Number.POSITIVE_INFINITY);
    }
    recordsBell.ring();
  }
};

const consume = (): void => {
  const progress = new Int32Array(data.progress);
  for (let record = 0; record < data.records; ) {
    const seen = recordsBell.read();
    const payload = ring.poll();
    if (payload === undefined) {
      recordsBell.wait(seen, Number.POSITIVE_INFINITY);
      continue;
    }
    roomBell.ring();
    if (Buffer.compare(payload, nextRecord(record)) !== 0) {
      throw new Error(`seed ${data.seed}: record ${record} is damaged (${payload.length} bytes)`);
    }
    Atomics.store(progress, 0, ++record);
  }
  if (ring.poll() !== undefined) throw new Error(`seed ${data.seed}: more records than were sent`);
};

if (data.role === 'producer') produce();
else consume();
parentPort!.postMessage(data.records);
