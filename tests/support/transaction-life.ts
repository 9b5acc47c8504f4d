/**
 * The rooms a transaction passes inside a broker, over a store of their own: commit log writer, flush service,
 * dispatcher and transaction checker. The test plays the send lane (half messages, op records) and the coordinator
 * (progress, questions).
 */

import {
  CoordinatorType,
  TransactionQuestion,
  type TransactionQuestionHead,
} from '../../actors/coordinator/mailbox.js';
import { buildActor } from '../../actors/node/build-actor.js';
import type { BrokerSettings } from '../../actors/node/build-settings.js';
import { allocateMemory, Workshop } from '../../actors/node/memory.js';
import { Store } from '../../actors/node/store.js';
import { planThreads } from '../../actors/node/thread-plan.js';
import { planActors, planRings } from '../../actors/node/wiring.js';
import { formatTopicEntry, NewsType } from '../../actors/topic-news.js';
import type { TransactionCheckerSettings, TransactionProgress } from '../../actors/transaction-checker/mailbox.js';
import type { Actor } from '../../runtime/actor/contract.js';
import type { VirtualClock } from '../../runtime/base/clock.js';
import { type Logger, silentLogger } from '../../runtime/log/contract.js';
import type { Disk } from '../../storage/disk.js';
import { storePaths } from '../../storage/paths.js';
import { probeOf } from './dead-owner.js';
import type { MemoryDisk } from './faulty-disk.js';
import { decodeRecords, formatProperties, type RawRecord } from './raw-record.js';
import { buildRecord } from './record-builder.js';
import {
  haSettings,
  laneSettings,
  type Outbound,
  pullSettings,
  putAppend,
  sendContext,
  takeAll,
  takeOutbound,
  topicEntry,
  transactionSettings,
} from './rooms.js';

export const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC';
export const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
export const discardTopic = 'TRANS_CHECK_MAX_TIME_TOPIC';
/** Where committed messages go. */
export const realTopic = 'Orders';
const topics = [halfTopic, opTopic, discardTopic, realTopic];
const root = '/store';

/** What a restart keeps: what the coordinator has stored. */
export interface StoredProgress {
  half: number;
  op: number;
}

export interface TransactionLifeOptions {
  readonly memory: MemoryDisk;
  readonly clock: VirtualClock;
  /** Instead of the memory itself: a disk with faults. */
  readonly disk?: Disk;
  readonly progress?: StoredProgress;
  readonly settings?: Partial<TransactionCheckerSettings>;
  readonly syncFlush?: boolean;
  readonly log?: Logger;
  readonly ringBytes?: number;
}

export interface Question extends TransactionQuestionHead {
  readonly message: RawRecord;
}

export interface HalfParts {
  /** Its unique key; none when null. */
  readonly transaction?: string | null;
  readonly group?: string | null;
  readonly bornTimestamp?: number;
  readonly body?: Uint8Array;
  /** More properties. */
  readonly more?: Readonly<Record<string, string>>;
  readonly flag?: number;
}

export class TransactionLife {
  readonly shop: Workshop;
  readonly actors: Actor[] = [];
  readonly clock: VirtualClock;
  /** What the coordinator knows. */
  readonly progress: StoredProgress;
  readonly questions: Question[] = [];
  /** How often the checker asked where it was, and when it did last. */
  progressAsked = 0;
  runStartMs = 0;
  readonly #memory: MemoryDisk;
  readonly #store: Store;

  constructor(options: TransactionLifeOptions) {
    const { memory, clock } = options;
    this.clock = clock;
    this.#memory = memory;
    this.progress = { half: -1, op: -1, ...options.progress };
    const actors = planActors({ broker: true, nameRegistry: false, sendLanes: 1, pullLanes: 1 });
    this.shop = new Workshop(
      allocateMemory(
        actors,
        planRings(actors),
        planThreads(actors, 'inline', 'a test'),
        options.ringBytes ?? 64 * 1024,
      ),
    );
    const disk = options.disk ?? memory;
    const log = options.log ?? silentLogger;
    this.#store = Store.open(disk, probeOf(memory), storeConfig, this.shop, log, { state: '', send: () => {} });
    const settings = settingsOf(this.#store, options);
    for (const actor of actors) {
      if (!roomKinds.has(actor.kind)) continue;
      this.actors.push(buildActor(actor, { shop: this.shop, settings, disk, log, mayBlock: true }));
    }
    this.#store.markOpen();
    for (const topic of topics) this.#tellTopic(topic);
  }

  /** The rooms that follow what topics there are. */
  #tellTopic(topic: string): void {
    const [number] = this.#store.numbers.of(topic, 1);
    const news = new TextEncoder().encode(formatTopicEntry(topicEntry(topic, 1, {}, number)));
    for (const room of ['dispatcher', 'transaction-checker'])
      this.shop.ring('coordinator', room).offer(NewsType.TOPIC, news);
  }

