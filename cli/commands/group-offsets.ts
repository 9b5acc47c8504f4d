/**
 * `ringmq group reset` and `ringmq group clone`: where a group goes on.
 *
 * Consumers that are online keep their own account and commit it again and again, so they are told to go on elsewhere,
 * by way of their broker; for a group that is offline the offsets are committed for it. Source: spec remoting 4.2.3;
 * ResetOffsetByTimeCommand, which does the same.
 */
import { type Admin, type MessageQueue, MQBrokerError, ResponseCode } from '../../client/index.js';
import { compareQueues } from '../../client/route.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import {
  type BrokerPlace,
  forEach,
  mastersIn,
  mastersOfTopic,
  printJson,
  type ReachFlags,
  withAdmin,
} from '../reach.js';
import type { ResetTarget } from '../reset-target.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';
import { consumersOf } from './clients.js';
import { requireGroup } from './group.js';
import { progressOf } from './group-progress.js';

export interface ResetFlags extends ReachFlags {
  readonly to: ResetTarget;
  readonly queue?: number;
  readonly broker?: string;
  readonly dryRun?: true;
}

interface QueueMove extends MessageQueue {
  readonly brokerAddr: string;
  readonly before: number;
  readonly offset: number;
}

/** Has a group go on somewhere else in a topic. Errors: CliError where that cannot be. */
export async function resetGroup(shell: Shell, group: string, topic: string, flags: ResetFlags): Promise<number> {
  const { moves, told } = await withAdmin(shell, flags, async admin => {
    const masters = await mastersOfTopic(admin, topic, flags.broker);
    await requireGroup(admin, masters, group);
    const planned = await plan(admin, masters, group, topic, flags);
    const online = await consumersOf(admin, masters, group);
    if (flags.dryRun) return { moves: planned, told: 0 };
    if (online === undefined) {
      for (const move of planned) await admin.groups.updateOffset(move.brokerAddr, group, move, move.offset);
      return { moves: planned, told: 0 };
    }
    const { to } = flags;
    if (flags.queue !== undefined || isOffset(to)) throw cannotTell(group, online.members.length);
    return { moves: await tell(admin, masters, group, planned, to), told: online.members.length };
  });
  if (flags.json) printJson(shell, { group, topic, dryRun: flags.dryRun === true, clientsTold: told, queues: moves });
  else {
    const columns = ['BROKER', number('QUEUE'), number('BEFORE'), number(flags.dryRun ? 'WOULD BE' : 'NOW')];
    const rows = moves.map(({ brokerName, queueId, before, offset }) => [brokerName, queueId, before, offset]);
    shell.out(renderTable(shell, columns, rows));
    if (told > 0) shell.out(shell.style('dim', `${told} clients are online and were told to go on there`));
  }
  return ExitCode.OK;
}

const isOffset = (to: ResetTarget): to is { readonly offset: number } => typeof to === 'object' && 'offset' in to;

function cannotTell(group: string, members: number): CliError {
  return new CliError(`${members} clients of ${group} are online`, ExitCode.FAILED, [
    'They can be told of a time for the whole topic only, and would commit their own offset again.',
    'Stop them first, or give --to a time, earliest or latest, without --queue.',
  ]);
}

/** What would change. Errors: CliError for an offset or a queue there is not. */
async function plan(
  admin: Admin,
  masters: readonly BrokerPlace[],
  group: string,
  topic: string,
  { to, queue: queueId }: ResetFlags,
): Promise<QueueMove[]> {
  const moves = await forEach(masters, async ({ address }) => {
    const { offsetTable } = await admin.groups.consumeStats(address, group, topic);
    const queues = offsetTable.filter(([queue]) => queueId === undefined || queue.queueId === queueId);
    return forEach(queues, async ([queue, { consumerOffset: before }]) => {
      return { ...queue, brokerAddr: address, before, offset: await targetOf(admin, address, queue, to) };
    });
  });
  const all = moves.flat().sort(compareQueues);
  if (all.length > 0) return all;
  const what = queueId === undefined ? `${group} does not subscribe to ${topic}` : `${topic} has no queue ${queueId}`;
  throw new CliError(what, ExitCode.FAILED, [`\`ringmq group progress ${group}\` shows what there is.`]);
}

