/** Rates of counters over the last 10 seconds, minute and ten minutes, from samples taken every 10 seconds. Cold. */
import type { CounterName } from '../../runtime/memory/counters.js';
import { LatencyWindow } from './latency-window.js';
import type { Workshop } from './memory.js';

const SAMPLE_MS = 10_000;
const SAMPLES_MAX = 61;
const SAMPLES_PER_MINUTE = 6;
const spans = [1, 6, 60] as const;
const watched = ['messagesAppended', 'messagesPulled', 'pullsFound', 'pullsMissed'] as const;
export type WatchedCounter = (typeof watched)[number] & CounterName;

type Sample = Record<WatchedCounter, number> & { atMs: number };

export class RateSampler {
  /** How long sends took, from their arrival to their answer. */
  readonly putLatencies: LatencyWindow;
  /** The most that a sample saw between the end of the log and the end of the consume queues. Units: bytes. */
  backlogMax = 0;
  #samplesTaken = 0;
  readonly #shop: Workshop;
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  #day = new Date().getDate();
  #todayMorning: Sample;
  #yesterdayMorning: Sample;

  constructor(shop: Workshop) {
    this.#shop = shop;
    this.putLatencies = new LatencyWindow(shop.putLatencies);
    this.#todayMorning = this.#sample();
    this.#yesterdayMorning = this.#todayMorning;
    this.#samples.push(this.#todayMorning);
    this.#timer = setInterval(() => {
      this.#samples.push(this.#sample());
      if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
      this.#noticeMidnight();
      if (++this.#samplesTaken % SAMPLES_PER_MINUTE === 0) this.putLatencies.turn();
      const { positions } = this.#shop;
      this.backlogMax = Math.max(this.backlogMax, positions.read('appended') - positions.read('dispatched'));
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  /** Sum over all actors. */
  total(name: CounterName): number {
    return this.#shop.memory.actors.reduce((sum, actor) => sum + this.#shop.counters(actor.name).read(name), 0);
  }

  /** "12.5 10.1 9.9": per second over 10 s, 1 min, 10 min, or as long as the node runs. */
  triple(name: WatchedCounter): string {
    return this.tripleOf([name]);
  }

  /** The same for a sum of counters. */
  tripleOf(names: readonly WatchedCounter[]): string {
    const now = this.#sample();
    return spans
      .map(span => {
        const then = this.#samples[Math.max(0, this.#samples.length - span)]!;
        const seconds = Math.max(0.001, (now.atMs - then.atMs) / 1000);
        return String(names.reduce((sum, name) => sum + now[name] - then[name], 0) / seconds);
      })
      .join(' ');
  }

  /** Totals as they were when yesterday and today began, or the node if that was later. */
  mornings(name: WatchedCounter): { readonly yesterday: number; readonly today: number } {
    return { yesterday: this.#yesterdayMorning[name], today: this.#todayMorning[name] };
  }

  #noticeMidnight(): void {
    const day = new Date().getDate();
    if (day === this.#day) return;
    this.#day = day;
    this.#yesterdayMorning = this.#todayMorning;
    this.#todayMorning = this.#samples.at(-1)!;
  }

  #sample(): Sample {
    const sample = { atMs: performance.now() } as Sample;
    for (const name of watched) sample[name] = this.total(name);
    return sample;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
