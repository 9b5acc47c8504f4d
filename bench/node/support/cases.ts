/** What the benchmarks of whole nodes have in common. */
import type { BenchmarkCase } from '../../benchmark.js';
import type { Target } from './targets.js';

/** Runs work and gives its rate, and what each of `count` cost the broker. */
export async function timed(
  target: Target,
  count: number,
  work: () => Promise<unknown>,
): Promise<Pick<BenchmarkCase, 'rate' | 'cpuUs'>> {
  const cpuStartMs = target.cpuMs();
  const startMs = performance.now();
  await work();
  const elapsedMs = performance.now() - startMs;
  const cpuEndMs = target.cpuMs();
  const cpuUs =
    cpuStartMs === undefined || cpuEndMs === undefined
      ? {}
      : { cpuUs: Math.round(((cpuEndMs - cpuStartMs) * 100_000) / count) / 100 };
  return { rate: Math.round((count * 1000) / elapsedMs), ...cpuUs };
}

let topics = 0;
/** A topic no other case has used, at a broker that may be older than this process. */
export function freshTopic(name: string): string {
  return `Bench${name}${process.pid}x${++topics}`;
}
