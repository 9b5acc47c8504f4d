/**
 * Room card: commit log writer
 *
 * Purpose   the only writer of the log and the only owner of queue offsets: assigns both, fills the blanks of each
 *           record, appends a batch with one write.
 * Thread    a worker, blocking; or inline.
 * Reads     append requests, one ring a send lane and one a room that appends for the broker; commands of the node
 *           (retire segments).
 * Writes    the log; append results to remoting and to the rooms that asked; positions appended and minimum; the store
 *           state bit WRITE_FAILED.
 * When full it leaves requests in their rings until results were taken; lanes then refuse what waits too long.
 * Fails     a failed write refuses every request of its batch and nothing of it counts; a broken assertion ends the
 *           node.
 */
import { recordTotalSize, stampRecord } from '../../protocol/message-record.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogAppender } from '../../storage/commit-log-appender.js';
import { QUEUES_MAX } from '../queue-table.js';
import { StoreState } from '../store-state.js';
import { AppendRequest } from './mailbox.js';
import { ResultOutlet, type ResultOutletOptions } from './result-outlet.js';
import { StagedAppends } from './staged-appends.js';

/** Who asks for appends, and where it wants to hear of them. */
export interface WriterInbox {
  readonly requests: Ring;
  /** Index into {@link CommitLogWriterOptions.outlets}. */
  readonly outlet: number;
}

export interface CommitLogWriterOptions {
  readonly inboxes: readonly WriterInbox[];
  readonly outlets: readonly ResultOutletOptions[];
  /** Rung after every batch: flush service, dispatcher. */
  readonly followerBells: readonly Doorbell[];
  readonly appender: CommitLogAppender;
  readonly positions: Positions;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
  /** Next offset of each queue, by queue number, as recovery found it; queues beyond begin at 0. */
  readonly queueOffsets: Float64Array;
}

/** Requests of one write. */
const BATCH_MAX = 4096;

export class CommitLogWriter implements Actor {
  readonly name = 'commit-log-writer';
  readonly #options: CommitLogWriterOptions;
  readonly #staged = new StagedAppends(BATCH_MAX);
  readonly #outlets: readonly ResultOutlet[];
  #lastStoreMs = 0;
  #failing = false;
  readonly #queueOffsets = new Float64Array(QUEUES_MAX);
  /** By outlet: requests of its room up to this attempt are refused; -1 for none. */
  readonly #refusedAttempt: Int32Array;

  constructor(options: CommitLogWriterOptions) {
    this.#options = options;
    this.#outlets = options.outlets.map(outlet => new ResultOutlet(outlet));
    this.#queueOffsets.set(options.queueOffsets);
    this.#refusedAttempt = new Int32Array(options.outlets.length).fill(-1);
  }

