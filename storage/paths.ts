/** Where things are in a store directory. Source: spec storage 1; StorePathConfigHelper. */
import { join } from 'node:path';
import { RingError } from '../runtime/base/errors.js';

export interface StorePaths {
  readonly root: string;
  readonly commitLog: string;
  readonly consumeQueue: string;
  readonly index: string;
  readonly config: string;
  readonly checkpoint: string;
  readonly abort: string;
  readonly lock: string;
  /** Ends of logs that were cut off. */
  readonly setAside: string;
}

export function storePaths(root: string, commitLog = join(root, 'commitlog')): StorePaths {
  return {
    root,
    commitLog,
    consumeQueue: join(root, 'consumequeue'),
    index: join(root, 'index'),
    config: join(root, 'config'),
    checkpoint: join(root, 'checkpoint'),
    abort: join(root, 'abort'),
    lock: join(root, 'lock'),
    setAside: join(root, 'set-aside'),
  };
}

/** The folder of one queue: consumequeue/TopicTest/3. Errors: RingError STORE_CORRUPT for a name that is a path. */
export function consumeQueueFolder(paths: StorePaths, topic: string, queueId: number): string {
  return join(topicFolder(paths, topic), String(queueId));
}

/** The folder of all queues of a topic. Errors: RingError STORE_CORRUPT for a name that is a path. */
export function topicFolder(paths: StorePaths, topic: string): string {
  if (topic === '' || topic === '.' || topic === '..' || /[/\\\0]/.test(topic)) {
    throw new RingError('STORE_CORRUPT', `${JSON.stringify(topic)} is no topic: it would leave the store`, { topic });
  }
  return join(paths.consumeQueue, topic);
}

/** A segment is named by its start offset, 20 digits. */
export function segmentName(startOffset: number): string {
  return String(startOffset).padStart(20, '0');
}

/** The start offset in a segment's name, or -1 when it is no such name. */
export function parseSegmentName(name: string): number {
  return /^\d{20}$/.test(name) ? Number(name) : -1;
}
