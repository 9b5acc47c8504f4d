/**
 * The record of a traced message as its span needs it: all but the body, of which a large one is not read. Cold: once
 * for each traced message.
 */
import { getI32, putI32 } from '../../protocol/bytes.js';
import { MessageSysFlag } from '../../protocol/codes.js';
import {
  PROPERTIES_SIZE_MAX,
  parseProperties,
  RecordLayout,
  recordBodySize,
  recordBodyStart,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordQueueId,
  recordQueueOffset,
  recordStoreAddress,
  recordStorePort,
  recordSysFlag,
  recordTopicAt,
  recordTotalSize,
  topicLength,
  topicLengthSize,
} from '../../protocol/message-record.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';

/** What a record says besides its body. Units: sizes and positions in bytes. */
export interface TracedRecord {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly totalSize: number;
  readonly bodySize: number;
  readonly sysFlag: number;
  /** IPv4 as an integer; 0: the host is an IPv6 one. */
  readonly bornAddress: number;
  readonly bornPort: number;
  readonly storeAddress: number;
  readonly storePort: number;
  readonly properties: ReadonlyMap<string, string>;
}

/** Most records are read whole, with one call. Of a larger one the body is left out. */
const READ_SIZE = 4096;
/** Topic and properties with their lengths. */
const TAIL_SIZE_MAX = 2 + 32_767 + 2 + PROPERTIES_SIZE_MAX;
const decoder = new TextDecoder();

export class TracedRecordReader {
  readonly #log: CommitLogReader;
  readonly #bytes = new Uint8Array(READ_SIZE + TAIL_SIZE_MAX);

  constructor(log: CommitLogReader) {
    this.#log = log;
  }

  /** The record at `position`; undefined when it is gone, or none begins there. Errors: RingError DISK_READ_FAILED. */
  read(position: number): TracedRecord | undefined {
    const bytes = this.#bytes;
    const got = this.#log.read(bytes, 0, READ_SIZE, position);
    if (got < RecordLayout.size) return undefined;
    const totalSize = recordTotalSize(bytes, 0);
    const bodyStart = recordBodyStart(bytes, 0);
    const bodySize = recordBodySize(bytes, 0);
    const tailSize = totalSize - bodyStart - bodySize;
    if (bodySize < 0 || tailSize <= 0 || tailSize > TAIL_SIZE_MAX) return undefined;
    if (recordPhysicalOffset(bytes, 0) !== position) return undefined;
    if (totalSize > got) {
      // From here on it is a record without a body.
      putI32(bytes, bodyStart - 4, 0);
      if (this.#log.read(bytes, bodyStart, tailSize, position + bodyStart + bodySize) < tailSize) return undefined;
    }
    return { ...this.#decode(), totalSize, bodySize };
  }

  #decode(): Omit<TracedRecord, 'totalSize' | 'bodySize'> {
    const bytes = this.#bytes;
    const topicAt = recordTopicAt(bytes, 0);
    const lengthSize = topicLengthSize(bytes, 0);
    const topicStart = topicAt + lengthSize;
    const topicEnd = topicStart + topicLength(bytes, topicAt, lengthSize);
    const properties = recordPropertiesStart(bytes, 0);
    const propertiesEnd = properties + recordPropertiesSize(bytes, properties);
    const sysFlag = recordSysFlag(bytes, 0);
    const isIpv6 = (sysFlag & MessageSysFlag.BORN_HOST_V6) !== 0;
    const bornHost = RecordLayout.at.bornHost;
    return {
      topic: decoder.decode(bytes.subarray(topicStart, topicEnd)),
      queueId: recordQueueId(bytes, 0),
      queueOffset: recordQueueOffset(bytes, 0),
      physicalOffset: recordPhysicalOffset(bytes, 0),
      sysFlag,
      bornAddress: isIpv6 ? 0 : getI32(bytes, bornHost),
      bornPort: isIpv6 ? 0 : getI32(bytes, bornHost + 4),
      storeAddress: recordStoreAddress(bytes, 0),
      storePort: recordStorePort(bytes, 0),
      properties: parseProperties(decoder.decode(bytes.subarray(properties, propertiesEnd))),
    };
  }
}
