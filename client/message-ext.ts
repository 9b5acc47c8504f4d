/** Messages as consumers get them, read from stored records. Source: spec remoting 6.6; MessageDecoder. */
import { inflateSync } from 'node:zlib';
import { getI32, getI64 } from '../protocol/bytes.js';
import { MessageSysFlag } from '../protocol/codes.js';
import {
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  parseProperties,
  RECORD_OVERHEAD,
  RecordLayout,
  recordBodySize,
  recordBodyStart,
  recordMagic,
  recordTotalSize,
  topicLength,
  topicLengthSize,
} from '../protocol/message-record.js';
import { messageOf } from '../runtime/base/errors.js';
import { MiB } from '../runtime/base/units.js';
import { MQClientError } from './errors.js';
import { MessageProperty } from './message.js';
import { formatHost } from './unique-id.js';

/** A body may not inflate to more than this. Units: bytes. */
const BODY_INFLATED_SIZE_MAX = 64 * MiB;
/** Bits 8..10 of the sysFlag: how a compressed body is compressed; 0 is what clients before 4.9.4 write for zlib. */
const COMPRESSION_TYPE_MASK = 0x700;
const compressionTypes: Readonly<Record<number, string>> = { 0: 'zlib', 256: 'LZ4', 512: 'zstd', 768: 'zlib' };

const decoder = new TextDecoder();

/** What the fixed part of a record says. */
export type MessageExtFields = Pick<
  MessageExt,
  | 'topic'
  | 'queueId'
  | 'queueOffset'
  | 'commitLogOffset'
  | 'storeSize'
  | 'flag'
  | 'sysFlag'
  | 'bodyCRC'
  | 'bornTimestamp'
  | 'bornHost'
  | 'storeTimestamp'
  | 'storeHost'
  | 'reconsumeTimes'
  | 'preparedTransactionOffset'
  | 'properties'
  | 'offsetMsgId'
>;

/**
 * A stored message. It shares memory with the other messages of its pull: copy `body` to keep one of many for long.
 * Units: timestamps ms since the epoch, storeSize bytes.
 */
export class MessageExt {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  /** Physical offset in the commit log. */
  readonly commitLogOffset: number;
  readonly storeSize: number;
  readonly flag: number;
  readonly sysFlag: number;
  /** CRC-32 of the body as stored, masked to 31 bits. */
  readonly bodyCRC: number;
  readonly bornTimestamp: number;
  /** `ip:port` of the producer. */
  readonly bornHost: string;
  readonly storeTimestamp: number;
  /** `ip:port` of the broker. */
  readonly storeHost: string;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly properties: Readonly<Record<string, string>>;
  /** Store host and physical offset: what `PullConsumer.viewMessage` takes. */
  readonly offsetMsgId: string;
  readonly #storedBody: Uint8Array;
  #body: Uint8Array | undefined;

  constructor(fields: MessageExtFields, storedBody: Uint8Array) {
    this.topic = fields.topic;
    this.queueId = fields.queueId;
    this.queueOffset = fields.queueOffset;
    this.commitLogOffset = fields.commitLogOffset;
    this.storeSize = fields.storeSize;
    this.flag = fields.flag;
    this.sysFlag = fields.sysFlag;
    this.bodyCRC = fields.bodyCRC;
    this.bornTimestamp = fields.bornTimestamp;
    this.bornHost = fields.bornHost;
    this.storeTimestamp = fields.storeTimestamp;
    this.storeHost = fields.storeHost;
    this.reconsumeTimes = fields.reconsumeTimes;
    this.preparedTransactionOffset = fields.preparedTransactionOffset;
    this.properties = fields.properties;
    this.offsetMsgId = fields.offsetMsgId;
    this.#storedBody = storedBody;
  }

