/**
 * Sends messages that are seen only if a local transaction succeeds. The broker keeps such a message aside until the
 * producer says how the transaction ended; when it does not, the broker asks any producer of the group.
 *
 * @example
 * const producer = new TransactionProducer({
 *   namesrvAddr: '127.0.0.1:9876',
 *   producerGroup: 'orders',
 *   executeLocalTransaction: async (message, order) => {
 *     await database.insert(order);
 *     return 'COMMIT_MESSAGE';
 *   },
 *   checkLocalTransaction: async message =>
 *     (await database.has(message.keys[0])) ? 'COMMIT_MESSAGE' : 'ROLLBACK_MESSAGE',
 * });
 * await producer.start();
 * await producer.sendMessageInTransaction({ topic: 'Orders', keys: order.id, body: JSON.stringify(order) }, order);
 *
 * Source: spec transaction 2, 4, 7, remoting 8; DefaultMQProducerImpl, TransactionListener.
 */
import { MessageSysFlag, RequestCode } from '../protocol/codes.js';
import { createRequest, type ExtFields, type RemotingCommand } from '../protocol/command.js';
import { messageOf } from '../runtime/base/errors.js';
import type { Connection } from './connection.js';
import { MQClientError } from './errors.js';
import { joinKeys, type Message, MessageProperty } from './message.js';
import { decodeMessages, type MessageExt } from './message-ext.js';
import { MEET_BROKERS_INTERVAL_MS, Producer, type ProducerOptions } from './producer.js';
import type { SendResult } from './send-result.js';
import type { SendOptions } from './sender.js';
import { endTransactionRecord, type TracedTransactionEnd } from './trace-data.js';
import { createUniqKey, parseOffsetMsgId } from './unique-id.js';

/** UNKNOW, so spelled in RocketMQ: not decided yet, the broker is to ask later. */
export type LocalTransactionState = 'COMMIT_MESSAGE' | 'ROLLBACK_MESSAGE' | 'UNKNOW';

/** What a local transaction is told of its message. */
export interface TransactionContext {
  /** The same as the `msgId` of the result, and as the `transactionId` of the message that is checked or consumed. */
  readonly transactionId: string;
  readonly sendResult: SendResult;
}

/** Runs once the broker has the message. What it throws counts as UNKNOW. */
export type LocalTransactionExecutor<Argument = unknown> = (
  message: Message,
  argument: Argument,
  context: TransactionContext,
) => Promise<LocalTransactionState>;

/** Says how the transaction of a message ended, at the broker's request; any member of the group may be asked. */
export type LocalTransactionChecker = (message: MessageExt) => Promise<LocalTransactionState>;

export interface TransactionProducerOptions<Argument = unknown> extends ProducerOptions {
  /** The local transaction of messages that do not bring their own. */
  readonly executeLocalTransaction?: LocalTransactionExecutor<Argument> | undefined;
  readonly checkLocalTransaction: LocalTransactionChecker;
}

export interface TransactionSendOptions<Argument = unknown> extends SendOptions {
  /** The local transaction of this message, instead of the producer's. */
  readonly executeLocalTransaction?: LocalTransactionExecutor<Argument> | undefined;
}

export interface TransactionSendResult extends SendResult {
  readonly transactionId: string;
  readonly localTransactionState: LocalTransactionState;
}

const transactionTypes: Readonly<Record<LocalTransactionState, number>> = {
  COMMIT_MESSAGE: MessageSysFlag.TRANSACTION_COMMIT,
  ROLLBACK_MESSAGE: MessageSysFlag.TRANSACTION_ROLLBACK,
  UNKNOW: 0,
};

