/**
 * Where two logs part: the end of the last record that both hold, found by questions for single records, which every
 * master answers. Cold.
 *
 * How sure it is. Equal means equal in every byte, and a record has its place, its queue offset, its store time and its
 * broker's address in it: two histories do not make the same record twice. A broker only ever goes on behind
 * what it has, so where a record is the same in both logs all in front of it is; the search rests on that, and looks
 * at {@link CHECKS_MAX} more records in front of what it found.
 */
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { storeTimestampOf } from '../../storage/record-check.js';
import { readRecord } from '../../storage/record-reader.js';
import { RecordWalk } from '../../storage/record-walk.js';

export interface OwnLog {
  readonly reader: CommitLogReader;
  /** Where it begins, with a file, and where it ends. Units: bytes. */
  readonly minimum: number;
  readonly end: number;
}

export interface MasterLog {
  readonly minimum: number;
  readonly maximum: number;
  /** The record that begins at an offset; undefined when none does. Errors: any, when it cannot say. */
  recordAt(offset: number): Promise<Uint8Array | undefined>;
}

export interface AgreedPoint {
  /** Where the last record that both have begins, and where it ends. Units: bytes. */
  readonly recordOffset: number;
  readonly position: number;
  /** Of that record. Units: ms since the epoch. */
  readonly storeTimestamp: number;
}

/** Of every so many bytes of a file one place is remembered. */
const MARK_EVERY = 64 * 1024;
const CHECKS_MAX = 16;

/** Undefined when no record that both may have is the same in both. Errors: those of the master's answers. */
export async function findAgreedPoint(own: OwnLog, master: MasterLog): Promise<AgreedPoint | undefined> {
  const search = new Search(own, master);
  const files = fileStarts(own, master);
  const file = await search.lastAgreed(files);
  if (file < 0) return undefined;
  const marks = await markedStarts(own, files[file]!, files[file + 1] ?? own.end);
  const mark = await search.lastAgreed(marks);
  const starts = recordStarts(own, marks[mark]!, marks[mark + 1] ?? files[file + 1] ?? own.end);
  const recordOffset = starts[await search.lastAgreed(starts)]!;
  const before = [...files, ...marks, ...starts].filter(offset => offset < recordOffset);
  for (const offset of spread(before)) if (!(await search.agrees(offset))) return undefined;
  return pointAt(own, recordOffset);
}

/** Whether the logs part where they did when this log ended where it ends now. */
export async function stillPartsAt(
  own: OwnLog,
  master: MasterLog,
  { recordOffset, position }: AgreedPoint,
): Promise<boolean> {
  const search = new Search(own, master);
  if (!(await search.agrees(recordOffset))) return false;
  const next = new RecordWalk(own.reader, position, own.end);
  return !next.next() || !(await search.agrees(next.position));
}

class Search {
  readonly #own: OwnLog;
  readonly #master: MasterLog;
  readonly #known = new Map<number, boolean>();

  constructor(own: OwnLog, master: MasterLog) {
    this.#own = own;
    this.#master = master;
  }

  /** Index of the last of these places where both have the same record; -1 when the first is no such place. */
  async lastAgreed(offsets: readonly number[]): Promise<number> {
    let low = -1;
    let high = offsets.length;
    while (high - low > 1) {
      // The first one is looked at first: without it there is nothing.
      const middle = low < 0 ? 0 : Math.floor((low + high) / 2);
      if (await this.agrees(offsets[middle]!)) low = middle;
      else if (low < 0) return -1;
      else high = middle;
    }
    return low;
  }

  async agrees(offset: number): Promise<boolean> {
    const known = this.#known.get(offset);
    if (known !== undefined) return known;
    const { reader, minimum, end } = this.#own;
    const mine = readRecord(reader, offset, minimum, end);
    const isInside = offset >= this.#master.minimum && offset < this.#master.maximum;
    const theirs = mine !== undefined && isInside ? await this.#master.recordAt(offset) : undefined;
    const same = theirs !== undefined && Buffer.compare(mine!, theirs) === 0;
    this.#known.set(offset, same);
    return same;
  }
}

/** Starts of the files whose first record both logs may have. */
function fileStarts({ reader, minimum, end }: OwnLog, master: MasterLog): number[] {
  const { segmentSize } = reader;
  const starts: number[] = [];
  const first = Math.ceil(Math.max(minimum, master.minimum) / segmentSize) * segmentSize;
  for (let start = first; start < Math.min(end, master.maximum); start += segmentSize) starts.push(start);
  return starts;
}

/** Starts of records of a file, the first and some of the others. */
async function markedStarts({ reader }: OwnLog, from: number, to: number): Promise<number[]> {
  const starts: number[] = [];
  const walk = new RecordWalk(reader, from, to);
  let restedAt = from;
  while (walk.next()) {
    if (starts.length === 0 || walk.position - starts.at(-1)! >= MARK_EVERY) starts.push(walk.position);
    if (walk.position - restedAt < 64 * MARK_EVERY) continue;
    restedAt = walk.position;
    await new Promise(resolve => setImmediate(resolve));
  }
  return starts;
}

function recordStarts({ reader }: OwnLog, from: number, to: number): number[] {
  const starts: number[] = [];
  const walk = new RecordWalk(reader, from, to);
  while (walk.next()) starts.push(walk.position);
  return starts;
}

/** Some of them: the last ones, and others at equal distances. */
function spread(offsets: readonly number[]): number[] {
  const half = CHECKS_MAX / 2;
  const near = offsets.slice(-half);
  const far = offsets.slice(0, -half);
  const step = Math.max(1, Math.floor(far.length / half));
  return [...far.filter((_offset, index) => index % step === 0).slice(0, half), ...near];
}

function pointAt({ reader, minimum, end }: OwnLog, recordOffset: number): AgreedPoint {
  const record = readRecord(reader, recordOffset, minimum, end)!;
  return { recordOffset, position: recordOffset + record.length, storeTimestamp: storeTimestampOf(record, 0) };
}
