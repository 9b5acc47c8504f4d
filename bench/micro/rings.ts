/**
 * The ring of the hot path ({@link Ring}) beside `ringbuf.js` with frames ({@link ByteRing}), which carries log lines:
 * 64 B and 1 KiB records, on one thread and between two.
 *
 *     node dist/bench/micro/rings.js [smoke|real]
 */
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { assert } from '../../runtime/base/assert.js';
import { KiB } from '../../runtime/base/units.js';
import { ByteRing } from '../../runtime/memory/byte-ring.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { Ring } from '../../runtime/memory/ring.js';

export interface RingsParameters {
  readonly records: number;
}

export interface RingsCase {
  readonly name: string;
  readonly parameters: { readonly records: number; readonly recordBytes: number; readonly threads: 1 | 2 };
  /** Records a second. */
  readonly rate: number;
  /** Sum of the first word of all records as the consumer read them. */
  readonly checksum: number;
}

export const parameters = { smoke: { records: 20_000 }, real: { records: 5_000_000 } } as const;

const RING_BYTES = 256 * KiB;
const BATCH = 64;

/** One kind of ring, seen from both sides, with the same work on each: a record with a number in it. */
interface Subject {
  /** False when it is full. */
  send(record: number): boolean;
  /** Receives up to `recordsMax`; returns how many. */
  receive(recordsMax: number): number;
  readonly checksum: number;
}

class RingSubject implements Subject {
  readonly #ring: Ring;
  readonly #template: Uint8Array;
  checksum = 0;

  constructor(memory: SharedArrayBuffer, recordBytes: number) {
    this.#ring = new Ring(memory);
    this.#template = new Uint8Array(recordBytes).fill(1);
  }

  send(record: number): boolean {
    const at = this.#ring.claim(this.#template.length);
    if (at < 0) return false;
    this.#ring.bytes.set(this.#template, at);
    this.#ring.words[at >> 2] = record;
    this.#ring.commit(1, this.#template.length);
    return true;
  }

  receive(recordsMax: number): number {
    let records = 0;
    for (; records < recordsMax; records++) {
      const at = this.#ring.poll();
      if (at < 0) break;
      this.checksum = (this.checksum + this.#ring.words[at >> 2]!) >>> 0;
      this.#ring.release();
    }
    if (records > 0) this.#ring.publishReleased();
    return records;
  }
}

class ByteRingSubject implements Subject {
  readonly #ring: ByteRing;
  readonly #record: Uint8Array;
  readonly #word: Int32Array;
  checksum = 0;

  constructor(memory: SharedArrayBuffer, recordBytes: number) {
    this.#ring = new ByteRing(memory);
    this.#record = new Uint8Array(recordBytes).fill(1);
    this.#word = new Int32Array(this.#record.buffer, 0, 1);
  }

  send(record: number): boolean {
    this.#word[0] = record;
    return this.#ring.offer(this.#record);
  }

  receive(recordsMax: number): number {
    let records = 0;
    for (; records < recordsMax; records++) {
      const record = this.#ring.poll();
      if (record === undefined) break;
      this.checksum = (this.checksum + new Int32Array(record.buffer, 0, 1)[0]!) >>> 0;
    }
    return records;
  }
}

const kinds = {
  'ring.ts': { allocate: Ring.allocate, open: RingSubject },
  'ringbuf.js': { allocate: ByteRing.allocate, open: ByteRingSubject },
} as const;

type Kind = keyof typeof kinds;

const runOneThread = (kind: Kind, recordBytes: number, records: number): { elapsedMs: number; checksum: number } => {
  const { allocate, open } = kinds[kind];
  const memory = allocate(RING_BYTES);
  const producer: Subject = new open(memory, recordBytes);
  const consumer: Subject = new open(memory, recordBytes);
  const startMs = performance.now();
  let received = 0;
  for (let sent = 0; received < records; ) {
    const batchEnd = Math.min(records, sent + BATCH);
    while (sent < batchEnd && producer.send(sent)) sent++;
    received += consumer.receive(BATCH);
  }
  return { elapsedMs: performance.now() - startMs, checksum: consumer.checksum };
};

interface ConsumerData {
  readonly kind: Kind;
  readonly memory: SharedArrayBuffer;
  readonly recordBytes: number;
  readonly records: number;
  readonly recordsBell: SharedArrayBuffer;
  readonly roomBell: SharedArrayBuffer;
}

/** The consumer's thread: batches, and sleeps on its bell when there is nothing. */
const consume = (data: ConsumerData): number => {
  const consumer: Subject = new kinds[data.kind].open(data.memory, data.recordBytes);
  const recordsBell = new Doorbell(data.recordsBell);
  const roomBell = new Doorbell(data.roomBell);
  for (let received = 0; received < data.records; ) {
    const seen = recordsBell.read();
    const batch = consumer.receive(BATCH);
    received += batch;
    if (batch > 0) roomBell.ring();
    else recordsBell.wait(seen, Number.POSITIVE_INFINITY);
  }
  return consumer.checksum;
};

const runTwoThreads = async (
  kind: Kind,
  recordBytes: number,
  records: number,
): Promise<{ elapsedMs: number; checksum: number }> => {
  const { allocate, open } = kinds[kind];
  const memory = allocate(RING_BYTES);
  const recordsBell = new Doorbell();
  const roomBell = new Doorbell();
  const shared = { kind, memory, recordBytes, records, recordsBell: recordsBell.memory, roomBell: roomBell.memory };
  const worker = new Worker(new URL(import.meta.url), { workerData: { ringsBench: shared satisfies ConsumerData } });
  const message = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  try {
    await message();
    const result = message();
    const producer: Subject = new open(memory, recordBytes);
    const startMs = performance.now();
    for (let sent = 0; sent < records; ) {
      const seen = roomBell.read();
      const batchEnd = Math.min(records, sent + BATCH);
      const before = sent;
      while (sent < batchEnd && producer.send(sent)) sent++;
      if (sent > before) recordsBell.ring();
      else roomBell.wait(seen, Number.POSITIVE_INFINITY);
    }
    const checksum = (await result) as number;
    return { elapsedMs: performance.now() - startMs, checksum };
  } finally {
    await worker.terminate();
  }
};

/** All cases one after another. Errors: asserts that every record arrived. */
export const run = async ({ records }: RingsParameters): Promise<RingsCase[]> => {
  const expected = (BigInt(records) * BigInt(records - 1)) / 2n;
  const results: RingsCase[] = [];
  for (const recordBytes of [64, 1024]) {
    for (const threads of [1, 2] as const) {
      for (const kind of Object.keys(kinds) as Kind[]) {
        const { elapsedMs, checksum } =
          threads === 1 ? runOneThread(kind, recordBytes, records) : await runTwoThreads(kind, recordBytes, records);
        assert(BigInt(checksum) === BigInt.asUintN(32, expected), `${kind}: all records arrived`);
        const rate = Math.round((records * 1000) / elapsedMs);
        results.push({ name: `rings/${kind}`, parameters: { records, recordBytes, threads }, rate, checksum });
      }
    }
  }
  return results;
};

const task = (workerData as { ringsBench?: ConsumerData } | null)?.ringsBench;
if (task !== undefined) {
  parentPort!.postMessage('ready');
  parentPort!.postMessage(consume(task));
} else if (isMainThread && pathToFileURL(process.argv[1] ?? '').href === import.meta.url) {
  const size = process.argv[2] === 'real' ? 'real' : 'smoke';
  for (const result of await run(parameters[size])) console.log(JSON.stringify(result));
}
