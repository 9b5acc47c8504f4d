/**
 * `ringmq pull`: reads messages of a topic from the shell. Nothing is committed: reading again shows them again.
 */
import type { MessageExt, MessageQueue, PullConsumer } from '../../client/index.js';
import { ExitCode } from '../exit-codes.js';
import { untilInterrupted } from '../interrupt.js';
import type { ReachFlags } from '../reach.js';
import { bodyOf, messageFields, type Place, readQueues, withReader } from '../read-messages.js';
import type { Shell } from '../shell.js';

export interface PullFlags extends ReachFlags {
  readonly from: Place;
  readonly max: number;
  readonly tags: string;
  readonly follow?: true;
}

/** Prints messages of all queues, oldest first; with `follow` also those to come, until a signal. */
export async function pull(shell: Shell, topic: string, flags: PullFlags): Promise<number> {
  return withReader(shell, flags, async consumer => {
    const queues = await consumer.fetchSubscribeMessageQueues(topic);
    const print = (message: MessageExt): void =>
      shell.out(flags.json ? JSON.stringify(messageFields(message)) : line(shell, message));
    if (flags.follow) await follow(consumer, queues, flags, print);
    else {
      const { messages, more } = await readQueues(consumer, queues, flags);
      for (const message of messages) print(message);
      if (!flags.json)
        shell.err(
          messages.length === 0
            ? nothing(topic, flags)
            : `${messages.length} messages${more ? '; there are more: --max N' : ''}`,
        );
    }
    return ExitCode.OK;
  });
}

function nothing(topic: string, { tags }: PullFlags): string {
  return `nothing to read in ${topic}${tags === '*' ? '' : ` with tags ${tags}`}; --follow waits for what comes`;
}

/** Prints what comes, until SIGINT or SIGTERM. Errors: the first one of any queue. */
async function follow(
  consumer: PullConsumer,
  queues: readonly MessageQueue[],
  { from, tags }: PullFlags,
  print: (message: MessageExt) => void,
): Promise<void> {
  await untilInterrupted(async signal => {
    await Promise.all(
      queues.map(async queue => {
        for await (const message of consumer.consume(queue, { from, subExpression: tags, signal })) print(message);
      }),
    );
  });
}

function line(shell: Shell, message: MessageExt): string {
  const { queueId, queueOffset, storeTimestamp, tags } = message;
  const place = `${new Date(storeTimestamp).toISOString()} ${queueId}/${queueOffset}`;
  const label = tags === undefined ? '' : `${shell.style('cyan', `[${tags}]`)} `;
  return `${shell.style('dim', place)}  ${label}${bodyOf(message)}`;
}
