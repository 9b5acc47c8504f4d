/** The script for bash is run against the tree it was made from; those for other shells are read. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { completionScript } from '../../../../cli/commands/completion.js';
import { ringmq } from '../../../../cli/ringmq.js';
import { skip } from '../../../support/skip.js';
import { runProgram, TestShell } from '../support.js';

const completion = suite('cli/commands/completion');

type Command = ReturnType<typeof ringmq>;

const tree = ringmq(new TestShell(), () => {});

/** Every command with the words that lead to it. */
function commandsOf(command: Command, words: readonly string[] = []): { command: Command; words: readonly string[] }[] {
  return [{ command, words }, ...command.commands.flatMap(child => commandsOf(child, [...words, child.name()]))];
}

/** What bash offers for each list of words after `ringmq`, the last of which is being typed. */
function offered(lines: readonly (readonly string[])[]): string[][] {
  const asks = lines.map(words => {
    const quoted = ['ringmq', ...words].map(word => `'${word}'`).join(' ');
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _ringmq; echo "\${COMPREPLY[*]}"`;
  });
  const { stdout, stderr, status } = spawnSync('bash', ['--norc'], {
    input: [completionScript('bash', tree), ...asks].join('\n'),
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ').filter(word => word !== ''));
}

const bash = spawnSync('bash', ['--version']).status === 0;

completion('bash offers the subcommands and choices of every command', () => {
  if (!bash) return skip('there is no bash');
  const all = commandsOf(tree);
  assert.ok(all.length > 50, 'the tree is there');
  const answers = offered(all.map(({ words }) => [...words, '']));
  for (const [index, { command, words }] of all.entries()) {
    const wanted = [
      ...command.commands.map(child => child.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ];
    assert.equal(answers[index] ?? [], wanted, words.join(' '));
  }
});

completion('bash offers the options of every command', () => {
  if (!bash) return skip('there is no bash');
  const all = commandsOf(tree);
  const answers = offered(all.map(({ words }) => [...words, '--']));
  for (const [index, { command, words }] of all.entries()) {
    const wanted = [...command.options.map(({ long }) => long), '--help'];
    assert.equal(answers[index], wanted, words.join(' '));
  }
});

completion('bash goes on after options and their values, and lists values it knows', () => {
  if (!bash) return skip('there is no bash');
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['topic', 'cre'], ['create']],
    [
      ['topic', 'create', 'Orders', '--perm', ''],
      ['rw', 'r', 'w'],
    ],
    [
      ['topic', 'create', 'Orders', '-p', 'r'],
      ['rw', 'r'],
    ],
    [['topic', 'create', '-n', 'group', '--cl'], ['--clusterName']],
    [
      ['topic', 'perm', 'Orders', ''],
      ['rw', 'r', 'w'],
    ],
    // The name of a topic may be that of a command.
    [['topic', 'create', 'list', '--que'], ['--queues']],
    [['send', 'Orders', '--tags', ''], []],
    [['broker', 'clean', 'e'], ['expired-queues']],
    [['completion', 'z'], ['zsh']],
  ];
  const answers = offered(cases.map(([words]) => words));
  for (const [index, [words, wanted]] of cases.entries()) assert.equal(answers[index] ?? [], wanted, words.join(' '));
});

for (const [name, marks] of [
  ['bash', ['complete -o default -F _ringmq ringmq']],
  ['zsh', ['#compdef ringmq', 'bashcompinit', 'complete -o default -F _ringmq ringmq']],
  ['fish', ["complete -c ringmq -n '__ringmq_at ringmq topic' -f -a create -d 'create a topic", '-l namesrvAddr -r']],
] as const) {
  completion(`ringmq completion ${name} prints a script ${name} can read`, async () => {
    const { code, out } = await runProgram('ringmq', ['completion', name]);
    assert.is(code, 0);
    for (const mark of marks) assert.ok(out.includes(mark), mark);
    for (const { words } of commandsOf(tree)) for (const word of words) assert.ok(out.includes(word), word);
    const check = spawnSync(name, ['-n'], { input: out, encoding: 'utf8' });
    if (check.error === undefined) assert.is(check.status, 0, check.stderr);
  });
}

completion('a shell nobody knows is refused', async () => {
  const { code, err } = await runProgram('ringmq', ['completion', 'tcsh']);
  assert.is(code, 1);
  assert.match(err, /Allowed choices are bash, zsh, fish/);
});

completion.run();
