/** Commands printed in documents exist: programs, subcommands, options, keys, scripts, built files. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mqbroker } from '../../../cli/mqbroker.js';
import { mqnamesrv } from '../../../cli/mqnamesrv.js';
import { ringmq } from '../../../cli/ringmq.js';
import type { Shell } from '../../../cli/shell.js';
import { brokerSchema, presetFile } from '../../../config/index.js';
import { checkoutFolder } from '../../support/node-process.js';
import { allDocuments, codeBlocks, readDocument, shellCommands, wordsOf } from './support.js';

const commands = suite('docs: commands');

type Command = ReturnType<typeof ringmq>;

const shell: Shell = { env: {}, isTerminal: false, columns: 100, out() {}, err() {}, style: (_, text) => text };
const programs: Readonly<Record<string, Command>> = {
  ringmq: ringmq(shell, () => {}),
  mqbroker: mqbroker(shell, () => {}),
  mqnamesrv: mqnamesrv(shell, () => {}),
};
const { scripts } = JSON.parse(fs.readFileSync(path.join(checkoutFolder(), 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const exists = (name: string): boolean => fs.existsSync(path.join(checkoutFolder(), name));

/** What is wrong with `words` as arguments of `program`; undefined when nothing is. */
function argumentFault(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  let operands = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word.startsWith('-')) {
      if (word === '--help') continue;
      const option = command.options.find(({ short, long }) => word === short || word === long);
      if (option === undefined) return `${command.name()} has no option ${word}`;
      if (!option.required && !option.optional) continue;
      const next = words[index + 1];
      if (option.optional && (next === undefined || next.startsWith('-'))) continue;
      const value = words[++index];
      if (value === undefined) return `${word} wants a value`;
      const fault = settingFault(option.long === '--set' ? value : 'listenPort=1');
      if (fault !== undefined) return fault;
      continue;
    }
    const child = command.commands.find(candidate => candidate.name() === word);
    if (child !== undefined) {
      command = child;
      continue;
    }
    if (command.commands.length > 0) return `${command.name()} has no command ${word}`;
    operands++;
  }
  const { registeredArguments } = command;
  const variadic = registeredArguments.some(argument => argument.variadic);
  if (!variadic && operands > registeredArguments.length) return `${command.name()} takes fewer words`;
  if (operands < registeredArguments.filter(({ required }) => required).length)
    return `${command.name()} wants more words`;
  return undefined;
}

function settingFault(setting: string): string | undefined {
  const key = setting.split('=')[0]!;
  return brokerSchema.byName.has(key) ? undefined : `${key} is no key`;
}

/** What is wrong with a printed command; undefined when nothing is. */
function commandFault(command: string): string | undefined {
  const words = wordsOf(command.replace(/\s*[<>|].*$/, ''));
  const [first = '', second = '', ...rest] = words;
  if (first === 'npm') return npmFault(second, rest);
  if (first === 'node' && second.startsWith('dist/')) {
    const source = second.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    return exists(source) ? undefined : `there is no ${source}`;
  }
  if (first === 'node' && second === '--input-type=module') return undefined;
  const launcher = first === 'node' ? second : first;
  const args = first === 'node' ? rest : words.slice(1);
  if (!exists(launcher)) return `there is no ${launcher}`;
  const program = programs[path.basename(launcher)];
  return program === undefined ? undefined : argumentFault(program, args);
}

function npmFault(what: string, rest: readonly string[]): string | undefined {
  if (what === 'ci') return undefined;
  const script = what === 'run' ? rest[0]! : what;
  if (!(script in scripts)) return `package.json has no script ${script}`;
  const dashes = rest.indexOf('--');
  // `exec`: the shell that npm starts makes way, so that signals reach the node.
  const program = scripts[script]!.replace(/^exec /, '');
  return dashes < 0 ? undefined : commandFault(`${program} ${rest.slice(dashes + 1).join(' ')}`);
}

commands('all exist', () => {
  const found = allDocuments().flatMap(document => shellCommands(document).map(command => ({ document, command })));
  assert.ok(found.length >= 20, 'commands are found');
  const faults = found.flatMap(({ document, command }) => {
    const fault = commandFault(command);
    return fault === undefined ? [] : [`${document.path}: ${command}: ${fault}`];
  });
  assert.equal(faults, []);
});

const wrong = [
  'npm run no-such-script',
  'node dist/no/such.js',
  'bin/no-such-program',
  'node bin/ringmq nonsense',
  'node bin/ringmq topic nonsense Hello',
  'node bin/ringmq send Hello text --nonsense',
  'node bin/ringmq send',
  'node bin/ringmq start standalone --set noSuchKey=1',
  'npm start -- --set noSuchKey=1',
];
for (const command of wrong) {
  commands(`refuses ${command}`, () => assert.type(commandFault(command), 'string'));
}

commands('the README has a first message, sent and read back from the shell and from a program', () => {
  const readme = readDocument('README.md');
  const section = readme.text.split(/^## .*first message.*$/im)[1]?.split(/^## /m)[0] ?? '';
  const document = { path: 'README.md', text: section };
  const said = shellCommands(document);
  for (const what of ['send', 'pull'])
    assert.ok(
      said.some(command => command.startsWith(`node bin/ringmq ${what} `)),
      what,
    );
  assert.ok(codeBlocks(document).some(({ code }) => code.includes("from 'ringmq'")));
});

commands('files the README passes to programs come along', () => {
  const files = shellCommands(readDocument('README.md'))
    .flatMap(wordsOf)
    .filter(word => word.endsWith('.properties'));
  assert.ok(files.length > 0);
  assert.equal(
    files.filter(file => !exists(file)),
    [],
  );
  assert.ok(presetFile('standalone') !== undefined);
});

commands.run();