  change(settings: Partial<TransactionCheckerSettings>): void {
    const text = JSON.stringify({ ...transactionSettings, ...settings });
    this.shop.ring('coordinator', 'transaction-checker').offer(NewsType.SETTINGS, new TextEncoder().encode(text));
  }

  // ---- the send lane's part ----

  #append(records: readonly Uint8Array[], topic: string, companion?: string): boolean {
    const number = (of: string): number => this.#store.numbers.find(of, 0);
    const ring = this.shop.ring('send-lane-0', 'commit-log-writer');
    const queue = { queueNumber: number(topic), opaque: ++this.#opaque };
    return putAppend(ring, records, companion === undefined ? queue : { ...queue, companionQueue: number(companion) });
  }

  #opaque = 0;

  /** Asks for a half message to be stored; its number comes back with {@link results}. */
  putHalf(parts: HalfParts = {}): number {
    const { transaction = 'tx', group = 'PG' } = parts;
    const properties = {
      TRAN_MSG: 'true',
      ...(group === null ? {} : { PGROUP: group }),
      ...(transaction === null ? {} : { UNIQ_KEY: transaction }),
      REAL_TOPIC: realTopic,
      REAL_QID: '0',
      ...parts.more,
    };
    const record = buildRecord({
      topic: halfTopic,
      properties: formatProperties(Object.entries(properties)),
      bornTimestamp: parts.bornTimestamp ?? this.clock.nowMs(),
      body: parts.body ?? new TextEncoder().encode(String(transaction)),
      flag: parts.flag ?? 0,
    });
    if (!this.#append([record], halfTopic)) throw new Error('the writer takes no more');
    return this.#opaque;
  }

  /** Says that half messages are decided; `body` as stored. */
  putOp(body: string | number, tag = 'd'): number {
    if (!this.#append([this.#opRecord(String(body), tag)], opTopic)) throw new Error('the writer takes no more');
    return this.#opaque;
  }

  /** Commits: the message in its own topic, and the op record, in one write. */
  putCommit(transaction: string, halfOffset: number): number {
    const message = buildRecord({
      topic: realTopic,
      body: new TextEncoder().encode(transaction),
      bornTimestamp: this.clock.nowMs(),
      sysFlag: 8,
      properties: formatProperties([['UNIQ_KEY', transaction]]),
    });
    const op = this.#opRecord(String(halfOffset), 'd');
    if (!this.#append([message, op], realTopic, opTopic)) throw new Error('the writer takes no more');
    return this.#opaque;
  }

  #opRecord(body: string, tag: string): Uint8Array {
    return buildRecord({
      topic: opTopic,
      body: new TextEncoder().encode(body),
      properties: `TAGS\u0001${tag}\u0002WAIT\u0001true`,
      bornTimestamp: this.clock.nowMs(),
    });
  }

  /** What became of the appends. */
  results(): NonNullable<Outbound['result']>[] {
    return takeOutbound(this.shop.ring('commit-log-writer', 'remoting')).flatMap(({ result }) => result ?? []);
  }

  // ---- the coordinator's part ----

  /** Takes what the checker says; returns how much it was. */
  coordinate(): number {
    const taken = takeAll(this.shop.ring('transaction-checker', 'coordinator'));
    for (const { type, bytes } of taken) {
      if (type === CoordinatorType.TRANSACTION_PROGRESS_NEEDED) this.#tellProgress();
      else if (type === CoordinatorType.TRANSACTION_QUESTION) this.questions.push(questionOf(bytes));
      else {
        const { topic, offset } = JSON.parse(new TextDecoder().decode(bytes)) as { topic: string; offset: number };
        this.progress[topic === halfTopic ? 'half' : 'op'] = offset;
      }
    }
    return taken.length;
  }

  #tellProgress(): void {
    this.progressAsked++;
    this.runStartMs = this.clock.nowMs();
    const progress: TransactionProgress[] = [{ ...this.progress }];
    const news = new TextEncoder().encode(JSON.stringify(progress));
    this.shop.ring('coordinator', 'transaction-checker').offer(NewsType.TRANSACTION_PROGRESS, news);
  }

  // ---- time ----

  /** Everybody works until nobody has anything to do; time passes only as far as the dispatcher needs. */
  settle(): void {
    const { positions } = this.shop;
    for (let idle = 0; idle < 2; idle++) {
      let work = this.coordinate();
      for (const actor of this.actors) work += actor.doWork(this.clock.nowMs());
      if (work > 0) idle = -1;
      else if (positions.read('dispatched') !== positions.read('appended')) {
        this.clock.advance(1);
        idle = -1;
      }
    }
  }

  /** Time passes, second by second. */
  pass(ms: number): void {
    this.settle();
    for (const untilMs = this.clock.nowMs() + ms; this.clock.nowMs() < untilMs; ) {
      this.clock.advance(Math.min(1000, untilMs - this.clock.nowMs()));
      this.settle();
    }
  }

  // ---- what is stored ----

  /** Records of a topic, from the log. */
  stored(topic: string): RawRecord[] {
    const folder = storeConfig.storePathCommitLog;
    return this.#memory
      .list(folder)
      .flatMap(name => recordsOf(Buffer.from(this.#memory.bytes(`${folder}/${name}`))))
      .filter(record => record.topic === topic);
  }

  /** One behind the last message of a topic. */
  queueEnd(topic: string): number {
    return this.shop.queueTable.max(this.#store.numbers.find(topic, 0));
  }

  close(): void {
    for (const actor of this.actors.toReversed()) actor.close();
    this.#store.syncLog(this.shop.positions.read('flushed'), this.shop.positions.read('appended'));
    this.#store.markClosed();
    this.#store.release();
  }
}

const roomKinds: ReadonlySet<string> = new Set([
  'commit-log-writer',
  'flush-service',
  'dispatcher',
  'transaction-checker',
]);

const storeConfig = {
  storePathRootDir: root,
  storePathCommitLog: `${root}/commitlog`,
  mappedFileSizeCommitLog: 256 * 1024,
  mappedFileSizeConsumeQueue: 1000 * 20,
  checkCRCOnRecover: true,
  messageDelayLevel: '1s 5s',
  messageIndexEnable: false,
  maxHashSlotNum: 50,
  maxIndexNum: 200,
};

/** Records of one file of the log, up to its BLANK or to where nothing was written yet. */
function recordsOf(bytes: Buffer): RawRecord[] {
  let end = 0;
  while (end + 8 <= bytes.length && bytes.readUInt32BE(end + 4) === messageMagic) end += bytes.readInt32BE(end);
  return decodeRecords(bytes.subarray(0, end));
}

const messageMagic = 0xdaa320a7;

function questionOf(bytes: Uint8Array): Question {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, 2);
  const headEnd = TransactionQuestion.headBytes + words[TransactionQuestion.headSize]!;
  const head = new TextDecoder().decode(bytes.slice(TransactionQuestion.headBytes, headEnd));
  const [message] = decodeRecords(Buffer.from(bytes.slice(headEnd, headEnd + words[TransactionQuestion.messageSize]!)));
  return { ...(JSON.parse(head) as TransactionQuestionHead), message: message! };
}

function settingsOf(store: Store, options: TransactionLifeOptions): BrokerSettings {
  return {
    context: { ...sendContext, syncFlush: options.syncFlush ?? true },
    sendLane: laneSettings,
    pullLane: pullSettings,
    transactionChecker: { ...transactionSettings, ...options.settings },
    paths: storePaths(root),
    index: { messageIndexEnable: false, maxHashSlotNum: 50, maxIndexNum: 200 },
    mappedFileSizeCommitLog: storeConfig.mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue: storeConfig.mappedFileSizeConsumeQueue,
    flush: {
      flushIntervalCommitLog: 3000,
      flushCommitLogTimed: true,
      flushCommitLogLeastPages: 0,
      flushCommitLogThoroughInterval: 10_000,
    },
    flushQueues: {
      flushIntervalConsumeQueue: 1000,
      flushConsumeQueueLeastPages: 0,
      flushConsumeQueueThoroughInterval: 60_000,
    },
    delayLevelsMs: [1000, 5000],
    ha: haSettings,
    queueOffsets: store.queueOffsets,
  };
}
