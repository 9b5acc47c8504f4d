/** Commit logs as files: compared byte by byte, and read record by record while a broker still writes them. */
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

/** Names of the files of `copy` that are, up to position `end`, not those of `original`, byte by byte. */
export function differingFiles(copy: string, original: string, end: number, segmentSize: number): string[] {
  return segmentsOf(copy).filter(name => {
    const size = Math.min(segmentSize, end - Number(name));
    if (size <= 0) return false;
    const there = path.join(original, name);
    if (!fs.existsSync(there)) return true;
    const [left, right] = [path.join(copy, name), there].map(file => fs.readFileSync(file).subarray(0, size));
    return left!.length < size || !left!.equals(right!);
  });
}

/** Reads a log on from where it came to the last time, as far as there are whole records. */
export class LogWalk {
  readonly #folder: string;
  readonly #segmentSize: number;
  #position: number;

  /** `from`: where a record begins; the begin of the log unless told. */
  constructor(folder: string, segmentSize: number, from = -1) {
    this.#folder = folder;
    this.#segmentSize = segmentSize;
    this.#position = from;
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

  /** Whether the file was read to its end. */
  #advanceInFile(bytes: Buffer, start: number, onRecord: (record: RawRecord) => void): boolean {
    while (this.#position - start + 8 <= bytes.length) {
      const at = this.#position - start;
      const size = bytes.readInt32BE(at);
      if (bytes.readUInt32BE(at + 4) === blankMagic && at + size === this.#segmentSize) {
        this.#position = start + this.#segmentSize;
        return true;
      }
      const record = wholeRecord(bytes, at, size);
      if (record?.physicalOffset !== this.#position) return false;
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
