/**
 * `ringmq cluster` and `ringmq broker`.
 */
import { Argument, Command, Option } from 'commander';
import { type ClusterMode, clusterModes } from '../../config/presets.js';
import type { BrokerFlags } from '../commands/broker.js';
import type { CleanFlags, Cleaning } from '../commands/broker-actions.js';
import type { UpFlags } from '../commands/cluster-up.js';
import { wholeNumber, withExample } from '../options.js';
import type { ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';
import { type WatchFlags, watching } from '../watch.js';
import { brokerOption, clusterOption, type End, reaching, watchable } from './common.js';

type Watched = ReachFlags & WatchFlags;

export function cluster(shell: Shell, end: End): Command {
  const group = new Command('cluster').description('show the cluster, or start one on this machine');
  const up = new Command('up')
    .description('start all nodes of a deployment mode on this machine, to try it out')
    .addArgument(new Argument('<mode>', 'which mode').choices(clusterModes))
    .addOption(new Option('--dir <folder>', 'for stores and logs').default('ringmq-cluster'))
    .addOption(new Option('--namesrvPort <port>', 'port of the name server').default(9876).argParser(wholeNumber(1)))
    .addOption(new Option('--port <port>', 'port of the first broker').default(10_911).argParser(wholeNumber(1)))
    .action(async (mode: ClusterMode, flags: UpFlags) => {
      const { clusterUp } = await import('../commands/cluster-up.js');
      end(await clusterUp(shell, mode, flags));
    });
  const list = new Command('list').description('list brokers and how they do').action(async (flags: Watched) => {
    const { listClusters } = await import('../commands/cluster.js');
    end(await watching(shell, flags, screen => listClusters(screen, flags)));
  });
  const status = new Command('status')
    .description('masters and slaves, how far slaves are behind, who is connected')
    .action(async (flags: Watched) => {
      const { clusterStatus } = await import('../commands/cluster-status.js');
      end(await watching(shell, flags, screen => clusterStatus(screen, flags)));
    });
  group.addCommand(withExample(watchable(list), 'ringmq cluster list -n 10.0.0.1:9876'));
  group.addCommand(withExample(watchable(status), 'ringmq cluster status --watch'));
  group.addCommand(withExample(up, 'ringmq cluster up 2m-noslave --dir try'));
  return group;
}

export function broker(shell: Shell, end: End): Command {
  const group = new Command('broker').description(
    'look into a broker, change its configuration, clean up, take it out of service',
  );
  const use = () => import('../commands/broker.js');
  const status = new Command('status')
    .description('what a broker tells of itself')
    .argument('[broker]', 'name or address; the only one without it')
    .option('-a, --all', 'every value')
    .action(async (named: string | undefined, flags: Watched & { all?: true }) => {
      const { brokerStatus } = await use();
      end(await watching(shell, flags, screen => brokerStatus(screen, named, flags)));
    });
  const show = new Command('config')
    .description('the configuration in effect')
    .argument('[keys...]', 'these keys; all without them')
    .addOption(brokerOption())
    .action(async (keys: string[], flags: BrokerFlags) => end(await (await use()).brokerConfig(shell, keys, flags)));
  const set = new Command('set')
    .description('change the configuration of a running broker')
    .argument('<key=value...>')
    .addOption(brokerOption())
    .action(async (words: string[], flags: BrokerFlags) =>
      end(await (await use()).setBrokerConfig(shell, words, flags)),
    );
  group.addCommand(withExample(watchable(status), 'ringmq broker status broker-a --watch'));
  group.addCommand(withExample(reaching(show), 'ringmq broker config flushDiskType maxMessageSize'));
  group.addCommand(withExample(reaching(set), 'ringmq broker set fileReservedTime=48 -b broker-a'));
  for (const command of [writePerm(shell, end, 'wipe'), writePerm(shell, end, 'add'), clean(shell, end)]) {
    group.addCommand(command);
  }
  return group;
}

function writePerm(shell: Shell, end: End, change: 'wipe' | 'add'): Command {
  const description =
    change === 'wipe' ? 'send no more messages to a broker; consumers still read there' : 'take wipe-write back';
  const command = new Command(`${change}-write`)
    .description(description)
    .argument('<brokerName>')
    .action(async (brokerName: string, flags: ReachFlags) => {
      const { setWritePerm } = await import('../commands/broker-actions.js');
      end(await setWritePerm(shell, brokerName, change, flags));
    });
  return withExample(reaching(command), `ringmq broker ${change}-write broker-a`);
}

function clean(shell: Shell, end: End): Command {
  const command = new Command('clean')
    .description('delete what nobody can read any more')
    .addArgument(new Argument('<what>', 'what to delete').choices(['expired-queues', 'unused-topics']))
    .addOption(new Option('-b, --broker <broker>', 'on this broker, by name or address').conflicts('clusterName'))
    .addOption(clusterOption('on the brokers of this cluster (all)'))
    .action(async (what: Cleaning, flags: CleanFlags) => {
      const { clean: run } = await import('../commands/broker-actions.js');
      end(await run(shell, what, flags));
    });
  return withExample(reaching(command), 'ringmq broker clean unused-topics');
}
