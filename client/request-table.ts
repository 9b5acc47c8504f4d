/**
 * The requests of one connection that wait for their answers, by opaque. One timer serves them all: it is armed for
 * the earliest deadline, so a request costs a map entry and no timer of its own.
 */

/** Most requests that may wait on one connection. Source: NettySystemConfig, clientAsyncSemaphoreValue. */
export const REQUESTS_IN_FLIGHT_MAX = 65_535;

/** A sweep walks the whole table, so it runs at most this often. Units: ms. */
const SWEEP_INTERVAL_MIN_MS = 10;
const SWEEP_INTERVAL_MAX_MS = 60_000;

export interface PendingRequest<Answer> {
  readonly sentAtMs: number;
  readonly timeoutMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Units: ms, from the steady clock of {@link RequestTable}. */
export class RequestTable<Answer> {
  readonly #pending = new Map<number, PendingRequest<Answer>>();
  readonly #onExpired: (pending: PendingRequest<Answer>) => void;
  #timer: NodeJS.Timeout | undefined;
  #sweepAtMs = Number.POSITIVE_INFINITY;

  /** `onExpired` rejects a request whose time is up; it may call {@link rejectAll}. */
  constructor(onExpired: (pending: PendingRequest<Answer>) => void) {
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#pending.size;
  }

  has(opaque: number): boolean {
    return this.#pending.has(opaque);
  }

  add(opaque: number, pending: PendingRequest<Answer>): void {
    this.#pending.set(opaque, pending);
    const deadlineMs = pending.sentAtMs + pending.timeoutMs;
    if (deadlineMs < this.#sweepAtMs) this.#arm(deadlineMs);
  }

  /** Removes and returns the request an answer belongs to; undefined when its time was up. */
  take(opaque: number): PendingRequest<Answer> | undefined {
    const pending = this.#pending.get(opaque);
    if (pending !== undefined) this.#pending.delete(opaque);
    return pending;
  }

  /** Rejects everything with one cause and stops the timer. */
  rejectAll(cause: Error): void {
    clearTimeout(this.#timer);
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of waiting) pending.reject(cause);
  }

  #arm(deadlineMs: number): void {
    clearTimeout(this.#timer);
    const delayMs = deadlineMs - performance.now();
    this.#sweepAtMs = deadlineMs;
    this.#timer = setTimeout(
      () => this.#sweep(),
      Math.min(SWEEP_INTERVAL_MAX_MS, Math.max(SWEEP_INTERVAL_MIN_MS, delayMs)),
    );
    // The socket keeps the process alive while something is awaited; the timer must not do so after it.
    this.#timer.unref();
  }

  #sweep(): void {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    const expired: PendingRequest<Answer>[] = [];
    for (const [opaque, pending] of this.#pending) {
      const deadlineMs = pending.sentAtMs + pending.timeoutMs;
      if (deadlineMs <= nowMs) {
        this.#pending.delete(opaque);
        expired.push(pending);
      } else if (deadlineMs < nextMs) {
        nextMs = deadlineMs;
      }
    }
    if (this.#pending.size > 0) this.#arm(nextMs);
    for (const pending of expired) this.#onExpired(pending);
  }
}
