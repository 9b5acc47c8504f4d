/**
 * How long something took, as counts by duration, in shared memory with one writer. Hot: {@link add} is a few
 * comparisons, a load and a store.
 *
 * Shape: one Float64 word for each span of {@link spanStarts}, then one for the longest of all. Units: ms.
 */

/** Where each span begins; it ends where the next one does, the last one never. Finer where more happens. */
export const spanStarts: readonly number[] = [
  ...steps(0, 20, 1),
  ...steps(20, 50, 2),
  ...steps(50, 100, 5),
  ...steps(100, 200, 10),
  ...steps(200, 500, 50),
  ...steps(500, 1000, 100),
  ...steps(1000, 10_000, 1000),
  10_000,
];

const LONGEST = spanStarts.length;

export class Latencies {
  readonly memory: SharedArrayBuffer;
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((spanStarts.length + 1) * 8)) {
    this.memory = memory;
    this.#words = new Float64Array(memory);
  }

  add(ms: number): void {
    const words = this.#words;
    const span = spanOf(ms);
    words[span] = words[span]! + 1;
    if (ms > words[LONGEST]!) words[LONGEST] = ms;
  }

  get longestMs(): number {
    return this.#words[LONGEST]!;
  }

  /** Counts by span, as they are now. */
  counts(): Float64Array {
    return this.#words.slice(0, LONGEST);
  }
}

/** Index of the span that a duration falls into. */
export function spanOf(ms: number): number {
  if (ms < 20) return ms > 0 ? Math.floor(ms) : 0;
  if (ms < 50) return 20 + Math.floor((ms - 20) / 2);
  if (ms < 100) return 35 + Math.floor((ms - 50) / 5);
  if (ms < 200) return 45 + Math.floor((ms - 100) / 10);
  if (ms < 500) return 55 + Math.floor((ms - 200) / 50);
  if (ms < 1000) return 61 + Math.floor((ms - 500) / 100);
  if (ms < 10_000) return 66 + Math.floor((ms - 1000) / 1000);
  return 75;
}

/**
 * The duration that a share of all does not exceed, between the ends of its span; 0 when there was nothing.
 * `counts`: by span.
 */
export function percentileMs(counts: ArrayLike<number>, share: number): number {
  let total = 0;
  for (let span = 0; span < counts.length; span++) total += counts[span]!;
  const rank = total * share;
  let before = 0;
  for (let span = 0; span < counts.length; span++) {
    const count = counts[span]!;
    if (count > 0 && rank <= before + count) {
      const start = spanStarts[span]!;
      const end = spanStarts[span + 1] ?? start;
      return start + ((end - start) * (rank - before)) / count;
    }
    before += count;
  }
  return 0;
}

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step }, (_, index) => from + index * step);
}
