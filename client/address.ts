/** Addresses as RocketMQ writes them: `host:port`, lists separated by `;`. */
import { MQClientError } from './errors.js';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`; an IPv6 host stands in brackets.
 * Errors: MQClientError INVALID_ARGUMENT.
 */
export function parseAddress(address: string): HostAndPort {
  const colon = address.lastIndexOf(':');
  const host = address
    .slice(0, Math.max(colon, 0))
    .trim()
    .replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new MQClientError('INVALID_ARGUMENT', `"${address}" is no address: expected host:port`);
  }
  return { host, port };
}

/** "10.0.0.1:9876", "[::1]:9876". */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads a name server list, `a:9876;b:9876`.
 * Errors: MQClientError INVALID_ARGUMENT when it is empty or holds what is no address.
 */
export function parseAddressList(list: string): string[] {
  const addresses = list
    .split(';')
    .map(part => part.trim())
    .filter(part => part !== '');
  if (addresses.length === 0) throw new MQClientError('INVALID_ARGUMENT', 'namesrvAddr names no name server');
  for (const address of addresses) parseAddress(address);
  return addresses;
}
