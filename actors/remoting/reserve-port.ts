/**
 * The port of a broker with listenPort=0, chosen before its actors are made: message ids and registrations name it.
 * Cold.
 */
import net from 'node:net';
import { messageOf, RingError } from '../../runtime/base/errors.js';

export interface ReservedPort {
  readonly port: number;
  /** Gives the port free, for who is to listen on it. */
  release(): Promise<void>;
}

/** Takes any free port of `host` and keeps it. Errors: RingError LISTEN_FAILED. */
export function reservePort(host: string): Promise<ReservedPort> {
  return new Promise((resolve, reject) => {
    const server = net.createServer(socket => socket.destroy());
    server.once('error', cause => {
      reject(new RingError('LISTEN_FAILED', `no free port on ${host}: ${messageOf(cause)}`, { host }, { cause }));
    });
    server.listen({ host, port: 0 }, () =>
      resolve({
        port: (server.address() as net.AddressInfo).port,
        release: () => new Promise(released => server.close(() => released())),
      }),
    );
  });
}
