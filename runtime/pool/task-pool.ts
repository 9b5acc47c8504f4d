/**
 * piscina as the pool it is, for finite work that costs CPU: checking segments at recovery, reading whole logs for
 * inspection. Its queue, its idle threads and its abort signal are used as they are meant.
 */
import type { Piscina } from 'piscina';
import { type RunModuleOptions, runModule } from './run-module.js';

export interface TaskPoolOptions {
  /** A compiled module whose default export takes a task and returns its result. */
  readonly workerFile: URL;
  /** For example `recoverThreadPoolNums`. */
  readonly threadsMax: number;
}

/** Idle threads stay this long for the next task. Units: ms. */
const IDLE_MS = 1000;

export class TaskPool<Task, Result> {
  readonly #options: TaskPoolOptions;
  #pool: Promise<Piscina> | undefined;

  constructor(options: TaskPoolOptions) {
    this.#options = options;
  }

  /**
   * Runs one task; as many run at a time as there are threads, the rest wait in order.
   * Errors: what the task threw; AbortError when its signal was raised.
   *
   * @example
   * const pool = new TaskPool<SegmentScan, ScanResult>({ workerFile, threadsMax: 2 });
   * const results = await Promise.all(segments.map(segment => pool.run(segment)));
   * await pool.close();
   */
  async run(task: Task, options: RunModuleOptions = {}): Promise<Result> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    return (await runModule(pool, this.#options.workerFile, task, options)) as Result;
  }

  /** Ends all threads; tasks still running or waiting are rejected. */
  async close(): Promise<void> {
    const pool = await this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }

  async #open(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    const { threadsMax } = this.#options;
    const pool = new Piscina({ minThreads: 0, maxThreads: threadsMax, idleTimeout: IDLE_MS });
    // Only a thread that dies before it took its task comes this way. Nothing would ever run that task: all are
    // rejected.
    pool.on('error', () => {
      this.#pool = undefined;
      void pool.destroy();
    });
    return pool;
  }
}
