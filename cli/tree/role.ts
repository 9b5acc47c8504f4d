/**
 * `ringmq promote`, `demote`, `switch`, `rejoin` and `set-aside`.
 */
import { Command, Option } from 'commander';
import type { RejoinFlags } from '../commands/rejoin.js';
import type { DemoteFlags, PromoteFlags, SwitchFlags } from '../commands/role.js';
import type { SetAsideFlags } from '../commands/set-aside.js';
import { wholeNumber, withExample } from '../options.js';
import type { Shell } from '../shell.js';
import { type End, maxOption, reaching } from './common.js';

/** Options of a command that changes roles. */
const changing = (command: Command): Command =>
  reaching(command).option('--force', 'also when messages would be lost').addOption(patience(10));

const patience = (seconds: number): Option =>
  new Option('--patience <seconds>', 'how long a broker may take').default(seconds).argParser(wholeNumber(1));

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

export function rejoin(shell: Shell, end: End): Command {
  const command = new Command('rejoin')
    .description('have a slave set aside what its log has and its master has not, so that it follows')
    .argument('<address>', 'of the slave')
    .option('-y, --yes', 'do it')
    .option('--json', 'print JSON')
    .addOption(patience(60))
    .action(async (address: string, flags: RejoinFlags) => {
      const { rejoinBroker } = await import('../commands/rejoin.js');
      end(await rejoinBroker(shell, address, flags));
    });
  return withExample(command, 'ringmq rejoin 10.0.0.2:10911 --yes');
}

export function setAside(shell: Shell, end: End): Command {
  const group = new Command('set-aside').description('what a broker cut off its log to follow its master, and kept');
  const show = new Command('show')
    .description('the messages in such a file, oldest first')
    .argument('<file>', 'set-aside/commitlog-FROM-TO-TIME of the store')
    .option('-t, --topic <topic>', 'only its messages')
    .option('--json', 'print JSON')
    .addOption(maxOption(64))
    .action(async (file: string, flags: SetAsideFlags) => {
      const { showSetAside } = await import('../commands/set-aside.js');
      end(showSetAside(shell, file, flags));
    });
  group.addCommand(withExample(show, 'ringmq set-aside show store/set-aside/commitlog-4096-8192-20261125T143000000Z'));
  return group;
}
