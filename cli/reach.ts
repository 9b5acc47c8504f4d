/**
 * Reaching a running cluster from a command: which name server, which brokers, and single requests to one of them.
 */

import { parseAddress } from '../client/address.js';
import {
  Admin,
  type ClusterInfo,
  Connection,
  MQBrokerError,
  type RemotingCommand,
  type TopicRouteData,
} from '../client/index.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { ResponseCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { ExitCode } from './exit-codes.js';
import { CliError } from './failure.js';
import type { Shell } from './shell.js';

/** What every command that talks to a cluster takes. */
export interface ReachFlags {
  readonly namesrvAddr?: string;
  readonly json?: true;
}

const NAMESRV_ADDR_DEFAULT = '127.0.0.1:9876';
/** How long a server may take to answer. Units: ms. */
export const REQUEST_TIMEOUT_MS = 5000;

/** `-n`, else NAMESRV_ADDR, else the name server of a node on this machine. */
export function namesrvAddrOf(shell: Shell, flags: ReachFlags): string {
  return flags.namesrvAddr ?? (shell.env.NAMESRV_ADDR || NAMESRV_ADDR_DEFAULT);
}

/** Does `work` with a client of the cluster's name servers. */
export async function withAdmin<Result>(
  shell: Shell,
  flags: ReachFlags,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = new Admin({ namesrvAddr: namesrvAddrOf(shell, flags) });
  await admin.start();
  try {
    return await work(admin);
  } finally {
    await admin.shutdown();
  }
}

/** One broker of a cluster. */
export interface BrokerPlace {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly address: string;
}

/** Every broker, by cluster, name and id. */
export function brokersOf(info: ClusterInfo): BrokerPlace[] {
  const byName = (a: string, b: string): number => (a < b ? -1 : 1);
  return Object.entries(info.clusterAddrTable)
    .sort(([a], [b]) => byName(a, b))
    .flatMap(([clusterName, names]) =>
      [...names].sort(byName).flatMap(brokerName =>
        Object.entries(info.brokerAddrTable[brokerName]?.brokerAddrs ?? {}).map(([id, address]) => {
          return { clusterName, brokerName, brokerId: Number(id), address };
        }),
      ),
    );
}

/** The masters of a cluster, or of the only one there is. Errors: CliError when that leaves a choice, or nothing. */
export function mastersOf(info: ClusterInfo, clusterName: string | undefined): BrokerPlace[] {
  const clusters = Object.keys(info.clusterAddrTable).sort();
  const chosen = clusterName ?? (clusters.length === 1 ? clusters[0] : undefined);
  if (chosen === undefined && clusters.length > 1) {
    throw new CliError('there are several clusters', ExitCode.FAILED, [
      `Choose one with --clusterName: ${clusters.join(', ')}.`,
    ]);
  }
  const masters = brokersOf(info).filter(place => place.clusterName === chosen && place.brokerId === MASTER_ID);
  if (masters.length > 0) return masters;
  const known = clusters.length === 0 ? 'The name server knows no broker yet.' : `Clusters: ${clusters.join(', ')}.`;
  throw new CliError(chosen === undefined ? 'there is no broker' : `cluster ${chosen} has no master`, ExitCode.FAILED, [
    `${known} \`ringmq cluster list\` shows what is there.`,
  ]);
}

/** The brokers of a cluster, or all brokers there are. Errors: CliError when that is none. */
export function brokersIn(info: ClusterInfo, clusterName: string | undefined): BrokerPlace[] {
  const brokers = brokersOf(info).filter(place => clusterName === undefined || place.clusterName === clusterName);
  if (brokers.length > 0) return brokers;
  throw new CliError(
    clusterName === undefined ? 'there is no broker' : `there is no cluster ${clusterName}`,
    ExitCode.FAILED,
    ['`ringmq cluster list` shows what is there.'],
  );
}

