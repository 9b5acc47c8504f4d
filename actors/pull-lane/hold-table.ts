/**
 * Pulls that found nothing and wait: by queue, so that a new message looks only at who waits for its queue, and by
 * deadline, so that thousands of them cost nothing while nothing happens.
 * Source: spec remoting 6.4; PullRequestHoldService.
 */
import type { SerializeType } from '../../protocol/codes.js';
import type { KnownTopic } from '../topic-snapshot.js';
import type { MessageFilter } from './message-filter.js';

/** What is needed to answer a held pull. */
export interface HeldPull {
  readonly connectionId: number;
  readonly opaque: number;
  readonly serializeType: SerializeType;
  readonly group: string;
  readonly topic: KnownTopic;
  readonly queueId: number;
  readonly queueNumber: number;
  readonly maxMsgNums: number;
  readonly filter: MessageFilter;
  /** It reads what the members of its group subscribe to, and did not say itself what it wants. */
  readonly byMembers: boolean;
  /** Grows past entries that do not match. */
  offset: number;
  /** Units: ms since the epoch. */
  readonly deadlineMs: number;
  /** Its deadline is sooner than its client asked: it has something to say. */
  readonly passedOver: boolean;
  /** It was answered. */
  done: boolean;
}

export class HoldTable {
  readonly #byQueue = new Map<number, Set<HeldPull>>();
  /** A binary heap by deadline; answered pulls are dropped when they reach its top. */
  readonly #heap: HeldPull[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(pull: HeldPull): void {
    const waiting = this.#byQueue.get(pull.queueNumber);
    if (waiting === undefined) this.#byQueue.set(pull.queueNumber, new Set([pull]));
    else waiting.add(pull);
    this.#push(pull);
    this.#size++;
  }

  remove(pull: HeldPull): void {
    if (pull.done) return;
    pull.done = true;
    this.#size--;
    const waiting = this.#byQueue.get(pull.queueNumber);
    waiting?.delete(pull);
    if (waiting?.size === 0) this.#byQueue.delete(pull.queueNumber);
    // Many answered pulls below the top would keep their memory: rebuild when they are the most.
    if (this.#heap.length > 64 && this.#heap.length > this.#size * 2) this.#compact();
  }

  /** Who waits for a queue; a copy, since answering removes. */
  of(queueNumber: number): HeldPull[] {
    return [...(this.#byQueue.get(queueNumber) ?? [])];
  }

  /** The held pull whose deadline is next, when it has passed. */
  expired(nowMs: number): HeldPull | undefined {
    this.#dropAnswered();
    const first = this.#heap[0];
    return first !== undefined && first.deadlineMs <= nowMs ? first : undefined;
  }

  /** Units: ms since the epoch; Infinity when nothing is held. */
  nextDeadlineMs(): number {
    this.#dropAnswered();
    return this.#heap[0]?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  #dropAnswered(): void {
    while (this.#heap.length > 0 && this.#heap[0]!.done) this.#pop();
  }

  #compact(): void {
    const waiting = this.#heap.filter(pull => !pull.done).sort((left, right) => left.deadlineMs - right.deadlineMs);
    this.#heap.length = 0;
    this.#heap.push(...waiting);
  }

  #push(pull: HeldPull): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(pull);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.deadlineMs <= pull.deadlineMs) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = pull;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.deadlineMs < heap[child]!.deadlineMs) child++;
      if (heap[child]!.deadlineMs >= last.deadlineMs) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
