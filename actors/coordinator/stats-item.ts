/**
 * One statistic over the last minute, hour and day, from samples of a total. Source: StatsItem.
 *
 * A sample is taken every 10 seconds, 10 minutes and hour; what is told is the difference between the oldest and the
 * newest sample that are kept, so it moves when a sample is taken and not in between.
 */

/** How much there was of something until now. */
export interface Total {
  readonly messages: number;
  readonly bytes: number;
  /** In how many portions. */
  readonly times: number;
}

/** Units: messages or bytes, per second, per portion. */
export interface StatsFigures {
  readonly sum: number;
  readonly tps: number;
  readonly avgpt: number;
}

interface Sample extends Total {
  readonly atMs: number;
}

/** The windows: how often a sample is taken, and how many are kept. Units: ms, samples. */
export const statsWindows = {
  minute: { everyMs: 10_000, kept: 7 },
  hour: { everyMs: 600_000, kept: 7 },
  day: { everyMs: 3_600_000, kept: 25 },
} as const;
export type StatsWindow = keyof typeof statsWindows;

/** Nothing yet. */
export const NO_TOTAL: Total = { messages: 0, bytes: 0, times: 0 };

export class StatsItem {
  /** What it is the statistic of. */
  total: Total = NO_TOTAL;
  readonly #samples: Readonly<Record<StatsWindow, Sample[]>> = { minute: [], hour: [], day: [] };

  sample(window: StatsWindow, nowMs: number): void {
    const { everyMs, kept } = statsWindows[window];
    const samples = this.#samples[window];
    // Whatever there is came since the sample before this first one.
    if (samples.length === 0) samples.push({ ...NO_TOTAL, atMs: nowMs - everyMs });
    samples.push({ ...this.total, atMs: nowMs });
    if (samples.length > kept) samples.shift();
  }

  figures(window: StatsWindow, of: 'messages' | 'bytes'): StatsFigures {
    const samples = this.#samples[window];
    const first = samples[0];
    const last = samples.at(-1);
    if (first === undefined || last === undefined) return { sum: 0, tps: 0, avgpt: 0 };
    const sum = last[of] - first[of];
    const times = last.times - first.times;
    return { sum, tps: (sum * 1000) / Math.max(1, last.atMs - first.atMs), avgpt: times > 0 ? sum / times : 0 };
  }
}
