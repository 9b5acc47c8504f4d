/**
 * Finds the messages for one pull: bounds, entries, filter, limits. Hot.
 * Source: spec storage 13, remoting 6.3; DefaultMessageStore.getMessage.
 */
import { getI32 } from '../../protocol/bytes.js';
import { ResponseCode } from '../../protocol/codes.js';
import { BLANK_UNIT_SIZE } from '../../protocol/consume-queue-unit.js';
import type { PullOutcome } from '../../protocol/pull-response.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { LogWindow } from '../../storage/log-window.js';
import type { QueueTable } from '../queue-table.js';
import type { PullLaneSettings } from './mailbox.js';
import type { MessageFilter, RecordFilter } from './message-filter.js';

/** Entries looked at in one pull, at least. */
const SCAN_MIN = 800;
/** Most messages of one pull whatever is configured: the size of the lists below. */
const COUNT_MAX = 1024;
/** A pull whose filter reads messages stops here, found something or not; its client goes on. Units: bytes. */
const EXAMINED_MAX = 8 * 1024 * 1024;
/** When the entries' messages are at least every so manieth of the log, they are read in one go. */
const SPARSE = 8;
/** A read is this many times as long as what is asked for: the next pulls want what follows. */
const READ_AHEAD = 4;

export class Fetcher {
  readonly outcome: PullOutcome = {
    code: 0,
    remark: '',
    suggestWhichBrokerId: 0,
    nextBeginOffset: 0,
    minOffset: 0,
    maxOffset: 0,
  };
  /** What was asked for last. */
  queueNumber = 0;
  offset = 0;
  /** When looking for them began. Units: ms of the steady clock. */
  startedMs = 0;
  /** Messages found. */
  count = 0;
  /** Size of all messages found. Units: bytes. */
  size = 0;
  /** The last entry that was looked at is so far behind the end of the log that it counts as on disk. */
  behind = false;
  readonly #positions = new Float64Array(COUNT_MAX);
  readonly #sizes = new Int32Array(COUNT_MAX);
  readonly #sizeMax: number;
  readonly #log: LogWindow;
  readonly #shared: Positions;
  readonly #table: QueueTable;

  /** `sizeMax`: more than this fits no answer. Units: bytes. */
  constructor(log: LogWindow, shared: Positions, table: QueueTable, sizeMax = Number.MAX_SAFE_INTEGER) {
    this.#sizeMax = sizeMax;
    this.#log = log;
    this.#shared = shared;
    this.#table = table;
  }