  doWork(nowMs: number): number {
    this.#lastStoreMs = Math.max(this.#lastStoreMs, nowMs);
    let work = 0;
    for (const inbox of this.#options.inboxes) work += this.#drain(inbox);
    if (this.#staged.count > 0) this.#commit();
    if (work > 0) {
      for (const outlet of this.#outlets) outlet.ringBell();
      for (const bell of this.#options.followerBells) bell.ring();
    }
    return work;
  }

  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#options.appender.close();
  }

  /**
   * Deletes the segments that end at or before `position`, never the one that is written. A reader in the middle of one
   * keeps its descriptor and is not hurt; the room comes back when it lets go.
   */
  retire(position: number): void {
    const { appender, positions, followerBells } = this.#options;
    // What is not on the device or in the consume queues yet is still to be opened by those who follow.
    const until = Math.min(position, positions.read('flushed'), positions.read('dispatched'));
    const minimum = appender.retire(positions.read('minimum'), until);
    positions.publish('minimum', minimum);
    for (const bell of followerBells) bell.ring();
  }

  #drain({ requests, outlet }: WriterInbox): number {
    let work = 0;
    for (let at = requests.poll(); at >= 0 && work < BATCH_MAX; at = requests.poll(), work++) {
      if (!this.#outlets[outlet]!.reserve(requests.words[(at >> 2) + AppendRequest.count]!)) break;
      this.#take(requests, at, outlet);
      requests.release();
    }
    if (work > 0) requests.publishReleased();
    return work;
  }

  #take(requests: Ring, at: number, outlet: number): void {
    const { appender } = this.#options;
    const queueOffsets = this.#queueOffsets;
    const staged = this.#staged;
    const word = at >> 2;
    const { words } = requests;
    const size = words[word + AppendRequest.size]!;
    if (staged.count === BATCH_MAX || !appender.fits(size)) this.#commit();
    const refusedAttempt = this.#refusedAttempt[outlet]!;
    if (refusedAttempt >= 0 && words[word + AppendRequest.attempt]! <= refusedAttempt) {
      return this.#refuseAlone(words, word, outlet);
    }
    const count = words[word + AppendRequest.count]!;
    const queueNumber = words[word + AppendRequest.queueNumber]!;
    const companionQueue = words[word + AppendRequest.companionQueue]!;
    const queueOffset = queueOffsets[queueNumber]!;
    const companionOffset = companionQueue < 0 ? 0 : queueOffsets[companionQueue]!;
    let stagedAt: number;
    try {
      stagedAt = appender.stage(requests.bytes, at + AppendRequest.recordBytes, size);
    } catch (error) {
      staged.add(words, word, outlet, queueOffset, companionOffset, appender.end);
      this.#failAll(error);
      return;
    }
    let recordAt = stagedAt;
    for (let index = 0; index < count; index++) recordAt = this.#stamp(recordAt, queueOffset + index);
    queueOffsets[queueNumber] = queueOffset + count;
    if (companionQueue >= 0) {
      this.#stamp(recordAt, companionOffset);
      queueOffsets[companionQueue] = companionOffset + 1;
    }
    staged.add(words, word, outlet, queueOffset, companionOffset, appender.end + stagedAt);
  }

  /** A room's request behind one that was refused. */
  #refuseAlone(words: Int32Array, word: number, outlet: number): void {
    // What was gathered before it has its results first.
    this.#commit();
    this.#staged.add(words, word, outlet, 0, 0, this.#options.appender.end);
    this.#outlets[outlet]!.refuse(this.#staged, 0, 'one before it was refused');
    this.#settle();
  }

  /** Fills the blanks of the record staged at `at`; returns where the next one stands. */
  #stamp(at: number, queueOffset: number): number {
    const { appender } = this.#options;
    stampRecord(appender.buffer, at, queueOffset, appender.end + at, this.#lastStoreMs);
    return at + recordTotalSize(appender.buffer, at);
  }

  /** One write for everything staged; then, and only then, the results. */
  #commit(): void {
    const { appender, positions, counters, storeState } = this.#options;
    const staged = this.#staged;
    if (staged.count === 0) return;
    const size = appender.stagedSize;
    const recordsStart = appender.end;
    const startedMs = performance.now();
    try {
      appender.commit();
    } catch (error) {
      this.#failAll(error);
      return;
    }
    counters.add(Counter.appendMs, performance.now() - startedMs);
    positions.publish('appended', appender.end);
    if (this.#failing) {
      this.#failing = false;
      storeState.clear(StoreState.WRITE_FAILED);
      this.#options.log.info({ position: recordsStart }, 'the commit log can be written again');
    }
    counters.add(Counter.appendBatches);
    counters.add(Counter.bytesAppended, size);
    if (this.#options.recorder.isOn) this.#trace(size);
    for (let index = 0; index < staged.count; index++) {
      const recordAt = staged.physicalOffset[index]! - recordsStart;
      this.#outlets[staged.outlet[index]!]!.send(staged, index, appender.buffer, recordAt);
      counters.add(Counter.messagesAppended, staged.recordCount[index]!);
    }
    this.#settle();
  }

  #trace(size: number): void {
    const { recorder, appender } = this.#options;
    const staged = this.#staged;
    for (let index = 0; index < staged.count; index++) {
      const traceId = staged.traceId[index]!;
      if (traceId === 0) continue;
      const position = staged.physicalOffset[index]!;
      recorder.note(TraceEvent.appended, traceId, position, staged.queueNumber[index]!, staged.queueOffset[index]!);
    }
    recorder.note(TraceEvent.batchWritten, 0, appender.end, staged.count, size);
  }

  #settle(): void {
    this.#staged.clear();
    for (const outlet of this.#outlets) outlet.settle();
  }

  /** Nothing of the staged batch is in the log: queue offsets go back and every sender hears why. */
  #failAll(error: unknown): void {
    const { appender, storeState, counters, log } = this.#options;
    const queueOffsets = this.#queueOffsets;
    const staged = this.#staged;
    appender.rollback();
    for (let index = staged.count - 1; index >= 0; index--) {
      queueOffsets[staged.queueNumber[index]!] = staged.queueOffset[index]!;
      const companionQueue = staged.companionQueue[index]!;
      if (companionQueue >= 0) queueOffsets[companionQueue] = staged.companionOffset[index]!;
    }
    counters.add(Counter.appendFailures);
    if (!this.#failing) {
      log.error({ err: error, position: appender.end }, 'the commit log cannot be written: sends are refused');
      this.#failing = true;
    }
    storeState.set(StoreState.WRITE_FAILED);
    const remark = `service not available now, the commit log cannot be written: ${messageOf(error)}`;
    for (let index = 0; index < staged.count; index++) {
      const outlet = staged.outlet[index]!;
      this.#outlets[outlet]!.refuse(staged, index, remark);
      if (!this.#options.outlets[outlet]!.takesFrames) this.#refusedAttempt[outlet] = staged.attempt[index]!;
    }
    this.#settle();
  }
}
