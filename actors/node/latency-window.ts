/**
 * Durations of the last minute, from counts since the start: what was counted until the minute began is taken off.
 * Cold. Source: StoreStatsService.
 */
import type { Latencies } from '../../runtime/memory/latencies.js';
import { percentileMs, spanStarts } from '../../runtime/memory/latencies.js';

/** Java's classes of durations: where each begins, and what it is called. Units: ms. */
const classes: readonly (readonly [number, string])[] = [
  [0, '[<=0ms]'],
  [1, '[0~10ms]'],
  [10, '[10~50ms]'],
  [50, '[50~100ms]'],
  [100, '[100~200ms]'],
  [200, '[200~500ms]'],
  [500, '[500ms~1s]'],
  [1000, '[1~2s]'],
  [2000, '[2~3s]'],
  [3000, '[3~4s]'],
  [4000, '[4~5s]'],
  [5000, '[5~10s]'],
  [10_000, '[10s~]'],
];

export class LatencyWindow {
  readonly #latencies: Latencies;
  /** Counts when this minute and the one before it began. */
  #begun: Float64Array;
  #before: Float64Array;

  constructor(latencies: Latencies) {
    this.#latencies = latencies;
    this.#begun = latencies.counts();
    this.#before = this.#begun;
  }

  /** A minute is over. */
  turn(): void {
    this.#before = this.#begun;
    this.#begun = this.#latencies.counts();
  }

  /** "[<=0ms]:12 [0~10ms]:3 …": of the minute that has begun. */
  distribution(): string {
    const counts = this.#latencies.counts();
    return classes
      .map(([start, name], index) => {
        const end = classes[index + 1]?.[0] ?? Number.POSITIVE_INFINITY;
        let sum = 0;
        for (const [span, from] of spanStarts.entries()) {
          if (from >= start && from < end) sum += counts[span]! - this.#begun[span]!;
        }
        return `${name}:${sum}`;
      })
      .join(' ');
  }

  /** Of the last whole minute. Units: ms. */
  percentileMs(share: number): number {
    return percentileMs(
      this.#begun.map((count, span) => count - this.#before[span]!),
      share,
    );
  }
}
