/** What every file in the folders of bench/ offers to `bench/run.ts` and to the test that runs them all. */

/** One line of output: what was done, how fast, and a checksum of the work that the same parameters always give. */
export interface BenchmarkCase {
  readonly name: string;
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Whatever the case does, a second. */
  readonly rate: number;
  /** Of one turn, where the case measures turns. Units: microseconds. */
  readonly p50Us?: number;
  readonly p99Us?: number;
  /** CPU for one of what the rate counts: of this process; in bench/node, of the broker's. Units: microseconds. */
  readonly cpuUs?: number;
  /** How much more CPU than the case it is compared with, median of paired rounds, and the standard error of that. */
  readonly morePercent?: number;
  readonly moreErrorPercent?: number;
  readonly checksum: number;
}

export interface Benchmark<Parameters = unknown> {
  /** `smoke` runs with the tests, in a second or so. */
  readonly parameters: { readonly smoke: Parameters; readonly real: Parameters };
  /**
   * All cases one after another. `target`: what bench/node is to measure, see `withTarget`; `ringmq` unless told.
   * Errors: asserts that the work was done right.
   */
  run(parameters: Parameters, target?: string): Promise<readonly BenchmarkCase[]>;
}

/** Times of turns, and what it all cost. */
export class Stopwatch {
  readonly #turnsUs: Float64Array;
  readonly #cpuStart = process.cpuUsage();
  readonly #startMs = performance.now();
  #turns = 0;
  #turnStartMs = 0;

  /** `turnsMax`: turns beyond it are not recorded one by one. */
  constructor(turnsMax: number) {
    this.#turnsUs = new Float64Array(turnsMax);
  }

  startTurn(): void {
    this.#turnStartMs = performance.now();
  }

  endTurn(): void {
    if (this.#turns === this.#turnsUs.length) return;
    this.#turnsUs[this.#turns++] = (performance.now() - this.#turnStartMs) * 1000;
  }

  /** What the case prints about `count` pieces of work. */
  result(count: number): Pick<BenchmarkCase, 'rate' | 'p50Us' | 'p99Us' | 'cpuUs'> {
    const elapsedMs = performance.now() - this.#startMs;
    const { user, system } = process.cpuUsage(this.#cpuStart);
    return {
      rate: Math.round((count * 1000) / elapsedMs),
      ...percentiles(this.#turnsUs.subarray(0, this.#turns)),
      cpuUs: rounded((user + system) / count),
    };
  }
}

/** Of times in microseconds, which it sorts; nothing of none. */
export function percentiles(timesUs: Float64Array): Pick<BenchmarkCase, 'p50Us' | 'p99Us'> {
  if (timesUs.length === 0) return {};
  const sorted = timesUs.sort();
  const at = (share: number): number => rounded(sorted[Math.floor((sorted.length - 1) * share)]!);
  return { p50Us: at(0.5), p99Us: at(0.99) };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
