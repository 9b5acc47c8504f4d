/** A coordinator with its tables on a disk in memory and its rings in the test's hands. */
import { Coordinator } from '../../../../actors/coordinator/actor.js';
import { BrokerStats } from '../../../../actors/coordinator/broker-stats.js';
import { ClientTable } from '../../../../actors/coordinator/client-table.js';
import { FilterTable } from '../../../../actors/coordinator/filter-table.js';
import { GroupTable } from '../../../../actors/coordinator/group-table.js';
import { LockTable } from '../../../../actors/coordinator/lock-table.js';
import type { HaStatus } from '../../../../actors/coordinator/mailbox.js';
import { MetadataDesk } from '../../../../actors/coordinator/metadata-desk.js';
import { NewsDesk } from '../../../../actors/coordinator/news-desk.js';
import { OffsetTable } from '../../../../actors/coordinator/offset-table.js';
import type { CoordinatorSettings, QueueEntry, StoreView } from '../../../../actors/coordinator/state.js';
import { TopicTable, type TopicTableConfig } from '../../../../actors/coordinator/topic-table.js';
import { GroupTraffic } from '../../../../actors/group-traffic.js';
import { QueueNumbers } from '../../../../actors/queue-numbers.js';
import { QueueTable } from '../../../../actors/queue-table.js';
import { QueueTraffic } from '../../../../actors/queue-traffic.js';
import { NewsType } from '../../../../actors/topic-news.js';
import type { HeartbeatData } from '../../../../protocol/bodies.js';
import type { ExtFields, RemotingCommand } from '../../../../protocol/command.js';
import { parseDialect } from '../../../../protocol/json-dialect.js';
import { BloomBits } from '../../../../protocol/sql-filter.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import type { Ring } from '../../../../runtime/memory/ring.js';
import { JsonTable } from '../../../../storage/json-table.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import {
  CountingBell,
  type Envelope,
  frameOf,
  makeRing,
  type Outbound,
  putInbound,
  takeAll,
  takeOutbound,
} from '../../../support/rooms.js';

export const topicTableConfig: TopicTableConfig = {
  brokerName: 'broker-a',
  brokerClusterName: 'DefaultCluster',
  autoCreateTopicEnable: true,
  defaultTopicQueueNums: 8,
  clusterTopicEnable: true,
  brokerTopicEnable: true,
  traceTopicEnable: false,
  msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
};

export const coordinatorSettings: CoordinatorSettings = {
  autoCreateTopicEnable: true,
  autoCreateSubscriptionGroup: true,
  notifyConsumerIdsChangedEnable: true,
  autoDeleteUnusedStats: false,
  flushConsumerOffsetInterval: 5000,
  storeReplyMessageEnable: true,
  enablePropertyFilter: true,
  filterDataCleanTimeSpan: 86_400_000,
  inMemoryBytes: 1e12,
};

export const configFile = (name: string): string => `/store/config/${name}.json`;

export interface News {
  readonly type: number;
  /** JSON parsed, or the text. */
  readonly value: unknown;
}

export function takeNews(ring: Ring): News[] {
  return takeAll(ring).map(({ type, bytes }) => {
    if (type === NewsType.FRAME) return { type, value: bytes };
    const text = new TextDecoder().decode(bytes);
    return { type, value: text.startsWith('{') ? JSON.parse(text) : text };
  });
}

/** `topic` of news about topics, in order. */
export function topicsIn(news: readonly News[]): string[] {
  return news.filter(({ type }) => type === NewsType.TOPIC).map(({ value }) => (value as { name: string }).name);
}

export interface CoordinatorRoomOptions {
  readonly disk?: MemoryDisk;
  readonly topics?: Partial<TopicTableConfig>;
  readonly settings?: Partial<CoordinatorSettings>;
  readonly nodeRequest?: (request: RemotingCommand) => RemotingCommand | Promise<RemotingCommand> | undefined;
  readonly remotingRingBytes?: number;
  readonly newsRingBytes?: number;
}

export class CoordinatorRoom {
  readonly memory: MemoryDisk;
  readonly disk: FaultyDisk;
  readonly fromRemoting = makeRing(1024 * 1024);
  readonly fromSendLane = makeRing();
  readonly fromPullLane = makeRing();
  readonly fromDispatcher = makeRing();
  readonly fromHaRoom = makeRing();
  readonly haStatuses: HaStatus[] = [];
  readonly fromTransactionChecker = makeRing();
  readonly toRemoting;
  readonly sendNews;
  readonly pullNews = makeRing(1024 * 1024);
  readonly dispatcherNews = makeRing(1024 * 1024);
  readonly transactionNews = makeRing();
  readonly remotingBell = new CountingBell();
  readonly sendLaneBell = new CountingBell();
  readonly table = new QueueTable();
  readonly positions = new Positions();
  readonly numbers = new QueueNumbers();
  readonly topics: TopicTable;
  readonly groups: GroupTable;
  readonly offsets: OffsetTable;
  readonly filters: FilterTable;
  readonly coordinator: Coordinator;
  registrations = 0;
  isSlave = false;
  /** Log position of entry 0 of any queue. */
  firstPosition = -1;
  /** Store time of any entry. */
  storeTimeOf = (_topic: string, _queueId: number, _offset: number): number => 77;
  readonly entries: QueueEntry[] = [];
  readonly records = new Map<number, Uint8Array>();
  readonly store: StoreView = {
    storeTimeOf: (topic, queueId, offset) => this.storeTimeOf(topic, queueId, offset),
    physicalOffsetOf: () => this.firstPosition,
    entriesOf: (_topic, _queueId, offset, count) => this.entries.slice(offset, offset + count),
    recordAt: position => this.records.get(position),
  };
  readonly locks = new LockTable();
  readonly queueTraffic = new QueueTraffic();
  readonly groupTraffic = new GroupTraffic();
  readonly sendBackTraffic = new GroupTraffic();
  /** Messages of the whole broker. */
  readonly brokerTotals = { put: 0, get: 0 };
  readonly stats: BrokerStats;
  nowMs = 1_700_000_000_000;

