/** What the transaction checker tells the coordinator: how far it is, and questions for producers. */
import { TRANSACTION_GROUP } from '../../protocol/topic-names.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import {
  CoordinatorType,
  type OffsetCommit,
  TransactionQuestion,
  type TransactionQuestionHead,
} from '../coordinator/mailbox.js';

const encoder = new TextEncoder();

export class Outbox {
  readonly #ring: Ring;
  readonly #bell: Doorbell;
  #told = false;

  constructor(toCoordinator: Ring, coordinatorBell: Doorbell) {
    this.#ring = toCoordinator;
    this.#bell = coordinatorBell;
  }

  /** Asks how far the last run came. Errors: false when the ring is full. */
  askProgress(): boolean {
    return this.#offer(CoordinatorType.TRANSACTION_PROGRESS_NEEDED, new Uint8Array(0));
  }

  /** Errors: false when the ring is full. */
  commit(topic: string, queueId: number, offset: number): boolean {
    const commit: OffsetCommit = { group: TRANSACTION_GROUP, topic, queueId, offset };
    return this.#offer(CoordinatorType.OFFSET_COMMIT, encoder.encode(JSON.stringify(commit)));
  }

  #offer(type: number, bytes: Uint8Array): boolean {
    if (!this.#ring.offer(type, bytes)) return false;
    this.#told = true;
    return true;
  }

  /**
   * Has a question asked; `encode` writes the message, of at most `sizeMax` bytes, and returns the position after it.
   * Errors: `full` when there is no room now, `tooLarge` when there never is.
   */
  ask(
    head: TransactionQuestionHead,
    sizeMax: number,
    encode: (target: Uint8Array, at: number) => number,
  ): 'asked' | 'full' | 'tooLarge' {
    const ring = this.#ring;
    const headBytes = encoder.encode(JSON.stringify(head));
    const messageAt = TransactionQuestion.headBytes + headBytes.length;
    if (messageAt + sizeMax > ring.payloadMax) return 'tooLarge';
    const at = ring.claim(messageAt + sizeMax);
    if (at < 0) return 'full';
    ring.bytes.set(headBytes, at + TransactionQuestion.headBytes);
    const end = encode(ring.bytes, at + messageAt);
    const word = at >> 2;
    ring.words[word + TransactionQuestion.headSize] = headBytes.length;
    ring.words[word + TransactionQuestion.messageSize] = end - at - messageAt;
    ring.commit(CoordinatorType.TRANSACTION_QUESTION, end - at);
    this.#told = true;
    return 'asked';
  }

  /** Wakes the coordinator when there is something new for it: once a duty cycle. */
  ringCoordinator(): void {
    if (!this.#told) return;
    this.#told = false;
    this.#bell.ring();
  }
}
