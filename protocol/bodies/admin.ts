/** What brokers tell administrators: offsets of topics and groups, counters, producers. Source: spec remoting 10.3. */
import { decodeBody, type Fields, integerOf, isFields, listOf, objectsOf, tableOf, textOf } from './fields.js';
import { type MessageQueue, messageQueueEntriesOf } from './message-queue.js';

/** How far one queue reaches. Units: offsets are entries. */
export interface TopicOffset {
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Units: ms since the epoch; 0: never, or not known. */
  readonly lastUpdateTimestamp: number;
}

/** Answer of GET_TOPIC_STATS_INFO (202): an entry for each queue to write. Errors: RingError PROTOCOL_VIOLATION. */
export function decodeTopicStatsTable(bytes: Uint8Array | null): [MessageQueue, TopicOffset][] {
  return messageQueueEntriesOf(decodeBody(bytes, 'TopicStatsTable').offsetTable, value => {
    const fields = isFields(value) ? value : {};
    return {
      minOffset: integerOf(fields.minOffset),
      maxOffset: integerOf(fields.maxOffset),
      lastUpdateTimestamp: integerOf(fields.lastUpdateTimestamp),
    };
  });
}

/** How far a group is in one queue. Units: offsets are entries. */
export interface ConsumeOffset {
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  /** When the last message that was consumed was stored; 0 when there is none. Units: ms since the epoch. */
  readonly lastTimestamp: number;
}

/** Answer of GET_CONSUME_STATS (208): an entry for each queue to read. */
export interface ConsumeStats {
  readonly consumeTps: number;
  readonly offsetTable: readonly (readonly [MessageQueue, ConsumeOffset])[];
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeConsumeStats(bytes: Uint8Array | null): ConsumeStats {
  const fields = decodeBody(bytes, 'ConsumeStats');
  const offsetTable = messageQueueEntriesOf(fields.offsetTable, value => {
    const offsets = isFields(value) ? value : {};
    return {
      brokerOffset: integerOf(offsets.brokerOffset),
      consumerOffset: integerOf(offsets.consumerOffset),
      lastTimestamp: integerOf(offsets.lastTimestamp),
    };
  });
  return { consumeTps: decimalOf(fields.consumeTps), offsetTable };
}

/** One span of a counter. */
export interface BrokerStatsItem {
  readonly sum: number;
  /** Counted in a second. */
  readonly tps: number;
}

/** Answer of VIEW_BROKER_STATS_DATA (315). */
export interface BrokerStatsData {
  readonly statsMinute: BrokerStatsItem;
  readonly statsHour: BrokerStatsItem;
  readonly statsDay: BrokerStatsItem;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeBrokerStatsData(bytes: Uint8Array | null): BrokerStatsData {
  const fields = decodeBody(bytes, 'BrokerStatsData');
  return {
    statsMinute: statsItemOf(fields.statsMinute),
    statsHour: statsItemOf(fields.statsHour),
    statsDay: statsItemOf(fields.statsDay),
  };
}

function statsItemOf(value: unknown): BrokerStatsItem {
  const fields: Fields = isFields(value) ? value : {};
  return { sum: integerOf(fields.sum), tps: decimalOf(fields.tps) };
}

/** Answer of GET_ALL_PRODUCER_INFO (328): group to the ids of its clients. Errors: RingError PROTOCOL_VIOLATION. */
export function decodeProducerTable(bytes: Uint8Array | null): Record<string, readonly string[]> {
  return tableOf(decodeBody(bytes, 'ProducerTableInfo').data, infos =>
    objectsOf(infos, ({ clientId }) => textOf(clientId)),
  );
}

/** Answer of QUERY_TOPIC_CONSUME_BY_WHO (300). Errors: RingError PROTOCOL_VIOLATION. */
export function decodeGroupList(bytes: Uint8Array | null): readonly string[] {
  return listOf(decodeBody(bytes, 'GroupList').groupList, group => textOf(group));
}

function decimalOf(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? number : 0;
}
