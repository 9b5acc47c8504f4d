/**
 * Tag expressions as the broker filters by them: by hash; the client compares the text again.
 * Source: spec remoting 6.7; FilterAPI, DefaultMessageFilter.
 *
 * @example
 * const filter = parseTagExpression('TagA || TagB');
 * filter.matches(2598919); // true: hash of TagA
 */
import { javaHashText } from './message-record.js';

export interface TagFilter {
  /** Everything passes. */
  readonly all: boolean;
  /** Whether an entry with the low half `tagsCode` passes. Hot. */
  matches(tagsCode: number): boolean;
}

export const ALL_TAGS: TagFilter = { all: true, matches: () => true };

/** `*`, empty or null is everything, else tags separated by `||`. Errors: undefined when no tag is left of it. */
export function parseTagExpression(expression: string | null): TagFilter | undefined {
  if (expression === null || expression.trim() === '' || expression.trim() === '*') return ALL_TAGS;
  const codes: number[] = [];
  for (const tag of expression.split('||')) if (tag.trim() !== '') codes.push(javaHashText(tag.trim()));
  if (codes.length === 0) return undefined;
  if (codes.length === 1) {
    const only = codes[0]!;
    return { all: false, matches: tagsCode => tagsCode === only };
  }
  const set = new Set(codes);
  return { all: false, matches: tagsCode => set.has(tagsCode) };
}
