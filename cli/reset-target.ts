/**
 * Where `ringmq group reset` has a group go on.
 */
import { InvalidArgumentError } from 'commander';
import { readTime, TIME_FORMS } from './time.js';

/** Where a group is to go on: a time, or an offset of each queue. */
export type ResetTarget = 'earliest' | 'latest' | { readonly timeMs: number } | { readonly offset: number };

/** `earliest`, `latest`, `offset:N` or a time. Errors: InvalidArgumentError. */
export function readResetTarget(argument: string): ResetTarget {
  if (argument === 'earliest' || argument === 'latest') return argument;
  const offset = /^offset:(\d{1,15})$/.exec(argument);
  if (offset !== null) return { offset: Number(offset[1]) };
  try {
    return { timeMs: readTime(argument) };
  } catch {
    throw new InvalidArgumentError(`Expected earliest, latest, offset:N or a time (${TIME_FORMS}).`);
  }
}
