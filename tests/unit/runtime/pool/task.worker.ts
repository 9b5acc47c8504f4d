/** Finite CPU work: a checksum; or an error, or no end at all. */
import { crc32 } from 'node:zlib';
import { RingError } from '../../../../runtime/base/errors.js';
import { laneEntry } from '../../../../runtime/pool/lane-entry.js';

export interface ChecksumTask {
  readonly bytes: Uint8Array;
  readonly outcome: 'answer' | 'throw' | 'hang';
}

const fail = laneEntry(() => {
  throw new RingError('STORE_CORRUPT', 'segment is damaged', { at: 12 });
});

export default async ({ bytes, outcome }: ChecksumTask): Promise<number> => {
  if (outcome === 'throw') await fail(undefined);
  if (outcome === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return crc32(bytes);
};
