/**
 * Opens and closes a store directory: lock, recovery, catch-up of the consume queues. Cold, on the main thread, before
 * any actor runs. Source: spec storage 6, 10, 16; DefaultMessageStore.
 */
import { parseDelayLevels } from '../../config/index.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counters } from '../../runtime/memory/counters.js';
import { Ring } from '../../runtime/memory/ring.js';
import { readCheckpoint, updateCheckpoint } from '../../storage/checkpoint.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { type CommitLogRecovery, recoverCommitLog } from '../../storage/commit-log-recovery.js';
import { ConsumeQueueWriter } from '../../storage/consume-queue.js';
import { maxPhysicalOffsetOf, recoverConsumeQueues } from '../../storage/consume-queue-recovery.js';
import { cutLog, type LogCut } from '../../storage/cut-log.js';
import type { Disk } from '../../storage/disk.js';
import { recoverIndex } from '../../storage/message-index.js';
import { consumeQueueFolder, type StorePaths, storePaths } from '../../storage/paths.js';
import { readRecord } from '../../storage/record-reader.js';
import { syncSegments } from '../../storage/segment-cache.js';
import {
  acquireStoreLock,
  createAbortFile,
  hasAbortFile,
  type ProcessProbe,
  removeAbortFile,
  type StoreLock,
} from '../../storage/store-lock.js';
import { Dispatcher } from '../dispatcher/actor.js';
import { QueueNumbers } from '../queue-numbers.js';
import type { QueueTable } from '../queue-table.js';
import { openIndexWriter } from './build-actor.js';
import type { Life } from './life.js';
import type { Workshop } from './memory.js';
import type { StoreEvent } from './store-lifecycle.machine.js';

export interface StoreConfig {
  readonly storePathRootDir: string;
  readonly storePathCommitLog: string;
  /** Units: bytes. */
  readonly mappedFileSizeCommitLog: number;
  readonly mappedFileSizeConsumeQueue: number;
  readonly checkCRCOnRecover: boolean;
  readonly messageDelayLevel: string;
  readonly messageIndexEnable: boolean;
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
}

/** A store whose rooms have ended well, and that nobody else has had since. */
export interface LeftStore {
  readonly store: Store;
  readonly shop: Workshop;
  readonly queueNumbers: readonly [string, Int32Array][];
  /** A record began here at the last write, or at the start; -1 when none is known. Units: bytes. */
  readonly lastWriteOffset: number;
}

const PROGRESS_EVERY_MS = 2000;

export class Store {
  readonly paths: StorePaths;
  /** mappedFileSizeCommitLog. Units: bytes. */
  readonly segmentSize: number;
  numbers = new QueueNumbers();
  /** Next offset of each queue, by queue number. */
  queueOffsets: Float64Array;
  /** Where the last record of the log begins; -1 when there is none. Units: bytes. */
  lastRecordOffset = -1;
  readonly #disk: Disk;
  /** End of the log when it was opened. Units: bytes. */
  #openedAt: number;
  #config: StoreConfig;
  readonly #lock: StoreLock;
  readonly #probe: ProcessProbe;
  readonly #log: Logger;
  /** End of the newest message that each queue pointed to when it was recovered, by queue number. Units: bytes. */
  readonly #reached = new Map<number, number>();

  /**
   * Takes the directory and brings it into order; positions and queue table are then true. With `cut` the log ends
   * there from now on, as if nothing had ever been behind.
   * Errors: RingError STORE_LOCKED, STORE_CORRUPT, DISK_READ_FAILED, DISK_WRITE_FAILED; the directory is given back.
   */
  static open(
    disk: Disk,
    probe: ProcessProbe,
    config: StoreConfig,
    shop: Workshop,
    log: Logger,
    life: Life<StoreEvent>,
    cut?: LogCut,
  ): Store {
    const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    let lock: StoreLock | undefined;
    try {
      lock = acquireStoreLock(disk, probe, paths);
      life.send({ type: 'LOCKED' });
      if (cut !== undefined) cutLog(disk, paths, config.mappedFileSizeCommitLog, cut);
      const store = new Store(disk, probe, config, shop, log, paths, lock, life);
      life.send({ type: 'RECOVERED' });
      return store;
    } catch (error) {
      lock?.release();
      const corrupt = error instanceof RingError && error.code === 'STORE_CORRUPT';
      life.send({ type: corrupt ? 'CORRUPT' : 'GIVEN_UP', reason: messageOf(error) });
      throw error;
    }
  }

