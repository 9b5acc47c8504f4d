/**
 * Room card: dispatcher
 *
 * Purpose   follows the log and builds the consume queues and the key index. It re-reads the log rather than being told
 *           by the writer, so a master, a slave and a restart share one path and there is no ring to overflow.
 * Thread    a worker, blocking; or inline.
 * Reads     position appended, the log; topics from the coordinator.
 * Writes    consume queues, the key index, the checkpoint; position dispatched; the queue table; word of new entries to
 *           pull lanes that hold; rings the scheduler when there are new delayed messages; on a slave, questions for
 *           numbers of unknown queues to the coordinator.
 * When full word that a pull lane's ring does not take is kept and told later.
 * Fails     a failed write is tried again every second and refuses sends meanwhile (DISPATCH_FAILED); a broken
 *           assertion restarts the actor: what it had dispatched is skipped by offset.
 */

import { getU16 } from '../../protocol/bytes.js';
import { MessageSysFlag } from '../../protocol/codes.js';
import { decodeUtf8 } from '../../protocol/header-view.js';
import {
  BLANK_MAGIC,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  recordMagic,
  recordPhysicalOffset,
  recordQueueId,
  recordQueueOffset,
  recordStoreTimestamp,
  recordSysFlag,
  recordTopicAt,
  recordTotalSize,
  topicLength,
} from '../../protocol/message-record.js';
import { PropertyRanges } from '../../protocol/property-ranges.js';
import { SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { assert } from '../../runtime/base/assert.js';
import { RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueWriter } from '../../storage/consume-queue.js';
import type { MessageIndexWriter } from '../../storage/message-index.js';
import type { QueueTable } from '../queue-table.js';
import type { QueueTraffic } from '../queue-traffic.js';
import { high32, low32 } from '../remoting/mailbox.js';
import { StoreState } from '../store-state.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import type { KnownTopic } from '../topic-snapshot.js';
import { dueTimeOf } from './due-time.js';
import { QueueFlusher, type QueueFlusherConfig, type QueueFlusherOptions } from './queue-flusher.js';
import { QueueQuestion } from './queue-question.js';
import type { QueueRetirer } from './queue-retirer.js';

export interface DispatcherOptions {
  readonly reader: CommitLogReader;
  /** Topics from the coordinator (actors/topic-news.ts). */
  readonly news: Ring;
  readonly positions: Positions;
  readonly table: QueueTable;
  /** What was stored, for statistics; not while a store is being opened. */
  readonly traffic?: QueueTraffic;
  /** Makes the writer of one queue, whose next entry is `nextOffset`. */
  readonly openQueue: (topic: string, queueId: number, nextOffset: number) => ConsumeQueueWriter;
  /** Where a slave asks for the numbers of queues whose topic it does not know yet; not while a store is opened. */
  readonly toCoordinator?: { readonly ring: Ring; readonly bell: Doorbell };
  /** Numbers a queue that no news told of: while a store is opened nobody sends news yet. */
  readonly numberOf?: (topic: string, queueId: number) => number;
  /** Pull lanes: a ring of queue numbers and a bell each. */
  readonly pullLanes: { readonly ring: Ring; readonly bell: Doorbell }[];
  /** How many of them run; all without it. */
  readonly pullLanesStarted?: () => number;
  /** Delays of levels 1, 2, ... Units: ms. */
  readonly delayLevelsMs: readonly number[];
  /** Rung when a queue of the schedule topic grew; not while a store is being opened. */
  readonly schedulerBell?: Doorbell;
  readonly storeState: SharedFlags;
  readonly counters: Counters;
  /** Not while a store is being opened. */
  readonly recorder?: FlightRecorder;
  readonly log: Logger;
  readonly flusher: Omit<QueueFlusherOptions, 'queues'>;
  /** Brings queues in line when the log's oldest files went; not while a store is being opened. */
  readonly retirer?: QueueRetirer;
  /** Undefined when messageIndexEnable is off. */
  readonly index?: MessageIndexWriter | undefined;
}

const CHUNK_SIZE = 256 * 1024;
/** A backlog below this waits for the next millisecond: entries are written in runs. Units: bytes. */
const SMALL_BACKLOG = 64 * 1024;
const RETRY_MS = 1000;
/** When a question that found its ring full is asked again. Units: ms. */
const ASK_AGAIN_MS = 5;

interface OpenQueue {
  readonly number: number;
  readonly writer: ConsumeQueueWriter;
  /** It is of the schedule topic. */
  readonly isSchedule: boolean;
  dirty: boolean;
}

export class Dispatcher implements Actor {
  readonly name = 'dispatcher';
  readonly #options: DispatcherOptions;
  readonly #topics: TopicNews;
  readonly #queues = new Map<number, OpenQueue>();
  readonly #dirty: OpenQueue[] = [];
  readonly #untold = new Set<number>();
  /** Writers of queues whose topic is gone, until they can be closed. */
  readonly #abandoned: ConsumeQueueWriter[] = [];
  /** Queues whose files went with their topic. */
  readonly #emptied = new Set<number>();
  readonly #flusher: QueueFlusher;
  readonly #properties = new PropertyRanges();
  #chunk = new Uint8Array(CHUNK_SIZE);
  #position: number;
  #minimum: number;
  #lastWorkMs = 0;
  #retryMs = 0;
  /** Entries gathered and not counted yet. */
  #gathered = 0;
  readonly #question: QueueQuestion;
  #waitingUntilMs = Number.POSITIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#topics = new TopicNews(options.news);
    this.#question = new QueueQuestion(options.toCoordinator, this.#topics.snapshot, options.storeState);
    this.#position = options.positions.read('dispatched');
    this.#minimum = options.positions.read('minimum');
    this.#flusher = new QueueFlusher({ ...options.flusher, queues: () => this.#queues.values() });
  }

  doWork(nowMs: number): number {
    this.#waitingUntilMs = Number.POSITIVE_INFINITY;
    // Before the news: that of a message's topic was sent before the message was appended, so whatever is up to here
    // has its topic among the news that are there by now.
    const appended = this.#options.positions.read('appended');
    let work = this.#topics.drain(this.#onNews, this.#onTopicDeleted);
    this.#closeAbandoned();
    work += this.#question.look();
    work += this.#tellLanes();
    work += this.#followMinimum();
    work += this.#flusher.doWork(nowMs, this.#position);
    if (this.#retryMs > nowMs) return work;
    this.#beginAtMinimum(appended);
    const backlog = appended - this.#position;
    if (backlog === 0 || this.#question.isOpen) {
      this.#writeIndex(nowMs);
      return work;
    }
    if (nowMs === this.#lastWorkMs && backlog < SMALL_BACKLOG) {
      this.#waitingUntilMs = nowMs + 1;
      return work;
    }
    this.#lastWorkMs = nowMs;
    return work + this.#dispatch(appended, nowMs);
  }

  deadlineMs(): number {
    const retryMs = this.#retryMs > 0 ? this.#retryMs : Number.POSITIVE_INFINITY;
    const indexMs = this.#options.index?.dueMs ?? Number.POSITIVE_INFINITY;
    if (this.#question.isUnasked) return this.#lastWorkMs + ASK_AGAIN_MS;
    return Math.min(this.#waitingUntilMs, retryMs, indexMs, this.#flusher.deadlineMs());
  }

  close(): void {
    this.#flusher.finish(this.#position);
    this.#options.index?.close();
    for (const { writer } of this.#queues.values()) writer.close();
    for (const writer of this.#abandoned) writer.close();
    this.#options.reader.close();
  }

  readonly #onNews = (ring: Ring, at: number): boolean => {
    if (ring.type === NewsType.SETTINGS) this.#flusher.config = JSON.parse(textOf(ring, at)) as QueueFlusherConfig;
    if (ring.type === NewsType.CLEAN) this.#clean(textOf(ring, at));
    return true;
  };

  /** What an administrator asked for. A disk that refuses is no reason to stop dispatching. */
  #clean(what: string): void {
    const { retirer, positions, log } = this.#options;
    if (retirer === undefined) return;
    try {
      const topics = this.#topics.snapshot;
      if (what === 'expired') this.#retire(positions.read('minimum'));
      else log.info({ topics: retirer.removeUnknown(topics) }, 'consume queues of topics that are gone are deleted');
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      log.warn({ err: error, what }, 'consume queues could not be cleaned');
    }
  }

  /**
   * Nobody reads the topic any more: its queues go. Their numbers and offsets go on if it is made again, so that what
   * is still under way finds its place.
   */
  readonly #onTopicDeleted = (topic: KnownTopic): void => {
    const { table, retirer, log } = this.#options;
    if (retirer === undefined) return;
    for (const number of topic.queueNumbers) {
      const queue = this.#queues.get(number);
      if (queue !== undefined) {
        this.#queues.delete(number);
        this.#abandoned.push(queue.writer);
        if (queue.dirty) this.#dirty.splice(this.#dirty.indexOf(queue), 1);
      }
      this.#emptied.add(number);
      table.publishMin(number, table.max(number));
    }
    try {
      retirer.remove(topic.name);
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      log.warn({ err: error, topic: topic.name }, 'consume queues of a deleted topic could not be deleted');
    }
  };

  /** A file that is being synced must stay open until that is over. */
  #closeAbandoned(): void {
    if (this.#abandoned.length === 0 || this.#flusher.isSyncing) return;
    for (const writer of this.#abandoned) writer.close();
    this.#abandoned.length = 0;
  }

  #followMinimum(): number {
    const { positions, retirer, reader } = this.#options;
    const minimum = positions.read('minimum');
    if (minimum === this.#minimum || retirer === undefined) return 0;
    this.#minimum = minimum;
    reader.closeBefore(minimum);
    this.#retire(minimum);
    return 1;
  }

  /** The log of a slave that was empty begins where its master's newest file does. */
  #beginAtMinimum(appended: number): void {
    const { positions } = this.#options;
    const minimum = positions.read('minimum');
    if (this.#position >= minimum || appended < minimum) return;
    this.#position = minimum;
    positions.publish('dispatched', minimum);
  }

  #retire(minimum: number): void {
    const { retirer, index, log } = this.#options;
    const files = retirer?.retire(this.#topics.snapshot, minimum) ?? 0;
    const indexFiles = index?.retire(minimum) ?? 0;
    if (files + indexFiles === 0) return;
    log.info({ files, indexFiles, minimum }, 'expired files of consume queues and index are deleted');
  }

  /** What the index gathered and did not write yet, when its time has come. */
  #writeIndex(nowMs: number): void {
    const { index } = this.#options;
    if (index === undefined || nowMs < index.dueMs) return;
    try {
      index.write(nowMs, false);
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.#onDiskFault(error, nowMs);
    }
  }

  /** Follows the log until `appended`, at most one chunk; 0 when the disk refused, then it is tried again later. */
  #dispatch(appended: number, nowMs: number): number {
    const { positions, counters } = this.#options;
    let at: number;
    try {
      at = this.#gather(appended);
      for (const queue of this.#dirty) queue.writer.write();
      this.#options.index?.write(nowMs, false);
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      return this.#onDiskFault(error, nowMs);
    }
    const scheduled = this.#publishQueues();
    this.#position += at;
    positions.publish('dispatched', this.#position);
    if (scheduled) this.#options.schedulerBell?.ring();
    counters.add(Counter.unitsDispatched, this.#gathered);
    const { recorder } = this.#options;
    if (recorder?.isOn) recorder.note(TraceEvent.dispatched, 0, this.#position, this.#gathered);
    this.#gathered = 0;
    return 1;
  }

  /** Gathers the entries of one chunk of the log; returns how many bytes they took. */
  #gather(appended: number): number {
    const wanted = Math.min(this.#chunk.length, appended - this.#position);
    const length = this.#options.reader.read(this.#chunk, 0, wanted, this.#position);
    assert(length > 0, 'the log is readable up to the appended position');
    let at = 0;
    while (at + 8 <= length) {
      const size = recordTotalSize(this.#chunk, at);
      if (recordMagic(this.#chunk, at) === BLANK_MAGIC) return at + size;
      if (size > length - at) {
        this.#growFor(size);
        break;
      }
      if (this.#question.mustWait(this.#chunk, at)) break;
      this.#gathered += this.#onRecord(at, size);
      at += size;
    }
    return at;
  }

  #onDiskFault(error: RingError, nowMs: number): number {
    const { storeState, log } = this.#options;
    if (storeState.set(StoreState.DISPATCH_FAILED)) log.error({ err: error }, 'consume queues cannot be built');
    this.#retryMs = nowMs + RETRY_MS;
    return 0;
  }

  #growFor(size: number): void {
    if (size > this.#chunk.length) this.#chunk = new Uint8Array(size);
    else if (this.#chunk.length > CHUNK_SIZE && size <= CHUNK_SIZE) this.#chunk = new Uint8Array(CHUNK_SIZE);
  }

  #onRecord(at: number, size: number): number {
    const chunk = this.#chunk;
    const magic = recordMagic(chunk, at);
    assert(
      magic === MESSAGE_MAGIC_V1 || magic === MESSAGE_MAGIC_V2,
      'the log holds records up to the appended position',
    );
    const sysFlag = recordSysFlag(chunk, at);
    this.#flusher.storeTimestampMs = recordStoreTimestamp(chunk, at);
    const transaction = sysFlag & MessageSysFlag.TRANSACTION_MASK;
    const physicalOffset = recordPhysicalOffset(chunk, at);
    const topicAt = recordTopicAt(chunk, at);
    const topicStart = topicAt + (magic === MESSAGE_MAGIC_V2 ? 2 : 1);
    const topicEnd = topicStart + topicLength(chunk, topicAt, topicStart - topicAt);
    const properties = this.#properties;
    properties.find(chunk, topicEnd + 2, topicEnd + 2 + getU16(chunk, topicEnd));
    if (transaction !== MessageSysFlag.TRANSACTION_ROLLBACK) {
      const { storeTimestampMs } = this.#flusher;
      this.#options.index?.putRecord(chunk, topicStart, topicEnd, properties, physicalOffset, storeTimestampMs);
    }
    if (transaction === MessageSysFlag.TRANSACTION_PREPARED || transaction === MessageSysFlag.TRANSACTION_ROLLBACK)
      return 0;
    const queue = this.#queueOf(topicStart, topicEnd, recordQueueId(chunk, at));
    if (queue === undefined) return 0;
    if (!this.#appendEntry(queue, at, size, physicalOffset, topicEnd + 2)) return 0;
    this.#options.traffic?.add(queue.number, size);
    if (!queue.dirty) {
      queue.dirty = true;
      this.#dirty.push(queue);
    }
    return 1;
  }

  #appendEntry({ writer, isSchedule }: OpenQueue, at: number, size: number, position: number, from: number): boolean {
    const chunk = this.#chunk;
    const offset = recordQueueOffset(chunk, at);
    if (isSchedule) {
      const { delayLevelsMs } = this.#options;
      const dueMs = dueTimeOf(chunk, from, at + size, this.#flusher.storeTimestampMs, delayLevelsMs);
      if (dueMs >= 0) return writer.append(offset, position, size, high32(dueMs), low32(dueMs));
    }
    const tags = this.#properties.tagsCode(chunk);
    return writer.append(offset, position, size, tags >> 31, tags);
  }

  /** Undefined for a topic that was deleted since: nobody can read its entries. */
  #queueOf(start: number, end: number, queueId: number): OpenQueue | undefined {
    const chunk = this.#chunk;
    const topic = this.#topics.snapshot.find(chunk, start, end);
    const number = topic?.queueNumbers[queueId] ?? this.#options.numberOf?.(decodeUtf8(chunk, start, end), queueId);
    if (number === undefined || number < 0) return undefined;
    const known = this.#queues.get(number);
    if (known !== undefined) return known;
    // Without files the first entry says where the queue begins.
    const nextOffset = this.#emptied.delete(number) ? 0 : this.#options.table.max(number);
    const name = topic?.name ?? decodeUtf8(chunk, start, end);
    const writer = this.#options.openQueue(name, queueId, nextOffset);
    const queue = { number, writer, isSchedule: name === SCHEDULE_TOPIC, dirty: false };
    this.#queues.set(number, queue);
    return queue;
  }

  /** Makes what was written readable and says who waits for it; returns whether there are new delayed messages. */
  #publishQueues(): boolean {
    const { table, storeState, log } = this.#options;
    let scheduled = false;
    if (this.#retryMs > 0) {
      this.#retryMs = 0;
      storeState.clear(StoreState.DISPATCH_FAILED);
      log.info({}, 'consume queues can be built again');
    }
    for (const queue of this.#dirty) {
      queue.dirty = false;
      const { startOffset, writtenOffset } = queue.writer;
      if (startOffset > table.min(queue.number)) table.publishMin(queue.number, startOffset);
      table.publishMax(queue.number, writtenOffset);
      scheduled ||= queue.isSchedule;
      if (table.isAwaited(queue.number)) this.#untold.add(queue.number);
    }
    this.#dirty.length = 0;
    this.#tellLanes();
    return scheduled;
  }

  /** Tells pull lanes which awaited queues grew. */
  #tellLanes(): number {
    if (this.#untold.size === 0) return 0;
    const { pullLanes: all, pullLanesStarted } = this.#options;
    const pullLanes = all.slice(0, pullLanesStarted?.() ?? all.length);
    for (const number of this.#untold) {
      for (const { ring } of pullLanes) if (ring.payloadMax < ring.depthBytes() + 16) return 0;
      for (const { ring } of pullLanes) {
        const at = ring.claim(4);
        ring.words[at >> 2] = number;
        ring.commit(1, 4);
      }
      this.#untold.delete(number);
    }
    for (const { bell } of pullLanes) bell.ring();
    return 1;
  }
}
