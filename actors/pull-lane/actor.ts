/**
 * Room card: pull lane
 *
 * Purpose   answers pulls: entries, tag filter, messages from the log; holds those that find nothing. Also offsets,
 *           time search and single messages, which read the same files.
 * Thread    a piscina thread, blocking; or inline. Lanes are chosen by connection.
 * Reads     requests from remoting; topics and groups from the coordinator; queue numbers from the dispatcher; consume
 *           queues, the log and the key index; the queue table.
 * Writes    answers to remoting; committed offsets, and frames whose group is unknown, to the coordinator.
 * When full it leaves a request in its ring until remoting has taken answers; too many held pulls are answered at once.
 * Fails     a request that throws is answered SYSTEM_ERROR; a broken assertion restarts the lane, held pulls are pulled
 *           again by their clients.
 */
import { CommandFlag, PullSysFlag, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { decodeCommand, encodeCommand } from '../../protocol/command.js';
import { FRAME_PREFIX_SIZE, headerLength, serializeTypeOf } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import { createPullMessageIndex, PullMessageSlot } from '../../protocol/headers/pull-message.js';
import { PULL_RESPONSE_HEADER_MAX } from '../../protocol/pull-response.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Latencies } from '../../runtime/memory/latencies.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import { LogWindow } from '../../storage/log-window.js';
import type { MessageIndexReader } from '../../storage/message-index.js';
import { limitedBy } from '../bottleneck.js';
import { CoordinatorType } from '../coordinator/mailbox.js';
import { GroupCounts } from '../group-counts.js';
import { type GroupEntry, GroupSnapshot } from '../group-snapshot.js';
import type { GroupTraffic } from '../group-traffic.js';
import { elapsedMs, InboundFrame } from '../inbound.js';
import type { QueueTable } from '../queue-table.js';
import { OutboundFrame } from '../remoting/mailbox.js';
import type { SpanNotes } from '../span-notes.js';
import { StoreState } from '../store-state.js';
import { NewsType, TopicNews, textOf } from '../topic-news.js';
import type { KnownTopic } from '../topic-snapshot.js';
import { PullAnswers } from './answers.js';
import { Fetcher } from './fetcher.js';
import { HeldPulls } from './held-pulls.js';
import type { HeldPull } from './hold-table.js';
import type { PullLaneSettings } from './mailbox.js';
import type { MessageFilter } from './message-filter.js';
import { PullFilters } from './pull-filters.js';
import { StoreQueries } from './queries.js';
import { SubscriptionRules } from './subscription-rules.js';

export interface PullLaneOptions {
  readonly name: string;
  readonly inbox: Ring;
  readonly news: Ring;
  /** Numbers of queues that grew and that somebody waits for. */
  readonly grown: Ring;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly positions: Positions;
  readonly table: QueueTable;
  readonly log: CommitLogReader;
  readonly openQueue: (topic: string, queueId: number, units: Uint8Array) => ConsumeQueueReader;
  readonly counters: Counters;
  /** How long requests stood in the inbox. */
  readonly waits: Latencies;
  /** What is handed out to each group. */
  readonly traffic: GroupTraffic;
  /** How long looking for the messages of a pull takes. */
  readonly latencies: Latencies;
  readonly recorder: FlightRecorder;
  readonly logger: Logger;
  readonly settings: PullLaneSettings;
  readonly brokerName: string;
  readonly storeState: SharedFlags;
  readonly index: MessageIndexReader;
  /** Where there is a telemetry room. */
  readonly notes?: SpanNotes | undefined;
}

const BATCH_MAX = 256;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;
/** Open consume queues of a lane. */
const QUEUES_OPEN_MAX = 512;
/** Consumers of several queues walk the same bytes of the log at about the same time. Units: bytes. */
const WINDOW_SIZE = 512 * 1024;
const MASTER_ID = 0;

export class PullLane implements Actor {
  readonly name: string;
  readonly #options: PullLaneOptions;
  readonly #news: TopicNews;
  readonly #groups = new GroupSnapshot();
  readonly #held: HeldPulls;
  readonly #header = new HeaderView(true);
  readonly #index = createPullMessageIndex();
  readonly #units = new Uint8Array(800 * 20);
  readonly #queues = new Map<number, ConsumeQueueReader>();
  readonly #window: LogWindow;
  readonly #fetcher: Fetcher;
  readonly #queries: StoreQueries;
  readonly #rules: SubscriptionRules;
  readonly #answers: PullAnswers;
  readonly #filters: PullFilters;
  #settings: PullLaneSettings;
  #nowMs = 0;
  #isBlocked = false;
  #asked = false;
  #minimum = 0;
  #isReleasing = false;

  constructor(options: PullLaneOptions) {
    this.name = options.name;
    this.#options = options;
    this.#settings = options.settings;
    this.#news = new TopicNews(options.news);
    this.#window = new LogWindow(options.log, WINDOW_SIZE);
    const sizeMax = options.toRemoting.payloadMax - OutboundFrame.frameBytes - PULL_RESPONSE_HEADER_MAX;
    this.#fetcher = new Fetcher(this.#window, options.positions, options.table, sizeMax);
    const counts = new GroupCounts(options.traffic, options.toCoordinator);
    this.#answers = new PullAnswers(options.toRemoting, options.counters, counts, options.recorder, options.notes);
    this.#held = new HeldPulls({
      table: options.table,
      counters: options.counters,
      log: options.logger,
      nowMs: () => this.#nowMs,
      fetcher: this.#fetcher,
      answers: this.#answers,
      fetch: ({ group, topic, queueId, queueNumber, offset, maxMsgNums, filter }) =>
        this.#fetch(group, topic, queueId, queueNumber, offset, maxMsgNums, filter),
      refusal: ({ group, topic, byMembers }) =>
        byMembers ? this.#rules.checkMembers(this.#groups.get(group), group, topic.name) : undefined,
    });
    this.#rules = new SubscriptionRules(options.brokerName);
    this.#filters = new PullFilters(this.#rules, this.#groups);
    this.#queries = new StoreQueries({
      topics: this.#news.snapshot,
      table: options.table,
      positions: options.positions,
      log: options.log,
      index: options.index,
      limits: () => this.#settings,
      answerSizeMax: sizeMax,
      queueReader: (topic, queueId, number) => this.#queueReader(topic, queueId, number),
    });
  }

  doWork(nowMs: number): number {
    this.#nowMs = nowMs;
    this.#isBlocked = false;
    this.#followMinimum();
    let work = this.#news.drain(this.#onNews, this.#onTopicDeleted);
    const requests = this.#drainRequests(this.#options.inbox);
    if (requests > 0) this.#options.counters.add(Counter.requestsIn, requests);
    work += requests;
    work += this.#held.retry();
    work += this.#held.drainGrown(this.#options.grown);
    work += this.#isReleasing ? this.#held.answerAll() : this.#held.answerExpired(nowMs);
    if (this.#answers.pending) this.#options.remotingBell.ring();
    if (this.#asked) this.#options.coordinatorBell.ring();
    this.#answers.pending = false;
    this.#asked = false;
    return work;
  }

  deadlineMs(): number {
    return this.#isBlocked || this.#held.isRetrying ? this.#nowMs + RETRY_MS : this.#held.nextDeadlineMs();
  }

  /** Pulls that wait are answered, and none waits from now on: this broker changes its role. */
  releasePulls(): void {
    this.#isReleasing = true;
  }

  close(): void {
    for (const reader of this.#queues.values()) reader.close();
    this.#options.log.close();
    this.#options.index.close();
  }

  /** Files that the writer retired are let go of, so that the disk gets its room back. */
  #followMinimum(): void {
    const minimum = this.#options.positions.read('minimum');
    if (minimum === this.#minimum) return;
    this.#minimum = minimum;
    this.#options.log.closeBefore(minimum);
    this.#window.clear();
  }

  /** Its files are going: the queues of a topic that is made again have others. */
  readonly #onTopicDeleted = (topic: KnownTopic): void => {
    for (const number of topic.queueNumbers) {
      this.#queues.get(number)?.close();
      this.#queues.delete(number);
    }
  };

  readonly #onNews = (ring: Ring, at: number): boolean => {
    switch (ring.type) {
      case NewsType.FRAME:
        return this.#takeFrame(ring, at, true);
      case NewsType.SETTINGS:
        this.#settings = JSON.parse(textOf(ring, at)) as PullLaneSettings;
        return true;
      case NewsType.GROUP:
        this.#groups.put(JSON.parse(textOf(ring, at)) as GroupEntry);
        return true;
      case NewsType.GROUP_DELETED:
        this.#groups.delete(textOf(ring, at));
        return true;
      default:
        throw new AssertionError(`unknown news ${ring.type}`);
    }
  };

  #drainRequests(inbox: Ring): number {
    let work = 0;
    for (let at = inbox.poll(); at >= 0 && work < BATCH_MAX; at = inbox.poll(), work++) {
      if (!this.#takeFrame(inbox, at, false)) break;
      this.#options.waits.add(elapsedMs(inbox.words[(at >> 2) + InboundFrame.arrivedMs]!, this.#nowMs));
      inbox.release();
    }
    if (work > 0) inbox.publishReleased();
    return work;
  }

  /** False when the request must stay in its ring because remoting has no room for the answer. */
  #takeFrame(ring: Ring, at: number, returned: boolean): boolean {
    const taken = this.#tryFrame(ring, at, returned);
    if (!taken) this.#isBlocked = true;
    return taken;
  }

  #tryFrame(ring: Ring, at: number, returned: boolean): boolean {
    try {
      return this.#onFrame(ring, at, returned);
    } catch (error) {
      if (error instanceof AssertionError) {
        ring.release();
        ring.publishReleased();
        throw error;
      }
      this.#options.logger.error({ err: error }, 'a read request failed');
      return this.#answers.refuse(this.#header, ring.words[at >> 2]!, {
        code: ResponseCode.SYSTEM_ERROR,
        remark: messageOf(error),
      });
    }
  }

  #onFrame(ring: Ring, at: number, returned: boolean): boolean {
    const { words, bytes } = ring;
    const frameAt = at + InboundFrame.frameBytes;
    const size = words[(at >> 2) + InboundFrame.frameSize]!;
    const connectionId = words[at >> 2]!;
    const headerEnd = frameAt + FRAME_PREFIX_SIZE + headerLength(bytes, frameAt);
    const header = this.#header;
    if (!header.read(bytes, frameAt + FRAME_PREFIX_SIZE, headerEnd, serializeTypeOf(bytes, frameAt))) {
      return this.#answers.close(connectionId);
    }
    // An answer with the code of a request: nothing was asked.
    if ((header.flag & CommandFlag.RESPONSE) !== 0) return true;
    const waitedMs = elapsedMs(words[(at >> 2) + InboundFrame.arrivedMs]!, this.#nowMs);
    if (waitedMs > this.#settings.waitTimeMillsInPullQueue) {
      this.#options.counters.add(Counter.requestsLate);
      const remark = `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${waitedMs}ms (key waitTimeMillsInPullQueue); ${limitedBy('lanes')}`;
      return this.#answers.refuse(this.#header, connectionId, { code: ResponseCode.SYSTEM_BUSY, remark });
    }
    if (header.code === RequestCode.PULL_MESSAGE || header.code === RequestCode.LITE_PULL_MESSAGE) {
      return this.#onPull(ring, at, connectionId, returned);
    }
    if ((header.flag & CommandFlag.ONEWAY) !== 0) return true;
    const response = this.#queries.answer(decodeCommand(bytes.slice(frameAt, frameAt + size)));
    return this.#answers.frame(connectionId, encodeCommand(response));
  }

  // ---- pulls ----

  #onPull(ring: Ring, at: number, connectionId: number, returned: boolean): boolean {
    const header = this.#header;
    this.#index.read(header);
    const { slots } = this.#index;
    const groupName = header.string(slots[PullMessageSlot.consumerGroup]!);
    const group = this.#groups.get(groupName);
    if (group === undefined && !returned) return this.#askForGroup(ring, at);
    const topicIndex = slots[PullMessageSlot.topic]!;
    const topic = this.#findTopic(topicIndex);
    const queueId = header.integer(slots[PullMessageSlot.queueId]!);
    const permission = this.#settings.brokerPermission;
    const refusal = this.#rules.checkTarget(
      groupName,
      group,
      topic,
      topic?.name ?? header.string(topicIndex),
      queueId,
      permission,
    );
    if (refusal !== undefined) return this.#answers.refuse(this.#header, connectionId, refusal);
    const filter = this.#filters.of(header, slots, group!, topic!.name, this.#settings);
    if ('code' in filter) return this.#answers.refuse(this.#header, connectionId, filter);
    const sysFlag = header.integer(slots[PullMessageSlot.sysFlag]!);
    if ((sysFlag & PullSysFlag.COMMIT_OFFSET) !== 0 && !this.#commitOffset(groupName, topic!, queueId)) return false;
    return this.#pull(connectionId, groupName, topic!, queueId, filter, sysFlag);
  }

  #findTopic(index: number): KnownTopic | undefined {
    if (index < 0) return undefined;
    const header = this.#header;
    const { snapshot } = this.#news;
    if (header.isEscaped(index)) return snapshot.get(header.string(index));
    return snapshot.find(header.bytes, header.valueStart[index]!, header.valueEnd[index]!);
  }

  #commitOffset(group: string, topic: KnownTopic, queueId: number): boolean {
    const offset = this.#header.integer(this.#index.slots[PullMessageSlot.commitOffset]!);
    // A slave's offsets are its master's. Source: spec ha 6.
    if (offset < 0 || this.#options.storeState.has(StoreState.SLAVE)) return true;
    const { toCoordinator } = this.#options;
    const text = encoder.encode(JSON.stringify({ group, topic: topic.name, queueId, offset }));
    if (!toCoordinator.offer(CoordinatorType.OFFSET_COMMIT, text)) return false;
    this.#asked = true;
    return true;
  }

  #pull(
    connectionId: number,
    group: string,
    topic: KnownTopic,
    queueId: number,
    filter: MessageFilter,
    sysFlag: number,
  ): boolean {
    const header = this.#header;
    const { slots } = this.#index;
    const queueNumber = topic.queueNumbers[queueId]!;
    const offset = header.integer(slots[PullMessageSlot.queueOffset]!);
    const maxMsgNums = Math.max(1, header.integer(slots[PullMessageSlot.maxMsgNums]!, 32));
    this.#fetch(group, topic, queueId, queueNumber, offset, maxMsgNums, filter);
    const { outcome } = this.#fetcher;
    const oneway = (header.flag & CommandFlag.ONEWAY) !== 0;
    if (outcome.code === ResponseCode.PULL_NOT_FOUND && (sysFlag & PullSysFlag.SUSPEND) !== 0 && !oneway) {
      const suspendMs = header.integer(slots[PullMessageSlot.suspendTimeoutMillis]!);
      const pull: HeldPull = {
        connectionId,
        opaque: header.opaque,
        serializeType: header.serializeType,
        group,
        topic,
        queueId,
        queueNumber,
        maxMsgNums,
        filter,
        byMembers: (sysFlag & PullSysFlag.SUBSCRIPTION) === 0,
        offset: outcome.nextBeginOffset,
        deadlineMs: this.#nowMs + (this.#settings.longPollingEnable ? suspendMs : this.#settings.shortPollingTimeMills),
        passedOver: false,
        done: false,
      };
      if (suspendMs > 0 && !this.#isReleasing && this.#held.size < this.#settings.holdsMax) {
        this.#held.hold(pull);
        return true;
      }
    }
    const { opaque, serializeType } = header;
    return oneway || this.#answers.found(this.#fetcher, connectionId, opaque, serializeType, topic.name, group);
  }

  /**
   * A slave may only be late: it leaves an offset beyond its queue as it is, and points to the group's own broker.
   * Source: spec storage 13; DefaultMessageStore.nextOffsetCorrection, PullMessageProcessor.
   */
  #leaveOffset(groupName: string, offset: number): void {
    if (this.#settings.offsetCheckInSlave || !this.#options.storeState.has(StoreState.SLAVE)) return;
    const { outcome } = this.#fetcher;
    if (outcome.code === ResponseCode.PULL_OFFSET_MOVED) {
      outcome.code = ResponseCode.PULL_RETRY_IMMEDIATELY;
      outcome.nextBeginOffset = offset;
      outcome.suggestWhichBrokerId = this.#groups.get(groupName)?.brokerId ?? MASTER_ID;
    } else if (outcome.code === ResponseCode.PULL_NOT_FOUND) {
      outcome.nextBeginOffset = offset;
    }
  }

  #fetch(
    group: string,
    topic: KnownTopic,
    queueId: number,
    queueNumber: number,
    offset: number,
    maxMsgNums: number,
    filter: MessageFilter,
  ): void {
    const startedMs = performance.now();
    this.#fetcher.startedMs = startedMs;
    const reader = this.#queueReader(topic.name, queueId, queueNumber);
    this.#fetcher.fetch(queueNumber, reader, offset, maxMsgNums, filter, this.#settings);
    this.#options.latencies.add(performance.now() - startedMs);
    if (this.#fetcher.behind && this.#fetcher.count > 0) this.#options.counters.add(Counter.pullsBehind);
    if (this.#settings.slaveReadEnable) this.#suggestBroker(group);
    else this.#fetcher.outcome.suggestWhichBrokerId = MASTER_ID;
    this.#leaveOffset(group, offset);
  }

  /** Where a group is to read on, by its own settings. Source: spec remoting 6.5. */
  #suggestBroker(name: string): void {
    const group = this.#groups.get(name);
    const slow = this.#fetcher.behind ? group?.whichBrokerWhenConsumeSlowly : group?.brokerId;
    this.#fetcher.outcome.suggestWhichBrokerId = slow ?? MASTER_ID;
  }

  #queueReader(topic: string, queueId: number, queueNumber: number): ConsumeQueueReader {
    const open = this.#queues.get(queueNumber);
    if (open !== undefined) return open;
    if (this.#queues.size >= QUEUES_OPEN_MAX) {
      const [oldest, reader] = this.#queues.entries().next().value!;
      reader.close();
      this.#queues.delete(oldest);
    }
    const reader = this.#options.openQueue(topic, queueId, this.#units);
    this.#queues.set(queueNumber, reader);
    return reader;
  }

  #askForGroup(ring: Ring, at: number): boolean {
    if (!this.#options.toCoordinator.offer(CoordinatorType.GROUP_NEEDED, ring.bytes, at, ring.length)) return false;
    this.#asked = true;
    return true;
  }
}

const encoder = new TextEncoder();
