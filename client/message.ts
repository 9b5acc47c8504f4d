/** What a producer is given, and how it is laid out for the wire. Source: spec remoting 5.2, 5.4, 5.5; Validators. */
import { deflateSync } from 'node:zlib';
import { putI16, putI32 } from '../protocol/bytes.js';
import { MessageSysFlag, RequestCode } from '../protocol/codes.js';
import { formatProperties, PROPERTIES_SIZE_MAX, TOPIC_SIZE_MAX } from '../protocol/message-record.js';
import { LEGAL_NAME, RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';
import { MQClientError } from './errors.js';
import { createUniqKey } from './unique-id.js';

/** A message to send. */
export interface Message {
  readonly topic: string;
  /** Text is sent as UTF-8. Must not be empty. */
  readonly body: Uint8Array | string;
  /** One tag, for consumers to filter by. */
  readonly tags?: string | undefined;
  /** Keys to find the message by. A key holds no space. */
  readonly keys?: string | readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** 1..18: deliver after 1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h. */
  readonly delayLevel?: number | undefined;
  /** An integer of your own; the broker only carries it. */
  readonly flag?: number | undefined;
  /** false: the broker answers without waiting for disk or slave. */
  readonly waitStoreMsgOk?: boolean | undefined;
}

/** Names of properties with a meaning. Source: MessageConst. */
export const MessageProperty = {
  KEYS: 'KEYS',
  TAGS: 'TAGS',
  WAIT: 'WAIT',
  DELAY: 'DELAY',
  UNIQ_KEY: 'UNIQ_KEY',
  /** On a message that is tried again: the topic it was sent to. */
  RETRY_TOPIC: 'RETRY_TOPIC',
  /** On a message that is tried again: where its first copy is stored. */
  ORIGIN_MESSAGE_ID: 'ORIGIN_MESSAGE_ID',
  /** Of a message to a retry topic, sent in the header instead. */
  RECONSUME_TIME: 'RECONSUME_TIME',
  /** Of a message to a retry topic, sent in the header instead. */
  MAX_RECONSUME_TIMES: 'MAX_RECONSUME_TIMES',
  /** `true` on a message whose transaction has yet to be decided, and for good on the one that was committed. */
  TRAN_MSG: 'TRAN_MSG',
  /** The producer group that decides. */
  PGROUP: 'PGROUP',
  /** After how long undecided the broker may ask. Units: s. */
  CHECK_IMMUNITY_TIME_IN_SECONDS: 'CHECK_IMMUNITY_TIME_IN_SECONDS',
  /** Name of the cluster, added by brokers since 4.6. */
  CLUSTER: 'CLUSTER',
  /** Pairs a reply with its request. */
  CORRELATION_ID: 'CORRELATION_ID',
  /** Id of the client that waits for the reply. */
  REPLY_TO_CLIENT: 'REPLY_TO_CLIENT',
  /** How long it waits. Units: ms. */
  TTL: 'TTL',
  /** `reply` on replies. */
  MSG_TYPE: 'MSG_TYPE',
  MSG_REGION: 'MSG_REGION',
  /** `false`: the broker wants no trace of this message. */
  TRACE_ON: 'TRACE_ON',
} as const;

/** Properties that are fields of {@link Message}. */
export const fieldProperties: ReadonlySet<string> = new Set(['KEYS', 'TAGS', 'WAIT', 'DELAY']);
const retryHeaderProperties: ReadonlySet<string> = new Set([
  MessageProperty.RECONSUME_TIME,
  MessageProperty.MAX_RECONSUME_TIMES,
]);
const encoder = new TextEncoder();
/** MSG_TYPE of replies. */
export const REPLY_MESSAGE_TYPE = 'reply';

export interface MessageLimits {
  /** Units: bytes. */
  readonly maxMessageSize: number;
  /** A body of at least this size is compressed. Units: bytes. */
  readonly compressMsgBodyOverHowmuch: number;
}

/** A message as the send request carries it. */
export interface PreparedMessage {
  /** SEND_MESSAGE_V2, SEND_BATCH_MESSAGE or SEND_REPLY_MESSAGE_V2. */
  readonly requestCode: number;
  readonly topic: string;
  readonly tags: string | undefined;
  /** Separated by spaces. */
  readonly keys: string | undefined;
  readonly delayLevel: number;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly flag: number;
  readonly sysFlag: number;
  readonly uniqKey: string;
  readonly waitStoreMsgOk: boolean;
  readonly reconsumeTimes: number;
  readonly maxReconsumeTimes: number | undefined;
}

/**
 * Checks and encodes a message; it gets a UNIQ_KEY unless its properties have one.
 * Errors: MQClientError MESSAGE_ILLEGAL.
 */
export function prepareMessage(message: Message, limits: MessageLimits, compress = true): PreparedMessage {
  checkTopic(message.topic);
  let body = typeof message.body === 'string' ? encoder.encode(message.body) : message.body;
  if (body.length === 0) throw illegal('the body is empty');
  if (body.length > limits.maxMessageSize) {
    throw illegal(`the body has ${body.length} bytes, more than maxMessageSize ${limits.maxMessageSize}`);
  }
  const given = message.properties ?? {};
  let sysFlag = given[MessageProperty.TRAN_MSG] === 'true' ? MessageSysFlag.TRANSACTION_PREPARED : 0;
  if (compress && body.length >= limits.compressMsgBodyOverHowmuch) {
    const packed = deflateSync(body, { level: 5 });
    if (packed.length < body.length) {
      body = packed;
      sysFlag |= MessageSysFlag.COMPRESSED;
    }
  }
  const uniqKey = given[MessageProperty.UNIQ_KEY] ?? createUniqKey();
  const isReply = given[MessageProperty.MSG_TYPE] === REPLY_MESSAGE_TYPE;
  const isRetry = message.topic.startsWith(RETRY_TOPIC_PREFIX);
  const maxReconsumeTimes = isRetry ? given[MessageProperty.MAX_RECONSUME_TIMES] : undefined;
  const properties = formatProperties(collectProperties(message, uniqKey));
  if (Buffer.byteLength(properties) > PROPERTIES_SIZE_MAX) {
    throw illegal(`the properties take more than ${PROPERTIES_SIZE_MAX} bytes`);
  }
  return {
    requestCode: isReply ? RequestCode.SEND_REPLY_MESSAGE_V2 : RequestCode.SEND_MESSAGE_V2,
    topic: message.topic,
    tags: message.tags,
    keys: joinKeys(message.keys),
    delayLevel: message.delayLevel ?? 0,
    body,
    properties,
    flag: message.flag ?? 0,
    sysFlag,
    uniqKey,
    waitStoreMsgOk: message.waitStoreMsgOk ?? true,
    reconsumeTimes: isRetry ? Number(given[MessageProperty.RECONSUME_TIME] ?? 0) : 0,
    maxReconsumeTimes: maxReconsumeTimes === undefined ? undefined : Number(maxReconsumeTimes),
  };
}

/** As the property has them. */
export function joinKeys(keys: Message['keys']): string | undefined {
  return typeof keys === 'string' ? keys : keys?.join(' ');
}

function collectProperties(message: Message, uniqKey: string): [string, string][] {
  const properties: [string, string][] = [];
  const isRetry = message.topic.startsWith(RETRY_TOPIC_PREFIX);
  const add = (name: string, value: string): void => {
    if (name === '' || value === '') throw illegal(`property "${name}" has no name or no value`);
    if (hasSeparator(name) || hasSeparator(value)) throw illegal(`property "${name}" holds \\u0001 or \\u0002`);
    properties.push([name, value]);
  };
  for (const [name, value] of Object.entries(message.properties ?? {})) {
    if (fieldProperties.has(name)) throw illegal(`property "${name}" is a field of the message: set that`);
    const isInHeader = isRetry && retryHeaderProperties.has(name);
    if (name !== MessageProperty.UNIQ_KEY && !isInHeader) add(name, value);
  }
  const keys = joinKeys(message.keys);
  if (keys !== undefined && keys !== '') add(MessageProperty.KEYS, keys);
  add(MessageProperty.UNIQ_KEY, uniqKey);
  add(MessageProperty.WAIT, String(message.waitStoreMsgOk ?? true));
  if (message.tags !== undefined && message.tags !== '') add(MessageProperty.TAGS, message.tags);
  if (message.delayLevel !== undefined && message.delayLevel !== 0) {
    if (!Number.isInteger(message.delayLevel) || message.delayLevel < 0) throw illegal('delayLevel is no level');
    add(MessageProperty.DELAY, String(message.delayLevel));
  }
  return properties;
}

function hasSeparator(text: string): boolean {
  return text.includes('\u0001') || text.includes('\u0002');
}

/** Errors: MQClientError MESSAGE_ILLEGAL. Source: TopicValidator. */
export function checkTopic(topic: string): void {
  if (!LEGAL_NAME.test(topic)) {
    throw illegal(`topic "${topic}" is blank or holds characters other than letters, digits and %|_-`);
  }
  if (topic.length > TOPIC_SIZE_MAX) throw illegal(`a topic has at most ${TOPIC_SIZE_MAX} characters`);
}

/**
 * Several messages as one, stored together with consecutive queue offsets.
 * Errors: MQClientError MESSAGE_ILLEGAL when they do not share topic and waitStoreMsgOk, or may not travel in a batch.
 * Source: spec remoting 5.5; MessageBatch.
 */
export function prepareBatch(messages: readonly Message[], limits: MessageLimits): PreparedMessage {
  const first = messages[0];
  if (first === undefined) throw illegal('a batch holds at least one message');
  const waitStoreMsgOk = first.waitStoreMsgOk ?? true;
  if (first.topic.startsWith(RETRY_TOPIC_PREFIX)) throw illegal('a batch may not go to a retry topic');
  for (const message of messages) {
    if (message.topic !== first.topic) throw illegal('the messages of a batch share one topic');
    if ((message.waitStoreMsgOk ?? true) !== waitStoreMsgOk) throw illegal('a batch shares one waitStoreMsgOk');
    if ((message.delayLevel ?? 0) !== 0) throw illegal('a message of a batch may not be delayed');
  }
  const prepared = messages.map(message => prepareMessage(message, limits, false));
  const body = Buffer.concat(prepared.map(encodeBatchEntry));
  if (body.length > limits.maxMessageSize) {
    throw illegal(`the batch has ${body.length} bytes, more than maxMessageSize ${limits.maxMessageSize}`);
  }
  return {
    requestCode: RequestCode.SEND_BATCH_MESSAGE,
    topic: first.topic,
    tags: undefined,
    keys: undefined,
    delayLevel: 0,
    body,
    properties: formatProperties([[MessageProperty.WAIT, String(waitStoreMsgOk)]]),
    flag: 0,
    sysFlag: 0,
    uniqKey: prepared.map(message => message.uniqKey).join(','),
    waitStoreMsgOk,
    reconsumeTimes: 0,
    maxReconsumeTimes: undefined,
  };
}

/** i32 size, magic 0, CRC 0, flag, body length; body; i16 properties length; properties. */
function encodeBatchEntry(message: PreparedMessage): Uint8Array {
  const properties = encoder.encode(message.properties);
  const bodyEnd = 20 + message.body.length;
  const entry = new Uint8Array(bodyEnd + 2 + properties.length);
  putI32(entry, 0, entry.length);
  putI32(entry, 12, message.flag);
  putI32(entry, 16, message.body.length);
  entry.set(message.body, 20);
  putI16(entry, bodyEnd, properties.length);
  entry.set(properties, bodyEnd + 2);
  return entry;
}

function illegal(message: string): MQClientError {
  return new MQClientError('MESSAGE_ILLEGAL', message);
}
