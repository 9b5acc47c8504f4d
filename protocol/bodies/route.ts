/** What a name server tells: routes, clusters, lists, key-value tables. Source: spec remoting 9.4, 10.2. */
import {
  decodeBody,
  encodeBody,
  type Fields,
  integerOf,
  isFields,
  listOf,
  objectsOf,
  tableOf,
  textOf,
} from './fields.js';

/** The queues of one topic on the brokers of one name. */
export interface QueueData {
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicSysFlag: number;
}

/** The brokers of one name. */
export interface BrokerData {
  /** Empty from 3.2.x, which does not send it. */
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id, 0 for the master, to `ip:port`. */
  readonly brokerAddrs: Readonly<Record<string, string>>;
}

/** Answer of GET_ROUTEINFO_BY_TOPIC (105). */
export interface TopicRouteData {
  /** `broker-a:8;broker-b:8` for ordered topics, when the name server is told to send it. */
  readonly orderTopicConf?: string;
  readonly queueDatas: readonly QueueData[];
  readonly brokerDatas: readonly BrokerData[];
  /** Broker address to the filter servers beside it. Always present on the wire (spec pitfall 16). */
  readonly filterServerTable: Readonly<Record<string, readonly string[]>>;
}

export const MASTER_ID = 0;

/** Strict JSON, with the sysFlag under both of its names (spec pitfall 15). */
export function encodeTopicRouteData(route: TopicRouteData): Uint8Array {
  const queueDatas = route.queueDatas.map(queue => ({ ...queue, topicSynFlag: queue.topicSysFlag }));
  return encodeBody({ ...route, queueDatas });
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeTopicRouteData(bytes: Uint8Array | null): TopicRouteData {
  const fields = decodeBody(bytes, 'TopicRouteData');
  const orderTopicConf = textOf(fields.orderTopicConf);
  return {
    ...(orderTopicConf === '' ? {} : { orderTopicConf }),
    queueDatas: objectsOf(fields.queueDatas, queueDataOf),
    brokerDatas: objectsOf(fields.brokerDatas, brokerDataOf),
    filterServerTable: tableOf(fields.filterServerTable, servers => listOf(servers, textOf)),
  };
}

export function queueDataOf(fields: Fields): QueueData {
  return {
    brokerName: textOf(fields.brokerName),
    readQueueNums: integerOf(fields.readQueueNums),
    writeQueueNums: integerOf(fields.writeQueueNums),
    perm: integerOf(fields.perm),
    topicSysFlag: integerOf(fields.topicSysFlag ?? fields.topicSynFlag),
  };
}

export function brokerDataOf(fields: Fields): BrokerData {
  return {
    cluster: textOf(fields.cluster),
    brokerName: textOf(fields.brokerName),
    brokerAddrs: tableOf(fields.brokerAddrs, address => textOf(address)),
  };
}

/** Answer of GET_BROKER_CLUSTER_INFO (106). */
export interface ClusterInfo {
  readonly brokerAddrTable: Readonly<Record<string, BrokerData>>;
  readonly clusterAddrTable: Readonly<Record<string, readonly string[]>>;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeClusterInfo(bytes: Uint8Array | null): ClusterInfo {
  const fields = decodeBody(bytes, 'ClusterInfo');
  return {
    brokerAddrTable: tableOf(fields.brokerAddrTable, broker => brokerDataOf(isFields(broker) ? broker : {})),
    clusterAddrTable: tableOf(fields.clusterAddrTable, names => listOf(names, textOf)),
  };
}

/** Text to text: key-value lists and runtime information. */
export interface KVTable {
  readonly table: Readonly<Record<string, string>>;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeKVTable(bytes: Uint8Array | null): KVTable {
  return { table: tableOf(decodeBody(bytes, 'KVTable').table, value => textOf(value)) };
}

export interface TopicList {
  readonly topicList: readonly string[];
  /** Any broker, in the answer of 304. */
  readonly brokerAddr?: string;
}

/** Errors: RingError PROTOCOL_VIOLATION. */
export function decodeTopicList(bytes: Uint8Array | null): TopicList {
  const fields = decodeBody(bytes, 'TopicList');
  const topicList = listOf(fields.topicList, textOf);
  return typeof fields.brokerAddr === 'string' ? { topicList, brokerAddr: fields.brokerAddr } : { topicList };
}
