/**
 * What stands between the network and remoting: the ports and the connections. They outlive the rooms when a broker
 * changes its role. While the door is shut clients wait before it: connections are accepted, and what they send stays
 * in the sockets.
 */
import type net from 'node:net';
import { FRAME_SIZE_MAX } from '../../protocol/codes.js';
import type { Remoting } from './actor.js';
import { Connection, type ConnectionEvents } from './connection.js';
import { ConnectionTable } from './connection-table.js';
import { type ListenerSpec, Listeners } from './listeners.js';

export interface FrontDoorOptions {
  readonly connectionsMax: number;
  readonly backlog: number;
  /** Units: bytes. */
  readonly outboundBytesMax: number;
}

export class FrontDoor implements ConnectionEvents {
  readonly connections: ConnectionTable;
  readonly #options: FrontDoorOptions;
  readonly #listeners = new Listeners((socket, listener) => this.#accept(socket, listener));
  #ports: number[] | undefined;
  #remoting: Remoting | undefined;
  #isShut = true;
  /** Connections that closed while there was no remoting to be told. */
  #gone: Connection[] = [];

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.connections = new ConnectionTable(options.connectionsMax);
  }

  /** Listens on all ports or none, once; the ports it got, in the order asked. Errors: RingError LISTEN_FAILED. */
  async open(specs: readonly ListenerSpec[]): Promise<number[]> {
    this.#ports ??= await this.#listeners.open(specs, this.#options.backlog);
    return this.#ports;
  }

  /** Everything goes to this remoting from now on, first what waited. */
  letIn(remoting: Remoting): void {
    this.#remoting = remoting;
    this.#isShut = false;
    this.connections.forEach(connection => {
      remoting.welcome(connection);
    });
    for (const connection of this.#gone.splice(0)) {
      remoting.welcome(connection);
      remoting.onClosed(connection, 'closed while the role changed');
    }
    this.connections.forEach(connection => {
      connection.resume();
    });
  }

  /** No request goes in any more; answers come out until {@link leave}. */
  shut(): void {
    this.#isShut = true;
  }

  /** The remoting inside goes; its connections stay. */
  leave(): void {
    this.#isShut = true;
    this.#remoting?.leave();
    this.#remoting = undefined;
  }

  /** No new connections. */
  stopListening(): void {
    this.#listeners.close();
  }

  /** Ends everything. */
  close(): void {
    this.#listeners.close();
    this.connections.forEach(connection => {
      connection.close('the node stops');
    });
  }

  #accept(socket: net.Socket, listener: number): void {
    const limits = { frameSizeMax: FRAME_SIZE_MAX, outboundBytesMax: this.#options.outboundBytesMax };
    const make = (id: number): Connection => new Connection(id, listener, socket, this, limits, Date.now());
    const remoting = this.#remoting;
    const isTaken = remoting === undefined ? this.connections.add(make) !== undefined : remoting.accept(make);
    if (!isTaken) socket.destroy();
  }

  onFrame(connection: Connection, bytes: Uint8Array, at: number, size: number): boolean {
    return !this.#isShut && this.#remoting!.onFrame(connection, bytes, at, size);
  }

  onClosed(connection: Connection, reason: string): void {
    if (this.#remoting !== undefined) return this.#remoting.onClosed(connection, reason);
    this.connections.remove(connection);
    this.#gone.push(connection);
  }
}
