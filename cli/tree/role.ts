/**
 * `ringmq promote`, `demote` and `switch`.
 */
import { Command, Option } from 'commander';
import type { DemoteFlags, PromoteFlags, SwitchFlags } from '../commands/role.js';
import { wholeNumber, withExample } from '../options.js';
import type { Shell } from '../shell.js';
import { type End, reaching } from './common.js';

/** Options of a command that changes roles. */
const changing = (command: Command): Command =>
  reaching(command)
    .option('--force', 'also when messages would be lost')
    .addOption(new Option('--patience <seconds>', 'how long a broker may take').default(10).argParser(wholeNumber(1)));

export function promote(shell: Shell, end: End): Command {
  const command = new Command('promote')
    .description('make a slave the master of its name, which has none')
    .argument('<broker>', 'name, or address of the slave')
    .addOption(
      new Option('--role <role>', 'as which master').choices(['ASYNC_MASTER', 'SYNC_MASTER']).default('ASYNC_MASTER'),
    )
    .action(async (named: string, flags: PromoteFlags) => {
      const { promoteBroker } = await import('../commands/role.js');
      end(await promoteBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq promote broker-a --role SYNC_MASTER');
}

export function demote(shell: Shell, end: End): Command {
  const command = new Command('demote')
    .description('make a master a slave, once a slave has all it has acknowledged')
    .argument('<broker>', 'name, or address of the master')
    .addOption(new Option('--brokerId <id>', 'its id from then on; the first free one').argParser(wholeNumber(1)))
    .action(async (named: string, flags: DemoteFlags) => {
      const { demoteBroker } = await import('../commands/role.js');
      end(await demoteBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq demote broker-a');
}

export function switchOver(shell: Shell, end: End): Command {
  const command = new Command('switch')
    .description('change master and slave over, without loss')
    .argument('<broker>', 'name')
    .option('--to <address>', 'the slave that is to be the master; the furthest')
    .action(async (named: string, flags: SwitchFlags) => {
      const { switchBroker } = await import('../commands/role.js');
      end(await switchBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq switch broker-a');
}
