/**
 * What rooms of the message path tell the telemetry room of a message that its sender traces: which one, and when.
 * Only where key otlpEndpoint is set; hot for looking, one note for a message that is traced. A full ring loses the
 * note, and counts it: a message never waits for its span.
 */
import {
  type ByteRange,
  findProperty,
  propertyPrefix,
  recordPropertiesSize,
  recordPropertiesStart,
  recordTotalSize,
} from '../protocol/message-record.js';
import type { Clock } from '../runtime/base/clock.js';
import { Counter, type Counters } from '../runtime/memory/counters.js';
import type { Doorbell } from '../runtime/memory/doorbell.js';
import type { Ring } from '../runtime/memory/ring.js';
import { elapsedMs } from './inbound.js';
import { high32, low32 } from './remoting/mailbox.js';
import { Note, NoteType } from './telemetry/mailbox.js';

const TRACEPARENT = propertyPrefix('traceparent');
/** `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`: a later version may have more behind it. */
const TRACEPARENT_SIZE_MIN = 55;
const found: ByteRange = { start: 0, end: 0 };

/**
 * Whether one of the records in `bytes[start, end)` has a property traceparent whose sender records its trace. Whether
 * it is well formed is for the telemetry room to see.
 */
export function joinsTrace(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += recordTotalSize(bytes, at)) if (recordJoinsTrace(bytes, at)) return true;
  return false;
}

function recordJoinsTrace(bytes: Uint8Array, at: number): boolean {
  const properties = recordPropertiesStart(bytes, at);
  const end = properties + recordPropertiesSize(bytes, properties);
  if (!findProperty(bytes, properties, end, TRACEPARENT, found)) return false;
  // The flags' last digit: the lowest bit says that the sender records.
  return found.end - found.start >= TRACEPARENT_SIZE_MIN && isOddDigit(bytes[found.start + TRACEPARENT_SIZE_MIN - 1]!);
}

/** Of hex digits the odd ones have odd codes, but for b, d and f. */
function isOddDigit(code: number): boolean {
  return code >= 0x61 ? (code & 1) === 0 : (code & 1) === 1;
}

export interface SpanNotesOptions {
  readonly ring: Ring;
  readonly bell: Doorbell;
  /** Of the room that notes. */
  readonly counters: Counters;
  readonly clock: Clock;
}

export class SpanNotes {
  readonly #options: SpanNotesOptions;
  readonly #encoder = new TextEncoder();
  #anchorMs = 0;

  constructor(options: SpanNotesOptions) {
    this.#options = options;
  }

  /** A send is answered. `arrivedLow`: low 32 bits of when it arrived, in ms. */
  stored(physicalOffset: number, size: number, arrivedLow: number, code: number): void {
    const nowMs = this.#options.clock.nowMs();
    const startUs = (nowMs - elapsedMs(arrivedLow, nowMs)) * 1000;
    const at = this.#begin(Note.groupBytes, physicalOffset, size, startUs);
    if (at < 0) return;
    this.#options.ring.words[(at >> 2) + Note.code] = code;
    this.#commit(NoteType.STORED, Note.groupBytes);
  }

  /** The record at `at` of `bytes` is handed to a group, if its sender traces it; looking for it took `tookMs`. */
  delivered(bytes: Uint8Array, at: number, physicalOffset: number, group: string, tookMs: number): void {
    if (!recordJoinsTrace(bytes, at)) return;
    const name = this.#encoder.encode(group);
    const length = Note.groupBytes + name.length;
    const claimed = this.#begin(length, physicalOffset, recordTotalSize(bytes, at), this.#nowUs() - tookMs * 1000);
    if (claimed < 0) return;
    this.#options.ring.bytes.set(name, claimed + Note.groupBytes);
    this.#commit(NoteType.DELIVERED, length);
  }

  #begin(length: number, physicalOffset: number, size: number, startUs: number): number {
    const { ring, counters } = this.#options;
    const claimed = ring.claim(length);
    if (claimed < 0) {
      counters.add(Counter.spansDropped);
      return -1;
    }
    const { words } = ring;
    const word = claimed >> 2;
    const start = Math.round(startUs);
    const end = Math.max(start, Math.round(this.#nowUs()));
    words[word + Note.physicalOffsetLow] = low32(physicalOffset);
    words[word + Note.physicalOffsetHigh] = high32(physicalOffset);
    words[word + Note.size] = size;
    words[word + Note.startLow] = low32(start);
    words[word + Note.startHigh] = high32(start);
    words[word + Note.endLow] = low32(end);
    words[word + Note.endHigh] = high32(end);
    words[word + Note.code] = 0;
    return claimed;
  }

  #commit(type: number, length: number): void {
    this.#options.ring.commit(type, length);
    this.#options.bell.ring();
  }

  /** The steady clock, which is finer, set by the clock that arrivals are told by. Units: us. */
  #nowUs(): number {
    const { clock } = this.#options;
    const coarseMs = clock.nowMs();
    const steadyMs = clock.monotonicMs();
    if (Math.abs(this.#anchorMs + steadyMs - coarseMs) > 1) this.#anchorMs = coarseMs - steadyMs;
    return Math.max(coarseMs, this.#anchorMs + steadyMs) * 1000;
  }
}
