/**
 * `ringmq trace`: what the actors of a broker do with requests, switched on and off, exported, or told for one message.
 */
import fs from 'node:fs';
import { type Admin, decodeMessages, type MessageExt, MQBrokerError } from '../../client/index.js';
import { parseOffsetMsgId } from '../../client/unique-id.js';
import { RequestCode } from '../../protocol/codes.js';
import type { TraceEventName } from '../../runtime/trace/events.js';
import {
  answeredAfterMs,
  type Hop,
  hopsOf,
  mergeRecording,
  type Recording,
  type StoredAt,
  toChromeTrace,
} from '../../runtime/trace/timeline.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { ask, type BrokerPlace, chooseBroker, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

/** Asked for where one is wanted: what only shares a key's hash is sorted out afterwards. */
const FOUND_MAX = 32;

export interface TraceFlags extends ReachFlags {
  readonly broker?: string;
}

function brokerOf(shell: Shell, flags: TraceFlags): Promise<BrokerPlace> {
  return withAdmin(shell, flags, async admin => chooseBroker(await admin.clusterInfo(), flags.broker));
}

/** Traces one in `every` requests from now on; 0: none. */
export async function setTrace(shell: Shell, every: number, flags: TraceFlags): Promise<number> {
  const { brokerName, address } = await brokerOf(shell, flags);
  await ask(address, RequestCode.RINGMQ_SET_TRACE, { every });
  const who = brokerName === '' ? address : brokerName;
  const many = every === 1 ? 'every request' : `one in ${every} requests`;
  if (flags.json) printJson(shell, { brokerName, address, every });
  else shell.out(every === 0 ? `${who} traces nothing` : `${who} traces ${many}; \`ringmq trace stop\` ends it`);
  return ExitCode.OK;
}

type Rows = Readonly<Record<string, readonly [number, TraceEventName, number, number, number, number][]>>;

async function readRecording(address: string, sinceMs: number): Promise<{ recording: Recording; leftOut: number }> {
  const answer = await ask(address, RequestCode.RINGMQ_GET_TRACE, { sinceMs });
  const rows = JSON.parse(new TextDecoder().decode(answer.body ?? new Uint8Array(0))) as Rows;
  const recording = Object.fromEntries(
    Object.entries(rows).map(([actor, events]) => [
      actor,
      events.map(([timeMs, name, traceId, value, first, second]) => ({ timeMs, name, traceId, value, first, second })),
    ]),
  );
  return { recording, leftOut: Number(answer.extFields.leftOut ?? 0) };
}

export interface ExportFlags extends TraceFlags {
  readonly output: string;
  /** Units: s. */
  readonly seconds: number;
}

/** Writes the last seconds to a file that Perfetto and Chrome open. Errors: CliError when nothing is recorded. */
export async function exportTrace(shell: Shell, flags: ExportFlags): Promise<number> {
  const { address } = await brokerOf(shell, flags);
  const { recording, leftOut } = await readRecording(address, Date.now() - flags.seconds * 1000);
  const count = Object.values(recording).reduce((sum, events) => sum + events.length, 0);
  if (count === 0) throw nothingTraced(`nothing was traced in the last ${flags.seconds} s`);
  fs.writeFileSync(flags.output, JSON.stringify(toChromeTrace(recording)));
  const actors = Object.keys(recording).length;
  if (flags.json) printJson(shell, { output: flags.output, events: count, actors, leftOut });
  else shell.out(`${count} events of ${actors} actors are in ${flags.output}`);
  if (leftOut > 0) shell.err(`${leftOut} older events did not fit; ask for fewer seconds, or trace fewer requests`);
  if (!flags.json) shell.out('Open it at https://ui.perfetto.dev, or with chrome://tracing.');
  return ExitCode.OK;
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
  const { address } = await brokerOf(shell, flags);
  const stored = await withAdmin(shell, flags, admin => findMessage(admin, address, id, flags.topic));
  const { recording } = await readRecording(address, 0);
  const hops = hopsOf(mergeRecording(recording), stored);
  if (hops.length === 0) throw nothingTraced('the message is there, and its send was not traced');
  const answeredMs = answeredAfterMs(hops);
  if (flags.json) printJson(shell, { ...stored, answeredMs, hops });
  else {
    shell.out(hopTable(shell, hops));
    if (answeredMs !== undefined) shell.out(`answered ${answeredMs.toFixed(3)} ms after it arrived`);
  }
  return ExitCode.OK;
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
  for (const unique of [true, false]) {
    const [found] = await admin.messages.query(address, { topic, key: id, unique, ...range });
    if (found !== undefined) return storedAt(found);
  }
  throw new CliError(`no message of ${topic} has the id or key ${id}`, ExitCode.FAILED);
}

/** A broker that has no message at an offset answers with an error; another error is one. */
function orNothingThere(error: unknown): undefined {
  if (!(error instanceof MQBrokerError)) throw error;
}

function storedAt({ commitLogOffset, storeSize }: MessageExt): StoredAt {
  return { physicalOffset: commitLogOffset, size: storeSize };
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
