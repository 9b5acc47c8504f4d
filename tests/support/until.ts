/** Waiting in tests: for something to be so, never for a time. */

/**
 * Waits until `condition` holds, looking every few milliseconds, and says how long that took. Units: ms.
 * Errors: when it does not hold within `limitMs`.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 20_000,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > limitMs) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  return performance.now() - startedMs;
}
