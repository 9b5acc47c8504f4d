/**
 * CRC-32 (IEEE) of a range, masked to 31 bits as RocketMQ stores it. Hot.
 * Short bodies are summed here: below some hundred bytes the call into zlib costs more than the sum
 * (bench/micro/crc32).
 * Source: spec storage 3.5; UtilAll.crc32.
 */
import { crc32 as zlibCrc32 } from 'node:zlib';

/** Bodies at most this long are summed in JavaScript. Units: bytes. */
const SHORT = 384;
/** Bytes summed in one step, each by a table of its own. */
const SLICES = 16;

const tables = makeTables();

/** Table `n` says what a byte with `n` bytes behind it in its step adds to the sum. */
function makeTables(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[index] = value;
  }
  for (let index = 256; index < table.length; index++) {
    const previous = table[index - 256]!;
    table[index] = (previous >>> 8) ^ table[previous & 255]!;
  }
  return table;
}

/** Shape: `bytes[start, end)`. 0 for an empty range. */
export function bodyCrc32(bytes: Uint8Array, start: number, end: number): number {
  return end - start > SHORT ? zlibBodyCrc32(bytes, start, end) : tableBodyCrc32(bytes, start, end);
}

/** The same by zlib. Exported for the benchmark that compares both ways. */
export function zlibBodyCrc32(bytes: Uint8Array, start: number, end: number): number {
  return zlibCrc32(bytes.subarray(start, end)) & 0x7fffffff;
}

/** The same in JavaScript, sixteen bytes a step. Exported for the benchmark that compares both ways. */
export function tableBodyCrc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + SLICES <= end; at += SLICES) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[0xf00 | (crc & 255)]! ^
      tables[0xe00 | ((crc >>> 8) & 255)]! ^
      tables[0xd00 | ((crc >>> 16) & 255)]! ^
      tables[0xc00 | (crc >>> 24)]! ^
      tables[0xb00 | bytes[at + 4]!]! ^
      tables[0xa00 | bytes[at + 5]!]! ^
      tables[0x900 | bytes[at + 6]!]! ^
      tables[0x800 | bytes[at + 7]!]! ^
      tables[0x700 | bytes[at + 8]!]! ^
      tables[0x600 | bytes[at + 9]!]! ^
      tables[0x500 | bytes[at + 10]!]! ^
      tables[0x400 | bytes[at + 11]!]! ^
      tables[0x300 | bytes[at + 12]!]! ^
      tables[0x200 | bytes[at + 13]!]! ^
      tables[0x100 | bytes[at + 14]!]! ^
      tables[bytes[at + 15]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 255]!;
  return ~crc & 0x7fffffff;
}
