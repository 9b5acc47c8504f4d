/** Time, handed in: real on a node, virtual under the seeded scheduler. */
export interface Clock {
  /** Milliseconds since the epoch. Units: ms. May jump when the machine's clock is set. */
  nowMs(): number;
  /** A steady clock for durations. Units: ms, with fractions. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A clock that moves only when told to, for tests. */
export class VirtualClock implements Clock {
  #nowMs: number;

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Units: ms. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}