  constructor(options: CoordinatorRoomOptions = {}) {
    this.memory = options.disk ?? new MemoryDisk();
    this.disk = new FaultyDisk(this.memory);
    this.toRemoting = makeRing(options.remotingRingBytes ?? 1024 * 1024);
    this.sendNews = makeRing(options.newsRingBytes ?? 1024 * 1024);
    const json = (name: string): JsonTable => new JsonTable(this.disk, configFile(name), parseDialect);
    this.topics = new TopicTable(json('topics'), { ...topicTableConfig, ...options.topics }, this.nowMs);
    this.groups = new GroupTable(json('subscriptionGroup'), this.nowMs);
    this.offsets = new OffsetTable(json('consumerOffset'));
    this.filters = new FilterTable(json('consumerFilter'), new BloomBits(20, 32), this.nowMs, silentLogger);
    this.stats = new BrokerStats({
      numbers: this.numbers,
      stored: this.queueTraffic,
      pulled: [this.groupTraffic],
      sentBack: [this.sendBackTraffic],
      broker: () => this.brokerTotals,
      clusterName: 'DefaultCluster',
    });
    const registrar = { registerAll: () => this.registrations++ } as never;
    this.coordinator = new Coordinator({
      fromRemoting: this.fromRemoting,
      fromSendLanes: [this.fromSendLane],
      fromPullLanes: [this.fromPullLane],
      fromDispatcher: this.fromDispatcher,
      fromHaRooms: [this.fromHaRoom],
      onHaStatus: status => this.haStatuses.push(status),
      fromTransactionChecker: this.fromTransactionChecker,
      toRemoting: this.toRemoting,
      remotingBell: this.remotingBell,
      registrar: () => registrar,
      nodeRequest: options.nodeRequest ?? (() => undefined),
      state: {
        topics: this.topics,
        groups: this.groups,
        offsets: this.offsets,
        clients: new ClientTable(),
        filters: this.filters,
        locks: this.locks,
        stats: this.stats,
        numbers: this.numbers,
        table: this.table,
        positions: this.positions,
        news: new NewsDesk([
          { kind: 'sendLane', ring: this.sendNews, bell: this.sendLaneBell },
          { kind: 'pullLane', ring: this.pullNews, bell: new CountingBell() },
          { kind: 'dispatcher', ring: this.dispatcherNews, bell: new CountingBell() },
          { kind: 'transactionChecker', ring: this.transactionNews, bell: new CountingBell() },
        ]),
        log: silentLogger,
        desk: new MetadataDesk(),
        isSlave: () => this.isSlave,
        settings: { ...coordinatorSettings, ...options.settings },
        brokerName: 'broker-a',
        brokerAddr: () => '127.0.0.1:10911',
        store: this.store,
      },
    });
  }

  put(frame: Uint8Array, connectionId = 1): boolean {
    return putInbound(this.fromRemoting, frame, { connectionId });
  }

  work(): number {
    return this.coordinator.doWork(this.nowMs);
  }

  take(): Outbound[] {
    return takeOutbound(this.toRemoting);
  }

  /** Asks and lets the coordinator work: the answer, without what it told clients of its own. */
  ask(
    code: number,
    fields: ExtFields = {},
    body: Uint8Array | null = null,
    connectionId = 1,
    envelope: Envelope = {},
  ): RemotingCommand {
    this.put(frameOf(code, fields, body, envelope), connectionId);
    this.work();
    const answers = this.take().filter(({ command }) => command !== undefined && (command.flag & 1) === 1);
    if (answers.length !== 1) throw new Error(`${answers.length} answers to ${code}`);
    return answers[0]!.command!;
  }
}

export interface HeartbeatOptions {
  readonly clientId?: string;
  readonly group?: string;
  readonly topics?: Readonly<Record<string, number>>;
  readonly model?: 'CLUSTERING' | 'BROADCASTING';
  readonly producers?: readonly string[];
}

/** A heartbeat of one consumer group; `topics` are names with their subVersion. */
export function heartbeatOf(options: HeartbeatOptions = {}): HeartbeatData {
  const subscriptionDataSet = Object.entries(options.topics ?? { T: 1 }).map(([topic, subVersion]) => ({
    topic,
    subString: '*',
    tagsSet: [],
    codeSet: [],
    subVersion,
    expressionType: 'TAG',
    classFilterMode: false,
  }));
  const consumer = {
    groupName: options.group ?? 'G',
    consumeType: 'CONSUME_PASSIVELY' as const,
    messageModel: options.model ?? ('CLUSTERING' as const),
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET' as const,
    subscriptionDataSet,
    unitMode: false,
  };
  return {
    clientID: options.clientId ?? 'client-1',
    consumerDataSet: options.group === '' ? [] : [consumer],
    producerDataSet: (options.producers ?? []).map(groupName => ({ groupName })),
  } as HeartbeatData;
}

export const jsonBody = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Puts a frame in a lane's ring to the coordinator, as the lane hands it on; returns what it put. */
export function putFromLane(ring: Ring, type: number, frame: Uint8Array, connectionId = 9): Uint8Array {
  const scratch = makeRing();
  putInbound(scratch, frame, { connectionId });
  const { bytes } = takeAll(scratch)[0]!;
  ring.offer(type, bytes);
  return bytes;
}
