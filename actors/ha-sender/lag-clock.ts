/**
 * When the log reached which position: what turns a slave's lag in bytes into one in time. Samples are thinned with
 * their age, so that hours fit a fixed number of them.
 */

const SAMPLES_MAX = 1024;
/** Two samples are at least so far apart. Units: ms. */
const SAMPLE_EVERY_MS = 5;

export class LagClock {
  readonly #positions: number[] = [];
  readonly #times: number[] = [];

  /** The log reaches to `appended` now. */
  note(appended: number, nowMs: number): void {
    const last = this.#positions.length - 1;
    if (last >= 0 && (appended <= this.#positions[last]! || nowMs - this.#times[last]! < SAMPLE_EVERY_MS)) return;
    this.#positions.push(appended);
    this.#times.push(nowMs);
    if (this.#positions.length > SAMPLES_MAX) this.#thin();
  }

  /** Every second one of the older half goes. */
  #thin(): void {
    const half = SAMPLES_MAX / 2;
    const keep = (_: number, index: number): boolean => index >= half || index % 2 === 0;
    const positions = this.#positions.filter(keep);
    const times = this.#times.filter(keep);
    this.#positions.splice(0, this.#positions.length, ...positions);
    this.#times.splice(0, this.#times.length, ...times);
  }

  /** How long the log has been further than `position`; 0 when it is not. Units: ms. */
  behindMs(position: number, appended: number, nowMs: number): number {
    if (position >= appended) return 0;
    const positions = this.#positions;
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[middle]! > position) high = middle;
      else low = middle + 1;
    }
    return low === positions.length ? 0 : Math.max(0, nowMs - this.#times[low]!);
  }
}
