/**
 * When the log reached which position: what turns a slave's lag in bytes into one in time. Kept from where the
 * furthest-behind slave is; when that is much, coarser and coarser.
 */

const SAMPLES_MAX = 1024;
/** Two samples are at least so far apart, as long as there are few. Units: ms. */
const SAMPLE_EVERY_MS = 5;

export class LagClock {
  readonly #positions: number[] = [];
  readonly #times: number[] = [];
  #everyMs = SAMPLE_EVERY_MS;

  /** The log reaches to `appended` now; nobody asks any more for what is at or before `acknowledged`. */
  note(appended: number, acknowledged: number, nowMs: number): void {
    this.#forget(acknowledged);
    const last = this.#positions.length - 1;
    if (last >= 0 && nowMs - this.#times[last]! < this.#everyMs) {
      this.#positions[last] = Math.max(this.#positions[last]!, appended);
      return;
    }
    if (appended <= (this.#positions[last] ?? acknowledged)) return;
    this.#positions.push(appended);
    this.#times.push(nowMs);
    if (this.#positions.length > SAMPLES_MAX) this.#coarsen();
  }

  #forget(acknowledged: number): void {
    let count = 0;
    while (count < this.#positions.length && this.#positions[count]! <= acknowledged) count++;
    if (count === 0) return;
    this.#positions.splice(0, count);
    this.#times.splice(0, count);
    if (this.#positions.length === 0) this.#everyMs = SAMPLE_EVERY_MS;
  }

  /** Of two samples one stays: the earlier time with the later position. */
  #coarsen(): void {
    const half = this.#positions.length >> 1;
    for (let index = 0; index < half; index++) {
      this.#positions[index] = this.#positions[index * 2 + 1]!;
      this.#times[index] = this.#times[index * 2]!;
    }
    this.#positions.length = half;
    this.#times.length = half;
    this.#everyMs *= 2;
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
