/** How a consumer is doing, by topic, over the last minute and hour. Source: ConsumerStatsManager, ConsumeStatus. */

/** Units: rates a second, times ms. */
export interface ConsumeStatus {
  readonly pullRT: number;
  readonly pullTPS: number;
  readonly consumeRT: number;
  readonly consumeOKTPS: number;
  readonly consumeFailedTPS: number;
  /** In the last hour. */
  readonly consumeFailedMsgs: number;
}

/** Sums over a span that moves with the time, in steps. Units: ms. */
class MovingSum {
  readonly #stepMs: number;
  readonly #values: Float64Array;
  #step = 0;

  constructor(steps: number, stepMs: number) {
    this.#stepMs = stepMs;
    this.#values = new Float64Array(steps);
  }

  add(value: number): void {
    this.#advance();
    const at = this.#step % this.#values.length;
    this.#values[at] = this.#values[at]! + value;
  }

  get sum(): number {
    this.#advance();
    return this.#values.reduce((sum, value) => sum + value, 0);
  }

  #advance(): void {
    const step = Math.floor(performance.now() / this.#stepMs);
    const cleared = Math.min(step - this.#step, this.#values.length);
    for (let ahead = 0; ahead < cleared; ahead++) this.#values[(step - ahead) % this.#values.length] = 0;
    this.#step = step;
  }
}

const SECONDS = 60;

class TopicStats {
  readonly pulls = new MovingSum(SECONDS, 1000);
  readonly pullMs = new MovingSum(SECONDS, 1000);
  readonly pulled = new MovingSum(SECONDS, 1000);
  readonly runs = new MovingSum(SECONDS, 1000);
  readonly runMs = new MovingSum(SECONDS, 1000);
  readonly consumed = new MovingSum(SECONDS, 1000);
  readonly failed = new MovingSum(SECONDS, 1000);
  readonly failedOfHour = new MovingSum(60, 60_000);
}

export class ConsumerStats {
  readonly #topics = new Map<string, TopicStats>();

  onPull(topic: string, messages: number, costMs: number): void {
    const stats = this.#of(topic);
    stats.pulls.add(1);
    stats.pullMs.add(costMs);
    stats.pulled.add(messages);
  }

  onConsume(topic: string, ok: number, failed: number, costMs: number): void {
    const stats = this.#of(topic);
    stats.runs.add(1);
    stats.runMs.add(costMs);
    stats.consumed.add(ok);
    stats.failed.add(failed);
    stats.failedOfHour.add(failed);
  }

  status(topic: string): ConsumeStatus {
    const stats = this.#of(topic);
    return {
      pullRT: stats.pullMs.sum / Math.max(1, stats.pulls.sum),
      pullTPS: stats.pulled.sum / SECONDS,
      consumeRT: stats.runMs.sum / Math.max(1, stats.runs.sum),
      consumeOKTPS: stats.consumed.sum / SECONDS,
      consumeFailedTPS: stats.failed.sum / SECONDS,
      consumeFailedMsgs: stats.failedOfHour.sum,
    };
  }

  #of(topic: string): TopicStats {
    let stats = this.#topics.get(topic);
    if (stats === undefined) {
      stats = new TopicStats();
      this.#topics.set(topic, stats);
    }
    return stats;
  }
}
