/**
 * When written bytes are forced to the device under ASYNC_FLUSH. Decisions only: no clock, no file.
 * Hot enough: called once a turn of the flush loop, allocates one small object.
 * Source: spec storage 9; CommitLog.FlushRealTimeService, DefaultMessageStore.FlushConsumeQueueService,
 * MappedFile.isAbleToFlush.
 */
import { assert } from '../runtime/base/assert.js';

/** The unit dirty data is counted in. Units: bytes. */
export const FLUSH_PAGE_SIZE = 4096;

export interface FlushConfig {
  /** Time between two looks. Units: ms. */
  readonly intervalMs: number;
  /** Sleep the whole interval; otherwise an append wakes the loop. */
  readonly timed: boolean;
  /** Dirty pages that make a flush worth it; 0: any dirty byte does. */
  readonly leastPages: number;
  /** At most this long between flushes that ignore `leastPages`. Units: ms. */
  readonly thoroughIntervalMs: number;
}

export function commitLogFlushConfig(keys: {
  readonly flushIntervalCommitLog: number;
  readonly flushCommitLogTimed: boolean;
  readonly flushCommitLogLeastPages: number;
  readonly flushCommitLogThoroughInterval: number;
}): FlushConfig {
  return {
    intervalMs: keys.flushIntervalCommitLog,
    timed: keys.flushCommitLogTimed,
    leastPages: keys.flushCommitLogLeastPages,
    thoroughIntervalMs: keys.flushCommitLogThoroughInterval,
  };
}

/** Consume queues are looked at on time only, never because of an append. */
export function consumeQueueFlushConfig(keys: {
  readonly flushIntervalConsumeQueue: number;
  readonly flushConsumeQueueLeastPages: number;
  readonly flushConsumeQueueThoroughInterval: number;
}): FlushConfig {
  return {
    intervalMs: keys.flushIntervalConsumeQueue,
    timed: true,
    leastPages: keys.flushConsumeQueueLeastPages,
    thoroughIntervalMs: keys.flushConsumeQueueThoroughInterval,
  };
}

export interface FlushState {
  /** End of what is written. Units: bytes from the start of the stream. */
  readonly appended: number;
  /** End of what is on the device. */
  readonly flushed: number;
  readonly segmentSize: number;
  /** When the last `thorough` was decided. */
  readonly lastThoroughMs: number;
  readonly nowMs: number;
}

export interface FlushDecision {
  /**
   * `thorough`: flush whatever is dirty, if anything, and write the checkpoint; `nowMs` is the next `lastThoroughMs`.
   * `flush`: flush the file that `flushed` is in; the checkpoint stays.
   */
  readonly action: 'none' | 'flush' | 'thorough';
  /** When to look again at the latest. Units: ms since the epoch. */
  readonly nextWakeMs: number;
  /** Look again as soon as something is appended. */
  readonly wakeOnAppend: boolean;
}

/** One turn of the flush loop. */
export function decideFlush(state: FlushState, config: FlushConfig): FlushDecision {
  const { lastThoroughMs, nowMs } = state;
  const thorough = nowMs >= lastThoroughMs + config.thoroughIntervalMs;
  const action = thorough ? 'thorough' : isWorthFlushing(state, config.leastPages) ? 'flush' : 'none';
  return { action, nextWakeMs: nowMs + config.intervalMs, wakeOnAppend: !config.timed };
}

/** True when the file that `flushed` is in is full, or has `leastPages` dirty pages (0: a dirty byte). */
export function isWorthFlushing(
  state: Pick<FlushState, 'appended' | 'flushed' | 'segmentSize'>,
  leastPages: number,
): boolean {
  const { appended, flushed, segmentSize } = state;
  assert(flushed <= appended, 'nothing is flushed before it is written');
  if (appended === flushed) return false;
  const segmentStart = flushed - (flushed % segmentSize);
  if (appended - segmentStart >= segmentSize) return true;
  if (leastPages === 0) return true;
  const pages = Math.floor((appended - segmentStart) / FLUSH_PAGE_SIZE);
  const flushedPages = Math.floor((flushed - segmentStart) / FLUSH_PAGE_SIZE);
  return pages - flushedPages >= leastPages;
}
