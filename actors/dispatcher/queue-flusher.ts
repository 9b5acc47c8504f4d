/**
 * Puts consume queues and then the checkpoint on the device, by the flush keys. A queue that was lost is rebuilt from
 * the log, so nothing waits for this; the checkpoint says from where on a restart must rebuild.
 * Source: spec storage 6, 9; FlushConsumeQueueService, StoreCheckpoint.
 */
import type { Logger } from '../../runtime/log/contract.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { ConsumeQueueWriter } from '../../storage/consume-queue.js';

export interface QueueFlusherConfig {
  /** Units: ms. */
  readonly flushIntervalConsumeQueue: number;
  /** Units: pages of 4096 bytes. */
  readonly flushConsumeQueueLeastPages: number;
  /** Units: ms. */
  readonly flushConsumeQueueThoroughInterval: number;
}

export interface QueueFlusherOptions {
  readonly config: QueueFlusherConfig;
  readonly mayBlock: boolean;
  readonly positions: Positions;
  /** Writes the checkpoint: everything stored until this time is on the device, log and queues. */
  readonly writeCheckpoint: (storeTimestampMs: number) => void;
  readonly log: Logger;
  readonly queues: () => Iterable<{ readonly writer: ConsumeQueueWriter }>;
}

const UNITS_PER_PAGE = 4096 / 20;

export class QueueFlusher {
  /** Store time of the last record that was dispatched. Units: ms since the epoch. */
  storeTimestampMs = 0;
  /** May change at run time. */
  config: QueueFlusherConfig;
  readonly #options: QueueFlusherOptions;
  #nextMs = 0;
  #thoroughMs = 0;
  #active = false;

  constructor(options: QueueFlusherOptions) {
    this.#options = options;
    this.config = options.config;
  }

  doWork(nowMs: number, dispatched: number): number {
    if (this.storeTimestampMs === 0 || this.#active) return 0;
    const { config } = this;
    if (this.#nextMs === 0) {
      this.#nextMs = nowMs + config.flushIntervalConsumeQueue;
      this.#thoroughMs = nowMs + config.flushConsumeQueueThoroughInterval;
    }
    if (nowMs < this.#nextMs) return 0;
    const thorough = nowMs >= this.#thoroughMs;
    const due = this.#due(thorough ? 1 : Math.max(1, config.flushConsumeQueueLeastPages * UNITS_PER_PAGE));
    this.#nextMs = nowMs + config.flushIntervalConsumeQueue;
    if (thorough) this.#thoroughMs = nowMs + config.flushConsumeQueueThoroughInterval;
    if (due.length > 0) this.#sync(due, thorough, dispatched);
    else if (this.#due(1).length === 0) this.#nextMs = 0;
    return due.length;
  }

  /** Syncs are under way that run beside the actor. */
  get isSyncing(): boolean {
    return this.#active;
  }

  deadlineMs(): number {
    return this.#nextMs === 0 || this.storeTimestampMs === 0 ? Number.POSITIVE_INFINITY : this.#nextMs;
  }

  /** Everything to the device, then the checkpoint: for a clean stop. Blocks. */
  finish(dispatched: number): void {
    if (this.storeTimestampMs === 0) return;
    for (const writer of this.#due(1)) writer.sync();
    this.#checkpoint(dispatched, this.storeTimestampMs);
  }

  #due(leastUnits: number): ConsumeQueueWriter[] {
    const due: ConsumeQueueWriter[] = [];
    for (const { writer } of this.#options.queues()) if (writer.unsyncedCount >= leastUnits) due.push(writer);
    return due;
  }

  #sync(due: ConsumeQueueWriter[], thorough: boolean, dispatched: number): void {
    const timestampMs = this.storeTimestampMs;
    if (this.#options.mayBlock) {
      try {
        for (const writer of due) writer.sync();
        if (thorough) this.#checkpoint(dispatched, timestampMs);
      } catch (error) {
        this.#onFault(error);
      }
      return;
    }
    this.#active = true;
    let left = due.length;
    let failed: Error | null = null;
    for (const writer of due) {
      writer.syncAsync(error => {
        failed ??= error;
        if (--left > 0) return;
        this.#active = false;
        if (failed !== null) this.#onFault(failed);
        else if (thorough) this.#checkpoint(dispatched, timestampMs);
      });
    }
  }

  /** What was not synced counts as not synced, so it is tried again. */
  #onFault(error: unknown): void {
    this.#options.log.error({ err: error }, 'consume queues cannot be synced; tried again later');
  }

  #checkpoint(dispatched: number, storeTimestampMs: number): void {
    if (this.#options.positions.read('flushed') < dispatched) return;
    try {
      this.#options.writeCheckpoint(storeTimestampMs);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the checkpoint cannot be written; a restart will read more of the log');
    }
  }
}
