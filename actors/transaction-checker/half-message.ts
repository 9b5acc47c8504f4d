/**
 * One half message as it stands in a reader's memory: what it says about being checked, and the records made from it.
 * Source: spec transaction 1, 3, 6, 7; TransactionalMessageBridge, AbstractTransactionalMessageCheckListener.
 */
import { formatMessageId } from '../../protocol/message-id.js';
import {
  formatProperties,
  PROPERTIES_SIZE_MAX,
  recordBornTimestamp,
  recordFlag,
  recordPhysicalOffset,
  recordQueueOffset,
  recordReconsumeTimes,
  recordStoreTimestamp,
  recordSysFlag,
  stampRecord,
  TOPIC_SIZE_MAX,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { copyRecord, copySizeMax, readRecordProperties, type StoreHost } from '../../protocol/record-copy.js';

/** Where a copy was stored. */
export interface Place {
  readonly queueOffset: number;
  readonly physicalOffset: number;
}

const encoder = new TextEncoder();

/** A whole number as Java parses one, else undefined. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

export class HalfMessage {
  readonly properties: ReadonlyMap<string, string>;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;

  /** The record at `start`; it must stay there as long as copies are made. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.properties = readRecordProperties(bytes, start);
    this.bornTimestamp = recordBornTimestamp(bytes, start);
    this.storeTimestamp = recordStoreTimestamp(bytes, start);
    this.queueOffset = recordQueueOffset(bytes, start);
    this.physicalOffset = recordPhysicalOffset(bytes, start);
  }

  /** How often its producer was asked; undefined: never. */
  get checkTimes(): number | undefined {
    const text = this.properties.get(MessageProperty.TRANSACTION_CHECK_TIMES);
    return text === undefined ? undefined : (wholeNumber(text) ?? 0);
  }

  /** How long the producer asked not to be asked; undefined when it did not. Units: ms. */
  immunityMs(timeoutMs: number): number | undefined {
    const text = this.properties.get(MessageProperty.CHECK_IMMUNITY_TIME_IN_SECONDS);
    if (text === undefined) return undefined;
    const seconds = wholeNumber(text) ?? -1;
    return seconds === -1 ? timeoutMs : seconds * 1000;
  }

  /** The queue offset at which its transaction knows a message that was put back unasked. */
  get preparedQueueOffset(): number | undefined {
    return wholeNumber(this.properties.get(MessageProperty.TRANSACTION_PREPARED_QUEUE_OFFSET));
  }

  /** Names the transaction in all copies; undefined for clients that give no unique key. */
  get transaction(): string | undefined {
    return this.properties.get(MessageProperty.UNIQUE_KEY);
  }

  /** The message with one question more. */
  get askedOnceMore(): Uint8Array | undefined {
    return this.#with(MessageProperty.TRANSACTION_CHECK_TIMES, String((this.checkTimes ?? 0) + 1));
  }

  /** The message as it is put back unasked. */
  get putBack(): Uint8Array | undefined {
    const offset = this.preparedQueueOffset ?? this.queueOffset;
    return this.#with(MessageProperty.TRANSACTION_PREPARED_QUEUE_OFFSET, String(offset));
  }

  /** The property string as it is. */
  get unchanged(): Uint8Array {
    return encoder.encode(formatProperties(this.properties));
  }

  /** Undefined when no record can carry so many properties. */
  #with(name: string, value: string): Uint8Array | undefined {
    const properties = encoder.encode(formatProperties(new Map(this.properties).set(name, value)));
    return properties.length > PROPERTIES_SIZE_MAX ? undefined : properties;
  }

  /** More bytes than a copy with these properties has, in whatever topic. */
  copySizeMax(properties: Uint8Array): number {
    return copySizeMax(this.#bytes, this.#start, TOPIC_SIZE_MAX, properties.length);
  }

  /** Writes a copy for the log at `target[at, …)`; returns the position after it. */
  copyTo(
    target: Uint8Array,
    at: number,
    topic: Uint8Array,
    queueId: number,
    properties: Uint8Array,
    host: StoreHost,
  ): number {
    return copyRecord(this.#bytes, this.#start, target, at, {
      topic,
      queueId,
      flag: recordFlag(this.#bytes, this.#start),
      sysFlag: recordSysFlag(this.#bytes, this.#start),
      storeAddress: host.storeAddress,
      storePort: host.storePort,
      reconsumeTimes: recordReconsumeTimes(this.#bytes, this.#start),
      preparedTransactionOffset: 0,
      properties,
    });
  }

  /** Where the producer sent it; undefined when that cannot be told. */
  get realQueue(): { readonly topic: Uint8Array; readonly queueId: number } | undefined {
    const topic = encoder.encode(this.properties.get(MessageProperty.REAL_TOPIC) ?? '');
    const queueId = wholeNumber(this.properties.get(MessageProperty.REAL_QUEUE_ID));
    return topic.length === 0 || topic.length > TOPIC_SIZE_MAX || queueId === undefined
      ? undefined
      : { topic, queueId };
  }

  /** Writes the message as its producer is shown it, stored at `place`; returns the position after it. */
  questionTo(
    target: Uint8Array,
    at: number,
    queue: NonNullable<HalfMessage['realQueue']>,
    properties: Uint8Array,
    place: Place,
    host: StoreHost,
  ): number {
    const end = this.copyTo(target, at, queue.topic, queue.queueId, properties, host);
    stampRecord(target, at, place.queueOffset, place.physicalOffset, this.storeTimestamp);
    return end;
  }

  /** Header of CHECK_TRANSACTION_STATE for the copy at `place`. */
  questionFields({ queueOffset, physicalOffset }: Place, host: StoreHost): Record<string, string> {
    const transaction = this.transaction;
    return {
      tranStateTableOffset: String(queueOffset),
      commitLogOffset: String(physicalOffset),
      offsetMsgId: formatMessageId(host.storeAddress, host.storePort, physicalOffset),
      ...(transaction === undefined ? {} : { msgId: transaction, transactionId: transaction }),
    };
  }
}
