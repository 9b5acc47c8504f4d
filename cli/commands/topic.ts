/**
 * `ringmq topic`: creates, lists, shows and deletes topics.
 */
import type { Admin, TopicRouteData } from '../../client/index.js';
import { decodeBody, integerOf, isFields } from '../../protocol/bodies/fields.js';
import { type MessageQueue, messageQueueEntriesOf } from '../../protocol/bodies/message-queue.js';
import { MASTER_ID } from '../../protocol/bodies/route.js';
import { Permission, RequestCode } from '../../protocol/codes.js';
import { isSystemTopic, RETRY_TOPIC_PREFIX } from '../../protocol/topic-names.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { ask, deleteTopicFromNamesrvs, mastersOf, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderTable } from '../table.js';

export interface CreateFlags extends ReachFlags {
  readonly queues: number;
  readonly readQueues?: number;
  readonly writeQueues?: number;
  readonly perm: 'r' | 'w' | 'rw';
  readonly clusterName?: string;
  readonly brokerAddr?: string;
}

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

/** Routes asked for at once. */
const ROUTES_AT_ONCE = 16;

/** Lists the topics somebody made; with `all` those of the brokers themselves too. */
export async function listTopics(shell: Shell, flags: ReachFlags & { readonly all?: true }): Promise<number> {
  const topics = await withAdmin(shell, flags, async admin => {
    const [names, info] = await Promise.all([admin.topicList(), admin.clusterInfo()]);
    const ofBrokers = new Set([...Object.keys(info.clusterAddrTable), ...Object.keys(info.brokerAddrTable)]);
    const shown = names.filter(name => flags.all || !(ofBrokers.has(name) || isInternal(name))).sort();
    return routesOf(admin, shown);
  });
  if (flags.json) printJson(shell, topics);
  else if (topics.length === 0) {
    shell.out('no topics yet: `ringmq topic create NAME` makes one, or `ringmq send NAME TEXT`');
  } else {
    const columns = ['TOPIC', { title: 'QUEUES', right: true } as const, 'BROKERS'];
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
  const lines: TopicLine[] = [];
  for (let start = 0; start < topics.length; start += ROUTES_AT_ONCE) {
    const some = topics.slice(start, start + ROUTES_AT_ONCE);
    const routes = await Promise.all(some.map(topic => admin.topicRoute(topic)));
    for (const [index, topic] of some.entries()) {
      const queueDatas = routes[index]?.queueDatas ?? [];
      const queues = queueDatas.reduce((sum, queue) => sum + queue.writeQueueNums, 0);
      lines.push({ topic, queues, brokers: queueDatas.map(({ brokerName }) => brokerName).sort() });
    }
  }
  return lines;
}

/** Topics that brokers make for themselves. Source: spec remoting 12.3; TopicValidator. */
const isInternal = (topic: string): boolean =>
  isSystemTopic(topic) || topic.startsWith(RETRY_TOPIC_PREFIX) || topic.endsWith('_REPLY_TOPIC');

/** What one queue holds. Units: offsets are entries. */
interface QueueStatus extends MessageQueue {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Units: ms since the epoch; 0: never, or not known. */
  readonly lastUpdateTimestamp: number;
}

/** Shows how far the queues of a topic reach. */
export async function topicStatus(shell: Shell, topic: string, flags: ReachFlags): Promise<number> {
  const queues = await withAdmin(shell, flags, async admin => queuesOf(topic, await requireRoute(admin, topic)));
  if (flags.json) printJson(shell, queues);
  else {
    const number = (title: string) => ({ title, right: true }) as const;
    const columns = ['BROKER', number('QUEUE'), number('MIN'), number('MAX'), number('MESSAGES'), 'LAST STORED'];
    const rows = queues.map(queue => [
      queue.brokerName,
      queue.queueId,
      queue.minOffset,
      queue.maxOffset,
      queue.maxOffset - queue.minOffset,
      queue.lastUpdateTimestamp === 0 ? '-' : new Date(queue.lastUpdateTimestamp).toISOString(),
    ]);
    shell.out(renderTable(shell, columns, rows));
    shell.out(shell.style('dim', `${countMessages(queues)} messages in ${queues.length} queues`));
  }
  return ExitCode.OK;
}

const countMessages = (queues: readonly QueueStatus[]): number =>
  queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0);

