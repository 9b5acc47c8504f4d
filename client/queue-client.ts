/**
 * What consumers ask brokers about one queue: its messages, its bounds, what the group committed. Learns where the
 * queue's brokers are, and asks again when one of them does not answer. Source: spec remoting 6, 7.4; PullAPIWrapper.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { PullSysFlag, RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type ExtFields, type RemotingCommand } from '../protocol/command.js';
import type { ClientInstance } from './client-instance.js';
import { MQBrokerError, MQClientError } from './errors.js';
import { numberField, type PullResult, pullCodes, pullResultOf } from './pull-result.js';
import { queueKey } from './route.js';

/** Source: ClientConfig, offset requests. Units: ms. */
const OFFSET_TIMEOUT_MS = 5000;

/** One pull. */
export interface PullRequest {
  readonly offset: number;
  readonly maxNums: number;
  /** How long the broker may hold it when there is nothing; 0 for not at all. */
  readonly suspendMs: number;
  readonly timeoutMs: number;
  readonly expressionType: string;
  /** The expression, when the broker is not to use what the heartbeat told it. */
  readonly subscription?: string | undefined;
  readonly subVersion: number;
  /** Messages that have none of them are dropped here; undefined keeps all. */
  readonly tags: ReadonlySet<string> | undefined;
  /** An offset to commit with it. */
  readonly commitOffset?: number | undefined;
}

export class QueueClient {
  readonly #instance: ClientInstance;
  readonly #consumerGroup: string;
  /** The broker id each queue is to be read from, as the last answer suggested. */
  readonly #suggestedBrokerIds = new Map<string, number>();

  constructor(instance: ClientInstance, consumerGroup: string) {
    this.#instance = instance;
    this.#consumerGroup = consumerGroup;
  }

  /** Errors: MQBrokerError; MQTimeoutError; MQClientError. */
  async pull(queue: MessageQueue, request: PullRequest): Promise<PullResult> {
    await this.#ensureRoute(queue);
    const key = queueKey(queue);
    const address = this.#instance.readableBrokerAddress(queue.brokerName, this.#suggestedBrokerIds.get(key) ?? 0);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} is not known`);
    const isMaster = address === this.#instance.brokerAddress(queue.brokerName);
    const command = this.#pullCommand(queue, request, isMaster);
    const ask = () => this.#instance.invoke(address, command, request.timeoutMs, pullCodes);
    const answer = await this.#withRefresh(queue, ask);
    this.#suggestedBrokerIds.set(key, Number(answer.extFields.suggestWhichBrokerId ?? 0));
    return pullResultOf(answer, request.tags);
  }

  /** Offset of the oldest message. */
  minOffset(queue: MessageQueue): Promise<number> {
    return this.#askOffset(queue, RequestCode.GET_MIN_OFFSET);
  }

  /** One past the offset of the newest message. */
  maxOffset(queue: MessageQueue): Promise<number> {
    return this.#askOffset(queue, RequestCode.GET_MAX_OFFSET);
  }

  /** Offset of the first message stored at `timestampMs` or later. Units: ms since the epoch. */
  searchOffset(queue: MessageQueue, timestampMs: number): Promise<number> {
    return this.#askOffset(queue, RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, { timestamp: Math.trunc(timestampMs) });
  }

  /** When the oldest message was stored; -1 when there is none. Units: ms since the epoch. */
  async earliestMsgStoreTime(queue: MessageQueue): Promise<number> {
    const answer = await this.#askReadable(queue, RequestCode.GET_EARLIEST_MSG_STORETIME);
    return numberField(answer, 'timestamp');
  }

  /** The offset the group committed; null when it committed none. */
  async fetchConsumeOffset(queue: MessageQueue): Promise<number | null> {
    const codes = [ResponseCode.SUCCESS, ResponseCode.QUERY_NOT_FOUND];
    const fields = { consumerGroup: this.#consumerGroup };
    const answer = await this.#askReadable(queue, RequestCode.QUERY_CONSUMER_OFFSET, fields, codes);
    return answer.code === ResponseCode.QUERY_NOT_FOUND ? null : numberField(answer, 'offset');
  }

  /** Commits where the group goes on. */
  async updateConsumeOffset(queue: MessageQueue, offset: number): Promise<void> {
    const fields = { consumerGroup: this.#consumerGroup, commitOffset: offset };
    await this.#askReadable(queue, RequestCode.UPDATE_CONSUMER_OFFSET, fields);
  }

  #pullCommand(queue: MessageQueue, request: PullRequest, isMaster: boolean): RemotingCommand {
    // A slave takes no offsets with a pull.
    const commitOffset = isMaster ? request.commitOffset : undefined;
    const sysFlag =
      (commitOffset === undefined ? 0 : PullSysFlag.COMMIT_OFFSET) |
      (request.suspendMs > 0 ? PullSysFlag.SUSPEND : 0) |
      (request.subscription === undefined ? 0 : PullSysFlag.SUBSCRIPTION);
    return createRequest(RequestCode.PULL_MESSAGE, {
      consumerGroup: this.#consumerGroup,
      topic: queue.topic,
      queueId: queue.queueId,
      queueOffset: request.offset,
      maxMsgNums: request.maxNums,
      sysFlag,
      commitOffset: commitOffset ?? 0,
      suspendTimeoutMillis: request.suspendMs,
      subscription: request.subscription,
      subVersion: request.subVersion,
      expressionType: request.expressionType,
    });
  }

  #askOffset(queue: MessageQueue, code: number, fields: ExtFields = {}): Promise<number> {
    return this.#askReadable(queue, code, fields).then(answer => numberField(answer, 'offset'));
  }

  /**
   * Asks the master or, without one, whoever has its messages: a slave has their bounds, and it keeps what a group
   * commits until its master is back. Source: spec ha 7; RemoteBrokerOffsetStore.
   */
  async #askReadable(
    queue: MessageQueue,
    code: number,
    fields: ExtFields = {},
    codes?: readonly number[],
  ): Promise<RemotingCommand> {
    await this.#ensureRoute(queue);
    const address = this.#instance.readableBrokerAddress(queue.brokerName, MASTER_ID);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${queue.brokerName} is not known`);
    const request = createRequest(code, { ...fields, topic: queue.topic, queueId: queue.queueId });
    return this.#withRefresh(queue, () => this.#instance.invoke(address, request, OFFSET_TIMEOUT_MS, codes));
  }

  async #ensureRoute(queue: MessageQueue): Promise<void> {
    this.#instance.checkRunning();
    if (this.#instance.knowsBroker(queue.brokerName)) return;
    await this.#instance.refreshTopic(queue.topic);
    // A topic created by the send before has a broker already, and no route yet.
    if (!this.#instance.knowsBroker(queue.brokerName)) await this.#instance.loadBrokers();
  }

  /** The broker may have moved: whatever fails but an answer makes us ask for the route again. */
  async #withRefresh(queue: MessageQueue, ask: () => Promise<RemotingCommand>): Promise<RemotingCommand> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof MQBrokerError)) this.#instance.refreshTopicSoon(queue.topic);
      throw error;
    }
  }
}
