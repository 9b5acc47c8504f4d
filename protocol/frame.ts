/**
 * The remoting frame: length, header length with its type byte, header, body.
 *
 *   0        4          5             8         8+H
 *   +--------+----------+-------------+---------+--------+
 *   | L: i32 | type: i8 | H: u24      | header  | body   |    L = 4 + H + B
 *   +--------+----------+-------------+---------+--------+
 *
 * Source: spec remoting 1; RemotingCommand, NettyDecoder.
 */
import { getI16, getI32, getU24, putI32, putU24 } from './bytes.js';
import { FRAME_SIZE_MAX } from './codes.js';

/** Length word and header length word. Units: bytes. */
export const FRAME_PREFIX_SIZE = 8;

/** Why bytes are no frame. */
export const FrameFault = { NONE: 0, NEGATIVE: -1, TOO_LARGE: -2, HEADER_TOO_LONG: -3 } as const;

/**
 * Total size of the frame that starts at `at`, its length word included.
 * Shape: needs 4 readable bytes. Errors: a negative {@link FrameFault}.
 */
export function frameSize(bytes: Uint8Array, at: number, sizeMax = FRAME_SIZE_MAX): number {
  const length = getI32(bytes, at);
  if (length < 4) return FrameFault.NEGATIVE;
  if (length + 4 > sizeMax) return FrameFault.TOO_LARGE;
  return length + 4;
}

/** Header length of a frame, or {@link FrameFault.HEADER_TOO_LONG}. Shape: needs 8 readable bytes. */
export function headerLength(bytes: Uint8Array, at: number): number {
  const length = getU24(bytes, at + 5);
  return length > getI32(bytes, at) - 4 ? FrameFault.HEADER_TOO_LONG : length;
}

/** The serialize type byte: 0 JSON, 1 ROCKETMQ. */
export function serializeTypeOf(bytes: Uint8Array, at: number): number {
  return bytes[at + 4]!;
}

/** Writes the 8 bytes before a header. */
export function putFramePrefix(
  bytes: Uint8Array,
  at: number,
  serializeType: number,
  headerSize: number,
  bodySize: number,
): void {
  putI32(bytes, at, 4 + headerSize + bodySize);
  bytes[at + 4] = serializeType;
  putU24(bytes, at + 5, headerSize);
}

const CODE_PREFIX = new TextEncoder().encode('{"code":');

/**
 * The request code of a frame without reading its header, when it stands where Java writes it; -1 when the header must
 * be read to know. Shape: the frame is complete, its header no longer than itself.
 */
export function peekCode(bytes: Uint8Array, at: number): number {
  const start = at + FRAME_PREFIX_SIZE;
  const end = start + getU24(bytes, at + 5);
  if (bytes[at + 4] === 1) return end - start >= 2 ? getI16(bytes, start) : -1;
  let position = start + CODE_PREFIX.length;
  if (position >= end) return -1;
  for (let index = 0; index < CODE_PREFIX.length; index++) if (bytes[start + index] !== CODE_PREFIX[index]) return -1;
  let code = 0;
  for (let digits = 0; digits < 7 && position < end; digits++, position++) {
    const digit = bytes[position]! - 0x30;
    if (digit < 0 || digit > 9) return digits > 0 && bytes[position] === 0x2c ? code : -1;
    code = code * 10 + digit;
  }
  return -1;
}

const NOTHING = new Uint8Array(0);
const PENDING_SIZE_MIN = 4096;

/**
 * Cuts frames from a stream of chunks, for connections that are not on the hot path (clients). A frame that arrived in
 * one chunk is handed out where it lies; the others are gathered, each byte once. A frame may be kept: its memory is
 * not used again.
 * Errors: `onFault` once, then nothing more is accepted.
 */
export class FrameCutter {
  /** Bytes copied to gather frames and to grow the memory they are gathered in. */
  copiedBytes = 0;
  #pending: Uint8Array = NOTHING;
  #pendingSize = 0;
  #faulty = false;
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #onFault: (fault: number) => void;

  constructor(onFrame: (frame: Uint8Array) => void, onFault: (fault: number) => void) {
    this.#onFrame = onFrame;
    this.#onFault = onFault;
  }

  push(chunk: Uint8Array): void {
    let at = this.#pendingSize > 0 ? this.#complete(chunk) : 0;
    while (!this.#faulty && chunk.length - at >= FRAME_PREFIX_SIZE) {
      const size = this.#sizeAt(chunk, at);
      if (size < 0 || chunk.length - at < size) break;
      at += size;
      this.#onFrame(chunk.subarray(at - size, at));
    }
    if (!this.#faulty && at < chunk.length) this.#gather(chunk, at, chunk.length, FRAME_SIZE_MAX);
  }

  /** Adds to the frame that is being gathered what it lacks; returns how much of `chunk` that took. */
  #complete(chunk: Uint8Array): number {
    let at = 0;
    if (this.#pendingSize < FRAME_PREFIX_SIZE) {
      at = Math.min(chunk.length, FRAME_PREFIX_SIZE - this.#pendingSize);
      this.#gather(chunk, 0, at, FRAME_SIZE_MAX);
      if (this.#pendingSize < FRAME_PREFIX_SIZE) return at;
    }
    const size = this.#sizeAt(this.#pending, 0);
    if (size < 0) return at;
    const end = Math.min(chunk.length, at + size - this.#pendingSize);
    this.#gather(chunk, at, end, size);
    if (this.#pendingSize < size) return end;
    const frame = this.#pending.subarray(0, size);
    this.#pending = NOTHING;
    this.#pendingSize = 0;
    this.#onFrame(frame);
    return end;
  }

  /** Size of the frame at `at`; a negative fault, which is reported. */
  #sizeAt(bytes: Uint8Array, at: number): number {
    const size = frameSize(bytes, at);
    const fault = size < 0 ? size : headerLength(bytes, at) < 0 ? FrameFault.HEADER_TOO_LONG : FrameFault.NONE;
    if (fault === FrameFault.NONE) return size;
    this.#faulty = true;
    this.#pending = NOTHING;
    this.#pendingSize = 0;
    this.#onFault(fault);
    return fault;
  }

  /** Doubles its memory up to `sizeMax`: a peer gets as much as it has sent, not as much as it announces. */
  #gather(chunk: Uint8Array, from: number, to: number, sizeMax: number): void {
    const needed = this.#pendingSize + to - from;
    if (this.#pending.length < needed) {
      const doubled = Math.max(PENDING_SIZE_MIN, 2 * this.#pending.length);
      const grown = new Uint8Array(Math.max(needed, Math.min(sizeMax, doubled)));
      grown.set(this.#pending.subarray(0, this.#pendingSize));
      this.copiedBytes += this.#pendingSize;
      this.#pending = grown;
    }
    this.#pending.set(chunk.subarray(from, to), this.#pendingSize);
    this.#pendingSize = needed;
    this.copiedBytes += to - from;
  }
}
