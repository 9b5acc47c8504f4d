/**
 * Finds messages by key. Reads the files that the writer, another actor, is filling; what it looks at a moment
 * earlier may have grown since, and oldest files may go. Cold. Source: spec storage 5.3; IndexService.queryOffset.
 */
import { join } from 'node:path';
import { getI32, getI64 } from '../protocol/bytes.js';
import { INDEX_SLOT_SIZE, IndexEntry, keyHashOf } from '../protocol/index-record.js';
import type { Disk, DiskFile } from './disk.js';
import {
  entryPosition,
  type IndexFileHeader,
  listIndexNames,
  type MessageIndexConfig,
  readIndexHeader,
  slotPosition,
} from './index-file.js';
import { readFully } from './segment-files.js';

export interface IndexQueryResult {
  /** Where the records begin in the log, newest first. Keys that only share their hash are among them. */
  readonly physicalOffsets: number[];
  /** Store time of the newest message indexed, 0 for none. Units: ms since the epoch. */
  readonly indexLastUpdateTimestamp: number;
  /** Where its record begins. */
  readonly indexLastUpdatePhyoffset: number;
}

interface Query {
  readonly keyHash: number;
  readonly maxNum: number;
  readonly beginMs: number;
  readonly endMs: number;
}

/** Files kept open. */
const OPEN_MAX = 16;
const ENTRY = IndexEntry.size;
/** Entries read at once: a chain of one key often continues close by. */
const BLOCK_ENTRIES = 204;

export class MessageIndexReader {
  readonly #disk: Disk;
  readonly #config: MessageIndexConfig;
  /** By name; the most recent one is last. */
  readonly #open = new Map<string, DiskFile>();
  readonly #slot = new Uint8Array(INDEX_SLOT_SIZE);
  readonly #block = new Uint8Array(BLOCK_ENTRIES * ENTRY);
  /** Number of the first entry in the block, and of the one after its last. */
  #blockFirst = 0;
  #blockEnd = 0;

  constructor(disk: Disk, config: MessageIndexConfig) {
    this.#disk = disk;
    this.#config = config;
  }

  /**
   * The messages of a topic that have a key, at most `maxNum`, stored from `beginMs` to `endMs` (to the second: the
   * index knows no better). Errors: RingError DISK_READ_FAILED.
   */
  query(topic: string, key: string, maxNum: number, beginMs: number, endMs: number): IndexQueryResult {
    const query: Query = { keyHash: keyHashOf(topic, key), maxNum, beginMs, endMs };
    const physicalOffsets: number[] = [];
    let newest: IndexFileHeader | undefined;
    for (const name of this.#names().reverse()) {
      const file = this.#at(name);
      if (file === undefined) continue;
      // The slot before the header: then the header counts what the slot points at.
      const slot = this.#readSlot(file, query.keyHash);
      const header = readIndexHeader(file);
      if (header === undefined) continue;
      newest ??= header;
      if (overlaps(header, beginMs, endMs)) this.#followChain(file, header, slot, query, physicalOffsets);
      if (header.beginTimestamp < beginMs || physicalOffsets.length >= maxNum) break;
    }
    return {
      physicalOffsets,
      indexLastUpdateTimestamp: newest?.endTimestamp ?? 0,
      indexLastUpdatePhyoffset: newest?.endPhyOffset ?? 0,
    };
  }

  #names(): string[] {
    const names = listIndexNames(this.#disk, this.#config.folder);
    for (const [name, file] of this.#open) {
      if (names.includes(name)) continue;
      this.#open.delete(name);
      file.close();
    }
    return names;
  }

  /** Undefined when the file went since the folder was listed. */
  #at(name: string): DiskFile | undefined {
    const path = join(this.#config.folder, name);
    let file = this.#open.get(name);
    if (file === undefined) {
      try {
        file = this.#disk.open(path, 'read');
      } catch (error) {
        if (this.#disk.facts(path) === undefined) return undefined;
        throw error;
      }
    }
    this.#open.delete(name);
    this.#open.set(name, file);
    if (this.#open.size > OPEN_MAX) {
      const [oldest] = this.#open.keys();
      this.#open.get(oldest!)!.close();
      this.#open.delete(oldest!);
    }
    return file;
  }

  #readSlot(file: DiskFile, keyHash: number): number {
    this.#slot.fill(0);
    readFully(file, this.#slot, INDEX_SLOT_SIZE, slotPosition(this.#config, keyHash));
    return getI32(this.#slot, 0);
  }

  #followChain(file: DiskFile, header: IndexFileHeader, slot: number, query: Query, found: number[]): void {
    const { at } = IndexEntry;
    const block = this.#block;
    this.#blockFirst = this.#blockEnd = 0;
    if (slot > header.indexCount || header.indexCount <= 1) return;
    for (let number = slot; number > 0 && found.length < query.maxNum; ) {
      if (!this.#load(file, number)) return;
      const start = (number - this.#blockFirst) * ENTRY;
      const timeDelta = getI32(block, start + at.timeDelta);
      if (timeDelta < 0) return;
      const timeMs = header.beginTimestamp + timeDelta * 1000;
      if (getI32(block, start + at.keyHash) === query.keyHash && timeMs >= query.beginMs && timeMs <= query.endMs) {
        found.push(getI64(block, start + at.phyOffset));
      }
      const previous = getI32(block, start + at.previous);
      // Entries are numbered as they come, so what points forward is damage, and would let this go round for ever.
      if (previous >= number || timeMs < query.beginMs) return;
      number = previous;
    }
  }

  /** Makes the block hold entry `number`, as its last one if it must be read; false when the file has no such entry. */
  #load(file: DiskFile, number: number): boolean {
    if (number >= this.#blockFirst && number < this.#blockEnd) return true;
    const first = Math.max(0, number - BLOCK_ENTRIES + 1);
    const size = (number - first + 1) * ENTRY;
    this.#blockEnd = 0;
    if (readFully(file, this.#block, size, entryPosition(this.#config, first)) < size) return false;
    this.#blockFirst = first;
    this.#blockEnd = number + 1;
    return true;
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }
}

/** As upstream asks, which differs from the usual test where the clock went back. */
function overlaps(header: IndexFileHeader, beginMs: number, endMs: number): boolean {
  const { beginTimestamp, endTimestamp } = header;
  return (
    (beginMs < beginTimestamp && endMs > endTimestamp) ||
    (beginMs >= beginTimestamp && beginMs <= endTimestamp) ||
    (endMs >= beginTimestamp && endMs <= endTimestamp)
  );
}
