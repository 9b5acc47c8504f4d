/**
 * Decodes stored records as a pull answers them: an independent reading of the record table, for rigs that judge a
 * broker. Shares nothing with `protocol/`, so that one mistake cannot hide in both. Source: spec remoting 6.6.
 */
import { crc32 } from 'node:zlib';

const magicV1 = 0xdaa320a7;
const magicV2 = 0xdaa320ab;
const bornHostV6 = 0x10;
const storeHostV6 = 0x20;

export interface RawRecord {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestampMs: number;
  readonly storeTimestampMs: number;
  readonly storeHost: string;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly body: Buffer;
  readonly properties: ReadonlyMap<string, string>;
  /** The whole record as it was read. */
  readonly bytes: Buffer;
}

/**
 * All records of a pull's body, in order.
 * Errors: Error when a record cannot be parsed, its CRC is wrong, or bytes are left over.
 */
export function decodeRecords(body: Buffer): RawRecord[] {
  const records: RawRecord[] = [];
  let at = 0;
  while (at < body.length) {
    if (body.length - at < 4) throw new Error(`${body.length - at} bytes left after the last record`);
    const size = body.readInt32BE(at);
    if (size < 91 || size > body.length - at)
      throw new Error(`a record of ${size} bytes with ${body.length - at} left`);
    records.push(decodeRecord(body.subarray(at, at + size)));
    at += size;
  }
  return records;
}

function decodeRecord(bytes: Buffer): RawRecord {
  const magic = bytes.readUInt32BE(4);
  if (magic !== magicV1 && magic !== magicV2) throw new Error(`not a record: magic ${magic.toString(16)}`);
  const sysFlag = bytes.readInt32BE(36);
  const bornHostSize = sysFlag & bornHostV6 ? 20 : 8;
  const storeHostSize = sysFlag & storeHostV6 ? 20 : 8;
  const storeTimestampAt = 48 + bornHostSize;
  const reconsumeAt = storeTimestampAt + 8 + storeHostSize;
  const bodySizeAt = reconsumeAt + 4 + 8;
  const bodySize = bytes.readInt32BE(bodySizeAt);
  const topicSizeAt = bodySizeAt + 4 + bodySize;
  const body = bytes.subarray(bodySizeAt + 4, topicSizeAt);
  const topicAt = topicSizeAt + (magic === magicV2 ? 2 : 1);
  const topicSize = magic === magicV2 ? bytes.readInt16BE(topicSizeAt) : bytes.readInt8(topicSizeAt);
  const propertiesAt = topicAt + topicSize + 2;
  const propertiesSize = bytes.readInt16BE(propertiesAt - 2);
  if (propertiesAt + propertiesSize !== bytes.length) {
    throw new Error(`a record of ${bytes.length} bytes ends at ${propertiesAt + propertiesSize}`);
  }
  const storedCrc = bytes.readUInt32BE(8);
  const bodyCrc = crc32(body) & 0x7fffffff;
  if (storedCrc !== bodyCrc)
    throw new Error(`body CRC ${bodyCrc.toString(16)}, the record says ${storedCrc.toString(16)}`);
  return {
    topic: bytes.toString('utf8', topicAt, topicAt + topicSize),
    queueId: bytes.readInt32BE(12),
    flag: bytes.readInt32BE(16),
    queueOffset: Number(bytes.readBigInt64BE(20)),
    physicalOffset: Number(bytes.readBigInt64BE(28)),
    sysFlag,
    bornTimestampMs: Number(bytes.readBigInt64BE(40)),
    storeTimestampMs: Number(bytes.readBigInt64BE(storeTimestampAt)),
    storeHost: hostText(bytes, storeTimestampAt + 8, storeHostSize),
    reconsumeTimes: bytes.readInt32BE(reconsumeAt),
    preparedTransactionOffset: Number(bytes.readBigInt64BE(reconsumeAt + 4)),
    body,
    properties: parseProperties(bytes.toString('utf8', propertiesAt, propertiesAt + propertiesSize)),
    bytes,
  };
}

function hostText(bytes: Buffer, at: number, size: number): string {
  const port = bytes.readInt32BE(at + size - 4);
  const address = bytes.subarray(at, at + size - 4);
  return size === 8 ? `${address.join('.')}:${port}` : `[${address.toString('hex')}]:${port}`;
}

/** Splits `name \u0001 value \u0002 ...`; a missing last separator is allowed. Source: spec remoting 5.2. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const item of text.split('\u0002')) {
    const cut = item.indexOf('\u0001');
    if (cut > 0 && cut < item.length - 1) properties.set(item.slice(0, cut), item.slice(cut + 1));
  }
  return properties;
}

/** The other way round, without a last separator as 4.9 clients write it. */
export function formatProperties(properties: Iterable<readonly [string, string]>): string {
  return [...properties].map(([name, value]) => `${name}\u0001${value}`).join('\u0002');
}
