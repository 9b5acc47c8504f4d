/**
 * Request, response, language and flag codes, one const table each. Names and numbers are RocketMQ's.
 * Source: rocketmq 4.9.8 RequestCode, ResponseCode, LanguageCode, MessageSysFlag, PullSysFlag, PermName, MQVersion.
 */

export const RequestCode = {
  SEND_MESSAGE: 10,
  PULL_MESSAGE: 11,
  QUERY_MESSAGE: 12,
  QUERY_CONSUMER_OFFSET: 14,
  UPDATE_CONSUMER_OFFSET: 15,
  UPDATE_AND_CREATE_TOPIC: 17,
  GET_ALL_TOPIC_CONFIG: 21,
  UPDATE_BROKER_CONFIG: 25,
  GET_BROKER_CONFIG: 26,
  GET_BROKER_RUNTIME_INFO: 28,
  SEARCH_OFFSET_BY_TIMESTAMP: 29,
  GET_MAX_OFFSET: 30,
  GET_MIN_OFFSET: 31,
  GET_EARLIEST_MSG_STORETIME: 32,
  VIEW_MESSAGE_BY_ID: 33,
  HEART_BEAT: 34,
  UNREGISTER_CLIENT: 35,
  CONSUMER_SEND_MSG_BACK: 36,
  END_TRANSACTION: 37,
  GET_CONSUMER_LIST_BY_GROUP: 38,
  CHECK_TRANSACTION_STATE: 39,
  NOTIFY_CONSUMER_IDS_CHANGED: 40,
  LOCK_BATCH_MQ: 41,
  UNLOCK_BATCH_MQ: 42,
  GET_ALL_CONSUMER_OFFSET: 43,
  GET_ALL_DELAY_OFFSET: 45,
  CHECK_CLIENT_CONFIG: 46,
  PUT_KV_CONFIG: 100,
  GET_KV_CONFIG: 101,
  DELETE_KV_CONFIG: 102,
  REGISTER_BROKER: 103,
  UNREGISTER_BROKER: 104,
  GET_ROUTEINFO_BY_TOPIC: 105,
  GET_BROKER_CLUSTER_INFO: 106,
  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: 200,
  GET_ALL_SUBSCRIPTIONGROUP_CONFIG: 201,
  GET_TOPIC_STATS_INFO: 202,
  GET_CONSUMER_CONNECTION_LIST: 203,
  GET_PRODUCER_CONNECTION_LIST: 204,
  WIPE_WRITE_PERM_OF_BROKER: 205,
  GET_ALL_TOPIC_LIST_FROM_NAMESERVER: 206,
  DELETE_SUBSCRIPTIONGROUP: 207,
  GET_CONSUME_STATS: 208,
  DELETE_TOPIC_IN_BROKER: 215,
  DELETE_TOPIC_IN_NAMESRV: 216,
  /** 3.2.x: GET_KV_CONFIG_BY_VALUE. */
  GET_KV_CONFIG_BY_VALUE: 217,
  DELETE_KV_CONFIG_BY_VALUE: 218,
  GET_KVLIST_BY_NAMESPACE: 219,
  RESET_CONSUMER_CLIENT_OFFSET: 220,
  GET_CONSUMER_STATUS_FROM_CLIENT: 221,
  INVOKE_BROKER_TO_RESET_OFFSET: 222,
  INVOKE_BROKER_TO_GET_CONSUMER_STATUS: 223,
  GET_TOPICS_BY_CLUSTER: 224,
  QUERY_TOPIC_CONSUME_BY_WHO: 300,
  QUERY_CONSUME_TIME_SPAN: 303,
  GET_SYSTEM_TOPIC_LIST_FROM_NS: 304,
  GET_SYSTEM_TOPIC_LIST_FROM_BROKER: 305,
  CLEAN_EXPIRED_CONSUMEQUEUE: 306,
  GET_CONSUMER_RUNNING_INFO: 307,
  QUERY_CORRECTION_OFFSET: 308,
  CONSUME_MESSAGE_DIRECTLY: 309,
  SEND_MESSAGE_V2: 310,
  GET_UNIT_TOPIC_LIST: 311,
  GET_HAS_UNIT_SUB_TOPIC_LIST: 312,
  GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: 313,
  CLONE_GROUP_OFFSET: 314,
  VIEW_BROKER_STATS_DATA: 315,
  CLEAN_UNUSED_TOPIC: 316,
  GET_BROKER_CONSUME_STATS: 317,
  UPDATE_NAMESRV_CONFIG: 318,
  GET_NAMESRV_CONFIG: 319,
  SEND_BATCH_MESSAGE: 320,
  QUERY_CONSUME_QUEUE: 321,
  QUERY_DATA_VERSION: 322,
  RESUME_CHECK_HALF_MESSAGE: 323,
  SEND_REPLY_MESSAGE: 324,
  SEND_REPLY_MESSAGE_V2: 325,
  PUSH_REPLY_MESSAGE_TO_CLIENT: 326,
  ADD_WRITE_PERM_OF_BROKER: 327,
  GET_ALL_PRODUCER_INFO: 328,
  DELETE_EXPIRED_COMMITLOG: 329,
  QUERY_TOPICS_BY_CONSUMER: 343,
  QUERY_SUBSCRIPTION_BY_CONSUMER: 345,
  GET_TOPIC_CONFIG: 351,
  GET_SUBSCRIPTIONGROUP_CONFIG: 352,
  LITE_PULL_MESSAGE: 361,
  /** RingMQ's own: RocketMQ uses no codes from 12000 on below 200000. */
  RINGMQ_SET_TRACE: 12_001,
  RINGMQ_GET_TRACE: 12_002,
  RINGMQ_GET_REPORT: 12_003,
  RINGMQ_CHANGE_ROLE: 12_010,
  RINGMQ_GET_ROLE: 12_011,
  RINGMQ_REJOIN: 12_012,
} as const;

