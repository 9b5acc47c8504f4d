/**
 * How busy a thread with an event loop is, sockets and timers included, and what garbage collection takes of it:
 * counted in shared memory, for whoever asks what limits a broker. Cold.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { Counter, type Counters } from '../../runtime/memory/counters.js';

const PUBLISH_MS = 250;

export interface ThreadGauge {
  close(): void;
}

/** Counts for the thread it is called on, until it is closed. */
export function watchThread(counters: Counters): ThreadGauge {
  const startedMs = performance.eventLoopUtilization().active;
  const publish = (): void => {
    counters.set(Counter.threadBusyMs, performance.eventLoopUtilization().active - startedMs);
  };
  const collections = new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) counters.add(Counter.garbageMs, duration);
  });
  collections.observe({ entryTypes: ['gc'] });
  const timer = setInterval(publish, PUBLISH_MS);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
      collections.disconnect();
    },
  };
}