  private constructor(
    disk: Disk,
    probe: ProcessProbe,
    config: StoreConfig,
    shop: Workshop,
    log: Logger,
    paths: StorePaths,
    lock: StoreLock,
    life: Life<StoreEvent>,
  ) {
    this.#disk = disk;
    this.#probe = probe;
    this.#config = config;
    this.#log = log;
    this.#lock = lock;
    this.paths = paths;
    this.segmentSize = config.mappedFileSizeCommitLog;
    for (const folder of [paths.commitLog, paths.consumeQueue, paths.config]) disk.makeFolder(folder);
    const cleanStop = !hasAbortFile(disk, paths);
    const recovery = this.#recoverLog(cleanStop);
    life.send({ type: 'LOADED', clean: cleanStop });
    // What a crash left in the page cache was read back but may not be on the device: it must be before anything
    // behind it counts as flushed, or a power failure would leave a hole in front of what was acknowledged.
    if (!cleanStop) this.syncLog(recovery.dispatchFrom, recovery.endOffset);
    this.#recoverQueues(recovery, cleanStop, shop);
    this.#catchUp(shop);
    this.queueOffsets = this.#readQueueOffsets(shop);
    this.#openedAt = recovery.endOffset;
  }

  /**
   * Opens a store again in the same process, for new rooms: it is as it was left, and nothing is read back. Undefined
   * when it is not; then it is to be opened like any other.
   */
  static openAgain(left: LeftStore, config: StoreConfig, shop: Workshop, life: Life<StoreEvent>): Store | undefined {
    const { store } = left;
    if (!store.#takeOver(left, config, shop)) {
      store.release();
      return undefined;
    }
    life.send({ type: 'LOCKED' });
    life.send({ type: 'LOADED', clean: true });
    life.send({ type: 'RECOVERED' });
    return store;
  }

