/**
 * Room card: coordinator
 *
 * Purpose   everything that is not sending or pulling: topics, groups, consumer offsets, client heartbeats,
 *           administration; registers the broker with its name servers.
 * Thread    an event loop.
 * Reads     requests and closed connections from remoting; from lanes, frames that need a topic or group, and offsets
 *           that came with pulls; from the transaction checker, its progress and questions for producers; from the
 *           dispatcher of a slave, queues without a number; from the HA rooms, how replication stands.
 * Writes    answers to remoting; news and returned frames to lanes and the dispatcher; where the master is to the HA
 *           receiver; config/*.json.
 * When full news waits here; a request stays in its ring until remoting has taken answers.
 * Fails     a request that throws is answered SYSTEM_ERROR; a broken assertion ends the node.
 */
import type { TopicConfigSerializeWrapper } from '../../protocol/bodies/topic.js';
import { CommandFlag, Permission, ResponseCode, requestCodeName } from '../../protocol/codes.js';
import {
  createRequest,
  createResponse,
  decodeCommand,
  type ExtFields,
  encodeCommand,
  isOneway,
  type RemotingCommand,
} from '../../protocol/command.js';
import { formatIpv4 } from '../../protocol/message-id.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { encodeAnswer } from '../answer-frame.js';
import { ClientOutlet } from '../client-outlet.js';
import { InboundFrame, InboundType } from '../inbound.js';
import { OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import { NewsType, textOf } from '../topic-news.js';
import { type CallFailure, CallTable } from './call-table.js';
import type { Sender } from './handler.js';
import { handlers } from './handlers.js';
import { provideDeadLetterTopic, provideGroup, provideTopic } from './lane-needs.js';
import { CoordinatorType, type HaStatus, type OffsetCommit } from './mailbox.js';
import type { Registrar } from './registrar.js';
import { pushReply } from './reply-push.js';
import {
  announceGroup,
  announceTopic,
  applyGroupChanges,
  type ClientCall,
  type CoordinatorState,
  topicEntryOf,
} from './state.js';
import { TransactionQuestions, transactionProgress } from './transaction-checks.js';

export interface CoordinatorOptions {
  readonly fromRemoting: Ring;
  readonly fromSendLanes: readonly Ring[];
  readonly fromPullLanes: readonly Ring[];
  readonly fromDispatcher: Ring;
  /** HA sender and HA receiver. */
  readonly fromHaRooms: readonly Ring[];
  readonly fromTransactionChecker: Ring;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly state: Omit<CoordinatorState, 'push' | 'call' | 'register' | 'nowMs'>;
  /** Undefined for a broker without name servers. */
  readonly registrar: () => Registrar | undefined;
  readonly onHaStatus: (status: HaStatus) => void;
  /** Answers what concerns the whole node: configuration and runtime information (codes 25, 26, 28). */
  readonly nodeRequest: (request: RemotingCommand) => RemotingCommand | Promise<RemotingCommand> | undefined;
}

/** What lanes ask for with a frame that they get back. */
const providers: ReadonlyMap<number, (state: CoordinatorState, request: RemotingCommand) => void> = new Map([
  [CoordinatorType.TOPIC_NEEDED, provideTopic],
  [CoordinatorType.DEAD_LETTER_TOPIC_NEEDED, provideDeadLetterTopic],
  [CoordinatorType.GROUP_NEEDED, provideGroup],
]);

const BATCH_MAX = 256;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;
const EXPIRY_SCAN_MS = 10_000;
const READ_WRITE = Permission.READ | Permission.WRITE;

export class Coordinator implements Actor {
  readonly name = 'coordinator';
  readonly #options: CoordinatorOptions;
  readonly #state: CoordinatorState;
  readonly #calls = new CallTable();
  readonly #outlet: ClientOutlet;
  readonly #questions = new TransactionQuestions();
  #offsetsSaveMs = 0;
  #expiryScanMs = 0;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#outlet = new ClientOutlet(options.toRemoting, options.remotingBell, options.state.log);
    this.#state = {
      ...options.state,
      nowMs: 0,
      register: () => options.registrar()?.registerAll(),
      push: (connectionId, code, fields, body) => this.#push(connectionId, code, fields, body),
      call: (connectionId, request) => this.#call(connectionId, request),
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

  /** Takes over which topics are ordered. What cannot be stored is tried again with the next registration. */
  setOrdered(topics: ReadonlySet<string>, nowMs: number): void {
    const state = this.#state;
    try {
      for (const topic of state.topics.setOrdered(topics, nowMs)) announceTopic(state, topic);
    } catch (error) {
      state.log.warn({ err: error }, 'which topics are ordered could not be stored');
    }
  }

  get settings(): CoordinatorState['settings'] {
    return this.#state.settings;
  }

  set settings(settings: CoordinatorState['settings']) {
    this.#state.settings = settings;
  }

  doWork(nowMs: number): number {
    const { fromRemoting, fromSendLanes, fromPullLanes, fromTransactionChecker } = this.#options;
    this.#state.nowMs = nowMs;
    let work = this.#state.news.retry() + this.#outlet.retry();
    if (!this.#outlet.isWaiting) work += this.#drain(fromRemoting, this.#onRemoting);
    for (let lane = 0; lane < fromSendLanes.length; lane++)
      work += this.#drainLane(fromSendLanes[lane]!, 'sendLane', lane);
    for (let lane = 0; lane < fromPullLanes.length; lane++)
      work += this.#drainLane(fromPullLanes[lane]!, 'pullLane', lane);
    work += this.#drain(this.#options.fromDispatcher, this.#onQueueNeeded);
    for (const ring of this.#options.fromHaRooms) work += this.#drain(ring, this.#onHaStatus);
    if (!this.#outlet.isWaiting) work += this.#drain(fromTransactionChecker, this.#onTransactionChecker);
    this.#onTime(nowMs);
    this.#outlet.ringBell();
    return work;
  }

  deadlineMs(): number {
    if (this.#state.news.isWaiting || this.#outlet.isWaiting) return this.#state.nowMs + RETRY_MS;
    const { stats, desk } = this.#state;
    const dueMs = Math.min(desk.deadlineMs(this.#state), stats.deadlineMs(), this.#calls.nextDeadlineMs());
    return Math.min(this.#offsetsSaveMs, this.#expiryScanMs, dueMs);
  }

  close(): void {
    const { offsets, topics, groups, filters, log } = this.#state;
    try {
      offsets.save();
      topics.save();
      groups.save();
      filters.save();
    } catch (error) {
      log.error({ err: error }, 'offsets, topics, groups or filters could not be stored');
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
      this.#calls.connectionClosed(connectionId);
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
    if ((request.flag & CommandFlag.RESPONSE) !== 0) {
      this.#calls.answered(connectionId, request);
      return;
    }
    this.#answer(senderOf(ring, at), request);
  };

  #answer(sender: Sender, request: RemotingCommand): void {
    const { connectionId } = sender;
    let response: RemotingCommand | Promise<RemotingCommand>;
    try {
      const handler = handlers.get(request.code);
      response = handler?.(this.#state, request, sender) ?? this.#options.nodeRequest(request) ?? notSupported(request);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      this.#state.log.warn({ err: error, code: requestCodeName(request.code) }, 'a request failed');
      response = createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(error));
    }
    if (isOneway(request)) return;
    const { toRemoting } = this.#options;
    if (!(response instanceof Promise))
      return this.#outlet.send(connectionId, encodeAnswer(request, response, toRemoting));
    void response
      .catch(error => createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(error)))
      .then(later => {
        this.#outlet.send(connectionId, encodeAnswer(request, later, toRemoting));
        this.#outlet.ringBell();
      });
  }

  #drainLane(ring: Ring, kind: 'sendLane' | 'pullLane', lane: number): number {
    return this.#drain(ring, (_, at) => {
      if (ring.type === CoordinatorType.OFFSET_COMMIT) return this.#commitOffset(ring, at);
      if (ring.type === CoordinatorType.PAIR_NAMED) {
        const { slot, topic, group } = JSON.parse(textOf(ring, at)) as NamedPair;
        this.#state.stats.pairNamed(kind === 'sendLane' ? 'sentBack' : 'pulled', lane, slot, topic, group);
        return;
      }
      if (ring.type === CoordinatorType.REPLY) return this.#pushReply(ring, at, lane);
      const provide = providers.get(ring.type);
      if (provide === undefined) throw new AssertionError(`unknown record ${ring.type}`);
      provide(this.#state, this.#requestIn(ring, at));
      this.#state.news.frame(kind, lane, ring.bytes.slice(at, at + ring.length));
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

  /** Ends when its producer has the reply, or cannot have it; until then its sender's permit is taken. */
  #pushReply(ring: Ring, at: number, lane: number): void {
    const frame = ring.bytes.slice(at, at + ring.length);
    const request = this.#requestIn(ring, at);
    const { connectionId, address } = senderOf(ring, at);
    // Whatever goes wrong, the permit must go back.
    const pushed = pushReply(this.#state, request, address).catch(messageOf);
    void pushed.then(fault => {
      const response =
        fault === undefined
          ? createResponse(request, ResponseCode.SUCCESS, null, { msgId: '0' })
          : createResponse(request, ResponseCode.SYSTEM_ERROR, fault);
      const { news, settings } = this.#state;
      if (!settings.storeReplyMessageEnable) {
        if (isOneway(request)) this.#outlet.returnPermit(connectionId);
        else this.#outlet.send(connectionId, encodeCommand(response), OutboundType.SEND_REFUSED);
      } else if (fault === undefined) news.frame('sendLane', lane, frame, NewsType.REPLY_PUSHED);
      else {
        if (!isOneway(request)) this.#outlet.send(connectionId, encodeCommand(response));
        news.frame('sendLane', lane, frame, NewsType.REPLY_UNDELIVERED);
      }
      this.#outlet.ringBell();
    });
  }

  #commitOffset(ring: Ring, at: number): void {
    const commit = JSON.parse(textOf(ring, at)) as OffsetCommit;
    this.#state.offsets.commit(commit.group, commit.topic, commit.queueId, commit.offset);
  }

  readonly #onTransactionChecker = (ring: Ring, at: number): void => {
    if (ring.type === CoordinatorType.OFFSET_COMMIT) return this.#commitOffset(ring, at);
    if (ring.type === CoordinatorType.TRANSACTION_QUESTION) return this.#questions.ask(this.#state, ring, at);
    this.#state.news.transactionProgress(transactionProgress(this.#state));
  };

  #requestIn(ring: Ring, at: number): RemotingCommand {
    const start = at + InboundFrame.frameBytes;
    return decodeCommand(ring.bytes.slice(start, start + ring.words[(at >> 2) + InboundFrame.frameSize]!));
  }

  // ---- time ----

  #onTime(nowMs: number): void {
    const { offsets, clients, locks, stats, settings, log, desk, push } = this.#state;
    desk.notify(this.#state, nowMs, push);
    this.#calls.expire(nowMs);
    stats.onTime(nowMs);
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
      locks.removeExpired(nowMs);
      this.#saveFilters(nowMs);
    }
  }

  #saveFilters(nowMs: number): void {
    const { filters, settings, log } = this.#state;
    for (const group of filters.clean(nowMs, settings.filterDataCleanTimeSpan)) announceGroup(this.#state, group);
    try {
      filters.save();
    } catch (error) {
      log.warn({ err: error }, 'filters of consumers could not be stored; tried again later');
    }
  }

  // ---- answers ----

  #push(connectionId: number, code: number, fields: ExtFields, body: Uint8Array | null = null): void {
    const request = createRequest(code, fields, body);
    request.flag = CommandFlag.ONEWAY;
    const frame = encodeCommand(request);
    if (OutboundFrame.frameBytes + frame.length <= this.#options.toRemoting.payloadMax)
      this.#outlet.send(connectionId, frame);
    else this.#state.log.warn({ code: requestCodeName(code), bytes: frame.length }, 'too large to be sent to a client');
  }

  #call(connectionId: number, call: ClientCall): Promise<RemotingCommand | CallFailure> {
    const { opaque, outcome } = this.#calls.open(connectionId, this.#state.nowMs + call.timeoutMs);
    if (opaque < 0) return outcome;
    const request = createRequest(call.code, call.fields, call.body ?? null);
    request.opaque = opaque;
    this.#outlet.send(connectionId, encodeCommand(request));
    return outcome;
  }

  /** Slaves that are told of changes would hear of nothing from the rooms that come after these: they come again. */
  dismissWatchers(): void {
    for (const connectionId of this.#state.desk.watchers) this.#closeConnection(connectionId);
    this.#outlet.ringBell();
  }

  #closeConnection(connectionId: number): void {
    this.#outlet.send(connectionId, undefined);
  }
}

function senderOf({ words }: Ring, at: number): Sender {
  const word = at >> 2;
  const address = `${formatIpv4(words[word + InboundFrame.peerAddress]!)}:${words[word + InboundFrame.peerPort]!}`;
  return { connectionId: words[word + InboundFrame.connectionId]!, address };
}

interface NamedPair {
  readonly slot: number;
  readonly topic: string;
  readonly group: string;
}

function notSupported(request: RemotingCommand): RemotingCommand {
  return createResponse(
    request,
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
    ` request type ${request.code} not supported`,
  );
}
