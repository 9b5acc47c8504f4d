/**
 * Room card: HA sender
 *
 * Purpose   the master's side of replication: sends the log to every slave that connects, as soon as it is appended,
 *           and says how far the furthest slave has it.
 * Thread    an event loop: it owns the HA port and the sockets of slaves.
 * Reads     position appended, the log; reports of slaves.
 * Writes    sockets; position replicated; the store state bit HAS_SLAVE; how slaves stand, to the coordinator.
 * When full a slave that does not read is sent no more than two writes ahead: the rest waits in the log.
 * Fails     a slave that breaks the protocol, is silent or asks for what is not there loses its connection, and the
 *           log says what is to be done; a broken assertion ends the node.
 */
import net from 'node:net';
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { CoordinatorType, type HaStatus } from '../coordinator/mailbox.js';
import { StoreState } from '../store-state.js';
import { LagClock } from './lag-clock.js';
import { SlaveConnection } from './slave-connection.js';

export interface HaSenderSettings {
  /** Units: ms. */
  readonly haSendHeartbeatInterval: number;
  readonly haHousekeepingInterval: number;
  /** Units: bytes. */
  readonly haTransferBatchSize: number;
}

export interface HaSenderOptions {
  readonly reader: CommitLogReader;
  readonly positions: Positions;
  readonly storeState: SharedFlags;
  readonly remotingBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
  readonly settings: HaSenderSettings;
  /** A steady clock: one that is set would make a retry wait for hours, or a link seem silent. Units: ms. */
  nowMs(): number;
}

/** Slaves at a time; more are refused. */
const SLAVES_MAX = 64;
/** How often the coordinator hears of slaves. Units: ms. */
const STATUS_EVERY_MS = 1000;
/** A slave that comes again and again with the same trouble is told of once in so long. Units: ms. */
const TROUBLE_EVERY_MS = 60_000;

export class HaSender implements Actor {
  readonly name = 'ha-sender';
  readonly #options: HaSenderOptions;
  readonly #connections = new Set<SlaveConnection>();
  readonly #lag = new LagClock();
  /** When trouble with a host was last told of. */
  readonly #toldMs = new Map<string, number>();
  #server: net.Server | undefined;
  #attached = 0;
  #replicated = 0;
  #minimum = 0;
  #statusMs = 0;
  #statusChanged = false;
  /** How far the runner's clock is ahead of the steady one. Units: ms. */
  #aheadMs = 0;
  #closing = false;

  constructor(options: HaSenderOptions) {
    this.#options = options;
    options.storeState.clear(StoreState.HAS_SLAVE);
  }

  /** Set by the node: schedules this actor's duty cycle. */
  onWork: () => void = () => {};

