/**
 * Fills the key index: every message is found by its UNIQ_KEY and by each of its KEYS. Written by the dispatcher
 * alone.
 * Source: spec storage 5.2; IndexService.
 */
import { getI64 } from '../protocol/bytes.js';
import { continueJavaHash, foldKeyHash, IndexEntry, topicHash } from '../protocol/index-record.js';
import type { PropertyRanges } from '../protocol/property-ranges.js';
import type { Disk } from './disk.js';
import {
  entryPosition,
  type FoundIndexFile,
  findIndexFiles,
  type IndexFileHeader,
  type MessageIndexConfig,
  nextIndexName,
  OpenIndexFile,
} from './index-file.js';
import { readFully } from './segment-files.js';

export interface MessageIndexWriterOptions {
  /** Names new files. */
  readonly nowMs: () => number;
  /**
   * False: a full file is synced without blocking the thread, which must come back to its event loop then.
   * Default: true.
   */
  readonly mayBlock?: boolean;
  /** Called when a full file is on the device: the checkpoint's indexMsgTimestamp. Units: ms since the epoch. */
  readonly onFileFull?: (endTimestampMs: number) => void;
}

/** As few dirty pages of slots as this are written at once. */
const CHEAP_PAGES = 16;
/** More of them wait that long for company. Units: ms. */
const WRITE_INTERVAL_MS = 500;
/** Separates the keys in KEYS. */
const KEY_SEPARATOR = 0x20;

interface Syncing {
  readonly endTimestampMs: number;
  done: boolean;
}

export class MessageIndexWriter {
  readonly #disk: Disk;
  readonly #config: MessageIndexConfig;
  readonly #options: MessageIndexWriterOptions;
  #current: OpenIndexFile | undefined;
  #newestName: string | undefined;
  /** Header of the newest file. */
  #newest: IndexFileHeader | undefined;
  /** Keys of the record at {@link endPhysicalOffset} that are indexed already. */
  #lastRecordKeys: number;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  readonly #syncing: Syncing[] = [];
  #syncFailed = false;
  #seen = 0;

  /** Goes on with the newest file unless it is full. Call `recoverIndex` before. Errors: RingError DISK_READ_FAILED. */
  constructor(disk: Disk, config: MessageIndexConfig, options: MessageIndexWriterOptions) {
    this.#disk = disk;
    this.#config = config;
    this.#options = options;
    const files = findIndexFiles(disk, config);
    const newest = files.at(-1);
    this.#newestName = newest?.name;
    this.#newest = newest?.header;
    this.#lastRecordKeys = countLastRecordKeys(disk, config, files);
    if (newest !== undefined && newest.header.indexCount < config.maxIndexNum) {
      this.#current = OpenIndexFile.open(disk, config, newest);
      this.#newest = this.#current.header;
    }
  }

  /**
   * Where the last record that is indexed begins, 0 for none: records before it are skipped. Units: bytes in the log.
   */
  get endPhysicalOffset(): number {
    return this.#newest?.endPhyOffset ?? 0;
  }

  /** When {@link write} will have something to do without force; infinite when nothing is unwritten. Units: ms. */
  get dueMs(): number {
    const current = this.#current;
    if (current === undefined || !(current.isDirty || current.isFull)) return Number.POSITIVE_INFINITY;
    return current.dirtyPageCount <= CHEAP_PAGES ? 0 : this.#lastWriteMs + WRITE_INTERVAL_MS;
  }

