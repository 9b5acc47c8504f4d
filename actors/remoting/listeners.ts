/** Ports that are listened on: accepts sockets and hands them to remoting. */
import net from 'node:net';
import { FRAME_SIZE_MAX } from '../../protocol/codes.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { Remoting } from './actor.js';
import { Connection } from './connection.js';
import type { ListenerKind } from './routes.js';

export interface ListenerSpec {
  readonly kind: ListenerKind;
  readonly host: string;
  readonly port: number;
}

export interface ListenerOptions {
  readonly backlog: number;
  /** Units: bytes. */
  readonly outboundBytesMax: number;
}

export class Listeners {
  readonly #servers: net.Server[] = [];
  readonly #remoting: Remoting;
  readonly #options: ListenerOptions;

  constructor(remoting: Remoting, options: ListenerOptions) {
    this.#remoting = remoting;
    this.#options = options;
  }

  /** Listens on all ports or none; the ports it got, in the order asked. Errors: RingError LISTEN_FAILED. */
  async open(specs: readonly ListenerSpec[]): Promise<number[]> {
    const results = await Promise.allSettled(specs.map((spec, index) => this.#listen(spec, index)));
    const failed = results.find(result => result.status === 'rejected');
    if (failed === undefined) return results.map(result => (result as PromiseFulfilledResult<number>).value);
    this.close();
    throw failed.reason;
  }

  #listen(spec: ListenerSpec, index: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ pauseOnConnect: true, noDelay: true }, socket => this.#accept(socket, index));
      this.#servers.push(server);
      server.once('error', cause => {
        const message = `cannot listen on ${spec.host}:${spec.port} (${spec.kind}): ${messageOf(cause)}`;
        reject(new RingError('LISTEN_FAILED', message, { ...spec }, { cause }));
      });
      server.listen({ host: spec.host, port: spec.port, backlog: this.#options.backlog }, () =>
        resolve((server.address() as net.AddressInfo).port),
      );
    });
  }

  #accept(socket: net.Socket, listener: number): void {
    const limits = { frameSizeMax: FRAME_SIZE_MAX, outboundBytesMax: this.#options.outboundBytesMax };
    if (!this.#remoting.accept(id => new Connection(id, listener, socket, this.#remoting, limits, Date.now()))) {
      socket.destroy();
    }
  }

  /**
   * No new connections from now on. The server object counts sockets whose handles live on in a {@link Connection}, so
   * its own end is not waited for.
   */
  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.unref();
    }
  }
}
