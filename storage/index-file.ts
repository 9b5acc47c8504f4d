/**
 * One file of the key index: where things stand in it, its header, and the form it has in memory while it is filled.
 *
 *   | header, 40 | slots: maxHashSlotNum x i32 | entries: maxIndexNum x 20 |
 *
 * A file is made sparse at its full size. A shorter one reads as if zeros followed, as a Java broker would extend it.
 * Source: spec storage 5.1, 5.2; IndexFile.
 */
import { join } from 'node:path';
import { getI32, getI64, putI32, putI64 } from '../protocol/bytes.js';
import { INDEX_SLOT_SIZE, IndexEntry, IndexHeader, TIME_DELTA_MAX } from '../protocol/index-record.js';
import { assert } from '../runtime/base/assert.js';
import { KiB } from '../runtime/base/units.js';
import type { Disk, DiskFile } from './disk.js';
import { readFully } from './segment-files.js';

export interface MessageIndexConfig {
  readonly folder: string;
  /** Slots of a file. Upstream: 5,000,000. */
  readonly maxHashSlotNum: number;
  /** Entries of a file, of which number 0 is not used. Upstream: 20,000,000. */
  readonly maxIndexNum: number;
}

export type IndexFileHeader = { -readonly [Name in keyof typeof IndexHeader.fields]: number };

/** An index file as it was found. */
export interface FoundIndexFile {
  readonly name: string;
  readonly path: string;
  readonly header: Readonly<IndexFileHeader>;
}

const ENTRY = IndexEntry.size;
/** Slots are written in pages. Units: bytes. */
const PAGE_SIZE = 4 * KiB;
/** Clean pages between two dirty ones that are rather written than stepped over with another system call. */
const PAGE_GAP_MAX = 4;
/** Entries gathered before they are written as a run. */
const PENDING_MAX = 4096;

/** Where entry `number` stands. Units: bytes. */
export function entryPosition(config: MessageIndexConfig, number: number): number {
  return IndexHeader.size + config.maxHashSlotNum * INDEX_SLOT_SIZE + number * ENTRY;
}

/** Where the slot of a key stands. Units: bytes. */
export function slotPosition(config: MessageIndexConfig, keyHash: number): number {
  return IndexHeader.size + (keyHash % config.maxHashSlotNum) * INDEX_SLOT_SIZE;
}

export function indexFileSize(config: MessageIndexConfig): number {
  return entryPosition(config, config.maxIndexNum);
}

/** Names of index files, oldest first: 17 digits. Other names are left alone. */
export function listIndexNames(disk: Disk, folder: string): string[] {
  return disk.list(folder).filter(name => /^\d{17}$/.test(name));
}

/**
 * The name of a new file: local time as yyyyMMddHHmmssSSS. Where the clock went back (it does once a year) it is the
 * number after `newestName`, because files are put in order by name alone.
 */
export function nextIndexName(nowMs: number, newestName: string | undefined): string {
  const now = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(now.getFullYear()).padStart(4, '0')}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const name = `${day}${time}${String(now.getMilliseconds()).padStart(3, '0')}`;
  if (newestName === undefined || name > newestName) return name;
  return String(BigInt(newestName) + 1n).padStart(17, '0');
}

/** Reads a header; undefined when the file is too short for one or holds what no broker writes. */
export function readIndexHeader(file: DiskFile): IndexFileHeader | undefined {
  const bytes = new Uint8Array(IndexHeader.size);
  if (readFully(file, bytes, bytes.length, 0) < bytes.length) return undefined;
  const { at } = IndexHeader;
  const header: IndexFileHeader = {
    beginTimestamp: getI64(bytes, at.beginTimestamp),
    endTimestamp: getI64(bytes, at.endTimestamp),
    beginPhyOffset: getI64(bytes, at.beginPhyOffset),
    endPhyOffset: getI64(bytes, at.endPhyOffset),
    hashSlotCount: getI32(bytes, at.hashSlotCount),
    indexCount: Math.max(1, getI32(bytes, at.indexCount)),
  };
  return Object.values(header).every(Number.isSafeInteger) ? header : undefined;
}

