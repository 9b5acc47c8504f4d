/**
 * Where the results of appends go: remoting for what clients sent, or the room that asked. Hot.
 *
 * Room for a result is reserved before its request is taken, so a stored message always gets its result.
 */
import { ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import { recordTotalSize } from '../../protocol/message-record.js';
import { align8 } from '../../runtime/base/units.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { AppendFlag, AppendResult, high32, low32, OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import type { StagedAppends } from './staged-appends.js';

/** Framing of a ring's record. Units: bytes. */
const RECORD_FRAMING = 16;

export interface ResultOutletOptions {
  readonly ring: Ring;
  readonly bell: Doorbell;
  /** Remoting passes refusals on to clients as they are: they are frames. A room gets a result with their code. */
  readonly takesFrames: boolean;
  readonly regionId: string;
}

export class ResultOutlet {
  readonly #options: ResultOutletOptions;
  /** Bytes that the results of staged requests will need. */
  #reserved = 0;
  #rung = true;

  constructor(options: ResultOutletOptions) {
    this.#options = options;
  }

  /** Keeps room for the result of a request of `count` records. False when there is none. */
  reserve(count: number): boolean {
    const needed = RECORD_FRAMING + align8((AppendResult.sizes + count) * 4);
    const { ring } = this.#options;
    if (ring.depthBytes() + this.#reserved + needed > ring.payloadMax) return false;
    this.#reserved += needed;
    return true;
  }

  /** All results of what was reserved are sent. */
  settle(): void {
    this.#reserved = 0;
  }

  /** Wakes who reads the results, when there are new ones. */
  ringBell(): void {
    if (this.#rung) return;
    this.#rung = true;
    this.#options.bell.ring();
  }

  /** The result of the `index`-th staged request, whose first record stands at `recordAt` of `records`. */
  send(staged: StagedAppends, index: number, records: Uint8Array, recordAt: number): void {
    const { ring } = this.#options;
    const count = staged.recordCount[index]!;
    const sizesCount = count > 1 ? count : 0;
    const length = (AppendResult.sizes + sizesCount) * 4;
    const word = this.#begin(staged, index, length, ResponseCode.SUCCESS);
    let at = recordAt;
    for (let record = 0; record < sizesCount; record++) {
      const size = recordTotalSize(records, at);
      ring.words[word + AppendResult.sizes + record] = size;
      at += size;
    }
    this.#commit(OutboundType.APPEND_RESULT, length);
  }

  #begin(staged: StagedAppends, index: number, length: number, code: number): number {
    const { ring } = this.#options;
    const word = ring.claim(length) >> 2;
    const { words } = ring;
    const queueOffset = staged.queueOffset[index]!;
    const physicalOffset = staged.physicalOffset[index]!;
    words[word + AppendResult.connectionId] = staged.connectionId[index]!;
    words[word + AppendResult.opaque] = staged.opaque[index]!;
    words[word + AppendResult.flags] = staged.flags[index]!;
    words[word + AppendResult.code] = code;
    words[word + AppendResult.queueId] = staged.queueId[index]!;
    words[word + AppendResult.count] = staged.recordCount[index]!;
    words[word + AppendResult.queueOffsetLow] = low32(queueOffset);
    words[word + AppendResult.queueOffsetHigh] = high32(queueOffset);
    words[word + AppendResult.physicalOffsetLow] = low32(physicalOffset);
    words[word + AppendResult.physicalOffsetHigh] = high32(physicalOffset);
    words[word + AppendResult.size] = staged.size[index]!;
    words[word + AppendResult.arrivedMs] = staged.arrivedMs[index]!;
    words[word + AppendResult.traceId] = staged.traceId[index]!;
    return word;
  }

  #commit(type: number, length: number): void {
    this.#options.ring.commit(type, length);
    this.#rung = false;
  }

  /** Nothing of the `index`-th staged request is stored, and `remark` says why. */
  refuse(staged: StagedAppends, index: number, remark: string): void {
    const { ring, takesFrames, regionId } = this.#options;
    if (!takesFrames) {
      const length = AppendResult.sizes * 4;
      this.#begin(staged, index, length, ResponseCode.SERVICE_NOT_AVAILABLE);
      return this.#commit(OutboundType.APPEND_RESULT, length);
    }
    const flags = staged.flags[index]!;
    const request = { opaque: staged.opaque[index]!, serializeType: (flags & AppendFlag.BINARY) as 0 | 1 };
    const fields = { MSG_REGION: regionId, TRACE_ON: true };
    const response = createResponse(request, ResponseCode.SERVICE_NOT_AVAILABLE, remark, fields);
    const frame = (flags & AppendFlag.ONEWAY) !== 0 ? undefined : encodeCommand(response);
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const at = ring.claim(length);
    // The room that was kept free is that of a result; a refusal is longer. When it does not fit, the permit comes back
    // alone.
    if (at < 0) return this.#returnPermit(staged.connectionId[index]!);
    ring.words[at >> 2] = staged.connectionId[index]!;
    if (frame !== undefined) ring.bytes.set(frame, at + OutboundFrame.frameBytes);
    this.#commit(OutboundType.SEND_REFUSED, length);
  }

  #returnPermit(connectionId: number): void {
    const { ring } = this.#options;
    const at = ring.claim(OutboundFrame.frameBytes);
    ring.words[at >> 2] = connectionId;
    this.#commit(OutboundType.SEND_REFUSED, OutboundFrame.frameBytes);
  }
}
