/**
 * Points in time as people write them on a command line.
 */
import { InvalidArgumentError } from 'commander';

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What {@link readTime} takes, for help texts. */
export const TIME_FORMS = '2026-11-25T14:30, -1h, now, or epoch ms';

/**
 * A time as ISO 8601 (local unless it says otherwise), as `-90s`, `-30m`, `-1h`, `-7d` before now, as `now`, or in
 * milliseconds since the epoch. Units: ms since the epoch. Errors: InvalidArgumentError.
 */
export function readTime(argument: string, nowMs = Date.now()): number {
  if (argument === 'now') return nowMs;
  const ago = /^-(\d{1,9})([smhd])$/.exec(argument);
  if (ago !== null) return nowMs - Number(ago[1]) * unitsMs[ago[2]!]!;
  // Fewer digits are seconds, or an offset: taking them for milliseconds would land in 1970.
  if (/^\d{12,15}$/.test(argument)) return Number(argument);
  if (/^\d{4}-\d\d-\d\d/.test(argument)) {
    // JavaScript takes a day without a time as UTC, and all else as local.
    const timeMs = Date.parse(argument.length === 10 ? `${argument}T00:00` : argument);
    if (!Number.isNaN(timeMs)) return timeMs;
  }
  throw new InvalidArgumentError(`Expected a time: ${TIME_FORMS}.`);
}

/** The same as an option takes it: commander hands over more than the text. */
export const timeArgument = (argument: string): number => readTime(argument);

/** A time for a table; `-` for 0 and less, which say that there is none. Units: ms since the epoch. */
export function formatTime(timestampMs: number): string {
  return timestampMs <= 0 ? '-' : new Date(timestampMs).toISOString();
}
