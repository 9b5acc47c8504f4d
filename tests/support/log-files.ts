/** Commit logs as files, read record by record while a broker still writes them. */
import fs from 'node:fs';
import path from 'node:path';
import { segmentName } from '../../storage/paths.js';
import { decodeRecords, type RawRecord } from './raw-record.js';

const blankMagic = 0xcbd43194;
const recordSizeMin = 91;

/** Files of a log, by name; none when its folder is not there. */
function segmentsOf(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
}

export interface LogWalkOptions {
  readonly folder: string;
  readonly segmentSize: number;
  /** Where a record begins; the begin of the log unless told. */
  readonly from?: number;
  /**
   * Folder of the log that this one is a copy of: a record is whole when it is the same there. Without it, when its
   * lengths and the CRC of its body are right, which a record without the end of its properties is, too.
   */
  readonly original?: string;
}

/** Reads a log on from where it came to the last time, as far as there are whole records. */
export class LogWalk {
  readonly #options: LogWalkOptions;
  readonly #folder: string;
  readonly #segmentSize: number;
  #position: number;

  constructor(options: LogWalkOptions) {
    this.#options = options;
    this.#folder = options.folder;
    this.#segmentSize = options.segmentSize;
    this.#position = options.from ?? -1;
  }

  /** Where the log's first file begins; -1 when there is none. */
  get begin(): number {
    const [first] = segmentsOf(this.#folder);
    return first === undefined ? -1 : Number(first);
  }

  /** Behind the last record that was read; -1 before there was a file. */
  get position(): number {
    return this.#position;
  }

  /** What is half written is left for the next time. */
  advance(onRecord: (record: RawRecord) => void): void {
    if (this.#position < 0) this.#position = this.begin;
    if (this.#position < 0) return;
    for (;;) {
      const start = this.#position - (this.#position % this.#segmentSize);
      const file = path.join(this.#folder, segmentName(start));
      if (!fs.existsSync(file) || !this.#advanceInFile(fs.readFileSync(file), start, onRecord)) return;
    }
  }

  /** The file of the original; empty when there is none, as nothing is a copy of it. */
  #originalOf(start: number, bytes: Buffer): Buffer {
    const { original } = this.#options;
    if (original === undefined) return bytes;
    const file = path.join(original, segmentName(start));
    return fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
  }

  /** Whether the file was read to its end. */
  #advanceInFile(bytes: Buffer, start: number, onRecord: (record: RawRecord) => void): boolean {
    const original = this.#originalOf(start, bytes);
    while (this.#position - start + 8 <= bytes.length) {
      const at = this.#position - start;
      const size = bytes.readInt32BE(at);
      if (bytes.readUInt32BE(at + 4) === blankMagic && at + size === this.#segmentSize) {
        this.#position = start + this.#segmentSize;
        return true;
      }
      const record = wholeRecord(bytes, at, size);
      if (record?.physicalOffset !== this.#position) return false;
      if (!record.bytes.equals(original.subarray(at, at + size))) return false;
      onRecord(record);
      this.#position += size;
    }
    return this.#position === start + this.#segmentSize;
  }
}

/** Undefined for what is none, or not wholly written yet. */
function wholeRecord(bytes: Buffer, at: number, size: number): RawRecord | undefined {
  if (size < recordSizeMin || at + size > bytes.length) return undefined;
  try {
    return decodeRecords(bytes.subarray(at, at + size))[0];
  } catch {
    return undefined;
  }
}