  /** Fills {@link outcome}; with FOUND the messages are written by {@link copyTo}. */
  fetch(
    queueNumber: number,
    reader: ConsumeQueueReader,
    offset: number,
    maxMsgNums: number,
    filter: MessageFilter,
    settings: PullLaneSettings,
  ): void {
    const { outcome } = this;
    this.queueNumber = queueNumber;
    this.offset = offset;
    const min = this.#table.min(queueNumber);
    const max = this.#table.max(queueNumber);
    this.count = 0;
    this.size = 0;
    this.behind = false;
    outcome.minOffset = min;
    outcome.maxOffset = max;
    if (max === 0) {
      return this.#set(
        offset === 0 ? ResponseCode.PULL_NOT_FOUND : ResponseCode.PULL_OFFSET_MOVED,
        'NO_MESSAGE_IN_QUEUE',
        0,
      );
    }
    if (offset < min) return this.#set(ResponseCode.PULL_OFFSET_MOVED, 'OFFSET_TOO_SMALL', min);
    if (offset === max) return this.#set(ResponseCode.PULL_NOT_FOUND, 'OFFSET_OVERFLOW_ONE', offset);
    if (offset > max) return this.#set(ResponseCode.PULL_OFFSET_MOVED, 'OFFSET_OVERFLOW_BADLY', max);
    const scanMax = Math.min(Math.max(SCAN_MIN, maxMsgNums), max - offset);
    // The usual pull finds its messages among the first entries; only a filter makes it worth reading more.
    const loaded = reader.load(offset, filter.all ? Math.min(scanMax, maxMsgNums) : scanMax);
    if (loaded === 0) {
      const next = offset + reader.unitsPerFile - (offset % reader.unitsPerFile);
      return this.#set(ResponseCode.PULL_NOT_FOUND, 'OFFSET_FOUND_NULL', next);
    }
    const scanned = this.#select(reader, loaded, maxMsgNums, filter, settings);
    if (this.count > 0) return this.#set(ResponseCode.SUCCESS, 'FOUND', offset + scanned);
    this.#set(ResponseCode.PULL_RETRY_IMMEDIATELY, 'NO_MATCHED_MESSAGE', offset + scanned);
  }

  #set(code: number, remark: string, nextBeginOffset: number): void {
    this.outcome.code = code;
    this.outcome.remark = remark;
    this.outcome.nextBeginOffset = nextBeginOffset;
  }

  /** Chooses from the loaded entries; returns how many were looked at. */
  #select(
    reader: ConsumeQueueReader,
    loaded: number,
    maxMsgNums: number,
    filter: MessageFilter,
    settings: PullLaneSettings,
  ): number {
    const appended = this.#shared.read('appended');
    const minimum = this.#shared.read('minimum');
    const { record } = filter;
    let examined = 0;
    let index = 0;
    for (; index < loaded; index++) {
      const position = reader.physicalOffset(index);
      const size = reader.size(index);
      if (size === BLANK_UNIT_SIZE || position < minimum || position + size > appended) continue;
      const onDisk = appended - position > settings.inMemoryBytes;
      this.behind = onDisk;
      if (this.count > 0 && this.#isFull(size, maxMsgNums, onDisk, settings)) break;
      if (!filter.all && !filter.matches(reader.tagsLow(index))) continue;
      if (record !== undefined) {
        if (examined > EXAMINED_MAX) break;
        examined += size;
        if (!this.#passes(record, reader, index, loaded, appended)) continue;
      }
      this.#positions[this.count] = position;
      this.#sizes[this.count] = size;
      this.count++;
      this.size += size;
    }
    return index;
  }

  #passes(record: RecordFilter, reader: ConsumeQueueReader, index: number, loaded: number, appended: number): boolean {
    const position = reader.physicalOffset(index);
    const size = reader.size(index);
    const span = reader.physicalOffset(loaded - 1) + reader.size(loaded - 1) - position;
    const wanted = span <= size * (loaded - index) * SPARSE ? span : size;
    const start = this.#log.find(position, size, wanted * READ_AHEAD, appended);
    return start >= 0 && getI32(this.#log.bytes, start) === size && record.matchesRecord(this.#log.bytes, start);
  }

  #isFull(size: number, maxMsgNums: number, onDisk: boolean, settings: PullLaneSettings): boolean {
    if (this.count >= maxMsgNums || this.count >= COUNT_MAX) return true;
    const configured = onDisk ? settings.maxTransferBytesOnMessageInDisk : settings.maxTransferBytesOnMessageInMemory;
    const bytesMax = Math.min(configured, this.#sizeMax);
    const countMax = onDisk ? settings.maxTransferCountOnMessageInDisk : settings.maxTransferCountOnMessageInMemory;
    return this.size + size > bytesMax || this.count >= countMax;
  }

  /**
   * Writes    the messages found at `at`; returns the position after them. A message that was retired meanwhile is left
   *           out: then less than {@link size} is written.
   */
  copyTo(target: Uint8Array, at: number): number {
    const appended = this.#shared.read('appended');
    const last = this.count - 1;
    const end = last < 0 ? 0 : this.#positions[last]! + this.#sizes[last]!;
    let write = at;
    for (let index = 0; index < this.count; index++) {
      const position = this.#positions[index]!;
      const size = this.#sizes[index]!;
      const start = this.#log.find(position, size, (end - position) * READ_AHEAD, appended);
      if (start < 0 || getI32(this.#log.bytes, start) !== size) continue;
      target.set(this.#log.bytes.subarray(start, start + size), write);
      write += size;
    }
    return write;
  }
}
