/**
 * Commands about nodes of this machine, files and the program itself.
 */
import { Argument, Command } from 'commander';
import { presetNames } from '../../config/presets.js';
import type { ConfigFlags } from '../commands/config.js';
import { type Settings, setOption, withExample } from '../options.js';
import type { Shell } from '../shell.js';
import type { End } from './common.js';

export function start(shell: Shell, end: End): Command {
  const command = new Command('start')
    .description('start a node: a preset, or a configuration file')
    .argument('[preset|file]', 'what to start', 'standalone')
    .addOption(setOption())
    .action(async (name: string, flags: { set?: Settings }) => {
      const { start: run } = await import('../commands/start.js');
      end(await run(shell, name, flags.set ?? {}));
    });
  command.addHelpText('after', `\nPresets:\n${presetNames.map(name => `  ${name}`).join('\n')}`);
  return withExample(
    command,
    'ringmq start\nringmq start standalone --set listenPort=10921 --set storePathRootDir=data',
  );
}

export function wiring(shell: Shell, end: End): Command {
  const command = new Command('wiring')
    .description('the actors of a node and what connects them')
    .option('--mermaid', 'print a Mermaid drawing')
    .option('--json', 'print JSON')
    .action(async (flags: { mermaid?: true; json?: true }) => {
      const { wiring: run } = await import('../commands/wiring.js');
      end(run(shell, flags));
    });
  return withExample(command, 'ringmq wiring --mermaid > wiring.mmd');
}

export function config(shell: Shell, end: End): Command {
  const command = new Command('config')
    .description('the reference of all configuration keys')
    .argument('[keys...]', 'explain these')
    .option('--key <keys...>', 'the same')
    .option('--markdown', 'print docs/configuration.md')
    .option('--json', 'print JSON')
    .action(async (keys: string[], flags: ConfigFlags) => {
      const { config: run } = await import('../commands/config.js');
      end(run(shell, keys, flags));
    });
  return withExample(command, 'ringmq config flushDiskType');
}

export function check(shell: Shell, end: End): Command {
  const command = new Command('check')
    .description('read a configuration file and say what each key does')
    .argument('<file|preset>')
    .option('--json', 'print JSON')
    .action(async (name: string, flags: { json?: true }) => {
      const { check: run } = await import('../commands/check.js');
      end(run(shell, name, flags));
    });
  return withExample(command, 'ringmq check broker.properties');
}

/** `tree` is the whole command tree, which the script is made from. */
export function completion(shell: Shell, end: End, tree: () => Command): Command {
  const command = new Command('completion')
    .description('print the script that completes commands in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (name: 'bash' | 'zsh' | 'fish') => {
      const { printCompletion } = await import('../commands/completion.js');
      end(printCompletion(shell, name, tree()));
    });
  return withExample(command, 'ringmq completion bash > ~/.local/share/bash-completion/completions/ringmq');
}
