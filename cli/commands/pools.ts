/**
 * `ringmq pools`: how the lanes of a running broker do, and how many there are to be.
 */
import { setTimeout } from 'node:timers/promises';
import type { BrokerReport } from '../../actors/node/broker-report.js';
import { type LaneChange, ReportChange } from '../../actors/node/report-change.js';
import { RequestCode } from '../../protocol/codes.js';
import { formatBytes } from '../../runtime/base/units.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { untilInterrupted } from '../interrupt.js';
import { ask, chooseBroker, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderPairs, renderTable } from '../table.js';
import { setBrokerConfig } from './broker.js';

export interface ReportFlags extends ReachFlags {
  readonly broker?: string;
  /** Between the two looks. Units: s. */
  readonly seconds: number;
}

export interface PoolsFlags extends ReportFlags {
  readonly watch?: true;
}

/** Reads one report. Errors: those of `ask`; a Java broker answers that it knows no such request. */
export async function readReport(address: string): Promise<BrokerReport> {
  const { body } = await ask(address, RequestCode.RINGMQ_GET_REPORT);
  return JSON.parse(new TextDecoder().decode(body ?? new Uint8Array(0))) as BrokerReport;
}

/** The address of the broker that is meant. */
export function reportedBroker(shell: Shell, flags: ReportFlags): Promise<string> {
  return withAdmin(shell, flags, async admin => chooseBroker(await admin.clusterInfo(), flags.broker).address);
}

/** Shows every lane; with `watch` again and again, until a signal. */
export async function showPools(shell: Shell, flags: PoolsFlags): Promise<number> {
  const address = await reportedBroker(shell, flags);
  await untilInterrupted(async signal => {
    try {
      let before = await readReport(address);
      do {
        await setTimeout(flags.seconds * 1000, undefined, { signal });
        const after = await readReport(address);
        print(shell, new ReportChange(before, after), flags);
        before = after;
      } while (flags.watch);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
  return ExitCode.OK;
}

function print(shell: Shell, change: ReportChange, flags: PoolsFlags): void {
  const lanes = [...change.lanes('send-lane'), ...change.lanes('pull-lane')];
  const { config, threadingMode } = change.after;
  const threads = change.threads();
  if (flags.json) {
    const { intervalMs } = change;
    const facts = { atMs: change.after.atMs, intervalMs, threadingMode, config, lanes, threads };
    // One line a look, so that a program can read along.
    if (flags.watch) shell.out(JSON.stringify(facts));
    else printJson(shell, facts);
    return;
  }
  const { sendMessageThreadPoolNums, pullMessageThreadPoolNums, maxInflight } = config;
  const mode =
    threadingMode === 'dedicated' ? 'dedicated' : `${threadingMode}: one lane of each kind, whatever the keys say`;
  shell.out(
    renderPairs(shell, [
      ['threadingMode', mode],
      ['sendMessageThreadPoolNums', sendMessageThreadPoolNums],
      ['pullMessageThreadPoolNums', pullMessageThreadPoolNums],
      ['sends in flight', `${change.now('remoting', 'sendsInFlight')} of ${maxInflight}`],
    ]),
  );
  shell.out('');
  const titles = ['REQUESTS/S', 'BUSY', 'WAITING', 'WAIT P99 MS', 'LONGEST MS', 'REFUSED'].map(number);
  shell.out(renderTable(shell, ['LANE', 'THREAD', ...titles], lanes.map(laneRow)));
  shell.out('');
  const rows = threads.map(({ name, busy, garbage, actors }) => [
    name,
    percent(busy),
    percent(garbage),
    actors.join(' '),
  ]);
  shell.out(renderTable(shell, ['THREAD', number('BUSY'), number('GC'), { title: 'ACTORS', widthMax: 80 }], rows));
  if (flags.watch) shell.out('');
}

function laneRow(lane: LaneChange): (string | number)[] {
  return [
    lane.name,
    lane.active ? lane.thread : `${lane.thread} (not used)`,
    Math.round(lane.requestsPerSecond),
    percent(lane.busy),
    formatBytes(lane.waiting),
    lane.waitP99Ms.toFixed(1),
    lane.waitMaxMs,
    lane.refused + lane.late,
  ];
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

const poolKeys: readonly string[] = ['sendMessageThreadPoolNums', 'pullMessageThreadPoolNums', 'lanesMax'];

/** Changes how many lanes there are to be. Errors: CliError for another key. */
export function setPools(
  shell: Shell,
  words: readonly string[],
  flags: ReachFlags & { readonly broker?: string },
): Promise<number> {
  for (const word of words) {
    const [key = ''] = word.split('=');
    if (poolKeys.includes(key.trim())) continue;
    throw new CliError(`${key} is no key of the pools`, ExitCode.BAD_COMMAND_LINE, [
      `Keys of the pools: ${poolKeys.join(', ')}. \`ringmq broker set\` changes others.`,
    ]);
  }
  return setBrokerConfig(shell, words, flags);
}
