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
import { createResponse, decodeCommand } from '../../protocol/command.js';
import { FRAME_PREFIX_SIZE, headerLength, serializeTypeOf } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Latencies } from '../../runtime/memory/latencies.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { CoordinatorType } from '../coordinator/mailbox.js';
import { GroupCounts } from '../group-counts.js';
import { type GroupEntry, GroupSnapshot } from '../group-snapshot.js';
import type { GroupTraffic } from '../group-traffic.js';
import { elapsedMs, InboundFrame } from '../inbound.js';
import { AppendFlag } from '../remoting/mailbox.js';
import { joinsTrace } from '../span-notes.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import { SendBehaviour, SendVerdict } from './behaviour.js';
import { Detours } from './detours.js';
import { TransactionEnd } from './end-transaction.js';
import { LaneExits, type LaneExitsOptions } from './lane-exits.js';
import type { LaneSettings } from './mailbox.js';
import type { RecordSource } from './record-source.js';
import { resumeCheck } from './resume-check.js';
import { sendBack } from './send-back.js';
import type { AppendOutcome, StoredHandler } from './stored-requests.js';

export interface SendLaneOptions extends LaneExitsOptions {
  readonly name: string;
  /** Requests from remoting. */
  readonly inbox: Ring;
  /** Topics, groups and returned frames from the coordinator. */
  readonly news: Ring;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  /** How long requests stood in the inbox. */
  readonly waits: Latencies;
  readonly log: Logger;
  readonly settings: LaneSettings;
  /** What comes back from each group. */
  readonly traffic: GroupTraffic;
  /** The log, for requests that name a message by its place. */
  readonly records: RecordSource;
  /** There is a telemetry room, which is to hear of messages that their senders trace. */
  readonly joinsTraces?: boolean;
}

/** Requests that store a message made from one that is in the log. */
const storedHandlers: ReadonlyMap<number, StoredHandler> = new Map([
  [RequestCode.CONSUMER_SEND_MSG_BACK, sendBack],
  [RequestCode.RESUME_CHECK_HALF_MESSAGE, resumeCheck],
]);

function isReply(code: number): boolean {
  return code === RequestCode.SEND_REPLY_MESSAGE || code === RequestCode.SEND_REPLY_MESSAGE_V2;
}

const neededTypes = {
  topicNeeded: CoordinatorType.TOPIC_NEEDED,
  deadLetterTopicNeeded: CoordinatorType.DEAD_LETTER_TOPIC_NEEDED,
} as const;

const BATCH_MAX = 128;
/** When a full ring is tried again: nobody rings when it has room. Units: ms. */
const RETRY_MS = 5;

export class SendLane implements Actor {
  readonly name: string;
  readonly #options: SendLaneOptions;
  readonly #news: TopicNews;
  readonly #groups = new GroupSnapshot();
  readonly #sendBacks: GroupCounts;
  readonly #header = new HeaderView(true);
  readonly #behaviour: SendBehaviour;
  readonly #transactionEnd: TransactionEnd;
  readonly #detoured = new Detours();
  #settings: LaneSettings;
  readonly #exits: LaneExits;
  #nowMs = 0;
  #isBlocked = false;

  constructor(options: SendLaneOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#news = new TopicNews(options.news);
    this.#exits = new LaneExits(options, this.#header);
    this.#sendBacks = new GroupCounts(options.traffic, options.toCoordinator);
    this.#behaviour = new SendBehaviour(options.context, this.#news.snapshot, this.#groups);
    this.#transactionEnd = new TransactionEnd(options.context, this.#news.snapshot, options.records);
  }

  doWork(nowMs: number): number {
    const fallbacksBefore = this.#header.fallbacks;
    this.#nowMs = nowMs;
    this.#isBlocked = false;
    const news = this.#news.drain(this.#onNews);
    const requests = this.#drainRequests(this.#options.inbox, nowMs);
    if (requests > 0) this.#options.counters.add(Counter.requestsIn, requests);
    this.#exits.ringBells();
    if (this.#header.fallbacks > fallbacksBefore) {
      this.#options.counters.add(Counter.headerFallbacks, this.#header.fallbacks - fallbacksBefore);
    }
    return news + requests;
  }

  deadlineMs(): number {
    return this.#isBlocked ? this.#nowMs + RETRY_MS : Number.POSITIVE_INFINITY;
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
        this.#exits.silent = true;
        try {
          return this.#takeFrame(ring, at, this.#nowMs, true);
        } finally {
          this.#exits.silent = false;
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
    const taken = this.#tryFrame(ring, at, nowMs, returned);
    if (!taken) this.#isBlocked = true;
    return taken;
  }

  #tryFrame(ring: Ring, at: number, nowMs: number, returned: boolean): boolean {
    try {
      return this.#onFrame(ring, at, nowMs, returned);
    } catch (error) {
      if (error instanceof AssertionError) {
        // The lane starts anew; this request must not come again, and its sender must not wait.
        this.#exits.refuse(ring, at, ResponseCode.SYSTEM_ERROR, messageOf(error));
        this.#exits.ringBells();
        ring.release();
        ring.publishReleased();
        throw error;
      }
      this.#options.log.error({ err: error }, 'a send request failed');
      return this.#exits.refuse(ring, at, ResponseCode.SYSTEM_ERROR, messageOf(error));
    }
  }

