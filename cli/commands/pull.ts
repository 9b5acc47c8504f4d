/**
 * `ringmq pull`: reads messages of a topic from the shell. Nothing is committed: reading again shows them again.
 */
import { type MessageExt, type MessageQueue, PullConsumer } from '../../client/index.js';
import { messageOf } from '../../runtime/base/errors.js';
import { ExitCode } from '../exit-codes.js';
import { namesrvAddrOf, type ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';

export interface PullFlags extends ReachFlags {
  readonly from: 'earliest' | 'latest' | number;
  readonly max: number;
  readonly tags: string;
  readonly follow?: true;
}

/** A group every RocketMQ broker has. Source: MixAll. */
const TOOLS_CONSUMER_GROUP = 'TOOLS_CONSUMER';
/** Messages a request asks for. */
const PULL_BATCH_SIZE = 32;

/** Prints messages of all queues, oldest first; with `follow` also those to come, until a signal. */
export async function pull(shell: Shell, topic: string, flags: PullFlags): Promise<number> {
  const namesrvAddr = namesrvAddrOf(shell, flags);
  const consumer = new PullConsumer({ namesrvAddr, consumerGroup: TOOLS_CONSUMER_GROUP });
  await consumer.start();
  try {
    const queues = await consumer.fetchSubscribeMessageQueues(topic);
    const print = (message: MessageExt): void => shell.out(flags.json ? jsonLine(message) : line(shell, message));
    if (flags.follow) await follow(consumer, queues, flags, print);
    else {
      const { messages, more } = await readAll(consumer, queues, flags);
      for (const message of messages) print(message);
      if (!flags.json)
        shell.err(
          messages.length === 0
            ? nothing(topic, flags)
            : `${messages.length} messages${more ? '; there are more: --max N' : ''}`,
        );
    }
    return ExitCode.OK;
  } finally {
    await consumer.shutdown();
  }
}

function nothing(topic: string, { tags }: PullFlags): string {
  return `nothing to read in ${topic}${tags === '*' ? '' : ` with tags ${tags}`}; --follow waits for what comes`;
}

/** The first `max` messages of all queues together, by the time they were stored. */
async function readAll(
  consumer: PullConsumer,
  queues: readonly MessageQueue[],
  flags: PullFlags,
): Promise<{ messages: MessageExt[]; more: boolean }> {
  const read = await Promise.all(queues.map(queue => readQueue(consumer, queue, flags)));
  const all = read.flat().sort((a, b) => a.storeTimestamp - b.storeTimestamp || a.commitLogOffset - b.commitLogOffset);
  return { messages: all.slice(0, flags.max), more: all.length > flags.max };
}

/** One message more than `max` at most, to know whether there are more. */
async function readQueue(consumer: PullConsumer, queue: MessageQueue, flags: PullFlags): Promise<MessageExt[]> {
  const end = await consumer.maxOffset(queue);
  const messages: MessageExt[] = [];
  let offset = await startOf(consumer, queue, flags.from);
  while (offset < end && messages.length <= flags.max) {
    const result = await consumer.pull(queue, flags.tags, offset, PULL_BATCH_SIZE);
    messages.push(...result.messages);
    if (result.nextBeginOffset <= offset) break;
    offset = result.nextBeginOffset;
  }
  return messages;
}

function startOf(consumer: PullConsumer, queue: MessageQueue, from: PullFlags['from']): Promise<number> | number {
  if (from === 'earliest') return consumer.minOffset(queue);
  return from === 'latest' ? consumer.maxOffset(queue) : from;
}

/** Prints what comes, until SIGINT or SIGTERM. Errors: the first one of any queue. */
async function follow(
  consumer: PullConsumer,
  queues: readonly MessageQueue[],
  { from, tags }: PullFlags,
  print: (message: MessageExt) => void,
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await Promise.all(
      queues.map(async queue => {
        for await (const message of consumer.consume(queue, { from, subExpression: tags, signal: stop.signal }))
          print(message);
      }),
    );
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function line(shell: Shell, message: MessageExt): string {
  const { queueId, queueOffset, storeTimestamp, tags } = message;
  const place = `${new Date(storeTimestamp).toISOString()} ${queueId}/${queueOffset}`;
  const label = tags === undefined ? '' : `${shell.style('cyan', `[${tags}]`)} `;
  return `${shell.style('dim', place)}  ${label}${bodyOf(message)}`;
}

/** A body that cannot be read must not hide the other messages. */
function bodyOf(message: MessageExt): string {
  try {
    return message.bodyText;
  } catch (error) {
    return `(${messageOf(error)})`;
  }
}

function jsonLine(message: MessageExt): string {
  const { topic, queueId, queueOffset, storeTimestamp, bornTimestamp, msgId, offsetMsgId, tags, keys, properties } =
    message;
  return JSON.stringify({
    ...{ topic, queueId, queueOffset, storeTimestamp, bornTimestamp, msgId, offsetMsgId, tags, keys, properties },
    body: bodyOf(message),
  });
}
