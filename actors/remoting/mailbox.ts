/**
 * What remoting accepts: finished frames, and results of appends that it turns into frames itself.
 * All words are 32-bit in the machine's order, because they never leave the process.
 */

/** Record types in remoting's rings. */
export const OutboundType = {
  /** A finished frame for a connection. */
  FRAME: 1,
  /**
   * The same, and it ends a send request: its permit comes back. A frame of length 0 only returns the permit (oneway).
   */
  SEND_REFUSED: 2,
  /** A message was appended: answer when its acknowledgement policy holds. */
  APPEND_RESULT: 3,
  /** Close the connection. */
  CLOSE: 4,
  /** A request that could not be dealt with: its connection is to hand it out again, before what came behind it. */
  GIVEN_BACK: 5,
} as const;

/** FRAME, SEND_REFUSED and GIVEN_BACK: the connection, then the frame's bytes. Units: words, bytes. */
export const OutboundFrame = { connectionId: 0, frameBytes: 8 } as const;

/**
 * APPEND_RESULT. A batch has its records' sizes behind the fixed part, one word each.
 * Source: sent by commit-log-writer.
 */
export const AppendResult = {
  connectionId: 0,
  opaque: 1,
  flags: 2,
  code: 3,
  queueId: 4,
  count: 5,
  queueOffsetLow: 6,
  queueOffsetHigh: 7,
  physicalOffsetLow: 8,
  physicalOffsetHigh: 9,
  /** Bytes of all records, so that the end position is known. */
  size: 10,
  arrivedMs: 11,
  /** Of a request that is traced, else 0. */
  traceId: 12,
  sizes: 13,
} as const;

/**
 * Bits of `flags` in append requests and results. PLAIN: the answer says only whether it worked, not where it is.
 * JOINS_TRACE: the sender traces a message of it, and the telemetry room is to hear of the answer.
 */
export const AppendFlag = {
  BINARY: 1,
  ONEWAY: 2,
  WAIT_FLUSH: 4,
  WAIT_REPLICA: 8,
  PLAIN: 16,
  JOINS_TRACE: 32,
} as const;

const TWO_32 = 0x1_0000_0000;

export function low32(value: number): number {
  return value | 0;
}

export function high32(value: number): number {
  return Math.floor(value / TWO_32) | 0;
}

export function join64(low: number, high: number): number {
  return high * TWO_32 + (low >>> 0);
}
