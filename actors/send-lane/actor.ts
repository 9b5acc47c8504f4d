/**
 * Room card: send lane
 *
 * Purpose   all of a send that costs CPU: header, limits, topic, properties, body CRC, the finished record with queue
 *           offset, physical offset and store time blank.
 * Thread    a piscina thread, blocking; or inline. Lanes are chosen by connection, so a producer's requests keep their
 *           order.
 * Reads     requests from remoting; topics, groups and returned frames from the coordinator; from the log, messages
 *           that come back or are committed.
 * Writes    append requests to the writer; refusals to remoting; frames whose topic is unknown to the coordinator.
 * When full it leaves a request in its ring until the writer has room; what waited longer than waitTimeMillsInSendQueue
 *           is refused with SYSTEM_BUSY.
 * Fails     a request that throws is answered SYSTEM_ERROR; a broken assertion restarts the lane, its rings stay.
 */

import { CommandFlag, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, decodeCommand, encodeCommand, type RemotingCommand } from '../../protocol/command.js';
import { FRAME_PREFIX_SIZE, headerLength, serializeTypeOf } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Latencies } from '../../runtime/memory/latencies.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import { holdsSends, limitedBy } from '../bottleneck.js';
import { AppendRequest, AppendType } from '../commit-log-writer/mailbox.js';
import { CoordinatorType } from '../coordinator/mailbox.js';
import { type GroupEntry, GroupSnapshot } from '../group-snapshot.js';
import { elapsedMs, InboundFrame } from '../inbound.js';
import { AppendFlag, OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import { SendBehaviour, type SendContext, SendVerdict } from './behaviour.js';
import { endTransaction } from './end-transaction.js';
import type { LaneSettings } from './mailbox.js';
import type { RecordSource } from './record-source.js';
import { resumeCheck } from './resume-check.js';
import { sendBack } from './send-back.js';
import type { AppendOutcome, StoredHandler } from './stored-requests.js';

export interface SendLaneOptions {
  readonly name: string;
  /** Requests from remoting. */
  readonly inbox: Ring;
  /** Topics, groups and returned frames from the coordinator. */
  readonly news: Ring;
  readonly toWriter: Ring;
  readonly writerBell: Doorbell;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  /** How long requests stood in the inbox. */
  readonly waits: Latencies;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
  readonly settings: LaneSettings;
  readonly context: SendContext;
  /** The log, for requests that name a message by its place. */
  readonly records: RecordSource;
}

/** Requests that store a message made from one that is in the log. */
const storedHandlers: ReadonlyMap<number, StoredHandler> = new Map([
  [RequestCode.CONSUMER_SEND_MSG_BACK, sendBack],
  [RequestCode.END_TRANSACTION, endTransaction],
  [RequestCode.RESUME_CHECK_HALF_MESSAGE, resumeCheck],
]);

function isReply(code: number): boolean {
  return code === RequestCode.SEND_REPLY_MESSAGE || code === RequestCode.SEND_REPLY_MESSAGE_V2;
}

const neededTypes = {
  topicNeeded: CoordinatorType.TOPIC_NEEDED,
  deadLetterTopicNeeded: CoordinatorType.DEAD_LETTER_TOPIC_NEEDED,
} as const;

/** What an append request says of its records. */
type AppendTarget = Pick<AppendOutcome, 'queueNumber' | 'queueId' | 'count' | 'companionQueue'>;

const BATCH_MAX = 128;

/** Connections that have frames at the coordinator: what they send meanwhile goes the same way, to keep its order. */
class Detours {
  readonly #frames = new Map<number, number>();

  has(connectionId: number): boolean {
    return this.#frames.size > 0 && this.#frames.has(connectionId);
  }

  sent(connectionId: number): void {
    this.#frames.set(connectionId, (this.#frames.get(connectionId) ?? 0) + 1);
  }

  returned(connectionId: number): void {
    const left = (this.#frames.get(connectionId) ?? 1) - 1;
    if (left > 0) this.#frames.set(connectionId, left);
    else this.#frames.delete(connectionId);
  }
}

export class SendLane implements Actor {
  readonly name: string;
  readonly #options: SendLaneOptions;
  readonly #news: TopicNews;
  readonly #groups = new GroupSnapshot();
  readonly #header = new HeaderView(true);
  readonly #behaviour: SendBehaviour;
  readonly #detoured = new Detours();
  #settings: LaneSettings;
  #nowMs = 0;
  #appended = false;
  #answered = false;
  /** The sender has been answered already. */
  #silent = false;

  constructor(options: SendLaneOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#news = new TopicNews(options.news);
    this.#behaviour = new SendBehaviour(options.context, this.#news.snapshot, this.#groups);
  }

  doWork(nowMs: number): number {
    const { inbox, writerBell, remotingBell } = this.#options;
    const fallbacksBefore = this.#header.fallbacks;
    this.#nowMs = nowMs;
    const news = this.#news.drain(this.#onNews);
    const requests = this.#drainRequests(inbox, nowMs);
    if (requests > 0) this.#options.counters.add(Counter.requestsIn, requests);
    if (this.#appended) {
      this.#appended = false;
      writerBell.ring();
    }
    if (this.#answered) {
      this.#answered = false;
      remotingBell.ring();
    }
    if (this.#header.fallbacks > fallbacksBefore) {
      this.#options.counters.add(Counter.headerFallbacks, this.#header.fallbacks - fallbacksBefore);
    }
    return news + requests;
  }

  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#options.records.close();
  }

  readonly #onNews = (ring: Ring, at: number): boolean => {
    switch (ring.type) {
      case NewsType.FRAME:
        return this.#takeReturned(ring, at);
      case NewsType.REPLY_PUSHED:
        return this.#takeFrame(ring, at, this.#nowMs, true);
      case NewsType.REPLY_UNDELIVERED:
        this.#silent = true;
        try {
          return this.#takeFrame(ring, at, this.#nowMs, true);
        } finally {
          this.#silent = false;
        }
      case NewsType.SETTINGS:
        this.#settings = JSON.parse(textOf(ring, at)) as LaneSettings;
        return true;
      case NewsType.GROUP:
        this.#groups.put(JSON.parse(textOf(ring, at)) as GroupEntry);
        return true;
      case NewsType.GROUP_DELETED:
        this.#groups.delete(textOf(ring, at));
        return true;
      default:
        throw new AssertionError(`unknown news ${ring.type}`);
    }
  };

  /** A frame comes back from its detour. */
  #takeReturned(ring: Ring, at: number): boolean {
    const connectionId = ring.words[at >> 2]!;
    if (!this.#takeFrame(ring, at, this.#nowMs, true)) return false;
    this.#detoured.returned(connectionId);
    return true;
  }

  #drainRequests(inbox: Ring, nowMs: number): number {
    let work = 0;
    for (let at = inbox.poll(); at >= 0 && work < BATCH_MAX; at = inbox.poll(), work++) {
      if (!this.#takeFrame(inbox, at, nowMs, false)) break;
      this.#options.waits.add(elapsedMs(inbox.words[(at >> 2) + InboundFrame.arrivedMs]!, nowMs));
      inbox.release();
    }
    if (work > 0) inbox.publishReleased();
    return work;
  }

  /** False when the request must stay in its ring because the room it goes to is full. */
  #takeFrame(ring: Ring, at: number, nowMs: number, returned: boolean): boolean {
    try {
      return this.#onFrame(ring, at, nowMs, returned);
    } catch (error) {
      if (error instanceof AssertionError) {
        // The lane starts anew; this request must not come again, and its sender must not wait.
        this.#refuse(ring, at, ResponseCode.SYSTEM_ERROR, messageOf(error));
        this.#options.remotingBell.ring();
        this.#options.writerBell.ring();
        ring.release();
        ring.publishReleased();
        throw error;
      }
      this.#options.log.error({ err: error }, 'a send request failed');
      return this.#refuse(ring, at, ResponseCode.SYSTEM_ERROR, messageOf(error));
    }
  }

  #onFrame(ring: Ring, at: number, nowMs: number, returned: boolean): boolean {
    const { words, bytes } = ring;
    const frameAt = at + InboundFrame.frameBytes;
    const size = words[(at >> 2) + InboundFrame.frameSize]!;
    const headerEnd = frameAt + FRAME_PREFIX_SIZE + headerLength(bytes, frameAt);
    if (!this.#header.read(bytes, frameAt + FRAME_PREFIX_SIZE, headerEnd, serializeTypeOf(bytes, frameAt))) {
      return this.#closeConnection(words[at >> 2]!);
    }
    // An answer with the code of a request: nothing was asked.
    if ((this.#header.flag & CommandFlag.RESPONSE) !== 0) return this.#returnPermit(words[at >> 2]!);
    const traceId = words[(at >> 2) + InboundFrame.traceId]!;
    if (traceId !== 0) this.#options.recorder.note(TraceEvent.laneTook, traceId, this.#header.code);
    if (!returned) {
      const waitedMs = elapsedMs(words[(at >> 2) + InboundFrame.arrivedMs]!, nowMs);
      if (waitedMs > this.#settings.waitTimeMillsInSendQueue) return this.#refuseLate(ring, at, waitedMs);
      if (isReply(this.#header.code)) return this.#askCoordinator(ring, at, CoordinatorType.REPLY);
      if (this.#detoured.has(words[at >> 2]!)) return this.#detour(ring, at, CoordinatorType.TOPIC_NEEDED);
    }
    const handler = storedHandlers.get(this.#header.code);
    if (handler !== undefined) return this.#onStoredRequest(handler, ring, at, frameAt, size, returned);
    const behaviour = this.#behaviour;
    const state = this.#options.storeState.read();
    const verdict = behaviour.judge(this.#header, bytes, headerEnd, frameAt + size, this.#settings, state, nowMs);
    switch (verdict) {
      case SendVerdict.APPEND:
        return this.#append(ring, at, headerEnd, frameAt + size);
      case SendVerdict.TOPIC_UNKNOWN:
        if (!returned) return this.#detour(ring, at, CoordinatorType.TOPIC_NEEDED);
        break;
      case SendVerdict.DEAD_LETTER_TOPIC_UNKNOWN:
        if (!returned) return this.#detour(ring, at, CoordinatorType.DEAD_LETTER_TOPIC_NEEDED);
        break;
      default:
        break;
    }
    return this.#refuse(ring, at, behaviour.code, behaviour.remark);
  }

  #refuseLate(ring: Ring, at: number, waitedMs: number): boolean {
    const depth = ring.depthBytes();
    const { toWriter } = this.#options;
    const writerFill = toWriter.depthBytes() / toWriter.capacity;
    const limit = holdsSends({ awaitingFlush: 0, awaitingSlave: 0, laneWaitMs: waitedMs, writerFill });
    this.#options.counters.add(Counter.requestsLate);
    const remark = `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${waitedMs}ms, size of queue: ${depth} bytes (key waitTimeMillsInSendQueue); ${limitedBy(limit)}`;
    return this.#refuse(ring, at, ResponseCode.SYSTEM_BUSY, remark);
  }

  #append(ring: Ring, at: number, bodyStart: number, frameEnd: number): boolean {
    const { toWriter } = this.#options;
    const behaviour = this.#behaviour;
    const needed = AppendRequest.recordBytes + behaviour.recordSizeMax;
    if (needed > toWriter.payloadMax) {
      return this.#refuse(
        ring,
        at,
        ResponseCode.MESSAGE_ILLEGAL,
        'the records of this request do not fit ringCapacityBytes',
      );
    }
    const claimed = toWriter.claim(needed);
    if (claimed < 0) return false;
    const inbound = at >> 2;
    const recordAt = claimed + AppendRequest.recordBytes;
    const end = behaviour.encode(
      this.#header,
      ring.bytes,
      bodyStart,
      frameEnd,
      toWriter.bytes,
      recordAt,
      ring.words[inbound + InboundFrame.peerAddress]!,
      ring.words[inbound + InboundFrame.peerPort]!,
      this.#settings,
    );
    if (end < 0) return this.#refuse(ring, at, behaviour.code, behaviour.remark);
    this.#commit(ring, at, claimed, end - recordAt, behaviour, this.#flags(behaviour.waitFlush));
    return true;
  }

  /** Sends the records that were encoded behind the request claimed at `claimed`. */
  #commit(ring: Ring, at: number, claimed: number, size: number, target: AppendTarget, flags: number): void {
    const { toWriter } = this.#options;
    const inbound = at >> 2;
    const word = claimed >> 2;
    const { words } = toWriter;
    words[word + AppendRequest.connectionId] = ring.words[inbound + InboundFrame.connectionId]!;
    words[word + AppendRequest.opaque] = this.#header.opaque;
    words[word + AppendRequest.flags] = flags;
    words[word + AppendRequest.queueNumber] = target.queueNumber;
    words[word + AppendRequest.queueId] = target.queueId;
    words[word + AppendRequest.count] = target.count;
    words[word + AppendRequest.size] = size;
    words[word + AppendRequest.arrivedMs] = ring.words[inbound + InboundFrame.arrivedMs]!;
    words[word + AppendRequest.companionQueue] = target.companionQueue;
    const traceId = ring.words[inbound + InboundFrame.traceId]!;
    words[word + AppendRequest.traceId] = traceId;
    if (traceId !== 0) this.#options.recorder.note(TraceEvent.laneDone, traceId, size);
    toWriter.commit(AppendType.REQUEST, AppendRequest.recordBytes + size);
    this.#appended = true;
  }

  #flags(waitFlush: boolean): number {
    const oneway = this.#isOneway ? AppendFlag.ONEWAY : 0;
    return this.#header.serializeType | oneway | (waitFlush ? AppendFlag.WAIT_FLUSH : 0);
  }

  get #isOneway(): boolean {
    return this.#silent || (this.#header.flag & CommandFlag.ONEWAY) !== 0;
  }

  /** A request that stores a message made from one that is in the log. */
  #onStoredRequest(
    handler: StoredHandler,
    ring: Ring,
    at: number,
    frameAt: number,
    size: number,
    returned: boolean,
  ): boolean {
    const { context, storeState, records } = this.#options;
    const request = decodeCommand(ring.bytes.slice(frameAt, frameAt + size));
    const outcome = handler(request, {
      context,
      records,
      topics: this.#news.snapshot,
      groups: this.#groups,
      settings: this.#settings,
      storeState: storeState.read(),
      nowMs: this.#nowMs,
    });
    switch (outcome.kind) {
      case 'append':
        return this.#appendStored(ring, at, outcome);
      case 'answer':
        return this.#answer(ring, at, createResponse(request, outcome.code, outcome.remark));
      case 'silence':
        return this.#answer(ring, at, undefined);
      default:
        if (!returned) return this.#detour(ring, at, neededTypes[outcome.kind]);
        return this.#answer(ring, at, createResponse(request, outcome.code, outcome.remark));
    }
  }

  #appendStored(ring: Ring, at: number, outcome: AppendOutcome): boolean {
    const { toWriter } = this.#options;
    const { records } = outcome;
    const needed = AppendRequest.recordBytes + records.length;
    if (needed > toWriter.payloadMax) {
      return this.#refuse(ring, at, ResponseCode.MESSAGE_ILLEGAL, 'the message does not fit ringCapacityBytes');
    }
    const claimed = toWriter.claim(needed);
    if (claimed < 0) return false;
    toWriter.bytes.set(records, claimed + AppendRequest.recordBytes);
    const flags = this.#flags(outcome.waitFlush) | AppendFlag.PLAIN;
    this.#commit(ring, at, claimed, records.length, outcome, flags);
    return true;
  }

  /** The detour of a request whose topic or group the lane does not know: the coordinator makes it, if it may. */
  #detour(ring: Ring, at: number, type: number): boolean {
    if (!this.#askCoordinator(ring, at, type)) return false;
    this.#detoured.sent(ring.words[at >> 2]!);
    return true;
  }

  #askCoordinator(ring: Ring, at: number, type: number): boolean {
    const { toCoordinator, coordinatorBell } = this.#options;
    if (!toCoordinator.offer(type, ring.bytes, at, ring.length)) return false;
    coordinatorBell.ring();
    return true;
  }

  #refuse(ring: Ring, at: number, code: number, remark: string): boolean {
    const { context } = this.#options;
    const fields = { MSG_REGION: context.regionId, TRACE_ON: context.traceOn };
    return this.#answer(ring, at, createResponse(this.#header, code, remark, fields));
  }

  /** Ends a request without an append; without an answer only its permit goes back. */
  #answer(ring: Ring, at: number, response: RemotingCommand | undefined): boolean {
    const { toRemoting } = this.#options;
    const frame = this.#isOneway || response === undefined ? undefined : encodeCommand(response);
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const claimed = toRemoting.claim(length);
    if (claimed < 0) return false;
    toRemoting.words[claimed >> 2] = ring.words[at >> 2]!;
    if (frame !== undefined) toRemoting.bytes.set(frame, claimed + OutboundFrame.frameBytes);
    toRemoting.commit(OutboundType.SEND_REFUSED, length);
    this.#answered = true;
    const traceId = ring.words[(at >> 2) + InboundFrame.traceId]!;
    if (traceId !== 0)
      this.#options.recorder.note(TraceEvent.refused, traceId, response?.code ?? 0, ring.words[at >> 2]!);
    return true;
  }

  #returnPermit(connectionId: number): boolean {
    const { toRemoting } = this.#options;
    const permit = toRemoting.claim(OutboundFrame.frameBytes);
    if (permit < 0) return false;
    toRemoting.words[permit >> 2] = connectionId;
    toRemoting.commit(OutboundType.SEND_REFUSED, OutboundFrame.frameBytes);
    this.#answered = true;
    return true;
  }

  #closeConnection(connectionId: number): boolean {
    const { toRemoting } = this.#options;
    if (!this.#returnPermit(connectionId)) return false;
    const claimed = toRemoting.claim(OutboundFrame.frameBytes);
    if (claimed >= 0) {
      toRemoting.words[claimed >> 2] = connectionId;
      toRemoting.commit(OutboundType.CLOSE, OutboundFrame.frameBytes);
    }
    return true;
  }
}
