/**
 * Room card: forwarder
 *
 * Purpose   on a broker that was the master a moment ago: what clients send it because they do not know yet goes to the
 *           new master, in their order, and its answer back to them, as it is. Elsewhere it has nothing to do.
 * Thread    an event loop.
 * Reads     requests from remoting; the connection to the new master.
 * Writes    the new master's answers, and requests it could not pass on, to remoting; that there is a new master, to
 *           the coordinator.
 * When full it takes no more requests out of its ring than may be in flight; remoting answers SYSTEM_BUSY.
 * Fails     its crash is the node's crash. An answer that does not come is an error to the client, never a success:
 *           nobody knows what became of the request.
 */
import { Connection } from '../../client/connection.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import {
  createRequest,
  createResponse,
  decodeCommand,
  isOneway,
  isResponse,
  type RemotingCommand,
} from '../../protocol/command.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { encodeAnswer } from '../answer-frame.js';
import { ClientOutlet } from '../client-outlet.js';
import { CoordinatorType, type HaStatus } from '../coordinator/mailbox.js';
import { InboundFrame } from '../inbound.js';
import { OutboundType } from '../remoting/mailbox.js';
import { type Forwarding, PASSED_ON_FIELD } from './mailbox.js';

export interface ForwarderOptions {
  /** Requests from remoting. */
  readonly inbox: Ring;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly counters: Counters;
  readonly log: Logger;
  /** Undefined on a broker that has not just been the master. */
  readonly forwarding: Forwarding | undefined;
  nowMs(): number;
}

/** How often the successor is asked whether it is the master, until it is. Units: ms. */
const ASK_EVERY_MS = 10;
/** A client waits 3 s by default: what cannot be passed on by then is answered while it still listens. Units: ms. */
const WAIT_MAX_MS = 2500;
/** An answer may wait for a slave. Units: ms. */
const ANSWER_MAX_MS = 30_000;
/** How long the name server's entry of the former master stays when no successor takes it over. Units: ms. */
const SUCCESSION_MAX_MS = 10_000;
/** How long the new master's first slave is waited for, which is this broker. Units: ms. */
const SLAVE_MAX_MS = 1000;
const IN_FLIGHT_MAX = 4096;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;

/** A request on its way. */
interface Passing {
  readonly order: number;
  readonly connectionId: number;
  readonly frame: Uint8Array;
  readonly request: RemotingCommand;
  readonly arrivedMs: number;
  /** The successor said once already that it is no master. */
  wasRefused: boolean;
}