/** The files of an index that have a header, oldest first. */
export function findIndexFiles(disk: Disk, config: MessageIndexConfig): FoundIndexFile[] {
  const found: FoundIndexFile[] = [];
  for (const name of listIndexNames(disk, config.folder)) {
    const path = join(config.folder, name);
    const file = disk.open(path, 'read');
    try {
      const header = readIndexHeader(file);
      if (header !== undefined) found.push({ name, path, header });
    } finally {
      file.close();
    }
  }
  return found;
}

/**
 * The file that is being filled. Header and slots are kept in memory as they are on disk and written back by pages;
 * entries are gathered and written in runs. Memory of slots never touched takes no room.
 *
 * Written in this order, so that a reader that looks at a slot first and at the header then never sees a slot that
 * points behind the header's count: entries, header, slots.
 */
export class OpenIndexFile {
  readonly name: string;
  readonly header: IndexFileHeader;
  readonly #config: MessageIndexConfig;
  readonly #file: DiskFile;
  /** Header and slots. */
  readonly #head: Uint8Array;
  readonly #dirtyPages: Uint8Array;
  #dirtyCount = 0;
  #headerDirty = false;
  readonly #pending = new Uint8Array(PENDING_MAX * ENTRY);
  #pendingCount = 0;

  private constructor(config: MessageIndexConfig, name: string, file: DiskFile, header: IndexFileHeader) {
    this.name = name;
    this.header = header;
    this.#config = config;
    this.#file = file;
    this.#head = new Uint8Array(entryPosition(config, 0));
    this.#dirtyPages = new Uint8Array(Math.ceil(this.#head.length / PAGE_SIZE));
  }

