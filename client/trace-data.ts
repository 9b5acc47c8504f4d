/**
 * What the message trace says of a send, a consumption or the end of a transaction, in the text that mqadmin and the
 * dashboard read: values separated by U+0001, records ended by U+0002, `null` for what is not there.
 * Source: TraceDataEncoder, SendMessageTraceHookImpl, ConsumeMessageTraceHookImpl, EndTransactionTraceHookImpl (4.9.8).
 */
import { MessageSysFlag } from '../protocol/codes.js';
import type { MessageExt } from './message-ext.js';
import type { SentMessage } from './sender.js';

export interface TraceRecord {
  readonly data: string;
  /** What the record is found by: message ids and the keys of the messages. */
  readonly keys: readonly string[];
}

/** Ordinals of MessageType. */
const TraceMessageType = { NORMAL: 0, TRANSACTION_HALF: 1, TRANSACTION_COMMIT: 2, DELAY: 3 } as const;

/** Ordinals of ConsumeReturnType. */
export const ConsumeReturnType = { SUCCESS: 0, TIME_OUT: 1, EXCEPTION: 2, RETURNNULL: 3, FAILED: 4 } as const;
export type ConsumeReturnType = (typeof ConsumeReturnType)[keyof typeof ConsumeReturnType];

/** Java writes its null as text; an empty value at the end of a record would be lost when the record is split. */
const nothing = 'null';
const DEFAULT_REGION = 'DefaultRegion';

function recordOf(values: readonly (string | number | boolean)[]): string {
  return `${values.join('\u0001')}\u0002`;
}

function keysOf(msgId: string, keys: string | undefined): string[] {
  return [msgId, ...(keys ?? '').split(' ').filter(key => key !== '')];
}

/** A message that was sent. */
export function publishRecord(sent: SentMessage, producerGroup: string): TraceRecord {
  const { message, result } = sent;
  const isHalf = (message.sysFlag & MessageSysFlag.TRANSACTION_MASK) === MessageSysFlag.TRANSACTION_PREPARED;
  const type = message.delayLevel > 0 ? TraceMessageType.DELAY : TraceMessageType.NORMAL;
  const data = recordOf([
    'Pub',
    sent.startTimestamp,
    result.regionId,
    producerGroup,
    message.topic,
    result.msgId,
    message.tags ?? nothing,
    message.keys ?? nothing,
    sent.brokerAddr,
    message.body.length,
    sent.costMs,
    isHalf ? TraceMessageType.TRANSACTION_HALF : type,
    result.offsetMsgId,
    result.sendStatus === 'SEND_OK',
  ]);
  return { data, keys: keysOf(result.msgId, message.keys) };
}

/** One run of a listener. Units: ms, timestamps ms since the epoch. */
export interface TracedConsumption {
  readonly consumerGroup: string;
  /** Pairs what is told before with what is told after. */
  readonly requestId: string;
  readonly startTimestamp: number;
  readonly messages: readonly MessageExt[];
}

/** The messages whose broker wants a trace. */
export function traceable(messages: readonly MessageExt[]): MessageExt[] {
  return messages.filter(message => message.properties.TRACE_ON !== 'false');
}

/** Messages that a listener is about to get. */
export function beforeConsumeRecords(consumption: TracedConsumption): TraceRecord[] {
  const { consumerGroup, requestId, startTimestamp, messages } = consumption;
  return messages.map(message => ({
    data: recordOf([
      'SubBefore',
      startTimestamp,
      message.properties.MSG_REGION ?? DEFAULT_REGION,
      consumerGroup,
      requestId,
      message.msgId,
      message.reconsumeTimes,
      message.properties.KEYS ?? nothing,
    ]),
    keys: keysOf(message.msgId, message.properties.KEYS),
  }));
}

/** What became of them. Units: costMs of each message. */
export function afterConsumeRecords(
  consumption: TracedConsumption,
  success: boolean,
  returnType: ConsumeReturnType,
  costMs: number,
): TraceRecord[] {
  const { consumerGroup, requestId, messages } = consumption;
  return messages.map(message => ({
    data: recordOf([
      'SubAfter',
      requestId,
      message.msgId,
      costMs,
      success,
      message.properties.KEYS ?? nothing,
      returnType,
      Date.now(),
      consumerGroup,
    ]),
    keys: keysOf(message.msgId, message.properties.KEYS),
  }));
}

export interface TracedTransactionEnd {
  readonly producerGroup: string;
  readonly topic: string;
  readonly tags: string | undefined;
  /** Separated by spaces. */
  readonly keys: string | undefined;
  readonly msgId: string;
  readonly transactionId: string;
  readonly brokerAddr: string;
  readonly localTransactionState: string;
  readonly fromTransactionCheck: boolean;
}

/** How a transaction ended. */
export function endTransactionRecord(end: TracedTransactionEnd): TraceRecord {
  const data = recordOf([
    'EndTransaction',
    Date.now(),
    DEFAULT_REGION,
    end.producerGroup,
    end.topic,
    end.msgId,
    end.tags ?? nothing,
    end.keys ?? nothing,
    end.brokerAddr,
    TraceMessageType.TRANSACTION_COMMIT,
    end.transactionId,
    end.localTransactionState,
    end.fromTransactionCheck,
  ]);
  return { data, keys: keysOf(end.msgId, end.keys) };
}
