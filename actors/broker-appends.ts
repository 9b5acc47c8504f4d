/**
 * Appends of a room that stores messages for the broker itself: its ring to the commit log writer, and the results that
 * come back, in the order of the requests. What is stored is in that order too: behind a refused request all others are
 * refused until the room has heard of it.
 */
import { ResponseCode } from '../protocol/codes.js';
import { assert } from '../runtime/base/assert.js';
import type { Doorbell } from '../runtime/memory/doorbell.js';
import type { Ring } from '../runtime/memory/ring.js';
import { AppendRequest, AppendType } from './commit-log-writer/mailbox.js';
import { AppendResult, join64 } from './remoting/mailbox.js';

export interface BrokerAppendsOptions {
  readonly toWriter: Ring;
  readonly writerBell: Doorbell;
  /** AppendResult records (remoting/mailbox.ts) from the writer. */
  readonly results: Ring;
  /** Most requests without a result. */
  readonly pendingMax: number;
}

/** What became of a request. `code` is a ResponseCode: SUCCESS, or why nothing of it is stored. */
export type AppendListener = (
  tag: number,
  code: number,
  queueOffset: number,
  physicalOffset: number,
  traceId: number,
) => void;

export class BrokerAppends {
  /** Requests without a result. */
  pending = 0;
  readonly #options: BrokerAppendsOptions;
  #asked = false;
  #attempt = 0;
  /** A request was refused and others of its attempt are on their way. */
  #refused = false;

  constructor(options: BrokerAppendsOptions) {
    this.#options = options;
  }

  /**
   * Room for a request whose record has at most `size` bytes; {@link at} says where the record is to be encoded in
   * {@link bytes}. False when there is none now, or when requests behind a refused one have no result yet.
   * Errors: asserts that such a record can fit the ring at all ({@link fits}).
   */
  claim(size: number): boolean {
    const { toWriter, pendingMax } = this.#options;
    assert(this.fits(size), 'the record fits the ring to the writer');
    if (this.#refused || this.pending >= pendingMax) return false;
    const claimed = toWriter.claim(AppendRequest.recordBytes + size);
    if (claimed < 0) return false;
    this.at = claimed + AppendRequest.recordBytes;
    return true;
  }

  at = 0;

  get bytes(): Uint8Array {
    return this.#options.toWriter.bytes;
  }

  fits(size: number): boolean {
    return AppendRequest.recordBytes + size <= this.#options.toWriter.payloadMax;
  }

  /**
   * Sends the record that was encoded from {@link at} to `end`. `tag` comes back with its result, and so does
   * `traceId`, that of the message it was made from.
   */
  commit(end: number, queueNumber: number, tag: number, traceId = 0): void {
    const { toWriter } = this.#options;
    const { words } = toWriter;
    const word = (this.at - AppendRequest.recordBytes) >> 2;
    words[word + AppendRequest.connectionId] = 0;
    words[word + AppendRequest.opaque] = tag;
    words[word + AppendRequest.flags] = 0;
    words[word + AppendRequest.queueNumber] = queueNumber;
    words[word + AppendRequest.queueId] = 0;
    words[word + AppendRequest.count] = 1;
    words[word + AppendRequest.size] = end - this.at;
    words[word + AppendRequest.arrivedMs] = 0;
    words[word + AppendRequest.companionQueue] = -1;
    words[word + AppendRequest.attempt] = this.#attempt;
    words[word + AppendRequest.traceId] = traceId;
    toWriter.commit(AppendType.REQUEST, AppendRequest.recordBytes + end - this.at);
    this.pending++;
    this.#asked = true;
  }

  /** Wakes the writer when there is something new for it: once a duty cycle. */
  ringWriter(): void {
    if (!this.#asked) return;
    this.#asked = false;
    this.#options.writerBell.ring();
  }

  /** Takes the results that are there; returns how many. */
  drain(listener: AppendListener): number {
    const { results } = this.#options;
    const { words } = results;
    let work = 0;
    for (let at = results.poll(); at >= 0; at = results.poll(), work++) {
      const word = at >> 2;
      const queueOffset = join64(
        words[word + AppendResult.queueOffsetLow]!,
        words[word + AppendResult.queueOffsetHigh]!,
      );
      const physicalOffset = join64(
        words[word + AppendResult.physicalOffsetLow]!,
        words[word + AppendResult.physicalOffsetHigh]!,
      );
      const code = words[word + AppendResult.code]!;
      this.pending--;
      if (code !== ResponseCode.SUCCESS) this.#refused = true;
      const traceId = words[word + AppendResult.traceId]!;
      listener(words[word + AppendResult.opaque]!, code, queueOffset, physicalOffset, traceId);
      results.release();
    }
    if (this.#refused && this.pending === 0) {
      this.#refused = false;
      this.#attempt++;
    }
    if (work > 0) results.publishReleased();
    return work;
  }
}
