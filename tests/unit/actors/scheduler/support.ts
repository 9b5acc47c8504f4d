/** A scheduler whose log and level queues are written by the test, and whose writer is the test. */
import { join } from 'node:path';
import { BrokerAppends } from '../../../../actors/broker-appends.js';
import { QueueTable } from '../../../../actors/queue-table.js';
import { AppendResult, high32, low32, OutboundType } from '../../../../actors/remoting/mailbox.js';
import { Scheduler } from '../../../../actors/scheduler/actor.js';
import { DelayOffsetFile } from '../../../../actors/scheduler/delay-offsets.js';
import type { SchedulerSettings } from '../../../../actors/scheduler/mailbox.js';
import { formatTopicEntry, NewsType } from '../../../../actors/topic-news.js';
import type { TopicEntry } from '../../../../actors/topic-snapshot.js';
import { SCHEDULE_TOPIC } from '../../../../protocol/topic-names.js';
import type { Logger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { TraceSwitch } from '../../../../runtime/trace/recorder.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { ConsumeQueueReader, ConsumeQueueWriter } from '../../../../storage/consume-queue.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder, type RecordParts } from '../../../support/record-builder.js';
import { type Append, CountingBell, makeRecorder, makeRing, takeAppends, topicEntry } from '../../../support/rooms.js';

const logFolder = '/store/commitlog';
const configFolder = '/store/config';
export const delayOffsetFile = join(configFolder, 'delayOffset.json');
const segmentSize = 1024 * 1024;
const queueFileSize = 100 * 20;
/** Numbers of the schedule topic's queues begin here, those of the topic T at 0. */
const firstScheduleNumber = 100;

export interface SchedulerRoomOptions {
  readonly delayLevelsMs?: readonly number[];
  readonly ringBytes?: number;
  readonly pendingMax?: number;
  /** A disk that has been used already. */
  readonly memory?: MemoryDisk;
  /** Nothing is told: no topics, no settings. */
  readonly untold?: boolean;
}

export interface Delayed extends RecordParts {
  readonly realTopic?: string;
  readonly realQueueId?: number | string;
  /** What the queue's entry says instead of store time + delay. */
  readonly tagsCode?: number;
}

export const startMs = 1_700_000_000_000;

export class SchedulerRoom {
  readonly memory: MemoryDisk;
  readonly disk: FaultyDisk;
  readonly positions = new Positions();
  readonly table = new QueueTable();
  readonly storeState = new SharedFlags();
  readonly counters = new Counters();
  readonly traceSwitch = new TraceSwitch();
  readonly recorder = makeRecorder(this.traceSwitch);
  readonly news = makeRing();
  readonly toWriter;
  readonly results = makeRing();
  readonly writerBell = new CountingBell();
  readonly words: Record<string, unknown>[] = [];
  readonly scheduler: Scheduler;
  readonly log: LogBuilder;
  readonly #queues: ConsumeQueueWriter[];
  readonly #delayLevelsMs: readonly number[];
  nowMs = startMs;
  syncs: [from: number, to: number][] = [];
  syncError: Error | undefined;

