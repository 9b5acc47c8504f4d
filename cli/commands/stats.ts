/**
 * `ringmq stats`: what goes into topics and out to groups, and what waits. Source: StatsAllSubCommand.
 */
import type { Admin, BrokerStatsData, BrokerStatsName } from '../../client/index.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { topicNames } from '../names.js';
import { forEach, mastersOfRoute, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

/** A topic with one of its groups, or with none. Units: messages, messages a second. */
interface StatsLine {
  readonly topic: string;
  readonly group?: string;
  readonly backlog: number;
  readonly inTps: number;
  readonly outTps: number;
  readonly in24h: number;
  readonly out24h: number;
}

/** Shows a line for each topic and group; with a name those of this topic, or of this group. */
export async function stats(
  shell: Shell,
  name: string | undefined,
  flags: ReachFlags & { readonly all?: true },
): Promise<number> {
  const lines = await withAdmin(shell, flags, async admin => {
    const topics = await topicNames(admin, flags.all === true);
    const all = await forEach(name !== undefined && topics.includes(name) ? [name] : topics, topic =>
      linesOf(admin, topic),
    );
    return all.flat().filter(line => name === undefined || line.topic === name || line.group === name);
  });
  if (name !== undefined && lines.length === 0) {
    throw new CliError(`no topic is called ${name}, and no group of that name consumes one`, ExitCode.FAILED, [
      '`ringmq topic list` and `ringmq group list` show what there is.',
    ]);
  }
  if (flags.json) printJson(shell, lines);
  else if (lines.length === 0) shell.out('no topics yet');
  else shell.out(tableOf(shell, lines));
  return ExitCode.OK;
}

async function linesOf(admin: Admin, topic: string): Promise<StatsLine[]> {
  const route = await admin.topicRoute(topic);
  if (route === null) return [];
  const masters = mastersOfRoute(route);
  const stored = await counted(admin, masters, 'TOPIC_PUT_NUMS', topic);
  const input = { topic, inTps: stored.tps, in24h: stored.sum };
  const groups = new Set((await forEach(masters, address => admin.groups.ofTopic(address, topic))).flat());
  if (groups.size === 0) return [{ ...input, backlog: 0, outTps: 0, out24h: 0 }];
  return forEach([...groups].sort(), async group => {
    const pulled = await counted(admin, masters, 'GROUP_GET_NUMS', `${topic}@${group}`);
    const offsets = await forEach(masters, address => admin.groups.consumeStats(address, group, topic));
    const backlog = offsets
      .flatMap(({ offsetTable }) => offsetTable)
      .reduce((sum, [, { brokerOffset, consumerOffset }]) => sum + brokerOffset - consumerOffset, 0);
    return { ...input, group, backlog, outTps: pulled.tps, out24h: pulled.sum };
  });
}

/** A counter over all brokers: a second over the last minute, and the last 24 hours. */
async function counted(
  admin: Admin,
  masters: readonly string[],
  statsName: BrokerStatsName,
  statsKey: string,
): Promise<{ tps: number; sum: number }> {
  const found = await forEach(masters, address => admin.brokers.stats(address, statsName, statsKey));
  const all = found.filter(data => data !== undefined);
  return {
    tps: all.reduce((sum, { statsMinute }) => sum + statsMinute.tps, 0),
    sum: all.reduce((sum, data) => sum + sum24Hours(data), 0),
  };
}

/** A young broker has no sample of the longer spans yet: what it counted is in the shorter ones. */
function sum24Hours({ statsDay, statsHour, statsMinute }: BrokerStatsData): number {
  return statsDay.sum || statsHour.sum || statsMinute.sum;
}

function tableOf(shell: Shell, lines: readonly StatsLine[]): string {
  const columns = [
    ...['TOPIC', 'GROUP', number('BACKLOG'), number('IN/S'), number('OUT/S')],
    ...[number('IN 24 H'), number('OUT 24 H')],
  ];
  const rows = lines.map(({ topic, group, backlog, inTps, outTps, in24h, out24h }) =>
    group === undefined
      ? [topic, '-', '-', inTps.toFixed(1), '-', in24h, '-']
      : [topic, group, backlog, inTps.toFixed(1), outTps.toFixed(1), in24h, out24h],
  );
  return renderTable(shell, columns, rows);
}
