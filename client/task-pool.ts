import { IdleWaiters } from './idle-waiters.js';

/** Runs tasks in the order they come, so many at a time. Takes the place of Java's thread pool. */
export class TaskPool {
  readonly #runningMax: number;
  #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #stopped = false;
  readonly #idleWaiters = new IdleWaiters();

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  /** Tasks must not throw. After {@link stop} they are dropped. */
  submit(task: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#waiting.push(task);
    this.#startNext();
  }

  /** Drops what waits; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  /** Waits until nothing runs; false when something still does after `limitMs`. */
  whenIdle(limitMs: number): Promise<boolean> {
    return this.#running === 0 ? Promise.resolve(true) : this.#idleWaiters.wait(limitMs);
  }

  #startNext(): void {
    while (this.#running < this.#runningMax) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      this.#running++;
      void task().finally(() => this.#onEnd());
    }
  }

  #onEnd(): void {
    this.#running--;
    this.#startNext();
    if (this.#running === 0) this.#idleWaiters.release();
  }
}
