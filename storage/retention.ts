/**
 * Which files may go. Decisions only: no clock, no file; who calls does what is answered. Cold.
 * Source: spec storage 11, 12; DefaultMessageStore.CleanCommitLogService, CleanConsumeQueueService.
 */
import { hourMs } from '../runtime/base/units.js';
import type { DiskSpace } from './disk.js';

/** The keys retention goes by, named as in the configuration. */
export interface RetentionConfig {
  /** Two-digit hours separated by `;`: deletion by age runs all through these hours of local time. */
  readonly deleteWhen: string;
  /** Units: hours since a file's last modification. */
  readonly fileReservedTime: number;
  /** Units: percent; values outside 10..95 count as the nearest of these. */
  readonly diskMaxUsedSpaceRatio: number;
  /** Above it the store takes no more messages. Units: percent. */
  readonly diskSpaceWarningLevelRatio: number;
  /** Above it files go whatever their age, if `cleanFileForciblyEnable`. Units: percent. */
  readonly diskSpaceCleanForciblyRatio: number;
  readonly cleanFileForciblyEnable: boolean;
  /** Files per pass. */
  readonly deleteFileBatchMax: number;
}

export interface RetentionState {
  /** All files of the log, oldest first. */
  readonly segments: readonly { readonly startOffset: number; readonly modifiedMs: number }[];
  /** {@link usedRatio} of the partition of the log; the least of them when the log has several folders. */
  readonly commitLogUsedRatio: number;
  /** {@link usedRatio} of the partition of the consume queues. */
  readonly consumeQueueUsedRatio: number;
  /** The flag as it is: between the two levels it stays. */
  readonly diskFull: boolean;
  /** Passes an administrator asked for that are still to be made (20 per request). */
  readonly manualPassesLeft: number;
}

export interface RetentionDecision {
  /** Start offsets of the files to delete, oldest first. Stop at the first that cannot be deleted. */
  readonly segmentsToDelete: readonly number[];
  /** What made this a pass; `none`: nothing did, and nothing is deleted. */
  readonly reason: 'none' | 'time' | 'space' | 'manual';
  readonly diskFull: boolean;
  /** Age does not count in this pass. */
  readonly immediately: boolean;
  readonly manualPassesLeft: number;
}

/** Passes one request of an administrator arms. */
export const MANUAL_PASSES = 20;
const RATIO_PERCENT_MIN = 10;
const RATIO_PERCENT_MAX = 95;

/** One pass over the log. `localHour`: 0 to 23 in the machine's time zone. */
export function decideRetention(
  state: RetentionState,
  config: RetentionConfig,
  nowMs: number,
  localHour: number,
): RetentionDecision {
  const space = decideSpace(state, config);
  const immediately = space.urgent && config.cleanFileForciblyEnable;
  const reason = space.exceeded
    ? 'space'
    : isTimeToDelete(config.deleteWhen, localHour)
      ? 'time'
      : state.manualPassesLeft > 0
        ? 'manual'
        : 'none';
  // A pass uses up a manual one whatever else caused it.
  const manualPassesLeft = Math.max(0, state.manualPassesLeft - 1);
  const segmentsToDelete: number[] = [];
  if (reason !== 'none') {
    for (const segment of state.segments.slice(0, -1)) {
      if (segmentsToDelete.length >= config.deleteFileBatchMax) break;
      if (!immediately && nowMs < segment.modifiedMs + config.fileReservedTime * hourMs) break;
      segmentsToDelete.push(segment.startOffset);
    }
  }
  return { segmentsToDelete, reason, diskFull: space.diskFull, immediately, manualPassesLeft };
}

/** `04` matches the hour from 4 to 5 o'clock; `4` matches nothing, as upstream. */
export function isTimeToDelete(deleteWhen: string, localHour: number): boolean {
  return deleteWhen.split(';').includes(String(localHour).padStart(2, '0'));
}

interface SpaceVerdict {
  readonly exceeded: boolean;
  readonly urgent: boolean;
  readonly diskFull: boolean;
}

function decideSpace(state: RetentionState, config: RetentionConfig): SpaceVerdict {
  const percent = Math.min(RATIO_PERCENT_MAX, Math.max(RATIO_PERCENT_MIN, config.diskMaxUsedSpaceRatio));
  const verdict = { exceeded: false, urgent: false, diskFull: state.diskFull };
  // The log's partition decides alone when it is too full; the queues' only speaks otherwise.
  for (const ratio of [state.commitLogUsedRatio, state.consumeQueueUsedRatio]) {
    verdict.diskFull = decideDiskFull(ratio, verdict.diskFull, config);
    verdict.urgent =
      ratio > config.diskSpaceCleanForciblyRatio / 100 || ratio > config.diskSpaceWarningLevelRatio / 100;
    verdict.exceeded = ratio < 0 || ratio > percent / 100;
    if (verdict.exceeded) break;
  }
  return verdict;
}

/** The disk-full flag after looking at one partition; also for the check every 10 s between two passes. */
export function decideDiskFull(
  ratio: number,
  before: boolean,
  config: Pick<RetentionConfig, 'diskSpaceWarningLevelRatio' | 'diskSpaceCleanForciblyRatio'>,
): boolean {
  if (ratio > config.diskSpaceWarningLevelRatio / 100) return true;
  if (ratio > config.diskSpaceCleanForciblyRatio / 100) return before;
  return false;
}

/**
 * The used part of a partition as a whole percent rounded up, between 0 and 1; -1 when it cannot be told.
 * What is reserved for the superuser counts neither as used nor as usable.
 */
export function usedRatio(space: DiskSpace | undefined): number {
  if (space === undefined) return -1;
  const used = space.totalBytes - space.freeBytes;
  const entire = used + space.usableBytes;
  return entire > 0 ? Math.ceil((used * 100) / entire) / 100 : -1;
}

/**
 * Files of a consume queue, or of the index, that point only to messages the log no longer has. Oldest first.
 * `newestPhysicalOffset`: that of the file's last entry. The last file stays.
 */
export function decideExpired(
  files: readonly { readonly startOffset: number; readonly newestPhysicalOffset: number }[],
  minPhysicalOffset: number,
): number[] {
  const candidates = files.slice(0, -1);
  const firstKept = candidates.findIndex(file => file.newestPhysicalOffset >= minPhysicalOffset);
  return (firstKept < 0 ? candidates : candidates.slice(0, firstKept)).map(file => file.startOffset);
}
