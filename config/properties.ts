/**
 * Java properties text: reading it with line numbers, writing it, and changing some of its values in place.
 */

import { Pair, parseLines, stringify } from 'dot-properties';

/** One `key=value` of a text, escapes undone. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** From 1; absent for entries that come from no text. */
  readonly line?: number;
}

function pairsOf(content: string): { pair: Pair; start: number; valueStart: number; valueEnd: number }[] {
  return parseLines(content, true).flatMap(pair =>
    pair instanceof Pair && pair.range !== undefined
      ? [{ pair, start: pair.range[0], valueStart: pair.range[2], valueEnd: pair.range[3] }]
      : [],
  );
}

/**
 * The entries of a text in their order, repeated keys included.
 *
 * Source: spec/properties.md section 1, java.util.Properties.load.
 */
export function readProperties(content: string): Entry[] {
  const unmarked = content.replace(/^\uFEFF/, '');
  let line = 1;
  let seen = 0;
  return pairsOf(unmarked).map(({ pair, start }) => {
    line += unmarked.slice(seen, start).match(/\r\n|\r|\n/g)?.length ?? 0;
    seen = start;
    return { key: pair.key, value: pair.value, line };
  });
}

/**
 * `key=value` lines. What Java's reader would not give back as it is (backslashes, leading blanks, line ends) is
 * escaped; everything else stands as it is, in UTF-8.
 */
export function writeProperties(entries: Iterable<readonly [key: string, value: string]>): string {
  const lines = [...entries].map(([key, value]) => [key, value]);
  const options = { keySep: '=', latin1: false, lineWidth: null, newline: '\n' };
  return lines.length === 0 ? '' : `${stringify(lines, options)}\n`;
}

/**
 * `content` with some values replaced and the rest, comments and order included, left alone. A key that is repeated is
 * changed where it counts, in its last place; a key that is missing is added at the end.
 */
export function changeProperties(
  content: string,
  changes: ReadonlyMap<string, string>,
  canonical: (key: string) => string,
): string {
  const places = new Map<string, ReturnType<typeof pairsOf>[number]>();
  for (const place of pairsOf(content)) places.set(canonical(place.pair.key), place);
  const missing = [...changes].filter(([key]) => !places.has(key));
  let changed = content;
  const inPlace = [...places].filter(([key]) => changes.has(key)).sort(([, a], [, b]) => b.start - a.start);
  for (const [key, { start, valueEnd }] of inPlace) {
    const line = writeProperties([[key, changes.get(key)!]]).slice(0, -1);
    changed = changed.slice(0, start) + line + changed.slice(valueEnd);
  }
  const gap = changed === '' || changed.endsWith('\n') ? '' : '\n';
  return missing.length === 0 ? changed : changed + gap + writeProperties(missing);
}
