/**
 * Room card: flush service
 *
 * Purpose   puts the log on the device: at once and for everybody who waits (SYNC_FLUSH, a group commit), or by the
 *           flush keys (ASYNC_FLUSH).
 * Thread    a worker, blocking; or inline, where the sync itself runs on libuv's threads.
 * Reads     position appended; changed settings from the coordinator.
 * Writes    position flushed; the store state bit FLUSH_FAILED.
 * When full nothing: what comes during a sync is covered by the next one.
 * Fails     a failed sync stops sends for good: the kernel may have dropped the pages, so only a restart knows what is
 *           there.
 */
import type { Actor } from '../../runtime/actor/contract.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { Disk, DiskFile } from '../../storage/disk.js';
import { commitLogFlushConfig, decideFlush, type FlushConfig } from '../../storage/flush-policy.js';
import { SegmentCache } from '../../storage/segment-cache.js';
import { StoreState } from '../store-state.js';
import { textOf } from '../topic-news.js';

/** The keys of ASYNC_FLUSH; they may change at run time. */
export type LogFlushSettings = Parameters<typeof commitLogFlushConfig>[0];

export interface FlushServiceOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly segmentSize: number;
  readonly syncFlush: boolean;
  readonly flush: LogFlushSettings;
  /** Changed settings from the coordinator. */
  readonly news: Ring;
  /** True on a thread of its own; inline the sync must not block. */
  readonly mayBlock: boolean;
  readonly positions: Positions;
  readonly remotingBell: Doorbell;
  /** This actor's own bell: rung when a sync on another thread is done. */
  readonly bell: Doorbell;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
}

export class FlushService implements Actor {
  readonly name = 'flush-service';
  readonly #options: FlushServiceOptions;
  readonly #segments: SegmentCache;
  #flushConfig: FlushConfig;
  #flushed: number;
  /** Where the sync that was begun ends. */
  #target = 0;
  #wakeOnAppend = false;
  #lastThoroughMs = 0;
  #nextWakeMs = Number.POSITIVE_INFINITY;
  #syncing = false;
  #syncStartedMs = 0;
  #failed = false;
  /** Start of the newest segment whose folder entry is on the device. */
  #folderSyncedFor = -1;

  constructor(options: FlushServiceOptions) {
    this.#options = options;
    this.#flushConfig = commitLogFlushConfig(options.flush);
    this.#segments = new SegmentCache(options.disk, options.folder, options.segmentSize, 'read', 3);
    this.#flushed = options.positions.read('flushed');
  }

  doWork(nowMs: number): number {
    this.#drainNews();
    if (this.#syncing || this.#failed) return 0;
    // A sync that spans several segments goes on where it was.
    if (this.#flushed < this.#target) return this.#sync();
    const appended = this.#options.positions.read('appended');
    this.#followMinimum(appended);
    if (appended === this.#flushed) {
      this.#nextWakeMs = Number.POSITIVE_INFINITY;
      return 0;
    }
    if (!this.#options.syncFlush && !this.#isDue(appended, nowMs)) return 0;
    this.#target = appended;
    return this.#sync();
  }

  deadlineMs(): number {
    return this.#syncing || this.#failed ? Number.POSITIVE_INFINITY : this.#nextWakeMs;
  }

  close(): void {
    this.#segments.close();
  }

  /** The log of a slave that was empty begins where its master's newest file does. */
  #followMinimum(appended: number): void {
    const minimum = this.#options.positions.read('minimum');
    if (this.#flushed >= minimum || appended < minimum) return;
    this.#flushed = minimum;
    this.#target = minimum;
    this.#options.positions.publish('flushed', minimum);
  }

  #drainNews(): void {
    const { news } = this.#options;
    for (let at = news.poll(); at >= 0; at = news.poll()) {
      this.#flushConfig = commitLogFlushConfig(JSON.parse(textOf(news, at)) as LogFlushSettings);
      news.release();
      news.publishReleased();
    }
  }

  #isDue(appended: number, nowMs: number): boolean {
    if (nowMs < this.#nextWakeMs && !this.#wakeOnAppend && this.#nextWakeMs !== Number.POSITIVE_INFINITY) return false;
    const { segmentSize } = this.#options;
    if (this.#lastThoroughMs === 0) this.#lastThoroughMs = nowMs;
    const state = { appended, flushed: this.#flushed, segmentSize, lastThoroughMs: this.#lastThoroughMs, nowMs };
    const decision = decideFlush(state, this.#flushConfig);
    this.#nextWakeMs = decision.nextWakeMs;
    this.#wakeOnAppend = decision.wakeOnAppend;
    if (decision.action === 'thorough') this.#lastThoroughMs = nowMs;
    return decision.action !== 'none';
  }

  /** Syncs the segment that the flushed position is in, up to the target. */
  #sync(): number {
    const start = this.#segments.startOf(this.#flushed);
    const end = Math.min(this.#target, start + this.#segments.segmentSize);
    try {
      const file = this.#segments.at(start);
      if (file === undefined) {
        // Retired meanwhile: nobody needs it on the device.
        this.#done(end);
        return this.#flushed < this.#target ? this.#sync() : 1;
      }
      this.#syncStartedMs = performance.now();
      this.#syncFolderOf(start);
      if (!this.#options.mayBlock) return this.#syncAsync(file, end);
      file.sync();
      this.#count();
      this.#done(end);
      if (this.#flushed < this.#target) return this.#sync();
    } catch (error) {
      this.#fail(error);
    }
    return 1;
  }

  #syncAsync(file: DiskFile, end: number): number {
    this.#syncing = true;
    file.syncAsync(error => {
      this.#syncing = false;
      if (error !== null) this.#fail(error);
      else {
        this.#count();
        this.#done(end);
      }
      if (!this.#failed && this.#flushed < this.#target) this.#sync();
      this.#options.bell.ring();
    });
    return 1;
  }

  /** The entry of a new segment in its folder is synced once, before its bytes count as safe. */
  #syncFolderOf(start: number): void {
    if (start <= this.#folderSyncedFor) return;
    this.#options.disk.syncFolder(this.#options.folder);
    this.#folderSyncedFor = start;
  }

  #done(target: number): void {
    this.#flushed = target;
    const { positions, counters, remotingBell } = this.#options;
    positions.publish('flushed', target);
    if (this.#options.recorder.isOn) this.#options.recorder.note(TraceEvent.flushed, 0, target);
    counters.add(Counter.flushes);
    remotingBell.ring();
  }

  #count(): void {
    this.#options.counters.add(Counter.flushMs, performance.now() - this.#syncStartedMs);
  }

  #fail(error: unknown): void {
    const { counters, storeState, log, remotingBell } = this.#options;
    this.#failed = true;
    counters.add(Counter.flushFailures);
    storeState.set(StoreState.FLUSH_FAILED);
    log.error(
      { err: error, flushed: this.#flushed },
      'the commit log cannot be synced: sends are refused until a restart has read back what the disk holds',
    );
    remotingBell.ring();
  }
}
