/**
 * Options that several programs share.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Shell } from './shell.js';

/** What `--set` gave: key -> value. */
export type Settings = Readonly<Record<string, string>>;

/** `--set key=value`, repeated. */
export function setOption(): Option {
  return new Option('--set <key=value>', 'set a key, stronger than the file; can be repeated').argParser(
    collectSetting,
  );
}

function collectSetting(argument: string, before: Settings = {}): Settings {
  const equals = argument.indexOf('=');
  if (equals <= 0) throw new InvalidArgumentError('Expected key=value, such as listenPort=10921.');
  return { ...before, [argument.slice(0, equals).trim()]: argument.slice(equals + 1) };
}

/** A whole number of at least `min`. Errors: InvalidArgumentError. */
export const wholeNumber =
  (min: number) =>
  (argument: string): number => {
    const value = Number(argument);
    if (!/^\d+$/.test(argument) || value < min || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} on.`);
    }
    return value;
  };

const examples = new WeakMap<Command, string>();

/** Adds an example below the help text. */
export function withExample(command: Command, example: string): Command {
  examples.set(command, example);
  return command.addHelpText('after', `\nExample:\n${example.replace(/^/gm, '  ')}`);
}

/** What {@link withExample} gave a command, for documents. */
export const exampleOf = (command: Command): string | undefined => examples.get(command);

/** RocketMQ's programs ignore words that belong to no flag, in silence; a warning is kinder. */
export function ignoreWords(shell: Shell, program: string, words: readonly string[]): void {
  for (const word of words) {
    const better = word.includes('=') ? `; write --set ${word}` : '';
    shell.err(`${program}: ${word} is ignored: it belongs to no flag${better}`);
  }
}
