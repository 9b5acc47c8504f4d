/**
 * Writes docs/cli.md: every command of `ringmq`, from the command tree.
 *
 *   node dist/tests/support/render-commands.js > docs/cli.md
 */
import { exampleOf } from '../../cli/options.js';
import { ringmq } from '../../cli/ringmq.js';
import type { Shell } from '../../cli/shell.js';
import { runAsProgram } from './rig-arguments.js';

type Command = ReturnType<typeof ringmq>;
type Argument = Command['registeredArguments'][number];
type Option = Command['options'][number];

const silent: Shell = { env: {}, isTerminal: false, columns: 100, out() {}, err() {}, style: (_, text) => text };

const head = `# ringmq

\`ringmq\` starts nodes and administers clusters: those of RingMQ, and those of Java RocketMQ, since it speaks RocketMQ's requests. It needs no Java.
This file is made from the commands themselves (CONTRIBUTING.md says how), and so is \`ringmq help\`. From a checkout, after \`npm run build\`, a command is
\`bin/ringmq …\`.

- **Name servers.** Commands that talk to a cluster take \`-n HOST:PORT\`, several separated by semicolons; else they take them from \`NAMESRV_ADDR\`, else
  127.0.0.1:9876. What changes name servers goes to each one of the list.
- **Output.** Tables for people, as wide as the terminal; \`--json\` for programs, with every digit. Results are on standard output, remarks and errors on standard
  error.
- **Watching.** \`--watch\` shows a state again every 2 seconds, \`--watch 10\` every 10. A terminal is cleared before, a file or pipe gets one output after the
  other, with \`--json\` one document after the other. A failure of the first round ends it; a later one is shown and passes. Ctrl-C ends it with exit code 0.
- **Times.** \`2026-11-25\` and \`2026-11-25T14:30\` are local, \`2026-11-25T14:30:00Z\` and \`…+02:00\` are not; \`-90s\`, \`-30m\`, \`-1h\`, \`-7d\` are before now; \`now\`; and
  milliseconds since the epoch, 12 digits or more.
- **Completion.** \`ringmq completion bash\` (or \`zsh\`, \`fish\`) prints a script that completes commands, options and their values. bash reads it with
  \`source <(ringmq completion bash)\`, zsh from a file \`_ringmq\` in a folder of \`fpath\`, fish from \`~/.config/fish/completions/ringmq.fish\`.
- **Resetting a group.** \`ringmq group reset\` does what \`mqadmin resetOffsetByTime\` does. Consumers that are online are told by their broker to go on at the new
  place; that works for a time, \`earliest\` and \`latest\`, for a whole topic. For a group that is offline its offsets are committed, and then a single queue and
  \`offset:N\` are possible too. \`--dryRun\` shows what would change.

Exit codes:

| | |
|---|---|
| 0 | done; also the end of \`--watch\` and \`--follow\` by Ctrl-C |
| 1 | failed: a bad command line, nothing of that name, nothing found, nobody online, the broker refused, a server cannot be reached, a deletion without \`--yes\` |
| 253 | \`start\`: bad name server addresses, a role that cannot be, a store that cannot be opened |
| 255 | \`start\`: no such configuration, a bad value in it, port or store in use |
`;

/** The whole document. */
export function renderCommands(): string {
  const tree = ringmq(silent, () => {});
  return [head, ...tree.commands.flatMap(command => sections(command, 'ringmq', '##'))].join('\n');
}

function sections(command: Command, parent: string, mark: string): string[] {
  const path = `${parent} ${command.name()}`;
  const title = `${mark} ${path}\n\n${sentence(command.description())}\n`;
  if (command.commands.length > 0) {
    return [title, ...command.commands.flatMap(child => sections(child, path, `${mark}#`))];
  }
  const words = command.registeredArguments.map(usageOf).join(' ');
  const usage = `\`${[path, words].filter(part => part !== '').join(' ')}\`\n`;
  const rows = [
    ...command.registeredArguments.filter(({ description }) => description !== '').map(argumentRow),
    ...command.options.filter(({ hidden }) => !hidden).map(optionRow),
  ];
  const table = rows.length === 0 ? [] : [`| | |\n|---|---|\n${rows.join('\n')}\n`];
  const example = exampleOf(command);
  const code = example === undefined ? [] : [`\`\`\`sh\n${example.replace(/^ringmq/gm, 'bin/ringmq')}\n\`\`\`\n`];
  return [title, usage, ...table, ...code];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/\.\.$/, '.');

function usageOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

function argumentRow(argument: Argument): string {
  return `| \`${cell(argument.name())}\` | ${cell(described(argument.description, argument.argChoices, argument.defaultValue))} |`;
}

function optionRow(option: Option): string {
  return `| \`${cell(option.flags)}\` | ${cell(described(option.description, option.argChoices, option.defaultValue))} |`;
}

function described(description: string, choices: readonly string[] | undefined, otherwise: unknown): string {
  const remarks = [
    ...(choices === undefined ? [] : [`one of ${choices.map(choice => `\`${choice}\``).join(', ')}`]),
    ...(otherwise === undefined ? [] : [`default \`${otherwise}\``]),
  ];
  return [description, ...remarks].join('; ');
}

runAsProgram(import.meta.filename, async () => {
  process.stdout.write(renderCommands());
});
