/**
 * Room card: HA receiver
 *
 * Purpose   the slave's side of replication: follows the master's log, hands its records to the commit log writer as
 *           they are, and reports how far this log reaches.
 * Thread    an event loop: it owns the socket to the master.
 * Reads     the socket; where the master is, from the coordinator; position appended.
 * Writes    records to the writer; reports to the socket; how it stands, to the coordinator.
 * When full it stops reading the socket until the writer has taken records: the master then waits.
 * Fails     a lost connection is made again, at once at first, then every half second; logs that do not fit together
 *           are said so once a minute and tried again every five seconds; a broken assertion ends the node.
 */
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import { MiB } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { AppendType, ReplicaRecords } from '../commit-log-writer/mailbox.js';
import { CoordinatorType, type HaStatus } from '../coordinator/mailbox.js';
import { high32, low32 } from '../remoting/mailbox.js';
import { textOf } from '../topic-news.js';
import type { AgreedPoint } from './agreed-point.js';
import { HaClientLife } from './ha-client.machine.js';
import { type ComparisonResult, compareLogs } from './log-comparison.js';
import { HaReceiverType, type MasterPlace } from './mailbox.js';
import { MasterLink } from './master-link.js';
import { ReplicaIntake } from './replica-intake.js';

export interface HaReceiverSettings {
  /** Units: ms. */
  readonly haSendHeartbeatInterval: number;
  readonly haHousekeepingInterval: number;
  /** `host:port`; '' to go where the name server says. Source: spec ha 4. */
  readonly haMasterAddress: string;
  /** Where the last record of the log begins, as it was found at start; -1 when the log is empty. */
  readonly lastRecordOffset: number;
}

export interface HaReceiverOptions {
  /** Where the master is, from the coordinator. */
  readonly news: Ring;
  readonly toWriter: Ring;
  readonly writerBell: Doorbell;
  readonly toCoordinator: Ring;
  readonly coordinatorBell: Doorbell;
  readonly positions: Positions;
  readonly reader: CommitLogReader;
  readonly counters: Counters;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
  readonly settings: HaReceiverSettings;
  /** A steady clock: one that is set would make a retry wait for hours, or a link seem silent. Units: ms. */
  nowMs(): number;
}

const CONNECT_TIMEOUT_MS = 5000;
const COMPARE_TIMEOUT_MS = 3000;
/** Wait before the next attempt: first, and doubled up to the longest. Units: ms. */
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 500;
/** Wait before the next attempt where only an operator can help. Units: ms. */
const RETRY_REFUSED_MS = 5000;
/** The same trouble is told of once in so long. Units: ms. */
const TROUBLE_EVERY_MS = 60_000;
const STATUS_EVERY_MS = 1000;
/** Bytes that came and could not go on yet, from which on the socket is not read. */
const HELD_MAX = 8 * MiB;

export class HaReceiver implements Actor {
  readonly name = 'ha-receiver';
  readonly #options: HaReceiverOptions;
  readonly #life: HaClientLife;
  readonly #intake: ReplicaIntake;
  #place: MasterPlace;
  #link: MasterLink | undefined;
  /** Of the attempt under way: what an earlier one still says is not heard. */
  #attempt = 0;
  #retryMs = RETRY_FIRST_MS;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #reported = -1;
  #receivedBytes = 0;
  #mustDial = false;
  /** Position behind what went to the writer. */
  #handedTo = 0;
  #trouble = '';
  #refused = false;
  /** What this log holds beyond the master's, once that is known. */
  #beyond: { readonly master: string; readonly agreed: AgreedPoint; readonly end: number } | undefined;
  #told = '';
  #toldMs = Number.NEGATIVE_INFINITY;
  #statusMs = 0;
  #statusChanged = true;
  /** How far the runner's clock is ahead of the steady one. Units: ms. */
  #aheadMs = 0;

