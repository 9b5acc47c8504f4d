/**
 * Offset message ids: store host and physical offset in upper-case hex. Source: spec storage 3.6; MessageDecoder.
 *
 * @example
 * formatMessageId(0x0a000002, 10911, 1024); // '0A00000200002A9F0000000000000400'
 */
import { putHex32 } from './bytes.js';

/** Length of an id with an IPv4 host. Units: characters. */
export const MESSAGE_ID_SIZE = 32;

/** Writes an id as 32 ASCII characters; returns the position after it. Hot. */
export function putMessageId(
  target: Uint8Array,
  at: number,
  storeAddress: number,
  storePort: number,
  physicalOffset: number,
): number {
  putHex32(target, at, storeAddress);
  putHex32(target, at + 8, storePort);
  putHex32(target, at + 16, Math.floor(physicalOffset / 0x1_0000_0000));
  return putHex32(target, at + 24, physicalOffset | 0);
}

export function formatMessageId(storeAddress: number, storePort: number, physicalOffset: number): string {
  const bytes = new Uint8Array(MESSAGE_ID_SIZE);
  putMessageId(bytes, 0, storeAddress, storePort, physicalOffset);
  return new TextDecoder().decode(bytes);
}

/** "10.0.0.2" -> 0x0a000002; -1 is never returned: what is no IPv4 address gives 0. */
export function parseIpv4(text: string): number {
  const mapped = text.startsWith('::ffff:') ? text.slice(7) : text;
  const parts = mapped.split('.');
  if (parts.length !== 4) return 0;
  let value = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (!/^\d{1,3}$/.test(part) || octet > 255) return 0;
    value = (value << 8) | octet;
  }
  return value;
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Where the message of an id is in the log of the broker the id names; -1 for a text that is no such id. */
export function physicalOffsetOf(messageId: string): number {
  // IPv4 or IPv6 host, port, physical offset.
  if (!/^([0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(messageId)) return -1;
  const offset = Number.parseInt(messageId.slice(-16), 16);
  return Number.isSafeInteger(offset) ? offset : -1;
}
