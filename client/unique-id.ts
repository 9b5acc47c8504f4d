/**
 * The ids a message gets: UNIQ_KEY from its producer, the offset message id from the broker that stored it.
 * Source: spec remoting 5.6; MessageClientIDSetter, MessageDecoder.
 */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { getI32, getI64, putI16, putI32 } from '../protocol/bytes.js';
import { formatIpv4 } from '../protocol/message-id.js';
import { formatAddress } from './address.js';
import { MQClientError } from './errors.js';

export interface UniqKeyFields {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  readonly pid: number;
  /** Tells producers of one process apart; Java uses the hash of its class loader. */
  readonly hash: number;
  /** Since the start of the current month, local time. */
  readonly sinceMonthStartMs: number;
  readonly counter: number;
}

/** 32 upper-case hex digits, 56 with an IPv6 address. */
export function formatUniqKey(fields: UniqKeyFields): string {
  const size = fields.ip.length;
  const bytes = Buffer.alloc(size + 12);
  bytes.set(fields.ip);
  putI16(bytes, size, fields.pid);
  putI32(bytes, size + 2, fields.hash);
  putI32(bytes, size + 6, fields.sinceMonthStartMs);
  putI16(bytes, size + 10, fields.counter);
  return bytes.toString('hex').toUpperCase();
}

/** The first IPv4 address of this machine that is not loopback; 127.0.0.1 without a network. */
export function localIpv4(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (address.family === 'IPv4' && !address.internal) return address.address;
    }
  }
  return '127.0.0.1';
}

const ip = Uint8Array.from(localIpv4().split('.'), Number);
// Random, so that threads of one process, which each load this module, do not share a sequence.
const hash = randomBytes(4).readInt32BE();
let counter = 0;
let monthStartMs = 0;
let nextMonthStartMs = 0;

/** A new UNIQ_KEY, unique in this process and with near certainty everywhere. */
export function createUniqKey(nowMs = Date.now()): string {
  if (nowMs >= nextMonthStartMs || nowMs < monthStartMs) {
    const now = new Date(nowMs);
    monthStartMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime();
    nextMonthStartMs = new Date(now.getFullYear(), now.getMonth() + 1, 1).getTime();
  }
  counter = (counter + 1) & 0xffff;
  return formatUniqKey({ ip, pid: process.pid, hash, sinceMonthStartMs: nowMs - monthStartMs, counter });
}

/** Where a message is: the broker's address and the physical offset in its commit log. */
export interface MessageLocation {
  readonly address: string;
  /** Units: bytes. */
  readonly physicalOffset: number;
}

/**
 * Reads an offset message id. A UNIQ_KEY looks the same and gives a meaningless location (spec pitfall 27).
 * Errors: MQClientError INVALID_ARGUMENT.
 */
export function parseOffsetMsgId(offsetMsgId: string): MessageLocation {
  if (!/^([0-9a-f]{32}|[0-9a-f]{56})$/i.test(offsetMsgId)) {
    throw new MQClientError(
      'INVALID_ARGUMENT',
      `"${offsetMsgId}" is no offset message id: expected 32 or 56 hex digits`,
    );
  }
  const bytes = Buffer.from(offsetMsgId, 'hex');
  const ipSize = bytes.length - 12;
  return { address: formatHost(bytes, 0, ipSize), physicalOffset: getI64(bytes, ipSize + 4) };
}

/** "ip:port" of an address of `ipSize` (4 or 16) bytes followed by a 32-bit port. */
export function formatHost(bytes: Uint8Array, at: number, ipSize: number): string {
  const port = getI32(bytes, at + ipSize);
  if (ipSize === 4) return formatAddress(formatIpv4(getI32(bytes, at)), port);
  const groups: string[] = [];
  for (let group = 0; group < 8; group++) {
    groups.push(((bytes[at + group * 2]! << 8) | bytes[at + group * 2 + 1]!).toString(16));
  }
  return formatAddress(groups.join(':'), port);
}
