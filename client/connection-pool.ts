/**
 * One connection per address, opened when first needed and again after it died. Callers that need the same address at
 * the same time share one attempt.
 */
import type { RemotingCommand } from '../protocol/command.js';
import { parseAddress } from './address.js';
import { Connection, type RequestHandler } from './connection.js';
import { MQClientError, MQTimeoutError } from './errors.js';

export interface ConnectionPoolOptions {
  readonly connectTimeoutMs?: number | undefined;
  readonly onRequest?: RequestHandler | undefined;
  /** Called with the address of each connection that was made, before anything is sent on it. */
  readonly onOpen?: ((address: string) => void) | undefined;
  /** Called with the address of each connection that ended. */
  readonly onClose?: ((address: string) => void) | undefined;
}

export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #open = new Map<string, Connection>();
  readonly #opening = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(options: ConnectionPoolOptions = {}) {
    this.#options = options;
  }

  /** The connection to `address`, when there is a live one. */
  peek(address: string): Connection | undefined {
    return this.#open.get(address);
  }

  /** Errors: those of {@link Connection.open}; MQClientError NOT_RUNNING after {@link close}. */
  get(address: string): Promise<Connection> {
    const open = this.#open.get(address);
    if (open !== undefined) return Promise.resolve(open);
    let opening = this.#opening.get(address);
    if (opening === undefined) {
      opening = this.#connect(address).finally(() => this.#opening.delete(address));
      this.#opening.set(address, opening);
    }
    return opening;
  }

  /**
   * Sends a request; opening the connection counts towards `timeoutMs`.
   * Errors: those of {@link get} and of {@link Connection.request}.
   */
  request(address: string, command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const open = this.#open.get(address);
    // No await when the connection stands: sends of one turn stay in order and leave in one write.
    return open === undefined ? this.#connectAndRequest(address, command, timeoutMs) : open.request(command, timeoutMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    await Promise.all([...this.#open.values()].map(connection => connection.close()));
  }

  async #connectAndRequest(address: string, command: RemotingCommand, timeoutMs: number): Promise<RemotingCommand> {
    const deadlineMs = performance.now() + timeoutMs;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new MQTimeoutError(address, timeoutMs, 'connection')), timeoutMs);
    });
    const connection = await Promise.race([this.get(address), timeout]).finally(() => clearTimeout(timer));
    return connection.request(command, deadlineMs - performance.now());
  }

  async #connect(address: string): Promise<Connection> {
    if (this.#closed) throw new MQClientError('NOT_RUNNING', 'the client is shut down');
    const connection = await Connection.open({
      ...parseAddress(address),
      connectTimeoutMs: this.#options.connectTimeoutMs,
      onRequest: this.#options.onRequest,
      onClose: (_cause, closed) => {
        if (this.#open.get(address) === closed) this.#open.delete(address);
        this.#options.onClose?.(address);
      },
    });
    this.#open.set(address, connection);
    this.#options.onOpen?.(address);
    return connection;
  }
}
