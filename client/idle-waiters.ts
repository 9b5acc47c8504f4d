/** Those who wait until something that runs several things at a time has nothing running. */
export class IdleWaiters {
  readonly #waiters = new Set<() => void>();

  /** True at the next {@link release}; false when none came within `limitMs`, if that is given. */
  wait(limitMs?: number): Promise<boolean> {
    return new Promise(resolve => {
      const onIdle = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const onLate = (): void => {
        this.#waiters.delete(onIdle);
        resolve(false);
      };
      const timer = limitMs === undefined ? undefined : setTimeout(onLate, limitMs);
      this.#waiters.add(onIdle);
    });
  }

  /** Nothing runs now. */
  release(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const onIdle of waiters) onIdle();
  }
}