  /** Takes slaves from now on; the port it got. Errors: RingError LISTEN_FAILED. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true }, socket => this.#accept(socket));
      this.#server = server;
      server.once('error', cause => {
        const message = `cannot listen on ${host}:${port} (haListenPort): ${messageOf(cause)}`;
        reject(new RingError('LISTEN_FAILED', message, { host, port }, { cause }));
      });
      server.listen({ host, port }, () => resolve((server.address() as net.AddressInfo).port));
    });
  }

  doWork(runnerMs: number): number {
    const { positions } = this.#options;
    this.#followMinimum();
    if (this.#connections.size === 0 && !this.#statusChanged) return 0;
    const nowMs = this.#options.nowMs();
    this.#aheadMs = runnerMs - nowMs;
    const appended = positions.read('appended');
    this.#lag.note(appended, this.#leastAcknowledged(appended), nowMs);
    let work = 0;
    for (const connection of this.#connections) work += this.#serve(connection, appended, nowMs);
    if (this.#statusChanged || nowMs >= this.#statusMs) this.#tellStatus(appended, nowMs);
    return work;
  }

  deadlineMs(): number {
    // A status that found its ring full is told a little later.
    const isIdle = this.#connections.size === 0 && !this.#statusChanged;
    return isIdle ? Number.POSITIVE_INFINITY : this.#aheadMs + this.#statusMs;
  }

  close(): void {
    this.#server?.close();
    this.#closing = true;
    for (const connection of this.#connections) connection.close('the node stops');
    this.#options.reader.close();
  }

  #followMinimum(): void {
    const minimum = this.#options.positions.read('minimum');
    if (minimum === this.#minimum) return;
    this.#minimum = minimum;
    this.#options.reader.closeBefore(minimum);
  }

  #leastAcknowledged(appended: number): number {
    let least = appended;
    for (const { state, ackOffset } of this.#connections) if (state === 'transfer') least = Math.min(least, ackOffset);
    return least;
  }

  #serve(connection: SlaveConnection, appended: number, nowMs: number): number {
    const { haSendHeartbeatInterval, haHousekeepingInterval } = this.#options.settings;
    if (nowMs - connection.lastReadMs > haHousekeepingInterval) {
      connection.close(`it was silent for more than ${haHousekeepingInterval} ms (key haHousekeepingInterval)`);
      return 0;
    }
    const sent = connection.pump(appended, nowMs);
    if (sent > 0) this.#options.counters.add(Counter.bytesOut, sent);
    else if (nowMs - connection.lastWriteMs > haSendHeartbeatInterval) connection.heartbeat(nowMs);
    return sent;
  }

  // ---- slaves ----

  #accept(socket: net.Socket): void {
    if (this.#connections.size >= SLAVES_MAX) {
      this.#options.log.warn({ slaves: this.#connections.size }, 'a slave was refused: there are too many');
      socket.destroy();
      return;
    }
    const { reader, settings, nowMs, counters, recorder, log } = this.#options;
    counters.add(Counter.connectionsOpened);
    const connection = new SlaveConnection({
      socket,
      reader,
      transferBatchSize: settings.haTransferBatchSize,
      nowMs,
      log,
      onFirstReport: (slave, offset) => this.#onFirstReport(slave, offset),
      onAck: (slave, offset) => this.#onAck(slave, offset),
      onSending: position => {
        if (recorder.isOn) recorder.note(TraceEvent.sentToSlave, 0, position, this.#attached);
      },
      onAttached: slave => this.#onAttached(slave),
      onDetached: slave => this.#onDetached(slave),
      onClosed: (slave, reason, refused) => this.#onClosed(slave, reason, refused),
      onWork: () => this.onWork(),
    });
    this.#connections.add(connection);
    this.#statusMs = nowMs();
    this.onWork();
  }

  /** Source: spec ha 2.2; a slave whose log cannot be continued gets a reason instead of silence. */
  #onFirstReport(slave: SlaveConnection, offset: number): number | string {
    const { positions, reader } = this.#options;
    const appended = positions.read('appended');
    const minimum = positions.read('minimum');
    if (offset > appended) {
      return (
        `its log reaches to ${offset}, this master's only to ${appended}: it holds messages that this broker does ` +
        'not have. Was the master started on an older or another store? Keep the log that counts: to follow this ' +
        "master, stop the slave and move its store away; to keep the slave's messages, make it the master"
      );
    }
    if (offset > 0 && offset < minimum) {
      return (
        `it needs the log from ${offset} on, and this master's begins at ${minimum}: the files between were deleted. ` +
        'Stop the slave and move its store away, it then begins at the newest file'
      );
    }
    slave.ackOffset = offset;
    return offset > 0 ? offset : appended - (appended % reader.segmentSize);
  }

  #onAck(slave: SlaveConnection, offset: number): string | undefined {
    const appended = this.#options.positions.read('appended');
    if (offset > appended || offset > slave.nextOffset) {
      return `it acknowledged ${offset}, more than it was sent (${slave.nextOffset}): its log does not come from here alone`;
    }
    slave.ackOffset = offset;
    this.#publishReplicated(offset);
    return undefined;
  }

  /** What one slave has is replicated, whatever the others have; it never goes back while the node runs. */
  #publishReplicated(offset: number): void {
    if (offset <= this.#replicated) return;
    const { positions, recorder, remotingBell } = this.#options;
    this.#replicated = offset;
    if (recorder.isOn) recorder.note(TraceEvent.replicated, 0, offset, this.#attached);
    positions.publish('replicated', offset);
    remotingBell.ring();
  }

  #onAttached(slave: SlaveConnection): void {
    const { storeState, log, positions } = this.#options;
    if (this.#attached++ === 0) storeState.set(StoreState.HAS_SLAVE);
    this.#publishReplicated(slave.ackOffset);
    const behind = formatBytes(positions.read('appended') - slave.nextOffset);
    log.info(
      { slave: slave.address, ackOffset: slave.ackOffset, from: slave.nextOffset, behind },
      'a slave is attached',
    );
    this.#statusChanged = true;
    this.onWork();
  }

  #onDetached(_slave: SlaveConnection): void {
    if (--this.#attached === 0) this.#options.storeState.clear(StoreState.HAS_SLAVE);
    this.#statusChanged = true;
  }

  #onClosed(slave: SlaveConnection, reason: string, refused: boolean): void {
    const { counters } = this.#options;
    counters.add(Counter.connectionsClosed);
    this.#connections.delete(slave);
    // Who never reported was no slave: a port scan, a health check.
    if (refused) this.#tellRefused(slave, reason);
    else if (slave.ackOffset >= 0 && !this.#closing) this.#tellGone(slave, reason);
    this.#statusChanged = true;
    this.onWork();
  }

  #tellGone({ address, ackOffset, nextOffset }: SlaveConnection, reason: string): void {
    this.#options.log.warn({ slave: address, ackOffset, sentTo: nextOffset }, `a slave is gone: ${reason}`);
  }

  /** A refused slave comes again every few seconds. */
  #tellRefused({ address }: SlaveConnection, reason: string): void {
    const { log, nowMs } = this.#options;
    const host = address.slice(0, address.lastIndexOf(':'));
    if (nowMs() - (this.#toldMs.get(host) ?? Number.NEGATIVE_INFINITY) < TROUBLE_EVERY_MS) return;
    this.#toldMs.set(host, nowMs());
    log.error({ slave: address }, `a slave was refused: ${reason}`);
  }

  // ---- status ----

  #tellStatus(appended: number, nowMs: number): void {
    const { toCoordinator, coordinatorBell } = this.#options;
    const slaves = [...this.#connections]
      .filter(({ state }) => state === 'transfer')
      .map(slave => ({
        address: slave.address,
        ackOffset: slave.ackOffset,
        behindBytes: Math.max(0, appended - slave.ackOffset),
        behindMs: Math.round(this.#lag.behindMs(slave.ackOffset, appended, nowMs)),
        transferredBytes: slave.transferredBytes,
      }));
    const status: HaStatus = { room: 'ha-sender', slaves };
    this.#statusMs = nowMs + STATUS_EVERY_MS;
    // A full ring is no loss: the next one says more.
    this.#statusChanged = !toCoordinator.offer(CoordinatorType.HA_STATUS, encoder.encode(JSON.stringify(status)));
    coordinatorBell.ring();
  }
}

const encoder = new TextEncoder();
