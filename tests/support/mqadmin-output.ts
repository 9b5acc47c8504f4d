/** What two brokers had one command of mqadmin print, made comparable and compared. */
import type { MqadminOutput } from './mqadmin.js';

/** A part of the output that may differ, because it was measured or drawn. */
export interface Mask {
  /** For the document. */
  readonly what: string;
  readonly find: RegExp;
  /** What stands there instead; with `$1` and so on as in `replace`. */
  readonly put: string;
}

/** Lines that only one of the two prints, and why that is wanted. */
export interface Difference {
  readonly reason: string;
  readonly java?: RegExp;
  readonly ringmq?: RegExp;
}

/** Masked in every output, after the words of the cluster. */
const always: readonly Mask[] = [
  { what: 'places in the program', find: /^(\s+at .*|\s*\.{3} \d+ more)$/gm, put: '' },
  { what: 'times', find: /\b\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d(?:[,:.]\d{3})?/g, put: '<time>' },
  { what: 'times', find: /\b1[789]\d{11}\b/g, put: '<ms>' },
  { what: 'ids', find: /\b(?:[0-9A-F]{32}|[0-9A-F]{56})\b/g, put: '<id>' },
  { what: 'addresses', find: /\b127\.0\.0\.1:\d+/g, put: '<address>' },
];

/** The exit code and the lines: without what differs from cluster to cluster, spaces as one, empty ones left out. */
export function linesOf(
  { code, out, err }: MqadminOutput,
  words: Readonly<Record<string, string>>,
  masks: readonly Mask[] = [],
): string[] {
  // Longer ones first: one may be part of another.
  const named = Object.entries(words).sort(([, a], [, b]) => b.length - a.length);
  let text = `${out}\n${err}`;
  for (const [name, word] of named) text = text.replaceAll(word, `<${name}>`);
  for (const { find, put } of [...always, ...masks]) text = text.replace(find, put);
  const lines = text.split('\n').map(line => line.replaceAll(/\s+/g, ' ').trim());
  return [`exit code ${code}`, ...lines.filter(line => line !== '')];
}

/** What is wrong, a line each; empty when both are the same but for declared differences, and these are there. */
export function compareLines(
  java: readonly string[],
  ringmq: readonly string[],
  differences: readonly Difference[] = [],
  anyOrder = false,
): string[] {
  const faults: string[] = [];
  const without = (lines: readonly string[], make: 'java' | 'ringmq'): string[] => {
    const expected = differences.flatMap(difference => difference[make] ?? []);
    for (const pattern of expected) {
      if (!lines.some(line => pattern.test(line))) faults.push(`${make} does not print ${pattern}: no difference`);
    }
    const left = lines.filter(line => !expected.some(pattern => pattern.test(line)));
    return anyOrder ? left.sort() : left;
  };
  const [left, right] = [without(java, 'java'), without(ringmq, 'ringmq')];
  const onlyJava = minus(left, right);
  const onlyRingmq = minus(right, left);
  faults.push(...onlyJava.map(line => `only java:   ${line}`), ...onlyRingmq.map(line => `only ringmq: ${line}`));
  if (faults.length === 0 && left.some((line, index) => line !== right[index])) {
    const at = left.findIndex((line, index) => line !== right[index]);
    faults.push(`another order from line ${at + 1} on: java ${left[at]}, ringmq ${right[at]}`);
  }
  return faults;
}

/** The lines of `a` that `b` has less often. */
function minus(a: readonly string[], b: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of b) left.set(line, (left.get(line) ?? 0) + 1);
  return a.filter(line => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
