/**
 * `ringmq send`: one message from the shell.
 */
import fs from 'node:fs';
import { Producer } from '../../client/index.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { namesrvAddrOf, printJson, type ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';

export interface SendFlags extends ReachFlags {
  readonly tags?: string;
  readonly keys?: string;
}

const STANDARD_INPUT = 0;

/** Sends `text`, or what standard input holds. Errors: CliError when there is neither; those of Producer.send. */
export async function send(shell: Shell, topic: string, text: string | undefined, flags: SendFlags): Promise<number> {
  const body = text ?? readInput();
  const producer = new Producer({ namesrvAddr: namesrvAddrOf(shell, flags), producerGroup: 'ringmq-send' });
  await producer.start();
  try {
    const { tags, keys } = flags;
    const { sendStatus, msgId, offsetMsgId, messageQueue, queueOffset } = await producer.send({
      topic,
      body,
      tags,
      keys,
    });
    const { brokerName, queueId } = messageQueue;
    if (flags.json) printJson(shell, { sendStatus, topic, brokerName, queueId, queueOffset, msgId, offsetMsgId });
    else {
      const status = shell.style(sendStatus === 'SEND_OK' ? 'green' : 'yellow', sendStatus);
      shell.out(
        `${status}  ${topic}, ${brokerName}, queue ${queueId}, offset ${queueOffset}  ${shell.style('dim', msgId)}`,
      );
    }
    return ExitCode.OK;
  } finally {
    await producer.shutdown();
  }
}

function readInput(): Uint8Array {
  const body = process.stdin.isTTY ? new Uint8Array(0) : fs.readFileSync(STANDARD_INPUT);
  if (body.length > 0) return body;
  throw new CliError('there is nothing to send', ExitCode.BAD_COMMAND_LINE, [
    'Give the text as the second argument, or on standard input.',
  ]);
}
