import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const stdout = suite('logger on standard output');
const file = fileURLToPath(new URL('./stdout.process.js', import.meta.url));

const runProcess = (ending: string): string[] => {
  const child = spawnSync(process.execPath, [file, ending], { encoding: 'utf8', timeout: 20_000 });
  assert.is(child.status, 0, child.error?.message ?? child.stderr);
  return child.stdout
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { msg: string }).msg);
};

stdout('what threads said is written when the process exits', () => {
  assert.equal(runProcess('exit'), ['said by the main thread', 'said by the thread', 'said by the thread']);
});

stdout('keeps no process alive', () => {
  assert.is(runProcess('idle')[0], 'said by the main thread');
});

stdout.run();
