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
import { getI32, getU24, putI32, putU24 } from './bytes.js';
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
 * be read to know. Shape: the frame is complete.
 */
export function peekCode(bytes: Uint8Array, at: number): number {
  const start = at + FRAME_PREFIX_SIZE;
  if (bytes[at + 4] === 1) {
    return headerLength(bytes, at) >= 2 ? ((bytes[start]! << 24) >> 16) | bytes[start + 1]! : -1;
  }
  for (let index = 0; index < CODE_PREFIX.length; index++) if (bytes[start + index] !== CODE_PREFIX[index]) return -1;
  let position = start + CODE_PREFIX.length;
  let code = 0;
  for (let digits = 0; digits < 7; digits++, position++) {
    const digit = bytes[position]! - 0x30;
    if (digit < 0 || digit > 9) return digits > 0 && bytes[position] === 0x2c ? code : -1;
    code = code * 10 + digit;
  }
  return -1;
}

/**
 * Cuts frames from a stream of chunks, for connections that are not on the hot path (clients).
 * Errors: `onFault` once, then nothing more is accepted.
 */
export class FrameCutter {
  #pending: Uint8Array = new Uint8Array(0);
  #faulty = false;
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #onFault: (fault: number) => void;

  constructor(onFrame: (frame: Uint8Array) => void, onFault: (fault: number) => void) {
    this.#onFrame = onFrame;
    this.#onFault = onFault;
  }

  push(chunk: Uint8Array): void {
    if (this.#faulty) return;
    let data = chunk;
    if (this.#pending.length > 0) {
      data = new Uint8Array(this.#pending.length + chunk.length);
      data.set(this.#pending);
      data.set(chunk, this.#pending.length);
    }
    let at = 0;
    while (data.length - at >= FRAME_PREFIX_SIZE) {
      const size = frameSize(data, at);
      const fault = size < 0 ? size : headerLength(data, at) < 0 ? FrameFault.HEADER_TOO_LONG : FrameFault.NONE;
      if (fault !== FrameFault.NONE) {
        this.#faulty = true;
        this.#onFault(fault);
        return;
      }
      if (data.length - at < size) break;
      this.#onFrame(data.subarray(at, at + size));
      at += size;
    }
    this.#pending = at === data.length ? new Uint8Array(0) : data.slice(at);
  }
}
