/**
 * One of the `config/*.json` files: topics, groups, offsets. Always readable, also after a crash in the middle of a
 * write. Cold. Source: spec storage 7; ConfigManager, MixAll.string2File.
 */
import { dirname } from 'node:path';
import { messageOf, RingError } from '../runtime/base/errors.js';
import type { Disk } from './disk.js';

export interface LoadedTable {
  /** Undefined when there is neither the file nor its backup: the table starts empty. */
  readonly value: unknown;
  readonly from: 'file' | 'backup' | 'nothing';
  /** Why the file itself was not used, for the log. */
  readonly problem?: string;
}

/**
 * @example
 * const table = new JsonTable(nodeDisk, join(paths.config, 'topics.json'), parseDialect);
 * const { value } = table.read();
 * table.write({ dataVersion, topicConfigTable });
 */
export class JsonTable {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #parse: (text: string) => unknown;
  readonly #format: (value: unknown) => string;
  /** What the file holds if this object wrote or parsed it. */
  #knownGood: string | undefined;

  /** `parse` must take what fastjson writes too: integer keys without quotes. It throws when it cannot. */
  constructor(
    disk: Disk,
    path: string,
    parse: (text: string) => unknown,
    format: (value: unknown) => string = value => JSON.stringify(value, null, '\t'),
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#parse = parse;
    this.#format = format;
  }

  /**
   * The file, or its backup when the file is missing, empty or unreadable.
   * Errors: RingError STORE_CORRUPT when there is something but none of it can be parsed.
   */
  read(): LoadedTable {
    const file = this.#tryRead(this.#path);
    if (file.problem === undefined) {
      this.#knownGood = file.text;
      return { value: file.value, from: 'file' };
    }
    const backup = this.#tryRead(`${this.#path}.bak`);
    if (backup.problem === undefined) return { value: backup.value, from: 'backup', problem: file.problem };
    if (file.empty && backup.empty) return { value: undefined, from: 'nothing', problem: file.problem };
    throw new RingError(
      'STORE_CORRUPT',
      `${file.problem}; ${backup.problem}. Repair one of them, or remove both to start with an empty table`,
      { path: this.#path },
    );
  }

  /**
   * Replaces the file in one step; what it held before is kept as `.bak` if that could be read.
   * Nothing is written when the text is the one this object wrote or read last.
   * Errors: RingError DISK_WRITE_FAILED; the file is then the old one.
   */
  write(value: unknown): void {
    const text = this.#format(value);
    if (text === this.#knownGood) return;
    const temporary = `${this.#path}.tmp`;
    const backup = `${this.#path}.bak`;
    this.#disk.makeFolder(dirname(this.#path));
    const old = this.#readableText();
    if (old !== undefined) {
      // The backup is replaced in one step too: it may be the only good one.
      this.#disk.writeText(temporary, old);
      this.#disk.rename(temporary, backup);
    }
    this.#disk.writeText(temporary, text);
    this.#disk.rename(temporary, this.#path);
    this.#disk.syncFolder(dirname(this.#path));
    this.#knownGood = text;
  }

  /** The file's text, unless it would make a useless backup. */
  #readableText(): string | undefined {
    const text = this.#disk.readText(this.#path);
    if (text === undefined || text === this.#knownGood) return text;
    try {
      this.#parse(text);
      return text;
    } catch {
      return undefined;
    }
  }

  #tryRead(path: string): { text?: string; value?: unknown; problem?: string; empty: boolean } {
    const text = this.#disk.readText(path);
    if (text === undefined) return { problem: `${path} does not exist`, empty: true };
    if (text.trim() === '') return { problem: `${path} is empty`, empty: true };
    try {
      return { text, value: this.#parse(text), empty: false };
    } catch (error) {
      return { problem: `${path} cannot be parsed: ${messageOf(error)}`, empty: false };
    }
  }
}
