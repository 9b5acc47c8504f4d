/**
 * `ringmq cluster status`: masters and slaves under each broker name, how far the slaves are behind, who is connected.
 */
import type { Admin } from '../../client/index.js';
import { MASTER_ID } from '../../protocol/bodies/route.js';
import { formatBytes } from '../../runtime/base/units.js';
import { ExitCode } from '../exit-codes.js';
import { type BrokerPlace, brokersOf, forEach, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

interface BrokerState extends BrokerPlace {
  /** `SYNC_MASTER`, `ASYNC_MASTER`, `SLAVE`; undefined when it does not answer. */
  readonly role?: string;
  /** Where its commit log ends. Units: bytes. */
  readonly commitLogMaxOffset?: number;
  /** Why a slave does not follow its master. */
  readonly trouble?: string;
  /** Where a slave keeps the end of its log that it cut off to follow its master. */
  readonly setAside?: string;
  /** What the master has more. Undefined for masters, and when one of the two does not answer. Units: bytes. */
  readonly lagBytes?: number;
  /** Clients that consume, each once. */
  readonly consumers?: number;
  /** Clients that produce; undefined with brokers older than 4.9.4, which do not tell. */
  readonly producers?: number;
}

/** Shows every broker; one that does not answer is a line too. */
export async function clusterStatus(shell: Shell, flags: ReachFlags): Promise<number> {
  const states = await withAdmin(shell, flags, async admin => {
    const brokers = brokersOf(await admin.clusterInfo());
    return withLags(await forEach(brokers, place => stateOf(admin, place)));
  });
  if (flags.json) printJson(shell, states);
  else if (states.length === 0) shell.out('the name server knows no broker yet');
  else shell.out([tableOf(shell, states), ...states.flatMap(remarksOf)].join('\n'));
  return ExitCode.OK;
}

async function stateOf(admin: Admin, place: BrokerPlace): Promise<BrokerState> {
  const { address } = place;
  try {
    const [config, runtime] = await Promise.all([admin.brokers.config(address), admin.brokers.runtimeInfo(address)]);
    return {
      ...place,
      role: config.brokerRole ?? '?',
      commitLogMaxOffset: Number(runtime.commitLogMaxOffset ?? 0),
      ...(runtime.haTrouble === undefined ? {} : { trouble: runtime.haTrouble }),
      ...(runtime.haSetAside === undefined ? {} : { setAside: runtime.haSetAside }),
      ...(await clientsOf(admin, address)),
    };
  } catch {
    return place;
  }
}

async function clientsOf(admin: Admin, address: string): Promise<Pick<BrokerState, 'consumers' | 'producers'>> {
  const groups = Object.keys(await admin.groups.configs(address));
  const online = await forEach(groups, group => admin.groups.consumers(address, group));
  const consumers = new Set(online.flatMap(answer => answer?.connectionSet.map(({ clientId }) => clientId) ?? [])).size;
  const table = await admin.groups.allProducers(address).catch(() => undefined);
  if (table === undefined) return { consumers };
  return { consumers, producers: new Set(Object.values(table).flat()).size };
}

function withLags(states: readonly BrokerState[]): BrokerState[] {
  return states.map(state => {
    if (state.brokerId === MASTER_ID || state.commitLogMaxOffset === undefined) return state;
    const master = states.find(
      ({ clusterName, brokerName, brokerId }) =>
        clusterName === state.clusterName && brokerName === state.brokerName && brokerId === MASTER_ID,
    );
    if (master?.commitLogMaxOffset === undefined) return state;
    // The two were not asked at the same moment: a slave may seem to be ahead.
    return { ...state, lagBytes: Math.max(0, master.commitLogMaxOffset - state.commitLogMaxOffset) };
  });
}

/** Lines under the table. */
function remarksOf({ address, trouble, setAside }: BrokerState): string[] {
  return [
    ...(trouble === undefined ? [] : [`${address} does not follow its master: ${trouble}`]),
    ...(setAside === undefined ? [] : [`${address} has set aside what its master did not have: ${setAside}`]),
  ];
}

function tableOf(shell: Shell, states: readonly BrokerState[]): string {
  const columns = [
    ...['CLUSTER', 'BROKER', number('ID'), 'ROLE', 'ADDRESS', number('LOG END'), number('LAG')],
    ...[number('CONSUMERS'), number('PRODUCERS')],
  ];
  const rows = states.map(state => {
    const { clusterName, brokerName, brokerId, role, address, commitLogMaxOffset, lagBytes } = state;
    return [
      ...[clusterName, brokerName, brokerId, role ?? shell.style('red', 'no answer'), address],
      ...[commitLogMaxOffset ?? '-', lagBytes === undefined ? '-' : formatBytes(lagBytes)],
      ...[state.consumers ?? '-', state.producers ?? '-'],
    ];
  });
  return renderTable(shell, columns, rows);
}
