/**
 * Room card: remoting
 *
 * Purpose   sockets on one side, rings on the other: cuts frames, routes them by request code, gathers and writes
 *           answers, and holds back the answers to sends until the position their policy names has passed them (the
 *           gate).
 * Thread    an event loop.
 * Reads     rings of finished frames and append results; positions flushed and replicated.
 * Writes    sockets; a ring of requests to each lane and to the coordinator and name registry.
 * When full a full ring or no permit answers SYSTEM_BUSY at once; rings towards this room are always drained.
 * Fails     its crash is the node's crash.
 */

import { CommandFlag, ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import { FRAME_PREFIX_SIZE, headerLength, peekCode, serializeTypeOf } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import type { Actor } from '../../runtime/actor/contract.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { TraceSampler, type TraceSwitch } from '../../runtime/trace/recorder.js';
import { holdsSends, limitedBy } from '../bottleneck.js';
import { elapsedMs, InboundFrame, InboundType } from '../inbound.js';
import type { LaneCounts } from '../lane-counts.js';
import { describeStoreState, StoreState } from '../store-state.js';
import type { Connection, ConnectionEvents } from './connection.js';
import type { ConnectionTable } from './connection-table.js';
import { OutboundFrame, OutboundType } from './mailbox.js';
import type { Outlet } from './outlet.js';
import { isPassedOn, type ListenerKind, type RoomName, routeOf } from './routes.js';
import { SendAnswers, type SendAnswersOptions } from './send-answers.js';

export interface RemotingOptions extends SendAnswersOptions {
  readonly kinds: readonly ListenerKind[];
  /** Rings by room; lanes have several. A room that is not there answers as an unknown code. */
  readonly outlets: Partial<Record<RoomName, Outlet[]>>;
  /** Rings whose records are {@link OutboundType}. */
  readonly inlets: Ring[];
  /** From send lanes to the writer: how full they are says what a refused send is told. */
  readonly writerRings?: readonly Ring[];
  /** How many lanes get requests; all of them without it. */
  readonly laneCounts?: LaneCounts;
  readonly traceSwitch: TraceSwitch;
  readonly log: Logger;
  readonly connections: ConnectionTable;
  /** So long after it was the master it passes on what only a master does. Units: ms since the epoch. */
  readonly passesOnUntilMs: number;
  readonly idleMaxMs: number;
  /** Rooms that want to know when a connection closes. */
  readonly closingRooms: readonly RoomName[];
  nowMs(): number;
}

/** Results taken from one ring in one cycle. */
const BATCH_MAX = 4096;
const IDLE_SCAN_MS = 10_000;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;
/** Rooms on other threads are rung after this many frames, so that they work while the rest is still being read. */
const RING_EVERY = 32;

export class Remoting implements Actor, ConnectionEvents {
  readonly name = 'remoting';
  readonly connections: ConnectionTable;
  readonly #options: RemotingOptions;
  readonly #sendAnswers: SendAnswers;
  readonly #sampler: TraceSampler;
  readonly #dirty: Connection[] = [];
  readonly #header = new HeaderView();
  readonly #closedToTell: { room: RoomName; connectionId: number }[] = [];
  readonly #rung = new Set<Doorbell>();
  /** Frames handed on since the rooms were last rung. */
  #unrung = 0;
  /** Connections whose next send waits until what went through another lane is settled. */
  #paused: Connection[] = [];
  /** Connections whose next send waits until it is known what this broker will be. */
  #held: Connection[] | undefined;
  /** Its connections are no longer its own. */
  hasLeft = false;
  /** Connections accepted so far, by listener. */
  readonly #accepted: number[] = [];
  #idleScanMs = 0;
  #nowMs = 0;

  constructor(options: RemotingOptions) {
    this.#options = options;
    this.connections = options.connections;
    this.#sampler = new TraceSampler(options.traceSwitch);
    this.#sendAnswers = new SendAnswers(options, this.connections, connection => this.#markDirty(connection));
    this.#nowMs = options.nowMs();
    this.#idleScanMs = this.#nowMs + IDLE_SCAN_MS;
  }

  doWork(nowMs: number): number {
    this.#nowMs = nowMs;
    this.#sendAnswers.nowMs = nowMs;
    let work = this.#ringBells();
    for (const inlet of this.#options.inlets) work += this.#drain(inlet);
    work += this.#sendAnswers.release(nowMs);
    work += this.#tellClosed();
    work += this.#resumePaused();
    this.#flushDirty();
    this.#options.counters.set(Counter.sendsInFlight, this.#sendAnswers.inflight);
    this.#options.counters.set(Counter.sendsAwaitingFlush, this.#sendAnswers.awaitingFlush);
    this.#options.counters.set(Counter.sendsAwaitingSlave, this.#sendAnswers.awaitingSlave);
    if (nowMs >= this.#idleScanMs) this.#closeIdle(nowMs);
    return work;
  }

  deadlineMs(): number {
    if (this.#closedToTell.length > 0) return this.#nowMs + RETRY_MS;
    return Math.min(this.#idleScanMs, this.#sendAnswers.deadlineMs(this.#nowMs));
  }

  close(): void {
    // They go on without it.
    if (this.hasLeft) return;
    this.connections.forEach(connection => {
      connection.close('the node stops');
    });
  }

  /** Sends accepted and not answered yet. */
  get inflight(): number {
    return this.#sendAnswers.inflight;
  }

  /** Sends, and what else only a master does, wait in their connections from now on, or are taken again. */
  holdSends(wanted: boolean): void {
    const held = this.#held ?? [];
    this.#held = wanted ? held : undefined;
    if (!wanted) for (const connection of held) connection.resume();
  }

  /** Answers what it can, and has nothing more to do with its connections. */
  leave(): void {
    this.hasLeft = true;
    this.#flushDirty();
  }

  // ---- requests ----

  onFrame(connection: Connection, bytes: Uint8Array, at: number, size: number): boolean {
    if (this.#unrung === 0) this.#nowMs = this.#options.nowMs();
    connection.lastActiveMs = this.#nowMs;
    if (headerLength(bytes, at) < 0) {
      connection.close('a header longer than its frame', 'faulty');
      return true;
    }
    let code = peekCode(bytes, at);
    if (code < 0) {
      if (!this.#readHeader(bytes, at)) {
        connection.close('a header that cannot be read', 'faulty');
        return true;
      }
      code = this.#header.code;
    }
    const { counters, kinds, passesOnUntilMs } = this.#options;
    const kind = kinds[connection.listener]!;
    const room = this.#nowMs < passesOnUntilMs && isPassedOn(code, kind) ? 'forwarder' : routeOf(code, kind);
    if (this.#held !== undefined && isPassedOn(code, kind)) {
      this.#held.push(connection);
      return false;
    }
    if (room === 'sendLane' && !this.#mayGoOn(connection)) return false;
    counters.add(Counter.requestsIn);
    counters.add(Counter.bytesIn, size);
    this.#route(connection, room, code, bytes, at, size);
    return true;
  }

  /**
   * Puts the connection on the lane that it is to use now that there are so many. False when sends of it are still on
   * the way through another one: what comes next must not overtake them.
   */
  #mayGoOn(connection: Connection): boolean {
    const count = this.#lanesOf('sendLane');
    if (count === 0) return true;
    const lane = connection.turn % count;
    if (lane === connection.sendLane) return true;
    if (connection.sendsUnsettled > 0) {
      this.#paused.push(connection);
      return false;
    }
    connection.sendLane = lane;
    return true;
  }

  /** How many lanes of a room get requests. */
  #lanesOf(room: 'sendLane' | 'pullLane'): number {
    const { laneCounts, outlets } = this.#options;
    return laneCounts?.active(room === 'sendLane' ? 'send-lane' : 'pull-lane') ?? outlets[room]?.length ?? 0;
  }

  #route(connection: Connection, room: RoomName, code: number, bytes: Uint8Array, at: number, size: number): void {
    const { outlets } = this.#options;
    const isSend = room === 'sendLane';
    const lanes = outlets[room] ?? outlets.coordinator ?? outlets.nameRegistry;
    if (lanes === undefined || lanes.length === 0) return this.#refuse(connection, bytes, at, `no ${room} runs`);
    if (isSend && this.#options.storeState.has(StoreState.CLOSED)) return this.#refuseClosed(connection, bytes, at);
    const { inflight } = this.#sendAnswers;
    if (isSend && inflight >= this.#options.maxInflight) {
      return this.#refuseSend(connection, bytes, at, `${inflight} sends are in progress (key maxInflight)`);
    }
    const outlet = this.#outletOf(connection, room, lanes);
    if (InboundFrame.frameBytes + size > outlet.ring.payloadMax)
      return this.#refuseForGood(connection, bytes, at, isSend);
    if (!this.#offer(outlet, connection, code, bytes, at, size)) {
      outlet.counters?.add(Counter.requestsRefused);
      const cause = `the queue of ${room} is full (key ringCapacityBytes)`;
      if (isSend) return this.#refuseSend(connection, bytes, at, cause);
      const limit = limitedBy(room === 'pullLane' ? 'lanes' : 'coordinator');
      return this.#refuse(connection, bytes, at, `${cause}; ${limit}`);
    }
    if (!isSend) return;
    this.#sendAnswers.inflight++;
    connection.sendsUnsettled++;
  }

  #outletOf(connection: Connection, room: RoomName, lanes: readonly Outlet[]): Outlet {
    if (room === 'sendLane') return lanes[Math.max(0, connection.sendLane) % lanes.length]!;
    const count = room === 'pullLane' ? Math.min(this.#lanesOf(room), lanes.length) : lanes.length;
    return lanes[connection.turn % count]!;
  }

  /** Connections that change their lane and have nothing on the way any more are read again. */
  #resumePaused(): number {
    if (this.#paused.length === 0) return 0;
    const ready = this.#paused.filter(({ sendsUnsettled, closed }) => sendsUnsettled === 0 || closed);
    if (ready.length === 0) return 0;
    this.#paused = this.#paused.filter(connection => !ready.includes(connection));
    for (const connection of ready) connection.resume();
    return ready.length;
  }

  #offer(outlet: Outlet, connection: Connection, code: number, bytes: Uint8Array, at: number, size: number): boolean {
    const { ring, bell } = outlet;
    const length = InboundFrame.frameBytes + size;
    const claimed = ring.claim(length);
    if (claimed < 0) return false;
    const word = claimed >> 2;
    const { words } = ring;
    words[word + InboundFrame.connectionId] = connection.id;
    words[word + InboundFrame.code] = code;
    words[word + InboundFrame.arrivedMs] = this.#nowMs | 0;
    words[word + InboundFrame.peerAddress] = connection.peerAddress;
    words[word + InboundFrame.peerPort] = connection.peerPort;
    words[word + InboundFrame.frameSize] = size;
    const traceId = this.#sampler.next();
    words[word + InboundFrame.traceId] = traceId;
    if (traceId !== 0) this.#options.recorder.note(TraceEvent.arrived, traceId, code, connection.id, size);
    ring.bytes.set(bytes.subarray(at, at + size), claimed + InboundFrame.frameBytes);
    ring.commit(InboundType.FRAME, length);
    if (this.#unrung === 0) this.onWork();
    this.#rung.add(bell);
    if (++this.#unrung >= RING_EVERY) this.#ringBells();
    return true;
  }

  /** Set by the node: schedules this actor's duty cycle, which rings the rooms once for all frames of a turn. */
  onWork: () => void = () => {};

  #ringBells(): number {
    if (this.#unrung === 0) return 0;
    this.#unrung = 0;
    for (const bell of this.#rung) bell.ring();
    this.#rung.clear();
    return 1;
  }

  #readHeader(bytes: Uint8Array, at: number): boolean {
    const start = at + FRAME_PREFIX_SIZE;
    return this.#header.read(bytes, start, start + headerLength(bytes, at), serializeTypeOf(bytes, at));
  }

  /** SYSTEM_BUSY, with its cause: the client may try again. */
  #refuse(connection: Connection, bytes: Uint8Array, at: number, cause: string): void {
    this.#options.counters.add(Counter.requestsRefused);
    const remark = `[REJECTREQUEST]system busy, start flow control for a while: ${cause}`;
    this.#answerRefusal(connection, bytes, at, ResponseCode.SYSTEM_BUSY, remark);
  }

  /** The same for a send, with what holds sends up at this moment. */
  #refuseSend(connection: Connection, bytes: Uint8Array, at: number, cause: string): void {
    const { awaitingFlush, awaitingSlave } = this.#sendAnswers;
    let laneWaitMs = 0;
    for (const { ring } of this.#options.outlets.sendLane ?? []) {
      const arrivedMs = ring.peekWord(InboundFrame.arrivedMs);
      if (arrivedMs !== undefined) laneWaitMs = Math.max(laneWaitMs, elapsedMs(arrivedMs, this.#nowMs));
    }
    let writerFill = 0;
    for (const ring of this.#options.writerRings ?? [])
      writerFill = Math.max(writerFill, ring.depthBytes() / ring.capacity);
    const limit = holdsSends({ awaitingFlush, awaitingSlave, laneWaitMs, writerFill });
    this.#refuse(connection, bytes, at, `${cause}; ${limitedBy(limit)}`);
  }

  /** The node starts or stops: the client goes to another broker. */
  #refuseClosed(connection: Connection, bytes: Uint8Array, at: number): void {
    const remark = `service not available now: ${describeStoreState(StoreState.CLOSED)}`;
    this.#answerRefusal(connection, bytes, at, ResponseCode.SERVICE_NOT_AVAILABLE, remark);
  }

  /** What never fits is not to be tried again. */
  #refuseForGood(connection: Connection, bytes: Uint8Array, at: number, isSend: boolean): void {
    const code = isSend ? ResponseCode.MESSAGE_ILLEGAL : ResponseCode.SYSTEM_ERROR;
    this.#answerRefusal(
      connection,
      bytes,
      at,
      code,
      'the request is larger than this broker takes (key ringCapacityBytes)',
    );
  }

  /** A oneway request, or what is no request, hears nothing. */
  #answerRefusal(connection: Connection, bytes: Uint8Array, at: number, code: number, remark: string): void {
    if (!this.#readHeader(bytes, at)) return connection.close('a header that cannot be read', 'faulty');
    const header = this.#header;
    if ((header.flag & (CommandFlag.ONEWAY | CommandFlag.RESPONSE)) !== 0) return;
    const frame = encodeCommand(createResponse(header, code, remark));
    this.#send(connection, frame, 0, frame.length);
    this.onWork();
  }

  // ---- answers ----

  #drain(inlet: Ring): number {
    let work = 0;
    for (let at = inlet.poll(); at >= 0 && work < BATCH_MAX; at = inlet.poll()) {
      this.#onOutbound(inlet, at);
      inlet.release();
      work++;
    }
    if (work > 0) inlet.publishReleased();
    return work;
  }

  #onOutbound(inlet: Ring, at: number): void {
    switch (inlet.type) {
      case OutboundType.APPEND_RESULT:
        return this.#sendAnswers.onAppendResult(inlet, at >> 2);
      case OutboundType.SEND_REFUSED:
        this.#sendAnswers.inflight--;
        this.#sendAnswers.settle(inlet.words[at >> 2]!);
        if (inlet.length <= OutboundFrame.frameBytes) return;
        break;
      case OutboundType.CLOSE:
        this.connections.get(inlet.words[at >> 2]!)?.close('a room asked for it');
        return;
      case OutboundType.GIVEN_BACK: {
        const frame = inlet.bytes.slice(at + OutboundFrame.frameBytes, at + inlet.length);
        this.connections.get(inlet.words[at >> 2]!)?.giveBack(frame);
        return;
      }
      default:
        break;
    }
    const connection = this.connections.get(inlet.words[at >> 2]!);
    if (connection !== undefined) this.#send(connection, inlet.bytes, at + OutboundFrame.frameBytes, at + inlet.length);
  }

  #send(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const { counters } = this.#options;
    counters.add(Counter.responsesOut);
    counters.add(Counter.bytesOut, end - start);
    connection.send(bytes, start, end);
    this.#markDirty(connection);
  }

  #markDirty(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.#dirty.push(connection);
  }

  #flushDirty(): void {
    for (let index = 0; index < this.#dirty.length; index++) {
      const connection = this.#dirty[index]!;
      connection.dirty = false;
      connection.flush();
    }
    this.#dirty.length = 0;
  }

  // ---- connections ----

  /** Takes a connection in. False when there are too many. */
  accept(make: (id: number) => Connection): boolean {
    const connection = this.connections.add(make);
    if (connection === undefined) {
      this.#options.log.warn({ connections: this.connections.size }, 'a connection was refused (key connectionsMax)');
      return false;
    }
    this.welcome(connection);
    return true;
  }

  /** A connection that is there already, new to this remoting. */
  welcome(connection: Connection): void {
    const { listener } = connection;
    connection.turn = this.#accepted[listener] ?? 0;
    this.#accepted[listener] = connection.turn + 1;
    connection.sendLane = -1;
    connection.sendsUnsettled = 0;
    this.#options.counters.add(Counter.connectionsOpened);
  }

  onClosed(connection: Connection, reason: string): void {
    const { counters, closingRooms, log } = this.#options;
    counters.add(Counter.connectionsClosed);
    if (connection.cause === 'faulty') counters.add(Counter.connectionsFaulty);
    if (connection.cause === 'slow') counters.add(Counter.connectionsSlow);
    this.connections.remove(connection);
    log.debug({ peer: connection.remoteAddress, reason }, 'connection closed');
    for (const room of closingRooms) this.#closedToTell.push({ room, connectionId: connection.id });
    if (closingRooms.length > 0) this.onWork();
  }

  /** Rooms must hear of every closed connection: what a full ring does not take is kept and tried again. */
  #tellClosed(): number {
    const before = this.#closedToTell.length;
    while (this.#closedToTell.length > 0) {
      const { room, connectionId } = this.#closedToTell[0]!;
      for (const { ring, bell } of this.#options.outlets[room] ?? []) {
        const at = ring.claim(4);
        if (at < 0) return before - this.#closedToTell.length;
        ring.words[at >> 2] = connectionId;
        ring.commit(InboundType.CLOSED, 4);
        bell.ring();
      }
      this.#closedToTell.shift();
    }
    return before;
  }

  #closeIdle(nowMs: number): void {
    this.#idleScanMs = nowMs + IDLE_SCAN_MS;
    const { idleMaxMs } = this.#options;
    this.connections.forEach(connection => {
      if (nowMs - connection.lastActiveMs > idleMaxMs) connection.close('idle for too long');
    });
  }
}
