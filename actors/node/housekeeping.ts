/**
 * Looks after disk space: decides on time which segments of the log go and whether sends must be refused; the log's
 * writer does the deleting. Cold. Source: spec storage 11, 12; CleanCommitLogService.
 */
import { join } from 'node:path';
import type { BrokerConfig } from '../../config/index.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Disk } from '../../storage/disk.js';
import { parseSegmentName, type StorePaths } from '../../storage/paths.js';
import { decideDiskFull, decideRetention, usedRatio } from '../../storage/retention.js';
import { StoreState } from '../store-state.js';

export interface HousekeepingOptions {
  readonly disk: Disk;
  readonly paths: StorePaths;
  readonly storeState: SharedFlags;
  readonly log: Logger;
  /** Units: ms. */
  readonly cleanResourceInterval: number;
  /** As it is now, changes at run time included. */
  readonly config: () => Promise<BrokerConfig>;
  /** Passes that an administrator asked for since the last call. */
  readonly manualPasses: () => Promise<number>;
  /** Deletes the log's segments that end at or before a position. */
  readonly retire: (position: number) => Promise<void>;
}

/** Source: spec storage 11: cleaning begins after a minute, the check for a full disk after a second. */
const FIRST_CLEAN_MS = 60_000;
const FIRST_CHECK_MS = 1000;
const CHECK_EVERY_MS = 10_000;

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #manualPassesLeft = 0;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after(FIRST_CLEAN_MS, this.#options.cleanResourceInterval, () => this.clean(new Date()));
    this.#after(FIRST_CHECK_MS, CHECK_EVERY_MS, () => this.checkSpace());
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Runs a task after a while and then again and again; a failure is logged and tried again. */
  #after(delayMs: number, nextMs: number, task: () => Promise<void>): void {
    const timer = setTimeout(async () => {
      this.#timers.delete(timer);
      this.#after(nextMs, nextMs, task);
      try {
        await task();
      } catch (error) {
        this.#options.log.warn({ err: error }, 'housekeeping failed; tried again later');
      }
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
  }

  /** One pass over the log's segments. `now`: the time, and by its local hour whether it is time to delete. */
  async clean(now: Date): Promise<void> {
    const { disk, paths, storeState, retire, log } = this.#options;
    const config = await this.#options.config();
    const asked = await this.#options.manualPasses();
    if (asked > 0) this.#manualPassesLeft = asked;
    const segments = disk
      .list(paths.commitLog)
      .filter(name => parseSegmentName(name) >= 0)
      .map(name => ({
        startOffset: parseSegmentName(name),
        modifiedMs: disk.facts(join(paths.commitLog, name))?.modifiedMs ?? now.getTime(),
      }));
    const state = {
      segments,
      commitLogUsedRatio: this.#ratio(paths.commitLog),
      consumeQueueUsedRatio: this.#ratio(paths.consumeQueue),
      diskFull: storeState.has(StoreState.DISK_FULL),
      manualPassesLeft: this.#manualPassesLeft,
    };
    const decision = decideRetention(state, config, now.getTime(), now.getHours());
    this.#manualPassesLeft = decision.manualPassesLeft;
    this.#setDiskFull(decision.diskFull, state.commitLogUsedRatio, config);
    const newest = decision.segmentsToDelete.at(-1);
    if (newest === undefined) return;
    const { reason, immediately, segmentsToDelete } = decision;
    log.info({ reason, immediately, segments: segmentsToDelete.length }, 'expired files of the commit log are deleted');
    await retire(newest + config.mappedFileSizeCommitLog);
  }

  async checkSpace(): Promise<void> {
    const { paths, storeState } = this.#options;
    const config = await this.#options.config();
    const ratio = this.#ratio(paths.commitLog);
    this.#setDiskFull(decideDiskFull(ratio, storeState.has(StoreState.DISK_FULL), config), ratio, config);
  }

  #ratio(folder: string): number {
    try {
      return usedRatio(this.#options.disk.space(folder));
    } catch {
      return usedRatio(undefined);
    }
  }

  #setDiskFull(full: boolean, ratio: number, { diskSpaceWarningLevelRatio }: BrokerConfig): void {
    const { storeState, log } = this.#options;
    if (full && storeState.set(StoreState.DISK_FULL)) {
      log.error({ usedRatio: ratio, diskSpaceWarningLevelRatio }, 'the disk is too full: sends are refused');
    }
    if (!full && storeState.clear(StoreState.DISK_FULL))
      log.info({ usedRatio: ratio }, 'the disk has room again: sends are taken');
  }
}
