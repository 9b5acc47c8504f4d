/**
 * `ringmq completion`: scripts for shells, made from the command tree.
 *
 * bash and zsh share a table: each command by its path, with the words that may follow. fish gets a line for each of
 * them, with its description.
 */
import type { Command, Option } from 'commander';
import { ExitCode } from '../exit-codes.js';
import type { Shell } from '../shell.js';

/** A command with what may follow it. */
interface Entry {
  /** `ringmq topic create`. */
  readonly path: string;
  readonly command: Command;
  readonly options: readonly Option[];
  /** Choices of its arguments. */
  readonly words: readonly string[];
}

/** Every command of the tree, the root first. */
function entriesOf(command: Command, path = command.name()): Entry[] {
  const words = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const options = command.options.filter(({ hidden }) => !hidden);
  const own = { path, command, options, words };
  return [own, ...command.commands.flatMap(child => entriesOf(child, `${path} ${child.name()}`))];
}

export function printCompletion(shell: Shell, name: 'bash' | 'zsh' | 'fish', tree: Command): number {
  shell.out(completionScript(name, tree));
  return ExitCode.OK;
}

export function completionScript(name: 'bash' | 'zsh' | 'fish', tree: Command): string {
  const entries = entriesOf(tree);
  if (name === 'fish') return fishScript(entries);
  if (name === 'bash') return `${bashFunctions(entries)}\ncomplete -o default -F _ringmq ringmq`;
  return [
    '#compdef ringmq',
    'autoload -U +X bashcompinit && bashcompinit',
    bashFunctions(entries),
    'complete -o default -F _ringmq ringmq',
  ].join('\n');
}

const flagsOf = ({ short, long }: Option): string[] => [long, short].filter(flag => flag !== undefined);
const takesValue = (option: Option): boolean => option.required;

/** `case` branches; a branch without commands is left out. */
function branches(lines: readonly (readonly [string, string])[]): string {
  return lines
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `    "${key}") echo "${text}" ;;`)
    .join('\n');
}

function bashFunctions(entries: readonly Entry[]): string {
  const following = entries.map(({ path, command, words }): [string, string] => [
    path,
    [...command.commands.map(child => child.name()), ...words].join(' '),
  ]);
  const options = entries.map(({ path, options: own }): [string, string] => [
    path,
    [...own.flatMap(flagsOf), '--help'].join(' '),
  ]);
  const values = entries.flatMap(({ path, options: own }) =>
    own
      .filter(takesValue)
      .flatMap(option =>
        flagsOf(option).map((flag): [string, string] => [`${path} ${flag}`, option.argChoices?.join(' ') ?? '-']),
      ),
  );
  return `# The words that may follow a command.
_ringmq_words() {
  case "$1" in
${branches(following)}
  esac
}

# The options of a command.
_ringmq_options() {
  case "$1" in
${branches(options)}
  esac
}

# The values of an option that takes one; - when they cannot be listed.
_ringmq_values() {
  case "$1" in
${branches(values)}
  esac
}

_ringmq() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path=ringmq word values index wanted= skip=
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [[ -n $skip ]]; then
      skip=
      continue
    fi
    if [[ $word == -* ]]; then
      [[ -n $(_ringmq_values "$path $word") ]] && skip=1
    elif [[ " $(_ringmq_words "$path") " == *" $word "* && -n $(_ringmq_options "$path $word") ]]; then
      path="$path $word"
    fi
  done
  if [[ -n $skip ]]; then
    values=$(_ringmq_values "$path \${COMP_WORDS[COMP_CWORD - 1]}")
    [[ $values != - ]] && wanted=$values
  elif [[ $current == -* ]]; then
    wanted=$(_ringmq_options "$path")
  else
    wanted=$(_ringmq_words "$path")
  fi
  for word in $wanted; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}`;
}

/** Text between single quotes, as fish reads it. */
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishScript(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, command, options, words }) => {
    const at = `complete -c ringmq -n ${quoted(`__ringmq_at ${path}`)}`;
    const choices = [...command.commands.map(child => [child.name(), child.description()] as const)];
    return [
      ...choices.map(([word, description]) => `${at} -f -a ${word} -d ${quoted(description)}`),
      ...words.map(word => `${at} -f -a ${word}`),
      ...options.map(option => `${at} ${fishOption(option)}`),
    ];
  });
  return `# True when the commands typed so far are these.
function __ringmq_at
  set -l typed (commandline -opc)
  set -l path ringmq
  for word in $typed[2..]
    if contains -- "$path $word" $__ringmq_paths
      set path "$path $word"
    end
  end
  test "$path" = "$argv"
end

set -g __ringmq_paths ${entries.map(({ path }) => quoted(path)).join(' ')}
${lines.join('\n')}`;
}

function fishOption(option: Option): string {
  const { short, long, description, argChoices } = option;
  const parts = [
    ...(short === undefined ? [] : [`-s ${short.replace(/^-/, '')}`]),
    ...(long === undefined ? [] : [`-l ${long.replace(/^--/, '')}`]),
  ];
  if (takesValue(option)) parts.push('-r');
  if (argChoices !== undefined) parts.push(`-f -a ${quoted(argChoices.join(' '))}`);
  return [...parts, `-d ${quoted(description)}`].join(' ');
}
