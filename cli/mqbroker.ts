/**
 * `mqbroker`, with RocketMQ's flags: a broker in a process of its own.
 *
 * Source: spec/properties.md section 2.
 */
import { Command } from 'commander';
import { printConfig } from '../config/index.js';
import { ExitCode } from './exit-codes.js';
import { loadBroker, reportWarnings } from './load.js';
import { ignoreWords, type Settings, setOption, withExample } from './options.js';
import { runBroker } from './run-broker.js';
import type { Shell } from './shell.js';

interface Flags {
  readonly configFile?: string;
  readonly namesrvAddr?: string;
  readonly printConfigItem?: true;
  readonly printImportantConfig?: true;
  readonly set?: Settings;
}

export function mqbroker(shell: Shell, end: (exitCode: number) => void): Command {
  const command = new Command('mqbroker')
    .description('Starts a broker.')
    .usage('[-n ADDRS] [-c FILE] [--set key=value]... [-p | -m] [-h]')
    .option('-n, --namesrvAddr <addrs>', 'name servers, host:port;host:port')
    .option('-c, --configFile <file>', 'configuration file; changes at run time are written to it')
    .addOption(setOption())
    .option('-p, --printConfigItem', 'print all configuration items and exit')
    .option('-m, --printImportantConfig', 'print the important ones and exit')
    .helpOption('-h, --help', 'print this and exit')
    .showHelpAfterError()
    .allowExcessArguments(true)
    .action(async (flags: Flags, { args }: Command) => end(await run(shell, flags, args)));
  return withExample(command, 'mqbroker -n 127.0.0.1:9876 -c broker.properties');
}

async function run(shell: Shell, flags: Flags, words: readonly string[]): Promise<number> {
  ignoreWords(shell, 'mqbroker', words);
  const loaded = loadBroker({
    env: shell.env,
    set: flags.set ?? {},
    ...(flags.configFile === undefined ? {} : { file: flags.configFile }),
    ...(flags.namesrvAddr === undefined ? {} : { namesrvAddr: flags.namesrvAddr }),
  });
  reportWarnings(shell, 'mqbroker', loaded);
  if (flags.printConfigItem || flags.printImportantConfig) {
    const importantOnly = flags.printConfigItem !== true;
    shell.out(printConfig(loaded.config, { importantOnly }).trimEnd());
    return ExitCode.OK;
  }
  const { namesrvListenPort } = loaded.config;
  if (namesrvListenPort > 0) {
    const start = flags.configFile === undefined ? 'ringmq start' : `ringmq start ${flags.configFile}`;
    shell.err(`mqbroker: runs no name server: namesrvListenPort=${namesrvListenPort} is for \`${start}\``);
  }
  return runBroker(shell, 'mqbroker', { loaded, configFile: flags.configFile });
}
