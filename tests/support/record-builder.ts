/**
 * Builds log records and queue entries straight from the specification's tables. Shares nothing with the encoder of the
 * broker, so that one mistake cannot hide in both. Source: spec storage 3.1, 3.2, 4.1.
 */
import { join } from 'node:path';
import type { Disk } from '../../storage/disk.js';

const magicV1 = 0xdaa320a7;
const magicV2 = 0xdaa320ab;
const magicBlank = 0xcbd43194;

export interface RecordParts {
  readonly topic?: string;
  readonly body?: Uint8Array;
  /** The property string as stored. */
  readonly properties?: string;
  readonly queueId?: number;
  readonly flag?: number;
  readonly queueOffset?: number;
  readonly physicalOffset?: number;
  /** Bits besides those of IPv6 hosts, which follow from the hosts. */
  readonly sysFlag?: number;
  readonly bornTimestamp?: number;
  /** 4 or 16 bytes. */
  readonly bornAddress?: readonly number[];
  readonly bornPort?: number;
  readonly storeTimestamp?: number;
  readonly storeAddress?: readonly number[];
  readonly storePort?: number;
  readonly reconsumeTimes?: number;
  readonly preparedTransactionOffset?: number;
  /** 2: the topic's length takes two bytes (5.x). */
  readonly version?: 1 | 2;
}

const defaults: Required<RecordParts> = {
  topic: 'TopicTest',
  body: new TextEncoder().encode('hello'),
  properties: 'TAGS\u0001TagA\u0002KEYS\u0001k1',
  queueId: 0,
  flag: 0,
  queueOffset: 0,
  physicalOffset: 0,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  bornAddress: [10, 0, 0, 1],
  bornPort: 40000,
  storeTimestamp: 1_700_000_000_005,
  storeAddress: [10, 0, 0, 2],
  storePort: 10911,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  version: 1,
};

/** A whole record. */
export function buildRecord(parts: RecordParts = {}): Uint8Array {
  const all = { ...defaults, ...parts };
  const hostBits = (all.bornAddress.length === 16 ? 0x10 : 0) | (all.storeAddress.length === 16 ? 0x20 : 0);
  const topic = Buffer.from(all.topic);
  const properties = Buffer.from(all.properties);
  const fields = [
    i32(all.version === 2 ? magicV2 : magicV1),
    i32(crc(all.body)),
    i32(all.queueId),
    i32(all.flag),
    i64(all.queueOffset),
    i64(all.physicalOffset),
    i32(all.sysFlag | hostBits),
    i64(all.bornTimestamp),
    Buffer.from(all.bornAddress),
    i32(all.bornPort),
    i64(all.storeTimestamp),
    Buffer.from(all.storeAddress),
    i32(all.storePort),
    i32(all.reconsumeTimes),
    i64(all.preparedTransactionOffset),
    i32(all.body.length),
    all.body,
    all.version === 2 ? i16(topic.length) : Buffer.from([topic.length]),
    topic,
    i16(properties.length),
    properties,
  ];
  const rest = Buffer.concat(fields);
  return Buffer.concat([i32(rest.length + 4), rest]);
}

/** The 8 bytes that fill the last `size` bytes of a file. */
export function buildBlank(size: number): Uint8Array {
  return Buffer.concat([i32(size), i32(magicBlank)]);
}

/** One entry of a consume queue. */
export function buildUnit(physicalOffset: number, size: number, tagsCode = 0n): Uint8Array {
  const tags = Buffer.alloc(8);
  tags.writeBigInt64BE(tagsCode);
  return Buffer.concat([i64(physicalOffset), i32(size), tags]);
}

/** An entry that fills the gap before a queue's first message. */
export function buildGapUnit(): Uint8Array {
  return buildUnit(0, 0x7fffffff);
}

function i16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function i64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** CRC-32 (IEEE), bit by bit, without its sign bit. */
function crc(bytes: Uint8Array): number {
  let value = -1;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value & 0x7fffffff;
}

/** Writes `bytes` at `position` of an endless stream kept in files of `segmentSize`, which are made as needed. */
export function writeStream(
  disk: Disk,
  folder: string,
  segmentSize: number,
  position: number,
  bytes: Uint8Array,
): void {
  disk.makeFolder(folder);
  const start = position - (position % segmentSize);
  const file = disk.open(join(folder, String(start).padStart(20, '0')), 'create');
  if (file.size() !== segmentSize) file.truncate(segmentSize);
  file.write(bytes, 0, bytes.length, position - start);
  file.close();
}

export interface BuiltRecord {
  readonly start: number;
  readonly end: number;
}

/** Writes a log as a broker would: records one after the other, a BLANK where one does not fit. */
export class LogBuilder {
  readonly records: BuiltRecord[] = [];
  /** Where the next record goes. */
  end: number;
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #segmentSize: number;

  constructor(disk: Disk, folder: string, segmentSize: number, start = 0) {
    this.#disk = disk;
    this.#folder = folder;
    this.#segmentSize = segmentSize;
    this.end = start;
  }

  append(parts: RecordParts = {}): BuiltRecord {
    const size = buildRecord(parts).length;
    const room = this.#segmentSize - (this.end % this.#segmentSize);
    if (size + 8 > room) this.roll();
    const bytes = buildRecord({ ...parts, physicalOffset: this.end });
    writeStream(this.#disk, this.#folder, this.#segmentSize, this.end, bytes);
    const record = { start: this.end, end: this.end + size };
    this.records.push(record);
    this.end = record.end;
    return record;
  }

  /** Ends the file with a BLANK. */
  roll(): void {
    const room = this.#segmentSize - (this.end % this.#segmentSize);
    writeStream(this.#disk, this.#folder, this.#segmentSize, this.end, buildBlank(room));
    this.end += room;
  }

  /** Makes an empty file ahead of need, at a segment's start. */
  preallocate(start: number): void {
    writeStream(this.#disk, this.#folder, this.#segmentSize, start, new Uint8Array(0));
  }
}
