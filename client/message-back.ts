/**
 * Gives a message that was not consumed back to its broker, which delivers it again after a pause or puts it among the
 * dead letters. Source: spec remoting 7.6, scheduling 2; DefaultMQPushConsumerImpl.sendMessageBack.
 */
import { RequestCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';
import { MiB } from '../runtime/base/units.js';
import type { ClientInstance } from './client-instance.js';
import { MQClientError } from './errors.js';
import { fieldProperties, type Message, MessageProperty, prepareMessage } from './message.js';
import type { MessageExt } from './message-ext.js';
import { Sender } from './sender.js';

/** Source: DefaultMQPushConsumerImpl. Units: ms. */
const SEND_BACK_TIMEOUT_MS = 5000;
/** Level of the first pause, 10 s; each further one is a level longer. */
const FIRST_DELAY_LEVEL = 3;
const limits = { maxMessageSize: 4 * MiB, compressMsgBodyOverHowmuch: 4096 };

export class MessageBack {
  readonly #instance: ClientInstance;
  readonly #consumerGroup: string;
  readonly #sender: Sender;

  constructor(instance: ClientInstance, consumerGroup: string) {
    this.#instance = instance;
    this.#consumerGroup = consumerGroup;
    this.#sender = new Sender(instance, {
      producerGroup: 'CLIENT_INNER_PRODUCER',
      sendMsgTimeoutMs: 3000,
      attemptsMax: 3,
      defaultTopicQueueNums: 4,
    });
  }

  /**
   * The broker copies the message from its log; when it cannot, the message is sent to the retry topic anew.
   * Errors: of that send.
   */
  async sendBack(
    message: MessageExt,
    delayLevel: number,
    brokerName: string,
    maxReconsumeTimes: number,
  ): Promise<void> {
    try {
      await this.#askBroker(message, delayLevel, brokerName, maxReconsumeTimes);
    } catch {
      await this.sendToRetryTopic(message, message.reconsumeTimes + 1, maxReconsumeTimes);
    }
  }

  /** Sends a copy to the retry topic. Once it was consumed so often, brokers make it a dead letter. */
  async sendToRetryTopic(message: MessageExt, reconsumeTimes: number, maxReconsumeTimes: number): Promise<void> {
    const copy = this.#copyOf(message, reconsumeTimes, maxReconsumeTimes);
    await this.#sender.send(prepareMessage(copy, limits));
  }

  async #askBroker(
    message: MessageExt,
    delayLevel: number,
    brokerName: string,
    maxReconsumeTimes: number,
  ): Promise<void> {
    const address = this.#instance.brokerAddress(brokerName);
    if (address === undefined) throw new MQClientError('NO_ROUTE', `broker ${brokerName} has no master`);
    const request = createRequest(RequestCode.CONSUMER_SEND_MSG_BACK, {
      offset: message.commitLogOffset,
      group: this.#consumerGroup,
      delayLevel,
      originMsgId: message.msgId,
      originTopic: message.topic,
      unitMode: false,
      maxReconsumeTimes,
      bname: brokerName,
    });
    await this.#instance.invoke(address, request, SEND_BACK_TIMEOUT_MS);
  }

  #copyOf(message: MessageExt, reconsumeTimes: number, maxReconsumeTimes: number): Message {
    const kept = Object.entries(message.properties).filter(
      ([name]) => !fieldProperties.has(name) && name !== MessageProperty.TRAN_MSG,
    );
    return {
      topic: `${RETRY_TOPIC_PREFIX}${this.#consumerGroup}`,
      body: message.body,
      tags: message.tags,
      keys: message.keys,
      flag: message.flag,
      delayLevel: FIRST_DELAY_LEVEL + message.reconsumeTimes,
      properties: {
        ...Object.fromEntries(kept),
        [MessageProperty.RETRY_TOPIC]: message.topic,
        [MessageProperty.ORIGIN_MESSAGE_ID]: message.properties[MessageProperty.ORIGIN_MESSAGE_ID] ?? message.msgId,
        [MessageProperty.RECONSUME_TIME]: String(reconsumeTimes),
        [MessageProperty.MAX_RECONSUME_TIMES]: String(maxReconsumeTimes),
      },
    };
  }
}
