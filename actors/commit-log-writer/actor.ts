/**
 * Room card: commit log writer
 *
 * Purpose   the only writer of the log and the only owner of queue offsets: assigns both, fills the blanks of each
 *           record, appends a batch with one write.
 * Thread    a worker, blocking; or inline.
 * Reads     append requests, one ring a send lane; commands of the node (retire segments).
 * Writes    the log; append results to remoting; positions appended and minimum; the store state bit WRITE_FAILED.
 * When full it leaves requests in their rings until remoting has taken results; lanes then refuse what waits too long.
 * Fails     a failed write refuses every request of its batch and nothing of it counts; a broken assertion ends the
 *           node.
 */
import { ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import { recordTotalSize, stampRecord } from '../../protocol/message-record.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import { align8 } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { CommitLogAppender } from '../../storage/commit-log-appender.js';
import { QUEUES_MAX } from '../queue-table.js';
import { AppendFlag, AppendResult, high32, low32, OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import { StoreState } from '../store-state.js';
import { AppendRequest } from './mailbox.js';
import { StagedAppends } from './staged-appends.js';

export interface CommitLogWriterOptions {
  readonly inboxes: Ring[];
  readonly results: Ring;
  readonly remotingBell: Doorbell;
  /** Rung after every batch: flush service, dispatcher. */
  readonly followerBells: readonly Doorbell[];
  readonly appender: CommitLogAppender;
  readonly positions: Positions;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  readonly log: Logger;
  /** Next offset of each queue, by queue number, as recovery found it; queues beyond begin at 0. */
  readonly queueOffsets: Float64Array;
  readonly regionId: string;
}

/** Requests of one write. */
const BATCH_MAX = 4096;

export class CommitLogWriter implements Actor {
  readonly name = 'commit-log-writer';
  readonly #options: CommitLogWriterOptions;
  readonly #staged = new StagedAppends(BATCH_MAX);
  #lastStoreMs = 0;
  /** Result bytes that the staged requests will need. */
  #resultBytes = 0;
  #failing = false;
  readonly #queueOffsets = new Float64Array(QUEUES_MAX);

  constructor(options: CommitLogWriterOptions) {
    this.#options = options;
    this.#queueOffsets.set(options.queueOffsets);
  }

  doWork(nowMs: number): number {
    this.#lastStoreMs = Math.max(this.#lastStoreMs, nowMs);
    let work = 0;
    for (const inbox of this.#options.inboxes) work += this.#drain(inbox);
    if (this.#staged.count > 0) this.#commit();
    if (work > 0) {
      this.#options.remotingBell.ring();
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

  #drain(inbox: Ring): number {
    let work = 0;
    for (let at = inbox.poll(); at >= 0 && work < BATCH_MAX; at = inbox.poll(), work++) {
      if (!this.#hasRoomForResult(inbox.words[(at >> 2) + AppendRequest.count]!)) break;
      this.#take(inbox, at);
      inbox.release();
    }
    if (work > 0) inbox.publishReleased();
    return work;
  }

  #hasRoomForResult(count: number): boolean {
    const needed = 16 + align8((AppendResult.sizes + count) * 4);
    const { results } = this.#options;
    if (results.depthBytes() + this.#resultBytes + needed > results.payloadMax) return false;
    this.#resultBytes += needed;
    return true;
  }

  #take(inbox: Ring, at: number): void {
    const { appender } = this.#options;
    const queueOffsets = this.#queueOffsets;
    const staged = this.#staged;
    const word = at >> 2;
    const size = inbox.words[word + AppendRequest.size]!;
    if (staged.count === BATCH_MAX || !appender.fits(size)) this.#commit();
    const count = inbox.words[word + AppendRequest.count]!;
    const queueNumber = inbox.words[word + AppendRequest.queueNumber]!;
    const queueOffset = queueOffsets[queueNumber]!;
    let stagedAt: number;
    try {
      stagedAt = appender.stage(inbox.bytes, at + AppendRequest.recordBytes, size);
    } catch (error) {
      staged.add(inbox.words, word, queueOffset, appender.end);
      this.#failAll(error);
      return;
    }
    const physicalOffset = appender.end + stagedAt;
    let recordAt = stagedAt;
    for (let index = 0; index < count; index++) {
      const recordOffset = appender.end + recordAt;
      stampRecord(appender.buffer, recordAt, queueOffset + index, recordOffset, this.#lastStoreMs);
      recordAt += recordTotalSize(appender.buffer, recordAt);
    }
    queueOffsets[queueNumber] = queueOffset + count;
    staged.add(inbox.words, word, queueOffset, physicalOffset);
  }

  /** One write for everything staged; then, and only then, the results. */
  #commit(): void {
    const { appender, positions, counters, storeState } = this.#options;
    const staged = this.#staged;
    if (staged.count === 0) return;
    const size = appender.stagedSize;
    const recordsStart = appender.end;
    try {
      appender.commit();
    } catch (error) {
      this.#failAll(error);
      return;
    }
    positions.publish('appended', appender.end);
    if (this.#failing) {
      this.#failing = false;
      storeState.clear(StoreState.WRITE_FAILED);
      this.#options.log.info({ position: recordsStart }, 'the commit log can be written again');
    }
    counters.add(Counter.appendBatches);
    counters.add(Counter.bytesAppended, size);
    for (let index = 0; index < staged.count; index++) this.#sendResult(index, recordsStart);
    staged.clear();
    this.#resultBytes = 0;
  }

  #sendResult(index: number, recordsStart: number): void {
    const { results, counters, appender } = this.#options;
    const staged = this.#staged;
    const count = staged.recordCount[index]!;
    const sizesCount = count > 1 ? count : 0;
    const length = (AppendResult.sizes + sizesCount) * 4;
    const at = results.claim(length);
    const word = at >> 2;
    const { words } = results;
    const queueOffset = staged.queueOffset[index]!;
    const physicalOffset = staged.physicalOffset[index]!;
    words[word + AppendResult.connectionId] = staged.connectionId[index]!;
    words[word + AppendResult.opaque] = staged.opaque[index]!;
    words[word + AppendResult.flags] = staged.flags[index]!;
    words[word + AppendResult.code] = ResponseCode.SUCCESS;
    words[word + AppendResult.queueId] = staged.queueId[index]!;
    words[word + AppendResult.count] = count;
    words[word + AppendResult.queueOffsetLow] = low32(queueOffset);
    words[word + AppendResult.queueOffsetHigh] = high32(queueOffset);
    words[word + AppendResult.physicalOffsetLow] = low32(physicalOffset);
    words[word + AppendResult.physicalOffsetHigh] = high32(physicalOffset);
    words[word + AppendResult.size] = staged.size[index]!;
    words[word + AppendResult.arrivedMs] = staged.arrivedMs[index]!;
    let recordAt = physicalOffset - recordsStart;
    for (let record = 0; record < sizesCount; record++) {
      const size = recordTotalSize(appender.buffer, recordAt);
      words[word + AppendResult.sizes + record] = size;
      recordAt += size;
    }
    results.commit(OutboundType.APPEND_RESULT, length);
    counters.add(Counter.messagesAppended, count);
  }

  /** Nothing of the staged batch is in the log: queue offsets go back and every sender hears why. */
  #failAll(error: unknown): void {
    const { appender, storeState, counters, log } = this.#options;
    const queueOffsets = this.#queueOffsets;
    const staged = this.#staged;
    appender.rollback();
    for (let index = staged.count - 1; index >= 0; index--) {
      queueOffsets[staged.queueNumber[index]!] = staged.queueOffset[index]!;
    }
    counters.add(Counter.appendFailures);
    if (!this.#failing) {
      log.error({ err: error, position: appender.end }, 'the commit log cannot be written: sends are refused');
      this.#failing = true;
    }
    storeState.set(StoreState.WRITE_FAILED);
    const remark = `service not available now, the commit log cannot be written: ${messageOf(error)}`;
    for (let index = 0; index < staged.count; index++) this.#refuse(index, remark);
    staged.clear();
    this.#resultBytes = 0;
  }

  #refuse(index: number, remark: string): void {
    const { results, regionId } = this.#options;
    const staged = this.#staged;
    const flags = staged.flags[index]!;
    const request = {
      opaque: staged.opaque[index]!,
      serializeType: (flags & AppendFlag.BINARY) as 0 | 1,
    };
    const oneway = (flags & AppendFlag.ONEWAY) !== 0;
    const response = createResponse(request, ResponseCode.SERVICE_NOT_AVAILABLE, remark, {
      MSG_REGION: regionId,
      TRACE_ON: true,
    });
    const frame = oneway ? undefined : encodeCommand(response);
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const at = results.claim(length);
    // The room that was kept free is that of a result; a refusal is longer. When it does not fit, the permit comes back
    // alone.
    if (at < 0) return this.#returnPermit(index);
    results.words[at >> 2] = staged.connectionId[index]!;
    if (frame !== undefined) results.bytes.set(frame, at + OutboundFrame.frameBytes);
    results.commit(OutboundType.SEND_REFUSED, length);
  }

  #returnPermit(index: number): void {
    const { results } = this.#options;
    const at = results.claim(OutboundFrame.frameBytes);
    results.words[at >> 2] = this.#staged.connectionId[index]!;
    results.commit(OutboundType.SEND_REFUSED, OutboundFrame.frameBytes);
  }
}
