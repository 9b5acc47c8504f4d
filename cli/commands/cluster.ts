/**
 * `ringmq cluster list`: every broker the name server knows, and how it is doing.
 */
import type { Admin } from '../../client/index.js';
import { ExitCode } from '../exit-codes.js';
import { type BrokerPlace, brokersOf, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

interface BrokerLine extends BrokerPlace {
  /** What a broker tells of itself; undefined when it does not answer. */
  readonly runtime: Readonly<Record<string, string>> | undefined;
}

export async function listClusters(shell: Shell, flags: ReachFlags): Promise<number> {
  const lines = await withAdmin(shell, flags, async admin => {
    return Promise.all(brokersOf(await admin.clusterInfo()).map(place => lineOf(admin, place)));
  });
  if (flags.json) printJson(shell, lines.map(toJson));
  else if (lines.length === 0) {
    shell.out('the name server knows no broker yet: `ringmq start`, or `mqbroker -n ADDRS -c FILE`, starts one');
  } else shell.out(tableOf(shell, lines));
  return ExitCode.OK;
}

/** A broker that is gone is a line of the table, not the end of the command. */
async function lineOf(admin: Admin, place: BrokerPlace): Promise<BrokerLine> {
  return { ...place, runtime: await admin.brokerRuntimeInfo(place.address).catch(() => undefined) };
}

function tableOf(shell: Shell, lines: readonly BrokerLine[]): string {
  const columns = [
    'CLUSTER',
    'BROKER',
    number('ID'),
    'ADDRESS',
    'VERSION',
    number('IN/S'),
    number('OUT/S'),
    number('DISK'),
  ];
  const rows = lines.map(({ clusterName, brokerName, brokerId, address, runtime }) => {
    const place = [clusterName, brokerName, brokerId, address];
    if (runtime === undefined) return [...place, shell.style('red', 'no answer'), '-', '-', '-'];
    return [...place, runtime.brokerVersionDesc ?? '-', ...numbersOf(runtime)];
  });
  return renderTable(shell, columns, rows);
}

function toJson({ runtime, ...place }: BrokerLine): object {
  if (runtime === undefined) return { ...place, answers: false };
  const [inTps, outTps] = ratesOf(runtime);
  return { ...place, answers: true, version: runtime.brokerVersionDesc, inTps, outTps, runtime };
}

/** Messages a second over the last ten seconds, in and out. RocketMQ writes three spans as `10.0 9.5 8.1`. */
function ratesOf(runtime: Readonly<Record<string, string>>): [number, number] {
  const first = (text = ''): number => Number(text.split(' ')[0]) || 0;
  return [first(runtime.putTps), first(runtime.getTransferedTps ?? runtime.getTransferredTps)];
}

function numbersOf(runtime: Readonly<Record<string, string>>): string[] {
  const ratio = Number(runtime.commitLogDiskRatio);
  const disk = Number.isFinite(ratio) ? `${Math.round(ratio * 100)}%` : '-';
  return [...ratesOf(runtime).map(rate => rate.toFixed(1)), disk];
}
