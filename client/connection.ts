/**
 * One TCP connection that speaks remoting frames, with many requests in flight. Frames written in one turn of the
 * event loop leave in one write. Requests of the peer are answered on the same connection.
 *
 * @example
 * const connection = await Connection.open({ host: '127.0.0.1', port: 9876 });
 * const answer = await connection.request(createRequest(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' }), 3000);
 * await connection.close();
 */
import { connect, type Socket } from 'node:net';
import { CommandFlag, ResponseCode } from '../protocol/codes.js';
import {
  createResponse,
  decodeCommand,
  encodeCommand,
  isOneway,
  isResponse,
  type RemotingCommand,
} from '../protocol/command.js';
import { FrameCutter } from '../protocol/frame.js';
import { messageOf } from '../runtime/base/errors.js';
import { MiB } from '../runtime/base/units.js';
import { formatAddress } from './address.js';
import { MQClientError, MQTimeoutError } from './errors.js';
import { type PendingRequest, REQUESTS_IN_FLIGHT_MAX, RequestTable } from './request-table.js';

/** Bytes that may wait for the peer before more are refused. */
const WRITE_BUFFER_SIZE_MAX = 64 * MiB;
/** How long a closing connection waits for the peer's end of stream. Units: ms. */
const CLOSE_WAIT_MS = 1000;

/** Answers a request of the peer; null for no answer. An error thrown becomes SYSTEM_ERROR. */
export type RequestHandler = (
  request: RemotingCommand,
  connection: Connection,
) => RemotingCommand | null | Promise<RemotingCommand | null>;

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs?: number | undefined;
  /** A connection that neither reads nor writes for this long is closed. Source: spec remoting 1.5. */
  readonly idleTimeoutMs?: number | undefined;
  readonly onRequest?: RequestHandler | undefined;
  /** Called once, with the reason. */
  readonly onClose?: ((cause: MQClientError, connection: Connection) => void) | undefined;
}

export class Connection {
  /** `host:port` of the peer, as it was asked for. */
  readonly address: string;
  /** Our side of the connection. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Without one, requests of the peer are answered with REQUEST_CODE_NOT_SUPPORTED, oneway ones dropped. */
  onRequest: RequestHandler | undefined;
  onClose: ((cause: MQClientError, connection: Connection) => void) | undefined;

  readonly #socket: Socket;
  readonly #requests: RequestTable<RemotingCommand>;
  readonly #closed: Promise<void>;
  #closeCause: MQClientError | undefined;
  #opaque = 0;
  #flushScheduled = false;
  #lastReadMs = 0;

