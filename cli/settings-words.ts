/**
 * `key=value` words of commands that change a running server.
 */
import { ExitCode } from './exit-codes.js';
import { CliError } from './failure.js';

/** Errors: CliError for a word that is no setting. */
export function readSetting(word: string): [string, string] {
  const equals = word.indexOf('=');
  if (equals > 0) return [word.slice(0, equals).trim(), word.slice(equals + 1)];
  throw new CliError(`${word} is no setting`, ExitCode.BAD_COMMAND_LINE, [
    'Write key=value, such as fileReservedTime=48.',
  ]);
}
