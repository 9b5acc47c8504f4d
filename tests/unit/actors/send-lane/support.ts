/** A send lane with all its rings in the test's hands. */
import type { GroupEntry } from '../../../../actors/group-snapshot.js';
import { GroupTraffic } from '../../../../actors/group-traffic.js';
import { SendLane } from '../../../../actors/send-lane/actor.js';
import type { SendContext } from '../../../../actors/send-lane/behaviour.js';
import type { LaneSettings } from '../../../../actors/send-lane/mailbox.js';
import { RecordSource } from '../../../../actors/send-lane/record-source.js';
import { formatTopicEntry, NewsType } from '../../../../actors/topic-news.js';
import type { TopicEntry } from '../../../../actors/topic-snapshot.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Latencies } from '../../../../runtime/memory/latencies.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { TraceSwitch } from '../../../../runtime/trace/recorder.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { segmentName } from '../../../../storage/paths.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { buildRecord, type RecordParts } from '../../../support/record-builder.js';
import {
  type Append,
  CountingBell,
  laneSettings,
  makeRecorder,
  makeRing,
  type Outbound,
  type Peer,
  putInbound,
  type SendFields,
  sendContext,
  sendFrame,
  takeAll,
  takeAppends,
  takeOutbound,
  topicEntry,
} from '../../../support/rooms.js';

const LOG_FOLDER = '/store/commitlog';
const LOG_SEGMENT_SIZE = 1024 * 1024;

export interface LaneRoomOptions {
  readonly context?: Partial<SendContext>;
  readonly settings?: Partial<LaneSettings>;
  readonly writerRingBytes?: number;
  readonly remotingRingBytes?: number;
  readonly inboxBytes?: number;
  readonly joinsTraces?: boolean;
}

export class LaneRoom {
  readonly inbox;
  readonly news = makeRing();
  readonly toWriter;
  readonly toRemoting;
  readonly toCoordinator = makeRing();
  readonly writerBell = new CountingBell();
  readonly remotingBell = new CountingBell();
  readonly coordinatorBell = new CountingBell();
  readonly storeState = new SharedFlags();
  readonly counters = new Counters();
  readonly traceSwitch = new TraceSwitch();
  readonly recorder = makeRecorder(this.traceSwitch);
  readonly traffic = new GroupTraffic();
  readonly lane: SendLane;
  readonly disk = new MemoryDisk();
  readonly positions = new Positions();
  /** A time whose low 32 bits are not the time itself. */
  nowMs = 1_700_000_000_000;

  /** Knows the topic T with 4 queues, numbered from 10. */
  constructor(options: LaneRoomOptions = {}) {
    this.inbox = makeRing(options.inboxBytes ?? 1024 * 1024);
    this.toWriter = makeRing(options.writerRingBytes ?? 1024 * 1024);
    this.toRemoting = makeRing(options.remotingRingBytes);
    this.lane = new SendLane({
      name: 'send-lane-0',
      inbox: this.inbox,
      news: this.news,
      toWriter: this.toWriter,
      writerBell: this.writerBell,
      toRemoting: this.toRemoting,
      remotingBell: this.remotingBell,
      toCoordinator: this.toCoordinator,
      coordinatorBell: this.coordinatorBell,
      storeState: this.storeState,
      counters: this.counters,
      waits: new Latencies(),
      recorder: this.recorder,
      log: silentLogger,
      settings: { ...laneSettings, ...options.settings },
      context: { ...sendContext, ...options.context },
      traffic: this.traffic,
      records: new RecordSource(new CommitLogReader(this.disk, LOG_FOLDER, LOG_SEGMENT_SIZE), this.positions),
      joinsTraces: options.joinsTraces ?? false,
    });
    this.tell(topicEntry('T', 4, {}, 10));
  }

  /** News of a topic, as the coordinator sends it. */
  tell(entry: TopicEntry): void {
    this.news.offer(NewsType.TOPIC, new TextEncoder().encode(formatTopicEntry(entry)));
  }

  /** News of a group. */
  tellGroup(name: string, more: Partial<GroupEntry> = {}): void {
    const entry = {
      name,
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

  /** Puts a record at the end of the log; returns its position. */
  store(parts: RecordParts): number {
    const position = this.positions.read('appended');
    const record = buildRecord({ ...parts, physicalOffset: position });
    this.disk.makeFolder(LOG_FOLDER);
    const file = this.disk.open(`${LOG_FOLDER}/${segmentName(0)}`, 'create');
    if (file.size() < LOG_SEGMENT_SIZE) file.truncate(LOG_SEGMENT_SIZE);
    file.write(record, 0, record.length, position);
    file.close();
    this.positions.publish('appended', position + record.length);
    return position;
  }

  /** Puts a request in; false when the inbox is full. */
  put(frame: Uint8Array, peer: Peer = {}): boolean {
    return putInbound(this.inbox, frame, { arrivedMs: this.nowMs, ...peer });
  }

  work(): number {
    return this.lane.doWork(this.nowMs);
  }

  /** Sends and lets the lane work: what it asks the writer for. */
  append(send: SendFields = {}, peer: Peer = {}): Append {
    this.put(sendFrame(send), peer);
    this.work();
    const [append, ...others] = takeAppends(this.toWriter);
    const answers = takeOutbound(this.toRemoting);
    if (append === undefined || others.length > 0 || answers.length > 0) {
      throw new Error(`not appended: ${answers[0]?.command?.code} ${answers[0]?.command?.remark}`);
    }
    return append;
  }

  /** Sends and lets the lane work: what it answers. */
  refusal(send: SendFields | Uint8Array = {}, peer: Peer = {}): Outbound {
    this.put(send instanceof Uint8Array ? send : sendFrame(send), peer);
    this.work();
    const answers = takeOutbound(this.toRemoting);
    if (answers.length !== 1 || takeAll(this.toWriter).length > 0) throw new Error('it was not refused once');
    return answers[0]!;
  }
}