  constructor(options: HaReceiverOptions) {
    this.#options = options;
    const { settings, toWriter, reader } = options;
    this.#place = { haServerAddr: settings.haMasterAddress, masterAddr: '' };
    const runSizeMax = toWriter.payloadMax - ReplicaRecords.recordBytes;
    this.#intake = new ReplicaIntake({ segmentSize: reader.segmentSize, runSizeMax });
    this.#intake.lastRecordOffset = settings.lastRecordOffset;
    const actions = {
      connect: () => this.#connect(),
      report: () => this.#begin(),
      disconnect: () => this.#disconnect(),
    };
    this.#life = new HaClientLife(actions, options.log);
  }

  /** Set by the node: schedules this actor's duty cycle. */
  onWork: () => void = () => {};

  /** Follows the master from now on: the node is a slave. */
  start(): void {
    if (this.#place.haServerAddr !== '') this.#life.send({ type: 'MASTER_KNOWN' });
    this.onWork();
  }

  /** Takes nothing more from the master; what came goes on to the writer. */
  shutDown(): void {
    this.#handOn();
    this.#life.send({ type: 'SHUT_DOWN' });
  }

  doWork(runnerMs: number): number {
    const nowMs = this.#options.nowMs();
    this.#aheadMs = runnerMs - nowMs;
    let work = this.#drainNews();
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Number.POSITIVE_INFINITY;
      this.#life.send({ type: 'RETRY' });
      work++;
    }
    // What went to the writer must be in the log before this log's end can be named.
    if (this.#mustDial && this.#options.positions.read('appended') >= this.#handedTo) {
      // A log that cannot be read is a fault of the disk: tried again like any other.
      void this.#dial().catch(error => this.#lose(messageOf(error), false));
    }
    if (this.#link !== undefined && this.#life.state === 'transfer') work += this.#follow(this.#link, nowMs);
    if (this.#statusChanged || (this.#life.state === 'transfer' && nowMs >= this.#statusMs)) this.#tellStatus(nowMs);
    return work;
  }

  deadlineMs(): number {
    const isFollowing = this.#life.state === 'transfer';
    return this.#aheadMs + (isFollowing ? Math.min(this.#statusMs, this.#retryAtMs) : this.#retryAtMs);
  }

  close(): void {
    this.#life.send({ type: 'SHUT_DOWN' });
    this.#options.reader.close();
  }

  #drainNews(): number {
    const { news } = this.#options;
    let work = 0;
    for (let at = news.poll(); at >= 0; at = news.poll(), work++) {
      if (news.type === HaReceiverType.MASTER) this.#onMaster(JSON.parse(textOf(news, at)) as MasterPlace);
      news.release();
    }
    if (work > 0) news.publishReleased();
    return work;
  }

  /** An address that is configured stays; a master that is gone for the name server may still be there. */
  #onMaster({ haServerAddr, masterAddr }: MasterPlace): void {
    const { haMasterAddress } = this.#options.settings;
    const address = haMasterAddress || haServerAddr || this.#place.haServerAddr;
    const isOther = address !== this.#place.haServerAddr;
    this.#place = { haServerAddr: address, masterAddr: masterAddr || this.#place.masterAddr };
    // What was found was found at another one.
    if (this.#beyond !== undefined && this.#beyond.master !== this.#place.masterAddr) this.#beyond = undefined;
    if (address === '' || (!isOther && this.#life.state !== 'ready')) return;
    // The master is somewhere else now: where it was, nobody answers, or somebody else.
    if (this.#life.state === 'transfer') this.#life.send({ type: 'LOST', reason: `the master is now at ${address}` });
    this.#life.send({ type: 'MASTER_KNOWN' });
  }

  // ---- the link ----

  #connect(): void {
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    this.#statusChanged = true;
    this.#mustDial = true;
    this.onWork();
  }

  async #dial(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#mustDial = false;
    const { nowMs } = this.#options;
    const { haServerAddr, masterAddr } = this.#place;
    const fits = await this.#compare(masterAddr);
    if (attempt !== this.#attempt || this.#life.state !== 'handshake') return;
    if (!fits.fits) return this.#lose(fits.reason, fits.undecided !== true);
    this.#link = new MasterLink(haServerAddr, CONNECT_TIMEOUT_MS, nowMs, {
      onConnected: () => this.#life.send({ type: 'CONNECTED' }),
      onHeader: (physicalOffset, bodySize) => this.#onHeader(physicalOffset, bodySize),
      onBody: (bytes, from, to) => this.#intake.push(bytes, from, to),
      onRead: () => this.#onRead(),
      onLost: reason => this.#lose(reason, false),
    });
  }

  async #compare(masterAddr: string): Promise<ComparisonResult> {
    const { positions, reader, log } = this.#options;
    const end = positions.read('appended');
    const { lastRecordOffset } = this.#intake;
    if (masterAddr === '' || end === 0 || lastRecordOffset < 0) return { fits: true, remark: '' };
    const partedAt = this.#beyond?.end === end ? this.#beyond.agreed : undefined;
    const own = { reader, minimum: positions.read('minimum'), end };
    const comparison = { masterAddr, own, lastRecordOffset, partedAt, timeoutMs: COMPARE_TIMEOUT_MS };
    const result = await compareLogs(comparison);
    this.#beyond =
      !result.fits && result.agreed !== undefined ? { master: masterAddr, agreed: result.agreed, end } : undefined;
    if (result.fits && result.remark !== '') {
      log.debug({ master: masterAddr, reason: result.remark }, 'the logs could not be compared before replication');
    }
    return result;
  }