  /** The same message with some of its fields changed; it shares the body. */
  with(changes: Partial<MessageExtFields>): MessageExt {
    return new MessageExt({ ...this, ...changes }, this.#storedBody);
  }

  /** The producer's id of the message; the offset message id when it has none (3.2.x producers). */
  get msgId(): string {
    return this.properties[MessageProperty.UNIQ_KEY] ?? this.offsetMsgId;
  }

  get tags(): string | undefined {
    return this.properties[MessageProperty.TAGS];
  }

  get keys(): string[] {
    return (this.properties[MessageProperty.KEYS] ?? '').split(' ').filter(key => key !== '');
  }

  /** Id of the transaction the message came from; undefined when it was sent without one. */
  get transactionId(): string | undefined {
    return this.properties[MessageProperty.TRAN_MSG] === 'true' ? this.properties[MessageProperty.UNIQ_KEY] : undefined;
  }

  get delayLevel(): number {
    return Number(this.properties[MessageProperty.DELAY] ?? 0);
  }

  /**
   * The body as the producer gave it, inflated on first use.
   * Errors: MQClientError UNSUPPORTED_COMPRESSION for LZ4 and zstd bodies, BAD_ANSWER for damaged ones. They come
   * from here and not from the pull, so that one such message does not stop the queue.
   */
  get body(): Uint8Array {
    this.#body ??= inflateBody(this, this.#storedBody);
    return this.#body;
  }

  /** The body read as UTF-8. Errors: those of {@link body}. */
  get bodyText(): string {
    return decoder.decode(this.body);
  }
}

function inflateBody(message: MessageExt, stored: Uint8Array): Uint8Array {
  if ((message.sysFlag & MessageSysFlag.COMPRESSED) === 0) return stored;
  const type = message.sysFlag & COMPRESSION_TYPE_MASK;
  const name = compressionTypes[type] ?? `type 0x${type.toString(16)}`;
  if (name !== 'zlib') {
    throw new MQClientError(
      'UNSUPPORTED_COMPRESSION',
      `message ${message.msgId}: its body is compressed with ${name}; only zlib is supported`,
    );
  }
  try {
    return inflateSync(stored, { maxOutputLength: BODY_INFLATED_SIZE_MAX });
  } catch (cause) {
    throw new MQClientError('BAD_ANSWER', `message ${message.msgId}: its body does not inflate: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * Reads concatenated records, V1 and V2, with IPv4 and IPv6 hosts.
 * Errors: MQClientError BAD_ANSWER when the bytes are not records to their end.
 */
export function decodeMessages(records: Uint8Array): MessageExt[] {
  const messages: MessageExt[] = [];
  let start = 0;
  while (start < records.length) {
    const message = decodeRecord(records, start);
    messages.push(message);
    start += message.storeSize;
  }
  return messages;
}

function decodeRecord(records: Uint8Array, start: number): MessageExt {
  const left = records.length - start;
  const totalSize = left < RECORD_OVERHEAD ? -1 : recordTotalSize(records, start);
  if (totalSize < RECORD_OVERHEAD || totalSize > left) throw badRecord(start, 'its size does not fit');
  const magic = recordMagic(records, start);
  if (magic !== MESSAGE_MAGIC_V1 && magic !== MESSAGE_MAGIC_V2) throw badRecord(start, 'its magic is unknown');

  const at = RecordLayout.at;
  const sysFlag = getI32(records, start + at.sysFlag);
  const bornIpSize = (sysFlag & MessageSysFlag.BORN_HOST_V6) === 0 ? 4 : 16;
  const storeIpSize = (sysFlag & MessageSysFlag.STORE_HOST_V6) === 0 ? 4 : 16;
  const storeTimestampAt = start + at.storeTimestamp + bornIpSize - 4;
  const storeHostAt = storeTimestampAt + 8;
  const afterHosts = storeHostAt + storeIpSize + 4;

  const end = start + totalSize;
  const bodyStart = recordBodyStart(records, start);
  const bodySize = bodyStart <= end ? recordBodySize(records, start) : -1;
  const topicAt = bodyStart + bodySize;
  const topicLengthBytes = topicLengthSize(records, start);
  const topicStart = topicAt + topicLengthBytes;
  if (bodySize < 0 || topicStart > end) throw badRecord(start, 'its body does not fit');
  const topicEnd = topicStart + topicLength(records, topicAt, topicLengthBytes);
  if (topicEnd < topicStart || topicEnd + 2 > end) throw badRecord(start, 'its topic does not fit');
  const propertiesEnd = topicEnd + 2 + ((records[topicEnd]! << 8) | records[topicEnd + 1]!);
  if (propertiesEnd > end) throw badRecord(start, 'its properties do not fit');

  const storeHost = records.subarray(storeHostAt, afterHosts);
  const physicalOffset = records.subarray(start + at.physicalOffset, start + at.physicalOffset + 8);
  return new MessageExt(
    {
      topic: decoder.decode(records.subarray(topicStart, topicEnd)),
      queueId: getI32(records, start + at.queueId),
      queueOffset: getI64(records, start + at.queueOffset),
      commitLogOffset: getI64(records, start + at.physicalOffset),
      storeSize: totalSize,
      flag: getI32(records, start + at.flag),
      sysFlag,
      bodyCRC: getI32(records, start + at.bodyCrc),
      bornTimestamp: getI64(records, start + at.bornTimestamp),
      bornHost: formatHost(records, start + at.bornHost, bornIpSize),
      storeTimestamp: getI64(records, storeTimestampAt),
      storeHost: formatHost(records, storeHostAt, storeIpSize),
      reconsumeTimes: getI32(records, afterHosts),
      preparedTransactionOffset: getI64(records, afterHosts + 4),
      properties: Object.fromEntries(parseProperties(decoder.decode(records.subarray(topicEnd + 2, propertiesEnd)))),
      offsetMsgId: Buffer.concat([storeHost, physicalOffset]).toString('hex').toUpperCase(),
    },
    records.subarray(bodyStart, topicAt),
  );
}

function badRecord(start: number, why: string): MQClientError {
  return new MQClientError('BAD_ANSWER', `the record at byte ${start} of the answer cannot be read: ${why}`);
}
