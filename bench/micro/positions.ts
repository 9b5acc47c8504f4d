/**
 * Shared 64-bit positions ({@link Positions}, atomic `bigint` words) beside the way without `bigint`: two 32-bit halves
 * under a sequence number. On one thread, and followed by a second one that must never see half of a change.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { assert } from '../../runtime/base/assert.js';
import { Positions } from '../../runtime/memory/positions.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface PositionsParameters {
  readonly publishes: number;
}

export const parameters = { smoke: { publishes: 20_000 }, real: { publishes: 2_000_000 } } as const;

const TWO_32 = 0x1_0000_0000;
/** Both halves change with every step, so that half of a change is no multiple of it. */
const STEP = TWO_32 + 1;

/** A shared position, seen from either side. */
interface Subject {
  publish(position: number): void;
  read(): number;
}

class PositionsSubject implements Subject {
  readonly #positions: Positions;

  constructor(memory: SharedArrayBuffer) {
    this.#positions = new Positions(memory);
  }

  publish(position: number): void {
    this.#positions.publish('appended', position);
  }

  read(): number {
    return this.#positions.read('appended');
  }
}

/** Shape: sequence (odd while a change is made), low half, high half. */
class HalvesSubject implements Subject {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  publish(position: number): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.store(this.#words, 1, position | 0);
    Atomics.store(this.#words, 2, Math.floor(position / TWO_32));
    Atomics.add(this.#words, 0, 1);
  }

  read(): number {
    for (;;) {
      const sequence = Atomics.load(this.#words, 0);
      const low = Atomics.load(this.#words, 1);
      const high = Atomics.load(this.#words, 2);
      if ((sequence & 1) === 0 && sequence === Atomics.load(this.#words, 0)) return high * TWO_32 + (low >>> 0);
    }
  }
}

const kinds = { 'positions.ts': PositionsSubject, 'two halves': HalvesSubject } as const;
type Kind = keyof typeof kinds;

function openSubject(kind: Kind, memory: SharedArrayBuffer): Subject {
  return new kinds[kind](memory);
}

const newMemory = (): SharedArrayBuffer => new Positions().memory;

function runOneThread(kind: Kind, publishes: number): BenchmarkCase {
  const subject = openSubject(kind, newMemory());
  let steps = 0;
  const watch = new Stopwatch(0);
  for (let index = 1; index <= publishes; index++) {
    subject.publish(index * STEP);
    steps += subject.read() / STEP;
  }
  const result = watch.result(publishes);
  assert(steps === (publishes * (publishes + 1)) / 2, `${kind}: what was published is read`);
  return { name: `positions/${kind}`, parameters: { publishes, threads: 1 }, ...result, checksum: steps };
}

interface FollowerData {
  readonly kind: Kind;
  readonly memory: SharedArrayBuffer;
  readonly end: number;
}

/** The follower's thread: reads until the end; every position must be a whole one and no step back. */
function follow({ kind, memory, end }: FollowerData): number {
  const subject = openSubject(kind, memory);
  let last = 0;
  while (last < end) {
    const position = subject.read();
    assert(position % STEP === 0, `${kind}: nobody sees half of a change`);
    assert(position >= last, `${kind}: a position moves forward`);
    last = position;
  }
  return last;
}

async function runTwoThreads(kind: Kind, publishes: number): Promise<BenchmarkCase> {
  const memory = newMemory();
  const end = publishes * STEP;
  const data: FollowerData = { kind, memory, end };
  const worker = new Worker(new URL(import.meta.url), { workerData: { positionsBench: data } });
  const message = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  try {
    await message();
    const followed = message();
    const subject = openSubject(kind, memory);
    const watch = new Stopwatch(0);
    for (let index = 1; index <= publishes; index++) subject.publish(index * STEP);
    const reached = (await followed) as number;
    const result = watch.result(publishes);
    assert(reached === end, `${kind}: the follower sees the end`);
    const checksum = reached / STEP;
    return { name: `positions/${kind}`, parameters: { publishes, threads: 2 }, ...result, checksum };
  } finally {
    await worker.terminate();
  }
}

export const run = async ({ publishes }: PositionsParameters): Promise<BenchmarkCase[]> => {
  const results: BenchmarkCase[] = [];
  for (const kind of Object.keys(kinds) as Kind[]) {
    results.push(runOneThread(kind, publishes), await runTwoThreads(kind, publishes));
  }
  return results;
};

const task = (workerData as { positionsBench?: FollowerData } | null)?.positionsBench;
if (task !== undefined) {
  parentPort!.postMessage('ready');
  parentPort!.postMessage(follow(task));
}
