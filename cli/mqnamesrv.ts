/**
 * `mqnamesrv`, with RocketMQ's flags: a name server in a process of its own.
 *
 * Source: spec/properties.md section 2.
 */
import { Command } from 'commander';
import { printConfig } from '../config/index.js';
import { ExitCode } from './exit-codes.js';
import { loadNamesrv, reportWarnings } from './load.js';
import { ignoreWords, type Settings, setOption, withExample } from './options.js';
import { runNamesrv } from './run-namesrv.js';
import type { Shell } from './shell.js';

interface Flags {
  readonly configFile?: string;
  readonly namesrvAddr?: string;
  readonly printConfigItem?: true;
  readonly set?: Settings;
}

export function mqnamesrv(shell: Shell, end: (exitCode: number) => void): Command {
  const command = new Command('mqnamesrv')
    .description('Starts a name server on port 9876.')
    .usage('[-c FILE] [--set key=value]... [-p] [-h]')
    .option('-c, --configFile <file>', 'configuration file; changes at run time are written to it')
    .addOption(setOption())
    .option('-p, --printConfigItem', 'print all configuration items and exit')
    .option('-n, --namesrvAddr <addrs>', 'accepted as RocketMQ does, without effect')
    .helpOption('-h, --help', 'print this and exit')
    .showHelpAfterError()
    .allowExcessArguments(true)
    .action(async (flags: Flags, { args }: Command) => end(await run(shell, flags, args)));
  return withExample(command, 'mqnamesrv --set listenPort=9877');
}

async function run(shell: Shell, flags: Flags, words: readonly string[]): Promise<number> {
  ignoreWords(shell, 'mqnamesrv', words);
  if (flags.namesrvAddr !== undefined) shell.err('mqnamesrv: -n has no effect: a name server knows no other');
  const { configFile } = flags;
  const file = configFile === undefined ? {} : { file: configFile };
  const loaded = loadNamesrv({ env: shell.env, set: flags.set ?? {}, ...file });
  reportWarnings(shell, 'mqnamesrv', loaded);
  if (flags.printConfigItem) {
    shell.out(printConfig(loaded.config).trimEnd());
    return ExitCode.OK;
  }
  return runNamesrv(shell, 'mqnamesrv', loaded);
}
