/**
 * Which brokers live, and by which addresses their topics are reached. Pure state, one owner, no clock: the time is
 * handed in. Invariant: every address of a broker name has one live entry, and every live entry one such address.
 * Source: spec remoting 9, pitfalls 18-23; RouteInfoManager.
 */
import {
  type BrokerData,
  type ClusterInfo,
  type DataVersion,
  encodeTopicRouteData,
  equalDataVersions,
  MASTER_ID,
  type TopicConfig,
  type TopicRouteData,
} from '../../protocol/bodies.js';
import { minuteMs } from '../../runtime/base/units.js';
import { TopicQueueTable } from './topic-queue-table.js';

/** A broker that has not registered for this long is gone. */
export const BROKER_EXPIRED_MS = 2 * minuteMs;
/** More brokers, by address, are refused. */
export const BROKERS_MAX = 10_000;

/** Who a broker says it is. */
export interface BrokerIdentity {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerAddr: string;
  /** 0 for the master. */
  readonly brokerId: number;
}

export interface BrokerRegistration extends BrokerIdentity {
  readonly haServerAddr: string | undefined;
  readonly dataVersion: DataVersion;
  readonly topics: readonly TopicConfig[];
  /** `null` leaves what is known. */
  readonly filterServers: readonly string[] | null;
  readonly connectionId: number;
}

export interface LiveBroker extends BrokerIdentity {
  /** Units: ms since the epoch. */
  readonly lastUpdateMs: number;
  readonly dataVersion: DataVersion;
  readonly connectionId: number;
  readonly haServerAddr: string | undefined;
  readonly filterServers: readonly string[];
}

export interface RegisterOutcome {
  /** The table is full and this broker is not in it. */
  readonly isRefused: boolean;
  readonly isNew: boolean;
  /** The live master, told to slaves. */
  readonly master: LiveBroker | undefined;
  /** Live brokers that this one took the place of: the same name and id, or the same address under another name. */
  readonly displaced: readonly LiveBroker[];
  /** Topics that found no room. */
  readonly skippedTopicCount: number;
}

interface BrokerGroup {
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id to address. */
  readonly addresses: Map<number, string>;
}

export class RouteTable {
  readonly #topics: TopicQueueTable;
  readonly #brokersMax: number;
  readonly #groups = new Map<string, BrokerGroup>();
  readonly #clusters = new Map<string, Set<string>>();
  readonly #live = new Map<string, LiveBroker>();
  /** Encoded routes; forgotten by topic when a topic changes, altogether when a broker does. */
  readonly #routeBodies = new Map<string, Uint8Array>();

  constructor(limits: { readonly brokersMax?: number; readonly topicsMax?: number } = {}) {
    this.#brokersMax = limits.brokersMax ?? BROKERS_MAX;
    this.#topics = new TopicQueueTable(limits.topicsMax);
  }

  /** The topics, to be asked for lists. Changes go through this table, which keeps the encoded routes true. */
  get topics(): Pick<TopicQueueTable, 'allTopics' | 'topicsOfBrokers' | 'topicsWithSysFlag'> {
    return this.#topics;
  }

  /**
   * Takes a broker in, or keeps it alive. A master's topics are merged when its data version is another than the one
   * known: topics it does not name stay. The newest claim to a name and id, or to an address, wins.
   */
  registerBroker(registration: BrokerRegistration, nowMs: number): RegisterOutcome {
    const { clusterName, brokerName, brokerAddr, brokerId, dataVersion, connectionId, haServerAddr } = registration;
    const displaced = this.#displace(registration);
    const known = this.#live.get(brokerAddr);
    if (known === undefined && this.#live.size >= this.#brokersMax) {
      return { isRefused: true, isNew: false, master: undefined, displaced, skippedTopicCount: 0 };
    }
    const group = this.#groupOf(registration);
    const isMoved = known === undefined || group.addresses.get(brokerId) !== brokerAddr;
    const hasNewTopics = isMoved || !equalDataVersions(known.dataVersion, dataVersion);
    group.addresses.set(brokerId, brokerAddr);
    const formerFilterServers = known?.filterServers ?? [];
    const filterServers = registration.filterServers ?? formerFilterServers;
    if (isMoved || !equalLists(formerFilterServers, filterServers)) this.#routeBodies.clear();
    const skippedTopicCount =
      brokerId === MASTER_ID && hasNewTopics ? this.#mergeTopics(brokerName, registration.topics) : 0;
    const identity = { clusterName, brokerName, brokerAddr, brokerId };
    const state = { lastUpdateMs: nowMs, dataVersion, connectionId, haServerAddr, filterServers };
    this.#live.set(brokerAddr, { ...identity, ...state });
    const masterAddr = brokerId === MASTER_ID ? undefined : group.addresses.get(MASTER_ID);
    const master = masterAddr === undefined ? undefined : this.#live.get(masterAddr);
    return { isRefused: false, isNew: known === undefined, master, displaced, skippedTopicCount };
  }

