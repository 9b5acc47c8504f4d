/** A store with messages and a pull lane in front of it. */

import type { GroupEntry } from '../../../../actors/group-snapshot.js';
import { GroupTraffic } from '../../../../actors/group-traffic.js';
import { PullLane } from '../../../../actors/pull-lane/actor.js';
import { Fetcher } from '../../../../actors/pull-lane/fetcher.js';
import type { PullLaneSettings } from '../../../../actors/pull-lane/mailbox.js';
import { StoreQueries } from '../../../../actors/pull-lane/queries.js';
import { QueueTable } from '../../../../actors/queue-table.js';
import type { SpanNotes } from '../../../../actors/span-notes.js';
import { formatTopicEntry, NewsType } from '../../../../actors/topic-news.js';
import { type TopicEntry, TopicSnapshot } from '../../../../actors/topic-snapshot.js';
import type { ExtFields } from '../../../../protocol/command.js';
import { javaHashText } from '../../../../protocol/message-record.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Latencies } from '../../../../runtime/memory/latencies.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { ConsumeQueueReader } from '../../../../storage/consume-queue.js';
import type { Disk } from '../../../../storage/disk.js';
import { LogWindow } from '../../../../storage/log-window.js';
import { MessageIndexReader } from '../../../../storage/message-index.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { buildGapUnit, buildUnit, LogBuilder, type RecordParts, writeStream } from '../../../support/record-builder.js';
import {
  CountingBell,
  type Envelope,
  frameOf,
  makeRecorder,
  makeRing,
  type Outbound,
  type Peer,
  pullSettings,
  putInbound,
  takeOutbound,
  topicEntry,
} from '../../../support/rooms.js';

const logFolder = '/store/commitlog';
const queueFolder = (topic: string, queueId: number): string => `/store/consumequeue/${topic}/${queueId}`;

/** A log and the consume queues of TopicTest, whose queue ids are their numbers. */
export class PulledStore {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory);
  readonly positions = new Positions();
  readonly table = new QueueTable();
  readonly log: LogBuilder;
  readonly segmentSize: number;
  readonly unitsPerFile: number;

  constructor(options: { segmentSize?: number; unitsPerFile?: number } = {}) {
    this.segmentSize = options.segmentSize ?? 4 * 1024 * 1024;
    this.unitsPerFile = options.unitsPerFile ?? 1000;
    this.log = new LogBuilder(this.memory, logFolder, this.segmentSize);
  }

  /** Stores a message and its entry. */
  append(queueId: number, parts: Omit<RecordParts, 'queueId'> & { tag?: string } = {}): number {
    const offset = this.table.max(queueId);
    const properties = parts.tag === undefined ? '' : `TAGS\u0001${parts.tag}`;
    const { start, end } = this.log.append({ properties, ...parts, queueId, queueOffset: offset });
    this.positions.publish('appended', this.log.end);
    const tags = parts.tag === undefined ? 0 : javaHashText(parts.tag);
    this.putUnit(queueId, offset, buildUnit(start, end - start, BigInt(tags)));
    this.table.publishMax(queueId, offset + 1);
    return offset;
  }

  /** An entry that nobody may get. */
  appendGap(queueId: number): void {
    const offset = this.table.max(queueId);
    this.putUnit(queueId, offset, buildGapUnit());
    this.table.publishMax(queueId, offset + 1);
  }

  putUnit(queueId: number, offset: number, unit: Uint8Array): void {
    writeStream(this.memory, queueFolder('TopicTest', queueId), this.unitsPerFile * 20, offset * 20, unit);
  }

  openLog(): CommitLogReader {
    return new CommitLogReader(this.disk, logFolder, this.segmentSize);
  }

  openQueue(topic: string, queueId: number, units: Uint8Array = new Uint8Array(800 * 20)): ConsumeQueueReader {
    return new ConsumeQueueReader(this.disk, queueFolder(topic, queueId), this.unitsPerFile * 20, units);
  }

  fetcher(): Fetcher {
    return new Fetcher(new LogWindow(this.openLog(), 512 * 1024), this.positions, this.table);
  }

  queries(): StoreQueries {
    const topics = new TopicSnapshot();
    topics.put(topicEntry('TopicTest', 4));
    const units = new Uint8Array(800 * 20);
    return new StoreQueries({
      topics,
      table: this.table,
      positions: this.positions,
      log: this.openLog(),
      index: openIndex(this.disk),
      limits: () => pullSettings,
      answerSizeMax: 1e6,
      queueReader: (topic, queueId) => this.openQueue(topic, queueId, units),
    });
  }
}

function openIndex(disk: Disk): MessageIndexReader {
  return new MessageIndexReader(disk, { folder: '/index', maxHashSlotNum: 10, maxIndexNum: 100 });
}

