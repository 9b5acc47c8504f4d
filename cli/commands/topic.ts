/**
 * `ringmq topic`: creates, lists, shows and deletes topics.
 */
import type { Admin, QueueStatus, TopicRouteData } from '../../client/index.js';
import { compareQueues } from '../../client/route.js';
import { Permission } from '../../protocol/codes.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { topicNames } from '../names.js';
import {
  forEach,
  mastersOf,
  mastersOfRoute,
  mastersOfTopic,
  printJson,
  type ReachFlags,
  requireRoute,
  withAdmin,
} from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';
import { formatTime } from '../time.js';

export interface CreateFlags extends ReachFlags {
  readonly queues: number;
  readonly readQueues?: number;
  readonly writeQueues?: number;
  readonly perm: Perm;
  readonly clusterName?: string;
  readonly brokerAddr?: string;
}

/** What clients may do with a topic. */
export type Perm = 'r' | 'w' | 'rw';

const permissions = { r: Permission.READ, w: Permission.WRITE, rw: Permission.READ | Permission.WRITE } as const;

/** Creates a topic, or changes the one of that name. */
export async function createTopic(shell: Shell, topic: string, flags: CreateFlags): Promise<number> {
  const readQueueNums = flags.readQueues ?? flags.queues;
  const writeQueueNums = flags.writeQueues ?? flags.queues;
  const addresses = await withAdmin(shell, flags, async admin => {
    const brokers =
      flags.brokerAddr === undefined
        ? mastersOf(await admin.clusterInfo(), flags.clusterName).map(({ address }) => address)
        : [flags.brokerAddr];
    const perm = permissions[flags.perm];
    for (const brokerAddr of brokers)
      await admin.createTopic({ topic, readQueueNums, writeQueueNums, perm, brokerAddr });
    return brokers;
  });
  if (flags.json) printJson(shell, { topic, readQueueNums, writeQueueNums, perm: flags.perm, brokerAddrs: addresses });
  else {
    const queues =
      readQueueNums === writeQueueNums
        ? `${readQueueNums} queues`
        : `${readQueueNums} to read, ${writeQueueNums} to write`;
    shell.out(`${shell.style('green', topic)} is there: ${queues}, on ${addresses.join(', ')}`);
  }
  return ExitCode.OK;
}

/** Lists the topics somebody made; with `all` those of the brokers themselves too. */
export async function listTopics(shell: Shell, flags: ReachFlags & { readonly all?: true }): Promise<number> {
  const topics = await withAdmin(shell, flags, async admin => {
    return routesOf(admin, await topicNames(admin, flags.all === true));
  });
  if (flags.json) printJson(shell, topics);
  else if (topics.length === 0) {
    shell.out('no topics yet: `ringmq topic create NAME` makes one, or `ringmq send NAME TEXT`');
  } else {
    const columns = ['TOPIC', number('QUEUES'), 'BROKERS'];
    const rows = topics.map(({ topic, queues, brokers }) => [topic, queues, brokers.join(', ')]);
    shell.out(renderTable(shell, columns, rows));
  }
  return ExitCode.OK;
}

interface TopicLine {
  readonly topic: string;
  readonly queues: number;
  readonly brokers: readonly string[];
}

async function routesOf(admin: Admin, topics: readonly string[]): Promise<TopicLine[]> {
  return forEach(topics, async topic => {
    const queueDatas = (await admin.topicRoute(topic))?.queueDatas ?? [];
    const queues = queueDatas.reduce((sum, queue) => sum + queue.writeQueueNums, 0);
    return { topic, queues, brokers: queueDatas.map(({ brokerName }) => brokerName).sort() };
  });
}

/** Shows how far the queues of a topic reach. */
export async function topicStatus(shell: Shell, topic: string, flags: ReachFlags): Promise<number> {
  const queues = await withAdmin(shell, flags, async admin => queuesOf(admin, topic, await requireRoute(admin, topic)));
  if (flags.json) printJson(shell, queues);
  else {
    const columns = ['BROKER', number('QUEUE'), number('MIN'), number('MAX'), number('MESSAGES'), 'LAST STORED'];
    const rows = queues.map(queue => [
      queue.brokerName,
      queue.queueId,
      queue.minOffset,
      queue.maxOffset,
      queue.maxOffset - queue.minOffset,
      formatTime(queue.lastUpdateTimestamp),
    ]);
    shell.out(renderTable(shell, columns, rows));
    shell.out(shell.style('dim', `${countMessages(queues)} messages in ${queues.length} queues`));
  }
  return ExitCode.OK;
}

