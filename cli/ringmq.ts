/**
 * `ringmq`: everything from a first node to looking into a running one. Each command loads what it needs when it runs.
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type ClusterMode, clusterModes, presetNames } from '../config/presets.js';
import type { BrokerFlags } from './commands/broker.js';
import type { UpFlags } from './commands/cluster-up.js';
import type { ConfigFlags } from './commands/config.js';
import type { PullFlags } from './commands/pull.js';
import type { DemoteFlags, PromoteFlags, SwitchFlags } from './commands/role.js';
import type { SendFlags } from './commands/send.js';
import type { CreateFlags } from './commands/topic.js';
import type { ExportFlags, MessageFlags, TraceFlags } from './commands/trace.js';
import { type Settings, setOption, wholeNumber, withExample } from './options.js';
import { packageVersion } from './package-files.js';
import type { ReachFlags } from './reach.js';
import type { Shell } from './shell.js';

/** Where a command reports its exit code. */
type End = (exitCode: number) => void;

export function ringmq(shell: Shell, end: End): Command {
  const program = new Command('ringmq')
    .description('RingMQ: a message broker that speaks RocketMQ.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .showHelpAfterError('(`ringmq help COMMAND` says how a command is used)');
  const make = [start, send, pull, topic, cluster, broker, ...roles, trace, wiring, config, check];
  for (const command of make) program.addCommand(command(shell, end));
  return program;
}

/** Who of a name is the master. */
const roles = [promote, demote, switchOver];

/** Options of a command that talks to a cluster. */
const reaching = (command: Command): Command =>
  command
    .option('-n, --namesrvAddr <addrs>', 'name servers (else NAMESRV_ADDR, else 127.0.0.1:9876)')
    .option('--json', 'print JSON');

function start(shell: Shell, end: End): Command {
  const command = new Command('start')
    .description('start a node: a preset, or a configuration file')
    .argument('[preset|file]', 'what to start', 'standalone')
    .addOption(setOption())
    .action(async (name: string, flags: { set?: Settings }) => {
      const { start: run } = await import('./commands/start.js');
      end(await run(shell, name, flags.set ?? {}));
    });
  command.addHelpText('after', `\nPresets:\n${presetNames.map(name => `  ${name}`).join('\n')}`);
  return withExample(
    command,
    'ringmq start\nringmq start standalone --set listenPort=10921 --set storePathRootDir=data',
  );
}

function send(shell: Shell, end: End): Command {
  const command = new Command('send')
    .description('send a message')
    .argument('<topic>')
    .argument('[text]', 'the body; standard input without it')
    .option('-t, --tags <tag>', 'a tag, for consumers to choose by')
    .option('-k, --keys <keys>', 'keys, separated by blanks')
    .action(async (name: string, text: string | undefined, flags: SendFlags) => {
      const { send: run } = await import('./commands/send.js');
      end(await run(shell, name, text, flags));
    });
  return withExample(reaching(command), 'ringmq send Hello "Hello, RingMQ" --tags greeting');
}

function pull(shell: Shell, end: End): Command {
  const command = new Command('pull')
    .description('read messages of a topic; they stay there')
    .argument('<topic>')
    .addOption(new Option('--from <place>', 'earliest, latest, or an offset').default('earliest').argParser(readPlace))
    .addOption(new Option('--max <count>', 'messages to print').default(32).argParser(wholeNumber(1)))
    .option('-t, --tags <tags>', 'only these, as "a || b"', '*')
    .option('-f, --follow', 'go on with messages to come, until Ctrl-C')
    .action(async (name: string, flags: PullFlags) => {
      const { pull: run } = await import('./commands/pull.js');
      end(await run(shell, name, flags));
    });
  return withExample(reaching(command), 'ringmq pull Hello --tags greeting --follow');
}

function readPlace(argument: string): PullFlags['from'] {
  if (argument === 'earliest' || argument === 'latest') return argument;
  if (/^\d{1,15}$/.test(argument)) return Number(argument);
  throw new InvalidArgumentError('Expected earliest, latest or an offset.');
}

function topic(shell: Shell, end: End): Command {
  const group = new Command('topic').description('create, list, show and delete topics');
  const use = () => import('./commands/topic.js');
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
    .action(async (name: string, flags: ReachFlags) => end(await (await use()).topicStatus(shell, name, flags)));
  const route = new Command('route')
    .description('which brokers have a topic')
    .argument('<topic>')
    .action(async (name: string, flags: ReachFlags) => end(await (await use()).topicRoute(shell, name, flags)));
  const remove = new Command('delete')
    .description('delete a topic with its messages')
    .argument('<topic>')
    .option('-y, --yes', 'do it')
    .action(async (name: string, flags: ReachFlags & { yes?: true }) =>
      end(await (await use()).deleteTopic(shell, name, flags)),
    );
  group.addCommand(withExample(reaching(create), 'ringmq topic create Orders --queues 16'));
  group.addCommand(withExample(reaching(list), 'ringmq topic list'));
  group.addCommand(withExample(reaching(status), 'ringmq topic status Orders'));
  group.addCommand(withExample(reaching(route), 'ringmq topic route Orders'));
  group.addCommand(withExample(reaching(remove), 'ringmq topic delete Orders --yes'));
  return group;
}

function cluster(shell: Shell, end: End): Command {
  const group = new Command('cluster').description('show the cluster, or start one on this machine');
  const up = new Command('up')
    .description('start all nodes of a deployment mode on this machine, to try it out')
    .addArgument(new Argument('<mode>', 'which mode').choices(clusterModes))
    .addOption(new Option('--dir <folder>', 'for stores and logs').default('ringmq-cluster'))
    .addOption(new Option('--namesrvPort <port>', 'port of the name server').default(9876).argParser(wholeNumber(1)))
    .addOption(new Option('--port <port>', 'port of the first broker').default(10_911).argParser(wholeNumber(1)))
    .action(async (mode: ClusterMode, flags: UpFlags) => {
      const { clusterUp } = await import('./commands/cluster-up.js');
      end(await clusterUp(shell, mode, flags));
    });
  const list = new Command('list').description('list brokers and how they do').action(async (flags: ReachFlags) => {
    const { listClusters } = await import('./commands/cluster.js');
    end(await listClusters(shell, flags));
  });
  group.addCommand(withExample(reaching(list), 'ringmq cluster list -n 10.0.0.1:9876'));
  group.addCommand(withExample(up, 'ringmq cluster up 2m-noslave --dir try'));
  return group;
}

function broker(shell: Shell, end: End): Command {
  const group = new Command('broker').description('look into a broker, and change its configuration');
  const use = () => import('./commands/broker.js');
  const status = new Command('status')
    .description('what a broker tells of itself')
    .argument('[broker]', 'name or address; the only one without it')
    .option('-a, --all', 'every value')
    .action(async (named: string | undefined, flags: ReachFlags & { all?: true }) =>
      end(await (await use()).brokerStatus(shell, named, flags)),
    );
  const which = () => new Option('-b, --broker <broker>', 'name or address; the only one without it');
  const show = new Command('config')
    .description('the configuration in effect')
    .argument('[keys...]', 'these keys; all without them')
    .addOption(which())
    .action(async (keys: string[], flags: BrokerFlags) => end(await (await use()).brokerConfig(shell, keys, flags)));
  const set = new Command('set')
    .description('change the configuration of a running broker')
    .argument('<key=value...>')
    .addOption(which())
    .action(async (words: string[], flags: BrokerFlags) =>
      end(await (await use()).setBrokerConfig(shell, words, flags)),
    );
  group.addCommand(withExample(reaching(status), 'ringmq broker status broker-a'));
  group.addCommand(withExample(reaching(show), 'ringmq broker config flushDiskType maxMessageSize'));
  group.addCommand(withExample(reaching(set), 'ringmq broker set fileReservedTime=48 -b broker-a'));
  return group;
}

/** Options of a command that changes roles. */
const changing = (command: Command): Command =>
  reaching(command)
    .option('--force', 'also when messages would be lost')
    .addOption(new Option('--patience <seconds>', 'how long a broker may take').default(10).argParser(wholeNumber(1)));

function promote(shell: Shell, end: End): Command {
  const command = new Command('promote')
    .description('make a slave the master of its name, which has none')
    .argument('<broker>', 'name, or address of the slave')
    .addOption(
      new Option('--role <role>', 'as which master').choices(['ASYNC_MASTER', 'SYNC_MASTER']).default('ASYNC_MASTER'),
    )
    .action(async (named: string, flags: PromoteFlags) => {
      const { promoteBroker } = await import('./commands/role.js');
      end(await promoteBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq promote broker-a --role SYNC_MASTER');
}

function demote(shell: Shell, end: End): Command {
  const command = new Command('demote')
    .description('make a master a slave, once a slave has all it has acknowledged')
    .argument('<broker>', 'name, or address of the master')
    .addOption(new Option('--brokerId <id>', 'its id from then on; the first free one').argParser(wholeNumber(1)))
    .action(async (named: string, flags: DemoteFlags) => {
      const { demoteBroker } = await import('./commands/role.js');
      end(await demoteBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq demote broker-a');
}

function switchOver(shell: Shell, end: End): Command {
  const command = new Command('switch')
    .description('change master and slave over, without loss')
    .argument('<broker>', 'name')
    .option('--to <address>', 'the slave that is to be the master; the furthest')
    .action(async (named: string, flags: SwitchFlags) => {
      const { switchBroker } = await import('./commands/role.js');
      end(await switchBroker(shell, named, flags));
    });
  return withExample(changing(command), 'ringmq switch broker-a');
}

function trace(shell: Shell, end: End): Command {
  const group = new Command('trace').description('what the actors of a broker do with requests');
  const use = () => import('./commands/trace.js');
  const which = () => new Option('-b, --broker <broker>', 'name or address; the only one without it');
  const begin = new Command('start')
    .description('trace requests from now on')
    .addOption(which())
    .addOption(new Option('--every <count>', 'one in so many requests').default(1).argParser(wholeNumber(1)))
    .action(async (flags: TraceFlags & { every: number }) =>
      end(await (await use()).setTrace(shell, flags.every, flags)),
    );
  const stop = new Command('stop')
    .description('trace no more; what was recorded stays')
    .addOption(which())
    .action(async (flags: TraceFlags) => end(await (await use()).setTrace(shell, 0, flags)));
  const write = new Command('export')
    .description('write what was recorded to a file for Perfetto or Chrome')
    .addOption(which())
    .addOption(new Option('--seconds <count>', 'of the last so many seconds').default(60).argParser(wholeNumber(1)))
    .option('-o, --output <file>', 'the file', 'ringmq-trace.json')
    .action(async (flags: ExportFlags) => end(await (await use()).exportTrace(shell, flags)));
  const message = new Command('message')
    .description('the way of one message through the actors')
    .argument('<id|key>', 'its offset message id; or, with --topic, its unique id or a key')
    .addOption(which())
    .option('-t, --topic <topic>', 'where to look for a unique id or a key')
    .action(async (id: string, flags: MessageFlags) => end(await (await use()).traceMessage(shell, id, flags)));
  group.addCommand(withExample(reaching(begin), 'ringmq trace start --every 100'));
  group.addCommand(withExample(reaching(stop), 'ringmq trace stop'));
  group.addCommand(withExample(reaching(write), 'ringmq trace export --seconds 5 --output trace.json'));
  group.addCommand(withExample(reaching(message), 'ringmq trace message order-17 --topic Orders'));
  return group;
}

function wiring(shell: Shell, end: End): Command {
  const command = new Command('wiring')
    .description('the actors of a node and what connects them')
    .option('--mermaid', 'print a Mermaid drawing')
    .option('--json', 'print JSON')
    .action(async (flags: { mermaid?: true; json?: true }) => {
      const { wiring: run } = await import('./commands/wiring.js');
      end(run(shell, flags));
    });
  return withExample(command, 'ringmq wiring --mermaid > wiring.mmd');
}

function config(shell: Shell, end: End): Command {
  const command = new Command('config')
    .description('the reference of all configuration keys')
    .argument('[keys...]', 'explain these')
    .option('--key <keys...>', 'the same')
    .option('--markdown', 'print docs/configuration.md')
    .option('--json', 'print JSON')
    .action(async (keys: string[], flags: ConfigFlags) => {
      const { config: run } = await import('./commands/config.js');
      end(run(shell, keys, flags));
    });
  return withExample(command, 'ringmq config flushDiskType');
}

function check(shell: Shell, end: End): Command {
  const command = new Command('check')
    .description('read a configuration file and say what each key does')
    .argument('<file|preset>')
    .option('--json', 'print JSON')
    .action(async (name: string, flags: { json?: true }) => {
      const { check: run } = await import('./commands/check.js');
      end(run(shell, name, flags));
    });
  return withExample(command, 'ringmq check broker.properties');
}
