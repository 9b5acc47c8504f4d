/**
 * What a send lane decides: whether a message may be stored, and where. Hot.
 * No clock, no ring, no file: the actor hands bytes in and takes bytes out.
 * Source: spec remoting 5.3, storage 3; SendMessageProcessor, DefaultMessageStore.checkMessage.
 */
import { Permission, RequestCode, ResponseCode } from '../../protocol/codes.js';
import type { HeaderView } from '../../protocol/header-view.js';
import { SendMessageIndex, SendMessageSlot } from '../../protocol/headers/send-message.js';
import { RECORD_OVERHEAD, TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { DLQ_TOPIC_PREFIX, isForbiddenTarget, RETRY_TOPIC_PREFIX, topicFault } from '../../protocol/topic-names.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { GroupSnapshot } from '../group-snapshot.js';
import { describeStoreState, StoreState, UNWRITABLE } from '../store-state.js';
import type { KnownTopic, TopicSnapshot } from '../topic-snapshot.js';
import type { LaneSettings } from './mailbox.js';
import { PLACEMENT_SIZE_MAX } from './placement.js';
import { countBatch, ILLEGAL_MESSAGE, SendEncoder } from './send-encoder.js';

/** What never changes while the node runs. */
export interface SendContext {
  readonly brokerName: string;
  readonly brokerClusterName: string;
  readonly regionId: string;
  readonly traceOn: boolean;
  /** Address and port in message ids: what the broker advertises. IPv4 as an integer. */
  readonly storeAddress: number;
  readonly storePort: number;
  readonly syncFlush: boolean;
  /** SYNC_MASTER: a send waits for a slave too. */
  readonly syncReplica: boolean;
  /** How many delay levels there are (key messageDelayLevel). */
  readonly delayLevels: number;
}

export const SendVerdict = {
  APPEND: 0,
  REFUSE: 1,
  /** The coordinator may know the topic, or make it; the same of a retry topic's group. */
  TOPIC_UNKNOWN: 2,
  /** The topic of the group's dead letters is to be made. */
  DEAD_LETTER_TOPIC_UNKNOWN: 3,
  /** No answer, whatever the client waits for: so does RocketMQ. */
  SILENCE: 4,
} as const;

const PERCENT = 0x25;
/** Since this version (V3_4_9) a client says how often it wants to try. */
export const VERSION_WITH_MAX_RECONSUME_TIMES = 121;

export class SendBehaviour {
  // The outcome of judge().
  code = 0;
  remark = '';
  queueNumber = 0;
  queueId = 0;
  count = 0;
  /** A send has no companion. */
  readonly companionQueue = -1;
  /** And is made from no message that is in the log. */
  readonly madeFrom = -1;
  traceEvent: number = TraceEvent.laneDone;
  waits = false;
  /** No more than this many bytes are encoded. */
  recordSizeMax = 0;

  readonly #context: SendContext;
  readonly #topics: TopicSnapshot;
  readonly #groups: GroupSnapshot;
  readonly #index = new SendMessageIndex();
  readonly #encoder: SendEncoder;
  readonly #scratch = new Uint8Array(1024);
  #topic: KnownTopic | undefined;
  #batch = false;
  /** The message goes to dead letters at once, whatever delay it names. */
  #isDead = false;

  constructor(context: SendContext, topics: TopicSnapshot, groups: GroupSnapshot) {
    this.#context = context;
    this.#topics = topics;
    this.#groups = groups;
    this.#encoder = new SendEncoder(context, topics);
  }

  /**
   * Whether the request in `header` may be stored; the body stands at `bytes[bodyStart, bodyEnd)`.
   * Errors: with REFUSE and TOPIC_UNKNOWN, {@link code} and {@link remark} say why.
   */
  judge(
    header: HeaderView,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    settings: LaneSettings,
    storeState: number,
    nowMs: number,
  ): number {
    // Before anything else: a slave makes no topic for a send that it refuses anyway.
    if ((storeState & StoreState.SLAVE) !== 0) return this.#refuseByState(StoreState.SLAVE);
    this.#index.read(header, header.code);
    const { slots } = this.#index;
    const topicIndex = slots[SendMessageSlot.topic]!;
    const topicEnd = topicIndex < 0 ? 0 : this.#topicBytes(header, topicIndex);
    let topic = this.#findTopic(header, topicIndex, topicEnd);
    if (topic === undefined) return this.#judgeUnknownTopic(header, topicIndex);
    this.#isDead = false;
    if (topic.nameBytes[0] === PERCENT && topic.name.startsWith(RETRY_TOPIC_PREFIX)) {
      const verdict = this.#judgeRetry(header, topic.name.slice(RETRY_TOPIC_PREFIX.length));
      if (verdict !== SendVerdict.APPEND) return verdict;
      if (this.#isDead) topic = this.#topic!;
    }
    // The retry topic of a group with a long name, for example: it exists, and no record can carry it.
    if (topic.nameBytes.length > TOPIC_SIZE_MAX) {
      const remark = `the topic is longer than a message can carry: ${topic.nameBytes.length} of ${TOPIC_SIZE_MAX} bytes`;
      return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, remark);
    }
    if (settings.startAcceptSendRequestTimeStamp > nowMs) {
      return this.#refuse(
        ResponseCode.SYSTEM_ERROR,
        `broker unable to service, until ${settings.startAcceptSendRequestTimeStamp}`,
      );
    }
    if ((settings.brokerPermission & Permission.WRITE) === 0 && topic.order) {
      return this.#refuse(
        ResponseCode.NO_PERMISSION,
        `the broker[${this.#context.brokerName}] sending message is forbidden`,
      );
    }
    if (isForbiddenTarget(topic.name)) {
      return this.#refuse(ResponseCode.NO_PERMISSION, `Sending message to topic[${topic.name}] is forbidden.`);
    }
    const queueId = this.#isDead ? -1 : header.integer(slots[SendMessageSlot.queueId]!);
    const queueCount = Math.max(topic.readQueueNums, topic.writeQueueNums);
    if (queueId >= queueCount || queueCount === 0) {
      return this.#refuse(
        ResponseCode.SYSTEM_ERROR,
        `request queueId[${queueId}] is illegal, topic ${topic.name} has ${topic.readQueueNums} read and ${topic.writeQueueNums} write queues`,
      );
    }
    if ((storeState & UNWRITABLE) !== 0) return this.#refuseByState(storeState);
    this.#topic = topic;
    this.queueId = queueId >= 0 ? queueId : Math.floor(Math.random() * Math.max(1, topic.writeQueueNums));
    this.queueNumber = topic.queueNumbers[this.queueId]!;
    this.#batch = header.code === RequestCode.SEND_BATCH_MESSAGE || header.boolean(slots[SendMessageSlot.batch]!);
    return this.#judgeSize(header, bytes, bodyStart, bodyEnd, settings);
  }

  /**
   * A message that its consumer sends to the retry topic itself. Tried too often, it goes to the dead letters: then
   * {@link #isDead} is set, and {@link #topic} theirs.
   * Source: spec scheduling 2.3; SendMessageProcessor.handleRetryAndDLQ.
   */
  #judgeRetry(header: HeaderView, groupName: string): number {
    const { slots } = this.#index;
    const group = this.#groups.get(groupName);
    if (group === undefined) {
      this.code = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST;
      this.remark = `subscription group not exist, ${groupName}`;
      return SendVerdict.TOPIC_UNKNOWN;
    }
    const saysHowOften = header.version >= VERSION_WITH_MAX_RECONSUME_TIMES;
    const { retryMaxTimes } = group;
    const max = saysHowOften ? header.integer(slots[SendMessageSlot.maxReconsumeTimes]!, retryMaxTimes) : retryMaxTimes;
    if (header.integer(slots[SendMessageSlot.reconsumeTimes]!) < max) return SendVerdict.APPEND;
    const deadLetters = this.#topics.get(`${DLQ_TOPIC_PREFIX}${groupName}`);
    if (deadLetters === undefined) {
      this.code = ResponseCode.SYSTEM_ERROR;
      this.remark = `topic[${DLQ_TOPIC_PREFIX}${groupName}] not exist`;
      return SendVerdict.DEAD_LETTER_TOPIC_UNKNOWN;
    }
    this.#isDead = true;
    this.#topic = deadLetters;
    return SendVerdict.APPEND;
  }

  #judgeSize(
    header: HeaderView,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    settings: LaneSettings,
  ): number {
    const { slots } = this.#index;
    const bodySize = bodyEnd - bodyStart;
    if (bodySize > settings.maxMessageSize) return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, ILLEGAL_MESSAGE);
    const propertiesIndex = slots[SendMessageSlot.properties]!;
    const propertiesSize =
      propertiesIndex < 0 ? 0 : header.valueEnd[propertiesIndex]! - header.valueStart[propertiesIndex]!;
    const perRecord =
      RECORD_OVERHEAD +
      this.#topic!.nameBytes.length +
      propertiesSize +
      this.#encoder.addedSizeMax +
      PLACEMENT_SIZE_MAX;
    this.count = this.#batch ? countBatch(bytes, bodyStart, bodyEnd) : 1;
    if (this.count <= 0) {
      return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, 'the body of this batch is not a list of messages');
    }
    this.recordSizeMax = bodySize + perRecord * this.count;
    return SendVerdict.APPEND;
  }

  #refuseByState(storeState: number): number {
    const remark = `service not available now. It may be caused by: ${describeStoreState(storeState)}`;
    return this.#refuse(ResponseCode.SERVICE_NOT_AVAILABLE, remark);
  }

  /**
   * Encodes the judged request at `at`; returns the position after its records.
   * Errors: -1 when the properties refuse it; {@link code} and {@link remark} say why.
   */
  encode(
    header: HeaderView,
    bytes: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    target: Uint8Array,
    at: number,
    peerAddress: number,
    peerPort: number,
    settings: LaneSettings,
  ): number {
    const encoder = this.#encoder;
    encoder.begin(header, this.#index.slots, this.queueId, peerAddress, peerPort);
    const end = this.#batch
      ? encoder.encodeBatch(header, bytes, bodyStart, bodyEnd, target, at, this.#topic!)
      : encoder.encodeSingle(header, bytes, bodyStart, bodyEnd, target, at, this.#topic!, this.#isDead, settings);
    if (end < 0) return this.#refused();
    this.waits = encoder.waits;
    // It may wait in another topic first.
    const waitsIn = encoder.queueNumber;
    const isElsewhere = waitsIn >= 0 && waitsIn !== this.queueNumber;
    if (isElsewhere) this.queueNumber = waitsIn;
    this.traceEvent = isElsewhere ? this.#waitingEvent() : TraceEvent.laneDone;
    return end;
  }

  #waitingEvent(): number {
    return this.#encoder.isHalf ? TraceEvent.laneHalf : TraceEvent.laneDelayed;
  }

  #refused(): -1 {
    this.code = this.#encoder.code;
    this.remark = this.#encoder.remark;
    return -1;
  }

  // ---- topic ----

  /** Length of the unescaped topic when it had to be copied to the scratch, else -1. */
  #topicBytes(header: HeaderView, index: number): number {
    if (!header.isEscaped(index)) return -1;
    if (header.valueEnd[index]! - header.valueStart[index]! > this.#scratch.length) return 0;
    return header.copyValue(index, this.#scratch, 0);
  }

  #findTopic(header: HeaderView, index: number, scratchEnd: number): KnownTopic | undefined {
    if (index < 0) return undefined;
    if (scratchEnd >= 0) return this.#topics.find(this.#scratch, 0, scratchEnd);
    return this.#topics.find(header.bytes, header.valueStart[index]!, header.valueEnd[index]!);
  }

  #judgeUnknownTopic(header: HeaderView, index: number): number {
    const name = header.string(index);
    const fault = topicFault(name, TOPIC_SIZE_MAX);
    if (fault !== undefined) return this.#refuse(ResponseCode.SYSTEM_ERROR, fault);
    if (isForbiddenTarget(name)) {
      return this.#refuse(ResponseCode.NO_PERMISSION, `Sending message to topic[${name}] is forbidden.`);
    }
    this.code = ResponseCode.TOPIC_NOT_EXIST;
    this.remark = `topic[${name}] not exist, apply first please!`;
    return SendVerdict.TOPIC_UNKNOWN;
  }

  #refuse(code: number, remark: string): number {
    this.code = code;
    this.remark = remark;
    return SendVerdict.REFUSE;
  }
}
