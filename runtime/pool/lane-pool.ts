/**
 * Lanes on piscina's threads. A lane is one task that ends only when it has drained, so there is a thread per lane, and
 * the queue of the pool is the lane's ring. piscina gives thread creation, a rejected promise when a lane fails however
 * it fails, and release of the threads of lanes that ended.
 *
 * Sending each request through piscina's own queue would cost a clone of it and about 70 us.
 */
import type { Transferable } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { assert } from '../base/assert.js';
import { runModule } from './run-module.js';

export interface LanePoolOptions {
  /** For messages, for example `sendMessage`. */
  readonly name: string;
  /** A compiled module whose default export was made by {@link ./lane-entry.ts laneEntry}. */
  readonly workerFile: URL;
  /** At most this many lanes at a time. */
  readonly lanesMax: number;
  /**
   * A lane ended by itself with an error; its place is free again. Not called for lanes that {@link LanePool.close}
   * ends.
   */
  readonly onCrashed: (laneIndex: number, error: unknown) => void;
}

export class LanePool {
  readonly #options: LanePoolOptions;
  /** Each lane's end; never rejects. */
  readonly #ends = new Map<number, Promise<void>>();
  #pool: Promise<Piscina> | undefined;
  #closed = false;

  constructor(options: LanePoolOptions) {
    this.#options = options;
  }

  /** Indexes of the lanes that have been added and have not ended. */
  get laneIndexes(): readonly number[] {
    return [...this.#ends.keys()];
  }

  /**
   * Starts a lane on a thread of its own; resolves when the thread has been asked, and the lane says by its own control
   * when it runs. `workerData` is the argument of its entry.
   * Errors: asserts that the index is free and the pool has room.
   */
  async add(laneIndex: number, workerData: unknown, transferList: readonly Transferable[] = []): Promise<void> {
    assert(!this.#closed, `${this.#options.name}: the pool is open`);
    assert(!this.#ends.has(laneIndex), `${this.#options.name}: lane ${laneIndex} is free`);
    assert(this.#ends.size < this.#options.lanesMax, `${this.#options.name}: there is room for a lane`);
    let resolveEnd = (): void => {};
    const end = new Promise<void>(resolve => {
      resolveEnd = resolve;
    });
    this.#ends.set(laneIndex, end);
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    // Closed while piscina was being loaded: the lane ends before it began.
    const running = this.#closed ? Promise.resolve() : this.#run(pool, laneIndex, workerData, transferList, end);
    void running.then(resolveEnd);
  }

  /** Waits until the lane, which its control has told to drain, has ended, whether well or not. */
  async remove(laneIndex: number): Promise<void> {
    await this.#ends.get(laneIndex);
  }

  /** Ends all threads, also those of lanes that did not drain. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const pool = await this.#pool;
    await pool?.destroy();
    await Promise.all(this.#ends.values());
  }

  async #open(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      minThreads: 0,
      maxThreads: this.#options.lanesMax,
      concurrentTasksPerWorker: 1,
      // Lanes wait on their own doorbell, and a thread whose lane ended is let go at once.
      atomics: 'disabled',
      idleTimeout: 0,
      recordTiming: false,
    });
    // Only a thread that dies before it took its lane comes this way: which lane that was is not known, so all end.
    pool.on('error', error => {
      const lanes = this.laneIndexes;
      if (this.#closed || lanes.length === 0) return;
      this.#pool = undefined;
      for (const laneIndex of lanes) this.#crashed(laneIndex, this.#ends.get(laneIndex)!, error);
      void pool.destroy();
    });
    return pool;
  }

  async #run(
    pool: Piscina,
    laneIndex: number,
    workerData: unknown,
    transferList: readonly Transferable[],
    end: Promise<void>,
  ): Promise<void> {
    try {
      await runModule(pool, this.#options.workerFile, workerData, { transferList });
      if (this.#ends.get(laneIndex) === end) this.#ends.delete(laneIndex);
    } catch (error) {
      this.#crashed(laneIndex, end, error);
    }
  }

  #crashed(laneIndex: number, end: Promise<void>, error: unknown): void {
    // A lane reported before, or a newer one in its place.
    if (this.#ends.get(laneIndex) !== end) return;
    this.#ends.delete(laneIndex);
    if (!this.#closed) this.#options.onCrashed(laneIndex, error);
  }
}
