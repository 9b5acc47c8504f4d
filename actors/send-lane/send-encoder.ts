/**
 * The records of a send, encoded straight into the writer's ring: one message, or each of a batch. Hot.
 * Source: spec remoting 5.5, storage 3.2, 3.3; MessageExtEncoder.
 */
import { copyBytes, getI16, getI32 } from '../../protocol/bytes.js';
import { MessageSysFlag, ResponseCode } from '../../protocol/codes.js';
import { bodyCrc32 } from '../../protocol/crc32.js';
import { decodeUtf8, type HeaderView } from '../../protocol/header-view.js';
import { SendMessageSlot } from '../../protocol/headers/send-message.js';
import {
  beginRecord,
  finishRecord,
  formatProperties,
  PROPERTIES_SIZE_MAX,
  parseProperties,
  type RecordFields,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import type { KnownTopic, TopicSnapshot } from '../topic-snapshot.js';
import type { SendContext } from './behaviour.js';
import type { LaneSettings } from './mailbox.js';
import { halfPlace, PLACEMENT_SIZE_MAX, type Place, placeDelayed, placeHalf } from './placement.js';
import { PropertyEditor } from './properties.js';

/** What RocketMQ answers to a message that is too large, whatever is too large about it. */
export const ILLEGAL_MESSAGE =
  'the message is illegal, maybe msg body or properties length not matched. msg body length limit 128k, msg properties length limit 32k.';
/** Fixed part of one message in a batch body: size, magic, crc, flag, body length, properties length. Units: bytes. */
const BATCH_ITEM_OVERHEAD = 22;
/** They say how long the hosts of a record are, which is the broker's to know: here both are IPv4. */
const HOST_FLAGS = MessageSysFlag.BORN_HOST_V6 | MessageSysFlag.STORE_HOST_V6;
const textEncoder = new TextEncoder();

export class SendEncoder {
  // Why the last request was refused.
  code = 0;
  remark = '';
  /** Queue of the last message where it is not the one it was sent to, else -1. */
  queueNumber = -1;
  readonly #context: SendContext;
  readonly #topics: TopicSnapshot;
  readonly #editor: PropertyEditor;
  readonly #fields: RecordFields;
  /** Properties on their way to another place in the record. */
  readonly #scratch = new Uint8Array(PROPERTIES_SIZE_MAX + PLACEMENT_SIZE_MAX);
  #properties = -1;

  constructor(context: SendContext, topics: TopicSnapshot) {
    this.#context = context;
    this.#topics = topics;
    this.#editor = new PropertyEditor(context.brokerClusterName);
    this.#fields = {
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornAddress: 0,
      bornPort: 0,
      storeAddress: context.storeAddress,
      storePort: context.storePort,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    };
  }

  /** How much longer than it came a property string can get, in its own topic. Units: bytes. */
  get addedSizeMax(): number {
    return this.#editor.addedSizeMax;
  }

  /** The sender of the last message waits for it to be safe (property WAIT). */
  get waits(): boolean {
    return this.#editor.wait;
  }

  /** The last message is half of a transaction. */
  get isHalf(): boolean {
    return this.#editor.transactional;
  }

  /** Takes what the header says of all messages of a request. */
  begin(header: HeaderView, slots: Int16Array, queueId: number, peerAddress: number, peerPort: number): void {
    const fields = this.#fields;
    fields.queueId = queueId;
    fields.flag = header.integer(slots[SendMessageSlot.flag]!);
    fields.sysFlag = header.integer(slots[SendMessageSlot.sysFlag]!) & ~HOST_FLAGS;
    fields.bornTimestamp = header.integer(slots[SendMessageSlot.bornTimestamp]!);
    fields.bornAddress = peerAddress;
    fields.bornPort = peerPort;
    fields.reconsumeTimes = header.integer(slots[SendMessageSlot.reconsumeTimes]!);
    this.#properties = slots[SendMessageSlot.properties]!;
    this.queueNumber = -1;
  }

  /** Returns the position after the record. Errors: -1, see {@link code}. `isDead`: it goes to dead letters at once. */
  encodeSingle(
    header: HeaderView,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    target: Uint8Array,
    at: number,
    topic: KnownTopic,
    isDead: boolean,
    settings: LaneSettings,
  ): number {
    const crc = bodyCrc32(bytes, bodyStart, bodyEnd);
    const bodySize = bodyEnd - bodyStart;
    const lengthAt = beginRecord(target, at, this.#fields, crc, bytes, bodyStart, bodySize, topic.nameBytes);
    const start = lengthAt + 2;
    const copied = header.copyValue(this.#properties, target, start);
    const editor = this.#editor;
    const end = editor.edit(target, start, copied);
    if (!this.#propertiesAllowed(end - start)) return -1;
    if (!editor.transactional && editor.delayLevel <= 0) return finishRecord(target, at, lengthAt, end - start);
    if (editor.transactional && settings.rejectTransactionMessage) {
      const { brokerName } = this.#context;
      return this.#refuse(
        ResponseCode.NO_PERMISSION,
        `the broker[${brokerName}] sending transaction message is forbidden`,
      );
    }
    if (editor.transactional && !editor.hasRealPlace && !isDead) {
      this.#fields.sysFlag &= ~MessageSysFlag.TRANSACTION_MASK;
      const text = this.#scratch;
      copyBytes(target, start, text, 0, end - start);
      const size = editor.addRealPlace(text, 0, end - start, topic.nameBytes, this.#fields.queueId);
      return this.#encodeAt(halfPlace, bytes, bodyStart, bodyEnd, target, at, crc, text, size);
    }
    const properties = parseProperties(decodeUtf8(target, start, end));
    const place = this.#placeOf(properties, { topic: topic.name, queueId: this.#fields.queueId }, isDead);
    const text = textEncoder.encode(formatProperties(properties));
    return this.#encodeAt(place, bytes, bodyStart, bodyEnd, target, at, crc, text, text.length);
  }

  #placeOf(properties: Map<string, string>, own: Place, isDead: boolean): Place {
    const fields = this.#fields;
    if (isDead) {
      properties.delete(MessageProperty.DELAY);
      return own;
    }
    if (!this.#editor.transactional) return placeDelayed(properties, fields.sysFlag, own, this.#context.delayLevels);
    fields.sysFlag &= ~MessageSysFlag.TRANSACTION_MASK;
    return placeHalf(properties, own);
  }

  /** A message that waits for its time, or for the end of its transaction, is stored in another topic. */
  #encodeAt(
    place: Place,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    target: Uint8Array,
    at: number,
    crc: number,
    properties: Uint8Array,
    propertiesSize: number,
  ): number {
    const fields = this.#fields;
    const topic = this.#topics.get(place.topic);
    const queueNumber = topic?.queueNumbers[place.queueId];
    if (topic === undefined || queueNumber === undefined) {
      return this.#refuse(ResponseCode.SYSTEM_ERROR, `queue ${place.queueId} of topic[${place.topic}] is not there`);
    }
    this.queueNumber = queueNumber;
    fields.queueId = place.queueId;
    if (!this.#propertiesAllowed(propertiesSize)) return -1;
    const lengthAt = beginRecord(target, at, fields, crc, bytes, bodyStart, bodyEnd - bodyStart, topic.nameBytes);
    copyBytes(properties, 0, target, lengthAt + 2, propertiesSize);
    return finishRecord(target, at, lengthAt, propertiesSize);
  }

  /**
   * Each message of a batch becomes a record; the request's own properties are added to those of the message. Returns
   * the position after them. Errors: -1, see {@link code}.
   */
  encodeBatch(
    header: HeaderView,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    target: Uint8Array,
    at: number,
    topic: KnownTopic,
  ): number {
    const editor = this.#editor;
    let position = at;
    for (let item = bodyStart; item < bodyEnd; item += getI32(bytes, item)) {
      this.#fields.flag = getI32(bytes, item + 12);
      const bodySize = getI32(bytes, item + 16);
      const itemBody = item + 20;
      const ownSize = getI16(bytes, itemBody + bodySize);
      const own = itemBody + bodySize + 2;
      const crc = bodyCrc32(bytes, itemBody, itemBody + bodySize);
      const lengthAt = beginRecord(target, position, this.#fields, crc, bytes, itemBody, bodySize, topic.nameBytes);
      const start = lengthAt + 2;
      target.set(bytes.subarray(own, own + ownSize), start);
      const joined = editor.join(target, start, start + ownSize);
      const end = editor.edit(target, start, header.copyValue(this.#properties, target, joined));
      if (!this.#propertiesAllowed(end - start)) return -1;
      if (editor.delayLevel > 0 || editor.transactional) {
        return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, 'a batch may be neither delayed nor transactional');
      }
      position = finishRecord(target, position, lengthAt, end - start);
    }
    return position;
  }

  #propertiesAllowed(size: number): boolean {
    if (size <= PROPERTIES_SIZE_MAX) return true;
    this.#refuse(ResponseCode.MESSAGE_ILLEGAL, ILLEGAL_MESSAGE);
    return false;
  }

  #refuse(code: number, remark: string): -1 {
    this.code = code;
    this.remark = remark;
    return -1;
  }
}

/** Messages in a batch body, or 0 when it is not well formed. Source: spec remoting 5.5. */
export function countBatch(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let at = start;
  while (at < end) {
    if (end - at < BATCH_ITEM_OVERHEAD) return 0;
    const size = getI32(bytes, at);
    const bodySize = getI32(bytes, at + 16);
    if (size < BATCH_ITEM_OVERHEAD || size > end - at || bodySize < 0 || bodySize > size - BATCH_ITEM_OVERHEAD)
      return 0;
    if (getI16(bytes, at + 20 + bodySize) !== size - BATCH_ITEM_OVERHEAD - bodySize) return 0;
    at += size;
    count++;
  }
  return count;
}