export class TransactionProducer<Argument = unknown> extends Producer {
  readonly #producerGroup: string;
  readonly #execute: LocalTransactionExecutor<Argument> | undefined;
  readonly #check: LocalTransactionChecker;
  #timer: NodeJS.Timeout | undefined;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: TransactionProducerOptions<Argument>) {
    super(options);
    this.#producerGroup = options.producerGroup;
    this.#execute = options.executeLocalTransaction;
    this.#check = options.checkLocalTransaction;
    this.instance.handle(RequestCode.CHECK_TRANSACTION_STATE, (request, connection) => {
      void this.#onCheck(request, connection);
      return null;
    });
  }

  /**
   * Makes the producer ready and known to all brokers: they may ask for transactions of members that are gone. What
   * cannot be reached now is tried again every 30 seconds.
   */
  override async start(): Promise<void> {
    await super.start();
    this.#timer ??= setInterval(() => void this.#introduce(), MEET_BROKERS_INTERVAL_MS).unref();
    await this.#introduce();
  }

  override async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    await super.shutdown();
  }

  /**
   * Sends a message, runs its local transaction, and tells the broker the outcome. Any status but SEND_OK rolls the
   * message back without a transaction. That the broker has heard the outcome is not certain: it asks when not.
   * `delayLevel` is ignored: a message of a transaction cannot be delayed.
   * Errors: as {@link Producer.send}; MQClientError INVALID_ARGUMENT when there is no local transaction to run.
   */
  async sendMessageInTransaction(
    message: Message,
    argument: Argument,
    options: TransactionSendOptions<Argument> = {},
  ): Promise<TransactionSendResult> {
    const execute = options.executeLocalTransaction ?? this.#execute;
    if (execute === undefined) throw new MQClientError('INVALID_ARGUMENT', 'there is no executeLocalTransaction');
    const half = this.#halfOf(message);
    const sendResult = await this.send(half, options);
    const context = { transactionId: sendResult.msgId, sendResult };
    let state: LocalTransactionState = 'ROLLBACK_MESSAGE';
    let failure: string | undefined;
    if (sendResult.sendStatus === 'SEND_OK') {
      ({ state, failure } = await this.#decide(() => execute(message, argument, context), 'executeLocalTransaction'));
    }
    await this.#endAfterSend(message, sendResult, state, failure);
    return { ...sendResult, transactionId: context.transactionId, localTransactionState: state };
  }

  async #introduce(): Promise<void> {
    try {
      await this.meetBrokers();
    } catch (error) {
      if (this.instance.running) this.reportError(error, 'looking for brokers');
    }
  }

  #halfOf(message: Message): Message {
    const properties = {
      ...message.properties,
      [MessageProperty.UNIQ_KEY]: message.properties?.[MessageProperty.UNIQ_KEY] ?? createUniqKey(),
      [MessageProperty.TRAN_MSG]: 'true',
      [MessageProperty.PGROUP]: this.#producerGroup,
    };
    return { ...message, delayLevel: undefined, properties };
  }

  /** An exception decides nothing. */
  async #decide(
    decide: () => Promise<LocalTransactionState>,
    what: string,
  ): Promise<{ state: LocalTransactionState; failure?: string | undefined }> {
    try {
      const state = await decide();
      if (transactionTypes[state] === undefined) throw new Error(`${String(state)} is no state of a transaction`);
      return { state };
    } catch (error) {
      this.reportError(error, what);
      return { state: 'UNKNOW', failure: `${what} exception: ${messageOf(error)}` };
    }
  }

  async #endAfterSend(
    message: Message,
    result: SendResult,
    state: LocalTransactionState,
    failure: string | undefined,
  ): Promise<void> {
    try {
      const address = this.instance.brokerAddress(result.messageQueue.brokerName);
      if (address === undefined) throw new MQClientError('NO_ROUTE', `${result.messageQueue.brokerName} has no master`);
      const fields = {
        commitLogOffset: parseOffsetMsgId(result.offsetMsgId).physicalOffset,
        tranStateTableOffset: result.queueOffset,
        fromTransactionCheck: false,
        msgId: result.msgId,
        bname: result.messageQueue.brokerName,
      };
      const connection = await this.instance.connections.get(address);
      this.#end(connection, fields, state, failure);
      const { topic, tags, keys } = message;
      if (result.traceOn) this.#traceEnd({ topic, tags, keys: joinKeys(keys) }, result.msgId, address, state, false);
    } catch (error) {
      this.reportError(error, `ending transaction ${result.msgId}; the broker will ask for it`);
    }
  }

  async #onCheck(request: RemotingCommand, connection: Connection): Promise<void> {
    const { transactionId, commitLogOffset, tranStateTableOffset, bname } = request.extFields;
    try {
      const message = decodeMessages(request.body ?? new Uint8Array(0))[0];
      if (message === undefined)
        throw new MQClientError('BAD_ANSWER', `${connection.address} sent no message to check`);
      const group = message.properties[MessageProperty.PGROUP];
      if (group !== this.#producerGroup) {
        throw new MQClientError('BAD_ANSWER', `${connection.address} asks for a transaction of group ${group}`);
      }
      const { state, failure } = await this.#decide(() => this.#check(message), 'checkLocalTransaction');
      const { msgId } = message;
      const fields = { commitLogOffset, tranStateTableOffset, fromTransactionCheck: true, msgId, transactionId, bname };
      this.#end(connection, fields, state, failure);
      const { topic, tags, properties } = message;
      this.#traceEnd({ topic, tags, keys: properties.KEYS }, msgId, connection.address, state, true);
    } catch (error) {
      this.reportError(error, `answering the check of transaction ${transactionId}; the broker will ask again`);
    }
  }

  #end(connection: Connection, fields: ExtFields, state: LocalTransactionState, failure: string | undefined): void {
    const commitOrRollback = transactionTypes[state];
    const request = createRequest(RequestCode.END_TRANSACTION, {
      ...fields,
      producerGroup: this.#producerGroup,
      commitOrRollback,
    });
    request.remark = failure ?? null;
    connection.sendOneway(request);
  }

  #traceEnd(
    message: Pick<TracedTransactionEnd, 'topic' | 'tags' | 'keys'>,
    msgId: string,
    brokerAddr: string,
    localTransactionState: LocalTransactionState,
    fromTransactionCheck: boolean,
  ): void {
    if (!this.trace?.isAbout(message.topic)) return;
    const { topic, tags, keys } = message;
    this.trace.append(
      endTransactionRecord({
        producerGroup: this.#producerGroup,
        topic,
        tags,
        keys,
        msgId,
        transactionId: msgId,
        brokerAddr,
        localTransactionState,
        fromTransactionCheck,
      }),
    );
  }
}