  #takeOver({ shop: before, queueNumbers, lastWriteOffset }: LeftStore, config: StoreConfig, shop: Workshop): boolean {
    this.#config = config;
    const minimum = before.positions.read('minimum');
    const end = before.positions.read('appended');
    const last = this.#lastRecordFrom(lastWriteOffset < 0 ? this.lastRecordOffset : lastWriteOffset, minimum, end);
    if (last === undefined) return false;
    this.lastRecordOffset = last;
    this.#openedAt = end;
    this.numbers = new QueueNumbers(queueNumbers);
    for (let number = 0; number < this.numbers.count; number++) {
      shop.queueTable.publishMin(number, before.queueTable.min(number));
      shop.queueTable.publishMax(number, before.queueTable.max(number));
    }
    shop.positions.publish('minimum', minimum);
    for (const position of ['appended', 'flushed', 'dispatched'] as const) shop.positions.publish(position, end);
    this.queueOffsets = this.#readQueueOffsets(shop);
    return true;
  }

  /** Where the last record begins, following them from one to the end; undefined when they do not lead there. */
  #lastRecordFrom(offset: number, minimum: number, end: number): number | undefined {
    if (end === 0) return -1;
    const segmentSize = this.#config.mappedFileSizeCommitLog;
    const reader = new CommitLogReader(this.#disk, this.paths.commitLog, segmentSize);
    try {
      let last = -1;
      let position = offset;
      while (position >= 0 && position < end) {
        const record = readRecord(reader, position, minimum, end);
        if (record !== undefined) last = position;
        // The rest of a file is left blank when a record does not fit.
        position += record?.length ?? segmentSize - (position % segmentSize);
      }
      return position === end && last >= 0 ? last : undefined;
    } finally {
      reader.close();
    }
  }

  /** The store is open from now on: a start that finds this mark knows that this one did not end well. */
  markOpen(): void {
    createAbortFile(this.#disk, this.paths, this.#probe.pid);
  }

  /** The log, the queues and the tables are on disk: the next start may trust them. */
  markClosed(): void {
    removeAbortFile(this.#disk, this.paths);
  }

  release(): void {
    this.#lock.release();
  }

  /**
   * Gives the directory back when the node did not come up. The abort mark stays if messages came in all the same: they
   * may not be on the device.
   */
  abandon(appended: number): void {
    if (appended === this.#openedAt) removeAbortFile(this.#disk, this.paths);
    this.#lock.release();
  }

  /** Puts the log between two positions on the device. Blocks. Errors: RingError DISK_WRITE_FAILED. */
  syncLog(from: number, to: number): void {
    syncSegments(this.#disk, this.paths.commitLog, this.#config.mappedFileSizeCommitLog, from, to);
  }

  #recoverLog(cleanStop: boolean): CommitLogRecovery {
    const { mappedFileSizeCommitLog, checkCRCOnRecover } = this.#config;
    const startedMs = performance.now();
    let saidMs = startedMs;
    const recovery = recoverCommitLog({
      disk: this.#disk,
      folder: this.paths.commitLog,
      segmentSize: mappedFileSizeCommitLog,
      checkpoint: readCheckpoint(this.#disk, this.paths.checkpoint),
      cleanStop,
      checkCrc: checkCRCOnRecover,
      onRecord: (_bytes, _start, _size, physicalOffset) => {
        this.lastRecordOffset = physicalOffset;
      },
      onProgress: ({ scannedBytes, totalBytes, recordsScanned }) => {
        if (performance.now() - saidMs < PROGRESS_EVERY_MS) return;
        saidMs = performance.now();
        const percent = totalBytes === 0 ? 100 : Math.floor((scannedBytes / totalBytes) * 100);
        this.#log.info(
          { percent, records: recordsScanned },
          `reading back the commit log: ${formatBytes(scannedBytes)}`,
        );
      },
    });
    const tookMs = Math.round(performance.now() - startedMs);
    const facts = {
      cleanStop,
      records: recovery.recordsScanned,
      end: recovery.endOffset,
      truncatedBytes: recovery.truncatedBytes,
      tookMs,
    };
    if (!cleanStop) this.#log.warn(facts, 'the last run did not end well: the commit log was read back');
    else if (recovery.endOffset > 0) this.#log.info(facts, 'the commit log was opened');
    return recovery;
  }

  #recoverQueues(recovery: CommitLogRecovery, cleanStop: boolean, shop: Workshop): void {
    if (recovery.segments.length === 0) {
      this.#disk.remove(this.paths.consumeQueue);
      this.#disk.makeFolder(this.paths.consumeQueue);
    }
    const queues = recoverConsumeQueues({
      disk: this.#disk,
      root: this.paths.consumeQueue,
      segmentSize: this.#config.mappedFileSizeConsumeQueue,
      cleanStop,
      minPhysicalOffset: recovery.minOffset,
      // After a crash entries behind the point that is surely on disk are made again.
      endPhysicalOffset: cleanStop ? recovery.endOffset : recovery.dispatchFrom,
    });
    const { positions, queueTable } = shop;
    for (const { topic, queueId, minOffset, maxOffset, maxPhysicalOffset } of queues) {
      const number = this.numbers.of(topic, queueId + 1)[queueId]!;
      this.#reached.set(number, maxPhysicalOffset);
      queueTable.publishMin(number, minOffset);
      queueTable.publishMax(number, maxOffset);
    }
    const reached = maxPhysicalOffsetOf(queues);
    const dispatchFrom = Math.min(recovery.dispatchFrom, reached < 0 ? recovery.minOffset : reached);
    positions.publish('minimum', recovery.minOffset);
    positions.publish('appended', recovery.endOffset);
    positions.publish('flushed', recovery.endOffset);
    const indexFrom = this.#recoverIndex(recovery, cleanStop);
    positions.publish('dispatched', Math.max(recovery.minOffset, Math.min(dispatchFrom, indexFrom)));
  }

  /** From where on the log must be read so that no key is missing from the index. */
  #recoverIndex(recovery: CommitLogRecovery, cleanStop: boolean): number {
    if (!this.#config.messageIndexEnable) return Number.POSITIVE_INFINITY;
    const config = { ...this.#config, folder: this.paths.index };
    const { indexMsgTimestamp } = readCheckpoint(this.#disk, this.paths.checkpoint);
    return recoverIndex(this.#disk, config, indexMsgTimestamp, cleanStop, recovery.minOffset, recovery.endOffset);
  }

  /** Builds the entries that are missing, by the same actor that builds them later, until none is. */
  #catchUp(shop: Workshop): void {
    const { positions } = shop;
    const end = positions.read('appended');
    const from = positions.read('dispatched');
    if (from === end) return;
    const dispatcher = this.#catchUpDispatcher(shop);
    let nowMs = 0;
    let saidMs = performance.now();
    while (positions.read('dispatched') < end) {
      dispatcher.doWork(++nowMs);
      if (shop.storeState.read() !== 0) {
        throw new RingError('DISK_WRITE_FAILED', 'consume queues cannot be written; see the log for the reason');
      }
      if (performance.now() - saidMs < PROGRESS_EVERY_MS) continue;
      saidMs = performance.now();
      const percent = Math.floor(((positions.read('dispatched') - from) / (end - from)) * 100);
      this.#log.info({ percent }, 'building consume queues');
    }
    dispatcher.close();
    this.#log.info({ from, end }, 'consume queues were built from the commit log');
  }

  #catchUpDispatcher(shop: Workshop): Dispatcher {
    const config = this.#config;
    return new Dispatcher({
      reader: new CommitLogReader(this.#disk, this.paths.commitLog, config.mappedFileSizeCommitLog),
      news: new Ring(Ring.allocate(1024)),
      positions: shop.positions,
      table: shop.queueTable,
      openQueue: (topic, queueId, nextOffset) => this.#openQueueWriter(topic, queueId, nextOffset, shop.queueTable),
      numberOf: (topic, queueId) => this.numbers.of(topic, queueId + 1)[queueId]!,
      pullLanes: [],
      delayLevelsMs: parseDelayLevels(config.messageDelayLevel),
      index: openIndexWriter(this.#disk, { index: config, paths: this.paths }, true),
      storeState: shop.storeState,
      counters: new Counters(),
      log: this.#log,
      flusher: {
        config: {
          flushIntervalConsumeQueue: Number.POSITIVE_INFINITY,
          flushConsumeQueueLeastPages: 0,
          flushConsumeQueueThoroughInterval: Number.POSITIVE_INFINITY,
        },
        mayBlock: true,
        positions: shop.positions,
        writeCheckpoint: timestampMs => this.writeCheckpoint(timestampMs),
        log: this.#log,
      },
    });
  }

  /** The writer of a queue while entries are made again: what is there already is left alone. */
  #openQueueWriter(topic: string, queueId: number, nextOffset: number, table: QueueTable): ConsumeQueueWriter {
    const folder = consumeQueueFolder(this.paths, topic, queueId);
    const number = this.numbers.find(topic, queueId);
    const fileSize = this.#config.mappedFileSizeConsumeQueue;
    return new ConsumeQueueWriter(this.#disk, folder, fileSize, nextOffset, this.#reached.get(number) ?? -1, () => {
      this.#log.warn({ topic, queueId }, 'the topic was deleted and made again: its queue holds what came since');
      this.#disk.remove(folder);
      table.publishMin(number, 0);
    });
  }

  /** Everything stored until this time is on the device, log and queues. Units: ms since the epoch. */
  writeCheckpoint(storeTimestampMs: number): void {
    const times = { physicMsgTimestamp: storeTimestampMs, logicsMsgTimestamp: storeTimestampMs };
    updateCheckpoint(this.#disk, this.paths.checkpoint, times);
  }

  #readQueueOffsets(shop: Workshop): Float64Array {
    const offsets = new Float64Array(this.numbers.count);
    for (let number = 0; number < offsets.length; number++) offsets[number] = shop.queueTable.max(number);
    return offsets;
  }
}
