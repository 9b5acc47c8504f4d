/**
 * `ringmq topic`.
 */
import { Argument, Command, Option } from 'commander';
import type { CreateFlags, Perm, PermFlags } from '../commands/topic.js';
import { wholeNumber, withExample } from '../options.js';
import type { ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';
import { type WatchFlags, watching } from '../watch.js';
import { type End, reaching, watchable } from './common.js';

type Watched = ReachFlags & WatchFlags;

export function topic(shell: Shell, end: End): Command {
  const group = new Command('topic').description('create, list, show and delete topics');
  const use = () => import('../commands/topic.js');
  const create = new Command('create')
    .description('create a topic, or change the one of that name')
    .argument('<topic>')
    .addOption(new Option('-q, --queues <count>', 'queues on each broker').default(8).argParser(wholeNumber(1)))
    .addOption(new Option('-r, --readQueues <count>', 'queues to read, if another number').argParser(wholeNumber(1)))
    .addOption(new Option('-w, --writeQueues <count>', 'queues to write, if another number').argParser(wholeNumber(1)))
    .addOption(new Option('-p, --perm <perm>', 'what clients may do').choices(['rw', 'r', 'w']).default('rw'))
    .option('-c, --clusterName <name>', 'on the masters of this cluster (the only one)')
    .addOption(new Option('-b, --brokerAddr <addr>', 'on this broker').conflicts('clusterName'))
    .action(async (name: string, flags: CreateFlags) => end(await (await use()).createTopic(shell, name, flags)));
  const list = new Command('list')
    .description('list topics')
    .option('-a, --all', 'also those of the brokers themselves')
    .action(async (flags: ReachFlags & { all?: true }) => end(await (await use()).listTopics(shell, flags)));
  const status = new Command('status')
    .description('how far the queues of a topic reach')
    .argument('<topic>')
    .action(async (name: string, flags: Watched) => {
      const { topicStatus } = await use();
      end(await watching(shell, flags, screen => topicStatus(screen, name, flags)));
    });
  const route = new Command('route')
    .description('which brokers have a topic')
    .argument('<topic>')
    .action(async (name: string, flags: ReachFlags) => end(await (await use()).topicRoute(shell, name, flags)));
  const perm = new Command('perm')
    .description('change what clients may do with a topic')
    .argument('<topic>')
    .addArgument(new Argument('<perm>', 'what clients may do').choices(['rw', 'r', 'w']))
    .option('-b, --broker <broker>', 'on this master only, by name or address')
    .action(async (name: string, what: Perm, flags: PermFlags) =>
      end(await (await use()).setTopicPerm(shell, name, what, flags)),
    );
  const remove = new Command('delete')
    .description('delete a topic with its messages')
    .argument('<topic>')
    .option('-y, --yes', 'do it')
    .action(async (name: string, flags: ReachFlags & { yes?: true }) =>
      end(await (await use()).deleteTopic(shell, name, flags)),
    );
  group.addCommand(withExample(reaching(create), 'ringmq topic create Orders --queues 16'));
  group.addCommand(withExample(reaching(list), 'ringmq topic list'));
  group.addCommand(withExample(watchable(status), 'ringmq topic status Orders --watch 5'));
  group.addCommand(withExample(reaching(route), 'ringmq topic route Orders'));
  group.addCommand(withExample(reaching(perm), 'ringmq topic perm Orders r'));
  group.addCommand(withExample(reaching(remove), 'ringmq topic delete Orders --yes'));
  return group;
}
