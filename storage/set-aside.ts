/**
 * The end of a log, kept in a file of its own before it is cut off: `set-aside/commitlog-FROM-TO-TIME` in the store
 * holds the bytes as they were, a file of the same name and `.json` says what they are. Cold.
 *
 * A file has its name when all of it is on the device. What is in one already is not written again, so that a crash at
 * any moment is followed by the same work.
 */
import { basename, dirname, join } from 'node:path';
import {
  recordQueueId,
  recordQueueOffset,
  recordStoreTimestamp,
  recordTopicAt,
  topicLength,
  topicLengthSize,
} from '../protocol/message-record.js';
import { RingError } from '../runtime/base/errors.js';
import { formatBytes, MiB } from '../runtime/base/units.js';
import type { Disk, DiskFile } from './disk.js';
import { type LogBytes, RecordWalk } from './record-walk.js';
import { readFully } from './segment-files.js';

export interface SetAsideOptions {
  readonly disk: Disk;
  /** {@link StorePaths.setAside}. */
  readonly folder: string;
  readonly log: LogBytes;
  /** What is set aside: from a record's start to the end of the log. Units: bytes. */
  readonly from: number;
  readonly to: number;
  /** In the report: why. */
  readonly reason: string;
  readonly nowMs: number;
  /** Called between two parts, so that others get their turn. */
  readonly pause: () => Promise<void>;
}

/** What a set-aside file holds of one queue: messages, and the offsets they had in it. */
export interface QueueSetAside {
  readonly queueId: number;
  messages: number;
  firstOffset: number;
  lastOffset: number;
}

/** What the file beside the bytes says. */
export interface SetAsideReport {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** ISO. */
  readonly setAsideAt: string;
  readonly messages: number;
  /** Units: ms since the epoch; 0 without a message. */
  readonly firstStoreTimestamp: number;
  readonly lastStoreTimestamp: number;
  readonly topics: Readonly<Record<string, readonly QueueSetAside[]>>;
}

export interface SetAside extends SetAsideReport {
  /** Path of the file with the bytes. */
  readonly path: string;
  /** An earlier attempt had written it. */
  readonly wasThere: boolean;
}

const COPY_SIZE = 4 * MiB;
const FILE_NAME = /^commitlog-(\d+)-(\d+)-\d{8}T\d{9}Z$/;
/** What must stay free on the disk. Units: bytes. */
const SPACE_LEFT_MIN = 64 * MiB;
const PART = '.part';

/**
 * Puts the end of a log on the device, and a report beside it.
 * Errors: RingError DISK_WRITE_FAILED, also when the room is too small; DISK_READ_FAILED. The log is as it was.
 */
export async function setAside(options: SetAsideOptions): Promise<SetAside> {
  const { disk, folder, from, to, nowMs } = options;
  disk.makeFolder(folder);
  disk.syncFolder(dirname(folder));
  for (const name of disk.list(folder)) if (name.endsWith(PART)) disk.remove(join(folder, name));
  const there = await findCopy(options);
  const name = there ?? `commitlog-${from}-${to}-${new Date(nowMs).toISOString().replace(/[-:.]/g, '')}`;
  const path = join(folder, name);
  if (there === undefined) await copy(options, path);
  const report = readReport(disk, `${path}.json`) ?? (await writeReport(options, path, name));
  return { ...report, path, wasThere: there !== undefined };
}

/** The one that an earlier attempt wrote, when the log was all there. */
function readReport(disk: Disk, path: string): SetAsideReport | undefined {
  const text = disk.readText(path);
  return text === undefined ? undefined : (JSON.parse(text) as SetAsideReport);
}

/** From the file, which may hold more than is left of the log. */
async function writeReport(options: SetAsideOptions, path: string, name: string): Promise<SetAsideReport> {
  const { disk, folder } = options;
  const file = new SetAsideFile(disk, path);
  try {
    const report = await describe(options, file, name);
    disk.writeText(`${path}.json${PART}`, `${JSON.stringify(report, null, 2)}\n`);
    disk.rename(`${path}.json${PART}`, `${path}.json`);
    disk.syncFolder(folder);
    return report;
  } finally {
    file.close();
  }
}

/** The files in a folder that hold ends of logs, oldest first. */
export function listSetAside(disk: Disk, folder: string): string[] {
  const times = disk.list(folder).filter(name => FILE_NAME.test(name));
  const timeOf = (name: string): string => name.slice(name.lastIndexOf('-') + 1);
  return times.sort((left, right) => (timeOf(left) < timeOf(right) ? -1 : 1));
}

/** A file that holds what is to be set aside; a cut that was interrupted has left a shorter log than it holds. */
async function findCopy(options: SetAsideOptions): Promise<string | undefined> {
  const { disk, folder, from, to } = options;
  for (const name of listSetAside(disk, folder)) {
    const [, start, end] = FILE_NAME.exec(name)!.map(Number);
    if (start === from && end! >= to && (await isCopy(options, join(folder, name)))) return name;
  }
  return undefined;
}

async function isCopy(options: SetAsideOptions, path: string): Promise<boolean> {
  const { disk, from, to } = options;
  if (disk.facts(path)!.size < to - from) return false;
  const file = disk.open(path, 'read');
  const kept = new Uint8Array(COPY_SIZE);
  try {
    for await (const { bytes, position } of parts(options)) {
      readFully(file, kept, bytes.length, position - from);
      if (Buffer.compare(bytes, kept.subarray(0, bytes.length)) !== 0) return false;
    }
    return true;
  } finally {
    file.close();
  }
}

