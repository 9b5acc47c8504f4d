/**
 * Runs compiled worker files under a watchdog. uvu has no time limit and waits for live threads, so every suite that
 * starts threads starts them here: they are always ended, and a test whose threads stand still fails instead of
 * hanging.
 */
import { type Transferable, Worker } from 'node:worker_threads';

export interface WatchdogOptions {
  /** Read from shared memory; the test fails when it has not moved for `stallMs`. Default: no progress is expected. */
  readonly progress?: () => unknown;
  /** Units: ms. */
  readonly stallMs?: number;
}

const STALL_MS = 20_000;
const LOOK_MS = 100;

/** Fails when `progress` stands still for `stallMs`; ends with {@link Watchdog.stop}. */
class Watchdog {
  readonly barked: Promise<never>;
  readonly #timer: NodeJS.Timeout;

  constructor({ progress = () => 0, stallMs = STALL_MS }: WatchdogOptions) {
    let reject = (_error: Error): void => {};
    this.barked = new Promise<never>((_resolve, rejectBarked) => {
      reject = rejectBarked;
    });
    this.barked.catch(() => {});
    let last = progress();
    let movedMs = performance.now();
    this.#timer = setInterval(() => {
      const now = progress();
      if (now !== last) {
        last = now;
        movedMs = performance.now();
      } else if (performance.now() - movedMs > stallMs) {
        reject(new Error(`no progress for ${stallMs} ms (at ${String(last)})`));
      }
    }, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export class WorkerGroup {
  readonly #workers: Worker[] = [];

  /** Starts a worker that lives until the group ends. */
  start(file: URL, workerData: unknown, transferList: readonly Transferable[] = []): Worker {
    const worker = new Worker(file, { workerData, transferList: [...transferList] as never[] });
    // Whoever waits for its result hears of its error; an error later is of no interest.
    worker.on('error', () => {});
    this.#workers.push(worker);
    return worker;
  }

  /**
   * Starts a worker and resolves with the first message it posts. Errors: what it throws, or that it ended silently.
   */
  run<Result>(file: URL, workerData: unknown, transferList: readonly Transferable[] = []): Promise<Result> {
    const worker = this.start(file, workerData, transferList);
    return new Promise<Result>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', code => reject(new Error(`the worker ended with ${code} and without a result`)));
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.terminate()));
  }
}

/**
 * Runs `work` with a group of workers, all of which are ended afterwards.
 *
 * @example
 * const sum = await withWorkers(workers => workers.run<number>(file, { values }));
 */
export const withWorkers = async <Result>(
  work: (workers: WorkerGroup) => Promise<Result>,
  options: WatchdogOptions = {},
): Promise<Result> => {
  const workers = new WorkerGroup();
  const watchdog = new Watchdog(options);
  try {
    return await Promise.race([work(workers), watchdog.barked]);
  } finally {
    watchdog.stop();
    await workers.close();
  }
};
