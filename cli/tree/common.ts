/**
 * What the parts of the command tree share: how a command ends, and options that mean the same everywhere.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../options.js';

/** Where a command reports its exit code. */
export type End = (exitCode: number) => void;

/** Options of a command that talks to a cluster. */
export const reaching = (command: Command): Command =>
  command
    .option('-n, --namesrvAddr <addrs>', 'name servers (else NAMESRV_ADDR, else 127.0.0.1:9876)')
    .option('--json', 'print JSON');

/** Units: s. */
const WATCH_SECONDS = 2;

/** {@link reaching} and `--watch`, for commands that show a state. */
export const watchable = (command: Command): Command =>
  reaching(command).addOption(
    new Option('--watch [seconds]', 'show it again and again, until Ctrl-C')
      .preset(WATCH_SECONDS)
      .argParser(readSeconds),
  );

/** The preset is handed over as it is. */
function readSeconds(argument: string | number): number {
  const seconds = Number(argument);
  if (seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('Expected seconds, 0.1 or more. Without a number it stands last.');
}

export const brokerOption = (): Option =>
  new Option('-b, --broker <broker>', 'name or address; the only one without it');

export const clusterOption = (description: string): Option => new Option('-c, --clusterName <name>', description);

export const maxOption = (max: number): Option =>
  new Option('--max <count>', 'messages to show').default(max).argParser(wholeNumber(1));
