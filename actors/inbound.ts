/**
 * The record that carries a request from remoting to the room for its code. Every room that answers requests accepts
 * it. All words are 32-bit in the machine's order, because they never leave the process.
 */

export const InboundType = {
  /** A whole frame, as it came from the socket. */
  FRAME: 1,
  /** A connection closed; only rooms that asked for it are told. */
  CLOSED: 2,
} as const;

/** Units: words, bytes. */
export const InboundFrame = {
  connectionId: 0,
  /** Request code, or -1 when it does not stand where Java writes it. */
  code: 1,
  /** Low 32 bits of the arrival time in ms. */
  arrivedMs: 2,
  /** The peer, IPv4 as an integer. */
  peerAddress: 3,
  peerPort: 4,
  frameSize: 5,
  /** Of a request that is traced, else 0. */
  traceId: 6,
  frameBytes: 32,
} as const;

/** Milliseconds between two times given by their low 32 bits. */
export function elapsedMs(fromLow: number, nowMs: number): number {
  return ((nowMs | 0) - fromLow) | 0;
}
