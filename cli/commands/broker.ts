/**
 * `ringmq broker`: what a running broker tells of itself, and its configuration.
 */
import { brokerSchema } from '../../config/index.js';
import { nearest } from '../../config/nearest.js';
import { formatBytes } from '../../runtime/base/units.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { chooseBroker, printJson, type ReachFlags, withAdmin } from '../reach.js';
import { readSetting } from '../settings-words.js';
import type { Shell } from '../shell.js';
import { renderPairs, renderTable } from '../table.js';

/** Shows the state of a broker; with `all` every value it tells. */
export async function brokerStatus(
  shell: Shell,
  named: string | undefined,
  flags: ReachFlags & { readonly all?: true },
): Promise<number> {
  const { place, info } = await withAdmin(shell, flags, async admin => {
    const chosen = chooseBroker(await admin.clusterInfo(), named);
    return { place: chosen, info: await admin.brokerRuntimeInfo(chosen.address) };
  });
  if (flags.json) printJson(shell, info);
  else if (flags.all)
    shell.out(
      renderPairs(
        shell,
        Object.entries(info).sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    );
  else {
    const who: [string, string][] = [['broker', [place.brokerName, place.address].join(' ').trim()]];
    shell.out(renderPairs(shell, [...who, ...summaryOf(info)]));
  }
  return ExitCode.OK;
}

function summaryOf(info: Readonly<Record<string, string>>): [string, string][] {
  const bytes = (name: string): string => formatBytes(Number(info[name] ?? 0));
  const rates = (text = ''): string => {
    const spans = ['10 s', '1 min', '10 min'];
    return text
      .split(' ')
      .map((rate, index) => `${Number(rate).toFixed(1)} (${spans[index]})`)
      .join('  ');
  };
  const percent = (Number(info.commitLogDiskRatio ?? 0) * 100).toFixed(0);
  return [
    ['version', info.brokerVersionDesc ?? '-'],
    ['running for', (info.runtime ?? '-').replace(/^\[ ?| ?\]$/g, '')],
    ['messages stored', `${info.putMessageTimesTotal ?? '-'} since the start`],
    ['stored a second', rates(info.putTps)],
    ['put latency', latenciesOf(info)],
    ['pulled a second', rates(info.getTransferedTps ?? info.getTransferredTps)],
    ['commit log', `${bytes('commitLogMinOffset')} to ${bytes('commitLogMaxOffset')}`],
    ['not yet in queues', bytes('dispatchBehindBytes')],
    ['not yet on disk', info.remainHowManyDataToFlush ?? '-'],
    ['disk used', `${percent}%  ${info.commitLogDirCapacity ?? ''}`],
    ...replicationOf(info),
  ];
}

/** `[<=0ms]:12 [0~10ms]:3 …` without the classes that are empty, and what the slowest 1 in 100 and in 1000 took. */
function latenciesOf(info: Readonly<Record<string, string>>): string {
  const classes = [...(info.putMessageDistributeTime ?? '').matchAll(/\[([^\]]+)\]:(\d+)/g)];
  const counts = classes.filter(([, , count]) => count !== '0').map(([, span, count]) => `${span}: ${count}`);
  const percentiles = [
    ['the minute before p99', info.putLatency99],
    ['p99.9', info.putLatency999],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value} ms`]));
  const longest = info.putMessageEntireTimeMax;
  if (longest !== undefined) percentiles.push(`longest ${Math.ceil(Number(longest))} ms`);
  const lately = counts.length === 0 ? 'nothing stored this minute' : `this minute ${counts.join('  ')}`;
  return [lately, ...percentiles].join('; ');
}

/** Rows of a RingMQ broker that has slaves, or is one. */
function replicationOf(info: Readonly<Record<string, string>>): [string, string][] {
  const { haMaster, haState, haTrouble, haSetAside } = info;
  const rows = Object.entries(info).filter(([name]) => name.startsWith('haSlave_'));
  const slaves = rows.map(([name, words]): [string, string] => [`slave ${name.slice('haSlave_'.length)}`, words]);
  if (haSetAside !== undefined) slaves.push(['set aside', haSetAside]);
  if (haState === undefined) return slaves;
  const trouble = haTrouble === undefined ? '' : `: ${haTrouble}`;
  return [...slaves, ['replicates from', `${haMaster || 'no master is known'}, ${haState}${trouble}`]];
}

export interface BrokerFlags extends ReachFlags {
  readonly broker?: string;
}

/** Prints the configuration in effect: all keys, or those asked for. Errors: CliError for a key it does not have. */
export async function brokerConfig(shell: Shell, keys: readonly string[], flags: BrokerFlags): Promise<number> {
  const config = await withAdmin(shell, flags, async admin => {
    return admin.brokerConfig(chooseBroker(await admin.clusterInfo(), flags.broker).address);
  });
  for (const key of keys) if (!Object.hasOwn(config, key)) throw unknownKey(key, Object.keys(config));
  const shown = keys.length === 0 ? Object.keys(config).sort() : keys;
  if (flags.json) printJson(shell, Object.fromEntries(shown.map(key => [key, config[key]])));
  else shell.out(shown.map(key => `${key}=${config[key]}`).join('\n'));
  return ExitCode.OK;
}

function unknownKey(key: string, known: Iterable<string>): CliError {
  const meant = nearest(key, known);
  const advice = meant === undefined ? '`ringmq broker config` shows all of them.' : `Did you mean ${meant}?`;
  return new CliError(`the broker has no key ${key}`, ExitCode.FAILED, [advice]);
}

/** Changes keys of a running broker and looks whether it took them. */
export async function setBrokerConfig(shell: Shell, words: readonly string[], flags: BrokerFlags): Promise<number> {
  const wanted = new Map(words.map(readSetting));
  const outcome = await withAdmin(shell, flags, async admin => {
    const { address } = chooseBroker(await admin.clusterInfo(), flags.broker);
    const before = await admin.brokerConfig(address);
    for (const key of wanted.keys()) if (!knows(before, key)) throw unknownKey(key, Object.keys(before));
    const remark = await admin.brokers.updateConfig(address, Object.fromEntries(wanted));
    return { before, remark, after: await admin.brokerConfig(address) };
  });
  const changes = [...wanted].map(([written, value]) => {
    const key = brokerSchema.canonical.get(written) ?? written;
    const before = outcome.before[key] ?? '';
    const after = outcome.after[key] ?? '';
    return { key, wanted: value, before, after, taken: after === value.trim() };
  });
  if (flags.json) printJson(shell, { changes, remark: outcome.remark });
  else {
    const rows = changes.map(({ key, before, after }) => [key, before, after]);
    shell.out(renderTable(shell, ['KEY', 'BEFORE', 'NOW'], rows));
    if (outcome.remark) shell.out(outcome.remark);
  }
  const refused = changes.filter(({ taken }) => !taken).map(({ key }) => key);
  if (refused.length === 0) return ExitCode.OK;
  shell.err(`ringmq: the broker holds another value than asked for: ${refused.join(', ')}`);
  return ExitCode.FAILED;
}

const knows = (config: Readonly<Record<string, string>>, key: string): boolean =>
  Object.hasOwn(config, brokerSchema.canonical.get(key) ?? key);