  /** Knows the topic T with 4 queues, numbered from 0, and levels of 1, 5 and 10 seconds. */
  constructor(options: SchedulerRoomOptions = {}) {
    this.memory = options.memory ?? new MemoryDisk();
    this.disk = new FaultyDisk(this.memory);
    this.log = new LogBuilder(this.memory, logFolder, segmentSize);
    this.#delayLevelsMs = options.delayLevelsMs ?? [1000, 5000, 10_000];
    this.#queues = this.#delayLevelsMs.map(
      (_, index) => new ConsumeQueueWriter(this.memory, folderOf(index), queueFileSize, 0, -1),
    );
    this.toWriter = makeRing(options.ringBytes ?? 256 * 1024);
    const note = (fields: object, message: string): void => void this.words.push({ message, ...fields });
    this.scheduler = new Scheduler({
      news: this.news,
      appends: new BrokerAppends({
        toWriter: this.toWriter,
        writerBell: this.writerBell,
        results: this.results,
        pendingMax: options.pendingMax ?? 1000,
      }),
      positions: this.positions,
      table: this.table,
      storeState: this.storeState,
      delayLevelsMs: this.#delayLevelsMs,
      reader: new CommitLogReader(this.disk, logFolder, segmentSize),
      openQueue: (queueId, units) => new ConsumeQueueReader(this.disk, folderOf(queueId), queueFileSize, units),
      offsets: new DelayOffsetFile(this.disk, configFolder),
      syncLog: (from, to) => {
        if (this.syncError !== undefined) throw this.syncError;
        this.syncs.push([from, to]);
      },
      host: { storeAddress: 0x7f000001, storePort: 10_911 },
      counters: this.counters,
      recorder: this.recorder,
      log: loggerOf(note),
    });
    if (options.untold === true) return;
    this.tellTopic(topicEntry('T', 4));
    this.tellScheduleTopic();
    this.tell({});
  }

  tellScheduleTopic(): void {
    this.tellTopic(topicEntry(SCHEDULE_TOPIC, this.#delayLevelsMs.length, {}, firstScheduleNumber));
  }

  tellTopic(entry: TopicEntry): void {
    this.news.offer(NewsType.TOPIC, new TextEncoder().encode(formatTopicEntry(entry)));
  }

  tell(settings: Partial<SchedulerSettings>): void {
    const all = { deliver: true, flushDelayOffsetInterval: 10_000, scheduleAsyncDeliverMaxPendingLimit: 2000 };
    this.news.offer(NewsType.SETTINGS, new TextEncoder().encode(JSON.stringify({ ...all, ...settings })));
  }

  /** A delayed message comes in: its record, and its entry in the queue of its level. */
  put(level: number, delayed: Delayed = {}): Uint8Array {
    const { realTopic = 'T', realQueueId = 0, tagsCode, ...parts } = delayed;
    const storeTimestamp = parts.storeTimestamp ?? this.nowMs;
    const queue = this.#queues[level - 1]!;
    const properties =
      parts.properties ??
      `TAGS\u0001TagA\u0002REAL_TOPIC\u0001${realTopic}\u0002DELAY\u0001${level}\u0002REAL_QID\u0001${realQueueId}`;
    const place = { topic: SCHEDULE_TOPIC, queueId: level - 1, queueOffset: queue.nextOffset };
    const { start, end } = this.log.append({ ...parts, ...place, properties, storeTimestamp });
    const dueMs = tagsCode ?? storeTimestamp + this.#delayLevelsMs[level - 1]!;
    queue.append(queue.nextOffset, start, end - start, high32(dueMs), low32(dueMs));
    queue.write();
    this.table.publishMax(firstScheduleNumber + level - 1, queue.writtenOffset);
    this.positions.publish('appended', end);
    this.positions.publish('dispatched', end);
    return this.memory.bytes(`${logFolder}/00000000000000000000`).slice(start, end);
  }

  /** Retention went by. */
  retire(level: number, min: number): void {
    this.table.publishMin(firstScheduleNumber + level - 1, min);
  }

  /** Works until there is nothing to do at this moment; returns what the writer was asked for. */
  run(byMs = 0): Append[] {
    this.nowMs += byMs;
    for (let cycle = 0; this.scheduler.doWork(this.nowMs) > 0; cycle++) {
      if (cycle > 1000) throw new Error('it does not come to rest');
    }
    return takeAppends(this.toWriter);
  }

  /** The writer answers so many requests. */
  answer(appends: readonly Append[], code = 0): void {
    for (const { opaque, traceId } of appends) {
      const word = this.results.claim(AppendResult.sizes * 4) >> 2;
      this.results.words[word + AppendResult.opaque] = opaque;
      this.results.words[word + AppendResult.code] = code;
      this.results.words[word + AppendResult.traceId] = traceId;
      this.results.commit(OutboundType.APPEND_RESULT, AppendResult.sizes * 4);
    }
  }

  /** Everything in the log is on the device. */
  flush(): void {
    this.positions.publish('flushed', this.positions.read('appended'));
  }

  /** How long it would sleep now. */
  get sleepMs(): number {
    return this.scheduler.deadlineMs() - this.nowMs;
  }

  get stored(): string | undefined {
    return this.memory.readText(delayOffsetFile);
  }
}

/** Bodies of what the writer was asked for, in order. */
export const bodiesOf = (appends: readonly Append[]): string[] =>
  appends.flatMap(({ records }) => records.map(record => record.body.toString()));

export const body = (text: string): Uint8Array => new TextEncoder().encode(text);

function folderOf(queueId: number): string {
  return `/store/consumequeue/${SCHEDULE_TOPIC}/${queueId}`;
}

function loggerOf(note: (fields: object, message: string) => void): Logger {
  const silent = (): void => {};
  const log = { trace: silent, debug: silent, info: silent, warn: note, error: note, child: () => log };
  return log;
}
