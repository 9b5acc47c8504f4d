/**
 * Reads single entries and records for administration. Every call opens the files it needs and closes them: nobody asks
 * often, and a file that is retired is let go of. Cold.
 */
import type { BrokerConfig } from '../../config/index.js';
import { getI32 } from '../../protocol/bytes.js';
import { ConsumeQueueUnit } from '../../protocol/consume-queue-unit.js';
import {
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  recordMagic,
  recordStoreTimestamp,
} from '../../protocol/message-record.js';
import type { Positions } from '../../runtime/memory/positions.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { Disk } from '../../storage/disk.js';
import { consumeQueueFolder, type StorePaths } from '../../storage/paths.js';
import { readRecord } from '../../storage/record-reader.js';
import type { QueueEntry, StoreView } from '../coordinator/state.js';

/** A record's head up to the store time, with IPv6 hosts. Units: bytes. */
const HEAD_SIZE = 100;
const UNIT = ConsumeQueueUnit.size;

export class StoreFiles implements StoreView {
  readonly #disk: Disk;
  readonly #paths: StorePaths;
  readonly #config: Pick<BrokerConfig, 'mappedFileSizeCommitLog' | 'mappedFileSizeConsumeQueue'>;
  readonly #positions: Positions;
  readonly #head = new Uint8Array(HEAD_SIZE);

  constructor(
    disk: Disk,
    paths: StorePaths,
    config: Pick<BrokerConfig, 'mappedFileSizeCommitLog' | 'mappedFileSizeConsumeQueue'>,
    positions: Positions,
  ) {
    this.#disk = disk;
    this.#paths = paths;
    this.#config = config;
    this.#positions = positions;
  }

  entriesOf(topic: string, queueId: number, offset: number, count: number): QueueEntry[] {
    const folder = consumeQueueFolder(this.#paths, topic, queueId);
    const units = new Uint8Array(count * UNIT);
    const reader = new ConsumeQueueReader(this.#disk, folder, this.#config.mappedFileSizeConsumeQueue, units);
    try {
      return Array.from({ length: reader.load(offset, count) }, (_, index) => ({
        physicalOffset: reader.physicalOffset(index),
        size: reader.size(index),
        tagsCode: tagsCodeOf(units, index),
      }));
    } finally {
      reader.close();
    }
  }

  physicalOffsetOf(topic: string, queueId: number, offset: number): number {
    return this.entriesOf(topic, queueId, offset, 1)[0]?.physicalOffset ?? -1;
  }

  storeTimeOf(topic: string, queueId: number, offset: number): number {
    const position = this.physicalOffsetOf(topic, queueId, offset);
    return position < 0 ? 0 : Math.max(0, this.storeTimeAt(position));
  }

  /** Store time of the record at a position, -1 when there is none. Units: ms since the epoch. */
  storeTimeAt(position: number): number {
    const length = this.#withLog(log => log.read(this.#head, 0, HEAD_SIZE, position));
    if (length < HEAD_SIZE - 12) return -1;
    const magic = recordMagic(this.#head, 0);
    const isRecord = magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2;
    return isRecord ? recordStoreTimestamp(this.#head, 0) : -1;
  }

  recordAt(position: number): Uint8Array | undefined {
    const [minimum, appended] = [this.#positions.read('minimum'), this.#positions.read('appended')];
    return this.#withLog(log => readRecord(log, position, minimum, appended));
  }

  #withLog<Result>(read: (log: CommitLogReader) => Result): Result {
    const log = new CommitLogReader(this.#disk, this.#paths.commitLog, this.#config.mappedFileSizeCommitLog, 1);
    try {
      return read(log);
    } finally {
      log.close();
    }
  }
}

/** All 64 bits: a delayed message has its time there, a tag its hash. */
function tagsCodeOf(units: Uint8Array, index: number): bigint {
  const at = index * UNIT + ConsumeQueueUnit.at.tagsCode;
  return BigInt.asIntN(64, (BigInt(getI32(units, at)) << 32n) | BigInt.asUintN(32, BigInt(getI32(units, at + 4))));
}
