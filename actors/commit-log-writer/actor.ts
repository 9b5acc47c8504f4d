/**
 * Room card: commit log writer
 *
 * Purpose   the only writer of the log and the only owner of queue offsets: assigns both, fills the blanks of each
 *           record, appends a batch with one write.
 * Thread    a worker, blocking; or inline.
 * Reads     append requests, one ring a send lane and one a room that appends for the broker; on a slave, records of
 *           the master from the HA receiver, written as they are; commands of the node (retire segments).
 * Writes    the log; append results to remoting and to the rooms that asked; positions appended and minimum; the store
 *           state bit WRITE_FAILED.
 * When full it leaves requests in their rings until results were taken; lanes then refuse what waits too long.
 * Fails     a failed write refuses every request of its batch and nothing of it counts; a broken assertion ends the
 *           node. Records of the master stay in their ring and are tried again every second.
 */
import { recordTotalSize, stampRecord } from '../../protocol/message-record.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { assert } from '../../runtime/base/assert.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
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
import { join64 } from '../remoting/mailbox.js';
import { StoreState } from '../store-state.js';
import { AppendRequest, ReplicaRecords } from './mailbox.js';
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
  /** A slave's log: records of the master ({@link ReplicaRecords}). */
  readonly replica?: Ring | undefined;
  /** Rung after every batch: flush service, dispatcher, HA rooms. */
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
/** Writes of a master's records in one cycle: those who follow the log are rung after it. */
const REPLICAS_MAX = 8;
/** When a write of a master's records that failed is tried again. Units: ms. */
const REPLICA_RETRY_MS = 1000;

export class CommitLogWriter implements Actor {
  readonly name = 'commit-log-writer';
  readonly #options: CommitLogWriterOptions;
  readonly #staged = new StagedAppends(BATCH_MAX);
  readonly #outlets: readonly ResultOutlet[];
  /** Where the last write began: a record does. -1 before the first. Units: bytes. */
  lastWriteOffset = -1;
  #lastStoreMs = 0;
  #failing = false;
  #replicaRetryMs = Number.POSITIVE_INFINITY;
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
    if (this.#options.replica !== undefined) work += this.#drainReplica(this.#options.replica, nowMs);
    if (work > 0) {
      for (const outlet of this.#outlets) outlet.ringBell();
      for (const bell of this.#options.followerBells) bell.ring();
    }
    return work;
  }

  deadlineMs(): number {
    return this.#replicaRetryMs;
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
    const { appender, counters } = this.#options;
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
    // Before anybody can follow: what they note comes behind.
    if (this.#options.recorder.isOn) this.#trace(size);
    this.#publishAppended(size);
    for (let index = 0; index < staged.count; index++) {
      const recordAt = staged.physicalOffset[index]! - recordsStart;
      this.#outlets[staged.outlet[index]!]!.send(staged, index, appender.buffer, recordAt);
      counters.add(Counter.messagesAppended, staged.recordCount[index]!);
    }
    this.#settle();
  }

  /** What was written can be read now. */
  #publishAppended(size: number): void {
    const { appender, positions, counters, storeState } = this.#options;
    this.lastWriteOffset = appender.end - size;
    positions.publish('appended', appender.end);
    if (this.#failing) {
      this.#failing = false;
      storeState.clear(StoreState.WRITE_FAILED);
      this.#options.log.info({ position: appender.end - size }, 'the commit log can be written again');
    }
    counters.add(Counter.appendBatches);
    counters.add(Counter.bytesAppended, size);
  }

  #trace(size: number): void {
    const { recorder, appender } = this.#options;
    const staged = this.#staged;
    for (let index = 0; index < staged.count; index++) {
      const traceId = staged.traceId[index]!;
      if (traceId === 0) continue;
      const position = staged.physicalOffset[index]!;
      recorder.messages.put(position, traceId);
      recorder.note(TraceEvent.appended, traceId, position, staged.queueNumber[index]!, staged.queueOffset[index]!);
    }
    recorder.note(TraceEvent.batchWritten, 0, appender.end, staged.count, size);
  }

  #settle(): void {
    this.#staged.clear();
    for (const outlet of this.#outlets) outlet.settle();
  }

  // ---- a slave's log ----

  /**
   * Writes a master's records where the master has them. Their queue offsets are in them already; the dispatcher's
   * queue table follows, and that is where a slave that becomes a master begins to count.
   */
  #drainReplica(replica: Ring, nowMs: number): number {
    if (this.#replicaRetryMs !== Number.POSITIVE_INFINITY && nowMs < this.#replicaRetryMs) return 0;
    this.#replicaRetryMs = Number.POSITIVE_INFINITY;
    let work = 0;
    for (let at = replica.poll(); at >= 0 && work < REPLICAS_MAX; at = replica.poll(), work++) {
      try {
        this.#writeReplica(replica, at);
      } catch (error) {
        if (!(error instanceof RingError)) throw error;
        this.#onWriteFailed(error);
        this.#replicaRetryMs = nowMs + REPLICA_RETRY_MS;
        break;
      }
      replica.release();
      replica.publishReleased();
    }
    return work;
  }

  #writeReplica(replica: Ring, at: number): void {
    const { appender, positions, recorder } = this.#options;
    const { words } = replica;
    const word = at >> 2;
    const position = join64(words[word + ReplicaRecords.positionLow]!, words[word + ReplicaRecords.positionHigh]!);
    const size = words[word + ReplicaRecords.size]!;
    if (appender.end === 0 && position > 0) {
      appender.begin(position);
      // First, so that nobody looks for bytes in front of it.
      positions.publish('minimum', position);
    }
    assert(position === appender.end, "a master's records join the end of the log");
    appender.appendReplica(replica.bytes, at + ReplicaRecords.recordBytes, size);
    if (recorder.isOn) recorder.note(TraceEvent.batchWritten, 0, appender.end, 1, size);
    this.#publishAppended(size);
  }

  #onWriteFailed(error: unknown): void {
    const { appender, storeState, counters, log } = this.#options;
    counters.add(Counter.appendFailures);
    if (!this.#failing) {
      log.error({ err: error, position: appender.end }, 'the commit log cannot be written: sends are refused');
      this.#failing = true;
    }
    storeState.set(StoreState.WRITE_FAILED);
  }

  /** Nothing of the staged batch is in the log: queue offsets go back and every sender hears why. */
  #failAll(error: unknown): void {
    const { appender } = this.#options;
    const queueOffsets = this.#queueOffsets;
    const staged = this.#staged;
    appender.rollback();
    for (let index = staged.count - 1; index >= 0; index--) {
      queueOffsets[staged.queueNumber[index]!] = staged.queueOffset[index]!;
      const companionQueue = staged.companionQueue[index]!;
      if (companionQueue >= 0) queueOffsets[companionQueue] = staged.companionOffset[index]!;
    }
    this.#onWriteFailed(error);
    const remark = `service not available now, the commit log cannot be written: ${messageOf(error)}`;
    for (let index = 0; index < staged.count; index++) {
      const outlet = staged.outlet[index]!;
      this.#outlets[outlet]!.refuse(staged, index, remark);
      if (!this.#options.outlets[outlet]!.takesFrames) this.#refusedAttempt[outlet] = staged.attempt[index]!;
    }
    this.#settle();
  }
}
