/** What the handlers of the coordinator share: its tables, and how it tells the other rooms. */
import type { TopicConfig } from '../../protocol/bodies/topic.js';
import { RequestCode } from '../../protocol/codes.js';
import type { ExtFields, RemotingCommand } from '../../protocol/command.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { QueueNumbers } from '../queue-numbers.js';
import type { QueueTable } from '../queue-table.js';
import type { TopicEntry } from '../topic-snapshot.js';
import type { BrokerStats } from './broker-stats.js';
import type { CallFailure } from './call-table.js';
import type { ClientTable, ConsumerGroup, GroupChange } from './client-table.js';
import type { FilterTable } from './filter-table.js';
import type { GroupTable } from './group-table.js';
import type { LockTable } from './lock-table.js';
import type { MetadataDesk } from './metadata-desk.js';
import type { NewsDesk } from './news-desk.js';
import type { OffsetTable } from './offset-table.js';
import type { TopicTable } from './topic-table.js';

/** Configuration that may change while the coordinator runs. */
export interface CoordinatorSettings {
  readonly autoCreateTopicEnable: boolean;
  readonly autoCreateSubscriptionGroup: boolean;
  readonly notifyConsumerIdsChangedEnable: boolean;
  readonly autoDeleteUnusedStats: boolean;
  /** Units: ms. */
  readonly flushConsumerOffsetInterval: number;
  readonly storeReplyMessageEnable: boolean;
  readonly enablePropertyFilter: boolean;
  /** Units: ms. */
  readonly filterDataCleanTimeSpan: number;
  /** Bytes behind the end of the log from which on messages count as on disk. */
  readonly inMemoryBytes: number;
}

export interface CoordinatorState {
  readonly topics: TopicTable;
  readonly groups: GroupTable;
  readonly offsets: OffsetTable;
  readonly clients: ClientTable;
  readonly filters: FilterTable;
  readonly locks: LockTable;
  readonly stats: BrokerStats;
  readonly numbers: QueueNumbers;
  readonly table: QueueTable;
  readonly positions: Positions;
  readonly news: NewsDesk;
  readonly log: Logger;
  /** Whom to tell of changes: slaves of this broker. */
  readonly desk: MetadataDesk;
  /** This broker is a slave: topics and groups are its master's. */
  isSlave(): boolean;
  settings: CoordinatorSettings;
  nowMs: number;
  /** Registers with the name servers because topics changed. */
  register(): void;
  /** A oneway request to a client. */
  push(connectionId: number, code: number, fields: ExtFields, body?: Uint8Array): void;
  /** A request to a client, and its answer. */
  call(connectionId: number, request: ClientCall): Promise<RemotingCommand | CallFailure>;
  readonly brokerName: string;
  /** Where clients are told to come: `ip:port`. */
  brokerAddr(): string;
  readonly store: StoreView;
}

/** What is asked of a client that answers. */
export interface ClientCall {
  readonly code: number;
  readonly fields: ExtFields;
  readonly body?: Uint8Array | null;
  readonly timeoutMs: number;
}

/** Single entries and records, for administration: read from the files, one at a time. */
export interface StoreView {
  /** Store time of a queue's entry, 0 when it cannot be read. Units: ms since the epoch. */
  storeTimeOf(topic: string, queueId: number, offset: number): number;
  /** Log position of a queue's entry, -1 when it cannot be read. */
  physicalOffsetOf(topic: string, queueId: number, offset: number): number;
  /** Up to `count` entries of a queue from `offset` on, from one file; none when there is no such file. */
  entriesOf(topic: string, queueId: number, offset: number, count: number): QueueEntry[];
  /** The record that starts at a position of the log; undefined when none does. */
  recordAt(position: number): Uint8Array | undefined;
}

/** An entry of a consume queue. */
export interface QueueEntry {
  readonly physicalOffset: number;
  readonly size: number;
  readonly tagsCode: bigint;
}

/** First entry of a queue, and one behind the last; 0 and 0 for one that does not exist. */
export function boundsOf(state: CoordinatorState, topic: string, queueId: number): { min: number; max: number } {
  const number = state.numbers.find(topic, queueId);
  return number < 0 ? { min: 0, max: 0 } : { min: state.table.min(number), max: state.table.max(number) };
}

/** What lanes are told of a topic. */
export function topicEntryOf(state: CoordinatorState, topic: TopicConfig): TopicEntry {
  const queues = Math.max(topic.readQueueNums, topic.writeQueueNums);
  return {
    name: topic.topicName,
    perm: topic.perm,
    readQueueNums: topic.readQueueNums,
    writeQueueNums: topic.writeQueueNums,
    order: topic.order,
    queueNumbers: state.numbers.of(topic.topicName, queues),
  };
}

/** Tells every room of a new or changed topic, and the name servers. */
export function announceTopic(state: CoordinatorState, topic: TopicConfig): void {
  state.news.topic(topicEntryOf(state, topic));
  state.register();
}

/** Tells lanes what a group is and wants now. */
export function announceGroup(state: CoordinatorState, name: string): void {
  const config = state.groups.get(name);
  if (config === undefined) return;
  const online = state.clients.consumerGroup(name);
  const filters = state.filters.of(name);
  state.news.group({
    name,
    consumeEnable: config.consumeEnable,
    consumeBroadcastEnable: config.consumeBroadcastEnable,
    retryQueueNums: config.retryQueueNums,
    retryMaxTimes: config.retryMaxTimes,
    brokerId: config.brokerId,
    whichBrokerWhenConsumeSlowly: config.whichBrokerWhenConsumeSlowly,
    ...(online === undefined ? {} : { members: membersOf(online) }),
    ...(filters === undefined ? {} : { filters }),
  });
}

function membersOf(group: ConsumerGroup): NonNullable<Parameters<NewsDesk['group']>[0]['members']> {
  return {
    messageModel: group.messageModel,
    subscriptions: [...group.subscriptions.values()].map(({ topic, subString, subVersion, expressionType }) => ({
      topic,
      subString: expressionType === 'TAG' || expressionType === '' ? subString : '',
      subVersion,
      expressionType,
    })),
  };
}

/** Passes on what a heartbeat, a farewell or a closed connection changed. */
export function applyGroupChanges(state: CoordinatorState, changes: readonly GroupChange[]): void {
  for (const { group, membersChanged, subscriptionChanged, dispute } of changes) {
    if (dispute !== undefined) {
      const message = 'members of a consumer group want different things: messages will be missed or come twice';
      state.log.warn({ group: group.name, ...dispute }, message);
    }
    if (group.members.size === 0) state.filters.unregister(group.name, state.nowMs);
    if (subscriptionChanged) announceGroup(state, group.name);
    const notify = state.groups.get(group.name)?.notifyConsumerIdsChangedEnable ?? true;
    if (!membersChanged || !notify || !state.settings.notifyConsumerIdsChangedEnable) continue;
    for (const connectionId of group.members.keys()) {
      state.push(connectionId, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: group.name });
    }
  }
}
