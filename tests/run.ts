/**
 * Runs the built test files, each in a process of its own, and closes with a line `N passed, N failed[, N skipped]`.
 *
 *   node dist/tests/run.js                 all of them
 *   node dist/tests/run.js unit/protocol   those whose path contains one of the arguments
 *
 * uvu waits for live threads and sockets for ever, hence a time limit a file: 120 s, or what a line `// @limit SECONDS`
 * in the file says. A test that has nothing to do prints `skipped: reason` and returns; it counts as skipped.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { descendantsOf, signal } from './support/process-tree.js';

const kinds = ['unit', 'property', 'conformance', 'chaos', 'tidy'];
const limitSecondsDefault = 120;
const atOnce = 2;
const built = import.meta.dirname;
const source = path.join(path.dirname(path.dirname(built)), 'tests');

interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly reasons: readonly string[];
  readonly problem: string;
  readonly output: string;
  readonly elapsedMs: number;
}

/** Paths of the built test files below this folder, sorted; what was built from a file now gone is left out. */
function findFiles(filters: readonly string[]): string[] {
  const files = kinds
    .map(kind => path.join(built, kind))
    .filter(folder => fs.existsSync(folder))
    .flatMap(folder =>
      fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => path.join(folder, name)),
    )
    .filter(file => file.endsWith('.test.js'))
    .map(file => path.relative(built, file).replaceAll(path.sep, '/'))
    .filter(
      file =>
        !fs.existsSync(path.join(source, 'run.ts')) || fs.existsSync(path.join(source, file.replace(/js$/, 'ts'))),
    );
  return files.filter(file => filters.length === 0 || filters.some(filter => file.includes(filter))).sort();
}

function limitMs(file: string): number {
  const stated = /^\/\/ @limit (\d+)/m.exec(fs.readFileSync(path.join(built, file), 'utf8'));
  return 1000 * (stated ? Number(stated[1]) : limitSecondsDefault);
}

const started = new Set<ChildProcess>();

/** Each file is the leader of a process group, so what it left behind is found even when its parent has gone. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const below = child.exitCode === null && child.signalCode === null ? descendantsOf(child.pid) : [];
  for (const pid of [-child.pid, child.pid, ...below]) signal(pid, 'SIGKILL');
}

function runFile(file: string): Promise<Outcome> {
  const startMs = performance.now();
  const limit = limitMs(file);
  const { FORCE_COLOR: _, ...environment } = process.env;
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--enable-source-maps', path.join(built, file)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...environment, NO_COLOR: '1' },
    });
    started.add(child);
    const chunks: Buffer[] = [];
    child.stdout.on('data', chunk => chunks.push(chunk));
    child.stderr.on('data', chunk => chunks.push(chunk));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child);
    }, limit);
    // A server that outlives its test keeps the pipes open: do not wait for them.
    child.on('exit', () => endGroup(child));
    child.on('close', (code, signalName) => {
      clearTimeout(timer);
      started.delete(child);
      const output = stripVTControlCharacters(Buffer.concat(chunks).toString());
      const end = late
        ? `killed after ${limit / 1000} s`
        : signalName
          ? `ended by ${signalName}`
          : code
            ? `exit code ${code}`
            : '';
      resolve(judge(file, output, end, performance.now() - startMs));
    });
  });
}

/** Reads uvu's summary; `end` says how the process ended when that was not well. */
function judge(file: string, output: string, end: string, elapsedMs: number): Outcome {
  const count = (name: string) => Number(new RegExp(`^ {2}${name}: +(\\d+)`, 'm').exec(output)?.[1] ?? 0);
  const reasons = [...output.matchAll(/^skipped: (.+)$/gm)].map(match => match[1] as string);
  const total = count('Total');
  const marked = count('Skipped');
  // A test that printed a reason and returned has passed for uvu, but nothing was shown.
  const bowedOut = Math.min(Math.max(reasons.length - marked, 0), count('Passed'));
  const passed = count('Passed') - bowedOut;
  const skipped = marked + bowedOut;
  let failed = total - count('Passed');
  let problem = end;
  if (!/^ {2}Total: /m.test(output)) problem ||= 'no summary';
  else if (total + marked === 0) problem ||= 'it executes no test';
  if (problem && failed === 0) failed = 1;
  return { file, passed, failed, skipped, reasons, problem: failed > 0 ? problem : '', output, elapsedMs };
}

function printOutcome({ file, passed, failed, skipped, problem, output, elapsedMs }: Outcome): void {
  const counts = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`]
    .filter(Boolean)
    .join(', ');
  console.log(
    `${failed ? 'FAIL' : 'ok  '} ${file}  ${counts}  ${Math.round(elapsedMs)} ms${problem ? `  (${problem})` : ''}`,
  );
  if (failed) console.log(`${output.replace(/^/gm, '  | ')}\n`);
}

async function main(): Promise<void> {
  const waiting = findFiles(process.argv.slice(2));
  const outcomes: Outcome[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const outcome = await runFile(file);
      outcomes.push(outcome);
      printOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));

  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const [passed, failed, skipped] = [sum(o => o.passed), sum(o => o.failed), sum(o => o.skipped)];
  for (const { file, reasons } of outcomes) {
    for (const reason of new Set(reasons)) {
      const times = reasons.filter(other => other === reason).length;
      console.log(`skipped in ${file}: ${reason}${times > 1 ? ` (${times} tests)` : ''}`);
    }
  }
  const broken = outcomes.filter(outcome => outcome.failed > 0).map(outcome => outcome.file);
  if (broken.length > 0) console.log(`failed: ${broken.join(' ')}`);
  if (outcomes.length === 0) console.log('no test file was found');
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  if (failed > 0 || passed + skipped === 0) process.exitCode = 1;
}

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(name, () => {
    for (const child of started) endGroup(child);
    process.exit(code);
  });
}
await main();
