/**
 * Sends news (actors/topic-news.ts) to lanes, dispatcher and others, in order. What a ring does not take is kept and
 * sent later, always before anything newer; a frame is given back only behind the news it was waiting for.
 */
import { DISCARD_TOPIC, HALF_TOPIC, OP_HALF_TOPIC } from '../../protocol/topic-names.js';
import { AssertionError } from '../../runtime/base/assert.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { GroupEntry } from '../group-snapshot.js';
import { formatTopicEntry, NewsType } from '../topic-news.js';
import type { TopicEntry } from '../topic-snapshot.js';
import type { TransactionProgress } from '../transaction-checker/mailbox.js';

/** A room that takes news. */
export interface NewsReader {
  readonly kind: 'sendLane' | 'pullLane' | 'dispatcher' | 'scheduler' | 'flushService' | 'transactionChecker';
  readonly ring: Ring;
  readonly bell: Doorbell;
  /** False for a lane that does not run yet: it is told all when it does. Always without it. */
  readonly runs?: () => boolean;
}

interface Waiting {
  readonly type: number;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

const transactionTopics: ReadonlySet<string> = new Set([HALF_TOPIC, OP_HALF_TOPIC, DISCARD_TOPIC]);

function takesTopic(reader: NewsReader, topic: string): boolean {
  if (reader.kind === 'transactionChecker') return transactionTopics.has(topic);
  return reader.kind !== 'flushService';
}

const takesGroups = ({ kind }: NewsReader): boolean => kind === 'pullLane' || kind === 'sendLane';

export class NewsDesk {
  readonly #onTooLarge: (reader: NewsReader, bytes: number) => void;
  readonly #readers: { readonly reader: NewsReader; readonly waiting: Waiting[] }[];

  /** `onTooLarge`: told of news that fits no ring, which its reader therefore never gets. */
  constructor(readers: readonly NewsReader[], onTooLarge: (reader: NewsReader, bytes: number) => void = () => {}) {
    this.#onTooLarge = onTooLarge;
    this.#readers = readers.map(reader => ({ reader, waiting: [] }));
  }

  topic(entry: TopicEntry): void {
    this.#tell(NewsType.TOPIC, encoder.encode(formatTopicEntry(entry)), reader => takesTopic(reader, entry.name));
  }

  /** Tells only the dispatcher: queues get entries although nobody may read them yet. */
  queues(entry: TopicEntry): void {
    const isDispatcher = (reader: NewsReader): boolean => reader.kind === 'dispatcher';
    this.#tell(NewsType.TOPIC, encoder.encode(formatTopicEntry(entry)), isDispatcher);
  }

  topicDeleted(name: string): void {
    this.#tell(NewsType.TOPIC_DELETED, encoder.encode(name), reader => takesTopic(reader, name));
  }

  group(entry: GroupEntry): void {
    this.#tell(NewsType.GROUP, encoder.encode(JSON.stringify(entry)), reader => reader.kind === 'pullLane');
    const config = encoder.encode(JSON.stringify({ ...entry, members: undefined }));
    this.#tell(NewsType.GROUP, config, reader => reader.kind === 'sendLane');
  }

  groupDeleted(name: string): void {
    this.#tell(NewsType.GROUP_DELETED, encoder.encode(name), takesGroups);
  }

  transactionProgress(progress: readonly TransactionProgress[]): void {
    const bytes = encoder.encode(JSON.stringify(progress));
    this.#tell(NewsType.TRANSACTION_PROGRESS, bytes, reader => reader.kind === 'transactionChecker');
  }

  /** Has the dispatcher delete files of consume queues: expired ones, or all of topics that are gone. */
  clean(what: 'expired' | 'unused'): void {
    this.#tell(NewsType.CLEAN, encoder.encode(what), reader => reader.kind === 'dispatcher');
  }

  settings(kind: NewsReader['kind'], settings: object): void {
    this.#tell(NewsType.SETTINGS, encoder.encode(JSON.stringify(settings)), reader => reader.kind === kind);
  }

  /** Gives a frame back to the lane it came from: the `index`-th of its kind. `type`: FRAME, or that of a reply. */
  frame(kind: NewsReader['kind'], index: number, bytes: Uint8Array, type: number = NewsType.FRAME): void {
    const lane = this.#readers.filter(({ reader }) => reader.kind === kind)[index];
    if (lane === undefined) throw new AssertionError(`there is no ${kind} ${index}`);
    this.#send(lane.reader, lane.waiting, { type, bytes });
  }

  /** Something waits for room. */
  get isWaiting(): boolean {
    return this.#readers.some(({ waiting }) => waiting.length > 0);
  }

  /** Sends what waits; returns how much went. */
  retry(): number {
    let sent = 0;
    for (const { reader, waiting } of this.#readers) {
      const before = waiting.length;
      while (waiting.length > 0 && reader.ring.offer(waiting[0]!.type, waiting[0]!.bytes)) waiting.shift();
      if (waiting.length === before) continue;
      sent += before - waiting.length;
      reader.bell.ring();
    }
    return sent;
  }

  #tell(type: number, bytes: Uint8Array, concerns: (reader: NewsReader) => boolean): void {
    for (const { reader, waiting } of this.#readers) {
      if (concerns(reader) && (reader.runs?.() ?? true)) this.#send(reader, waiting, { type, bytes });
    }
  }

  #send(reader: NewsReader, waiting: Waiting[], news: Waiting): void {
    if (news.bytes.length > reader.ring.payloadMax) return this.#onTooLarge(reader, news.bytes.length);
    if (waiting.length > 0 || !reader.ring.offer(news.type, news.bytes)) waiting.push(news);
    else reader.bell.ring();
  }
}
