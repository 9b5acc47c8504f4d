/**
 * `ringmq`: everything from a first node to looking into a running one. Each command loads what it needs when it runs.
 */
import { Command } from 'commander';
import { type Settings, setOption, withExample } from './options.js';
import { packageVersion } from './package-files.js';
import type { Shell } from './shell.js';

type End = (exitCode: number) => void;

export function ringmq(shell: Shell, end: End): Command {
  const program = new Command('ringmq')
    .description('RingMQ: a message broker that speaks RocketMQ.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .showSuggestionAfterError(true);
  program.addCommand(startCommand(shell, end));
  return program;
}

function startCommand(shell: Shell, end: End): Command {
  const command = new Command('start')
    .description('start a node: a preset, or a configuration file')
    .argument('[preset|file]', 'what to start', 'standalone')
    .addOption(setOption())
    .action(async (name: string, flags: { set?: Settings }) => {
      const { start } = await import('./commands/start.js');
      end(await start(shell, name, flags.set ?? {}));
    });
  return withExample(command, 'ringmq start\nringmq start standalone --set listenPort=10921 --set storePathRootDir=data');
}
