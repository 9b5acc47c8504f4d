/** One shared word of bits that all actors read and few set: what the store may do now. */
export class SharedFlags {
  readonly memory: SharedArrayBuffer;
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#word = new Int32Array(memory);
  }

  /** All bits. */
  read(): number {
    return Atomics.load(this.#word, 0);
  }

  has(bits: number): boolean {
    return (Atomics.load(this.#word, 0) & bits) !== 0;
  }

  /** Returns whether any of `bits` changed. */
  set(bits: number): boolean {
    return (Atomics.or(this.#word, 0, bits) & bits) !== bits;
  }

  clear(bits: number): boolean {
    return (Atomics.and(this.#word, 0, ~bits) & bits) !== 0;
  }
}