export const ResponseCode = {
  SUCCESS: 0,
  SYSTEM_ERROR: 1,
  SYSTEM_BUSY: 2,
  REQUEST_CODE_NOT_SUPPORTED: 3,
  FLUSH_DISK_TIMEOUT: 10,
  SLAVE_NOT_AVAILABLE: 11,
  FLUSH_SLAVE_TIMEOUT: 12,
  MESSAGE_ILLEGAL: 13,
  SERVICE_NOT_AVAILABLE: 14,
  VERSION_NOT_SUPPORTED: 15,
  NO_PERMISSION: 16,
  TOPIC_NOT_EXIST: 17,
  TOPIC_EXIST_ALREADY: 18,
  PULL_NOT_FOUND: 19,
  PULL_RETRY_IMMEDIATELY: 20,
  PULL_OFFSET_MOVED: 21,
  QUERY_NOT_FOUND: 22,
  SUBSCRIPTION_PARSE_FAILED: 23,
  SUBSCRIPTION_NOT_EXIST: 24,
  SUBSCRIPTION_NOT_LATEST: 25,
  SUBSCRIPTION_GROUP_NOT_EXIST: 26,
  FILTER_DATA_NOT_EXIST: 27,
  FILTER_DATA_NOT_LATEST: 28,
  CONSUMER_NOT_ONLINE: 206,
  CONSUME_MSG_TIMEOUT: 207,
  /** 4.9.5 and later. */
  FLOW_CONTROL: 215,
} as const;

/** Ordinals of the `language` field. */
export const LanguageCode = {
  JAVA: 0,
  CPP: 1,
  DOTNET: 2,
  PYTHON: 3,
  DELPHI: 4,
  ERLANG: 5,
  RUBY: 6,
  OTHER: 7,
  HTTP: 8,
  GO: 9,
  PHP: 10,
  OMS: 11,
  RUST: 12,
  NODE_JS: 13,
} as const;

export const languageNames: readonly string[] = Object.keys(LanguageCode);

/** Bits of the `flag` field of a frame. */
export const CommandFlag = { RESPONSE: 1, ONEWAY: 2 } as const;

export const SerializeType = { JSON: 0, ROCKETMQ: 1 } as const;
export type SerializeType = (typeof SerializeType)[keyof typeof SerializeType];

export const MessageSysFlag = {
  COMPRESSED: 0x01,
  MULTI_TAGS: 0x02,
  TRANSACTION_MASK: 0x0c,
  TRANSACTION_PREPARED: 0x04,
  TRANSACTION_COMMIT: 0x08,
  TRANSACTION_ROLLBACK: 0x0c,
  BORN_HOST_V6: 0x10,
  STORE_HOST_V6: 0x20,
} as const;

export const PullSysFlag = { COMMIT_OFFSET: 1, SUSPEND: 2, SUBSCRIPTION: 4, CLASS_FILTER: 8, LITE_PULL: 16 } as const;

export const Permission = { INHERIT: 1, WRITE: 2, READ: 4, PRIORITY: 8 } as const;

/** What we call ourselves in the `version` field: V4_9_8. */
export const MQ_VERSION = 409;
export const MQ_VERSION_NAME = 'V4_9_8';

/**
 * What a registration says instead: V3_2_6. Name servers look only whether it is V3_0_11 (37) at least, and those of
 * 3.2.6 fail at a number they do not know, as they do for every later Java broker. Source: DefaultRequestProcessor.
 */
export const REGISTRATION_VERSION = 79;

/**
 * "V4_9_7" of 407, or the number itself for what came before V3_1_0. Each release follows its snapshot; up to 3.2 and
 * since 4.0 a minor version has ten of them, in between nine. Source: MQVersion.
 */
export function versionName(version: number): string {
  const span = versionSpans.find(({ from }) => version >= from);
  if (span === undefined) return String(version);
  const { from, firstMinor, releases } = span;
  const release = Math.floor((version - from) / 2);
  const minor = firstMinor + Math.floor(release / releases);
  const patch = (release % releases) + 10 - releases;
  return `V${Math.floor(minor / 10)}_${minor % 10}_${patch}${(version - from) % 2 === 0 ? '_SNAPSHOT' : ''}`;
}

/** `firstMinor` 31 is 3.1. */
const versionSpans = [
  { from: 212, firstMinor: 40, releases: 10 },
  { from: 86, firstMinor: 33, releases: 9 },
  { from: 46, firstMinor: 31, releases: 10 },
] as const;

/** A frame, its length word included, may be at most this long. Units: bytes. Source: NettyDecoder (4.x). */
export const FRAME_SIZE_MAX = 16_777_216;

/**
 * RingMQ's own requests, both oneway, far from RocketMQ's numbers: a slave asks its master to be told of changes, and
 * the master tells. Java answers the first with REQUEST_CODE_NOT_SUPPORTED, or not at all.
 */
export const WATCH_BROKER_METADATA = 17_001;
/** Fields topics, subscriptionGroups: which tables changed; body: the consumer offsets that did. */
export const BROKER_METADATA_CHANGED = 17_002;

const requestNames = new Map<number, string>(Object.entries(RequestCode).map(([name, code]) => [code, name]));
const responseNames = new Map<number, string>(Object.entries(ResponseCode).map(([name, code]) => [code, name]));

/** "SEND_MESSAGE_V2", or "4711" for a code we do not know. */
export function requestCodeName(code: number): string {
  return requestNames.get(code) ?? String(code);
}

export function responseCodeName(code: number): string {
  return responseNames.get(code) ?? String(code);
}
