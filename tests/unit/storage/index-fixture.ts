/** An index under test: a folder, two sizes, and short ways to open, fill and ask it. */
import {
  type MessageIndexConfig,
  MessageIndexReader,
  MessageIndexWriter,
  type MessageIndexWriterOptions,
} from '../../../storage/message-index.js';
import type { FaultyDisk, MemoryDisk } from '../../support/faulty-disk.js';
import { rangesOf } from '../../support/property-ranges.js';

export const folder = '/store/index';
export const small: MessageIndexConfig = { folder, maxHashSlotNum: 7, maxIndexNum: 5 };
export const wide: MessageIndexConfig = { folder, maxHashSlotNum: 5_000, maxIndexNum: 20_000 };
export const beginMs = 1_700_000_000_000;
export type AnyDisk = MemoryDisk | FaultyDisk;
export const forever = Number.MAX_SAFE_INTEGER;

export function open(
  disk: AnyDisk,
  config = wide,
  options: Partial<MessageIndexWriterOptions> = {},
): MessageIndexWriter {
  return new MessageIndexWriter(disk, config, { nowMs: () => beginMs, ...options });
}

/** Puts a record whose property string is given, with bytes around its parts that are none of its own. */
export function putRaw(
  writer: MessageIndexWriter,
  topic: string,
  properties: string,
  offset: number,
  storeMs: number,
): number {
  const topicBytes = Buffer.from(topic);
  const propertyBytes = Buffer.from(properties);
  const bytes = Buffer.concat([
    Buffer.from('KEYS\u0001no'),
    topicBytes,
    Buffer.from('xx'),
    propertyBytes,
    Buffer.from('K'),
  ]);
  const topicEnd = 7 + topicBytes.length;
  const end = topicEnd + 2 + propertyBytes.length;
  return writer.putRecord(bytes, 7, topicEnd, rangesOf(bytes, topicEnd + 2, end), offset, storeMs);
}

export const put = (writer: MessageIndexWriter, keys: string, offset: number, storeMs = beginMs): number =>
  putRaw(writer, 'T', `KEYS\u0001${keys}\u0002TAGS\u0001a`, offset, storeMs);

export function find(
  disk: AnyDisk,
  key: string,
  config = wide,
  topic = 'T',
  from = 0,
  to = forever,
  maxNum = 32,
): number[] {
  const reader = new MessageIndexReader(disk, config);
  const { physicalOffsets } = reader.query(topic, key, maxNum, from, to);
  reader.close();
  return physicalOffsets;
}

export const files = (disk: AnyDisk): string[] => disk.list(folder);