export class Forwarder implements Actor {
  readonly name = 'forwarder';
  readonly #options: ForwarderOptions;
  readonly #outlet: ClientOutlet;
  readonly #startedMs: number;
  /** In the order they came. */
  #waiting: Passing[] = [];
  #inFlight = 0;
  #order = 0;
  #connection: Connection | undefined;
  /** The successor is the master. */
  #isOpen = false;
  #isSeeking = false;
  /** Since when the successor says that it is the master. */
  #ledSinceMs = Number.POSITIVE_INFINITY;
  /** The coordinator knows where the successor can be followed, and that it is registered. */
  #isFollowed = false;
  #isTold = false;
  #isResting = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #nowMs = 0;
  /** Set by the node: schedules this actor's duty cycle. */
  onWork: () => void = () => {};

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#outlet = new ClientOutlet(options.toRemoting, options.remotingBell, options.log);
    this.#startedMs = options.nowMs();
    if (options.forwarding !== undefined) this.#seek();
  }

  doWork(nowMs: number): number {
    this.#nowMs = nowMs;
    let work = this.#outlet.retry();
    work += this.#drain();
    work += this.#expire(nowMs);
    this.#passOn();
    this.#outlet.ringBell();
    return work;
  }

  deadlineMs(): number {
    if (this.#outlet.isWaiting) return this.#nowMs + RETRY_MS;
    const first = this.#waiting[0];
    return first === undefined ? Number.POSITIVE_INFINITY : first.arrivedMs + WAIT_MAX_MS;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    void this.#connection?.close();
  }

  /** Gives back what has not left yet, and passes nothing more on: this broker is to be the master again. */
  rest(): void {
    this.#isResting = true;
    for (const { connectionId, frame } of this.#waiting.splice(0)) {
      this.#outlet.send(connectionId, frame, OutboundType.GIVEN_BACK);
    }
    this.#outlet.ringBell();
  }

  /** Requests that have neither been answered nor given back. */
  get unsettled(): number {
    return this.#waiting.length + this.#inFlight;
  }

  // ---- requests ----

  #drain(): number {
    const { inbox, counters } = this.#options;
    let work = 0;
    for (let at = inbox.poll(); at >= 0 && this.unsettled < IN_FLIGHT_MAX; at = inbox.poll(), work++) {
      this.#take(inbox, at);
      inbox.release();
    }
    if (work > 0) {
      inbox.publishReleased();
      counters.add(Counter.requestsIn, work);
    }
    return work;
  }

  #take(inbox: Ring, at: number): void {
    const word = at >> 2;
    const connectionId = inbox.words[word + InboundFrame.connectionId]!;
    const start = at + InboundFrame.frameBytes;
    const frame = inbox.bytes.slice(start, start + inbox.words[word + InboundFrame.frameSize]!);
    let request: RemotingCommand;
    try {
      request = decodeCommand(frame);
    } catch {
      this.#outlet.send(connectionId, undefined);
      return;
    }
    // An answer with the code of a request: nothing was asked.
    if (isResponse(request)) return;
    if (this.#isResting) return this.#outlet.send(connectionId, frame, OutboundType.GIVEN_BACK);
    const passing = { order: this.#order++, connectionId, frame, request, arrivedMs: this.#nowMs, wasRefused: false };
    if (request.extFields[PASSED_ON_FIELD] !== undefined) {
      return this.#refuse(passing, 'this broker is a slave, and whoever sends this on should know');
    }
    this.#waiting.push(passing);
    if (!this.#isOpen) this.#seek();
  }

  #expire(nowMs: number): number {
    let work = 0;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0], work++) {
      if (nowMs - first.arrivedMs < WAIT_MAX_MS) break;
      this.#waiting.shift();
      this.#refuse(first, `${this.#options.forwarding?.successor} does not take over`);
    }
    return work;
  }

  #refuse(passing: Passing, why: string): void {
    const remark = `service not available now. It may be caused by: this broker is a slave; ${why}`;
    this.#answer(passing, createResponse(passing.request, ResponseCode.SERVICE_NOT_AVAILABLE, remark));
  }

  #answer({ connectionId, request }: Passing, answer: RemotingCommand): void {
    if (isOneway(request)) return;
    answer.opaque = request.opaque;
    this.#outlet.send(connectionId, encodeAnswer(request, answer, this.#options.toRemoting));
  }

  // ---- the successor ----

  #passOn(): void {
    while (this.#isOpen && this.#waiting.length > 0) {
      const connection = this.#connection;
      if (connection === undefined || connection.closed) return this.#shut();
      this.#send(connection, this.#waiting.shift()!);
    }
  }

  #send(connection: Connection, passing: Passing): void {
    const { request } = passing;
    const extFields = { ...request.extFields, [PASSED_ON_FIELD]: 'true' };
    if (isOneway(request)) return this.#sendOneway(connection, { ...request, extFields });
    this.#inFlight++;
    void connection
      .request({ ...request, extFields }, ANSWER_MAX_MS)
      .then(
        answer => this.#onAnswer(passing, answer),
        error => this.#onLost(passing, error),
      )
      .then(() => {
        this.#inFlight--;
        this.onWork();
      });
  }

  #sendOneway(connection: Connection, request: RemotingCommand): void {
    try {
      connection.sendOneway(request);
    } catch (error) {
      this.#options.log.debug({ reason: messageOf(error) }, 'a oneway request was not passed on');
    }
  }

  #onAnswer(passing: Passing, answer: RemotingCommand): void {
    if (answer.code !== ResponseCode.SERVICE_NOT_AVAILABLE || passing.wasRefused) return this.#answer(passing, answer);
    // Nothing was done. The roles may be changing back: it waits for the next master, here or there.
    passing.wasRefused = true;
    if (this.#isResting) {
      this.#outlet.send(passing.connectionId, passing.frame, OutboundType.GIVEN_BACK);
      return;
    }
    const at = this.#waiting.findIndex(({ order }) => order > passing.order);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, passing);
    this.#shut();
  }

  #onLost(passing: Passing, error: unknown): void {
    const remark = `sent on to the new master, which did not answer: ${messageOf(error)}`;
    this.#answer(passing, createResponse(passing.request, ResponseCode.SYSTEM_ERROR, remark));
  }

  #shut(): void {
    this.#isOpen = false;
    this.#seek();
  }

  /** Asks the successor what it is until it is the master. */
  #seek(): void {
    if (this.#isSeeking || this.#isClosed) return;
    this.#isSeeking = true;
    void this.#look().then(isDone => {
      this.#isSeeking = false;
      this.onWork();
      if (isDone || this.#isClosed) return;
      this.#timer = setTimeout(() => this.#seek(), ASK_EVERY_MS);
    });
  }

  async #look(): Promise<boolean> {
    const { forwarding, nowMs, log } = this.#options;
    if (forwarding === undefined) return true;
    const isLate = nowMs() - this.#startedMs > SUCCESSION_MAX_MS;
    if (isLate && !this.#isTold) this.#isTold = this.#tell({ room: 'forwarder' });
    try {
      const connection = await this.#connect(forwarding.successor);
      const { extFields } = await connection.request(createRequest(RequestCode.RINGMQ_GET_ROLE), WAIT_MAX_MS);
      const { brokerRole = 'SLAVE', registered, replicated, appended } = extFields;
      const leads = brokerRole !== 'SLAVE';
      this.#ledSinceMs = leads ? Math.min(this.#ledSinceMs, nowMs()) : Number.POSITIVE_INFINITY;
      if (leads && !this.#isFollowed) {
        const place = { masterAddr: forwarding.successor, haServerAddr: extFields.haServerAddr ?? '' };
        this.#isFollowed = this.#tell({ room: 'forwarder', place });
      }
      if (leads && registered === 'true' && !this.#isTold) this.#isTold = this.#tell({ room: 'forwarder' });
      // A synchronous master without a slave stores what it is sent, but not twice: this broker follows in a moment.
      const isSafe = brokerRole !== 'SYNC_MASTER' || Number(replicated) > 0 || Number(appended) === 0;
      if (leads && !this.#isOpen && (isSafe || nowMs() - this.#ledSinceMs > SLAVE_MAX_MS)) {
        this.#isOpen = true;
        log.info({ successor: forwarding.successor, waiting: this.#waiting.length }, 'requests go to the new master');
      }
    } catch (error) {
      log.debug(
        { successor: forwarding.successor, reason: messageOf(error) },
        'the new master does not say what it is',
      );
    }
    return this.#isOpen && this.#isTold;
  }

  async #connect(address: string): Promise<Connection> {
    if (this.#connection !== undefined && !this.#connection.closed) return this.#connection;
    const colon = address.lastIndexOf(':');
    this.#connection = await Connection.open({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      connectTimeoutMs: WAIT_MAX_MS,
    });
    if (this.#isClosed) void this.#connection.close();
    return this.#connection;
  }

  #tell(status: HaStatus): boolean {
    const { toCoordinator, coordinatorBell } = this.#options;
    const isTold = toCoordinator.offer(CoordinatorType.HA_STATUS, encoder.encode(JSON.stringify(status)));
    coordinatorBell.ring();
    return isTold;
  }
}

const encoder = new TextEncoder();
