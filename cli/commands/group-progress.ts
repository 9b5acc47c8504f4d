/**
 * `ringmq group progress`: how far consumer groups are behind.
 */
import type { Admin, ConsumeOffset, MessageQueue } from '../../client/index.js';
import { compareQueues } from '../../client/route.js';
import { ExitCode } from '../exit-codes.js';
import { isInternalGroup } from '../names.js';
import { type BrokerPlace, forEach, mastersIn, printJson, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';
import { formatTime } from '../time.js';
import { consumersOf } from './clients.js';
import { type GroupFlags, groupsOf, requireGroup } from './group.js';

/** How far a group is in one queue. */
type QueueProgress = MessageQueue & ConsumeOffset & { readonly lag: number };

/** How far a group is. */
export interface Progress {
  /** Messages a second. */
  readonly consumeTps: number;
  /** Messages. */
  readonly lag: number;
  /** When what it consumed last was stored; 0: never. Units: ms since the epoch. */
  readonly lastTimestamp: number;
  readonly queues: readonly QueueProgress[];
}

/** How far a group is in a topic, or in all it consumes, on these masters. Errors: MQBrokerError. */
export async function progressOf(
  admin: Admin,
  masters: readonly BrokerPlace[],
  group: string,
  topic?: string,
): Promise<Progress> {
  const stats = await forEach(masters, ({ address }) => admin.groups.consumeStats(address, group, topic));
  const queues = stats
    .flatMap(({ offsetTable }) => offsetTable)
    .map(([queue, offsets]) => ({ ...queue, ...offsets, lag: offsets.brokerOffset - offsets.consumerOffset }))
    .sort(compareQueues);
  return {
    consumeTps: stats.reduce((sum, { consumeTps }) => sum + consumeTps, 0),
    lag: queues.reduce((sum, { lag }) => sum + lag, 0),
    lastTimestamp: queues.reduce((last, { lastTimestamp }) => Math.max(last, lastTimestamp), 0),
    queues,
  };
}

/** Shows the progress of one group queue by queue, or a line for each group. Errors: CliError for an unknown group. */
export async function groupProgress(
  shell: Shell,
  group: string | undefined,
  flags: GroupFlags & { readonly all?: true },
): Promise<number> {
  return withAdmin(shell, flags, async admin => {
    const masters = mastersIn(await admin.clusterInfo(), flags.clusterName);
    return group === undefined
      ? allProgress(shell, admin, masters, flags)
      : oneProgress(shell, admin, masters, group, flags);
  });
}

async function oneProgress(
  shell: Shell,
  admin: Admin,
  masters: readonly BrokerPlace[],
  group: string,
  flags: GroupFlags,
): Promise<number> {
  const progress = await progressOf(admin, masters, group);
  // Offsets can be there before the group: cloned, or committed by a client that sends no heartbeat.
  if (progress.queues.length === 0) await requireGroup(admin, masters, group);
  if (flags.json) printJson(shell, { group, ...progress });
  else if (progress.queues.length === 0) shell.out(`${group} has consumed nothing yet`);
  else {
    const columns = ['TOPIC', 'BROKER', number('QUEUE'), number('MAX'), number('CONSUMED'), number('LAG')];
    const rows = progress.queues.map(queue => [
      queue.topic,
      queue.brokerName,
      queue.queueId,
      queue.brokerOffset,
      queue.consumerOffset,
      queue.lag,
      formatTime(queue.lastTimestamp),
    ]);
    shell.out(renderTable(shell, [...columns, 'LAST CONSUMED STORED'], rows));
    shell.out(
      shell.style('dim', `${progress.lag} messages behind, ${progress.consumeTps.toFixed(1)} consumed a second`),
    );
  }
  return ExitCode.OK;
}

async function allProgress(
  shell: Shell,
  admin: Admin,
  masters: readonly BrokerPlace[],
  flags: GroupFlags & { readonly all?: true },
): Promise<number> {
  const groups = [...(await groupsOf(admin, masters))].filter(([name]) => flags.all || !isInternalGroup(name));
  const lines = await forEach(groups, async ([group, places]) => {
    const { consumeTps, lag, lastTimestamp } = await progressOf(admin, [...places.keys()], group);
    const online = await consumersOf(admin, [...places.keys()], group);
    return { group, clients: online?.members.length ?? 0, consumeTps, lag, lastTimestamp };
  });
  if (flags.json) printJson(shell, lines);
  else if (lines.length === 0) shell.out('no groups yet');
  else {
    const columns = ['GROUP', number('CLIENTS'), number('OUT/S'), number('LAG'), 'LAST CONSUMED STORED'];
    const rows = lines.map(({ group, clients, consumeTps, lag, lastTimestamp }) => [
      ...[group, clients, consumeTps.toFixed(1), lag],
      formatTime(lastTimestamp),
    ]);
    shell.out(renderTable(shell, columns, rows));
  }
  return ExitCode.OK;
}