  /** Makes room: one address has one name and id, one name and id has one address. */
  #displace(claim: BrokerIdentity): LiveBroker[] {
    const displaced: LiveBroker[] = [];
    const same = this.#live.get(claim.brokerAddr);
    if (same !== undefined && same.brokerName !== claim.brokerName) {
      this.#remove(same);
      displaced.push(same);
    }
    const addresses = this.#groups.get(claim.brokerName)?.addresses;
    if (addresses === undefined) return displaced;
    // A slave that became the master (or the reverse) must not appear twice: spec pitfall 19.
    for (const [id, address] of addresses) {
      if (address === claim.brokerAddr && id !== claim.brokerId) addresses.delete(id);
    }
    const rivalAddr = addresses.get(claim.brokerId);
    const rival = rivalAddr === undefined || rivalAddr === claim.brokerAddr ? undefined : this.#live.get(rivalAddr);
    if (rival !== undefined) {
      this.#live.delete(rival.brokerAddr);
      displaced.push(rival);
    }
    return displaced;
  }

  #groupOf({ clusterName, brokerName }: BrokerIdentity): BrokerGroup {
    const names = this.#clusters.get(clusterName) ?? new Set();
    this.#clusters.set(clusterName, names.add(brokerName));
    const known = this.#groups.get(brokerName);
    if (known !== undefined) return known;
    const group = { cluster: clusterName, brokerName, addresses: new Map<number, string>() };
    this.#groups.set(brokerName, group);
    return group;
  }

  #mergeTopics(brokerName: string, topics: readonly TopicConfig[]): number {
    let skipped = 0;
    for (const topic of topics) {
      const outcome = this.#topics.upsert(brokerName, topic);
      if (outcome === 'changed') this.#routeBodies.delete(topic.topicName);
      if (outcome === 'refused') skipped++;
    }
    return skipped;
  }

  /** Forgets a broker that says good-bye, unless another has its place by now. Returns whether it was known. */
  unregisterBroker({ brokerAddr, brokerName }: BrokerIdentity): boolean {
    const broker = this.#live.get(brokerAddr);
    if (broker?.brokerName !== brokerName) return false;
    this.#remove(broker);
    return true;
  }

  /** Forgets, at once, the brokers that last registered over a connection (spec pitfall 20). */
  removeConnection(connectionId: number): LiveBroker[] {
    return this.#removeWhere(broker => broker.connectionId === connectionId);
  }

  removeExpired(nowMs: number): LiveBroker[] {
    return this.#removeWhere(broker => broker.lastUpdateMs + BROKER_EXPIRED_MS < nowMs);
  }

  #removeWhere(isGone: (broker: LiveBroker) => boolean): LiveBroker[] {
    const gone = [...this.#live.values()].filter(isGone);
    for (const broker of gone) this.#remove(broker);
    return gone;
  }

  #remove(broker: LiveBroker): void {
    this.#routeBodies.clear();
    this.#live.delete(broker.brokerAddr);
    const group = this.#groups.get(broker.brokerName);
    if (group === undefined) return;
    for (const [id, address] of group.addresses) if (address === broker.brokerAddr) group.addresses.delete(id);
    if (group.addresses.size > 0) return;
    this.#groups.delete(broker.brokerName);
    for (const [cluster, names] of this.#clusters) {
      if (names.delete(broker.brokerName) && names.size === 0) this.#clusters.delete(cluster);
    }
    this.#topics.removeBroker(broker.brokerName);
  }

  /**
   * Whether a broker must register because its data version is not the one known; being up to date keeps it alive.
   * `stored` is what is known.
   */
  queryDataVersion(
    brokerAddr: string,
    version: DataVersion,
    nowMs: number,
  ): { readonly changed: boolean; readonly stored: DataVersion | undefined } {
    const broker = this.#live.get(brokerAddr);
    if (broker === undefined) return { changed: true, stored: undefined };
    const changed = !equalDataVersions(broker.dataVersion, version);
    if (!changed) this.#live.set(brokerAddr, { ...broker, lastUpdateMs: nowMs });
    return { changed, stored: broker.dataVersion };
  }

  /** The route of a topic, or `undefined` when no broker has it. */
  pickupRoute(topic: string): TopicRouteData | undefined {
    const queueDatas = [...this.#topics.queuesOf(topic)].sort(byBrokerName);
    const brokerDatas = queueDatas.flatMap(({ brokerName }) => this.#brokerData(brokerName) ?? []);
    if (brokerDatas.length === 0) return undefined;
    const brokers = brokerDatas.flatMap(({ brokerAddrs }) =>
      Object.values(brokerAddrs).map(address => this.#live.get(address)),
    );
    const withServers = brokers.filter(broker => broker !== undefined && broker.filterServers.length > 0);
    const servers = withServers.map(broker => [broker!.brokerAddr, broker!.filterServers] as const);
    return { queueDatas, brokerDatas, filterServerTable: Object.fromEntries(servers) };
  }

  /** {@link pickupRoute} as a body. The bytes are shared between answers: they are not to be written to. */
  routeBody(topic: string): Uint8Array | undefined {
    const known = this.#routeBodies.get(topic);
    if (known !== undefined) return known;
    const route = this.pickupRoute(topic);
    if (route === undefined) return undefined;
    const body = encodeTopicRouteData(route);
    this.#routeBodies.set(topic, body);
    return body;
  }

  #brokerData(brokerName: string): BrokerData | undefined {
    const group = this.#groups.get(brokerName);
    if (group === undefined) return undefined;
    return { brokerAddrs: Object.fromEntries(group.addresses), brokerName, cluster: group.cluster };
  }

  clusterInfo(): ClusterInfo {
    const brokers = [...this.#groups.keys()].map(brokerName => [brokerName, this.#brokerData(brokerName)!] as const);
    const clusters = [...this.#clusters].map(([cluster, names]) => [cluster, [...names].sort()] as const);
    return { brokerAddrTable: Object.fromEntries(brokers), clusterAddrTable: Object.fromEntries(clusters) };
  }

  /** Names of the brokers of a cluster, none when there is no such cluster. */
  brokerNamesOf(clusterName: string): string[] {
    return [...(this.#clusters.get(clusterName) ?? [])];
  }

  /** Any broker's address. */
  anyBrokerAddr(): string | undefined {
    return this.#live.keys().next().value;
  }

  /** Forgets a topic, in one cluster or in all; a broker that has it brings it back at its next full registration. */
  deleteTopic(topic: string, clusterName?: string): void {
    this.#routeBodies.delete(topic);
    this.#topics.remove(topic, clusterName === undefined ? undefined : this.brokerNamesOf(clusterName));
  }

  /** Returns how many topics the broker has. */
  wipeWritePerm(brokerName: string): number {
    this.#routeBodies.clear();
    return this.#topics.wipeWritePerm(brokerName);
  }

  /** Returns how many topics the broker has. */
  addWritePerm(brokerName: string): number {
    this.#routeBodies.clear();
    return this.#topics.addWritePerm(brokerName);
  }
}

function byBrokerName(left: { readonly brokerName: string }, right: { readonly brokerName: string }): number {
  return left.brokerName < right.brokerName ? -1 : 1;
}

function equalLists(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((element, index) => element === right[index]);
}
