import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../../cli/exit-codes.js';
import { CliError } from '../../../cli/failure.js';
import { watching } from '../../../cli/watch.js';
import { rejectionOf } from '../../support/fake-broker.js';
import { TestShell } from './support.js';

const watch = suite('cli/watch');

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

/** Ends the watch as Ctrl-C does, within this process. */
const interrupt = (): void => void process.emit('SIGINT');

watch('without --watch it is shown once, with its exit code', async () => {
  const shell = new TestShell();
  assert.is(
    await watching(shell, {}, async screen => {
      screen.out('once');
      return ExitCode.FAILED;
    }),
    ExitCode.FAILED,
  );
  assert.is(shell.outText, 'once');
});

const forms = [
  { name: 'appends where nobody reads along', isTerminal: false, json: undefined, clear: '' },
  { name: 'clears a terminal', isTerminal: true, json: undefined, clear: CLEAR },
  { name: 'never clears what a machine reads', isTerminal: true, json: true, clear: '' },
] as const;
for (const { name, isTerminal, json, clear } of forms) {
  watch(`${name}, and Ctrl-C is a good end`, async () => {
    const shell = new TestShell({}, 80, isTerminal);
    let rounds = 0;
    const code = await watching(shell, { watch: 0.1, ...(json === undefined ? {} : { json }) }, async screen => {
      rounds++;
      if (rounds === 3) interrupt();
      screen.out(`round ${rounds}`);
      screen.out('line 2');
      return ExitCode.OK;
    });
    assert.is(code, ExitCode.OK);
    assert.is(shell.outText, [1, 2].map(round => `${clear}round ${round}\nline 2`).join('\n'));
    assert.is(process.listenerCount('SIGINT'), 0, 'signals mean again what they did');
  });
}

watch('the first failure ends it, a later one is shown and passes', async () => {
  const shell = new TestShell();
  const failure = new CliError('gone', ExitCode.FAILED, ['Wait.']);
  const first = await rejectionOf(watching(shell, { watch: 0.1 }, () => Promise.reject(failure)));
  assert.is(first, failure);
  let rounds = 0;
  await watching(shell, { watch: 0.1 }, async screen => {
    rounds++;
    if (rounds === 2) throw failure;
    if (rounds === 4) interrupt();
    screen.out(`round ${rounds}`);
    return ExitCode.OK;
  });
  assert.is(shell.outText, 'round 1\nringmq: gone\nWait.\nround 3');
});

watch.run();
