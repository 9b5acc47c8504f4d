/**
 * Room card: transaction checker
 *
 * Purpose   every transactionCheckInterval goes through the half messages: passes those that op records call decided,
 *           has the producers of the others asked, and gives up those that were asked transactionCheckMax times.
 * Thread    a worker, blocking; or inline.
 * Reads     the queues of half messages and of op records, the log; positions minimum, appended, flushed; topics,
 *           settings and progress from the coordinator; results of its appends from the commit log writer.
 * Writes    copies of half messages to the commit log writer; questions and progress to the coordinator.
 * When full what a ring does not take is tried again; the run waits.
 * Fails     a copy that cannot be stored or a read that fails is tried again; a broken assertion ends the node. A run
 *           that is cut short goes on from the progress that was committed: some producers are asked twice.
 */
import type { StoreHost } from '../../protocol/record-copy.js';
import { DISCARD_TOPIC, HALF_TOPIC, OP_HALF_TOPIC } from '../../protocol/topic-names.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { assert } from '../../runtime/base/assert.js';
import { RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import { BrokerAppends } from '../broker-appends.js';
import type { QueueTable } from '../queue-table.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import { HalfQueue } from './half-queue.js';
import type { TransactionCheckerSettings, TransactionProgress } from './mailbox.js';
import { Outbox } from './outbox.js';
import { ProgressKeeper } from './progress-keeper.js';
import { QueueReader } from './queue-reader.js';
import { type CopyTarget, factsOf, type Settlement, Settler, type Settling } from './settlement.js';

export interface TransactionCheckerOptions {
  /** Topics, settings and progress from the coordinator (actors/topic-news.ts). */
  readonly news: Ring;
  readonly toWriter: Ring;
  readonly writerBell: Doorbell;
  /** Results of appends. */
  readonly results: Ring;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly positions: Positions;
  readonly table: QueueTable;
  readonly log: CommitLogReader;
  /** Makes the reader of one queue that loads up to `ahead` entries at once. */
  readonly openQueue: (topic: string, queueId: number, ahead: number) => ConsumeQueueReader;
  readonly host: StoreHost;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly logger: Logger;
  readonly settings: TransactionCheckerSettings;
}

/** Half messages looked at in one duty cycle. */
const STEPS_MAX = 256;
/** A run ends after this long, done or not. Units: ms. */
const RUN_MAX_MS = 60_000;
/** When a full ring is tried again, and a copy that was refused. Units: ms. */
const RING_RETRY_MS = 5;
const STORE_RETRY_MS = 1000;
/** Questions leave at this pace, or their producers' connections would overflow. Units: bytes, ms. */
const PACE_BYTES = 1024 * 1024;
const PACE_MS = 50;
/** Entries read at once, of half messages and of op records. */
const ENTRIES_AHEAD = 128;

const encoder = new TextEncoder();

export class TransactionChecker implements Actor {
  readonly name = 'transaction-checker';
  readonly #options: TransactionCheckerOptions;
  readonly #topics: TopicNews;
  readonly #appends: BrokerAppends;
  readonly #outbox: Outbox;
  readonly #settler: Settler;
  readonly #progress: ProgressKeeper;
  /** By queue id. */
  readonly #queues: HalfQueue[] = [];
  #settings: TransactionCheckerSettings;
  #phase: 'idle' | 'asking' | 'running' = 'idle';
  #resting = false;
  /** Where the queues of this run begin, by queue id. */
  #begins: readonly TransactionProgress[] = [];
  #queueId = 0;
  #settlement: Settlement | undefined;
  #nowMs = 0;
  #nextRunMs = -1;
  #waitUntilMs = 0;
  #paceFromMs = 0;
  #paceBytes = 0;
  #failing = false;
  #done = { decided: 0, asked: 0, putBack: 0, discarded: 0 };

  constructor(options: TransactionCheckerOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { toWriter, writerBell, results, host, recorder, logger } = options;
    this.#topics = new TopicNews(options.news);
    this.#appends = new BrokerAppends({ toWriter, writerBell, results, pendingMax: 1 });
    this.#outbox = new Outbox(options.toCoordinator, options.coordinatorBell);
    this.#settler = new Settler({ appends: this.#appends, outbox: this.#outbox, host, recorder, log: logger });
    this.#progress = new ProgressKeeper(this.#outbox, options.positions);
  }

  doWork(nowMs: number): number {
    this.#nowMs = nowMs;
    if (this.#nextRunMs < 0) this.#scheduleRun();
    let work = this.#topics.drain(this.#onNews);
    work += this.#appends.drain(this.#onStored);
    if (this.#phase === 'idle') work += this.#startRun();
    if (this.#phase === 'running' && nowMs >= this.#waitUntilMs) work += this.#runGuarded();
    // An answer that is on its way must say what was committed last.
    if (this.#phase !== 'asking') work += this.#progress.commit(this.#queues);
    this.#appends.ringWriter();
    this.#outbox.ringCoordinator();
    return work;
  }

  /** A run is under way: the log may still grow. */
  get isBusy(): boolean {
    return this.#phase !== 'idle';
  }

  /** Begins no run and ends the one under way: the log has to come to rest. */
  rest(wanted: boolean): void {
    this.#resting = wanted;
    this.#waitUntilMs = 0;
  }

  deadlineMs(): number {
    const progressMs = this.#progress.isPending ? this.#nowMs + PACE_MS : Number.POSITIVE_INFINITY;
    return Math.min(progressMs, this.#runDeadlineMs());
  }

  #runDeadlineMs(): number {
    if (this.#phase === 'asking') return Number.POSITIVE_INFINITY;
    if (this.#phase === 'idle') {
      return this.#mayRun ? Math.max(this.#nextRunMs, this.#nowMs + 1) : Number.POSITIVE_INFINITY;
    }
    if (this.#settlement?.state === 'storing') return Number.POSITIVE_INFINITY;
    return Math.max(this.#waitUntilMs, this.#nowMs + 1);
  }

  close(): void {
    for (const queue of this.#queues) queue.close();
    this.#options.log.close();
  }

  // ---- news ----

  readonly #onNews = (ring: Ring, at: number): boolean => {
    if (ring.type === NewsType.SETTINGS) {
      this.#settings = JSON.parse(textOf(ring, at)) as TransactionCheckerSettings;
      this.#scheduleRun();
    } else if (ring.type === NewsType.TRANSACTION_PROGRESS) {
      this.#beginRun(JSON.parse(textOf(ring, at)) as TransactionProgress[]);
    }
    return true;
  };

  #scheduleRun(): void {
    this.#nextRunMs = this.#nowMs + this.#settings.transactionCheckInterval;
  }

  // ---- a run ----

  get #mayRun(): boolean {
    return this.#settings.check && !this.#resting;
  }

  /** Asks where the last run ended: somebody else may have moved it, and after a start nothing is known. */
  #startRun(): number {
    if (!this.#mayRun || this.#nowMs < this.#nextRunMs) return 0;
    if (!this.#outbox.askProgress()) return 0;
    this.#phase = 'asking';
    return 1;
  }

  #beginRun(begins: readonly TransactionProgress[]): void {
    if (this.#phase !== 'asking') return;
    this.#phase = 'running';
    this.#begins = begins;
    this.#queueId = -1;
    this.#done = { decided: 0, asked: 0, putBack: 0, discarded: 0 };
    this.#options.log.closeBefore(this.#options.positions.read('minimum'));
    this.#nextQueue();
  }

  /** Goes on with the next queue of half messages, or ends the run. */
  #nextQueue(): void {
    const queueId = ++this.#queueId;
    const begin = this.#begins[queueId];
    const queue = begin === undefined ? undefined : this.#queueOf(queueId);
    if (begin === undefined || queue === undefined) return this.#endRun();
    if (this.#progress.isMoved(queue, begin)) {
      queue.move(begin);
      this.#progress.moved(queue, begin);
    }
    queue.begin(this.#nowMs);
  }

  #queueOf(queueId: number): HalfQueue | undefined {
    const half = this.#numberOf(HALF_TOPIC, queueId);
    const op = this.#numberOf(OP_HALF_TOPIC, queueId);
    if (half === undefined || op === undefined) return undefined;
    this.#queues[queueId] ??= new HalfQueue(
      queueId,
      this.#openReader(HALF_TOPIC, queueId, half),
      this.#openReader(OP_HALF_TOPIC, queueId, op),
    );
    return this.#queues[queueId];
  }

  #openReader(topic: string, queueId: number, number: number): QueueReader {
    const { table, positions, log, openQueue } = this.#options;
    const entries = openQueue(topic, queueId, ENTRIES_AHEAD);
    return new QueueReader({ number, table, positions, log, entries, ahead: ENTRIES_AHEAD });
  }

  #numberOf(topic: string, queueId: number): number | undefined {
    return this.#topics.snapshot.get(topic)?.queueNumbers[queueId];
  }

  #endRun(): void {
    this.#phase = 'idle';
    this.#settlement = undefined;
    this.#scheduleRun();
    const { decided, asked, putBack, discarded } = this.#done;
    if (asked + putBack + discarded === 0) return;
    this.#options.logger.info({ decided, asked, putBack, discarded }, 'half messages were checked');
  }

  #runGuarded(): number {
    try {
      return this.#run();
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.#options.logger.warn({ err: error }, 'half messages cannot be read; tried again with the next run');
      this.#endRun();
      return 1;
    }
  }

  #run(): number {
    let work = 0;
    for (let step = 0; step < STEPS_MAX && this.#phase === 'running'; step++) {
      const queue = this.#queues[this.#queueId]!;
      if (this.#mustEnd(queue)) {
        this.#settlement = undefined;
        this.#endRun();
        return work + 1;
      }
      if (this.#settlement !== undefined && !this.#settle(this.#settlement)) return work;
      work++;
      this.#look(queue);
    }
    return work;
  }

  #mustEnd(queue: HalfQueue): boolean {
    if (this.#settlement?.state === 'storing') return false;
    return !this.#mayRun || this.#nowMs - queue.startMs > RUN_MAX_MS;
  }

  #look(queue: HalfQueue): void {
    const verdict = queue.look(this.#nowMs, this.#settings);
    switch (verdict) {
      case 'decided':
        this.#done.decided++;
        this.#options.counters.add(Counter.halfMessagesDecided);
        return queue.pass();
      case 'needless':
        return queue.pass();
      case 'again':
        return;
      case 'stop':
        return this.#nextQueue();
      default:
        this.#settlement = this.#plan(queue, verdict);
    }
  }

  // ---- one half message that is not decided ----

  /** Undefined when nothing can be done about it: the queue goes on then, or ends its run. */
  #plan(queue: HalfQueue, verdict: Settling): Settlement | undefined {
    const message = queue.message!;
    const { logger } = this.#options;
    let what = verdict;
    let properties = what === 'ask' ? message.askedOnceMore : what === 'putBack' ? message.putBack : message.unchanged;
    if (properties === undefined) {
      logger.warn(factsOf(message), 'a half message has no room for one property more: it is given up');
      what = 'discard';
      properties = message.unchanged;
    }
    const target = this.#targetOf(queue, what);
    if (target === undefined) {
      logger.warn({ topic: DISCARD_TOPIC }, 'there is no topic for half messages that are given up; the run ends');
      this.#nextQueue();
      return undefined;
    }
    const place = { queueOffset: -1, physicalOffset: -1 };
    const settlement: Settlement = { queue, message, what, target, properties, state: 'unstored', place };
    if (this.#settler.fits(settlement)) return settlement;
    logger.error(factsOf(message), 'a half message is larger than this broker takes (key maxMessageSize): left alone');
    queue.pass();
    return undefined;
  }

  #targetOf(queue: HalfQueue, what: Settling): CopyTarget | undefined {
    const topic = what === 'discard' ? DISCARD_TOPIC : HALF_TOPIC;
    const queueId = what === 'discard' ? 0 : queue.queueId;
    const number = this.#numberOf(topic, queueId);
    return number === undefined ? undefined : { topic: encoder.encode(topic), queueId, number };
  }

  /** Does what can be done now; returns whether it is settled. */
  #settle(settlement: Settlement): boolean {
    if (settlement.state === 'unstored' && !this.#settler.store(settlement)) {
      this.#waitUntilMs = this.#nowMs + RING_RETRY_MS;
    }
    if (settlement.state !== 'stored') return false;
    if (settlement.what === 'ask' && !this.#ask(settlement)) return false;
    this.#settlement = undefined;
    return true;
  }

  #ask(settlement: Settlement): boolean {
    if (this.#paceBytes >= PACE_BYTES) {
      this.#waitUntilMs = this.#paceFromMs + PACE_MS;
      if (this.#nowMs < this.#waitUntilMs) return false;
      this.#paceBytes = 0;
    }
    const size = this.#settler.ask(settlement);
    if (size < 0) {
      this.#waitUntilMs = this.#nowMs + RING_RETRY_MS;
      return false;
    }
    if (this.#paceBytes === 0) this.#paceFromMs = this.#nowMs;
    this.#paceBytes += size;
    return true;
  }

  readonly #onStored = (_: number, code: number, queueOffset: number, physicalOffset: number): void => {
    const settlement = this.#settlement;
    assert(settlement !== undefined, 'a result belongs to the copy that is being stored');
    if (!this.#settler.onResult(settlement, code, queueOffset, physicalOffset)) return this.#onRefused(code);
    if (this.#failing) this.#options.logger.info({}, 'copies of half messages can be stored again');
    this.#failing = false;
    const { queue, what, message } = settlement;
    this.#count(what);
    if (what !== 'discard') return queue.passCopied(message, queueOffset);
    queue.pass();
    this.#options.logger.warn(factsOf(message), `a half message is given up undecided, see topic ${DISCARD_TOPIC}`);
  };

  #count(what: Settling): void {
    const { counters } = this.#options;
    if (what === 'putBack') this.#done.putBack++;
    else if (what === 'ask') {
      this.#done.asked++;
      counters.add(Counter.halfMessagesAsked);
    } else {
      this.#done.discarded++;
      counters.add(Counter.halfMessagesDiscarded);
    }
  }

  #onRefused(code: number): void {
    this.#waitUntilMs = this.#nowMs + STORE_RETRY_MS;
    if (this.#failing) return;
    this.#failing = true;
    this.#options.logger.warn({ code }, 'a copy of a half message could not be stored; tried again');
  }
}
