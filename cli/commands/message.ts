/**
 * `ringmq message`: single messages, by id, by key, by time.
 */
import type { Admin, MessageExt } from '../../client/index.js';
import { parseOffsetMsgId } from '../../client/unique-id.js';
import { MASTER_ID } from '../../protocol/bodies/route.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { brokersOf, forEach, printJson, type ReachFlags, requireRoute, withAdmin } from '../reach.js';
import { bodyOf, messageFields, readQueues, withReader } from '../read-messages.js';
import type { Shell } from '../shell.js';
import { number, renderPairs, renderTable } from '../table.js';
import { formatTime } from '../time.js';

/** Messages that one broker is asked for by a unique id: a producer that tries again stores it more than once. */
const UNIQUE_MAX = 32;

export interface ShowFlags extends ReachFlags {
  readonly topic?: string;
}

/** How a consumer group stands to a message. */
interface Track {
  readonly group: string;
  readonly state: 'consumed' | 'not yet';
}

/** Shows one message and which groups are past it. Errors: CliError when there is no such message. */
export async function showMessage(shell: Shell, id: string, flags: ShowFlags): Promise<number> {
  const { message, tracks } = await withAdmin(shell, flags, async admin => {
    const found =
      flags.topic === undefined ? await viewById(admin, id) : (await findByUnique(admin, flags.topic, id))[0];
    if (found === undefined) throw new CliError(`${flags.topic} has no message ${id}`, ExitCode.FAILED);
    return { message: found, tracks: await tracksOf(admin, found) };
  });
  if (flags.json) printJson(shell, { ...messageFields(message), ...moreFields(message), tracks });
  else {
    shell.out(renderPairs(shell, pairsOf(message)));
    const properties = Object.entries(message.properties);
    if (properties.length > 0) shell.out(`\n${renderTable(shell, ['PROPERTY', 'VALUE'], properties)}`);
    if (tracks.length > 0) {
      const rows = tracks.map(({ group, state }) => [group, state]);
      shell.out(`\n${renderTable(shell, ['GROUP', 'STATE'], rows)}`);
    }
    shell.out(`\n${bodyOf(message)}`);
  }
  return ExitCode.OK;
}

/** The id of a producer looks like an offset message id; its address is that of no broker. */
async function viewById(admin: Admin, id: string): Promise<MessageExt> {
  const { address } = parseOffsetMsgId(id);
  const advice = ['Is it the unique id a producer gave? Then name its topic with --topic.'];
  if (!brokersOf(await admin.clusterInfo()).some(place => place.address === address)) {
    throw new CliError(`${id} is no offset message id of a broker here`, ExitCode.FAILED, advice);
  }
  const message = await admin.messages.view(id);
  if (message !== undefined) return message;
  throw new CliError(`${address} has no message ${id}`, ExitCode.FAILED, advice);
}

function findByUnique(admin: Admin, topic: string, key: string): Promise<MessageExt[]> {
  const endTimestamp = Number.MAX_SAFE_INTEGER;
  return query(admin, topic, { key, unique: true, beginTimestamp: 0, endTimestamp, maxNum: UNIQUE_MAX });
}

/** Asks a broker of each name, the master where there is one; oldest message first. */
async function query(
  admin: Admin,
  topic: string,
  what: Omit<Parameters<Admin['messages']['query']>[1], 'topic'>,
): Promise<MessageExt[]> {
  const { brokerDatas } = await requireRoute(admin, topic);
  const addresses = brokerDatas.flatMap(
    ({ brokerAddrs }) => brokerAddrs[MASTER_ID] ?? Object.values(brokerAddrs).slice(0, 1),
  );
  const found = await forEach(addresses, address => admin.messages.query(address, { topic, ...what }));
  return found.flat().sort((a, b) => a.storeTimestamp - b.storeTimestamp);
}

/** A group that is past the message in its queue consumed it, or passed over it: its filter is not looked at. */
async function tracksOf(admin: Admin, { topic, queueId, queueOffset, storeHost }: MessageExt): Promise<Track[]> {
  const groups = await admin.groups.ofTopic(storeHost, topic).catch(() => []);
  return forEach([...groups].sort(), async group => {
    const { offsetTable } = await admin.groups.consumeStats(storeHost, group, topic);
    const queue = offsetTable.find(([one]) => one.topic === topic && one.queueId === queueId);
    return { group, state: (queue?.[1].consumerOffset ?? 0) > queueOffset ? 'consumed' : 'not yet' };
  });
}

