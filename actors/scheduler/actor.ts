/**
 * Room card: scheduler
 *
 * Purpose   delivers delayed messages: follows the queues of the schedule topic, one a delay level, and appends each
 *           message to its real queue when it is due, in the order of the level.
 * Thread    that of the followers; a worker of its own in dedicated mode; or inline.
 * Reads     position dispatched, the queue table, the level queues, the log; topics and settings from the coordinator;
 *           append results from the writer.
 * Writes    append requests to the writer; config/delayOffset.json.
 * When full it waits for results: a level goes on where it was.
 * Fails     a refused append is tried again after 100 ms and holds its level; what cannot be delivered (unreadable,
 *           topic gone) is left out with a word in the log; a broken assertion ends the node, and the last second
 *           before it is delivered again.
 */

import { ResponseCode } from '../../protocol/codes.js';
import type { StoreHost } from '../../protocol/record-copy.js';
import { SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { assert } from '../../runtime/base/assert.js';
import { RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { BrokerAppends } from '../broker-appends.js';
import type { QueueTable } from '../queue-table.js';
import { StoreState, UNWRITABLE } from '../store-state.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import { DelayLevel, RETRY_MS } from './delay-level.js';
import type { DelayOffsetFile } from './delay-offsets.js';
import { DueRecord } from './due-record.js';
import type { SchedulerSettings } from './mailbox.js';
import { Progress } from './progress.js';

export interface SchedulerOptions {
  /** Topics and settings from the coordinator. */
  readonly news: Ring;
  readonly appends: BrokerAppends;
  readonly positions: Positions;
  readonly table: QueueTable;
  readonly storeState: SharedFlags;
  /** Delays of levels 1, 2, ... Units: ms. */
  readonly delayLevelsMs: readonly number[];
  readonly reader: CommitLogReader;
  /** Reads the queue of one level into `units`. */
  readonly openQueue: (queueId: number, units: Uint8Array) => ConsumeQueueReader;
  readonly offsets: DelayOffsetFile;
  /** Puts the log between two positions on the device. Blocks. Errors: RingError DISK_WRITE_FAILED. */
  readonly syncLog: (from: number, to: number) => void;
  readonly host: StoreHost;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
}

/** Entries of one level in one duty cycle, and read at once. */
const BATCH_MAX = 64;
const UNIT_SIZE = 20;
/** Less than this no clock was set back. Units: ms. */
const CLOCK_SLACK_MS = 1000;
/** Instead of a time: the entry is dealt with. */
const DONE = -1;
/** Words of messages that are left out come at most so often. Units: ms. */
const SAY_EVERY_MS = 10_000;
/** A sleep is no longer than this, so that a clock that is set forward is noticed. Units: ms. */
const SLEEP_MAX_MS = 10_000;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const FULL_RETRY_MS = 5;
/** How long a topic may be unknown before its messages are left out: news of it may be on its way. Units: ms. */
const MISSING_PATIENCE_MS = 1000;

/** The store takes nothing, or not yet, or its master delivers. */
const HELD = UNWRITABLE | StoreState.CLOSED;

export class Scheduler implements Actor {
  readonly name = 'scheduler';
  readonly #options: SchedulerOptions;
  readonly #topics: TopicNews;
  readonly #record: DueRecord;
  readonly #progress: Progress;
  #settings: SchedulerSettings | undefined;
  #levels: readonly DelayLevel[] = [];
  #delivering = false;
  /** Levels of the file that have no delay here: kept as they are. */
  #others: ReadonlyMap<number, number> = new Map();
  #dispatched = -1;
  #minimum = 0;
  #nowMs = 0;
  #lookMs = 0;
  /** Topics that messages were for and that nobody knows, with the end of patience. */
  readonly #missing = new Map<string, number>();
  #readFailing = false;
  #saidMs = 0;
  /** Messages left out since. */
  #unsaid = 0;

  /** Errors: RingError STORE_CORRUPT when delayOffset.json and its backup cannot be read. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#topics = new TopicNews(options.news);
    this.#record = new DueRecord(options.reader, options.host);
    this.#progress = new Progress({
      file: options.offsets,
      positions: options.positions,
      syncLog: options.syncLog,
      offsets: () => this.#offsets(),
      log: options.log,
    });
    // A file that cannot be read is to stop the start, not a running broker.
    options.offsets.read();
  }

  /** Deliveries that have no result yet. */
  get inFlight(): number {
    return this.#options.appends.pending;
  }

  doWork(nowMs: number): number {
    const { appends, positions } = this.#options;
    const wentBack = nowMs < this.#nowMs;
    this.#nowMs = nowMs;
    const news = this.#topics.drain(this.#onNews);
    if (news > 0) this.#missing.clear();
    let work = news + appends.drain(this.#onResult);
    this.#applyRole();
    const dispatched = positions.read('dispatched');
    if (this.#mayDeliver && (work > 0 || wentBack || dispatched !== this.#dispatched || nowMs >= this.#lookMs)) {
      this.#dispatched = dispatched;
      work += this.#deliver(nowMs);
      appends.ringWriter();
    }
    this.#progress.doWork(nowMs);
    return work;
  }

  deadlineMs(): number {
    const lookMs = this.#mayDeliver ? this.#lookMs : Number.POSITIVE_INFINITY;
    return Math.min(lookMs, this.#progress.deadlineMs);
  }

  close(): void {
    const { appends, reader } = this.#options;
    appends.drain(this.#onResult);
    this.#storeAll();
    for (const level of this.#levels) level.entries.close();
    reader.close();
  }

  // ---- what it is told ----

  readonly #onNews = (ring: Ring, at: number): boolean => {
    if (ring.type !== NewsType.SETTINGS) return true;
    this.#settings = JSON.parse(textOf(ring, at)) as SchedulerSettings;
    this.#progress.intervalMs = this.#settings.flushDelayOffsetInterval;
    return true;
  };

  readonly #onResult = (level: number, code: number, _: number, physicalOffset: number, traceId: number): void => {
    const queue = this.#levels[level - 1];
    assert(queue !== undefined, 'a result belongs to a level');
    if (code !== ResponseCode.SUCCESS) {
      queue.refuse(this.#nowMs);
      return;
    }
    queue.confirm();
    const { counters, recorder } = this.#options;
    if (traceId !== 0) recorder.note(TraceEvent.delivered, traceId, physicalOffset, level);
    counters.add(Counter.delayedDelivered);
    this.#progress.note(this.#nowMs);
  };

  /** Begins and ends delivering, as the settings want; what is on its way then comes to its end first. */
  #applyRole(): void {
    const wanted = this.#settings?.deliver ?? false;
    if (wanted === this.#delivering || this.#options.appends.pending > 0) return;
    if (wanted) this.#begin();
    else this.#storeAll();
    this.#delivering = wanted;
  }

  get #mayDeliver(): boolean {
    return this.#delivering && this.#settings!.deliver;
  }

  /** Blocks. */
  #storeAll(): void {
    this.#progress.finish(!this.#options.storeState.has(StoreState.FLUSH_FAILED));
  }

  /** Goes on from the file: a master that was this one's slave, or this one's master, may have written it. */
  #begin(): void {
    const { delayLevelsMs, offsets, table, openQueue, log } = this.#options;
    const topic = this.#topics.snapshot.get(SCHEDULE_TOPIC);
    assert(topic !== undefined, 'the schedule topic is known before the settings');
    const stored = offsets.read();
    for (const level of this.#levels) level.entries.close();
    this.#levels = delayLevelsMs.map((delayMs, index) => {
      const number = topic.queueNumbers[index];
      assert(number !== undefined, 'every level has a queue');
      const entries = openQueue(index, new Uint8Array(BATCH_MAX * UNIT_SIZE));
      const level = new DelayLevel(index + 1, delayMs, number, stored.get(index + 1) ?? 0, entries);
      level.clamp(table.min(number), table.max(number));
      return level;
    });
    this.#others = new Map([...stored].filter(([level]) => level > delayLevelsMs.length));
    this.#lookMs = 0;
    const pending = this.#levels.reduce((sum, level) => sum + table.max(level.queueNumber) - level.next, 0);
    if (pending > 0) log.info({ pending }, 'delayed messages are waiting');
  }

  #offsets(): Map<number, number> {
    const offsets = new Map(this.#others);
    for (const { level, offset } of this.#levels) if (offset > 0) offsets.set(level, offset);
    return offsets;
  }

  // ---- delivering ----

  #deliver(nowMs: number): number {
    const { storeState, positions, reader } = this.#options;
    const held = (storeState.read() & HELD) !== 0;
    const minimum = positions.read('minimum');
    if (minimum !== this.#minimum) reader.closeBefore(minimum);
    this.#minimum = minimum;
    let work = 0;
    let wakeMs = nowMs + SLEEP_MAX_MS;
    let pending = false;
    for (const level of this.#levels) {
      work += this.#advance(level, held, nowMs);
      wakeMs = Math.min(wakeMs, level.wakeMs);
      pending ||= level.wakeMs !== Number.POSITIVE_INFINITY;
    }
    this.#lookMs = pending ? wakeMs : Number.POSITIVE_INFINITY;
    return work;
  }

  /** Sends what is due of one level, at most a batch, and notes in it when to look again; returns how much. */
  #advance(level: DelayLevel, held: boolean, nowMs: number): number {
    const { table } = this.#options;
    level.wakeMs = Number.POSITIVE_INFINITY;
    if (level.isRefused) return 0;
    const max = table.max(level.queueNumber);
    if (level.clamp(table.min(level.queueNumber), max)) this.#progress.note(nowMs);
    if (level.isOnHold(nowMs)) return 0;
    let work = 0;
    try {
      while (level.next < max) {
        level.wakeMs = work === BATCH_MAX ? nowMs : this.#next(level, max, held, nowMs);
        if (level.wakeMs !== DONE) return work;
        work++;
      }
      level.wakeMs = Number.POSITIVE_INFINITY;
      this.#readFailing = false;
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      if (!this.#readFailing) this.#options.log.error({ err: error }, 'delayed messages cannot be read; tried again');
      this.#readFailing = true;
      level.wakeMs = level.hold(nowMs + RETRY_MS);
    }
    return work;
  }

  /** Deals with the next entry: DONE, or when to look at it again. Errors: RingError DISK_READ_FAILED. */
  #next(level: DelayLevel, max: number, held: boolean, nowMs: number): number {
    const index = level.find(max);
    if (index < 0) return level.hold(nowMs + RETRY_MS);
    const dueMs = this.#dueMs(level, index, nowMs);
    if (dueMs > nowMs) return dueMs;
    if (held) return level.hold(nowMs + RETRY_MS);
    const record = this.#record;
    if (!record.load(level.entries.physicalOffset(index), level.entries.size(index))) {
      return this.#leaveOut(level, { reason: 'its record cannot be read' });
    }
    const fault = record.fault();
    if (fault !== undefined) return this.#leaveOut(level, { reason: fault });
    const queueNumber = record.queueIn(this.#topics.snapshot);
    if (queueNumber < 0) return this.#onMissing(level, nowMs);
    return this.#send(level, index, queueNumber, nowMs);
  }

  /**
   * When an entry is due. A clock that was set back, or a level that was made shorter, may not hold it for longer than
   * the delay of its level, and a little: threads read the clock at their own times, so a message may seem to be stored
   * later than now. Source: spec scheduling 1.4.
   */
  #dueMs(level: DelayLevel, index: number, nowMs: number): number {
    const { entries, delayMs } = level;
    let dueMs = entries.tagsCode(index);
    if (dueMs < 0) {
      // The address of an extension, from a Java broker with enableConsumeQueueExt: the record knows as well.
      const isThere = this.#record.load(entries.physicalOffset(index), entries.size(index));
      dueMs = isThere ? this.#record.storeTimestampMs + delayMs : nowMs;
    }
    return dueMs > nowMs + delayMs + CLOCK_SLACK_MS ? nowMs : dueMs;
  }

  #send(level: DelayLevel, index: number, queueNumber: number, nowMs: number): number {
    const { appends } = this.#options;
    const size = this.#record.copySize;
    if (!appends.fits(size)) {
      return this.#leaveOut(level, { reason: 'it is larger than a ring takes (key ringCapacityBytes)', size });
    }
    const isFull = level.inFlight >= this.#settings!.scheduleAsyncDeliverMaxPendingLimit;
    if (isFull || !appends.claim(size)) {
      // Results ring this room's bell.
      return appends.pending > 0 ? Number.POSITIVE_INFINITY : nowMs + FULL_RETRY_MS;
    }
    const traceId = this.#traceDue(level, index);
    appends.commit(this.#record.copyTo(appends), queueNumber, level.level, traceId);
    level.sent();
    return DONE;
  }

  /** The trace id of the message behind an entry that is due; 0 when it is not traced. */
  #traceDue({ entries, level }: DelayLevel, index: number): number {
    const { recorder } = this.#options;
    if (!recorder.isOn) return 0;
    const physicalOffset = entries.physicalOffset(index);
    const traceId = recorder.messages.find(physicalOffset);
    if (traceId !== 0) recorder.note(TraceEvent.due, traceId, physicalOffset, level);
    return traceId;
  }

  /** Its topic is not known: maybe not yet. */
  #onMissing(level: DelayLevel, nowMs: number): number {
    const { topicName, queueId } = this.#record;
    const untilMs = this.#missing.get(topicName) ?? nowMs + MISSING_PATIENCE_MS;
    this.#missing.set(topicName, untilMs);
    if (nowMs < untilMs && untilMs - nowMs <= MISSING_PATIENCE_MS) return level.hold(untilMs);
    // Somebody deleted it: that is no fault of the broker.
    return this.#leaveOut(level, { reason: 'its topic or queue is gone', topic: topicName, queueId }, 'warn');
  }

  /** Java blocks a level for ever where its put fails for ever; here the message is given up, and that is said. */
  #leaveOut(level: DelayLevel, facts: object, severity: 'warn' | 'error' = 'error'): number {
    const { counters, log } = this.#options;
    counters.add(Counter.delayedDropped);
    this.#unsaid++;
    if (Math.abs(this.#nowMs - this.#saidMs) >= SAY_EVERY_MS) {
      const { level: number, next } = level;
      const where = { level: number, queueOffset: next, messages: this.#unsaid };
      log[severity]({ ...where, ...facts }, 'a delayed message cannot be delivered and is left out');
      this.#saidMs = this.#nowMs;
      this.#unsaid = 0;
    }
    level.skip();
    this.#progress.note(this.#nowMs);
    return DONE;
  }
}
