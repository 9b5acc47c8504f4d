/**
 * One slave: reads its reports, writes the log to it as fast as it takes it. Hot in {@link SlaveConnection.pump}.
 * Source: spec ha 2.1, 2.2; HAConnection.
 */
import type { Socket } from 'node:net';
import { HaReport, HaTransferHeader, haReportOffset, putHaTransferHeader } from '../../protocol/ha-frame.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import { KiB } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { HaConnectionLife, type HaConnectionState } from './ha-connection.machine.js';

export interface SlaveConnectionOptions {
  readonly socket: Socket;
  readonly reader: CommitLogReader;
  /** Most bytes behind one transfer header. */
  readonly transferBatchSize: number;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** A report came: returns where to send from, or says in words why not. Called for the first one. */
  readonly onFirstReport: (connection: SlaveConnection, offset: number) => number | string;
  /** A later report: it acknowledges up to `offset`. In words why that cannot be, else undefined. */
  readonly onAck: (connection: SlaveConnection, offset: number) => string | undefined;
  /** The log up to a position is about to be written to it. */
  readonly onSending: (position: number) => void;
  readonly onAttached: (connection: SlaveConnection) => void;
  readonly onDetached: (connection: SlaveConnection) => void;
  /** `refused`: it asked for what it cannot get, and will again. */
  readonly onClosed: (connection: SlaveConnection, reason: string, refused: boolean) => void;
  /** There is room to write again. */
  readonly onWork: () => void;
}

/** Frames are gathered into writes of about this size. */
const WRITE_SIZE = 256 * KiB;
/** Writes on their way: what the socket does not take waits in the log, not in memory. */
const WRITES_MAX = 2;

export class SlaveConnection {
  /** `host:port` of the slave's side. */
  readonly address: string;
  /** How far the slave's log reaches, as it said; -1 before its first report. */
  ackOffset = -1;
  /** Position of the next byte to send. */
  nextOffset = 0;
  transferredBytes = 0;
  lastReadMs: number;
  lastWriteMs: number;
  readonly #options: SlaveConnectionOptions;
  readonly #life: HaConnectionLife;
  readonly #free: Uint8Array[];
  readonly #busy: Uint8Array[] = [];
  readonly #report = new Uint8Array(HaReport.size);
  #reportLength = 0;
  #reason = '';
  #refused = false;

  constructor(options: SlaveConnectionOptions) {
    const { socket, transferBatchSize, nowMs, onAttached, onDetached } = options;
    this.#options = options;
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.lastReadMs = nowMs();
    this.lastWriteMs = this.lastReadMs;
    const size = Math.max(WRITE_SIZE, HaTransferHeader.size + transferBatchSize);
    this.#free = Array.from({ length: WRITES_MAX }, () => new Uint8Array(size));
    const actions = {
      attached: () => onAttached(this),
      detached: () => onDetached(this),
      release: () => {
        socket.destroy();
        options.onClosed(this, this.#reason, this.#refused);
      },
    };
    this.#life = new HaConnectionLife(actions, options.log, this.address);
    socket.setNoDelay(true);
    socket.on('data', bytes => this.#onData(bytes));
    socket.on('error', error => this.close(messageOf(error)));
    socket.on('close', () => this.close('the slave closed it'));
  }

  get state(): HaConnectionState {
    return this.#life.state;
  }

  close(reason: string, refused = false): void {
    if (this.#reason === '') {
      this.#reason = reason;
      this.#refused = refused;
    }
    this.#life.send({ type: 'CLOSE', reason });
  }

  // ---- reports ----

  /** Only the last whole report of what was read counts. */
  #onData(bytes: Uint8Array): void {
    this.lastReadMs = this.#options.nowMs();
    const report = this.#report;
    const total = this.#reportLength + bytes.length;
    const rest = total % HaReport.size;
    if (total < HaReport.size) {
      report.set(bytes, this.#reportLength);
      this.#reportLength = total;
      return;
    }
    const end = bytes.length - rest;
    const start = end - HaReport.size;
    // The last whole report may have begun in what was kept.
    if (start < 0) report.set(bytes.subarray(0, end), -start);
    else report.set(bytes.subarray(start, end));
    const offset = haReportOffset(report, 0);
    report.set(bytes.subarray(end));
    this.#reportLength = rest;
    this.#onReport(offset);
  }

  #onReport(offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      this.close(`it reported ${offset}, which is no position: it does not speak this protocol`, true);
      return;
    }
    const { onFirstReport, onAck } = this.#options;
    if (this.state !== 'awaitingReport') {
      const fault = onAck(this, offset);
      if (fault !== undefined) this.close(fault);
      return;
    }
    const from = onFirstReport(this, offset);
    if (typeof from === 'string') {
      this.close(from, true);
      return;
    }
    this.nextOffset = from;
    this.#life.send({ type: 'REPORTED' });
  }

  // ---- transfer ----

  /** Writes what of the log up to `appended` was not sent yet, as far as there is room; returns how many bytes. */
  pump(appended: number, nowMs: number): number {
    if (this.state !== 'transfer') return 0;
    let sent = 0;
    while (this.nextOffset < appended && this.#free.length > 0 && this.state === 'transfer') {
      const buffer = this.#free.pop()!;
      const length = this.#fill(buffer, appended);
      if (length > 0) {
        this.#options.onSending(this.nextOffset);
        this.#write(buffer, length, nowMs);
      } else this.#free.push(buffer);
      sent += length;
    }
    return sent;
  }

  /** Frames as many as fit; none crosses the end of a file. */
  #fill(buffer: Uint8Array, appended: number): number {
    const { transferBatchSize } = this.#options;
    let at = 0;
    while (this.nextOffset < appended) {
      const room = buffer.length - at - HaTransferHeader.size;
      const wanted = Math.min(transferBatchSize, appended - this.nextOffset, room);
      // A frame is worth its header only when it is not cut short by the end of this buffer.
      if (wanted <= 0 || (at > 0 && wanted === room)) break;
      const bodyAt = at + HaTransferHeader.size;
      const size = this.#read(buffer, bodyAt, wanted);
      if (size === 0) return at;
      putHaTransferHeader(buffer, at, this.nextOffset, size);
      this.nextOffset += size;
      this.transferredBytes += size;
      at = bodyAt + size;
    }
    return at;
  }

  /** Bytes of the log at the next offset; 0 when there are none to be had, and then the connection is closed. */
  #read(buffer: Uint8Array, at: number, wanted: number): number {
    try {
      const size = this.#options.reader.read(buffer, at, wanted, this.nextOffset);
      if (size === 0) this.close(`the log at ${this.nextOffset}, which it needs next, was deleted meanwhile`);
      return size;
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.close(`the log cannot be read for it: ${error.message}`);
      return 0;
    }
  }

  /** Says that the master is there, when there was nothing to say for so long. */
  heartbeat(nowMs: number): void {
    if (this.state !== 'transfer' || this.#free.length === 0) return;
    const buffer = this.#free.pop()!;
    putHaTransferHeader(buffer, 0, this.nextOffset, 0);
    this.#write(buffer, HaTransferHeader.size, nowMs);
  }

  #write(buffer: Uint8Array, length: number, nowMs: number): void {
    this.lastWriteMs = nowMs;
    this.#busy.push(buffer);
    this.#options.socket.write(buffer.subarray(0, length), this.#onWritten);
  }

  readonly #onWritten = (): void => {
    const buffer = this.#busy.shift();
    if (buffer !== undefined) this.#free.push(buffer);
    this.#options.onWork();
  };
}
