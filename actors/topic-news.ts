/**
 * The coordinator's news, as lanes, dispatcher and others take them from their ring: topics, made, changed and deleted.
 * They come in order and before anything that needs them, because they travel on a ring and not by calls.
 */
import type { Ring } from '../runtime/memory/ring.js';
import { type KnownTopic, type TopicEntry, TopicSnapshot } from './topic-snapshot.js';

/** Record types of the news rings. */
export const NewsType = {
  /** An InboundFrame that was sent to the coordinator because it needed something: try it again now. */
  FRAME: 1,
  /** An InboundFrame of a reply that its producer has: store it and answer. */
  REPLY_PUSHED: 2,
  /** The same of a reply that did not reach its producer, whose sender has been told: store it and say nothing. */
  REPLY_UNDELIVERED: 3,
  /** JSON of a TopicEntry: new or changed. */
  TOPIC: 4,
  /** The name of a topic that is gone, UTF-8. */
  TOPIC_DELETED: 5,
  /** JSON of the room's settings. */
  SETTINGS: 6,
  /** JSON of a GroupEntry. */
  GROUP: 7,
  /** The name of a group that is gone, UTF-8. */
  GROUP_DELETED: 8,
  /** `expired` or `unused`: the files of consume queues that are to be deleted now. */
  CLEAN: 9,
  /** JSON of a TransactionProgress[] (transaction-checker/mailbox.ts), by queue id of the half topic. */
  TRANSACTION_PROGRESS: 10,
} as const;

const decoder = new TextDecoder();

export class TopicNews {
  readonly snapshot = new TopicSnapshot();
  readonly #ring: Ring;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /**
   * Takes all news of topics; `onOther` gets the rest and returns false to leave a record where it is. `onDeleted`
   * hears of topics that are gone.
   */
  drain(onOther?: (ring: Ring, at: number) => boolean, onDeleted?: (topic: KnownTopic) => void): number {
    const ring = this.#ring;
    let work = 0;
    for (let at = ring.poll(); at >= 0; at = ring.poll(), work++) {
      if (ring.type === NewsType.TOPIC) this.snapshot.put(parseTopicEntry(textOf(ring, at)));
      else if (ring.type === NewsType.TOPIC_DELETED) this.#delete(textOf(ring, at), onDeleted);
      else if (onOther !== undefined && !onOther(ring, at)) break;
      ring.release();
    }
    if (work > 0) ring.publishReleased();
    return work;
  }

  #delete(name: string, onDeleted: ((topic: KnownTopic) => void) | undefined): void {
    const topic = this.snapshot.get(name);
    if (topic === undefined) return;
    this.snapshot.delete(name);
    onDeleted?.(topic);
  }
}

/** The text of a record. */
export function textOf(ring: Ring, at: number): string {
  return decoder.decode(ring.bytes.slice(at, at + ring.length));
}

/** JSON of an entry. */
export function formatTopicEntry(entry: TopicEntry): string {
  return JSON.stringify({ ...entry, queueNumbers: [...entry.queueNumbers] });
}

function parseTopicEntry(text: string): TopicEntry {
  const entry = JSON.parse(text) as Omit<TopicEntry, 'queueNumbers'> & { queueNumbers: number[] };
  return { ...entry, queueNumbers: Int32Array.from(entry.queueNumbers) };
}
