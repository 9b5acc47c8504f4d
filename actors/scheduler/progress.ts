/**
 * When the progress of the levels is stored: soon after some was made, and never before the messages it counts as
 * delivered are on the device. A crash then delivers the last moments twice, and a power failure loses nothing.
 */
import { RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { DelayOffsetFile, DelayOffsets } from './delay-offsets.js';

/** Longest time between progress and its storing, whatever flushDelayOffsetInterval says. Units: ms. */
const SAVE_MAX_MS = 1000;
/** When it is looked again whether the messages are on the device, or the disk takes the file. Units: ms. */
const RETRY_MS = 100;

export interface ProgressOptions {
  readonly file: DelayOffsetFile;
  readonly positions: Positions;
  /** Puts the log between two positions on the device. Blocks. Errors: RingError DISK_WRITE_FAILED. */
  readonly syncLog: (from: number, to: number) => void;
  /** As it is now, levels that are not delivered included. */
  readonly offsets: () => DelayOffsets;
  readonly log: Logger;
}

export class Progress {
  /** Units: ms. */
  intervalMs = SAVE_MAX_MS;
  readonly #options: ProgressOptions;
  /** Something is not stored yet, and is not part of {@link #taken} either. */
  #changed = false;
  /** What will be stored when the log is on the device up to a position. */
  #taken: { readonly offsets: DelayOffsets; readonly position: number } | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #failing = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** A level got on. */
  note(nowMs: number): void {
    this.#changed = true;
    this.#dueMs = Math.min(this.#dueMs, nowMs + Math.min(SAVE_MAX_MS, this.intervalMs));
  }

  get deadlineMs(): number {
    return this.#dueMs;
  }

  doWork(nowMs: number): void {
    const leftMs = this.#dueMs - nowMs;
    // A clock that was set back does not make the wait longer.
    if (leftMs > 0 && (leftMs <= SAVE_MAX_MS || leftMs === Number.POSITIVE_INFINITY)) return;
    const { positions } = this.#options;
    if (this.#taken === undefined) this.#take();
    const taken = this.#taken!;
    if (positions.read('flushed') < taken.position || !this.#store(taken.offsets)) {
      this.#dueMs = nowMs + RETRY_MS;
      return;
    }
    this.#taken = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#changed) this.note(nowMs);
  }

  #take(): void {
    const { positions, offsets } = this.#options;
    this.#changed = false;
    this.#taken = { offsets: offsets(), position: positions.read('appended') };
  }

  #store(offsets: DelayOffsets): boolean {
    const { file, log } = this.#options;
    try {
      file.write(offsets);
      if (this.#failing) log.info({}, 'the progress of delayed messages can be stored again');
      this.#failing = false;
      return true;
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      if (!this.#failing) log.warn({ err: error }, 'the progress of delayed messages cannot be stored; tried again');
      this.#failing = true;
      return false;
    }
  }

  /** Stores all of it, for the end. `mayTrustSyncs` is false after a sync of the log that failed. Blocks. */
  finish(mayTrustSyncs: boolean): void {
    if (!this.#changed && this.#taken === undefined) return;
    const { positions, syncLog, log } = this.#options;
    this.#take();
    const { offsets, position } = this.#taken!;
    const flushed = positions.read('flushed');
    try {
      if (flushed < position && !mayTrustSyncs) throw new RingError('DISK_WRITE_FAILED', 'a sync of the log failed');
      if (flushed < position) syncLog(flushed, position);
      this.#store(offsets);
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      log.warn({ err: error }, 'the progress of delayed messages is not stored: some will be delivered again');
    }
    this.#taken = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }
}