  /** Connected: the master hears at once where this log ends. */
  #begin(): void {
    const link = this.#link!;
    const { positions, log } = this.#options;
    this.#reported = positions.read('appended');
    this.#intake.begin(this.#reported);
    link.report(this.#reported);
    this.#statusChanged = true;
    log.info({ master: link.address, position: this.#reported }, 'replicating from the master');
    this.onWork();
  }

  #disconnect(): void {
    this.#attempt++;
    this.#mustDial = false;
    this.#link?.close();
    this.#link = undefined;
  }

  #lose(reason: string, refused: boolean): void {
    const { state } = this.#life;
    if (state !== 'handshake' && state !== 'transfer') return;
    const { nowMs } = this.#options;
    this.#trouble = reason;
    this.#refused = refused;
    this.#retryAtMs = nowMs() + (refused ? RETRY_REFUSED_MS : this.#retryMs);
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
    this.#tellTrouble(state);
    this.#life.send({ type: 'LOST', reason });
    this.#statusChanged = true;
    this.onWork();
  }

  #tellTrouble(state: string): void {
    const { log, nowMs } = this.#options;
    const now = nowMs();
    if (this.#trouble === this.#told && now - this.#toldMs < TROUBLE_EVERY_MS) return;
    this.#told = this.#trouble;
    this.#toldMs = now;
    const facts = { master: this.#place.haServerAddr };
    // Where it may be set aside, the coordinator says what comes of it.
    if (this.#beyond !== undefined) log.warn(facts, `not replicating: ${this.#trouble}`);
    else if (this.#refused) log.error(facts, `not replicating: ${this.#trouble}`);
    else if (state === 'transfer') log.warn(facts, `the master is lost, trying again: ${this.#trouble}`);
    else log.warn(facts, `the master cannot be reached, trying again: ${this.#trouble}`);
  }

  // ---- the log ----

  #onHeader(physicalOffset: number, bodySize: number): boolean {
    const { positions, reader, log } = this.#options;
    const intake = this.#intake;
    if (intake.receivedPosition === physicalOffset) {
      this.#retryMs = RETRY_FIRST_MS;
      return true;
    }
    if (intake.receivedPosition > 0 || positions.read('appended') > 0) {
      this.#lose(`the master sends from ${physicalOffset} on, this log ends at ${intake.receivedPosition}`, false);
      return false;
    }
    if (physicalOffset % reader.segmentSize !== 0) {
      const reason =
        `the master's newest file begins at ${physicalOffset}, which is no multiple of mappedFileSizeCommitLog ` +
        `(${reader.segmentSize} here): it must be the same on both`;
      this.#lose(reason, true);
      return false;
    }
    // The first record says where the log begins: a heartbeat alone makes no file.
    if (bodySize === 0) return true;
    log.info(
      { position: physicalOffset },
      "an empty slave begins with its master's newest file, older ones stay there",
    );
    intake.begin(physicalOffset);
    return true;
  }

  #onRead(): void {
    this.#handOn();
    if (this.#intake.fault !== '') this.#lose(this.#intake.fault, true);
    else this.#link?.pause(this.#intake.heldBytes > HELD_MAX + this.#wanted());
    this.onWork();
  }

  /** A record that is larger than what may be held must still become whole. */
  #wanted(): number {
    return this.#options.toWriter.payloadMax;
  }

  /** Gives whole records to the writer, as far as its ring takes them; returns how many runs. */
  #handOn(): number {
    const { toWriter, writerBell, counters, recorder } = this.#options;
    const intake = this.#intake;
    let runs = 0;
    for (let size = intake.run(); size > 0; size = intake.run(), runs++) {
      const length = ReplicaRecords.recordBytes + size;
      const claimed = toWriter.claim(length);
      if (claimed < 0) break;
      const word = claimed >> 2;
      toWriter.words[word + ReplicaRecords.positionLow] = low32(intake.position);
      toWriter.words[word + ReplicaRecords.positionHigh] = high32(intake.position);
      toWriter.words[word + ReplicaRecords.size] = size;
      const { bytes, start } = intake;
      toWriter.bytes.set(bytes.subarray(start, start + size), claimed + ReplicaRecords.recordBytes);
      if (recorder.isOn) recorder.note(TraceEvent.received, 0, intake.position + size);
      toWriter.commit(AppendType.REPLICA, length);
      intake.taken(size);
      this.#handedTo = intake.position;
      this.#receivedBytes += size;
      counters.add(Counter.bytesIn, size);
    }
    if (runs > 0) writerBell.ring();
    return runs;
  }

