/** What the handlers of the coordinator share: its tables, and how it tells the other rooms. */
import type { TopicConfig } from '../../protocol/bodies/topic.js';
import { RequestCode } from '../../protocol/codes.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { QueueNumbers } from '../queue-numbers.js';
import type { QueueTable } from '../queue-table.js';
import type { TopicEntry } from '../topic-snapshot.js';
import type { ClientTable, ConsumerGroup, GroupChange } from './client-table.js';
import type { GroupTable } from './group-table.js';
import type { MetadataDesk } from './metadata-desk.js';
import type { NewsDesk } from './news-desk.js';
import type { OffsetTable } from './offset-table.js';
import type { TopicTable } from './topic-table.js';

/** Configuration that may change while the coordinator runs. */
export interface CoordinatorSettings {
  readonly autoCreateTopicEnable: boolean;
  readonly autoCreateSubscriptionGroup: boolean;
  readonly notifyConsumerIdsChangedEnable: boolean;
  /** Units: ms. */
  readonly flushConsumerOffsetInterval: number;
  /** Bytes behind the end of the log from which on messages count as on disk. */
  readonly inMemoryBytes: number;
}

export interface CoordinatorState {
  readonly topics: TopicTable;
  readonly groups: GroupTable;
  readonly offsets: OffsetTable;
  readonly clients: ClientTable;
  readonly numbers: QueueNumbers;
  readonly table: QueueTable;
  readonly positions: Positions;
  readonly news: NewsDesk;
  readonly log: Logger;
  /** Whom to tell of changes: slaves of this broker. */
  readonly desk: MetadataDesk;
  /** This broker is a slave: topics and groups are its master's. */
  isSlave(): boolean;
  /** Progress of delayed messages: JSON text of config/delayOffset.json; undefined when there is none. */
  delayOffsets(): string | undefined;
  settings: CoordinatorSettings;
  nowMs: number;
  /** Registers with the name servers because topics changed. */
  register(): void;
  /** A oneway request to a client. */
  push(connectionId: number, code: number, fields: Record<string, string>, body?: Uint8Array): void;
  readonly brokerName: string;
  /** Store time of a queue's entry, 0 when it cannot be read. Units: ms since the epoch. */
  storeTimeOf(topic: string, queueId: number, offset: number): number;
  /** Log position of a queue's entry, -1 when it cannot be read. */
  physicalOffsetOf(topic: string, queueId: number, offset: number): number;
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
  state.news.group({
    name,
    consumeEnable: config.consumeEnable,
    consumeBroadcastEnable: config.consumeBroadcastEnable,
    retryQueueNums: config.retryQueueNums,
    retryMaxTimes: config.retryMaxTimes,
    brokerId: config.brokerId,
    whichBrokerWhenConsumeSlowly: config.whichBrokerWhenConsumeSlowly,
    ...(online === undefined ? {} : { members: membersOf(online) }),
  });
}

function membersOf(group: ConsumerGroup): NonNullable<Parameters<NewsDesk['group']>[0]['members']> {
  return {
    messageModel: group.messageModel,
    subscriptions: [...group.subscriptions.values()].map(({ topic, subString, subVersion, expressionType }) => ({
      topic,
      subString,
      subVersion,
      expressionType,
    })),
  };
}

/** Passes on what a heartbeat, a farewell or a closed connection changed. */
export function applyGroupChanges(state: CoordinatorState, changes: readonly GroupChange[]): void {
  for (const { group, membersChanged, subscriptionChanged } of changes) {
    if (subscriptionChanged) announceGroup(state, group.name);
    const notify = state.groups.get(group.name)?.notifyConsumerIdsChangedEnable ?? true;
    if (!membersChanged || !notify || !state.settings.notifyConsumerIdsChangedEnable) continue;
    for (const connectionId of group.members.keys()) {
      state.push(connectionId, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: group.name });
    }
  }
}
