/**
 * `ringmq pools` and `ringmq doctor`.
 */
import { Command, Option } from 'commander';
import type { BrokerFlags } from '../commands/broker.js';
import type { PoolsFlags, ReportFlags } from '../commands/pools.js';
import { wholeNumber, withExample } from '../options.js';
import type { Shell } from '../shell.js';
import { brokerOption, type End, reaching } from './common.js';

const secondsOption = (): Option => new Option('--seconds <count>', 'to look for').default(1).argParser(wholeNumber(1));

export function pools(shell: Shell, end: End): Command {
  const use = () => import('../commands/pools.js');
  const show = new Command('show')
    .description(
      'how the lanes of a broker do: what waits, how busy they are, how long requests wait, what was refused',
    )
    .addOption(brokerOption())
    .addOption(secondsOption())
    .option('-w, --watch', 'look again and again, until Ctrl-C')
    .action(async (flags: PoolsFlags) => end(await (await use()).showPools(shell, flags)));
  const set = new Command('set')
    .description('change how many lanes there are to be')
    .argument('<key=value...>')
    .addOption(brokerOption())
    .action(async (words: string[], flags: BrokerFlags) => end(await (await use()).setPools(shell, words, flags)));
  return new Command('pools')
    .description('the lanes of a broker, which do what the thread pools of RocketMQ do')
    .addCommand(withExample(reaching(show), 'ringmq pools\nringmq pools show --watch'), { isDefault: true })
    .addCommand(withExample(reaching(set), 'ringmq pools set sendMessageThreadPoolNums=4'));
}

export function doctor(shell: Shell, end: End): Command {
  const command = new Command('doctor')
    .description('what limits a broker now, how that is known, and what helps')
    .addOption(brokerOption())
    .addOption(secondsOption())
    .action(async (flags: ReportFlags) => {
      const { doctor: run } = await import('../commands/doctor.js');
      end(await run(shell, flags));
    });
  return withExample(reaching(command), 'ringmq doctor --seconds 5');
}
