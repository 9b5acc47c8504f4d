/** All records of a log that lies in memory. */
import { join } from 'node:path';
import { segmentName } from '../../storage/paths.js';
import type { MemoryDisk } from './faulty-disk.js';
import { decodeRecords, type RawRecord } from './raw-record.js';

const blankMagic = 0xcbd43194;

/** From the log's start to `end`. Errors: Error when something between is no record. */
export function recordsOfLog(memory: MemoryDisk, folder: string, segmentSize: number, end: number): RawRecord[] {
  const records: RawRecord[] = [];
  for (let start = 0; start < end; start += segmentSize) {
    const bytes = Buffer.from(memory.bytes(join(folder, segmentName(start))));
    records.push(...decodeRecords(bytes.subarray(0, endOf(bytes, Math.min(segmentSize, end - start)))));
  }
  return records;
}

/** Where the records of a segment end: at the BLANK, or at `limit`. */
function endOf(bytes: Buffer, limit: number): number {
  let at = 0;
  while (at < limit && bytes.readUInt32BE(at + 4) !== blankMagic) at += bytes.readInt32BE(at);
  if (at < limit && at + bytes.readInt32BE(at) !== bytes.length) throw new Error('a BLANK takes the rest of its file');
  return at;
}
