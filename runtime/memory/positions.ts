/**
 * Shared 64-bit words with one writer each: where the log starts, and how far it is appended,
 * flushed, replicated, dispatched.
 * They replace most messages between actors: who follows a position needs no mailbox.
 *
 * Shape: one BigInt64 each. Touched once a batch, so the `bigint` costs nothing that matters and a read can never be
 * torn.
 */

export const positionNames = ['minimum', 'appended', 'flushed', 'replicated', 'dispatched'] as const;
export type PositionName = (typeof positionNames)[number];

export class Positions {
  readonly memory: SharedArrayBuffer;
  readonly #words: BigInt64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(positionNames.length * 8)) {
    this.memory = memory;
    this.#words = new BigInt64Array(memory);
  }

  /** Units: bytes from the start of the log. */
  read(name: PositionName): number {
    return Number(Atomics.load(this.#words, positionNames.indexOf(name)));
  }

  /** Only the word's one writer calls this, after the bytes are readable. */
  publish(name: PositionName, position: number): void {
    Atomics.store(this.#words, positionNames.indexOf(name), BigInt(position));
  }
}