async function targetOf(admin: Admin, brokerAddr: string, queue: MessageQueue, to: ResetTarget): Promise<number> {
  if (to === 'latest') return admin.topics.maxOffset(brokerAddr, queue);
  if (to === 'earliest') return admin.topics.minOffset(brokerAddr, queue);
  if ('timeMs' in to) return admin.topics.searchOffset(brokerAddr, queue, to.timeMs);
  const { offset } = to;
  const min = await admin.topics.minOffset(brokerAddr, queue);
  const max = await admin.topics.maxOffset(brokerAddr, queue);
  if (offset >= min && offset <= max) return offset;
  const place = `queue ${queue.queueId} of ${queue.brokerName}`;
  throw new CliError(`${place} has no offset ${offset}: it holds ${min} to ${max}`, ExitCode.FAILED, [
    'Name one queue with --queue and --broker, or choose an offset that all of them have.',
  ]);
}

/** Has every broker tell the clients; a broker that none is connected to gets the offsets committed. */
async function tell(
  admin: Admin,
  masters: readonly BrokerPlace[],
  group: string,
  planned: readonly QueueMove[],
  to: Exclude<ResetTarget, { readonly offset: number }>,
): Promise<QueueMove[]> {
  const topic = planned[0]!.topic;
  const timestampMs = to === 'latest' ? -1 : to === 'earliest' ? 0 : to.timeMs;
  const moves = await forEach(masters, async ({ address }) => {
    const own = planned.filter(({ brokerAddr }) => brokerAddr === address);
    const ask = () => admin.groups.resetOffset(address, group, topic, timestampMs);
    const told = await ask().catch(async error => {
      if (!isNeverCommitted(error)) throw error;
      // One queue of which nothing was committed yet, as an empty one, makes the broker refuse all of them.
      for (const move of own) await admin.groups.updateOffset(address, group, move, move.offset);
      return ask();
    });
    if (told === null) {
      for (const move of own) await admin.groups.updateOffset(address, group, move, move.offset);
      return own;
    }
    const offsets = new Map(told.map(([{ queueId }, offset]) => [queueId, offset]));
    return own.flatMap(move => {
      const offset = offsets.get(move.queueId);
      return offset === undefined ? [] : [{ ...move, offset }];
    });
  });
  return moves.flat().sort(compareQueues);
}

/** It has no code of its own. */
function isNeverCommitted(error: unknown): boolean {
  if (!(error instanceof MQBrokerError) || error.responseCode !== ResponseCode.SYSTEM_ERROR) return false;
  return /consumer group <.*> not exist/i.test(error.remark ?? '');
}

export interface CloneFlags extends ReachFlags {
  readonly topic?: string;
}

/** Has a group start where another one is. Errors: CliError while the group is online: it would commit its own. */
export async function cloneGroup(shell: Shell, from: string, to: string, flags: CloneFlags): Promise<number> {
  const queues = await withAdmin(shell, flags, async admin => {
    const masters = mastersIn(await admin.clusterInfo(), undefined);
    const places = [...(await requireGroup(admin, masters, from)).keys()];
    const online = await consumersOf(admin, masters, to);
    if (online !== undefined) {
      throw new CliError(`${online.members.length} clients of ${to} are online`, ExitCode.FAILED, [
        'They would commit their own offsets again: stop them first.',
      ]);
    }
    await forEach(places, async place => {
      const progress = await progressOf(admin, [place], from, flags.topic);
      // Some brokers clone nothing where no topic is named.
      for (const topic of new Set(progress.queues.map(queue => queue.topic))) {
        await admin.groups.cloneOffset(place.address, from, to, topic);
      }
    });
    return (await progressOf(admin, places, to, flags.topic)).queues;
  });
  if (queues.length === 0) {
    throw new CliError(
      `${from} has consumed nothing${flags.topic === undefined ? '' : ` of ${flags.topic}`}`,
      ExitCode.FAILED,
    );
  }
  if (flags.json) printJson(shell, { from, to, queues });
  else {
    const columns = ['TOPIC', 'BROKER', number('QUEUE'), number('OFFSET')];
    const rows = queues.map(({ topic, brokerName, queueId, consumerOffset }) => [
      ...[topic, brokerName, queueId, consumerOffset],
    ]);
    shell.out(renderTable(shell, columns, rows));
  }
  return ExitCode.OK;
}
