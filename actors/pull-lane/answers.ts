/** Writes a pull lane's answers into remoting's ring. Hot for what was found, cold for refusals. */
import { CommandFlag, ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import type { HeaderView } from '../../protocol/header-view.js';
import { recordPhysicalOffset, recordTotalSize } from '../../protocol/message-record.js';
import { PULL_RESPONSE_HEADER_MAX, putPullResponse } from '../../protocol/pull-response.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { GroupCounts } from '../group-counts.js';
import { OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import type { SpanNotes } from '../span-notes.js';
import type { Fetcher } from './fetcher.js';
import type { PullRefusal } from './subscription-rules.js';

/** Every method answers false when remoting has no room; the request then stays where it is. */
export class PullAnswers {
  /** Something was written since this was last cleared. */
  pending = false;
  readonly #ring: Ring;
  readonly #counters: Counters;
  readonly #groups: GroupCounts;
  readonly #recorder: FlightRecorder;
  readonly #notes: SpanNotes | undefined;

  constructor(
    ring: Ring,
    counters: Counters,
    groups: GroupCounts,
    recorder: FlightRecorder,
    notes: SpanNotes | undefined,
  ) {
    this.#ring = ring;
    this.#counters = counters;
    this.#groups = groups;
    this.#recorder = recorder;
    this.#notes = notes;
  }

  /** What the fetcher found for a group in a topic. */
  found(
    fetcher: Fetcher,
    connectionId: number,
    opaque: number,
    serializeType: number,
    topic: string,
    group: string,
  ): boolean {
    const ring = this.#ring;
    const claimed = ring.claim(OutboundFrame.frameBytes + PULL_RESPONSE_HEADER_MAX + fetcher.size);
    if (claimed < 0) return false;
    const frameAt = claimed + OutboundFrame.frameBytes;
    let bodyAt = putPullResponse(ring.bytes, frameAt, serializeType, opaque, fetcher.outcome, fetcher.size);
    let end = fetcher.copyTo(ring.bytes, bodyAt);
    if (end - bodyAt !== fetcher.size) {
      // Some were retired meanwhile: the header must tell the true length.
      const size = end - bodyAt;
      if (size === 0) {
        fetcher.outcome.code = ResponseCode.PULL_RETRY_IMMEDIATELY;
        fetcher.outcome.remark = 'MESSAGE_WAS_REMOVING';
      }
      bodyAt = putPullResponse(ring.bytes, frameAt, serializeType, opaque, fetcher.outcome, size);
      end = fetcher.copyTo(ring.bytes, bodyAt);
    }
    if (this.#notes !== undefined) this.#note(this.#notes, ring.bytes, bodyAt, end, group, fetcher);
    ring.words[claimed >> 2] = connectionId;
    ring.commit(OutboundType.FRAME, end - claimed);
    this.pending = true;
    this.#count(topic, group, fetcher.count, end - bodyAt);
    if (this.#recorder.isOn && fetcher.count > 0) {
      const { offset, queueNumber, outcome } = fetcher;
      this.#recorder.note(TraceEvent.pulled, 0, offset, queueNumber, outcome.nextBeginOffset - offset);
    }
    return true;
  }

  /** Each message handed out that its sender traces. */
  #note(notes: SpanNotes, bytes: Uint8Array, start: number, end: number, group: string, { startedMs }: Fetcher): void {
    const tookMs = performance.now() - startedMs;
    for (let at = start; at < end; at += recordTotalSize(bytes, at)) {
      notes.delivered(bytes, at, recordPhysicalOffset(bytes, at), group, tookMs);
    }
  }

  #count(topic: string, group: string, messages: number, bytes: number): void {
    const counters = this.#counters;
    if (bytes === 0) return counters.add(Counter.pullsMissed);
    counters.add(Counter.pullsFound);
    counters.add(Counter.messagesPulled, messages);
    counters.add(Counter.bytesPulled, bytes);
    this.#groups.add(topic, group, messages, bytes);
  }

  /** A oneway request hears nothing. */
  refuse(header: HeaderView, connectionId: number, refusal: PullRefusal): boolean {
    if ((header.flag & CommandFlag.ONEWAY) !== 0) return true;
    return this.frame(connectionId, encodeCommand(createResponse(header, refusal.code, refusal.remark)));
  }

  frame(connectionId: number, frame: Uint8Array): boolean {
    const ring = this.#ring;
    const claimed = ring.claim(OutboundFrame.frameBytes + frame.length);
    if (claimed < 0) return false;
    ring.words[claimed >> 2] = connectionId;
    ring.bytes.set(frame, claimed + OutboundFrame.frameBytes);
    ring.commit(OutboundType.FRAME, OutboundFrame.frameBytes + frame.length);
    this.pending = true;
    return true;
  }

  close(connectionId: number): boolean {
    const ring = this.#ring;
    const claimed = ring.claim(4);
    if (claimed < 0) return false;
    ring.words[claimed >> 2] = connectionId;
    ring.commit(OutboundType.CLOSE, 4);
    this.pending = true;
    return true;
  }
}
