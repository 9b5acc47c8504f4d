/**
 * A delayed message as it lies in the log, and where it is to go. The record that is stored for consumers is the one
 * Java stores: same body, birth, flags and property string (DELAY, REAL_TOPIC and REAL_QID stay in it), in its real
 * topic and queue. Source: spec scheduling 1.4; ScheduleMessageService.messageTimeup.
 */
import { equalBytes, getDecimal, getI32 } from '../../protocol/bytes.js';
import { MessageSysFlag } from '../../protocol/codes.js';
import {
  type ByteRange,
  findProperty,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  PROPERTIES_SIZE_MAX,
  propertyPrefix,
  RecordLayout,
  recordBodyStart,
  recordMagic,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordStoreTimestamp,
  recordSysFlag,
  recordTotalSize,
  TOPIC_SIZE_MAX,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { copyRecord, copySizeMax, type StoreHost } from '../../protocol/record-copy.js';
import { HALF_TOPIC } from '../../protocol/topic-names.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { BrokerAppends } from '../broker-appends.js';
import type { KnownTopic, TopicSnapshot } from '../topic-snapshot.js';

const REAL_TOPIC = propertyPrefix(MessageProperty.REAL_TOPIC);
const REAL_QID = propertyPrefix(MessageProperty.REAL_QUEUE_ID);
const halfTopic = new TextEncoder().encode(HALF_TOPIC);
const decoder = new TextDecoder();
/** What most records fit in. Units: bytes. */
const SCRATCH_SIZE = 64 * 1024;
/** Reconsume times, transaction offset and body length, which stand between store host and body. Units: bytes. */
const HOST_TO_BODY = 16;

export class DueRecord {
  readonly #log: CommitLogReader;
  readonly #host: StoreHost;
  #bytes = new Uint8Array(SCRATCH_SIZE);
  #properties = 0;
  #propertiesEnd = 0;
  readonly #topicRange: ByteRange = { start: 0, end: 0 };
  readonly #queueRange: ByteRange = { start: 0, end: 0 };
  #topic: KnownTopic | undefined;
  #queueId = 0;

  constructor(log: CommitLogReader, host: StoreHost) {
    this.#log = log;
    this.#host = host;
  }

  /** Reads the record an entry points to; false when it is not there. Errors: RingError DISK_READ_FAILED. */
  load(position: number, size: number): boolean {
    if (size < RecordLayout.size || !this.#fitsScratch(position, size)) return false;
    const bytes = this.#bytes;
    if (this.#log.read(bytes, 0, size, position) !== size || !isRecord(bytes, size)) return false;
    if (recordPhysicalOffset(bytes, 0) !== position) return false;
    this.#properties = recordPropertiesStart(bytes, 0);
    const propertiesSize = recordPropertiesSize(bytes, this.#properties);
    this.#propertiesEnd = this.#properties + propertiesSize;
    return this.#propertiesEnd === size && propertiesSize <= PROPERTIES_SIZE_MAX;
  }

  /** Makes room, but only for what is a record of that size: an entry may be damaged. */
  #fitsScratch(position: number, size: number): boolean {
    if (size <= this.#bytes.length) {
      if (this.#bytes.length > SCRATCH_SIZE && size <= SCRATCH_SIZE) this.#bytes = new Uint8Array(SCRATCH_SIZE);
      return true;
    }
    if (this.#log.read(this.#bytes, 0, 8, position) !== 8 || !isRecord(this.#bytes, size)) return false;
    this.#bytes = new Uint8Array(size);
    return true;
  }

  /** Units: ms since the epoch. */
  get storeTimestampMs(): number {
    return recordStoreTimestamp(this.#bytes, 0);
  }

  /** The name of its real topic, for the log. Allocates. */
  get topicName(): string {
    return decoder.decode(this.#bytes.slice(this.#topicRange.start, this.#topicRange.end));
  }

  get queueId(): number {
    return this.#queueId;
  }

  /** Why it can go nowhere, whatever topics there are; undefined when there is no such reason. */
  fault(): string | undefined {
    const bytes = this.#bytes;
    if (!findProperty(bytes, this.#properties, this.#propertiesEnd, REAL_TOPIC, this.#topicRange)) {
      return 'it has no real topic (property REAL_TOPIC)';
    }
    const { start, end } = this.#topicRange;
    const isHalf = end - start === halfTopic.length && equalBytes(bytes, start, halfTopic, 0, halfTopic.length);
    if (isHalf) return 'its real topic is that of half messages';
    const hasQueue = findProperty(bytes, this.#properties, this.#propertiesEnd, REAL_QID, this.#queueRange);
    this.#queueId = hasQueue ? getDecimal(bytes, this.#queueRange.start, this.#queueRange.end) : -1;
    return this.#queueId < 0 ? 'it has no real queue (property REAL_QID)' : undefined;
  }

  /** Dense number of the queue it is to go to, -1 when there is none. Only when it has no {@link fault}. */
  queueIn(topics: TopicSnapshot): number {
    const topic = topics.find(this.#bytes, this.#topicRange.start, this.#topicRange.end);
    this.#topic = topic;
    if (topic === undefined || topic.nameBytes.length > TOPIC_SIZE_MAX) return -1;
    return topic.queueNumbers[this.#queueId] ?? -1;
  }

  /** Most bytes of its copy. Only when {@link queueIn} found a queue, as {@link copyTo}. */
  get copySize(): number {
    return copySizeMax(this.#bytes, 0, this.#topic!.nameBytes.length, this.#propertiesEnd - this.#properties);
  }

  /** Encodes its copy where there is room for it; returns the position behind. */
  copyTo(appends: BrokerAppends): number {
    const bytes = this.#bytes;
    const sysFlag = recordSysFlag(bytes, 0);
    const hostEnd = recordBodyStart(bytes, 0) - HOST_TO_BODY;
    const isV6 = (sysFlag & MessageSysFlag.STORE_HOST_V6) !== 0;
    return copyRecord(bytes, 0, appends.bytes, appends.at, {
      topic: this.#topic!.nameBytes,
      queueId: this.#queueId,
      flag: getI32(bytes, RecordLayout.at.flag),
      sysFlag,
      storeAddress: isV6 ? this.#host.storeAddress : getI32(bytes, hostEnd - 8),
      storePort: isV6 ? this.#host.storePort : getI32(bytes, hostEnd - 4),
      reconsumeTimes: getI32(bytes, hostEnd),
      preparedTransactionOffset: 0,
      properties: bytes.subarray(this.#properties, this.#propertiesEnd),
    });
  }
}

function isRecord(bytes: Uint8Array, size: number): boolean {
  const magic = recordMagic(bytes, 0);
  return recordTotalSize(bytes, 0) === size && (magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2);
}
