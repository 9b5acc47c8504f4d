// @limit 240
/**
 * Every benchmark runs with its smoke parameters and does the work it says, so that none rots. No time is looked at.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BenchmarkCase } from '../../bench/benchmark.js';
import { findBenchmarks, loadBenchmark } from '../../bench/run.js';
import { checkoutFolder } from '../support/node-process.js';

const bench = suite('benchmarks');

/** 0 + 1 + ... + (count - 1). */
const sumBelow = (count: number): number => (count * (count - 1)) / 2;

/**
 * The checksum a case must have, worked out from its parameters. A benchmark that is not here is still run twice and
 * must come to the same checksums.
 */
const checksums: Readonly<Record<string, (parameters: Record<string, number>) => number>> = {
  'micro/rings': ({ records }) => sumBelow(records!) % 2 ** 32,
  'micro/doorbell': ({ rings, roundTrips }) => rings ?? sumBelow(roundTrips! + 1),
  'micro/positions': ({ publishes, threads }) => (threads === 1 ? sumBelow(publishes! + 1) : publishes!),
  // Offsets from 0 in each of 8 queues.
  'flow/send': ({ messages }) => 8 * sumBelow(messages! / 8),
  // A record is 91 bytes, its topic, its body and its properties: WAIT is taken out, CLUSTER added.
  'flow/pull': ({ messages, bodyBytes }) =>
    messages! * (91 + 'Bench'.length + bodyBytes! + `UNIQ_KEY.${'0'.repeat(32)}.CLUSTER.DefaultCluster`.length),
  // Offsets from 0 in each of the queues.
  'node/push': ({ messages, queues }) => queues! * sumBelow(messages! / queues!),
  'node/latency': ({ messages, queues }) => queues! * sumBelow(messages! / queues!),
  'node/transactions': ({ transactions }) => transactions!,
  // Five words a message.
  'micro/tracing': ({ messages }) => 5 * messages!,
  // Four ways of tracing; offsets from 0 in each of 8 queues.
  'node/tracing': ({ messages, rounds, warmUp }) => 8 * sumBelow((4 * (warmUp! + rounds! * messages!)) / 8),
  // One more for each connection or queue before the measurement.
  'node/scale': ({ messages, queues, connections }) => messages! + Math.max(queues!, connections!),
};

function numbersOf(result: BenchmarkCase): Record<string, number> {
  return result.parameters as Record<string, number>;
}

bench('all benchmarks are found', () => {
  const found = findBenchmarks();
  for (const name of Object.keys(checksums)) assert.ok(found.includes(name), name);
  const source = path.join(checkoutFolder(), 'bench');
  const written = ['micro', 'flow', 'node'].flatMap(folder =>
    readdirSync(path.join(source, folder))
      .filter(name => name.endsWith('.ts'))
      .map(name => `${folder}/${name.slice(0, -'.ts'.length)}`),
  );
  for (const name of written) assert.ok(found.includes(name), `${name} is built`);
});

for (const name of findBenchmarks()) {
  // What was built from a file that is gone is no benchmark any more.
  if (!existsSync(path.join(checkoutFolder(), 'bench', `${name}.ts`))) continue;

  bench(`${name} does its work`, async () => {
    const { parameters, run } = await loadBenchmark(name);
    const results = await run(parameters.smoke);
    assert.ok(results.length > 0, 'it has cases');
    for (const result of results) {
      const what = `${result.name} ${JSON.stringify(result.parameters)}`;
      assert.ok(Number.isFinite(result.rate) && result.rate > 0, what);
      assert.ok(Number.isSafeInteger(result.checksum) && result.checksum !== 0, what);
      const expected = checksums[name];
      if (expected !== undefined) assert.is(result.checksum, expected(numbersOf(result)), what);
    }
    const keys = results.map(result => `${result.name} ${JSON.stringify(result.parameters)}`);
    assert.is(new Set(keys).size, keys.length, 'no two cases look the same');
    if (checksums[name] !== undefined) return;
    const again = await run(parameters.smoke);
    assert.equal(
      again.map(result => result.checksum),
      results.map(result => result.checksum),
    );
  });
}

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProgram(...args: readonly string[]): Promise<Outcome> {
  const file = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
  return new Promise(resolve => {
    const child = execFile(process.execPath, [file, ...args], { timeout: 60_000 }, (_, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, stdout, stderr });
    });
  });
}

bench('the program prints one JSON line a case, of the benchmarks that were named', async () => {
  const { exitCode, stdout } = await runProgram('positions', 'flow/send', '--smoke');
  assert.is(exitCode, 0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as BenchmarkCase);
  const names = [...new Set(lines.map(line => line.name))];
  assert.equal(names, ['positions/positions.ts', 'positions/two halves', 'flow/send']);
});

bench('the program says which targets it can measure', async () => {
  const { exitCode, stderr } = await runProgram('node/push', '--smoke', '--target', 'python');
  assert.is(exitCode, 1);
  assert.match(stderr, /target python is neither ringmq nor java-VERSION nor NAME=HOST:PORT/);
});

bench('the program says which benchmarks there are when it does not know one', async () => {
  const { exitCode, stdout, stderr } = await runProgram('micro/rings', 'no-such', '--smoke');
  assert.is(exitCode, 2);
  assert.is(stdout, '');
  assert.match(stderr, /no benchmark is called no-such; there are: .*micro\/doorbell.*flow\/send.*node\/push/);
});

bench.run();