const countMessages = (queues: readonly QueueStatus[]): number =>
  queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0);

async function queuesOf(admin: Admin, topic: string, route: TopicRouteData): Promise<QueueStatus[]> {
  const queues = await Promise.all(mastersOfRoute(route).map(address => admin.topics.stats(address, topic)));
  return queues.flat().sort(compareQueues);
}

/** Shows which brokers have a topic, as the name server tells clients. */
export async function topicRoute(shell: Shell, topic: string, flags: ReachFlags): Promise<number> {
  const route = await withAdmin(shell, flags, admin => requireRoute(admin, topic));
  if (flags.json) printJson(shell, route);
  else {
    const columns = ['BROKER', 'CLUSTER', number('READ'), number('WRITE'), 'PERM', 'ADDRESSES'];
    const rows = route.queueDatas.map(queue => {
      const broker = route.brokerDatas.find(({ brokerName }) => brokerName === queue.brokerName);
      const addresses = Object.entries(broker?.brokerAddrs ?? {}).map(([id, address]) => `${id}: ${address}`);
      const perm = permissionText(queue.perm);
      return [
        queue.brokerName,
        broker?.cluster ?? '',
        queue.readQueueNums,
        queue.writeQueueNums,
        perm,
        addresses.join(', '),
      ];
    });
    shell.out(renderTable(shell, columns, rows));
  }
  return ExitCode.OK;
}

/** RW-, as RocketMQ writes it. Source: PermName. */
function permissionText(perm: number): string {
  const letter = (bit: number, name: string): string => ((perm & bit) === 0 ? '-' : name);
  return letter(Permission.READ, 'R') + letter(Permission.WRITE, 'W') + letter(Permission.INHERIT, 'X');
}

export interface PermFlags extends ReachFlags {
  readonly broker?: string;
}

/** Changes what clients may do with a topic, on all its masters or on one; all else about it stays. */
export async function setTopicPerm(shell: Shell, topic: string, perm: Perm, flags: PermFlags): Promise<number> {
  const changes = await withAdmin(shell, flags, async admin => {
    const chosen = await mastersOfTopic(admin, topic, flags.broker);
    return forEach(chosen, async ({ brokerName, address }) => {
      const before = (await admin.topics.configs(address))[topic];
      if (before === undefined) throw new CliError(`${brokerName} does not know ${topic}`, ExitCode.FAILED);
      await admin.topics.update(address, { ...before, perm: permissions[perm] });
      return { brokerName, address, before: before.perm, perm: permissions[perm] };
    });
  });
  if (flags.json) printJson(shell, changes);
  else {
    const rows = changes.map(change => [
      change.brokerName,
      change.address,
      permissionText(change.before),
      permissionText(change.perm),
    ]);
    shell.out(renderTable(shell, ['BROKER', 'ADDRESS', 'BEFORE', 'NOW'], rows));
  }
  return ExitCode.OK;
}

/** Deletes a topic with its messages, on all its brokers and name servers. Errors: CliError without `yes`. */
export async function deleteTopic(
  shell: Shell,
  topic: string,
  flags: ReachFlags & { readonly yes?: true },
): Promise<number> {
  const brokerAddrs = await withAdmin(shell, flags, async admin => {
    const route = await requireRoute(admin, topic);
    if (!flags.yes) throw await unconfirmed(admin, topic, route);
    const masters = mastersOfRoute(route);
    for (const address of masters) await admin.topics.delete(address, topic);
    await admin.topics.deleteFromNameServers(topic);
    return masters;
  });
  if (flags.json) printJson(shell, { topic, brokerAddrs });
  else shell.out(`${topic} is deleted from ${brokerAddrs.join(', ')}`);
  return ExitCode.OK;
}

async function unconfirmed(admin: Admin, topic: string, route: TopicRouteData): Promise<CliError> {
  const queues = await queuesOf(admin, topic, route);
  const brokers = route.brokerDatas.map(({ brokerName }) => brokerName).join(', ');
  const what = `${countMessages(queues)} messages in ${queues.length} queues on ${brokers}`;
  return new CliError(`this would delete ${topic} with ${what}`, ExitCode.FAILED, ['Add --yes to do it.']);
}
