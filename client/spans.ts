/**
 * Spans of sends and of listeners, through OpenTelemetry's API. They exist when the application registers an SDK; until
 * then nothing is made and no message changes. A message carries the context of its send in its properties
 * (`traceparent`, and what else the application's propagator writes), and the listener of its consumer runs in it.
 *
 * Source: opentelemetry.io/docs/specs/semconv/messaging, /messaging/rocketmq.
 */
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Link,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { messageOf } from '../runtime/base/errors.js';
import { MQClientError } from './errors.js';
import { joinKeys, type Message, MessageProperty } from './message.js';
import type { MessageExt } from './message-ext.js';
import type { SendResult } from './send-result.js';
import { parseOffsetMsgId } from './unique-id.js';

/** What provides tracers as long as nobody has registered anything. */
const noProvider = new ProxyTracerProvider().getDelegate();

/** An SDK is registered. Hot: asked for each message. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== noProvider;
}

const tracer = () => trace.getTracer('ringmq');

/** Sends messages of one topic in a span; `send` gets them with the context in their properties. */
export function sendInSpan<Result extends SendResult | undefined>(
  messages: readonly Message[],
  clientId: string,
  send: (messages: readonly Message[]) => Promise<Result>,
): Promise<Result> {
  const topic = messages[0]?.topic ?? '';
  const links = messages.flatMap(({ properties }) => linkTo(properties));
  const options = { kind: SpanKind.PRODUCER, attributes: sendAttributes(messages, clientId), links };
  return inSpan(`send ${topic}`, options, context.active(), async span => {
    const result = await send(messages.map(withContext));
    if (result !== undefined) span.setAttributes(resultAttributes(result));
    return result;
  });
}

/** What is being consumed, besides the messages. */
export interface Consumption {
  readonly consumerGroup: string;
  readonly queue: MessageQueue;
}

/**
 * Calls a listener in a span: in the trace of its message, or with links to those of several. `isGood`: whether a
 * status means that they are consumed.
 */
export function consumeInSpan<Status>(
  messages: readonly MessageExt[],
  { consumerGroup, queue }: Consumption,
  call: () => Promise<Status>,
  isGood: (status: Status) => boolean,
): Promise<Status> {
  const [first] = messages;
  const single = messages.length === 1 ? first : undefined;
  const topic = first?.topic ?? queue.topic;
  const attributes: Attributes = {
    ...common('process', topic),
    'messaging.consumer.group.name': consumerGroup,
    'messaging.destination.partition.id': String(queue.queueId),
    ...(single === undefined ? { 'messaging.batch.message_count': messages.length } : messageAttributes(single)),
  };
  const links = single === undefined ? messages.flatMap(({ properties }) => linkTo(properties)) : [];
  // Not the active context: it is the one in which the consumer was started.
  const parent = single === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, single.properties);
  return inSpan(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes, links }, parent, async span => {
    const status = await call();
    if (!isGood(status)) fail(span, String(status), `the listener returned ${String(status)}`);
    return status;
  });
}

async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  parent: ReturnType<typeof context.active>,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = tracer().startSpan(name, options, parent);
  try {
    return await context.with(trace.setSpan(parent, span), work, undefined, span);
  } catch (error) {
    if (error instanceof Error) span.recordException(error);
    const type = error instanceof MQClientError ? error.code : error instanceof Error ? error.name : 'Error';
    fail(span, type, messageOf(error));
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span, type: string, message: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** The message with the active context in its properties; one that brings a context of its own keeps that. */
function withContext(message: Message): Message {
  if (linkTo(message.properties).length > 0) return message;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return { ...message, properties: { ...message.properties, ...carrier } };
}

function linkTo(properties: Readonly<Record<string, string>> | undefined): Link[] {
  if (properties === undefined) return [];
  const spanContext = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, properties));
  return spanContext !== undefined && isSpanContextValid(spanContext) ? [{ context: spanContext }] : [];
}

// ---- attributes ----

function common(operation: 'send' | 'process', topic: string): Attributes {
  return {
    'messaging.system': 'rocketmq',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
  };
}

function sendAttributes(messages: readonly Message[], clientId: string): Attributes {
  const [first] = messages;
  const attributes: Attributes = { ...common('send', first?.topic ?? ''), 'messaging.client.id': clientId };
  if (messages.length !== 1 || first === undefined) {
    return { ...attributes, 'messaging.batch.message_count': messages.length };
  }
  const keys = (joinKeys(first.keys) ?? '').split(' ').filter(key => key !== '');
  if (keys.length > 0) attributes['messaging.rocketmq.message.keys'] = keys;
  if (first.tags !== undefined) attributes['messaging.rocketmq.message.tag'] = first.tags;
  const isDelayed = first.delayLevel !== undefined && first.delayLevel > 0;
  if (isDelayed) attributes['messaging.rocketmq.message.delay_time_level'] = first.delayLevel;
  const isHalf = first.properties?.[MessageProperty.TRAN_MSG] === 'true';
  attributes['messaging.rocketmq.message.type'] = isHalf ? 'transaction' : isDelayed ? 'delay' : 'normal';
  return attributes;
}

function resultAttributes({ msgId, messageQueue, offsetMsgId, sendStatus }: SendResult): Attributes {
  return {
    'messaging.message.id': msgId,
    'messaging.destination.partition.id': String(messageQueue.queueId),
    'ringmq.send.status': sendStatus,
    ...serverAttributes(offsetMsgId),
  };
}

/** The broker, as it says itself in the first id; a reply is not stored and has none. */
function serverAttributes(offsetMsgId: string): Attributes {
  const [id] = /^([0-9A-F]{56}|[0-9A-F]{32})(?=,|$)/i.exec(offsetMsgId) ?? [];
  if (id === undefined) return {};
  const { address } = parseOffsetMsgId(id);
  const colon = address.lastIndexOf(':');
  return { 'server.address': address.slice(0, colon), 'server.port': Number(address.slice(colon + 1)) };
}

function messageAttributes(message: MessageExt): Attributes {
  const attributes: Attributes = { 'messaging.message.id': message.msgId };
  if (message.keys.length > 0) attributes['messaging.rocketmq.message.keys'] = message.keys;
  if (message.tags !== undefined) attributes['messaging.rocketmq.message.tag'] = message.tags;
  return attributes;
}
