/**
 * `ringmq group`, `ringmq producer` and `ringmq stats`.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CreateGroupFlags, GroupFlags } from '../commands/group.js';
import type { CloneFlags, ResetFlags } from '../commands/group-offsets.js';
import { wholeNumber, withExample } from '../options.js';
import type { ReachFlags } from '../reach.js';
import { readResetTarget } from '../reset-target.js';
import type { Shell } from '../shell.js';
import { TIME_FORMS } from '../time.js';
import { type WatchFlags, watching } from '../watch.js';
import { clusterOption, type End, reaching, watchable } from './common.js';

type Watched = ReachFlags & WatchFlags;

export function group(shell: Shell, end: End): Command {
  const command = new Command('group').description('consumer groups: settings, progress, clients, offsets');
  for (const make of [list, show, create, remove, progress, clients, reset, clone]) {
    command.addCommand(make(shell, end));
  }
  return command;
}

const use = () => import('../commands/group.js');
const ofCluster = (): Option => clusterOption('on the masters of this cluster (all)');

function list(shell: Shell, end: End): Command {
  const command = new Command('list')
    .description('list consumer groups and how many clients are online')
    .option('-a, --all', 'also those of the brokers themselves')
    .addOption(ofCluster())
    .action(async (flags: GroupFlags & { all?: true }) => end(await (await use()).listGroups(shell, flags)));
  return withExample(reaching(command), 'ringmq group list');
}

function show(shell: Shell, end: End): Command {
  const command = new Command('show')
    .description('the settings of a group')
    .argument('<group>')
    .addOption(ofCluster())
    .action(async (name: string, flags: GroupFlags) => end(await (await use()).showGroup(shell, name, flags)));
  return withExample(reaching(command), 'ringmq group show billing');
}

function create(shell: Shell, end: End): Command {
  const flag = (name: string, description: string): Option =>
    new Option(`--${name} <true|false>`, description).argParser(readBoolean);
  const count = (name: string, description: string): Option =>
    new Option(`--${name} <count>`, description).argParser(wholeNumber(0));
  const command = new Command('create')
    .description('create a group, or change the one of that name; what is not given stays')
    .argument('<group>')
    .addOption(flag('consumeEnable', 'may it consume'))
    .addOption(flag('consumeBroadcastEnable', 'may it broadcast'))
    .addOption(flag('consumeFromMinEnable', 'kept for its consumers'))
    .addOption(flag('notifyConsumerIdsChangedEnable', 'are its clients told when one comes or goes'))
    .addOption(count('retryQueueNums', 'queues of its retry topic'))
    .addOption(count('retryMaxTimes', 'tries before a message is a dead letter'))
    .addOption(count('brokerId', 'broker id it reads from'))
    .addOption(count('whichBrokerWhenConsumeSlowly', 'broker id it reads from when it is far behind'))
    .addOption(clusterOption('on the masters of this cluster (the only one)'))
    .addOption(new Option('-b, --brokerAddr <addr>', 'on this broker').conflicts('clusterName'))
    .action(async (name: string, flags: CreateGroupFlags) => end(await (await use()).createGroup(shell, name, flags)));
  return withExample(reaching(command), 'ringmq group create billing --retryMaxTimes 3');
}

function readBoolean(argument: string): boolean {
  if (argument === 'true' || argument === 'false') return argument === 'true';
  throw new InvalidArgumentError('Expected true or false.');
}

function remove(shell: Shell, end: End): Command {
  const command = new Command('delete')
    .description('delete a group, what it committed, its retry topic and dead letters')
    .argument('<group>')
    .option('-y, --yes', 'do it')
    .addOption(ofCluster())
    .action(async (name: string, flags: GroupFlags & { yes?: true }) =>
      end(await (await use()).deleteGroup(shell, name, flags)),
    );
  return withExample(reaching(command), 'ringmq group delete billing --yes');
}

function progress(shell: Shell, end: End): Command {
  const command = new Command('progress')
    .description('how far groups are behind; queue by queue for one')
    .argument('[group]')
    .option('-a, --all', 'also groups of the brokers themselves')
    .addOption(ofCluster())
    .action(async (name: string | undefined, flags: GroupFlags & WatchFlags & { all?: true }) => {
      const { groupProgress } = await import('../commands/group-progress.js');
      end(await watching(shell, flags, screen => groupProgress(screen, name, flags)));
    });
  return withExample(watchable(command), 'ringmq group progress billing --watch');
}

function clients(shell: Shell, end: End): Command {
  const command = new Command('clients')
    .description('who is online in a consumer group, and its subscriptions')
    .argument('<group>')
    .action(async (name: string, flags: Watched) => {
      const { groupClients } = await import('../commands/clients.js');
      end(await watching(shell, flags, screen => groupClients(screen, name, flags)));
    });
  return withExample(watchable(command), 'ringmq group clients billing');
}

function reset(shell: Shell, end: End): Command {
  const to = `earliest, latest, offset:N, or a time; ${TIME_FORMS}`;
  const command = new Command('reset')
    .description('have a group go on somewhere else in a topic')
    .argument('<group>')
    .argument('<topic>')
    .addOption(new Option('--to <place>', to).argParser(readResetTarget).makeOptionMandatory())
    .addOption(new Option('-q, --queue <id>', 'this queue only; the group must be offline').argParser(wholeNumber(0)))
    .option('-b, --broker <broker>', 'on this master only, by name or address')
    .option('--dryRun', 'only show what would change')
    .action(async (name: string, topic: string, flags: ResetFlags) => {
      const { resetGroup } = await import('../commands/group-offsets.js');
      end(await resetGroup(shell, name, topic, flags));
    });
  return withExample(
    reaching(command),
    'ringmq group reset billing Orders --to -1h --dryRun\nringmq group reset billing Orders --to offset:1200 --queue 3 -b broker-a',
  );
}

function clone(shell: Shell, end: End): Command {
  const command = new Command('clone')
    .description('have a group start where another one is')
    .argument('<from>', 'the group to copy')
    .argument('<to>', 'the group that starts there; it must be offline')
    .option('-t, --topic <topic>', 'in this topic (all it consumed)')
    .action(async (from: string, to: string, flags: CloneFlags) => {
      const { cloneGroup } = await import('../commands/group-offsets.js');
      end(await cloneGroup(shell, from, to, flags));
    });
  return withExample(reaching(command), 'ringmq group clone billing audit --topic Orders');
}

export function producer(shell: Shell, end: End): Command {
  const command = new Command('producer').description('producer groups');
  const online = new Command('clients')
    .description('who is online in a producer group')
    .argument('<group>')
    .action(async (name: string, flags: Watched) => {
      const { producerClients } = await import('../commands/clients.js');
      end(await watching(shell, flags, screen => producerClients(screen, name, flags)));
    });
  command.addCommand(withExample(watchable(online), 'ringmq producer clients shop'));
  return command;
}

export function stats(shell: Shell, end: End): Command {
  const command = new Command('stats')
    .description('messages in and out a second, and what waits, by topic and group')
    .argument('[topic|group]', 'only this one')
    .option('-a, --all', 'also topics of the brokers themselves')
    .action(async (name: string | undefined, flags: Watched & { all?: true }) => {
      const { stats: run } = await import('../commands/stats.js');
      end(await watching(shell, flags, screen => run(screen, name, flags)));
    });
  return withExample(watchable(command), 'ringmq stats Orders --watch 10');
}
