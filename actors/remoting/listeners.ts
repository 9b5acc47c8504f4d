/** Ports that are listened on: accepts sockets and hands them to the front door. */
import net from 'node:net';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { ListenerKind } from './routes.js';

export interface ListenerSpec {
  readonly kind: ListenerKind;
  readonly host: string;
  readonly port: number;
}

/** Takes in a socket that came through one of the ports; `listener`: which, in the order they were opened. */
export type TakeSocket = (socket: net.Socket, listener: number) => void;

export class Listeners {
  readonly #servers: net.Server[] = [];
  readonly #take: TakeSocket;

  constructor(take: TakeSocket) {
    this.#take = take;
  }

  /** Listens on all ports or none; the ports it got, in the order asked. Errors: RingError LISTEN_FAILED. */
  async open(specs: readonly ListenerSpec[], backlog: number): Promise<number[]> {
    const results = await Promise.allSettled(specs.map((spec, index) => this.#listen(spec, index, backlog)));
    const failed = results.find(result => result.status === 'rejected');
    if (failed === undefined) return results.map(result => (result as PromiseFulfilledResult<number>).value);
    this.close();
    throw failed.reason;
  }

  #listen(spec: ListenerSpec, index: number, backlog: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ pauseOnConnect: true, noDelay: true }, socket => this.#take(socket, index));
      this.#servers.push(server);
      server.once('error', cause => {
        const message = `cannot listen on ${spec.host}:${spec.port} (${spec.kind}): ${messageOf(cause)}`;
        reject(new RingError('LISTEN_FAILED', message, { ...spec }, { cause }));
      });
      server.listen({ host: spec.host, port: spec.port, backlog }, () =>
        resolve((server.address() as net.AddressInfo).port),
      );
    });
  }

  /**
   * No new connections from now on. The server object counts sockets whose handles live on in connections, so
   * its own end is not waited for.
   */
  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.unref();
    }
  }
}
