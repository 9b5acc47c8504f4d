/**
 * Consumer and producer groups: their settings, who is in them, what they subscribe to. Source: spec remoting 7.1,
 * 10.2, 10.3.
 */
import {
  booleanOf,
  decodeBody,
  enumOf,
  type Fields,
  integerOf,
  isFields,
  listOf,
  objectOf,
  objectsOf,
  tableOf,
  textOf,
} from './fields.js';
import { type DataVersion, dataVersionOf } from './topic.js';

export interface SubscriptionGroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
}

const groupDefaults: Omit<SubscriptionGroupConfig, 'groupName'> = Object.freeze({
  consumeEnable: true,
  consumeFromMinEnable: true,
  consumeBroadcastEnable: true,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
  notifyConsumerIdsChangedEnable: true,
});

/** A group with Java's class defaults where `values` says nothing. */
export function createSubscriptionGroupConfig(
  groupName: string,
  values: Partial<SubscriptionGroupConfig> = {},
): SubscriptionGroupConfig {
  return { ...groupDefaults, ...values, groupName };
}

/** `name` serves where the value does not name its group, as in a table keyed by group. */
export function subscriptionGroupConfigOf(value: unknown, name = ''): SubscriptionGroupConfig {
  const fields = objectOf(value, 'SubscriptionGroupConfig');
  const { retryQueueNums, retryMaxTimes, brokerId, whichBrokerWhenConsumeSlowly } = groupDefaults;
  return {
    groupName: textOf(fields.groupName, name),
    consumeEnable: booleanOf(fields.consumeEnable, true),
    consumeFromMinEnable: booleanOf(fields.consumeFromMinEnable, true),
    consumeBroadcastEnable: booleanOf(fields.consumeBroadcastEnable, true),
    retryQueueNums: integerOf(fields.retryQueueNums, retryQueueNums),
    retryMaxTimes: integerOf(fields.retryMaxTimes, retryMaxTimes),
    brokerId: integerOf(fields.brokerId, brokerId),
    whichBrokerWhenConsumeSlowly: integerOf(fields.whichBrokerWhenConsumeSlowly, whichBrokerWhenConsumeSlowly),
    notifyConsumerIdsChangedEnable: booleanOf(fields.notifyConsumerIdsChangedEnable, true),
  };
}

/** Body of 200. Errors: RingError PROTOCOL_VIOLATION. */
export function decodeSubscriptionGroupConfig(bytes: Uint8Array | null): SubscriptionGroupConfig {
  return subscriptionGroupConfigOf(decodeBody(bytes, 'SubscriptionGroupConfig'));
}

/** Answer of 201, and `subscriptionGroup.json`. */
export interface SubscriptionGroupWrapper {
  readonly dataVersion: DataVersion;
  readonly subscriptionGroupTable: Readonly<Record<string, SubscriptionGroupConfig>>;
}

