/** docs/cli.md says what the command tree says. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../../cli/exit-codes.js';
import { renderCommands } from '../../support/render-commands.js';
import { readDocument } from './support.js';

const cli = suite('docs: cli');

cli('docs/cli.md is what render-commands writes', () => {
  assert.fixture(readDocument('docs/cli.md').text, renderCommands());
});

cli('every exit code is explained', () => {
  const explained = [...renderCommands().matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.equal(explained, [...new Set<number>(Object.values(ExitCode))]);
});

cli('every command has an example', () => {
  const sections = renderCommands().split(/^##+ /m).slice(1);
  assert.ok(sections.length > 50);
  // Those with a usage line are commands that run.
  const bare = sections.filter(section => /^`ringmq /m.test(section) && !section.includes('```sh'));
  assert.equal(
    bare.map(section => section.split('\n')[0]),
    [],
  );
});

cli.run();
