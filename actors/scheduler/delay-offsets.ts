/**
 * How far each delay level is delivered: `config/delayOffset.json`, byte for byte as Java writes it, so that either
 * broker goes on where the other stopped. Cold. Source: spec scheduling 1.5, storage 7; ScheduleMessageService.
 */
import { join } from 'node:path';
import { parseDialect } from '../../protocol/json-dialect.js';
import type { Disk } from '../../storage/disk.js';
import { JsonTable } from '../../storage/json-table.js';

/** By level: the first entry of its queue that is not delivered yet. */
export type DelayOffsets = ReadonlyMap<number, number>;

export class DelayOffsetFile {
  readonly #table: JsonTable;

  constructor(disk: Disk, configFolder: string) {
    const format = (offsets: unknown): string => formatFile(offsets as DelayOffsets);
    this.#table = new JsonTable(disk, join(configFolder, 'delayOffset.json'), parseDialect, format);
  }

  /** Empty when there is no file. Errors: RingError STORE_CORRUPT when neither it nor its backup can be read. */
  read(): Map<number, number> {
    const stored = this.#table.read().value as { offsetTable?: Record<string, unknown> } | undefined;
    const offsets = new Map<number, number>();
    for (const [level, offset] of Object.entries(stored?.offsetTable ?? {})) offsets.set(Number(level), Number(offset));
    return offsets;
  }

  /** Errors: RingError DISK_WRITE_FAILED; the file is then the old one. */
  write(offsets: DelayOffsets): void {
    this.#table.write(offsets);
  }
}

/** Body of GET_ALL_DELAY_OFFSET (45): `{"offsetTable":{1:12,2:3}}`. */
export function formatDelayOffsets(offsets: DelayOffsets): string {
  return `{"offsetTable":{${entriesOf(offsets)}}}`;
}

function formatFile(offsets: DelayOffsets): string {
  const entries = entriesOf(offsets);
  return `{\n\t"offsetTable":{${entries}${entries === '' ? '' : '\n\t'}}\n}`;
}

function entriesOf(offsets: DelayOffsets): string {
  return [...offsets]
    .sort(([left], [right]) => left - right)
    .map(([level, offset]) => `${level}:${offset}`)
    .join(',');
}
