/** The runner against test files made up here: a copy of it runs in a folder of its own. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkoutFolder, removeFolder, temporaryFolder } from '../support/node-process.js';

const runner = suite('run');

const built = path.dirname(import.meta.dirname);
let folder = '';

runner.before.each(() => {
  folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'dist/tests/unit'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'dist/tests/support'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  for (const file of ['run.js', 'support/process-tree.js']) {
    fs.copyFileSync(path.join(built, file), path.join(folder, 'dist/tests', file));
  }
  fs.symlinkSync(path.join(checkoutFolder(), 'node_modules'), path.join(folder, 'node_modules'));
});

runner.after.each(() => removeFolder(folder));

function write(name: string, body: string): void {
  const text = `import { suite } from 'uvu';\nimport fs from 'node:fs';\nconst x = suite('x');\n${body}\nx.run();\n`;
  fs.writeFileSync(path.join(folder, 'dist/tests/unit', `${name}.test.js`), text);
}

function run(...filters: string[]): { code: number | null; lines: string[]; text: string } {
  const program = path.join(folder, 'dist/tests/run.js');
  const { status, stdout } = spawnSync(process.execPath, [program, ...filters], { encoding: 'utf8' });
  return { code: status, lines: stdout.trim().split('\n'), text: stdout };
}

runner('counts what passes, file by file, and closes with one plain line', () => {
  write('a', `x('one', () => {}); x('two', () => {});`);
  write('b', `x('three', () => {});`);
  const { code, lines } = run();
  assert.is(code, 0);
  assert.is(lines.at(-1), '3 passed, 0 failed');
  assert.match(lines.join('\n'), /^ok {3}unit\/a\.test\.js {2}2 passed {2}\d+ ms$/m);
});

runner('takes parts of paths as filters', () => {
  write('apple', `x('one', () => {});`);
  write('pear', `x('two', () => { throw new Error('no'); });`);
  assert.is(run('unit/app').lines.at(-1), '1 passed, 0 failed');
});

runner('fails with a failing test and prints its output whole', () => {
  write('a', `x('good', () => {}); x('bad', () => { console.log('said before'); throw new Error('planted'); });`);
  const { code, lines, text } = run();
  assert.is(code, 1);
  assert.is(lines.at(-1), '1 passed, 1 failed');
  assert.match(text, 'planted');
  assert.match(text, 'said before');
});

runner('fails when a hook throws, which uvu itself forgives', () => {
  write('a', `x.before(() => { throw new Error('hook'); }); x('one', () => {});`);
  assert.is(run().lines.at(-1), '0 passed, 1 failed');
});

runner('fails with a file that executes no test, throws at load or exits early', () => {
  write('empty', '');
  write('throws', `throw new Error('at load');`);
  write('leaves', `x('one', () => process.exit(0));`);
  const { code, lines, text } = run();
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 3 failed');
  assert.match(text, 'it executes no test');
});

runner('fails when there is nothing to run', () => {
  const { code, lines } = run();
  assert.is(code, 1);
  assert.is(lines.at(-1), '0 passed, 0 failed');
});

runner('counts a test that says why it has nothing to do as skipped, not as passed', () => {
  write('a', `x('one', () => {}); x('two', () => { console.log('\\nskipped: no such thing here'); });`);
  write('b', `x.skip('never', () => {});`);
  const { code, lines, text } = run();
  assert.is(code, 0);
  assert.is(lines.at(-1), '1 passed, 0 failed, 2 skipped');
  assert.match(text, 'skipped in unit/a.test.js: no such thing here');
});

runner('ends a file that takes too long, with every process it started', async () => {
  const pids = path.join(folder, 'pids');
  // One child in the group of the test file, one that has made a group of its own.
  write(
    'slow',
    `import { spawn } from 'node:child_process';
    for (const detached of [true, false]) {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached, stdio: 'inherit' });
      fs.appendFileSync(${JSON.stringify(pids)}, child.pid + '\\n');
    }
    x('one', () => {});`,
  );
  const file = path.join(folder, 'dist/tests/unit/slow.test.js');
  fs.writeFileSync(file, `// @limit 2\n${fs.readFileSync(file, 'utf8')}`);
  const { code, lines, text } = run();
  assert.is(code, 1);
  assert.is(lines.at(-1), '1 passed, 1 failed');
  assert.match(text, 'killed after 2 s');
  let left = fs.readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  assert.is(left.length, 2);
  for (let tries = 0; tries < 100 && left.length > 0; tries++) {
    left = left.filter(runs);
    await new Promise(resolve => setTimeout(resolve, 20)); // asked again until the limit
  }
  assert.equal(left, []);
});

/** Whether a process is there and no zombie: nobody in a container may be collecting those. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !fs.existsSync(stat) || !/\) [ZX] /.test(fs.readFileSync(stat, 'utf8'));
}

runner.run();
