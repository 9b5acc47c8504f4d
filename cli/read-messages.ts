/**
 * Reading messages of a topic for a person: nothing is committed, and a body that cannot be read hides no other one.
 */
import { type MessageExt, type MessageQueue, PullConsumer } from '../client/index.js';
import { messageOf } from '../runtime/base/errors.js';
import { namesrvAddrOf, type ReachFlags } from './reach.js';
import type { Shell } from './shell.js';

/** Where reading begins: an offset, or a time, is that of each queue. */
export type Place = 'earliest' | 'latest' | number | Date;

export interface Reading {
  readonly from: Place;
  /** Only what was stored before. Units: ms since the epoch. */
  readonly untilMs?: number;
  readonly tags: string;
  readonly max: number;
}

/** A group every RocketMQ broker has. Source: MixAll. */
const TOOLS_CONSUMER_GROUP = 'TOOLS_CONSUMER';
/** Messages a request asks for. */
const PULL_BATCH_SIZE = 32;

/** Does `work` with a consumer for it. */
export async function withReader<Result>(
  shell: Shell,
  flags: ReachFlags,
  work: (consumer: PullConsumer) => Promise<Result>,
): Promise<Result> {
  const namesrvAddr = namesrvAddrOf(shell, flags);
  const consumer = new PullConsumer({ namesrvAddr, consumerGroup: TOOLS_CONSUMER_GROUP });
  await consumer.start();
  try {
    return await work(consumer);
  } finally {
    await consumer.shutdown();
  }
}

/** The first `max` messages of all queues together, by the time they were stored. */
export async function readQueues(
  consumer: PullConsumer,
  queues: readonly MessageQueue[],
  reading: Reading,
): Promise<{ messages: MessageExt[]; more: boolean }> {
  const read = await Promise.all(queues.map(queue => readQueue(consumer, queue, reading)));
  const all = read.flat().sort((a, b) => a.storeTimestamp - b.storeTimestamp || a.commitLogOffset - b.commitLogOffset);
  return { messages: all.slice(0, reading.max), more: all.length > reading.max };
}

/** One message more than `max` at most, to know whether there are more. */
async function readQueue(consumer: PullConsumer, queue: MessageQueue, reading: Reading): Promise<MessageExt[]> {
  const { from, untilMs = Number.POSITIVE_INFINITY, tags, max } = reading;
  const end = await consumer.maxOffset(queue);
  // Brokers look for the message nearest to a time, which may be an earlier one.
  const sinceMs = from instanceof Date ? from.getTime() : 0;
  const messages: MessageExt[] = [];
  let offset = await startOf(consumer, queue, from);
  while (offset < end && messages.length <= max) {
    const { messages: pulled, nextBeginOffset } = await consumer.pull(queue, tags, offset, PULL_BATCH_SIZE);
    messages.push(...pulled.filter(({ storeTimestamp }) => storeTimestamp >= sinceMs && storeTimestamp < untilMs));
    if (nextBeginOffset <= offset || (pulled.at(-1)?.storeTimestamp ?? 0) >= untilMs) break;
    offset = nextBeginOffset;
  }
  return messages;
}

function startOf(consumer: PullConsumer, queue: MessageQueue, from: Place): Promise<number> | number {
  if (from instanceof Date) return consumer.searchOffset(queue, from.getTime());
  if (from === 'earliest') return consumer.minOffset(queue);
  return from === 'latest' ? consumer.maxOffset(queue) : from;
}

export function bodyOf(message: MessageExt): string {
  try {
    return message.bodyText;
  } catch (error) {
    return `(${messageOf(error)})`;
  }
}

/** A message as JSON has it. */
export function messageFields(message: MessageExt): object {
  const { topic, queueId, queueOffset, storeTimestamp, bornTimestamp, msgId, offsetMsgId, tags, keys, properties } =
    message;
  return {
    ...{ topic, queueId, queueOffset, storeTimestamp, bornTimestamp, msgId, offsetMsgId, tags, keys, properties },
    body: bodyOf(message),
  };
}
