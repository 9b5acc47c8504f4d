/**
 * Commands that go on until somebody stops them: Ctrl-C, or the signal of a service manager, ends them well.
 */

/** Does `work` with a signal that fires with SIGINT and SIGTERM, which do not end the process meanwhile. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await work(stop.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
