/** A record of the log: made by a lane and stamped by the writer, and read again as the dispatcher does. */
import { bodyCrc32 } from '../../protocol/crc32.js';
import {
  beginRecord,
  finishRecord,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordQueueId,
  recordSize,
  recordTotalSize,
  stampRecord,
} from '../../protocol/message-record.js';
import { PropertyRanges } from '../../protocol/property-ranges.js';
import { assert } from '../../runtime/base/assert.js';
import { MiB } from '../../runtime/base/units.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface RecordParameters {
  readonly records: number;
}

export const parameters = { smoke: { records: 2_000 }, real: { records: 1_000_000 } } as const;

const encoder = new TextEncoder();
const topic = encoder.encode('TopicTest');
const properties = encoder.encode(
  'KEYS\u0001k1\u0002UNIQ_KEY\u00010A00000200002A9F7328FAD80001\u0002TAGS\u0001TagA\u0002CLUSTER\u0001DefaultCluster',
);
const fields = {
  queueId: 3,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1_795_423_265_496,
  bornAddress: 0x0a000001,
  bornPort: 40_000,
  storeAddress: 0x0a000002,
  storePort: 10_911,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
};

/** Encodes and stamps one record at `start`; returns its end. */
function encode(memory: Uint8Array, start: number, body: Uint8Array, index: number): number {
  const crc = bodyCrc32(body, 0, body.length);
  const lengthAt = beginRecord(memory, start, fields, crc, body, 0, body.length, topic);
  for (let at = 0; at < properties.length; at++) memory[lengthAt + 2 + at] = properties[at]!;
  const end = finishRecord(memory, start, lengthAt, properties.length);
  stampRecord(memory, start, index, start, fields.bornTimestamp + 1);
  return end;
}

const ranges = new PropertyRanges();

/** What a dispatcher takes from the record at `start`, in one number. */
function read(memory: Uint8Array, start: number): number {
  const from = recordPropertiesStart(memory, start);
  ranges.find(memory, from, from + recordPropertiesSize(memory, from));
  const tagsCode = ranges.tagsCode(memory);
  return tagsCode + recordQueueId(memory, start) + recordPhysicalOffset(memory, start) + recordTotalSize(memory, start);
}

function runSize(bodyBytes: number, records: number): BenchmarkCase[] {
  const size = recordSize(bodyBytes, topic.length, properties.length);
  const fitting = Math.floor((4 * MiB) / size);
  const memory = new Uint8Array(new SharedArrayBuffer(fitting * size));
  const body = new Uint8Array(bodyBytes).fill(0x78);
  for (let index = 0; index < fitting; index++) encode(memory, index * size, body, index);
  let written = 0;
  const writing = new Stopwatch(0);
  for (let index = 0; index < records; index++) {
    const start = (index % fitting) * size;
    written += encode(memory, start, body, index) - start;
  }
  const encoded = writing.result(records);
  assert(written === records * size, 'every record has its size');
  let sum = 0;
  const reading = new Stopwatch(0);
  for (let index = 0; index < records; index++) sum = (sum + read(memory, (index % fitting) * size)) >>> 0;
  const common = { records, bodyBytes };
  return [
    { name: 'record/encode', parameters: common, ...encoded, checksum: written },
    { name: 'record/read', parameters: common, ...reading.result(records), checksum: sum },
  ];
}

/** All cases one after another. Errors: asserts that records have the size they should. */
export async function run({ records }: RecordParameters): Promise<BenchmarkCase[]> {
  return [64, 256, 1024, 4096].flatMap(bodyBytes => runSize(bodyBytes, records));
}
