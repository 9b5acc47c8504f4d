/**
 * `ringmq group list|show|create|delete`: the consumer groups that brokers know, and their settings.
 */
import type { Admin, SubscriptionGroupConfig } from '../../client/index.js';
import { createSubscriptionGroupConfig } from '../../protocol/bodies/group.js';
import { DLQ_TOPIC_PREFIX, RETRY_TOPIC_PREFIX } from '../../protocol/topic-names.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { isInternalGroup } from '../names.js';
import {
  type BrokerPlace,
  forEach,
  mastersIn,
  mastersOf,
  mastersOfRoute,
  printJson,
  type ReachFlags,
  withAdmin,
} from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';
import { consumersOf } from './clients.js';

export interface GroupFlags extends ReachFlags {
  readonly clusterName?: string;
}

/** The settings of a group on each master that knows it. */
export type GroupPlaces = ReadonlyMap<BrokerPlace, SubscriptionGroupConfig>;

/** Every group of the masters, by name. */
export async function groupsOf(
  admin: Admin,
  masters: readonly BrokerPlace[],
): Promise<ReadonlyMap<string, GroupPlaces>> {
  const groups = new Map<string, Map<BrokerPlace, SubscriptionGroupConfig>>();
  const tables = await forEach(masters, ({ address }) => admin.groups.configs(address));
  for (const [index, table] of tables.entries()) {
    for (const [name, config] of Object.entries(table)) {
      if (!groups.has(name)) groups.set(name, new Map());
      groups.get(name)!.set(masters[index]!, config);
    }
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where a group is. Errors: CliError when no master knows it. */
export async function requireGroup(admin: Admin, masters: readonly BrokerPlace[], group: string): Promise<GroupPlaces> {
  const places = (await groupsOf(admin, masters)).get(group);
  if (places !== undefined) return places;
  throw new CliError(`there is no group ${group}`, ExitCode.FAILED, [
    `\`ringmq group list\` shows the ones there are; \`ringmq group create ${group}\` makes it.`,
  ]);
}

/** Lists groups with who is online; with `all` those of the brokers themselves too. */
export async function listGroups(shell: Shell, flags: GroupFlags & { readonly all?: true }): Promise<number> {
  const lines = await withAdmin(shell, flags, async admin => {
    const masters = mastersIn(await admin.clusterInfo(), flags.clusterName);
    const groups = [...(await groupsOf(admin, masters))].filter(([name]) => flags.all || !isInternalGroup(name));
    return forEach(groups, async ([group, places]) => {
      const online = await consumersOf(admin, [...places.keys()], group);
      return {
        group,
        brokers: [...places.keys()].map(({ brokerName }) => brokerName),
        clients: online?.members.length ?? 0,
        consumeType: online?.consumeType,
        messageModel: online?.messageModel,
      };
    });
  });
  if (flags.json) printJson(shell, lines);
  else if (lines.length === 0) shell.out('no groups yet: consumers make theirs, or `ringmq group create NAME`');
  else {
    const rows = lines.map(({ group, clients, consumeType = '-', messageModel = '-', brokers }) => [
      group,
      clients,
      consumeType,
      messageModel,
      brokers.join(', '),
    ]);
    shell.out(renderTable(shell, ['GROUP', number('CLIENTS'), 'TYPE', 'MODEL', 'BROKERS'], rows));
  }
  return ExitCode.OK;
}

/** Shows the settings of a group, a column for each broker. */
export async function showGroup(shell: Shell, group: string, flags: GroupFlags): Promise<number> {
  const places = await withAdmin(shell, flags, async admin =>
    requireGroup(admin, mastersIn(await admin.clusterInfo(), flags.clusterName), group),
  );
  if (flags.json) {
    printJson(
      shell,
      [...places].map(([{ brokerName, address }, config]) => ({ brokerName, address, config })),
    );
  } else printConfigs(shell, places);
  return ExitCode.OK;
}

function printConfigs(shell: Shell, places: GroupPlaces): void {
  const configs = [...places.values()];
  const keys = Object.keys(configs[0]!).filter(key => key !== 'groupName') as (keyof SubscriptionGroupConfig)[];
  const rows = keys.map(key => [key, ...configs.map(config => String(config[key]))]);
  shell.out(renderTable(shell, ['SETTING', ...[...places.keys()].map(({ brokerName }) => brokerName)], rows));
}

/** Settings that the command line can give; what is not given stays as it is. */
export interface CreateGroupFlags extends ReachFlags, Partial<Omit<SubscriptionGroupConfig, 'groupName'>> {
  readonly clusterName?: string;
  readonly brokerAddr?: string;
}

/** Creates a group, or changes the one of that name. */
export async function createGroup(shell: Shell, group: string, flags: CreateGroupFlags): Promise<number> {
  const { namesrvAddr: _, json, clusterName, brokerAddr, ...settings } = flags;
  const places = await withAdmin(shell, flags, async admin => {
    const masters =
      brokerAddr === undefined
        ? mastersOf(await admin.clusterInfo(), clusterName)
        : [{ clusterName: '', brokerName: brokerAddr, brokerId: 0, address: brokerAddr }];
    const before = (await groupsOf(admin, masters)).get(group);
    const made = await forEach(masters, async place => {
      const config = { ...(before?.get(place) ?? createSubscriptionGroupConfig(group)), ...settings };
      await admin.groups.update(place.address, config);
      return [place, config] as const;
    });
    return new Map(made);
  });
  if (json) printJson(shell, { group, brokerAddrs: [...places.keys()].map(({ address }) => address) });
  else {
    shell.out(`${shell.style('green', group)} is there`);
    printConfigs(shell, places);
  }
  return ExitCode.OK;
}

/** Deletes a group with what it committed, its retry topic and its dead letters. Errors: CliError without `yes`. */
export async function deleteGroup(
  shell: Shell,
  group: string,
  flags: GroupFlags & { readonly yes?: true },
): Promise<number> {
  const topics = [`${RETRY_TOPIC_PREFIX}${group}`, `${DLQ_TOPIC_PREFIX}${group}`];
  const brokerAddrs = await withAdmin(shell, flags, async admin => {
    const masters = mastersIn(await admin.clusterInfo(), flags.clusterName);
    const places = [...(await requireGroup(admin, masters, group)).keys()];
    if (!flags.yes) throw await unconfirmed(admin, group, places, topics[1]!);
    for (const { address } of places) await admin.groups.delete(address, group, true);
    for (const topic of topics) await deleteTopic(admin, topic, places);
    return places.map(({ address }) => address);
  });
  if (flags.json) printJson(shell, { group, brokerAddrs });
  else shell.out(`${group} is deleted from ${brokerAddrs.join(', ')}`);
  return ExitCode.OK;
}

/** Other clusters of the name server may keep their topic of that name. */
async function deleteTopic(admin: Admin, topic: string, places: readonly BrokerPlace[]): Promise<void> {
  const route = await admin.topicRoute(topic);
  if (route === null) return;
  const addresses = new Set(places.map(({ address }) => address));
  const masters = mastersOfRoute(route);
  for (const address of masters) if (addresses.has(address)) await admin.topics.delete(address, topic);
  if (masters.every(address => addresses.has(address))) await admin.topics.deleteFromNameServers(topic);
}

async function unconfirmed(
  admin: Admin,
  group: string,
  places: readonly BrokerPlace[],
  deadLetters: string,
): Promise<CliError> {
  const online = (await consumersOf(admin, places, group))?.members.length ?? 0;
  const dead = (await admin.topicRoute(deadLetters)) === null ? 0 : await countMessages(admin, places, deadLetters);
  const what = `what it committed, and ${dead} dead letters; ${online} of its clients are online`;
  return new CliError(`this would delete ${group} with ${what}`, ExitCode.FAILED, ['Add --yes to do it.']);
}

async function countMessages(admin: Admin, places: readonly BrokerPlace[], topic: string): Promise<number> {
  const queues = await forEach(places, ({ address }) => admin.topics.stats(address, topic).catch(() => []));
  return queues.flat().reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0);
}