export interface PullFields {
  readonly group?: string;
  readonly topic?: string;
  readonly queueId?: number;
  readonly offset?: number;
  readonly max?: number;
  readonly sysFlag?: number;
  readonly suspendMs?: number;
  readonly subscription?: string;
  readonly more?: ExtFields;
  readonly code?: 11 | 361;
}

const SUBSCRIPTION = 4;

/** A pull as a Java client frames it; the subscription is in the request unless told otherwise. */
export function pullFrame(pull: PullFields = {}, envelope: Envelope = {}): Uint8Array {
  const fields = {
    consumerGroup: pull.group ?? 'G',
    topic: pull.topic ?? 'TopicTest',
    queueId: pull.queueId ?? 0,
    queueOffset: pull.offset ?? 0,
    maxMsgNums: pull.max ?? 32,
    sysFlag: pull.sysFlag ?? SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: pull.suspendMs ?? 0,
    subscription: pull.subscription ?? '*',
    subVersion: 0,
    expressionType: 'TAG',
    ...pull.more,
  };
  return frameOf(pull.code ?? 11, fields, null, envelope);
}

export interface PullRoomOptions {
  readonly store?: PulledStore;
  readonly settings?: Partial<PullLaneSettings>;
  readonly remotingRingBytes?: number;
  readonly coordinatorRingBytes?: number;
  readonly notes?: SpanNotes;
}

export class PullRoom {
  readonly store: PulledStore;
  readonly inbox = makeRing();
  readonly news = makeRing();
  readonly grown = makeRing(64 * 1024);
  readonly toRemoting;
  readonly toCoordinator;
  readonly remotingBell = new CountingBell();
  readonly coordinatorBell = new CountingBell();
  readonly counters = new Counters();
  readonly storeState = new SharedFlags();
  readonly traffic = new GroupTraffic();
  readonly latencies = new Latencies();
  readonly lane: PullLane;
  nowMs = 1_700_000_000_000;

  /** Knows the topic TopicTest with 4 queues and the group G. */
  constructor(options: PullRoomOptions = {}) {
    const store = options.store ?? new PulledStore();
    this.store = store;
    this.toRemoting = makeRing(options.remotingRingBytes ?? 4 * 1024 * 1024);
    this.toCoordinator = makeRing(options.coordinatorRingBytes);
    this.lane = new PullLane({
      name: 'pull-lane-0',
      inbox: this.inbox,
      news: this.news,
      grown: this.grown,
      toRemoting: this.toRemoting,
      remotingBell: this.remotingBell,
      toCoordinator: this.toCoordinator,
      coordinatorBell: this.coordinatorBell,
      positions: store.positions,
      table: store.table,
      log: store.openLog(),
      openQueue: (topic, queueId, units) => store.openQueue(topic, queueId, units),
      counters: this.counters,
      waits: new Latencies(),
      traffic: this.traffic,
      latencies: this.latencies,
      recorder: makeRecorder(),
      logger: silentLogger,
      settings: { ...pullSettings, ...options.settings },
      brokerName: 'broker-a',
      storeState: this.storeState,
      index: openIndex(store.disk),
      notes: options.notes,
    });
    this.tellTopic(topicEntry('TopicTest', 4));
    this.tellGroup();
  }

  tellTopic(entry: TopicEntry): void {
    this.news.offer(NewsType.TOPIC, new TextEncoder().encode(formatTopicEntry(entry)));
  }

  tellGroup(more: Partial<GroupEntry> = {}): void {
    const entry = {
      name: 'G',
      consumeEnable: true,
      consumeBroadcastEnable: true,
      retryQueueNums: 1,
      retryMaxTimes: 16,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      ...more,
    };
    this.news.offer(NewsType.GROUP, new TextEncoder().encode(JSON.stringify(entry)));
  }

  tellSettings(settings: Partial<PullLaneSettings>): void {
    this.news.offer(NewsType.SETTINGS, new TextEncoder().encode(JSON.stringify({ ...pullSettings, ...settings })));
  }

  /** The dispatcher says that a queue grew. */
  tellGrown(queueNumber: number): void {
    const at = this.grown.claim(4);
    this.grown.words[at >> 2] = queueNumber;
    this.grown.commit(1, 4);
  }

  put(frame: Uint8Array, peer: Peer = {}): boolean {
    return putInbound(this.inbox, frame, { arrivedMs: this.nowMs, ...peer });
  }

  work(): number {
    return this.lane.doWork(this.nowMs);
  }

  take(): Outbound[] {
    return takeOutbound(this.toRemoting);
  }

  /** Asks and lets the lane work: the one answer. */
  ask(frame: Uint8Array, peer: Peer = {}): NonNullable<Outbound['command']> {
    this.put(frame, peer);
    this.work();
    const answers = this.take();
    if (answers.length !== 1 || answers[0]!.command === undefined) throw new Error(`${answers.length} answers`);
    return answers[0]!.command;
  }
}
