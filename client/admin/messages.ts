/** Single messages of one broker, by id and by key. Source: spec remoting 4.2.1; MQAdminImpl. */
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { decodeMessages, type MessageExt } from '../message-ext.js';
import { parseOffsetMsgId } from '../unique-id.js';
import type { AdminCaller } from './caller.js';

export interface MessageQuery {
  readonly topic: string;
  /** A key, or with `unique` the id that a producer gave. */
  readonly key: string;
  readonly unique: boolean;
  /** Units: ms since the epoch. */
  readonly beginTimestamp: number;
  readonly endTimestamp: number;
  readonly maxNum: number;
}

export class MessageAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  /** The message an offset message id stands for; undefined when its broker has it no longer. Errors: MQBrokerError. */
  async view(offsetMsgId: string): Promise<MessageExt | undefined> {
    const { address, physicalOffset } = parseOffsetMsgId(offsetMsgId);
    const codes = [ResponseCode.SUCCESS, ResponseCode.SYSTEM_ERROR];
    const fields = { offset: physicalOffset };
    const answer = await this.#caller.ask(address, RequestCode.VIEW_MESSAGE_BY_ID, fields, null, codes);
    if (answer.code !== ResponseCode.SUCCESS || answer.body === null) return undefined;
    return decodeMessages(answer.body)[0];
  }

  /** Messages that have a key, or a unique id. What only shares its hash is left out. Errors: MQBrokerError. */
  async query(brokerAddr: string, query: MessageQuery): Promise<MessageExt[]> {
    const { unique, key, ...range } = query;
    const codes = [ResponseCode.SUCCESS, ResponseCode.QUERY_NOT_FOUND];
    const fields = { ...range, key, _UNIQUE_KEY_QUERY: unique };
    const answer = await this.#caller.ask(brokerAddr, RequestCode.QUERY_MESSAGE, fields, null, codes);
    if (answer.code === ResponseCode.QUERY_NOT_FOUND || answer.body === null) return [];
    const isMeant = (message: MessageExt): boolean =>
      message.topic === query.topic && (unique ? message.msgId === key : message.keys.includes(key));
    return decodeMessages(answer.body).filter(isMeant);
  }
}