/** The masters among {@link brokersIn}. Errors: as there. */
export function mastersIn(info: ClusterInfo, clusterName: string | undefined): BrokerPlace[] {
  const masters = brokersIn(info, clusterName).filter(({ brokerId }) => brokerId === MASTER_ID);
  if (masters.length > 0) return masters;
  throw new CliError('there is no master', ExitCode.FAILED, ['`ringmq cluster list` shows what is there.']);
}

/** The broker meant by a name, by `host:port`, or by nothing where there is only one. Errors: CliError. */
export function chooseBroker(info: ClusterInfo, named: string | undefined): BrokerPlace {
  const brokers = brokersOf(info);
  const names = [...new Set(brokers.map(({ brokerName }) => brokerName))];
  const list = names.length === 0 ? 'The name server knows no broker yet.' : `Brokers: ${names.join(', ')}.`;
  if (named === undefined) {
    if (brokers.length === 1) return brokers[0]!;
    throw new CliError(`${brokers.length === 0 ? 'there is no broker' : 'say which broker'}`, ExitCode.FAILED, [list]);
  }
  const found = brokers.find(({ address }) => address === named) ?? brokers.find(place => place.brokerName === named);
  if (found !== undefined) return found;
  // An address is enough, known to the name server or not.
  if (/:\d+$/.test(named)) return { clusterName: '', brokerName: '', brokerId: MASTER_ID, address: named };
  throw new CliError(`there is no broker named ${named}`, ExitCode.FAILED, [list]);
}

/** Asks one server and insists on success. Errors: MQBrokerError, MQClientError. */
export async function ask(
  address: string,
  code: number,
  fields: Parameters<typeof createRequest>[1] = {},
  body: Uint8Array | null = null,
): Promise<RemotingCommand> {
  const connection = await Connection.open({ ...parseAddress(address) });
  try {
    const answer = await connection.request(createRequest(code, fields, body), REQUEST_TIMEOUT_MS);
    if (answer.code !== ResponseCode.SUCCESS) throw new MQBrokerError(answer, address);
    return answer;
  } finally {
    await connection.close();
  }
}

/** Requests that are under way at once where a command asks about many things. */
const REQUESTS_AT_ONCE = 16;

/** What `ask` makes of each item, in order. Errors: the first one of `ask`. */
export async function forEach<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += REQUESTS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + REQUESTS_AT_ONCE).map(ask))));
  }
  return results;
}

/** The route of a topic. Errors: CliError when there is no such topic. */
export async function requireRoute(admin: Admin, topic: string): Promise<TopicRouteData> {
  const route = await admin.topicRoute(topic);
  if (route !== null) return route;
  throw new CliError(`there is no topic ${topic}`, ExitCode.FAILED, [
    `\`ringmq topic list\` shows the ones there are; \`ringmq topic create ${topic}\` makes it.`,
  ]);
}

/** The masters that have a topic. */
export function mastersOfRoute(route: TopicRouteData): string[] {
  return route.brokerDatas.flatMap(({ brokerAddrs }) => brokerAddrs[MASTER_ID] ?? []);
}

/** The masters that have a topic, or the one of them that is meant. Errors: CliError when that is none. */
export async function mastersOfTopic(admin: Admin, topic: string, broker: string | undefined): Promise<BrokerPlace[]> {
  const addresses = mastersOfRoute(await requireRoute(admin, topic));
  const masters = brokersOf(await admin.clusterInfo())
    .filter(({ address }) => addresses.includes(address))
    .filter(({ brokerName, address }) => broker === undefined || [brokerName, address].includes(broker));
  if (masters.length > 0) return masters;
  throw new CliError(`${topic} has no master${broker === undefined ? '' : ` ${broker}`}`, ExitCode.FAILED, [
    `\`ringmq topic route ${topic}\` shows where it is.`,
  ]);
}

export function printJson(shell: Shell, value: unknown): void {
  shell.out(JSON.stringify(value, null, 2));
}
