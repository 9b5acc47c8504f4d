/**
 * A slave gets a topic's records before it gets the topic: its dispatcher asks the coordinator for numbers of the
 * record's queue, and nothing behind that record is dispatched before the answer, which comes as news of a topic.
 */
import { decodeUtf8 } from '../../protocol/header-view.js';
import { recordQueueId, recordTopicAt, topicLength, topicLengthSize } from '../../protocol/message-record.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { CoordinatorType } from '../coordinator/mailbox.js';
import { StoreState } from '../store-state.js';
import type { TopicSnapshot } from '../topic-snapshot.js';

const encoder = new TextEncoder();

export class QueueQuestion {
  readonly #toCoordinator: { readonly ring: Ring; readonly bell: Doorbell } | undefined;
  readonly #topics: TopicSnapshot;
  readonly #storeState: SharedFlags;
  #needed: { readonly topic: string; readonly queueId: number; asked: boolean } | undefined;

  /** `toCoordinator`: undefined while a store is opened; then nothing is asked. */
  constructor(
    toCoordinator: { readonly ring: Ring; readonly bell: Doorbell } | undefined,
    topics: TopicSnapshot,
    storeState: SharedFlags,
  ) {
    this.#toCoordinator = toCoordinator;
    this.#topics = topics;
    this.#storeState = storeState;
  }

  /** An answer is awaited. */
  get isOpen(): boolean {
    return this.#needed !== undefined;
  }

  /** The ring to the coordinator had no room: ask again soon. */
  get isUnasked(): boolean {
    return this.#needed?.asked === false;
  }

  /**
   * Whether the record at `at` must wait for an answer; it is asked for then. On a master a queue without a number is
   * one of a deleted topic. Hot.
   */
  mustWait(chunk: Uint8Array, at: number): boolean {
    if (this.#toCoordinator === undefined || !this.#storeState.has(StoreState.SLAVE)) return false;
    const topicAt = recordTopicAt(chunk, at);
    const lengthSize = topicLengthSize(chunk, at);
    const start = topicAt + lengthSize;
    const end = start + topicLength(chunk, topicAt, lengthSize);
    const queueId = recordQueueId(chunk, at);
    const known = this.#topics.find(chunk, start, end)?.queueNumbers;
    if (known !== undefined && queueId < known.length) return false;
    this.#needed = { topic: decodeUtf8(chunk, start, end), queueId, asked: false };
    this.look();
    return true;
  }

  /** Looks whether the answer is there, or asks when that was not possible yet; returns whether anything happened. */
  look(): number {
    const needed = this.#needed;
    if (needed === undefined) return 0;
    const { topic, queueId } = needed;
    const known = this.#topics.get(topic)?.queueNumbers;
    if (known !== undefined && queueId < known.length) {
      this.#needed = undefined;
      return 1;
    }
    if (needed.asked) return 0;
    const { ring, bell } = this.#toCoordinator!;
    needed.asked = ring.offer(CoordinatorType.QUEUE_NEEDED, encoder.encode(JSON.stringify({ topic, queueId })));
    if (needed.asked) bell.ring();
    return needed.asked ? 1 : 0;
  }
}
