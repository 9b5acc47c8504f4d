/**
 * Request and reply: a message that waits for a message. The reply goes to a broker of the cluster, which pushes it to
 * the client that asked. Source: spec remoting 5.8; MessageUtil, RequestResponseFuture, ClientRemotingProcessor.
 */
import { randomUUID } from 'node:crypto';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../protocol/command.js';
import { parseProperties } from '../protocol/message-record.js';
import type { ClientInstance } from './client-instance.js';
import { MQClientError, MQTimeoutError } from './errors.js';
import { type Message, MessageProperty, REPLY_MESSAGE_TYPE } from './message.js';
import { MessageExt } from './message-ext.js';

/**
 * The answer to a request, to be sent with any producer.
 * Errors: MQClientError MESSAGE_ILLEGAL when the message is no request, or its broker is older than 4.6.
 *
 * @example
 * await producer.send(createReplyMessage(request, 'done'));
 */
export function createReplyMessage(request: MessageExt, body: Uint8Array | string): Message {
  const { CLUSTER, CORRELATION_ID, REPLY_TO_CLIENT, TTL } = request.properties;
  if (CORRELATION_ID === undefined || REPLY_TO_CLIENT === undefined) {
    throw new MQClientError('MESSAGE_ILLEGAL', `message ${request.msgId} is no request: nobody waits for a reply`);
  }
  if (CLUSTER === undefined) {
    throw new MQClientError('MESSAGE_ILLEGAL', `message ${request.msgId} does not say which cluster it came through`);
  }
  return {
    topic: `${CLUSTER}_REPLY_TOPIC`,
    body,
    properties: {
      [MessageProperty.MSG_TYPE]: REPLY_MESSAGE_TYPE,
      [MessageProperty.CORRELATION_ID]: CORRELATION_ID,
      [MessageProperty.REPLY_TO_CLIENT]: REPLY_TO_CLIENT,
      ...(TTL === undefined ? {} : { [MessageProperty.TTL]: TTL }),
    },
  };
}

interface Waiting {
  readonly resolve: (reply: MessageExt) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** The requests of one client that wait for their replies, by correlation id. */
export class ReplyTable {
  readonly #waiting = new Map<string, Waiting>();

  constructor(instance: ClientInstance) {
    instance.handle(RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, request => this.#onReply(request));
  }

  /**
   * Gives `send` the request as it has to be sent, and waits for the reply.
   * Errors: what `send` throws; MQTimeoutError.
   */
  async request(
    message: Message,
    clientId: string,
    timeoutMs: number,
    send: (request: Message) => Promise<unknown>,
  ): Promise<MessageExt> {
    const correlationId = randomUUID();
    const properties = {
      ...message.properties,
      [MessageProperty.CORRELATION_ID]: correlationId,
      [MessageProperty.REPLY_TO_CLIENT]: clientId,
      [MessageProperty.TTL]: String(timeoutMs),
    };
    const reply = this.#expect(correlationId, message.topic, timeoutMs);
    // A reply may come before the answer to the send, so both are waited for; the first failure counts.
    send({ ...message, properties }).catch(error => this.#take(correlationId)?.reject(error));
    return reply;
  }

  /** Rejects everything that waits. */
  close(): void {
    const error = new MQClientError('NOT_RUNNING', 'the client was shut down before the reply came');
    for (const correlationId of [...this.#waiting.keys()]) this.#take(correlationId)?.reject(error);
  }

  #expect(correlationId: string, topic: string, timeoutMs: number): Promise<MessageExt> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#take(correlationId)?.reject(new MQTimeoutError(`the consumers of ${topic}`, timeoutMs, 'reply'));
      }, timeoutMs);
      this.#waiting.set(correlationId, { resolve, reject, timer });
    });
  }

  #take(correlationId: string): Waiting | undefined {
    const waiting = this.#waiting.get(correlationId);
    this.#waiting.delete(correlationId);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  /** A reply that nobody waits for any more is accepted all the same, as Java does. */
  #onReply(request: RemotingCommand): RemotingCommand {
    const reply = replyOf(request);
    this.#take(reply.properties[MessageProperty.CORRELATION_ID] ?? '')?.resolve(reply);
    return createResponse(request, ResponseCode.SUCCESS);
  }
}

/** A reply comes as a header, and not as a record. */
function replyOf({ extFields, body }: RemotingCommand): MessageExt {
  const number = (name: string): number => Number(extFields[name] ?? 0);
  const fields = {
    topic: extFields.topic ?? '',
    queueId: number('queueId'),
    queueOffset: 0,
    commitLogOffset: 0,
    storeSize: body?.length ?? 0,
    flag: number('flag'),
    sysFlag: number('sysFlag'),
    bodyCRC: 0,
    bornTimestamp: number('bornTimestamp'),
    bornHost: (extFields.bornHost ?? '').replace(/^\//, ''),
    storeTimestamp: number('storeTimestamp'),
    storeHost: (extFields.storeHost ?? '').replace(/^\//, ''),
    reconsumeTimes: number('reconsumeTimes'),
    preparedTransactionOffset: 0,
    properties: Object.fromEntries(parseProperties(extFields.properties ?? '')),
    offsetMsgId: '',
  };
  return new MessageExt(fields, body ?? new Uint8Array(0));
}