const moreFields = ({ bornHost, storeHost, storeSize, commitLogOffset, reconsumeTimes, sysFlag }: MessageExt) => ({
  ...{ bornHost, storeHost, storeSize, commitLogOffset, reconsumeTimes, sysFlag },
});

function pairsOf(message: MessageExt): [string, string | number][] {
  return [
    ['topic', message.topic],
    ['queue', `${message.queueId}, offset ${message.queueOffset}`],
    ['unique id', message.msgId],
    ['offset message id', message.offsetMsgId],
    ['tags', message.tags ?? '-'],
    ['keys', message.keys.join(' ') || '-'],
    ['sent', `${formatTime(message.bornTimestamp)} from ${message.bornHost}`],
    ['stored', `${formatTime(message.storeTimestamp)} on ${message.storeHost}`],
    ['commit log', `${message.commitLogOffset}, ${message.storeSize} bytes`],
    ['consumed again', `${message.reconsumeTimes} times`],
    ['system flag', message.sysFlag],
  ];
}

export interface FindFlags extends ReachFlags {
  readonly topic: string;
  readonly key?: string;
  readonly unique?: string;
  readonly from?: number;
  readonly to?: number;
  readonly max: number;
}

/** Lists the messages that have a key or a unique id. Errors: CliError without either; exit code 1 for none. */
export async function findMessages(shell: Shell, flags: FindFlags): Promise<number> {
  const { topic, key, unique, from = 0, to = Number.MAX_SAFE_INTEGER, max } = flags;
  if (key === undefined && unique === undefined) {
    throw new CliError('nothing to look for', ExitCode.BAD_COMMAND_LINE, ['Give --key KEY or --unique ID.']);
  }
  const messages = await withAdmin(shell, flags, admin => {
    if (unique !== undefined) return findByUnique(admin, topic, unique);
    return query(admin, topic, { key: key!, unique: false, beginTimestamp: from, endTimestamp: to, maxNum: max });
  });
  if (messages.length === 0) {
    const what = unique === undefined ? `the key ${key}` : `the unique id ${unique}`;
    throw new CliError(`no message of ${topic} has ${what}`, ExitCode.FAILED, [
      'The index knows a message a moment after it was stored, and as long as its file is kept.',
    ]);
  }
  printMessages(shell, flags, messages);
  return ExitCode.OK;
}

export interface ListFlags extends ReachFlags {
  readonly from?: number;
  readonly to?: number;
  readonly tags: string;
  readonly max: number;
}

/** Lists the messages of a topic that were stored between two times. */
export async function listMessages(shell: Shell, topic: string, flags: ListFlags): Promise<number> {
  return withReader(shell, flags, async consumer => {
    const queues = await consumer.fetchSubscribeMessageQueues(topic);
    const { messages, more } = await readQueues(consumer, queues, {
      from: flags.from === undefined ? 'earliest' : new Date(flags.from),
      ...(flags.to === undefined ? {} : { untilMs: flags.to }),
      tags: flags.tags,
      max: flags.max,
    });
    if (flags.json || messages.length > 0) printMessages(shell, flags, messages);
    if (!flags.json) shell.err(`${messages.length} messages${more ? '; there are more: --max N' : ''}`);
    return ExitCode.OK;
  });
}

function printMessages(shell: Shell, flags: ReachFlags, messages: readonly MessageExt[]): void {
  if (flags.json) {
    printJson(
      shell,
      messages.map(message => ({ ...messageFields(message), ...moreFields(message) })),
    );
    return;
  }
  const columns = ['STORED', 'BROKER', number('QUEUE'), number('OFFSET'), 'ID', 'TAGS', 'KEYS', number('BYTES')];
  const rows = messages.map(message => [
    formatTime(message.storeTimestamp),
    message.storeHost,
    message.queueId,
    message.queueOffset,
    message.msgId,
    message.tags ?? '-',
    message.keys.join(' ') || '-',
    message.storeSize,
  ]);
  shell.out(renderTable(shell, columns, rows));
}