  #onFrame(ring: Ring, at: number, nowMs: number, returned: boolean): boolean {
    const { words, bytes } = ring;
    const frameAt = at + InboundFrame.frameBytes;
    const size = words[(at >> 2) + InboundFrame.frameSize]!;
    const headerEnd = frameAt + FRAME_PREFIX_SIZE + headerLength(bytes, frameAt);
    if (!this.#header.read(bytes, frameAt + FRAME_PREFIX_SIZE, headerEnd, serializeTypeOf(bytes, frameAt))) {
      return this.#exits.closeConnection(words[at >> 2]!);
    }
    // An answer with the code of a request: nothing was asked.
    if ((this.#header.flag & CommandFlag.RESPONSE) !== 0) return this.#exits.returnPermit(words[at >> 2]!);
    const traceId = words[(at >> 2) + InboundFrame.traceId]!;
    if (traceId !== 0) this.#options.recorder.note(TraceEvent.laneTook, traceId, this.#header.code);
    if (!returned) {
      const waitedMs = elapsedMs(words[(at >> 2) + InboundFrame.arrivedMs]!, nowMs);
      if (waitedMs > this.#settings.waitTimeMillsInSendQueue) {
        this.#options.counters.add(Counter.requestsLate);
        return this.#exits.refuseLate(ring, at, waitedMs);
      }
      if (isReply(this.#header.code)) return this.#exits.toCoordinator(ring, at, CoordinatorType.REPLY);
      if (this.#detoured.has(words[at >> 2]!)) return this.#detour(ring, at, CoordinatorType.TOPIC_NEEDED);
    }
    if (this.#header.code === RequestCode.END_TRANSACTION) return this.#endTransaction(ring, at);
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
    return this.#exits.refuse(ring, at, behaviour.code, behaviour.remark);
  }

  #append(ring: Ring, at: number, bodyStart: number, frameEnd: number): boolean {
    const exits = this.#exits;
    const behaviour = this.#behaviour;
    if (!exits.fits(behaviour.recordSizeMax)) {
      const remark = 'the records of this request do not fit ringCapacityBytes';
      return exits.refuse(ring, at, ResponseCode.MESSAGE_ILLEGAL, remark);
    }
    const recordAt = exits.claim(behaviour.recordSizeMax);
    if (recordAt < 0) return false;
    const inbound = at >> 2;
    const end = behaviour.encode(
      this.#header,
      ring.bytes,
      bodyStart,
      frameEnd,
      this.#options.toWriter.bytes,
      recordAt,
      ring.words[inbound + InboundFrame.peerAddress]!,
      ring.words[inbound + InboundFrame.peerPort]!,
      this.#settings,
    );
    if (end < 0) return exits.refuse(ring, at, behaviour.code, behaviour.remark);
    const { toWriter, joinsTraces } = this.#options;
    const joins = joinsTraces === true && joinsTrace(toWriter.bytes, recordAt, end);
    exits.append(ring, at, recordAt, end - recordAt, behaviour, joins ? AppendFlag.JOINS_TRACE : 0);
    return true;
  }

  #endTransaction(ring: Ring, at: number): boolean {
    const exits = this.#exits;
    const end = this.#transactionEnd;
    const verdict = end.judge(this.#header, this.#options.storeState.read());
    if (verdict === SendVerdict.SILENCE) return exits.answer(ring, at, undefined);
    if (verdict !== SendVerdict.APPEND) {
      return exits.answer(ring, at, createResponse(this.#header, end.code, end.remark));
    }
    if (!exits.fits(end.recordSizeMax)) return this.#refuseTooLarge(ring, at);
    const recordAt = exits.claim(end.recordSizeMax);
    if (recordAt < 0) return false;
    const recordEnd = end.encode(this.#options.toWriter.bytes, recordAt, this.#nowMs);
    exits.append(ring, at, recordAt, recordEnd - recordAt, end, AppendFlag.PLAIN);
    return true;
  }

  #refuseTooLarge(ring: Ring, at: number): boolean {
    const remark = 'the message does not fit ringCapacityBytes';
    return this.#exits.refuse(ring, at, ResponseCode.MESSAGE_ILLEGAL, remark);
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
    });
    switch (outcome.kind) {
      case 'append':
        return this.#appendStored(ring, at, outcome);
      case 'answer':
        return this.#exits.answer(ring, at, createResponse(request, outcome.code, outcome.remark));
      default:
        if (!returned) return this.#detour(ring, at, neededTypes[outcome.kind]);
        return this.#exits.answer(ring, at, createResponse(request, outcome.code, outcome.remark));
    }
  }

  #appendStored(ring: Ring, at: number, outcome: AppendOutcome): boolean {
    const exits = this.#exits;
    const { records, sentBack } = outcome;
    if (!exits.fits(records.length)) return this.#refuseTooLarge(ring, at);
    const recordAt = exits.claim(records.length);
    if (recordAt < 0) return false;
    this.#options.toWriter.bytes.set(records, recordAt);
    exits.append(ring, at, recordAt, records.length, outcome, AppendFlag.PLAIN);
    if (sentBack !== undefined) this.#sendBacks.add(sentBack.topic, sentBack.group, 1, records.length);
    return true;
  }

  /** The detour of a request whose topic or group the lane does not know: the coordinator makes it, if it may. */
  #detour(ring: Ring, at: number, type: number): boolean {
    if (!this.#exits.toCoordinator(ring, at, type)) return false;
    this.#detoured.sent(ring.words[at >> 2]!);
    return true;
  }
}
