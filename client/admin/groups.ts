/**
 * Consumer and producer groups of one broker: settings, members, offsets. Source: spec remoting 4.2.2, 10.3;
 * DefaultMQAdminExt.
 */
import {
  type ConsumeStats,
  decodeConsumeStats,
  decodeGroupList,
  decodeProducerTable,
} from '../../protocol/bodies/admin.js';
import { decodeBody, encodeBody, integerOf } from '../../protocol/bodies/fields.js';
import {
  type ConsumerConnection,
  decodeConsumerConnection,
  decodeProducerConnection,
  decodeSubscriptionGroupWrapper,
  type Connection as GroupMember,
  type SubscriptionGroupConfig,
} from '../../protocol/bodies/group.js';
import { type MessageQueue, messageQueueEntriesOf } from '../../protocol/bodies/message-queue.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { MQBrokerError } from '../errors.js';
import { decodeAnswer } from '../route.js';
import type { AdminCaller } from './caller.js';

export class GroupAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  /** Every group of a broker, those of its own among them. Errors: MQBrokerError. */
  async configs(brokerAddr: string): Promise<Readonly<Record<string, SubscriptionGroupConfig>>> {
    const code = RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG;
    const wrapper = await this.#caller.read(brokerAddr, code, {}, decodeSubscriptionGroupWrapper);
    return wrapper.subscriptionGroupTable;
  }

  /** Creates a group, or changes the one of that name. Errors: MQBrokerError. */
  async update(brokerAddr: string, config: SubscriptionGroupConfig): Promise<void> {
    const code = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP;
    await this.#caller.ask(brokerAddr, code, {}, encodeBody(config));
  }

  /** Deletes a group; `removeOffset` also what it committed. Errors: MQBrokerError. */
  async delete(brokerAddr: string, groupName: string, removeOffset: boolean): Promise<void> {
    // The name of the field has changed with RocketMQ 5.
    const fields = { groupName, removeOffset, cleanOffset: removeOffset };
    await this.#caller.ask(brokerAddr, RequestCode.DELETE_SUBSCRIPTIONGROUP, fields);
  }

  /** How far a group is, in one topic or in all it consumed. Errors: MQBrokerError. */
  async consumeStats(brokerAddr: string, consumerGroup: string, topic?: string): Promise<ConsumeStats> {
    return this.#caller.read(brokerAddr, RequestCode.GET_CONSUME_STATS, { consumerGroup, topic }, decodeConsumeStats);
  }

  /** Who is in a consumer group and what it subscribes to; null when nobody is online. Errors: MQBrokerError. */
  async consumers(brokerAddr: string, consumerGroup: string): Promise<ConsumerConnection | null> {
    const codes = [ResponseCode.SUCCESS, ResponseCode.CONSUMER_NOT_ONLINE];
    const code = RequestCode.GET_CONSUMER_CONNECTION_LIST;
    const answer = await this.#caller.ask(brokerAddr, code, { consumerGroup }, null, codes);
    if (answer.code === ResponseCode.CONSUMER_NOT_ONLINE) return null;
    return decodeAnswer(decodeConsumerConnection, answer.body, brokerAddr);
  }

  /** Who is in a producer group; empty when nobody is. Errors: MQBrokerError. */
  async producers(brokerAddr: string, producerGroup: string): Promise<readonly GroupMember[]> {
    const codes = [ResponseCode.SUCCESS, ResponseCode.SYSTEM_ERROR];
    const code = RequestCode.GET_PRODUCER_CONNECTION_LIST;
    const answer = await this.#caller.ask(brokerAddr, code, { producerGroup }, null, codes);
    // Nobody is there: it has no code of its own.
    if (answer.code !== ResponseCode.SUCCESS) {
      if (answer.remark?.includes('not exist')) return [];
      throw new MQBrokerError(answer, brokerAddr);
    }
    return decodeAnswer(decodeProducerConnection, answer.body, brokerAddr).connectionSet;
  }

  /** Every producer group that is online, with the ids of its clients. Errors: MQBrokerError, of brokers < 4.9.4. */
  async allProducers(brokerAddr: string): Promise<Readonly<Record<string, readonly string[]>>> {
    return this.#caller.read(brokerAddr, RequestCode.GET_ALL_PRODUCER_INFO, {}, decodeProducerTable);
  }

  /** The groups that consume a topic, or did. Errors: MQBrokerError. */
  async ofTopic(brokerAddr: string, topic: string): Promise<readonly string[]> {
    return this.#caller.read(brokerAddr, RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, { topic }, decodeGroupList);
  }

  /**
   * Has the consumers of a group go on at what was stored at `timestampMs`, -1 for the end, and tells where that is;
   * null when none is online. Units: ms since the epoch. Errors: MQBrokerError.
   */
  async resetOffset(
    brokerAddr: string,
    group: string,
    topic: string,
    timestampMs: number,
  ): Promise<readonly (readonly [MessageQueue, number])[] | null> {
    const codes = [ResponseCode.SUCCESS, ResponseCode.CONSUMER_NOT_ONLINE];
    const fields = { topic, group, timestamp: timestampMs, isForce: true };
    const code = RequestCode.INVOKE_BROKER_TO_RESET_OFFSET;
    const answer = await this.#caller.ask(brokerAddr, code, fields, null, codes);
    if (answer.code === ResponseCode.CONSUMER_NOT_ONLINE) return null;
    const { offsetTable } = decodeAnswer(bytes => decodeBody(bytes, 'ResetOffsetBody'), answer.body, brokerAddr);
    return messageQueueEntriesOf(offsetTable, value => integerOf(value));
  }

  /** Commits for a group where it goes on in a queue. Errors: MQBrokerError. */
  async updateOffset(brokerAddr: string, consumerGroup: string, queue: MessageQueue, offset: number): Promise<void> {
    const { topic, queueId } = queue;
    const fields = { consumerGroup, topic, queueId, commitOffset: offset };
    await this.#caller.ask(brokerAddr, RequestCode.UPDATE_CONSUMER_OFFSET, fields);
  }

  /** Has a group start where another one is in a topic. Errors: MQBrokerError. */
  async cloneOffset(brokerAddr: string, srcGroup: string, destGroup: string, topic: string): Promise<void> {
    const fields = { srcGroup, destGroup, topic, offline: true };
    await this.#caller.ask(brokerAddr, RequestCode.CLONE_GROUP_OFFSET, fields);
  }
}