  /** Opens a file to go on filling it. Errors: RingError DISK_READ_FAILED, DISK_WRITE_FAILED. */
  static open(disk: Disk, config: MessageIndexConfig, found: FoundIndexFile): OpenIndexFile {
    const file = disk.open(found.path, 'write');
    try {
      const open = new OpenIndexFile(config, found.name, file, { ...found.header });
      readFully(file, open.#head, open.#head.length, 0);
      if (file.size() < indexFileSize(config)) file.truncate(indexFileSize(config));
      return open;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Makes a file. It starts where the full one before it, `previous`, ends, and has a header from the first moment.
   * Errors: RingError DISK_WRITE_FAILED; nothing is left of the file then.
   */
  static create(disk: Disk, config: MessageIndexConfig, name: string, previous?: IndexFileHeader): OpenIndexFile {
    disk.makeFolder(config.folder);
    const path = join(config.folder, name);
    const file = disk.open(path, 'create');
    try {
      file.truncate(indexFileSize(config));
      const open = new OpenIndexFile(config, name, file, {
        beginTimestamp: previous?.endTimestamp ?? 0,
        endTimestamp: previous?.endTimestamp ?? 0,
        beginPhyOffset: previous?.endPhyOffset ?? 0,
        endPhyOffset: previous?.endPhyOffset ?? 0,
        hashSlotCount: 0,
        indexCount: 1,
      });
      open.#writeHeader();
      // After a power failure recovery must see that there was a file, or it would not know that keys are lost.
      disk.syncFolder(config.folder);
      return open;
    } catch (error) {
      file.close();
      disk.remove(path);
      throw error;
    }
  }

  get isFull(): boolean {
    return this.header.indexCount >= this.#config.maxIndexNum;
  }

  /** Something is not written. */
  get isDirty(): boolean {
    return this.#headerDirty || this.#dirtyCount > 0 || this.#pendingCount > 0;
  }

  get dirtyPageCount(): number {
    return this.#dirtyCount;
  }

  /**
   * Adds one key. Hot. `keyHash` is folded.
   * Errors: RingError DISK_WRITE_FAILED when gathered entries cannot be written; the key was not added then.
   */
  put(keyHash: number, physicalOffset: number, storeTimestampMs: number): void {
    const { header } = this;
    assert(header.indexCount < this.#config.maxIndexNum, 'a full index file takes no key');
    if (this.#pendingCount === PENDING_MAX) this.#writeEntries();
    const number = header.indexCount;
    const slotAt = slotPosition(this.#config, keyHash);
    const slot = getI32(this.#head, slotAt);
    const previous = slot > 0 && slot <= number ? slot : 0;
    const { at } = IndexEntry;
    const start = this.#pendingCount * ENTRY;
    putI32(this.#pending, start + at.keyHash, keyHash);
    putI64(this.#pending, start + at.phyOffset, physicalOffset);
    putI32(this.#pending, start + at.timeDelta, timeDelta(header.beginTimestamp, storeTimestampMs));
    putI32(this.#pending, start + at.previous, previous);
    this.#pendingCount++;
    putI32(this.#head, slotAt, number);
    this.#markDirty(Math.floor(slotAt / PAGE_SIZE));
    if (number <= 1) {
      header.beginPhyOffset = physicalOffset;
      header.beginTimestamp = storeTimestampMs;
    }
    if (previous === 0) header.hashSlotCount++;
    header.indexCount = number + 1;
    header.endPhyOffset = physicalOffset;
    header.endTimestamp = storeTimestampMs;
    this.#headerDirty = true;
  }

  #markDirty(page: number): void {
    if (this.#dirtyPages[page] !== 0) return;
    this.#dirtyPages[page] = 1;
    this.#dirtyCount++;
  }

  /** Errors: RingError DISK_WRITE_FAILED; what was not written stays and is tried again by the next call. */
  write(): void {
    if (this.#pendingCount > 0) this.#writeEntries();
    if (this.#headerDirty) this.#writeHeader();
    if (this.#dirtyCount > 0) this.#writeSlots();
  }

  #writeEntries(): void {
    const first = this.header.indexCount - this.#pendingCount;
    this.#file.write(this.#pending, 0, this.#pendingCount * ENTRY, entryPosition(this.#config, first));
    this.#pendingCount = 0;
  }

  #writeHeader(): void {
    const { at } = IndexHeader;
    putI64(this.#head, at.beginTimestamp, this.header.beginTimestamp);
    putI64(this.#head, at.endTimestamp, this.header.endTimestamp);
    putI64(this.#head, at.beginPhyOffset, this.header.beginPhyOffset);
    putI64(this.#head, at.endPhyOffset, this.header.endPhyOffset);
    putI32(this.#head, at.hashSlotCount, this.header.hashSlotCount);
    putI32(this.#head, at.indexCount, this.header.indexCount);
    this.#file.write(this.#head, 0, IndexHeader.size, 0);
    this.#headerDirty = false;
  }

  #writeSlots(): void {
    const dirty = this.#dirtyPages;
    for (let page = dirty.indexOf(1); page >= 0; page = dirty.indexOf(1, page)) {
      let end = page + 1;
      for (let next = end; next < dirty.length && next <= end + PAGE_GAP_MAX; next++)
        if (dirty[next] === 1) end = next + 1;
      const start = page * PAGE_SIZE;
      this.#file.write(this.#head, start, Math.min(end * PAGE_SIZE, this.#head.length) - start, start);
      for (; page < end; page++) {
        this.#dirtyCount -= dirty[page]!;
        dirty[page] = 0;
      }
    }
  }

  sync(): void {
    this.#file.sync();
  }

  syncAsync(done: (error: Error | null) => void): void {
    this.#file.syncAsync(done);
  }

  close(): void {
    this.#file.close();
  }
}

function timeDelta(beginTimestampMs: number, storeTimestampMs: number): number {
  if (beginTimestampMs <= 0) return 0;
  return Math.min(TIME_DELTA_MAX, Math.max(0, Math.trunc((storeTimestampMs - beginTimestampMs) / 1000)));
}
