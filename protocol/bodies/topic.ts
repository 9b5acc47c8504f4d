/**
 * Topics as brokers and name servers tell each other about them. Source: spec remoting 9.2, 10.2; TopicConfig,
 * DataVersion.
 */
import {
  booleanOf,
  decodeBody,
  enumOf,
  type Fields,
  integerOf,
  isFields,
  objectOf,
  tableOf,
  textOf,
} from './fields.js';

/** Which state of a table this is. Equal when every number is. */
export interface DataVersion {
  readonly counter: number;
  /** Units: ms since the epoch. */
  readonly timestamp: number;
  /** 5.x with a controller; absent means 0. */
  readonly stateVersion?: number;
}

/** The version of a sender that has none: a register without a body. */
export const INITIAL_DATA_VERSION: DataVersion = Object.freeze({ counter: 0, timestamp: 0 });

export function dataVersionOf(value: unknown): DataVersion {
  if (!isFields(value)) return INITIAL_DATA_VERSION;
  const version = { counter: integerOf(value.counter), timestamp: integerOf(value.timestamp) };
  const stateVersion = integerOf(value.stateVersion);
  return stateVersion === 0 ? version : { ...version, stateVersion };
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeDataVersion(bytes: Uint8Array | null): DataVersion {
  return dataVersionOf(decodeBody(bytes, 'DataVersion'));
}

export function equalDataVersions(left: DataVersion, right: DataVersion): boolean {
  return (
    left.counter === right.counter &&
    left.timestamp === right.timestamp &&
    (left.stateVersion ?? 0) === (right.stateVersion ?? 0)
  );
}

export const topicFilterTypes = ['SINGLE_TAG', 'MULTI_TAG'] as const;
export type TopicFilterType = (typeof topicFilterTypes)[number];

export interface TopicConfig {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicFilterType: TopicFilterType;
  readonly topicSysFlag: number;
  readonly order: boolean;
}

/** Bits of `topicSysFlag`. Source: TopicSysFlag. */
export const TopicSysFlag = { UNIT: 1, UNIT_SUB: 2 } as const;

const topicConfigDefaults: Omit<TopicConfig, 'topicName'> = Object.freeze({
  readQueueNums: 16,
  writeQueueNums: 16,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
});

/** A topic with Java's class defaults where `values` says nothing. */
export function createTopicConfig(topicName: string, values: Partial<TopicConfig> = {}): TopicConfig {
  return { ...topicConfigDefaults, ...values, topicName };
}

/** `name` serves where the value does not name its topic, as in a table keyed by topic. */
export function topicConfigOf(value: unknown, name = ''): TopicConfig {
  const fields = objectOf(value, 'TopicConfig');
  return {
    topicName: textOf(fields.topicName, name),
    readQueueNums: integerOf(fields.readQueueNums, topicConfigDefaults.readQueueNums),
    writeQueueNums: integerOf(fields.writeQueueNums, topicConfigDefaults.writeQueueNums),
    perm: integerOf(fields.perm, topicConfigDefaults.perm),
    topicFilterType: enumOf(fields.topicFilterType, topicFilterTypes, topicConfigDefaults.topicFilterType),
    topicSysFlag: integerOf(fields.topicSysFlag),
    order: booleanOf(fields.order),
  };
}

/** Answer of 21, `topics.json`, and a part of the registration. */
export interface TopicConfigSerializeWrapper {
  readonly dataVersion: DataVersion;
  readonly topicConfigTable: Readonly<Record<string, TopicConfig>>;
}

/** Errors: RingError PROTOCOL_VIOLATION when a table entry is not an object. */
export function topicConfigSerializeWrapperOf(fields: Fields): TopicConfigSerializeWrapper {
  return {
    dataVersion: dataVersionOf(fields.dataVersion),
    topicConfigTable: tableOf(fields.topicConfigTable, topicConfigOf),
  };
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeTopicConfigSerializeWrapper(bytes: Uint8Array | null): TopicConfigSerializeWrapper {
  return topicConfigSerializeWrapperOf(decodeBody(bytes, 'TopicConfigSerializeWrapper'));
}
