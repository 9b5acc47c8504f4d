/**
 * Tables for people: no borders, as wide as the terminal at most.
 */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { Shell } from './shell.js';

export interface Column {
  readonly title: string;
  /** Numbers stand under each other. */
  readonly right?: true;
  /** Longer texts go on in the next line. Units: characters. */
  readonly widthMax?: number;
}

/** A column of numbers. */
export const number = (title: string): Column => ({ title, right: true });

/** Space between two columns. */
const GAP = '  ';

/** A table as text; `columns` are titles, or columns where numbers stand. */
export function renderTable(
  shell: Shell,
  columns: readonly (string | Column)[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const heads: Column[] = columns.map(column => (typeof column === 'string' ? { title: column } : column));
  const cells = rows.map(row => row.map(String));
  const texts = heads.map((head, at) => [head.title, ...cells.map(row => stripVTControlCharacters(row[at] ?? ''))]);
  const widths = fitWidths(
    texts.map((column, at) => Math.min(heads[at]!.widthMax ?? Number.POSITIVE_INFINITY, longest(column, '\n'))),
    texts.map(column => longest(column, /\s/)),
    shell.columns,
  );
  const table = new Table({
    head: heads.map(({ title }) => shell.style('bold', title)),
    colAligns: heads.map(({ right }) => (right ? 'right' : 'left')),
    colWidths: widths,
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    chars: { ...noBorders, middle: GAP },
  });
  for (const row of cells) table.push(row);
  // Lines end where their text ends.
  return table.toString().replaceAll(/[ \t]+$/gm, '');
}

/** Widths that fit: the widest column gives way first, and none cuts a word. */
function fitWidths(wanted: readonly number[], least: readonly number[], columns: number): number[] {
  const widths = wanted.map((width, at) => Math.max(width, least[at]!));
  let tooMany = GAP.length * (widths.length - 1) - columns;
  for (const width of widths) tooMany += width;
  for (; tooMany > 0; tooMany--) {
    const spare = widths.map((width, at) => (width > least[at]! ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    widths[widest]!--;
  }
  return widths;
}

const longest = (texts: readonly string[], separator: string | RegExp): number =>
  Math.max(...texts.flatMap(text => text.split(separator)).map(part => part.length));

const noBorders = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map(name => [name, '']),
);

/** `label   value` lines. */
export function renderPairs(shell: Shell, pairs: readonly (readonly [string, string | number])[]): string {
  const width = Math.max(...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${shell.style('dim', label.padEnd(width))}  ${value}`).join('\n');
}
