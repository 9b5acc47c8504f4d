/**
 * END_TRANSACTION (37): a half message is committed, by a copy in its own topic, or rolled back. Either way an op
 * record says that it is decided; a committed message and its op record are stored in one write, so neither is there
 * alone. Hot: every message of a transactional producer comes by here.
 * Source: spec transaction 4, 5; EndTransactionProcessor, TransactionalMessageBridge.
 */
import { equalBytes, getDecimal, putDecimal } from '../../protocol/bytes.js';
import { MessageSysFlag, ResponseCode } from '../../protocol/codes.js';
import { bodyCrc32 } from '../../protocol/crc32.js';
import type { HeaderView } from '../../protocol/header-view.js';
import { createEndTransactionIndex, EndTransactionSlot } from '../../protocol/headers/end-transaction.js';
import {
  type ByteRange,
  beginRecord,
  findProperty,
  finishRecord,
  formatProperties,
  PROPERTIES_SIZE_MAX,
  propertyPrefix,
  type RecordFields,
  recordFlag,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordQueueOffset,
  recordReconsumeTimes,
  recordSize,
  recordSysFlag,
  recordTopicAt,
  topicLength,
  topicLengthSize,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { type CopyFields, copyRecord, copySizeMax, readRecordProperties } from '../../protocol/record-copy.js';
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../protocol/topic-names.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { describeStoreState, StoreState, UNWRITABLE } from '../store-state.js';
import type { KnownTopic, TopicSnapshot } from '../topic-snapshot.js';
import { type SendContext, SendVerdict } from './behaviour.js';
import type { AppendTarget } from './lane-exits.js';
import { placeDelayed } from './placement.js';
import type { RecordSource } from './record-source.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const halfTopic = encoder.encode(HALF_TOPIC);
const opTopic = encoder.encode(OP_HALF_TOPIC);
/** As RocketMQ stores it. */
const opProperties = encoder.encode(
  formatProperties([
    [MessageProperty.TAGS, 'd'],
    [MessageProperty.WAIT, 'true'],
  ]),
);
/** Digits of the largest offset. Units: bytes. */
const OP_BODY_SIZE_MAX = 20;
const OP_SIZE_MAX = recordSize(OP_BODY_SIZE_MAX, opTopic.length, opProperties.length);
const PRODUCER_GROUP = propertyPrefix(MessageProperty.PRODUCER_GROUP);
const REAL_TOPIC = propertyPrefix(MessageProperty.REAL_TOPIC);
const REAL_QUEUE_ID = propertyPrefix(MessageProperty.REAL_QUEUE_ID);
const DELAY = propertyPrefix(MessageProperty.DELAY);
const WAIT = propertyPrefix(MessageProperty.WAIT);
const FALSE = encoder.encode('false');
const NOT_FOUND = 'Find prepared transaction message failed';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export class TransactionEnd implements AppendTarget {
  // The outcome of judge().
  code = 0;
  remark = '';
  queueNumber = 0;
  queueId = 0;
  readonly count = 1;
  companionQueue = -1;
  waits = false;
  traceEvent: number = TraceEvent.laneCommitted;
  madeFrom = 0;
  /** No more than this many bytes are encoded. */
  recordSizeMax = 0;

  readonly #context: SendContext;
  readonly #topics: TopicSnapshot;
  readonly #records: RecordSource;
  readonly #index = createEndTransactionIndex();
  readonly #found: ByteRange = { start: 0, end: 0 };
  readonly #opFields: RecordFields;
  readonly #opBody = new Uint8Array(OP_BODY_SIZE_MAX);
  readonly #copy: Writable<CopyFields>;
  #commit = false;
  /** Where the half message stands in {@link #half}, and its properties. */
  #half: Uint8Array = new Uint8Array(0);
  #at = 0;
  #properties = 0;
  #propertiesEnd = 0;

  constructor(context: SendContext, topics: TopicSnapshot, records: RecordSource) {
    this.#context = context;
    this.#topics = topics;
    this.#records = records;
    const { storeAddress, storePort } = context;
    const host = { storeAddress, storePort, queueId: 0, flag: 0, sysFlag: 0, reconsumeTimes: 0 };
    const none = new Uint8Array(0);
    this.#copy = { ...host, topic: none, properties: none, preparedTransactionOffset: 0 };
    const birth = { bornTimestamp: 0, bornAddress: storeAddress, bornPort: storePort };
    this.#opFields = { ...host, ...birth, preparedTransactionOffset: 0 };
  }

  /**
   * Whether what `header` asks for may be stored; {@link encode} is to follow at once.
   * Errors: with REFUSE, {@link code} and {@link remark} say why. RingError DISK_READ_FAILED.
   */
  judge(header: HeaderView, storeState: number): number {
    if ((storeState & StoreState.SLAVE) !== 0) {
      return this.#refuse(ResponseCode.SLAVE_NOT_AVAILABLE, 'a slave ends no transactions');
    }
    this.#index.read(header);
    const { slots } = this.#index;
    const decision = header.integer(slots[EndTransactionSlot.commitOrRollback]!);
    this.#commit = decision === MessageSysFlag.TRANSACTION_COMMIT;
    // Unknown: the producer will be asked again.
    if (!this.#commit && decision !== MessageSysFlag.TRANSACTION_ROLLBACK) return SendVerdict.SILENCE;
    if (!this.#find(header.integer(slots[EndTransactionSlot.commitLogOffset]!, -1))) {
      return this.#refuse(ResponseCode.SYSTEM_ERROR, NOT_FOUND);
    }
    const fault = this.#faultOf(header, slots);
    if (fault !== undefined) return this.#refuse(ResponseCode.SYSTEM_ERROR, fault);
    if ((storeState & UNWRITABLE) !== 0) {
      const reason = describeStoreState(storeState);
      return this.#refuse(ResponseCode.SERVICE_NOT_AVAILABLE, `service not available now: ${reason}`);
    }
    const opQueue = this.#topics.get(OP_HALF_TOPIC)?.queueNumbers[0];
    if (opQueue === undefined) {
      return this.#refuse(ResponseCode.SYSTEM_ERROR, `the topic ${OP_HALF_TOPIC} is not there`);
    }
    this.traceEvent = this.#commit ? TraceEvent.laneCommitted : TraceEvent.laneRolledBack;
    if (this.#commit) return this.#judgeCommit(opQueue);
    this.queueNumber = opQueue;
    this.queueId = 0;
    this.companionQueue = -1;
    this.waits = false;
    this.recordSizeMax = OP_SIZE_MAX;
    return SendVerdict.APPEND;
  }

  #refuse(code: number, remark: string): number {
    this.code = code;
    this.remark = remark;
    return SendVerdict.REFUSE;
  }

  /** False when no half message begins at `position`. */
  #find(position: number): boolean {
    const at = this.#records.find(position);
    if (at < 0) return false;
    const bytes = this.#records.bytes;
    const topicAt = recordTopicAt(bytes, at);
    const lengthSize = topicLengthSize(bytes, at);
    if (topicLength(bytes, topicAt, lengthSize) !== halfTopic.length) return false;
    if (!equalBytes(bytes, topicAt + lengthSize, halfTopic, 0, halfTopic.length)) return false;
    this.#half = bytes;
    this.#at = at;
    this.madeFrom = position;
    this.#properties = recordPropertiesStart(bytes, at);
    this.#propertiesEnd = this.#properties + recordPropertiesSize(bytes, this.#properties);
    return true;
  }

  /** Looks for a property of the half message; {@link #found} says where its value stands. */
  #hasProperty(prefix: Uint8Array): boolean {
    return findProperty(this.#half, this.#properties, this.#propertiesEnd, prefix, this.#found);
  }

  #textFound(): string {
    return decoder.decode(this.#half.slice(this.#found.start, this.#found.end));
  }

  /** Whether the request is about this half message. */
  #faultOf(header: HeaderView, slots: Int16Array): string | undefined {
    const group = slots[EndTransactionSlot.producerGroup]!;
    if (!this.#hasProperty(PRODUCER_GROUP) || !this.#isFound(header, group)) return 'The producer group wrong';
    const offset = header.integer(slots[EndTransactionSlot.tranStateTableOffset]!, -1);
    return offset === recordQueueOffset(this.#half, this.#at) ? undefined : 'The transaction state table offset wrong';
  }

  /** Whether the value of a field is the value that was found. */
  #isFound(header: HeaderView, index: number): boolean {
    if (index < 0) return false;
    if (header.isEscaped(index)) return header.string(index) === this.#textFound();
    const { start, end } = this.#found;
    const valueStart = header.valueStart[index]!;
    if (header.valueEnd[index]! - valueStart !== end - start) return false;
    return equalBytes(header.bytes, valueStart, this.#half, start, end - start);
  }

  #judgeCommit(opQueue: number): number {
    const half = this.#half;
    const copy = this.#copy;
    const isNamed = this.#hasProperty(REAL_TOPIC);
    const topic = isNamed ? this.#topics.find(half, this.#found.start, this.#found.end) : undefined;
    const topicName = isNamed && topic === undefined ? this.#textFound() : '';
    const queueId = this.#hasProperty(REAL_QUEUE_ID) ? getDecimal(half, this.#found.start, this.#found.end) : -1;
    copy.sysFlag =
      (recordSysFlag(half, this.#at) & ~MessageSysFlag.TRANSACTION_MASK) | MessageSysFlag.TRANSACTION_COMMIT;
    const isPlaced = this.#hasProperty(DELAY) ? this.#placeDelayed(topic, queueId) : this.#place(topic, queueId);
    if (!isPlaced) {
      const name = topic?.name ?? topicName;
      const remark = `queue ${queueId} of topic[${name}] is not there: the message cannot be committed`;
      return this.#refuse(ResponseCode.TOPIC_NOT_EXIST, remark);
    }
    if (copy.properties.length > PROPERTIES_SIZE_MAX) {
      return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, 'its properties have no room for the place it waits at');
    }
    copy.flag = recordFlag(half, this.#at);
    copy.reconsumeTimes = recordReconsumeTimes(half, this.#at);
    copy.preparedTransactionOffset = recordPhysicalOffset(half, this.#at);
    this.queueId = queueId;
    this.companionQueue = opQueue;
    this.waits = !(this.#hasProperty(WAIT) && this.#isFalseFound());
    this.recordSizeMax = copySizeMax(half, this.#at, copy.topic.length, copy.properties.length) + OP_SIZE_MAX;
    return SendVerdict.APPEND;
  }

  #isFalseFound(): boolean {
    const { start, end } = this.#found;
    return end - start === FALSE.length && equalBytes(this.#half, start, FALSE, 0, FALSE.length);
  }

  /** The committed message has the properties of the half message, its real place among them, as Java's has. */
  #place(topic: KnownTopic | undefined, queueId: number): boolean {
    const queueNumber = topic?.queueNumbers[queueId];
    if (queueNumber === undefined) return false;
    this.queueNumber = queueNumber;
    const copy = this.#copy;
    copy.topic = topic!.nameBytes;
    copy.queueId = queueId;
    copy.properties = this.#half.subarray(this.#properties, this.#propertiesEnd);
    return true;
  }

  /** It may have to wait for its time first. Warm. */
  #placeDelayed(topic: KnownTopic | undefined, queueId: number): boolean {
    if (topic === undefined) return false;
    const copy = this.#copy;
    const properties = readRecordProperties(this.#half, this.#at);
    const place = placeDelayed(properties, copy.sysFlag, { topic: topic.name, queueId }, this.#context.delayLevels);
    if (!this.#place(this.#topics.get(place.topic), place.queueId)) return false;
    copy.properties = encoder.encode(formatProperties(properties));
    return true;
  }

  /** Encodes the records of what was judged at `at`; returns the position after them. */
  encode(target: Uint8Array, at: number, nowMs: number): number {
    const half = this.#half;
    const end = this.#commit ? copyRecord(half, this.#at, target, at, this.#copy) : at;
    return this.#writeOp(target, end, recordQueueOffset(half, this.#at), nowMs);
  }

  /** Says that the half message is decided that stands at `offset` of the half queue. */
  #writeOp(target: Uint8Array, start: number, offset: number, nowMs: number): number {
    const body = this.#opBody;
    const size = putDecimal(body, 0, offset);
    this.#opFields.bornTimestamp = nowMs;
    const crc = bodyCrc32(body, 0, size);
    const lengthAt = beginRecord(target, start, this.#opFields, crc, body, 0, size, opTopic);
    target.set(opProperties, lengthAt + 2);
    return finishRecord(target, start, lengthAt, opProperties.length);
  }
}
