/**
 * CRC-32 (IEEE) of a range, masked to 31 bits as RocketMQ stores it. Hot.
 * Short bodies are summed here: below some hundred bytes the call into zlib costs more than the sum
 * (bench/micro/crc32).
 * Source: spec storage 3.5; UtilAll.crc32.
 */
import { crc32 as zlibCrc32 } from 'node:zlib';

/** Bodies at most this long are summed in JavaScript. Units: bytes. */
const SHORT = 192;

const tables = makeTables();

function makeTables(): Int32Array {
  const table = new Int32Array(4 * 256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[index] = value;
  }
  for (let index = 0; index < 256; index++) {
    for (let slice = 1; slice < 4; slice++) {
      const previous = table[(slice - 1) * 256 + index]!;
      table[slice * 256 + index] = (previous >>> 8) ^ table[previous & 255]!;
    }
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

/** The same in JavaScript, four bytes a step. Exported for the benchmark that compares both ways. */
export function tableBodyCrc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      tables[768 + (crc & 255)]! ^
      tables[512 + ((crc >>> 8) & 255)]! ^
      tables[256 + ((crc >>> 16) & 255)]! ^
      tables[crc >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 255]!;
  return ~crc & 0x7fffffff;
}