  #follow(link: MasterLink, nowMs: number): number {
    const { positions, recorder, settings } = this.#options;
    let work = this.#handOn();
    if (link.isPaused && this.#intake.heldBytes <= HELD_MAX) link.pause(false);
    const appended = positions.read('appended');
    if (appended > this.#reported) {
      this.#reported = appended;
      this.#trouble = '';
      this.#refused = false;
      this.#retryMs = RETRY_FIRST_MS;
      if (recorder.isOn) recorder.note(TraceEvent.reported, 0, appended);
      link.report(appended);
      work++;
    } else if (nowMs - link.lastWriteMs > settings.haSendHeartbeatInterval) {
      link.report(appended);
    }
    if (!link.isPaused && nowMs - link.lastReadMs > settings.haHousekeepingInterval) {
      const silence = settings.haHousekeepingInterval;
      this.#lose(`it was silent for more than ${silence} ms (key haHousekeepingInterval)`, false);
    }
    return work;
  }

  // ---- status ----

  #tellStatus(nowMs: number): void {
    const { toCoordinator, coordinatorBell } = this.#options;
    const status: HaStatus = {
      room: 'ha-receiver',
      state: this.#life.state,
      master: this.#place.haServerAddr,
      receivedBytes: this.#receivedBytes,
      trouble: this.#life.state === 'transfer' ? '' : this.#trouble,
      ...this.#beyondNow(),
    };
    this.#statusMs = nowMs + STATUS_EVERY_MS;
    // A full ring is no loss: the next one says more.
    this.#statusChanged = !toCoordinator.offer(CoordinatorType.HA_STATUS, encoder.encode(JSON.stringify(status)));
    coordinatorBell.ring();
  }

  #beyondNow(): Pick<Extract<HaStatus, { room: 'ha-receiver' }>, 'beyond'> {
    if (this.#beyond === undefined || this.#life.state === 'transfer') return {};
    const { master, agreed, end } = this.#beyond;
    const { position, storeTimestamp } = agreed;
    return { beyond: { master, from: position, to: end, storeTimestamp } };
  }
}

const encoder = new TextEncoder();
