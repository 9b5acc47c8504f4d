/**
 * Runs benchmarks and prints one JSON line a case.
 *
 *   node dist/bench/run.js                        all of bench/micro, bench/flow and bench/node
 *   node dist/bench/run.js rings flow/            those whose name contains one of the arguments
 *   node dist/bench/run.js --smoke                with the small parameters that the tests use
 *   node dist/bench/run.js node/ --target ringmq --target java-4.9.7 --target mine=127.0.0.1:10911
 *                                                 whole nodes: started for it, or there already
 *
 * Each benchmark has a process of its own, so that the code of one does not make another slower.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.js';

const folders = ['micro', 'flow', 'node'];

/** Names of all benchmarks, such as `micro/rings`: the files right in the folders. */
export function findBenchmarks(): string[] {
  return folders.flatMap(folder =>
    readdirSync(join(import.meta.dirname, folder))
      .filter(name => name.endsWith('.js'))
      .sort()
      .map(name => `${folder}/${name.slice(0, -'.js'.length)}`),
  );
}

/** Errors: Error when the file is no benchmark. */
export async function loadBenchmark(name: string): Promise<Benchmark> {
  const module = (await import(pathToFileURL(join(import.meta.dirname, `${name}.js`)).href)) as Partial<Benchmark>;
  if (module.run === undefined || module.parameters === undefined) {
    throw new Error(`bench/${name}.ts exports no run and parameters`);
  }
  return module as Benchmark;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { smoke: { type: 'boolean' }, target: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const all = findBenchmarks();
  const chosen = positionals.length === 0 ? all : all.filter(name => positionals.some(part => name.includes(part)));
  const unknown = positionals.filter(part => !all.some(name => name.includes(part)));
  if (unknown.length > 0) {
    console.error(`no benchmark is called ${unknown.join(', ')}; there are: ${all.join(', ')}`);
    return 2;
  }
  const size = values.smoke === true ? 'smoke' : 'real';
  const [only, ...others] = chosen;
  if (only !== undefined && others.length === 0) {
    const { parameters, run } = await loadBenchmark(only);
    for (const target of values.target ?? [undefined]) {
      for (const result of await run(parameters[size], target)) console.log(JSON.stringify(result));
    }
    return 0;
  }
  let failed = 0;
  for (const name of chosen) {
    const targets = (values.target ?? []).flatMap(target => ['--target', target]);
    const flags = size === 'smoke' ? ['--smoke', ...targets] : targets;
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name, ...flags], {
      stdio: 'inherit',
    });
    if (status !== 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

if (pathToFileURL(process.argv[1] ?? '').href === import.meta.url) process.exitCode = await main();