async function copy(options: SetAsideOptions, path: string): Promise<void> {
  const { disk, folder, from, to } = options;
  const { usableBytes } = disk.space(folder);
  if (usableBytes < to - from + SPACE_LEFT_MIN) {
    const message = `${folder} has ${formatBytes(usableBytes)} free, and ${formatBytes(to - from)} are to be set aside there`;
    throw new RingError('DISK_WRITE_FAILED', message, { folder, usableBytes });
  }
  const file = disk.open(path + PART, 'create');
  try {
    for await (const { bytes, position } of parts(options)) file.write(bytes, 0, bytes.length, position - from);
    file.sync();
  } finally {
    file.close();
  }
  disk.rename(path + PART, path);
  disk.syncFolder(folder);
}

/** The bytes to set aside, in order. Errors: RingError DISK_READ_FAILED when some are not there. */
async function* parts(options: SetAsideOptions): AsyncGenerator<{ bytes: Uint8Array; position: number }> {
  const { log, from, to, pause } = options;
  const bytes = new Uint8Array(COPY_SIZE);
  for (let position = from; position < to; ) {
    const count = log.read(bytes, 0, Math.min(bytes.length, to - position), position);
    if (count === 0) {
      throw new RingError('DISK_READ_FAILED', `the commit log cannot be read at ${position}`, { position });
    }
    yield { bytes: bytes.subarray(0, count), position };
    position += count;
    await pause();
  }
}

async function describe(options: SetAsideOptions, kept: SetAsideFile, file: string): Promise<SetAsideReport> {
  const { reason, nowMs, pause } = options;
  const { from, to } = kept;
  const topics = new Map<string, Map<number, QueueSetAside>>();
  let messages = 0;
  let firstStoreTimestamp = 0;
  let lastStoreTimestamp = 0;
  let bytes = 0;
  for (const record of kept.records()) {
    messages++;
    count(topics, record);
    lastStoreTimestamp = recordStoreTimestamp(record, 0);
    if (messages === 1) firstStoreTimestamp = lastStoreTimestamp;
    bytes += record.length;
    if (bytes < COPY_SIZE) continue;
    bytes = 0;
    await pause();
  }
  const sorted = [...topics].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    ...{ file, from, to, reason, setAsideAt: new Date(nowMs).toISOString() },
    ...{ messages, firstStoreTimestamp, lastStoreTimestamp },
    topics: Object.fromEntries(sorted.map(([topic, queues]) => [topic, [...queues.values()].sort(byQueue)])),
  };
}

const byQueue = (left: QueueSetAside, right: QueueSetAside): number => left.queueId - right.queueId;

function count(topics: Map<string, Map<number, QueueSetAside>>, record: Uint8Array): void {
  const topic = topicOf(record);
  const queues = topics.get(topic) ?? new Map<number, QueueSetAside>();
  topics.set(topic, queues);
  const queueId = recordQueueId(record, 0);
  const offset = recordQueueOffset(record, 0);
  const queue = queues.get(queueId) ?? { queueId, messages: 0, firstOffset: offset, lastOffset: offset };
  queues.set(queueId, queue);
  queue.messages++;
  queue.lastOffset = offset;
}

const utf8 = new TextDecoder();

function topicOf(record: Uint8Array): string {
  const topicAt = recordTopicAt(record, 0);
  const lengthSize = topicLengthSize(record, 0);
  const from = topicAt + lengthSize;
  return utf8.decode(record.subarray(from, from + topicLength(record, topicAt, lengthSize)));
}

/** A file that was set aside, opened to read its records. */
export class SetAsideFile {
  readonly from: number;
  readonly to: number;
  readonly #file: DiskFile;

  /** Errors: RingError STORE_CORRUPT when it is no such file, or not all of it; DISK_READ_FAILED. */
  constructor(disk: Disk, path: string) {
    const [, from, to] = FILE_NAME.exec(basename(path))?.map(Number) ?? [];
    if (from === undefined || to === undefined) {
      const reason = `${path} has no name like commitlog-FROM-TO-TIME: it was not set aside by a broker`;
      throw new RingError('STORE_CORRUPT', reason, { path });
    }
    this.from = from;
    this.to = to;
    this.#file = disk.open(path, 'read');
    const size = this.#file.size();
    if (size === to - from) return;
    this.#file.close();
    throw new RingError('STORE_CORRUPT', `${path} has ${size} bytes, its name says ${to - from}`, { path, size });
  }

  /**
   * Its records, oldest first; padding at the end of a file is no record.
   * Errors: RingError STORE_CORRUPT where no record stands before the end.
   */
  *records(): Generator<Uint8Array> {
    const source: LogBytes = {
      read: (target, start, length, position) => this.#file.read(target, start, length, position - this.from),
    };
    const walk = new RecordWalk(source, this.from, this.to);
    while (walk.next()) yield walk.bytes.slice(walk.start, walk.start + walk.size);
    if (walk.end >= this.to) return;
    const reason = `${this.#file.path} holds no whole record at ${walk.end}`;
    throw new RingError('STORE_CORRUPT', reason, { position: walk.end });
  }

  close(): void {
    this.#file.close();
  }
}
