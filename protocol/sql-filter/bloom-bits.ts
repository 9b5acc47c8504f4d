/**
 * The bits that Java gives each filter in a bloom filter of all, as `consumerFilter.json` keeps them. RingMQ evaluates
 * every filter on the message and never looks at them; a Java broker that opens the store does, and drops the file
 * when they do not fit its settings. Cold. Source: rocketmq 4.9.8 BloomFilter, BloomFilterData; Guava murmur3_128.
 */

/** As the file has it. */
export interface BloomFilterData {
  readonly bitNum: number;
  readonly bitPos: readonly number[];
}

export class BloomBits {
  /** Bits of the filter. */
  readonly bitCount: number;
  /** Bits of one entry. */
  readonly hashCount: number;

  /** `errorPercent`: maxErrorRateOfBloomFilter, 1 to 99; `entries`: expectConsumerNumUseFilter, at least 1. */
  constructor(errorPercent: number, entries: number) {
    const errorRate = errorPercent / 100;
    this.hashCount = Math.ceil(logarithm(0.5, errorRate));
    const bits = Math.ceil(entries * logarithm(2, 1 / errorRate) * logarithm(2, Math.E));
    this.bitCount = 8 * Math.ceil(bits / 8);
  }

  /** The bits of a group's filter for a topic. */
  of(group: string, topic: string): BloomFilterData {
    const hash = murmur3(new TextEncoder().encode(`${group}#${topic}`));
    const first = Number(BigInt.asIntN(32, hash));
    const second = Number(BigInt.asIntN(32, hash >> 32n));
    const bitPos = Array.from({ length: this.hashCount }, (_, index) => {
      const combined = (first + Math.imul(index + 1, second)) | 0;
      return (combined < 0 ? ~combined : combined) % this.bitCount;
    });
    return { bitNum: this.bitCount, bitPos };
  }

  fits(data: BloomFilterData): boolean {
    return data.bitNum === this.bitCount && data.bitPos.length === this.hashCount;
  }
}

function logarithm(base: number, value: number): number {
  return Math.log(value) / Math.log(base);
}

const FACTOR_1 = 0x87c37b91114253d5n;
const FACTOR_2 = 0x4cf5ad432745937fn;
const BLOCK_SIZE = 16;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (value >> (64n - bits)));
const mixFirst = (word: bigint): bigint => wrap(rotate(wrap(word * FACTOR_1), 31n) * FACTOR_2);
const mixSecond = (word: bigint): bigint => wrap(rotate(wrap(word * FACTOR_2), 33n) * FACTOR_1);

function mixFinally(value: bigint): bigint {
  let mixed = wrap((value ^ (value >> 33n)) * 0xff51afd7ed558ccdn);
  mixed = wrap((mixed ^ (mixed >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return mixed ^ (mixed >> 33n);
}

/** The first half of MurmurHash3 for 128 bits (x64), seed 0. */
function murmur3(bytes: Uint8Array): bigint {
  const padded = new Uint8Array(Math.ceil(bytes.length / BLOCK_SIZE) * BLOCK_SIZE);
  padded.set(bytes);
  const words = new DataView(padded.buffer);
  const whole = bytes.length - (bytes.length % BLOCK_SIZE);
  let first = 0n;
  let second = 0n;
  for (let at = 0; at < whole; at += BLOCK_SIZE) {
    first = rotate(first ^ mixFirst(words.getBigUint64(at, true)), 27n);
    first = wrap((first + second) * 5n + 0x52dce729n);
    second = rotate(second ^ mixSecond(words.getBigUint64(at + 8, true)), 31n);
    second = wrap((second + first) * 5n + 0x38495ab5n);
  }
  if (whole < bytes.length) {
    // The rest of the last block is zeros, which mix to zero.
    first ^= mixFirst(words.getBigUint64(whole, true));
    second ^= mixSecond(words.getBigUint64(whole + 8, true));
  }
  first ^= BigInt(bytes.length);
  second ^= BigInt(bytes.length);
  first = wrap(first + second);
  second = wrap(second + first);
  return wrap(mixFinally(first) + mixFinally(second));
}
