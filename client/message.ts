/** What a producer is given, and how it is laid out for the wire. Source: spec remoting 5.2, 5.4, 5.5; Validators. */
import { deflateSync } from 'node:zlib';
import { putI16, putI32 } from '../protocol/bytes.js';
import { MessageSysFlag } from '../protocol/codes.js';
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
} as const;

const fieldProperties: ReadonlySet<string> = new Set(['KEYS', 'TAGS', 'WAIT', 'DELAY']);
const encoder = new TextEncoder();

export interface MessageLimits {
  /** Units: bytes. */
  readonly maxMessageSize: number;
  /** A body of at least this size is compressed. Units: bytes. */
  readonly compressMsgBodyOverHowmuch: number;
}

/** A message as the send request carries it. */
export interface PreparedMessage {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly flag: number;
  readonly sysFlag: number;
  readonly uniqKey: string;
  readonly waitStoreMsgOk: boolean;
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
  let sysFlag = 0;
  if (compress && body.length >= limits.compressMsgBodyOverHowmuch) {
    const packed = deflateSync(body, { level: 5 });
    if (packed.length < body.length) {
      body = packed;
      sysFlag = MessageSysFlag.COMPRESSED;
    }
  }
  const uniqKey = message.properties?.[MessageProperty.UNIQ_KEY] ?? createUniqKey();
  const properties = formatProperties(collectProperties(message, uniqKey));
  if (Buffer.byteLength(properties) > PROPERTIES_SIZE_MAX) {
    throw illegal(`the properties take more than ${PROPERTIES_SIZE_MAX} bytes`);
  }
  return {
    topic: message.topic,
    body,
    properties,
    flag: message.flag ?? 0,
    sysFlag,
    uniqKey,
    waitStoreMsgOk: message.waitStoreMsgOk ?? true,
  };
}

function collectProperties(message: Message, uniqKey: string): [string, string][] {
  const properties: [string, string][] = [];
  const add = (name: string, value: string): void => {
    if (name === '' || value === '') throw illegal(`property "${name}" has no name or no value`);
    if (hasSeparator(name) || hasSeparator(value)) throw illegal(`property "${name}" holds \\u0001 or \\u0002`);
    properties.push([name, value]);
  };
  for (const [name, value] of Object.entries(message.properties ?? {})) {
    if (fieldProperties.has(name)) throw illegal(`property "${name}" is a field of the message: set that`);
    if (name !== MessageProperty.UNIQ_KEY) add(name, value);
  }
  const keys = typeof message.keys === 'string' ? message.keys : message.keys?.join(' ');
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
    topic: first.topic,
    body,
    properties: formatProperties([[MessageProperty.WAIT, String(waitStoreMsgOk)]]),
    flag: 0,
    sysFlag: 0,
    uniqKey: prepared.map(message => message.uniqKey).join(','),
    waitStoreMsgOk,
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
