/**
 * The fields of a send request, for codes 10, 324 (long names) and 310, 320, 325 (one letter each).
 * Source: spec remoting 5.1; SendMessageRequestHeader, SendMessageRequestHeaderV2.
 */
import { RequestCode } from '../codes.js';
import type { HeaderView } from '../header-view.js';
import { FieldIndex, slotsOf } from './field-index.js';

/** Field names in the order of their letters in V2: a is producerGroup, b is topic, and so on. */
export const sendMessageFields = [
  'producerGroup',
  'topic',
  'defaultTopic',
  'defaultTopicQueueNums',
  'queueId',
  'sysFlag',
  'bornTimestamp',
  'flag',
  'properties',
  'reconsumeTimes',
  'unitMode',
  'maxReconsumeTimes',
  'batch',
] as const;

/** Slot of each field in {@link SendMessageIndex.slots}. */
export const SendMessageSlot = slotsOf(sendMessageFields);

const FIRST_LETTER = 0x61;

export class SendMessageIndex {
  readonly #long = new FieldIndex(sendMessageFields);
  readonly #short = new FieldIndex(sendMessageFields.map((_, slot) => String.fromCharCode(FIRST_LETTER + slot)));
  /** Index of each field in the header view, -1 where it is missing. */
  slots: Int16Array = this.#short.slots;

  /** Finds all fields of a header that was read. */
  read(view: HeaderView, code: number): void {
    const isLong = code === RequestCode.SEND_MESSAGE || code === RequestCode.SEND_REPLY_MESSAGE;
    const index = isLong ? this.#long : this.#short;
    index.read(view);
    this.slots = index.slots;
  }
}
