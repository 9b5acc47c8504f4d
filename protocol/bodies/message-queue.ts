/**
 * A message queue, and maps keyed by one. Such keys go out as objects (fastjson up to 1.2.29 reads nothing else) and
 * come in as objects or as text. Source: spec remoting 10.1, pitfall 14.
 */
import { KeyedMap, parseKeyObject } from '../json-dialect.js';
import { type Fields, integerOf, isFields, textOf } from './fields.js';

export interface MessageQueue {
  readonly brokerName: string;
  readonly queueId: number;
  readonly topic: string;
}

export function createMessageQueue(topic: string, brokerName: string, queueId: number): MessageQueue {
  return { brokerName, queueId, topic };
}

export function messageQueueOf(fields: Fields): MessageQueue {
  return createMessageQueue(textOf(fields.topic), textOf(fields.brokerName), integerOf(fields.queueId));
}

/** For a body that is to be written, `{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:7}}`. */
export function messageQueueMap<Value>(
  entries: Iterable<readonly [MessageQueue, Value]>,
): KeyedMap<MessageQueue, Value> {
  return new KeyedMap(entries);
}

/**
 * The entries of such a map in a parsed body.
 * Errors: RingError PROTOCOL_VIOLATION when a key is no object.
 */
export function messageQueueEntriesOf<Value>(value: unknown, read: (value: unknown) => Value): [MessageQueue, Value][] {
  if (!isFields(value)) return [];
  return Object.entries(value).map(([key, mapped]) => [messageQueueOf(parseKeyObject(key)), read(mapped)]);
}
