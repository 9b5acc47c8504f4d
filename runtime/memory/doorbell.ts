/**
 * A doorbell: one shared word an actor waits on. A producer publishes, then rings; the consumer reads the bell, does
 * all the work it can, and only then waits *on the value it read*, so no wake-up is lost and no "is it asleep" flag is
 * needed.
 *
 * Shape: one Int32 in shared memory. On one thread a listener is called instead, which schedules the duty cycle.
 */

export type RingListener = () => void;

export class Doorbell {
  readonly memory: SharedArrayBuffer;
  readonly #word: Int32Array;
  #listener: RingListener | undefined;

  /** Shape: 4 bytes of `memory`; made when not given. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#word = new Int32Array(memory, 0, 1);
  }

  /** The actor that owns this bell runs on this very thread: ringing calls `listener` and wakes nobody else. */
  listen(listener: RingListener | undefined): void {
    this.#listener = listener;
  }

  /** Something was published for the owner of this bell. */
  ring(): void {
    if (this.#listener !== undefined) {
      this.#listener();
      return;
    }
    Atomics.add(this.#word, 0, 1);
    Atomics.notify(this.#word, 0, 1);
  }

  /** Read before looking for work; hand the value to a wait afterwards. */
  read(): number {
    return Atomics.load(this.#word, 0);
  }

  /** Blocks the thread until the bell was rung after `seen` was read, at most `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#word, 0, seen, timeoutMs);
  }

  /** The same for an event loop. Resolves at once when the bell was rung already. */
  waitAsync(seen: number): Promise<unknown> | undefined {
    const result = Atomics.waitAsync(this.#word, 0, seen);
    return result.async ? result.value : undefined;
  }
}
