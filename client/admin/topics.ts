/** Topics of one broker: settings, how far queues reach. Source: spec remoting 4.2.1, 4.2.2; DefaultMQAdminExt. */
import { decodeTopicStatsTable, type TopicOffset } from '../../protocol/bodies/admin.js';
import type { MessageQueue } from '../../protocol/bodies/message-queue.js';
import { decodeTopicConfigSerializeWrapper, type TopicConfig } from '../../protocol/bodies/topic.js';
import { RequestCode } from '../../protocol/codes.js';
import type { ExtFields } from '../../protocol/command.js';
import { AUTO_CREATE_TOPIC } from '../../protocol/topic-names.js';
import { checkTopic } from '../message.js';
import { numberField } from '../pull-result.js';
import type { AdminCaller } from './caller.js';

/** How far one queue reaches. */
export type QueueStatus = MessageQueue & TopicOffset;

export class TopicAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  /** Every topic of a broker, with its settings. Errors: MQBrokerError. */
  async configs(brokerAddr: string): Promise<Readonly<Record<string, TopicConfig>>> {
    const code = RequestCode.GET_ALL_TOPIC_CONFIG;
    return (await this.#caller.read(brokerAddr, code, {}, decodeTopicConfigSerializeWrapper)).topicConfigTable;
  }

  /** Creates a topic, or changes the one of that name. Errors: MQBrokerError; MQClientError MESSAGE_ILLEGAL. */
  async update(brokerAddr: string, config: TopicConfig): Promise<void> {
    const { topicName: topic, ...settings } = config;
    checkTopic(topic);
    const fields = { topic, defaultTopic: AUTO_CREATE_TOPIC, ...settings };
    await this.#caller.ask(brokerAddr, RequestCode.UPDATE_AND_CREATE_TOPIC, fields);
  }

  /** Deletes a topic of a broker with its messages. Errors: MQBrokerError. */
  async delete(brokerAddr: string, topic: string): Promise<void> {
    await this.#caller.ask(brokerAddr, RequestCode.DELETE_TOPIC_IN_BROKER, { topic });
  }

  /** Has every name server forget a topic. Errors: MQBrokerError. */
  async deleteFromNameServers(topic: string): Promise<void> {
    for (const address of this.#caller.namesrvAddrs) {
      await this.#caller.ask(address, RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic });
    }
  }

  /** How far the queues of a topic reach on a broker. Errors: MQBrokerError. */
  async stats(brokerAddr: string, topic: string): Promise<QueueStatus[]> {
    const code = RequestCode.GET_TOPIC_STATS_INFO;
    const entries = await this.#caller.read(brokerAddr, code, { topic }, decodeTopicStatsTable);
    return entries.map(([queue, offsets]) => ({ ...queue, ...offsets }));
  }

  /** Offset of the oldest message of a queue. Errors: MQBrokerError. */
  minOffset(brokerAddr: string, queue: MessageQueue): Promise<number> {
    return this.#offset(brokerAddr, RequestCode.GET_MIN_OFFSET, queue);
  }

  /** One past the offset of the newest message of a queue. Errors: MQBrokerError. */
  maxOffset(brokerAddr: string, queue: MessageQueue): Promise<number> {
    return this.#offset(brokerAddr, RequestCode.GET_MAX_OFFSET, queue);
  }

  /** Offset of the message that was stored at `timestampMs`, or nearest to it. Units: ms since the epoch. */
  searchOffset(brokerAddr: string, queue: MessageQueue, timestampMs: number): Promise<number> {
    return this.#offset(brokerAddr, RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, queue, { timestamp: timestampMs });
  }

  async #offset(brokerAddr: string, code: number, queue: MessageQueue, fields: ExtFields = {}): Promise<number> {
    const { topic, queueId } = queue;
    return numberField(await this.#caller.ask(brokerAddr, code, { ...fields, topic, queueId }), 'offset');
  }
}
