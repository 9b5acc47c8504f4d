/**
 * What a span says of a message: pure, from its record and a note. Names and attributes are those of OpenTelemetry's
 * semantic conventions for messaging and RocketMQ, where they have one for a broker.
 * Source: opentelemetry.io/docs/specs/semconv/messaging, /messaging/rocketmq.
 */
import { MessageSysFlag, ResponseCode, responseCodeName } from '../../protocol/codes.js';
import { formatIpv4, formatMessageId } from '../../protocol/message-id.js';
import { MessageProperty } from '../../protocol/property-names.js';
import type { TracedRecord } from './traced-record.js';

/** What happened to a message. Units: us since the epoch. */
export type Happening = { readonly startUs: number; readonly endUs: number } & (
  | { readonly operation: 'store'; readonly code: number }
  | { readonly operation: 'deliver'; readonly group: string }
);

export type SpanAttribute = string | number | string[];

/** A span to be recorded. */
export interface SpanDraft {
  readonly name: string;
  readonly startUs: number;
  readonly endUs: number;
  /** The context the sender gave its message. */
  readonly carrier: { readonly traceparent: string; readonly tracestate?: string };
  readonly attributes: Readonly<Record<string, SpanAttribute>>;
  /** Why it did not end as it should. */
  readonly error?: string;
}

/** The span of what happened to the message of `record`; undefined when it has no context to join. */
export function spanOf(record: TracedRecord, happening: Happening): SpanDraft | undefined {
  const { properties } = record;
  const traceparent = properties.get('traceparent');
  if (traceparent === undefined) return undefined;
  const tracestate = properties.get('tracestate');
  const { operation, startUs, endUs } = happening;
  // A delayed or half message lies in a topic of the broker's own first.
  const topic = properties.get(MessageProperty.REAL_TOPIC) ?? record.topic;
  const failed = operation === 'store' && happening.code !== ResponseCode.SUCCESS;
  return {
    name: `${operation} ${topic}`,
    startUs,
    endUs,
    carrier: { traceparent, ...(tracestate === undefined ? {} : { tracestate }) },
    attributes: {
      'messaging.system': 'rocketmq',
      'messaging.operation.name': operation,
      'messaging.destination.name': topic,
      ...attributesOf(record),
      ...(operation === 'deliver' ? { 'messaging.consumer.group.name': happening.group } : {}),
      ...(failed ? { 'error.type': responseCodeName(happening.code) } : {}),
    },
    ...(failed ? { error: `answered ${responseCodeName(happening.code)}` } : {}),
  };
}

function attributesOf(record: TracedRecord): Record<string, SpanAttribute> {
  const { properties, storeAddress, storePort, physicalOffset } = record;
  const queueId = properties.get(MessageProperty.REAL_QUEUE_ID) ?? String(record.queueId);
  const attributes: Record<string, SpanAttribute> = {
    'messaging.destination.partition.id': queueId,
    'messaging.message.id':
      properties.get(MessageProperty.UNIQUE_KEY) ?? formatMessageId(storeAddress, storePort, physicalOffset),
    'messaging.message.body.size': record.bodySize,
    'messaging.rocketmq.message.type': typeOf(record),
    'server.address': formatIpv4(storeAddress),
    'server.port': storePort,
    'ringmq.queue.offset': record.queueOffset,
    'ringmq.physical.offset': physicalOffset,
  };
  const keys = (properties.get(MessageProperty.KEYS) ?? '').split(' ').filter(key => key !== '');
  if (keys.length > 0) attributes['messaging.rocketmq.message.keys'] = keys;
  const tag = properties.get(MessageProperty.TAGS);
  if (tag !== undefined) attributes['messaging.rocketmq.message.tag'] = tag;
  const delayLevel = Number(properties.get(MessageProperty.DELAY));
  if (delayLevel > 0) attributes['messaging.rocketmq.message.delay_time_level'] = delayLevel;
  const { bornAddress, bornPort } = record;
  if (bornAddress !== 0) {
    attributes['client.address'] = formatIpv4(bornAddress);
    attributes['client.port'] = bornPort;
  }
  return attributes;
}

/** As the conventions call it; what is in order cannot be told here. */
function typeOf({ sysFlag, properties }: TracedRecord): string {
  if ((sysFlag & MessageSysFlag.TRANSACTION_MASK) !== 0) return 'transaction';
  return Number(properties.get(MessageProperty.DELAY)) > 0 ? 'delay' : 'normal';
}
