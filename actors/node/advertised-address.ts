/**
 * Which address of this machine clients are told to come to. Cold. Source: spec properties 9 (RingMQ's own rule for the
 * default).
 */
import { createSocket } from 'node:dgram';

/**
 * The local address of a connection to `peer` (`host:port`), without making one: connecting a datagram socket only asks
 * the routing table. Undefined when there is no way to it.
 */
export function localAddressTowards(peer: string): Promise<string | undefined> {
  const colon = peer.lastIndexOf(':');
  const host = peer.slice(0, colon);
  const port = Number(peer.slice(colon + 1));
  return new Promise(resolve => {
    const socket = createSocket('udp4');
    const finish = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => finish(undefined));
    socket.connect(port, host, () => finish(socket.address().address));
  });
}
