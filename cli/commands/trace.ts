/**
 * `ringmq trace`: what the actors of a broker do with requests, switched on and off, exported, or told for one message.
 */
import fs from 'node:fs';
import { type Admin, decodeMessages, type MessageExt, MQBrokerError } from '../../client/index.js';
import { parseOffsetMsgId } from '../../client/unique-id.js';
import { RequestCode } from '../../protocol/codes.js';
import { HALF_TOPIC, SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import { answeredAfterMs, type Hop, hopsOf, mergeRecording, toChromeTrace } from '../../runtime/trace/timeline.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { ask, type BrokerPlace, printJson, type ReachFlags, withAdmin } from '../reach.js';
import { clockRemark, fetchRecording, fetchSlave, onSlaves, type TracedGroup, tracedGroup } from '../recordings.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

/** Asked for where one is wanted: what only shares a key's hash is sorted out afterwards. */
const FOUND_MAX = 32;

export interface TraceFlags extends ReachFlags {
  readonly broker?: string;
}

function groupOf(shell: Shell, flags: TraceFlags): Promise<TracedGroup> {
  return withAdmin(shell, flags, async admin => tracedGroup(await admin.clusterInfo(), flags.broker));
}

/** Traces one in `every` requests from now on, 0: none; slaves too, unless an address says which broker. */
export async function setTrace(shell: Shell, every: number, flags: TraceFlags): Promise<number> {
  const { broker, slaves } = await groupOf(shell, flags);
  const { brokerName, address } = broker;
  await ask(address, RequestCode.RINGMQ_SET_TRACE, { every });
  const { done, faults } = await onSlaves(flags.broker === address ? [] : slaves, async slave => {
    await ask(slave.address, RequestCode.RINGMQ_SET_TRACE, { every });
    return slave.address;
  });
  const who = brokerName === '' ? address : brokerName;
  const many = every === 1 ? 'every request' : `one in ${every} requests`;
  const more = done.length === 0 ? '' : `, and so does its slave ${done.join(' and ')}`;
  if (flags.json) printJson(shell, { brokerName, address, every, slaves: done });
  else
    shell.out(
      every === 0 ? `${who} traces nothing${more}` : `${who} traces ${many}${more}; \`ringmq trace stop\` ends it`,
    );
  for (const fault of faults) shell.err(fault);
  return ExitCode.OK;
}

export interface ExportFlags extends TraceFlags {
  readonly output: string;
  /** Units: s. */
  readonly seconds: number;
}

/** Writes the last seconds to a file that Perfetto and Chrome open. Errors: CliError when nothing is recorded. */
export async function exportTrace(shell: Shell, flags: ExportFlags): Promise<number> {
  const { broker, slaves } = await groupOf(shell, flags);
  const sinceMs = Date.now() - flags.seconds * 1000;
  const own = await fetchRecording(broker.address, sinceMs);
  const { done, faults } = await onSlaves(slaves, slave => fetchSlave(broker.address, slave, sinceMs));
  const named = [[nameOf(broker), own] as const, ...done.map(one => [nameOf(one.slave), one] as const)];
  const recordings = Object.fromEntries(named.map(([name, { recording }]) => [name, recording]));
  const rows = Object.values(recordings).flatMap(recording => Object.values(recording));
  const count = rows.reduce((sum, events) => sum + events.length, 0);
  if (count === 0) throw nothingTraced(`nothing was traced in the last ${flags.seconds} s`);
  const leftOut = named.reduce((sum, [, fetched]) => sum + fetched.leftOut, 0);
  fs.writeFileSync(flags.output, JSON.stringify(toChromeTrace(recordings)));
  const actors = rows.length;
  if (flags.json) printJson(shell, { output: flags.output, events: count, actors, leftOut });
  else shell.out(`${count} events of ${actors} actors are in ${flags.output}`);
  for (const remark of [...faults, ...done.filter(({ moved }) => moved).map(clockRemark)]) shell.err(remark);
  if (leftOut > 0) shell.err(`${leftOut} older events did not fit; ask for fewer seconds, or trace fewer requests`);
  if (!flags.json) shell.out('Open it at https://ui.perfetto.dev, or with chrome://tracing.');
  return ExitCode.OK;
}

function nameOf({ brokerName, brokerId, address }: BrokerPlace): string {
  return brokerName === '' ? address : `${brokerName}-${brokerId}`;
}

function nothingTraced(message: string): CliError {
  return new CliError(message, ExitCode.FAILED, [
    '`ringmq trace start` traces requests from then on; recorders keep the newest 16,384 events of each actor.',
  ]);
}

export interface MessageFlags extends TraceFlags {
  readonly topic?: string;
}

/** The hops of one message, found by its offset message id, its unique id or a key. Errors: CliError. */
export async function traceMessage(shell: Shell, id: string, flags: MessageFlags): Promise<number> {
  const { broker, slaves } = await groupOf(shell, flags);
  const stored = await withAdmin(shell, flags, admin => findMessage(admin, broker.address, id, flags.topic));
  const { recording } = await fetchRecording(broker.address, 0);
  const { done, faults } = await onSlaves(slaves, slave => fetchSlave(broker.address, slave, 0));
  const followers = done.flatMap(({ slave, recording: its }) =>
    mergeRecording(its).map(event => ({ ...event, actor: `${nameOf(slave)}: ${event.actor}` })),
  );
  const hops = hopsOf(mergeRecording(recording), stored.physicalOffset, followers);
  if (hops.length === 0) throw nothingTraced('the message is there, and its send was not traced');
  const answeredMs = answeredAfterMs(hops);
  if (flags.json) {
    const clocks = done.map(({ slave, clock, moved }) => ({ address: slave.address, ...clock, moved }));
    printJson(shell, { ...stored, answeredMs, clocks, hops });
  } else {
    shell.out(hopTable(shell, hops));
    shell.out(birthRemark(stored.bornTimestamp, hops[0]!));
    if (answeredMs !== undefined) shell.out(`answered ${answeredMs.toFixed(3)} ms after it arrived`);
    for (const one of done) shell.out(clockRemark(one));
  }
  for (const fault of faults) shell.err(fault);
  return ExitCode.OK;
}

interface StoredAt {
  readonly physicalOffset: number;
  /** By the clock of its client. Units: ms since the epoch. */
  readonly bornTimestamp: number;
  /** Units: bytes. */
  readonly size: number;
}

/** Where a message is stored. An offset message id says it itself: host, port and physical offset, in hex. */
async function findMessage(admin: Admin, address: string, id: string, topic: string | undefined): Promise<StoredAt> {
  if (/^[0-9A-Fa-f]{32}$/.test(id)) {
    const offset = parseOffsetMsgId(id).physicalOffset;
    const found = await ask(address, RequestCode.VIEW_MESSAGE_BY_ID, { offset }).catch(orNothingThere);
    if (found?.body != null) return storedAt(decodeMessages(found.body)[0]!);
  }
  if (topic === undefined) {
    throw new CliError(`no message has the id ${id} on ${address}`, ExitCode.FAILED, [
      'To look for a key, or for the unique id of a client, name its topic with --topic.',
    ]);
  }
  const range = { beginTimestamp: 0, endTimestamp: Number.MAX_SAFE_INTEGER, maxNum: FOUND_MAX };
  // Until it is due, or committed, it stands in another topic.
  for (const place of [topic, SCHEDULE_TOPIC, HALF_TOPIC]) {
    for (const unique of [true, false]) {
      const [found] = await admin.messages.query(address, { topic: place, key: id, unique, ...range });
      if (found !== undefined) return storedAt(found);
    }
  }
  throw new CliError(`no message of ${topic} has the id or key ${id}`, ExitCode.FAILED);
}

/** A broker that has no message at an offset answers with an error; another error is one. */
function orNothingThere(error: unknown): undefined {
  if (!(error instanceof MQBrokerError)) throw error;
}

function storedAt({ commitLogOffset, storeSize, bornTimestamp }: MessageExt): StoredAt {
  return { physicalOffset: commitLogOffset, size: storeSize, bornTimestamp };
}

/** How long its client had it, and the network: as far as two clocks and whole milliseconds can tell. */
function birthRemark(bornTimestamp: number, { label, timeMs }: Hop): string {
  const beforeMs = Math.floor(timeMs) - bornTimestamp;
  const when = beforeMs < 0 ? `${-beforeMs} ms after` : `${beforeMs} ms before`;
  return `made ${when} it ${label}, by the clock of its client`;
}

function hopTable(shell: Shell, hops: readonly Hop[]): string {
  const start = hops[0]!.timeMs;
  const rows = hops.map(({ actor, label, timeMs, tookMs }) => [
    label,
    actor,
    (timeMs - start).toFixed(3),
    tookMs.toFixed(3),
  ]);
  return renderTable(shell, ['HOP', 'ACTOR', number('AT MS'), number('TOOK MS')], rows);
}