  /** Errors: MQClientError CONNECT_FAILED, MQTimeoutError. */
  static open(options: ConnectionOptions): Promise<Connection> {
    const { host, port, connectTimeoutMs = 3000 } = options;
    const address = formatAddress(host, port);
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const fail = (error: MQClientError): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new MQTimeoutError(address, connectTimeoutMs, 'connection')),
        connectTimeoutMs,
      );
      const onError = (cause: Error): void =>
        fail(new MQClientError('CONNECT_FAILED', `cannot connect to ${address}: ${messageOf(cause)}`, { cause }));
      socket.once('error', onError);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', onError);
        resolve(new Connection(socket, address, options));
      });
    });
  }

  private constructor(socket: Socket, address: string, options: ConnectionOptions) {
    this.address = address;
    this.localAddress = socket.localAddress ?? '';
    this.localPort = socket.localPort ?? 0;
    this.onRequest = options.onRequest;
    this.onClose = options.onClose;
    this.#socket = socket;
    this.#requests = new RequestTable(pending => this.#onExpired(pending));
    const cutter = new FrameCutter(
      frame => this.#onFrame(frame),
      fault => this.#die(new MQClientError('BAD_ANSWER', `${address} sent what is no frame (fault ${fault})`)),
    );
    socket.on('data', chunk => {
      this.#lastReadMs = performance.now();
      cutter.push(chunk);
    });
    socket.on('error', cause => this.#die(this.#closedError(messageOf(cause), cause)));
    socket.on('end', () => this.#die(this.#closedError('the peer closed it')));
    socket.setTimeout(options.idleTimeoutMs ?? 120_000, () => this.#die(this.#closedError('it was idle')));
    this.#closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#die(this.#closedError('the socket closed'));
        resolve();
      });
    });
  }

  get closed(): boolean {
    return this.#closeCause !== undefined;
  }

  /** Requests that wait for an answer. */
  get inFlight(): number {
    return this.#requests.size;
  }

  /**
   * Sends `command` and waits for its answer, whatever its code. Assigns `command.opaque`.
   * Errors: MQTimeoutError; MQClientError CONNECTION_CLOSED, TOO_MANY_REQUESTS, BAD_ANSWER.
   */
  request(command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      if (this.#requests.size >= REQUESTS_IN_FLIGHT_MAX) throw this.#tooMany(`${this.#requests.size} requests`);
      const opaque = this.#nextOpaque();
      command.opaque = opaque;
      this.#write(command);
      this.#requests.add(opaque, { sentAtMs: performance.now(), timeoutMs, resolve, reject });
    });
  }

  /**
   * Sends `command` with the oneway flag set; nobody will answer.
   * Errors: MQClientError CONNECTION_CLOSED, TOO_MANY_REQUESTS.
   */
  sendOneway(command: RemotingCommand): void {
    command.opaque = this.#nextOpaque();
    command.flag |= CommandFlag.ONEWAY;
    this.#write(command);
  }

  /** Sends what was written, rejects what waits, and ends when the socket is closed. */
  close(): Promise<void> {
    if (this.#closeCause === undefined) {
      this.#fail(this.#closedError('this side closed it'));
      // Waiting for the peer's end of stream lets it read our last frames: a reset would throw them away.
      this.#socket.end();
      this.#socket.resume();
      setTimeout(() => this.#socket.destroy(), CLOSE_WAIT_MS).unref();
    }
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #nextOpaque(): number {
    do this.#opaque = (this.#opaque + 1) | 0;
    while (this.#requests.has(this.#opaque));
    return this.#opaque;
  }

  #write(command: RemotingCommand): void {
    if (this.#closeCause !== undefined) throw this.#closeCause;
    const socket = this.#socket;
    if (socket.writableLength > WRITE_BUFFER_SIZE_MAX) throw this.#tooMany(`${socket.writableLength} bytes`);
    const frame = encodeCommand(command);
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      socket.cork();
      setImmediate(() => {
        this.#flushScheduled = false;
        socket.uncork();
      });
    }
    socket.write(frame);
  }

  #onFrame(frame: Uint8Array): void {
    if (this.#closeCause !== undefined) return;
    let command: RemotingCommand;
    try {
      command = decodeCommand(frame);
    } catch (cause) {
      this.#die(new MQClientError('BAD_ANSWER', `${this.address}: ${messageOf(cause)}`, { cause }));
      return;
    }
    // The flag decides before the opaque does: both sides number their requests alike (spec pitfall 4).
    if (isResponse(command)) this.#requests.take(command.opaque)?.resolve(command);
    else void this.#serve(command);
  }

  async #serve(request: RemotingCommand): Promise<void> {
    let answer: RemotingCommand | null;
    try {
      answer =
        this.onRequest === undefined
          ? createResponse(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, `request code ${request.code}`)
          : await this.onRequest(request, this);
    } catch (cause) {
      answer = createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(cause));
    }
    if (answer === null || isOneway(request) || this.#closeCause !== undefined) return;
    try {
      this.#write(answer);
    } catch (cause) {
      // The peer asks but does not read: its answers fill the buffer.
      this.#die(this.#closedError(messageOf(cause), cause));
    }
  }

  #onExpired(pending: PendingRequest<RemotingCommand>): void {
    pending.reject(new MQTimeoutError(this.address, pending.timeoutMs));
    // Nothing at all since the request left: the peer is gone without saying so, and a new connection is worth more.
    if (this.#lastReadMs < pending.sentAtMs) this.#die(this.#closedError('it fell silent'));
  }

  #closedError(why: string, cause?: unknown): MQClientError {
    return new MQClientError('CONNECTION_CLOSED', `connection to ${this.address} closed: ${why}`, { cause });
  }

  #tooMany(what: string): MQClientError {
    return new MQClientError('TOO_MANY_REQUESTS', `${what} already wait on the connection to ${this.address}`);
  }

  #die(cause: MQClientError): void {
    this.#fail(cause);
    this.#socket.destroy();
  }

  #fail(cause: MQClientError): void {
    if (this.#closeCause !== undefined) return;
    this.#closeCause = cause;
    this.#requests.rejectAll(cause);
    this.onClose?.(cause, this);
  }
}
