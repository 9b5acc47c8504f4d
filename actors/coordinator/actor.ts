/**
 * Room card: coordinator
 *
 * Purpose   everything that is not sending or pulling: topics, groups, consumer offsets, client heartbeats,
 *           administration; registers the broker with its name servers.
 * Thread    an event loop.
 * Reads     requests and closed connections from remoting; from lanes, frames that need a topic or group, and offsets
 *           that came with pulls; from the dispatcher of a slave, queues without a number; from the HA rooms, how
 *           replication stands.
 * Writes    answers to remoting; news and returned frames to lanes and the dispatcher; where the master is to the HA
 *           receiver; config/*.json.
 * When full news waits here; a request stays in its ring until remoting has taken answers.
 * Fails     a request that throws is answered SYSTEM_ERROR; a broken assertion ends the node.
 */
import type { TopicConfigSerializeWrapper } from '../../protocol/bodies/topic.js';
import { CommandFlag, Permission, RequestCode, ResponseCode, requestCodeName } from '../../protocol/codes.js';
import {
  createRequest,
  createResponse,
  decodeCommand,
  encodeCommand,
  isOneway,
  type RemotingCommand,
} from '../../protocol/command.js';
import { TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { topicFault } from '../../protocol/topic-names.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { InboundFrame, InboundType } from '../inbound.js';
import { OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import { textOf } from '../topic-news.js';
import { consumerHandlers, type Handler } from './consumer-requests.js';
import { CoordinatorType, type HaStatus } from './mailbox.js';
import type { Registrar } from './registrar.js';
import { announceGroup, announceTopic, applyGroupChanges, type CoordinatorState, topicEntryOf } from './state.js';
import { topicHandlers } from './topic-requests.js';

export interface CoordinatorOptions {
  readonly fromRemoting: Ring;
  readonly fromSendLanes: readonly Ring[];
  readonly fromPullLanes: readonly Ring[];
  readonly fromDispatcher: Ring;
  /** HA sender and HA receiver. */
  readonly fromHaRooms: readonly Ring[];
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly state: Omit<CoordinatorState, 'push' | 'register' | 'nowMs'>;
  /** Undefined for a broker without name servers. */
  readonly registrar: () => Registrar | undefined;
  readonly onHaStatus: (status: HaStatus) => void;
  /** Answers what concerns the whole node: configuration and runtime information (codes 25, 26, 28). */
  readonly nodeRequest: (request: RemotingCommand) => RemotingCommand | Promise<RemotingCommand> | undefined;
}

const BATCH_MAX = 256;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;
const EXPIRY_SCAN_MS = 10_000;
const READ_WRITE = Permission.READ | Permission.WRITE;

export class Coordinator implements Actor {
  readonly name = 'coordinator';
  readonly #options: CoordinatorOptions;
  readonly #state: CoordinatorState;
  readonly #handlers = new Map<number, Handler>([...consumerHandlers, ...topicHandlers]);
  /** Answers that remoting had no room for. */
  readonly #unsent: { connectionId: number; frame: Uint8Array | undefined }[] = [];
  #answered = false;
  #offsetsSaveMs = 0;
  #expiryScanMs = 0;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#state = {
      ...options.state,
      nowMs: 0,
      register: () => options.registrar()?.registerAll(),
      push: (connectionId, code, fields, body) => this.#push(connectionId, code, fields, body),
    };
  }

  /** Tells all rooms of all topics and groups: once, before the first duty cycle. */
  announceAll(): void {
    const state = this.#state;
    for (const topic of state.topics.all()) state.news.topic(topicEntryOf(state, topic));
    for (const group of state.groups.all()) announceGroup(state, group.groupName);
  }

  /** What name servers are told: with a restricted brokerPermission every topic has that permission. */
  registrationTopics(brokerPermission: number): TopicConfigSerializeWrapper {
    const wrapper = this.#state.topics.wrapper();
    if ((brokerPermission & READ_WRITE) === READ_WRITE) return wrapper;
    const topics = Object.values(wrapper.topicConfigTable).map(topic => [
      topic.topicName,
      { ...topic, perm: brokerPermission },
    ]);
    return { ...wrapper, topicConfigTable: Object.fromEntries(topics) };
  }

  /** Makes a new version of the table of topics although no topic changed. Errors: RingError DISK_WRITE_FAILED. */
  touchTopics(nowMs: number): void {
    this.#state.topics.touch(nowMs);
  }

  get settings(): CoordinatorState['settings'] {
    return this.#state.settings;
  }

  set settings(settings: CoordinatorState['settings']) {
    this.#state.settings = settings;
  }

  doWork(nowMs: number): number {
    const { fromRemoting, fromSendLanes, fromPullLanes } = this.#options;
    this.#state.nowMs = nowMs;
    let work = this.#state.news.retry() + this.#retryUnsent();
    if (this.#unsent.length === 0) work += this.#drain(fromRemoting, this.#onRemoting);
    for (let lane = 0; lane < fromSendLanes.length; lane++)
      work += this.#drainLane(fromSendLanes[lane]!, 'sendLane', lane);
    for (let lane = 0; lane < fromPullLanes.length; lane++)
      work += this.#drainLane(fromPullLanes[lane]!, 'pullLane', lane);
    work += this.#drain(this.#options.fromDispatcher, this.#onQueueNeeded);
    for (const ring of this.#options.fromHaRooms) work += this.#drain(ring, this.#onHaStatus);
    this.#onTime(nowMs);
    if (this.#answered) this.#options.remotingBell.ring();
    this.#answered = false;
    return work;
  }

  deadlineMs(): number {
    if (this.#state.news.isWaiting || this.#unsent.length > 0) return this.#state.nowMs + RETRY_MS;
    return Math.min(this.#offsetsSaveMs, this.#expiryScanMs, this.#state.desk.deadlineMs(this.#state));
  }

  close(): void {
    const { offsets, topics, groups, log } = this.#state;
    try {
      offsets.save();
      topics.save();
      groups.save();
    } catch (error) {
      log.error({ err: error }, 'offsets, topics or groups could not be stored');
    }
  }

  #drain(ring: Ring, take: (ring: Ring, at: number) => void): number {
    let work = 0;
    for (let at = ring.poll(); at >= 0 && work < BATCH_MAX; at = ring.poll(), work++) {
      take(ring, at);
      ring.release();
    }
    if (work > 0) ring.publishReleased();
    return work;
  }

  // ---- requests ----

  readonly #onRemoting = (ring: Ring, at: number): void => {
    const connectionId = ring.words[at >> 2]!;
    if (ring.type === InboundType.CLOSED) {
      this.#state.desk.forget(connectionId, this.#state.offsets);
      applyGroupChanges(this.#state, this.#state.clients.connectionClosed(connectionId));
      return;
    }
    const start = at + InboundFrame.frameBytes;
    const size = ring.words[(at >> 2) + InboundFrame.frameSize]!;
    let request: RemotingCommand;
    try {
      request = decodeCommand(ring.bytes.slice(start, start + size));
    } catch {
      this.#closeConnection(connectionId);
      return;
    }
    // Answers to what this broker asked of clients: nothing it asks now is answered.
    if ((request.flag & CommandFlag.RESPONSE) !== 0) return;
    this.#answer(connectionId, request);
  };

  #answer(connectionId: number, request: RemotingCommand): void {
    let response: RemotingCommand | Promise<RemotingCommand>;
    try {
      const handler = this.#handlers.get(request.code);
      response =
        handler?.(this.#state, request, connectionId) ?? this.#options.nodeRequest(request) ?? notSupported(request);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      this.#state.log.warn({ err: error, code: requestCodeName(request.code) }, 'a request failed');
      response = createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(error));
    }
    if (isOneway(request)) return;
    if (!(response instanceof Promise)) return this.#send(connectionId, encodeCommand(response));
    void response
      .catch(error => createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(error)))
      .then(later => {
        this.#send(connectionId, encodeCommand(later));
        this.#options.remotingBell.ring();
      });
  }

  #drainLane(ring: Ring, kind: 'sendLane' | 'pullLane', lane: number): number {
    return this.#drain(ring, (_, at) => {
      switch (ring.type) {
        case CoordinatorType.TOPIC_NEEDED:
          this.#makeTopic(ring, at);
          this.#state.news.frame(kind, lane, ring.bytes.slice(at, at + ring.length));
          return;
        case CoordinatorType.GROUP_NEEDED:
          this.#makeGroup(ring, at);
          this.#state.news.frame(kind, lane, ring.bytes.slice(at, at + ring.length));
          return;
        case CoordinatorType.OFFSET_COMMIT: {
          const commit = JSON.parse(decoder.decode(ring.bytes.slice(at, at + ring.length))) as OffsetCommit;
          this.#state.offsets.commit(commit.group, commit.topic, commit.queueId, commit.offset);
          return;
        }
        default:
          throw new AssertionError(`unknown record ${ring.type}`);
      }
    });
  }

  // ---- replication ----

  /** A slave has the topic's records before it has the topic: its queues get numbers, so that entries can be made. */
  readonly #onQueueNeeded = (ring: Ring, at: number): void => {
    const { topic, queueId } = JSON.parse(textOf(ring, at)) as { topic: string; queueId: number };
    const { numbers, topics, news, log } = this.#state;
    let queueNumbers: Int32Array;
    try {
      queueNumbers = numbers.of(topic, queueId + 1);
    } catch (error) {
      log.error({ err: error, topic, queueId }, 'a queue gets no entries');
      queueNumbers = new Int32Array(queueId + 1).fill(-1);
    }
    const known = topics.get(topic);
    if (known !== undefined) return news.queues({ ...topicEntryOf(this.#state, known), queueNumbers });
    const count = queueNumbers.length;
    news.queues({ name: topic, perm: 0, readQueueNums: count, writeQueueNums: count, order: false, queueNumbers });
  };

  readonly #onHaStatus = (ring: Ring, at: number): void => {
    this.#options.onHaStatus(JSON.parse(textOf(ring, at)) as HaStatus);
  };

  /** What this coordinator works on: for who brings a slave's copy up to date. */
  get state(): CoordinatorState {
    return this.#state;
  }

  /**
   * The topic of a first send. The lane refuses the frame itself when it comes back and the topic is still not there.
   */
  #makeTopic(ring: Ring, at: number): void {
    const { extFields, code } = this.#requestIn(ring, at);
    const short = code !== RequestCode.SEND_MESSAGE;
    const name = (short ? extFields.b : extFields.topic) ?? '';
    const state = this.#state;
    if (state.isSlave()) return;
    if (state.topics.get(name) !== undefined || topicFault(name, TOPIC_SIZE_MAX) !== undefined) return;
    const template = (short ? extFields.c : extFields.defaultTopic) ?? '';
    const queues = Number((short ? extFields.d : extFields.defaultTopicQueueNums) ?? 4);
    const unitMode = (short ? extFields.k : extFields.unitMode) === 'true';
    try {
      const wanted = Number.isInteger(queues) ? queues : 4;
      const { autoCreateTopicEnable } = state.settings;
      const topic = state.topics.planOnSend(name, template, wanted, unitMode ? 1 : 0, autoCreateTopicEnable);
      if (topic === undefined) return;
      // Numbers first: a broker that has no more of them stores no topic it cannot serve.
      state.numbers.of(name, Math.max(topic.readQueueNums, topic.writeQueueNums));
      state.topics.put(topic, state.nowMs);
      state.log.info({ topic: name, queues: topic.writeQueueNums, template }, 'topic made by its first send');
      announceTopic(state, topic);
    } catch (error) {
      state.log.error({ err: error, topic: name }, 'a topic could not be made');
    }
  }

  #makeGroup(ring: Ring, at: number): void {
    const { consumerGroup, group } = this.#requestIn(ring, at).extFields;
    const name = consumerGroup ?? group ?? '';
    const { groups, settings, nowMs, log } = this.#state;
    try {
      if (groups.findOrCreate(name, settings.autoCreateSubscriptionGroup, nowMs) !== undefined)
        announceGroup(this.#state, name);
    } catch (error) {
      log.error({ err: error, group: name }, 'a group could not be stored');
    }
  }

  #requestIn(ring: Ring, at: number): RemotingCommand {
    const start = at + InboundFrame.frameBytes;
    return decodeCommand(ring.bytes.slice(start, start + ring.words[(at >> 2) + InboundFrame.frameSize]!));
  }

  // ---- time ----

  #onTime(nowMs: number): void {
    const { offsets, clients, settings, log, desk, push } = this.#state;
    desk.notify(this.#state, nowMs, push);
    if (nowMs >= this.#offsetsSaveMs) {
      this.#offsetsSaveMs = nowMs + settings.flushConsumerOffsetInterval;
      try {
        offsets.save();
      } catch (error) {
        log.warn({ err: error }, 'consumer offsets could not be stored; tried again later');
      }
    }
    if (nowMs >= this.#expiryScanMs) {
      this.#expiryScanMs = nowMs + EXPIRY_SCAN_MS;
      for (const connectionId of clients.expired(nowMs)) this.#closeConnection(connectionId);
    }
  }

  // ---- answers ----

  /** Without a frame the connection is closed. */
  #send(connectionId: number, frame: Uint8Array | undefined): void {
    if (this.#unsent.length > 0 || !this.#trySend(connectionId, frame)) this.#unsent.push({ connectionId, frame });
  }

  #trySend(connectionId: number, frame: Uint8Array | undefined): boolean {
    const { toRemoting } = this.#options;
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const at = toRemoting.claim(length);
    if (at < 0) return false;
    toRemoting.words[at >> 2] = connectionId;
    if (frame !== undefined) toRemoting.bytes.set(frame, at + OutboundFrame.frameBytes);
    toRemoting.commit(frame === undefined ? OutboundType.CLOSE : OutboundType.FRAME, length);
    this.#answered = true;
    return true;
  }

  #retryUnsent(): number {
    let sent = 0;
    while (this.#unsent.length > 0 && this.#trySend(this.#unsent[0]!.connectionId, this.#unsent[0]!.frame)) {
      this.#unsent.shift();
      sent++;
    }
    return sent;
  }

  #push(connectionId: number, code: number, fields: Record<string, string>, body?: Uint8Array): void {
    const request = createRequest(code, fields, body ?? null);
    request.flag = CommandFlag.ONEWAY;
    this.#send(connectionId, encodeCommand(request));
  }

  #closeConnection(connectionId: number): void {
    this.#send(connectionId, undefined);
  }
}

interface OffsetCommit {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
}

const decoder = new TextDecoder();

function notSupported(request: RemotingCommand): RemotingCommand {
  return createResponse(
    request,
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
    ` request type ${request.code} not supported`,
  );
}