export function subscriptionGroupWrapperOf(fields: Fields): SubscriptionGroupWrapper {
  return {
    dataVersion: dataVersionOf(fields.dataVersion),
    subscriptionGroupTable: tableOf(fields.subscriptionGroupTable, subscriptionGroupConfigOf),
  };
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeSubscriptionGroupWrapper(bytes: Uint8Array | null): SubscriptionGroupWrapper {
  return subscriptionGroupWrapperOf(decodeBody(bytes, 'SubscriptionGroupWrapper'));
}

export const consumeTypes = ['CONSUME_ACTIVELY', 'CONSUME_PASSIVELY', 'CONSUME_POP'] as const;
export type ConsumeType = (typeof consumeTypes)[number];

export const messageModels = ['BROADCASTING', 'CLUSTERING'] as const;
export type MessageModel = (typeof messageModels)[number];

export const consumeFromWheres = [
  'CONSUME_FROM_LAST_OFFSET',
  'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST',
  'CONSUME_FROM_MIN_OFFSET',
  'CONSUME_FROM_MAX_OFFSET',
  'CONSUME_FROM_FIRST_OFFSET',
  'CONSUME_FROM_TIMESTAMP',
] as const;
export type ConsumeFromWhere = (typeof consumeFromWheres)[number];

export interface SubscriptionData {
  readonly topic: string;
  readonly subString: string;
  readonly tagsSet: readonly string[];
  /** Java string hashes of the tags. */
  readonly codeSet: readonly number[];
  /** Greater is newer. Units: ms since the epoch. */
  readonly subVersion: number;
  readonly expressionType: string;
  readonly classFilterMode: boolean;
}

/** 3.2.x sends no expressionType: tags are meant. */
export function subscriptionDataOf(fields: Fields): SubscriptionData {
  return {
    topic: textOf(fields.topic),
    subString: textOf(fields.subString),
    tagsSet: listOf(fields.tagsSet, tag => textOf(tag)),
    codeSet: listOf(fields.codeSet, code => integerOf(code)),
    subVersion: integerOf(fields.subVersion),
    expressionType: textOf(fields.expressionType, 'TAG'),
    classFilterMode: booleanOf(fields.classFilterMode),
  };
}

export interface ConsumerData {
  readonly groupName: string;
  readonly consumeType: ConsumeType;
  readonly messageModel: MessageModel;
  readonly consumeFromWhere: ConsumeFromWhere;
  readonly subscriptionDataSet: readonly SubscriptionData[];
  readonly unitMode: boolean;
}

export interface ProducerData {
  readonly groupName: string;
}

/** Body of HEART_BEAT (34). */
export interface HeartbeatData {
  readonly clientID: string;
  readonly consumerDataSet: readonly ConsumerData[];
  readonly producerDataSet: readonly ProducerData[];
}

/**
 * Groups without a name and subscriptions without a topic are dropped; nobody could refer to them.
 * Errors: RingError PROTOCOL_VIOLATION.
 */
export function decodeHeartbeatData(bytes: Uint8Array | null): HeartbeatData {
  const fields = decodeBody(bytes, 'HeartbeatData');
  return {
    clientID: textOf(fields.clientID),
    consumerDataSet: objectsOf(fields.consumerDataSet, consumerDataOf).filter(isNamed),
    producerDataSet: objectsOf(fields.producerDataSet, producerDataOf).filter(isNamed),
  };
}

function consumerDataOf(fields: Fields): ConsumerData {
  return {
    groupName: textOf(fields.groupName),
    ...groupModeOf(fields),
    subscriptionDataSet: objectsOf(fields.subscriptionDataSet, subscriptionDataOf).filter(data => data.topic !== ''),
    unitMode: booleanOf(fields.unitMode),
  };
}

function groupModeOf(fields: Fields): Pick<ConsumerData, 'consumeType' | 'messageModel' | 'consumeFromWhere'> {
  return {
    consumeType: enumOf(fields.consumeType, consumeTypes, 'CONSUME_PASSIVELY'),
    messageModel: enumOf(fields.messageModel, messageModels, 'CLUSTERING'),
    consumeFromWhere: enumOf(fields.consumeFromWhere, consumeFromWheres, 'CONSUME_FROM_LAST_OFFSET'),
  };
}

function producerDataOf(fields: Fields): ProducerData {
  return { groupName: textOf(fields.groupName) };
}

function isNamed(group: ProducerData): boolean {
  return group.groupName !== '';
}

/** Body of CHECK_CLIENT_CONFIG (46). */
export interface CheckClientRequestBody {
  readonly clientId: string;
  readonly group: string;
  /** Undefined: nothing to check. */
  readonly subscriptionData: SubscriptionData | undefined;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeCheckClientRequestBody(bytes: Uint8Array | null): CheckClientRequestBody {
  const { clientId, group, subscriptionData } = decodeBody(bytes, 'CheckClientRequestBody');
  return {
    clientId: textOf(clientId),
    group: textOf(group),
    subscriptionData: isFields(subscriptionData) ? subscriptionDataOf(subscriptionData) : undefined,
  };
}

/** One client of a group, in the answers of 203 and 204. */
export interface Connection {
  readonly clientId: string;
  /** `ip:port`. */
  readonly clientAddr: string;
  /** Name of the language, `JAVA`. */
  readonly language: string;
  readonly version: number;
}

export function connectionOf(fields: Fields): Connection {
  return {
    clientId: textOf(fields.clientId),
    clientAddr: textOf(fields.clientAddr),
    language: textOf(fields.language),
    version: integerOf(fields.version),
  };
}

/** Answer of 204. */
export interface ProducerConnection {
  readonly connectionSet: readonly Connection[];
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeProducerConnection(bytes: Uint8Array | null): ProducerConnection {
  return { connectionSet: objectsOf(decodeBody(bytes, 'ProducerConnection').connectionSet, connectionOf) };
}

/** Answer of 203. */
export interface ConsumerConnection {
  readonly connectionSet: readonly Connection[];
  readonly subscriptionTable: Readonly<Record<string, SubscriptionData>>;
  readonly consumeType: ConsumeType;
  readonly messageModel: MessageModel;
  readonly consumeFromWhere: ConsumeFromWhere;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeConsumerConnection(bytes: Uint8Array | null): ConsumerConnection {
  const fields = decodeBody(bytes, 'ConsumerConnection');
  return {
    connectionSet: objectsOf(fields.connectionSet, connectionOf),
    subscriptionTable: tableOf(fields.subscriptionTable, data => subscriptionDataOf(isFields(data) ? data : {})),
    ...groupModeOf(fields),
  };
}
