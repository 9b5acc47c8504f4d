/** What became of a message that was sent. Source: spec remoting 5.3; SendResult. */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { ResponseCode } from '../protocol/codes.js';
import type { RemotingCommand } from '../protocol/command.js';

/**
 * Every status means the message is stored. FLUSH_DISK_TIMEOUT, FLUSH_SLAVE_TIMEOUT and SLAVE_NOT_AVAILABLE say what
 * a synchronous broker could not wait for.
 */
export type SendStatus = 'SEND_OK' | 'FLUSH_DISK_TIMEOUT' | 'FLUSH_SLAVE_TIMEOUT' | 'SLAVE_NOT_AVAILABLE';

export interface SendResult {
  readonly sendStatus: SendStatus;
  /** UNIQ_KEY of the message; of a batch, all of them joined by commas. */
  readonly msgId: string;
  /** Where the message is stored; of a batch, all of them joined by commas. */
  readonly offsetMsgId: string;
  readonly messageQueue: MessageQueue;
  /** Of a batch, that of its first message. */
  readonly queueOffset: number;
  readonly regionId: string;
  /** false: the broker wants no trace of its messages. */
  readonly traceOn: boolean;
}

const sendStatuses: Readonly<Record<number, SendStatus>> = {
  [ResponseCode.SUCCESS]: 'SEND_OK',
  [ResponseCode.FLUSH_DISK_TIMEOUT]: 'FLUSH_DISK_TIMEOUT',
  [ResponseCode.FLUSH_SLAVE_TIMEOUT]: 'FLUSH_SLAVE_TIMEOUT',
  [ResponseCode.SLAVE_NOT_AVAILABLE]: 'SLAVE_NOT_AVAILABLE',
};

/** The result an answer means; undefined when the message was not stored. */
export function sendResultOf(answer: RemotingCommand, uniqKey: string, queue: MessageQueue): SendResult | undefined {
  const sendStatus = sendStatuses[answer.code];
  if (sendStatus === undefined) return undefined;
  const { msgId = '', queueId, queueOffset, MSG_REGION = 'DefaultRegion', TRACE_ON } = answer.extFields;
  return {
    sendStatus,
    msgId: uniqKey === '' ? msgId : uniqKey,
    offsetMsgId: msgId,
    messageQueue: { ...queue, queueId: Number(queueId ?? queue.queueId) },
    queueOffset: Number(queueOffset ?? 0),
    regionId: MSG_REGION,
    traceOn: TRACE_ON !== 'false',
  };
}