  /**
   * Indexes one record: its UNIQ_KEY and each of its KEYS; returns how many keys were added. A record that is
   * indexed already is skipped, and of one that is indexed in part only the rest is added, so records may be
   * dispatched again. ROLLBACK records are not to be given. Hot.
   *
   * Shape: topic and properties stand in `bytes`.
   * Errors: RingError DISK_WRITE_FAILED when gathered entries or a new file cannot be written: give the record again.
   */
  putRecord(
    bytes: Uint8Array,
    topicStart: number,
    topicEnd: number,
    properties: PropertyRanges,
    physicalOffset: number,
    storeTimestampMs: number,
  ): number {
    const end = this.endPhysicalOffset;
    if (physicalOffset < end) return 0;
    const { uniqueKeyStart, uniqueKeyEnd, keysEnd } = properties;
    if (uniqueKeyStart === uniqueKeyEnd && properties.keysStart === keysEnd) return 0;
    const skip = physicalOffset === end ? this.#lastRecordKeys : 0;
    const prefix = topicHash(bytes, topicStart, topicEnd);
    this.#seen = 0;
    if (uniqueKeyStart < uniqueKeyEnd) {
      const hash = continueJavaHash(prefix, bytes, uniqueKeyStart, uniqueKeyEnd);
      this.#putKey(hash, physicalOffset, storeTimestampMs, skip);
    }
    for (let start = properties.keysStart; start < keysEnd; ) {
      let keyEnd = start;
      while (keyEnd < keysEnd && bytes[keyEnd] !== KEY_SEPARATOR) keyEnd++;
      if (keyEnd > start) {
        this.#putKey(continueJavaHash(prefix, bytes, start, keyEnd), physicalOffset, storeTimestampMs, skip);
      }
      start = keyEnd + 1;
    }
    return Math.max(0, this.#seen - skip);
  }

  #putKey(hash: number, physicalOffset: number, storeTimestampMs: number, skip: number): void {
    if (this.#seen >= skip) {
      if (this.#current === undefined || this.#current.isFull) this.#roll();
      this.#current!.put(foldKeyHash(hash), physicalOffset, storeTimestampMs);
      this.#lastRecordKeys = this.#seen + 1;
    }
    this.#seen++;
  }

  #roll(): void {
    if (this.#current !== undefined) this.#finishFull(this.#current);
    const name = nextIndexName(this.#options.nowMs(), this.#newestName);
    this.#current = OpenIndexFile.create(this.#disk, this.#config, name, this.#newest);
    this.#newestName = name;
    this.#newest = this.#current.header;
  }

  /** Brings a full file to the device and closes it. */
  #finishFull(file: OpenIndexFile): void {
    file.write();
    const endTimestampMs = file.header.endTimestamp;
    if (this.#options.mayBlock === false) {
      this.#current = undefined;
      this.#syncAside(file, { endTimestampMs, done: false });
      return;
    }
    try {
      file.sync();
    } catch (error) {
      // A second sync may claim to have written what the first one lost: from here on the checkpoint stays.
      this.#syncFailed = true;
      throw error;
    }
    this.#current = undefined;
    file.close();
    if (!this.#syncFailed) this.#options.onFileFull?.(endTimestampMs);
  }

  #syncAside(file: OpenIndexFile, syncing: Syncing): void {
    this.#syncing.push(syncing);
    file.syncAsync(error => {
      file.close();
      if (error !== null) this.#syncFailed = true;
      syncing.done = true;
      while (this.#syncing[0]?.done === true) {
        const { endTimestampMs } = this.#syncing.shift()!;
        if (!this.#syncFailed) this.#options.onFileFull?.(endTimestampMs);
      }
    });
  }

  /**
   * Writes gathered entries, the header and changed slots, which makes them visible to readers. Without `force`
   * only when that is cheap (few changed slots) or 500 ms after the last time. Returns whether nothing is left
   * unwritten.
   *
   * Errors: RingError DISK_WRITE_FAILED; what was not written is kept and tried again by the next call.
   */
  write(nowMs: number, force: boolean): boolean {
    const current = this.#current;
    if (current === undefined || !(current.isDirty || current.isFull)) return true;
    if (!force && nowMs < this.dueMs) return false;
    this.#lastWriteMs = nowMs;
    if (current.isFull) this.#finishFull(current);
    else current.write();
    return true;
  }

  /** Puts what was written on the device. Errors: RingError DISK_WRITE_FAILED. */
  sync(): void {
    this.#current?.sync();
  }

  /**
   * Deletes the files that index only records before `minPhysicalOffset`, never the newest file; returns how many.
   * Errors: RingError DISK_READ_FAILED.
   */
  retire(minPhysicalOffset: number): number {
    const files = findIndexFiles(this.#disk, this.#config).slice(0, -1);
    let count = 0;
    for (const { path, header } of files) {
      if (header.endPhyOffset >= minPhysicalOffset) break;
      this.#disk.remove(path);
      count++;
    }
    return count;
  }

  /** Writes and syncs what is left, and closes. Errors: RingError DISK_WRITE_FAILED; it is closed all the same. */
  close(): void {
    const current = this.#current;
    if (current === undefined) return;
    try {
      this.write(this.#lastWriteMs, true);
      this.#current?.sync();
    } finally {
      // A full file that was finished has closed itself, or will when its sync ends.
      if (this.#current !== undefined) current.close();
      this.#current = undefined;
    }
  }
}

/** How many of the newest entries belong to the last record: a crash or a full file may have split its keys. */
function countLastRecordKeys(disk: Disk, config: MessageIndexConfig, files: readonly FoundIndexFile[]): number {
  const endPhyOffset = files.at(-1)?.header.endPhyOffset;
  const entry = new Uint8Array(IndexEntry.size);
  let count = 0;
  for (const { path, header } of files.toReversed()) {
    const file = disk.open(path, 'read');
    try {
      for (let number = header.indexCount - 1; number >= 1; number--) {
        entry.fill(0);
        readFully(file, entry, entry.length, entryPosition(config, number));
        if (getI64(entry, IndexEntry.at.phyOffset) !== endPhyOffset) return count;
        count++;
      }
    } finally {
      file.close();
    }
  }
  return count;
}
