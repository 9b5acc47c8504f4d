/**
 * Where the requests of a send lane go: records to the writer, what is answered at once to remoting, what needs a topic
 * or group to the coordinator. Hot. Every request that remoting let in leaves through exactly one of these, and takes
 * its permit along.
 */
import { CommandFlag, ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand, type RemotingCommand } from '../../protocol/command.js';
import type { HeaderView } from '../../protocol/header-view.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import { holdsSends, limitedBy } from '../bottleneck.js';
import { AppendRequest, AppendType } from '../commit-log-writer/mailbox.js';
import { InboundFrame } from '../inbound.js';
import { AppendFlag, OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import type { SendContext } from './behaviour.js';

export interface LaneExitsOptions {
  readonly toWriter: Ring;
  readonly writerBell: Doorbell;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly recorder: FlightRecorder;
  readonly context: SendContext;
}

/** What an append request says of its records. */
export interface AppendTarget {
  readonly queueNumber: number;
  readonly queueId: number;
  readonly count: number;
  /** -1: no companion. */
  readonly companionQueue: number;
  /** Its sender wants to hear of it when it is as safe as the broker's policy makes it. */
  readonly waits: boolean;
  /** What is noted of it when it is traced, of TraceEvent. */
  readonly traceEvent: number;
  /** Physical offset of the message in the log that it is made from; -1: it comes from its sender. */
  readonly madeFrom: number;
}

/** Every method answers false when there is no room; the request then stays where it is. */
export class LaneExits {
  /** The sender has been answered already. */
  silent = false;
  readonly #options: LaneExitsOptions;
  /** The header of the request that is being dealt with. */
  readonly #header: HeaderView;
  /** Flags of an append whose sender waits. */
  readonly #policy: number;
  #appended = false;
  #answered = false;

  constructor(options: LaneExitsOptions, header: HeaderView) {
    this.#options = options;
    this.#header = header;
    const { syncFlush, syncReplica } = options.context;
    this.#policy = (syncFlush ? AppendFlag.WAIT_FLUSH : 0) | (syncReplica ? AppendFlag.WAIT_REPLICA : 0);
  }

  /** Wakes the rooms that got something: once a duty cycle. */
  ringBells(): void {
    if (this.#appended) this.#options.writerBell.ring();
    if (this.#answered) this.#options.remotingBell.ring();
    this.#appended = false;
    this.#answered = false;
  }

  /** Whether records of `size` bytes can ever be appended with one request. */
  fits(size: number): boolean {
    return AppendRequest.recordBytes + size <= this.#options.toWriter.payloadMax;
  }

  /** Where records of at most `size` bytes are to be encoded in the writer's ring; -1 when there is no room now. */
  claim(size: number): number {
    const claimed = this.#options.toWriter.claim(AppendRequest.recordBytes + size);
    return claimed < 0 ? -1 : claimed + AppendRequest.recordBytes;
  }

  /**
   * Asks the writer to append the records that were encoded from `recordAt` (see {@link claim}) for the request at
   * `at` of `ring`. `flags`: of AppendFlag, besides those that header and target make.
   */
  append(ring: Ring, at: number, recordAt: number, size: number, target: AppendTarget, flags: number): void {
    const { toWriter } = this.#options;
    const inbound = at >> 2;
    const word = (recordAt - AppendRequest.recordBytes) >> 2;
    const { words } = toWriter;
    words[word + AppendRequest.connectionId] = ring.words[inbound + InboundFrame.connectionId]!;
    words[word + AppendRequest.opaque] = this.#header.opaque;
    words[word + AppendRequest.flags] =
      this.#header.serializeType | (this.#isOneway ? AppendFlag.ONEWAY : 0) | (target.waits ? this.#policy : 0) | flags;
    words[word + AppendRequest.queueNumber] = target.queueNumber;
    words[word + AppendRequest.queueId] = target.queueId;
    words[word + AppendRequest.count] = target.count;
    words[word + AppendRequest.size] = size;
    words[word + AppendRequest.arrivedMs] = ring.words[inbound + InboundFrame.arrivedMs]!;
    words[word + AppendRequest.companionQueue] = target.companionQueue;
    words[word + AppendRequest.traceId] = this.#traceAppend(ring.words[inbound + InboundFrame.traceId]!, size, target);
    toWriter.commit(AppendType.REQUEST, AppendRequest.recordBytes + size);
    this.#appended = true;
  }

  /** Under which trace id a request goes on: its own, or that of the traced message it makes something of. */
  #traceAppend(own: number, size: number, { traceEvent, madeFrom }: AppendTarget): number {
    const { recorder } = this.#options;
    if (madeFrom < 0) {
      if (own !== 0) recorder.note(traceEvent, own, size);
      return own;
    }
    const traceId = (recorder.isOn ? recorder.messages.find(madeFrom) : 0) || own;
    if (traceId !== 0) recorder.note(traceEvent, traceId, madeFrom, own);
    return traceId;
  }

  get #isOneway(): boolean {
    return this.silent || (this.#header.flag & CommandFlag.ONEWAY) !== 0;
  }

  /** Hands the request on as it is; it comes back, or the coordinator ends it. */
  toCoordinator(ring: Ring, at: number, type: number): boolean {
    const { toCoordinator, coordinatorBell } = this.#options;
    if (!toCoordinator.offer(type, ring.bytes, at, ring.length)) return false;
    coordinatorBell.ring();
    return true;
  }

  refuse(ring: Ring, at: number, code: number, remark: string): boolean {
    const { context } = this.#options;
    const fields = { MSG_REGION: context.regionId, TRACE_ON: context.traceOn };
    return this.answer(ring, at, createResponse(this.#header, code, remark, fields));
  }

  refuseLate(ring: Ring, at: number, waitedMs: number): boolean {
    const depth = ring.depthBytes();
    const { toWriter } = this.#options;
    const writerFill = toWriter.depthBytes() / toWriter.capacity;
    const limit = holdsSends({ awaitingFlush: 0, awaitingSlave: 0, laneWaitMs: waitedMs, writerFill });
    const remark = `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${waitedMs}ms, size of queue: ${depth} bytes (key waitTimeMillsInSendQueue); ${limitedBy(limit)}`;
    return this.refuse(ring, at, ResponseCode.SYSTEM_BUSY, remark);
  }

  /** Ends a request without an append; without an answer only its permit goes back. */
  answer(ring: Ring, at: number, response: RemotingCommand | undefined): boolean {
    const { toRemoting, recorder } = this.#options;
    const connectionId = ring.words[at >> 2]!;
    const frame = this.#isOneway || response === undefined ? undefined : encodeCommand(response);
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const claimed = toRemoting.claim(length);
    if (claimed < 0) return false;
    toRemoting.words[claimed >> 2] = connectionId;
    if (frame !== undefined) toRemoting.bytes.set(frame, claimed + OutboundFrame.frameBytes);
    toRemoting.commit(OutboundType.SEND_REFUSED, length);
    this.#answered = true;
    const traceId = ring.words[(at >> 2) + InboundFrame.traceId]!;
    if (traceId !== 0) recorder.note(TraceEvent.refused, traceId, response?.code ?? 0, connectionId);
    return true;
  }

  returnPermit(connectionId: number): boolean {
    const { toRemoting } = this.#options;
    const permit = toRemoting.claim(OutboundFrame.frameBytes);
    if (permit < 0) return false;
    toRemoting.words[permit >> 2] = connectionId;
    toRemoting.commit(OutboundType.SEND_REFUSED, OutboundFrame.frameBytes);
    this.#answered = true;
    return true;
  }

  closeConnection(connectionId: number): boolean {
    const { toRemoting } = this.#options;
    if (!this.returnPermit(connectionId)) return false;
    const claimed = toRemoting.claim(OutboundFrame.frameBytes);
    if (claimed >= 0) {
      toRemoting.words[claimed >> 2] = connectionId;
      toRemoting.commit(OutboundType.CLOSE, OutboundFrame.frameBytes);
    }
    return true;
  }
}
