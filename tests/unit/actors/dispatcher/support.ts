/** A dispatcher that follows a log built in memory. */
import { join } from 'node:path';
import { Dispatcher } from '../../../../actors/dispatcher/actor.js';
import type { QueueFlusherConfig } from '../../../../actors/dispatcher/queue-flusher.js';
import { QueueRetirer } from '../../../../actors/dispatcher/queue-retirer.js';
import { QueueTable } from '../../../../actors/queue-table.js';
import { QueueTraffic } from '../../../../actors/queue-traffic.js';
import { formatTopicEntry, NewsType } from '../../../../actors/topic-news.js';
import type { TopicEntry } from '../../../../actors/topic-snapshot.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { ConsumeQueueReader, ConsumeQueueWriter } from '../../../../storage/consume-queue.js';
import { segmentName, storePaths } from '../../../../storage/paths.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder, type RecordParts } from '../../../support/record-builder.js';
import { CountingBell, makeRing, topicEntry } from '../../../support/rooms.js';

const logFolder = '/store/commitlog';
const queueFileSize = 100 * 20;

export interface DispatcherRoomOptions {
  readonly segmentSize?: number;
  readonly start?: number;
  /** Where the log begins when the store is still empty. */
  readonly logStart?: number;
  readonly pullLanes?: number;
  readonly laneRingBytes?: number;
  readonly mayBlock?: boolean;
  /** Files of topics that are gone are deleted. */
  readonly retirer?: boolean;
  readonly flush?: Partial<QueueFlusherConfig>;
  /** As while a store is opened: nobody sends news. */
  readonly numberOf?: (topic: string, queueId: number) => number;
}

export class DispatcherRoom {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory);
  readonly positions = new Positions();
  readonly table = new QueueTable();
  readonly traffic = new QueueTraffic();
  readonly storeState = new SharedFlags();
  readonly counters = new Counters();
  readonly news = makeRing();
  readonly toCoordinator = makeRing();
  readonly coordinatorBell = new CountingBell();
  readonly lanes;
  readonly schedulerBell = new CountingBell();
  readonly checkpoints: number[] = [];
  readonly log: LogBuilder;
  readonly dispatcher: Dispatcher;
  nowMs = 1_700_000_000_000;
  checkpointError: Error | undefined;

  /** Knows the topic TopicTest with 4 queues, numbered from 0. */
  constructor(options: DispatcherRoomOptions = {}) {
    const segmentSize = options.segmentSize ?? 1024 * 1024;
    this.log = new LogBuilder(this.memory, logFolder, segmentSize, options.logStart ?? options.start ?? 0);
    for (const name of ['appended', 'dispatched', 'flushed'] as const) this.positions.publish(name, options.start ?? 0);
    this.lanes = Array.from({ length: options.pullLanes ?? 1 }, () => ({
      ring: makeRing(options.laneRingBytes ?? 64 * 1024),
      bell: new CountingBell(),
    }));
    const flush = {
      flushIntervalConsumeQueue: 1000,
      flushConsumeQueueLeastPages: 2,
      flushConsumeQueueThoroughInterval: 60_000,
    };
    this.dispatcher = new Dispatcher({
      reader: new CommitLogReader(this.disk, logFolder, segmentSize),
      news: this.news,
      positions: this.positions,
      table: this.table,
      traffic: this.traffic,
      ...(options.retirer === true ? { retirer: this.#retirer() } : {}),
      openQueue: (topic, queueId, next) =>
        new ConsumeQueueWriter(this.disk, folderOf(topic, queueId), queueFileSize, next, -1),
      ...(options.numberOf === undefined ? {} : { numberOf: options.numberOf }),
      toCoordinator: { ring: this.toCoordinator, bell: this.coordinatorBell },
      pullLanes: this.lanes,
      delayLevelsMs: [1000, 5000, 30_000],
      schedulerBell: this.schedulerBell,
      storeState: this.storeState,
      counters: this.counters,
      log: silentLogger,
      flusher: {
        config: { ...flush, ...options.flush },
        mayBlock: options.mayBlock ?? true,
        positions: this.positions,
        writeCheckpoint: timestampMs => {
          if (this.checkpointError !== undefined) throw this.checkpointError;
          this.checkpoints.push(timestampMs);
        },
        log: silentLogger,
      },
    });
    if (options.numberOf === undefined) this.tell(topicEntry('TopicTest', 4));
  }

  #retirer(): QueueRetirer {
    const paths = storePaths('/store');
    return new QueueRetirer({ disk: this.disk, paths, fileSize: queueFileSize, table: this.table, log: silentLogger });
  }

  tellDeleted(topic: string): void {
    this.news.offer(NewsType.TOPIC_DELETED, new TextEncoder().encode(topic));
  }

  tellClean(what: 'expired' | 'unused'): void {
    this.news.offer(NewsType.CLEAN, new TextEncoder().encode(what));
  }

  tell(entry: TopicEntry): void {
    this.news.offer(NewsType.TOPIC, new TextEncoder().encode(formatTopicEntry(entry)));
  }

  /** The writer appended a record. */
  append(parts: RecordParts = {}): { start: number; end: number } {
    const record = this.log.append(parts);
    this.positions.publish('appended', this.log.end);
    return record;
  }

  /** Works until there is nothing to do, a millisecond passing each time. */
  run(cyclesMax = 10_000): number {
    let work = 0;
    for (let cycle = 0; cycle < cyclesMax; cycle++) {
      this.nowMs++;
      const done = this.dispatcher.doWork(this.nowMs);
      if (done === 0 && this.positions.read('dispatched') === this.positions.read('appended')) return work;
      work += done;
    }
    return work;
  }

  get dispatched(): number {
    return this.positions.read('dispatched');
  }

  /** Entries of a queue as a reader finds them. */
  entries(topic: string, queueId: number, from = 0, count = 100): { position: number; size: number; tags: number }[] {
    const reader = new ConsumeQueueReader(
      this.memory,
      folderOf(topic, queueId),
      queueFileSize,
      new Uint8Array(count * 20),
    );
    const found = reader.load(from, count);
    return Array.from({ length: found }, (_, index) => ({
      position: reader.physicalOffset(index),
      size: reader.size(index),
      tags: reader.tagsLow(index),
    }));
  }

  queueFile(topic: string, queueId: number, start = 0): Uint8Array {
    return this.memory.bytes(join(folderOf(topic, queueId), segmentName(start)));
  }
}

function folderOf(topic: string, queueId: number): string {
  return `/store/consumequeue/${topic}/${queueId}`;
}
