/**
 * Consume queues follow the log when its oldest files go: their expired files are deleted and their first readable
 * entry moves. Cold. Source: spec storage 4.4, 11; CleanConsumeQueueService.
 */
import { join } from 'node:path';
import type { Logger } from '../../runtime/log/contract.js';
import { ConsumeQueueReader } from '../../storage/consume-queue.js';
import { findMinOffset } from '../../storage/consume-queue-recovery.js';
import type { Disk } from '../../storage/disk.js';
import {
  consumeQueueFolder,
  parseSegmentName,
  type StorePaths,
  segmentName,
  topicFolder,
} from '../../storage/paths.js';
import { decideExpired } from '../../storage/retention.js';
import type { QueueTable } from '../queue-table.js';
import type { TopicSnapshot } from '../topic-snapshot.js';

const UNIT_SIZE = 20;

export interface QueueRetirerOptions {
  readonly disk: Disk;
  readonly paths: StorePaths;
  /** mappedFileSizeConsumeQueue. Units: bytes. */
  readonly fileSize: number;
  readonly table: QueueTable;
  readonly log: Logger;
}

export class QueueRetirer {
  readonly #options: QueueRetirerOptions;
  readonly #unit = new Uint8Array(UNIT_SIZE);

  constructor(options: QueueRetirerOptions) {
    this.#options = options;
  }

  /**
   * Brings all queues of known topics in line with a log that starts at `minPhysicalOffset`. Returns how many files
   * went.
   */
  retire(topics: TopicSnapshot, minPhysicalOffset: number): number {
    let deleted = 0;
    for (const topic of topics.all()) {
      for (const [queueId, number] of topic.queueNumbers.entries()) {
        if (this.#options.table.max(number) > 0)
          deleted += this.#retireQueue(topic.name, queueId, number, minPhysicalOffset);
      }
    }
    return deleted;
  }

  /** Deletes all queues of a topic. */
  remove(topic: string): void {
    const { disk, paths } = this.#options;
    disk.remove(topicFolder(paths, topic));
  }

  /** Deletes the queues of topics that are not known. Returns how many topics that were. */
  removeUnknown(topics: TopicSnapshot): number {
    const { disk, paths, log } = this.#options;
    const unknown = disk.list(paths.consumeQueue).filter(name => topics.get(name) === undefined);
    for (const topic of unknown) {
      log.info({ topic }, 'consume queues of a topic that is gone are deleted');
      this.remove(topic);
    }
    return unknown.length;
  }

  #retireQueue(topic: string, queueId: number, number: number, minPhysicalOffset: number): number {
    const { disk, paths, fileSize, table } = this.#options;
    const folder = consumeQueueFolder(paths, topic, queueId);
    const reader = new ConsumeQueueReader(disk, folder, fileSize, this.#unit);
    const physicalOffsetOf = (offset: number): number => {
      if (reader.load(offset, 1) === 0) return -1;
      return reader.physicalOffset(0);
    };
    try {
      const min = findMinOffset(table.min(number), table.max(number), minPhysicalOffset, physicalOffsetOf);
      table.publishMin(number, min);
      return this.#deleteFiles(folder, minPhysicalOffset, physicalOffsetOf);
    } finally {
      reader.close();
    }
  }

  #deleteFiles(folder: string, minPhysicalOffset: number, physicalOffsetOf: (offset: number) => number): number {
    const { disk, fileSize } = this.#options;
    const starts = disk
      .list(folder)
      .map(parseSegmentName)
      .filter(start => start >= 0);
    const files = starts.map((startOffset, index) => {
      const isLast = index === starts.length - 1;
      const lastEntry = (startOffset + fileSize) / UNIT_SIZE - 1;
      return { startOffset, newestPhysicalOffset: isLast ? Number.MAX_SAFE_INTEGER : physicalOffsetOf(lastEntry) };
    });
    const expired = decideExpired(files, minPhysicalOffset);
    for (const start of expired) disk.remove(join(folder, segmentName(start)));
    return expired.length;
  }
}
