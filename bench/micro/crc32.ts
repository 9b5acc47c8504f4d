/**
 * The body's CRC in JavaScript beside zlib's, from 16 bytes to 4 KiB. Where the one overtakes the other is the constant
 * SHORT of `protocol/crc32.ts`.
 */
import { tableBodyCrc32, zlibBodyCrc32 } from '../../protocol/crc32.js';
import { assert } from '../../runtime/base/assert.js';
import { Prng } from '../../runtime/base/prng.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface Crc32Parameters {
  /** Of each size. */
  readonly bodies: number;
}

export const parameters = { smoke: { bodies: 2_000 }, real: { bodies: 1_000_000 } } as const;

const sizes = [16, 32, 64, 96, 128, 160, 192, 224, 256, 384, 512, 1024, 2048, 4096];
/** Bodies are summed at this many positions in turn, as frames lie anywhere in a ring. */
const POSITIONS = 64;

const kinds = { 'in JavaScript': tableBodyCrc32, 'by zlib': zlibBodyCrc32 } as const;

type Kind = keyof typeof kinds;

function runOne(kind: Kind, bodyBytes: number, bodies: number, memory: Uint8Array): BenchmarkCase {
  const crc32 = kinds[kind];
  let checksum = 0;
  for (let warm = 0; warm < 1000; warm++) crc32(memory, warm % POSITIONS, (warm % POSITIONS) + bodyBytes);
  const watch = new Stopwatch(0);
  for (let body = 0; body < bodies; body++) {
    const start = body % POSITIONS;
    checksum = (checksum + crc32(memory, start, start + bodyBytes)) >>> 0;
  }
  return { name: `crc32/${kind}`, parameters: { bodies, bodyBytes }, ...watch.result(bodies), checksum };
}

/** All cases one after another. Errors: asserts that both come to the same sums. */
export async function run({ bodies }: Crc32Parameters): Promise<BenchmarkCase[]> {
  // Shared, as the ring of a send lane is.
  const memory = new Uint8Array(new SharedArrayBuffer(sizes.at(-1)! + POSITIONS));
  memory.set(new Prng(1).bytes(memory.length));
  const results: BenchmarkCase[] = [];
  for (const bodyBytes of sizes) {
    // The large ones take longer: fewer of them give the same measure.
    const count = Math.max(100, Math.round(bodies / Math.max(1, bodyBytes / 256)));
    const [table, zlib] = [
      runOne('in JavaScript', bodyBytes, count, memory),
      runOne('by zlib', bodyBytes, count, memory),
    ];
    assert(table.checksum === zlib.checksum, `both sum ${bodyBytes} bytes alike`);
    results.push(table, zlib);
  }
  return results;
}
