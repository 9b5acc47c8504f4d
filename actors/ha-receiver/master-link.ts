/**
 * The socket to the master: cuts transfer headers from the stream, passes the bytes of the log on, writes reports.
 * Source: spec ha 2.
 */
import { connect, type Socket } from 'node:net';
import {
  HaReport,
  HaTransferHeader,
  haTransferBodySize,
  haTransferOffset,
  putHaReport,
} from '../../protocol/ha-frame.js';
import { messageOf } from '../../runtime/base/errors.js';
import { MiB } from '../../runtime/base/units.js';

export interface MasterLinkEvents {
  onConnected(): void;
  /** Bytes of the log that begin at `physicalOffset` are to come; none in a heartbeat. Returns false to end it all. */
  onHeader(physicalOffset: number, bodySize: number): boolean;
  onBody(bytes: Uint8Array, from: number, to: number): void;
  /** All bytes of one read were passed on. */
  onRead(): void;
  /** Called once. */
  onLost(reason: string): void;
}

/** No master sends more behind one header: haTransferBatchSize is tens of KiB. */
const BODY_SIZE_MAX = 64 * MiB;

export class MasterLink {
  lastReadMs: number;
  lastWriteMs: number;
  readonly address: string;
  readonly #events: MasterLinkEvents;
  readonly #nowMs: () => number;
  readonly #socket: Socket;
  readonly #header = new Uint8Array(HaTransferHeader.size);
  #headerLength = 0;
  /** Bytes of the body that are still to come. */
  #bodyLeft = 0;
  #isOver = false;
  #paused = false;

  /** Dials `address`, `host:port`. */
  constructor(address: string, connectTimeoutMs: number, nowMs: () => number, events: MasterLinkEvents) {
    this.address = address;
    this.#events = events;
    this.#nowMs = nowMs;
    this.lastReadMs = nowMs();
    this.lastWriteMs = this.lastReadMs;
    const colon = address.lastIndexOf(':');
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    this.#socket = socket;
    const patience = setTimeout(() => this.#lose(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs);
    socket.once('connect', () => {
      clearTimeout(patience);
      if (!this.#isOver) events.onConnected();
    });
    socket.on('data', bytes => this.#onData(bytes));
    socket.on('error', error => this.#lose(messageOf(error)));
    socket.on('end', () => this.#lose('the master closed it'));
    socket.on('close', () => {
      clearTimeout(patience);
      this.#lose('the connection closed');
    });
  }

  report(position: number): void {
    const bytes = new Uint8Array(HaReport.size);
    putHaReport(bytes, 0, position);
    this.lastWriteMs = this.#nowMs();
    this.#socket.write(bytes);
  }

  /** Leaves the stream in the kernel's buffers, so that the master waits. */
  pause(paused: boolean): void {
    if (paused === this.#paused || this.#isOver) return;
    this.#paused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Ends it without a word to {@link MasterLinkEvents.onLost}. */
  close(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #lose(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#events.onLost(reason);
  }

  #onData(bytes: Uint8Array): void {
    this.lastReadMs = this.#nowMs();
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#bodyLeft > 0) at = this.#takeBody(bytes, at);
      else at = this.#takeHeader(bytes, at);
    }
    if (!this.#isOver) this.#events.onRead();
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#bodyLeft);
    this.#bodyLeft -= end - at;
    this.#events.onBody(bytes, at, end);
    return end;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    const size = HaTransferHeader.size;
    const end = Math.min(bytes.length, at + size - this.#headerLength);
    this.#header.set(bytes.subarray(at, end), this.#headerLength);
    this.#headerLength += end - at;
    if (this.#headerLength < size) return end;
    this.#headerLength = 0;
    const physicalOffset = haTransferOffset(this.#header, 0);
    const bodySize = haTransferBodySize(this.#header, 0);
    if (!Number.isSafeInteger(physicalOffset) || physicalOffset < 0 || bodySize < 0 || bodySize > BODY_SIZE_MAX) {
      this.#lose(`a header of ${bodySize} bytes for ${physicalOffset}: ${this.address} does not speak this protocol`);
    } else if (this.#events.onHeader(physicalOffset, bodySize)) {
      this.#bodyLeft = bodySize;
    }
    return end;
  }
}