async function queuesOf(topic: string, route: TopicRouteData): Promise<QueueStatus[]> {
  const answers = await Promise.all(
    mastersOfRoute(route).map(address => ask(address, RequestCode.GET_TOPIC_STATS_INFO, { topic })),
  );
  return answers
    .flatMap(answer => messageQueueEntriesOf(decodeBody(answer.body, 'TopicStatsTable').offsetTable, offsetsOf))
    .map(([queue, offsets]) => ({ ...queue, ...offsets }))
    .sort((a, b) => (a.brokerName === b.brokerName ? a.queueId - b.queueId : a.brokerName < b.brokerName ? -1 : 1));
}

function offsetsOf(value: unknown): Omit<QueueStatus, keyof MessageQueue> {
  const fields = isFields(value) ? value : {};
  const number = (name: string): number => integerOf(fields[name]);
  return {
    minOffset: number('minOffset'),
    maxOffset: number('maxOffset'),
    lastUpdateTimestamp: number('lastUpdateTimestamp'),
  };
}

const mastersOfRoute = (route: TopicRouteData): string[] =>
  route.brokerDatas.flatMap(({ brokerAddrs }) => brokerAddrs[MASTER_ID] ?? []);

async function requireRoute(admin: Admin, topic: string): Promise<TopicRouteData> {
  const route = await admin.topicRoute(topic);
  if (route !== null) return route;
  throw new CliError(`there is no topic ${topic}`, ExitCode.FAILED, [
    `\`ringmq topic list\` shows the ones there are; \`ringmq topic create ${topic}\` makes it.`,
  ]);
}

/** Shows which brokers have a topic, as the name server tells clients. */
export async function topicRoute(shell: Shell, topic: string, flags: ReachFlags): Promise<number> {
  const route = await withAdmin(shell, flags, admin => requireRoute(admin, topic));
  if (flags.json) printJson(shell, route);
  else {
    const columns = [
      'BROKER',
      'CLUSTER',
      { title: 'READ', right: true } as const,
      { title: 'WRITE', right: true } as const,
      'PERM',
      'ADDRESSES',
    ];
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

/** Deletes a topic with its messages, on all its brokers and name servers. Errors: CliError without `yes`. */
export async function deleteTopic(
  shell: Shell,
  topic: string,
  flags: ReachFlags & { readonly yes?: true },
): Promise<number> {
  const brokerAddrs = await withAdmin(shell, flags, async admin => {
    const route = await requireRoute(admin, topic);
    if (!flags.yes) throw await unconfirmed(topic, route);
    const masters = mastersOfRoute(route);
    for (const address of masters) await ask(address, RequestCode.DELETE_TOPIC_IN_BROKER, { topic });
    await deleteTopicFromNamesrvs(shell, flags, topic);
    return masters;
  });
  if (flags.json) printJson(shell, { topic, brokerAddrs });
  else shell.out(`${topic} is deleted from ${brokerAddrs.join(', ')}`);
  return ExitCode.OK;
}

async function unconfirmed(topic: string, route: TopicRouteData): Promise<CliError> {
  const queues = await queuesOf(topic, route);
  const brokers = route.brokerDatas.map(({ brokerName }) => brokerName).join(', ');
  const what = `${countMessages(queues)} messages in ${queues.length} queues on ${brokers}`;
  return new CliError(`this would delete ${topic} with ${what}`, ExitCode.FAILED, ['Add --yes to do it.']);
}
