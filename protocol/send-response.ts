/**
 * The answer to a send, encoded without an object in between. Hot: templates and digits.
 * Source: spec remoting 5.3; SendMessageResponseHeader.
 */
import { putDecimal, putI16, putI32 } from './bytes.js';
import { LanguageCode, MQ_VERSION, SerializeType } from './codes.js';
import { FRAME_PREFIX_SIZE, putFramePrefix } from './frame.js';
import { MESSAGE_ID_SIZE, putMessageId } from './message-id.js';

const encoder = new TextEncoder();
// What takes the most digits.
const INT32_MIN = -0x8000_0000;
const OFFSET_MAX = Number.MAX_SAFE_INTEGER;

export interface SendResponseHost {
  readonly storeAddress: number;
  readonly storePort: number;
}

export class SendResponseEncoder {
  readonly #beforeQueueId = encoder.encode(',"extFields":{"queueId":"');
  readonly #beforeMessageId: Uint8Array;
  readonly #beforeQueueOffset = encoder.encode('","queueOffset":"');
  readonly #beforeOpaque = encoder.encode('"},"flag":1,"language":"JAVA","opaque":');
  readonly #end = encoder.encode(`,"serializeTypeCurrentRPC":"JSON","version":${MQ_VERSION}}`);
  readonly #start = encoder.encode('{"code":');
  readonly #binaryFixed: Uint8Array;
  readonly #host: SendResponseHost;
  /** Units: bytes. */
  readonly #singleSizeMax: number;

  /** `regionId`: key regionId; `traceOn`: key traceOn. */
  constructor(host: SendResponseHost, regionId: string, traceOn: boolean) {
    this.#host = host;
    const region = JSON.stringify(regionId);
    this.#beforeMessageId = encoder.encode(`","TRACE_ON":"${traceOn}","MSG_REGION":${region},"msgId":"`);
    this.#binaryFixed = concatenate([binaryField('TRACE_ON', String(traceOn)), binaryField('MSG_REGION', regionId)]);
    const longest = new Uint8Array(1024 + this.#beforeMessageId.length + this.#binaryFixed.length);
    const sizes = [SerializeType.JSON, SerializeType.ROCKETMQ].map(type =>
      this.encode(longest, 0, type, INT32_MIN, INT32_MIN, INT32_MIN, OFFSET_MAX, OFFSET_MAX, undefined),
    );
    this.#singleSizeMax = Math.max(...sizes);
  }

  /** Bytes that {@link encode} writes at most for a request of `count` messages. */
  sizeMax(count: number): number {
    return this.#singleSizeMax + (count - 1) * (MESSAGE_ID_SIZE + 1);
  }

  /**
   * Writes the whole frame at `at`; returns the position after it.
   * Shape: `sizes` are the record sizes of a batch, which give each message its id; undefined for one message.
   */
  encode(
    target: Uint8Array,
    at: number,
    serializeType: number,
    code: number,
    opaque: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    sizes: Int32Array | undefined,
  ): number {
    const headerStart = at + FRAME_PREFIX_SIZE;
    const end =
      serializeType === SerializeType.ROCKETMQ
        ? this.#encodeBinary(target, headerStart, code, opaque, queueId, queueOffset, physicalOffset, sizes)
        : this.#encodeJson(target, headerStart, code, opaque, queueId, queueOffset, physicalOffset, sizes);
    putFramePrefix(target, at, serializeType, end - headerStart, 0);
    return end;
  }

  #encodeJson(
    target: Uint8Array,
    start: number,
    code: number,
    opaque: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    sizes: Int32Array | undefined,
  ): number {
    let at = put(target, start, this.#start);
    at = putDecimal(target, at, code);
    at = put(target, at, this.#beforeQueueId);
    at = putDecimal(target, at, queueId);
    at = put(target, at, this.#beforeMessageId);
    at = this.#putIds(target, at, physicalOffset, sizes);
    at = put(target, at, this.#beforeQueueOffset);
    at = putDecimal(target, at, queueOffset);
    at = put(target, at, this.#beforeOpaque);
    at = putDecimal(target, at, opaque);
    return put(target, at, this.#end);
  }

  #encodeBinary(
    target: Uint8Array,
    start: number,
    code: number,
    opaque: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    sizes: Int32Array | undefined,
  ): number {
    putI16(target, start, code);
    target[start + 2] = LanguageCode.JAVA;
    putI16(target, start + 3, MQ_VERSION);
    putI32(target, start + 5, opaque);
    putI32(target, start + 9, 1);
    putI32(target, start + 13, 0);
    const extStart = start + 21;
    let at = put(target, extStart, this.#binaryFixed);
    at = putKey(target, at, QUEUE_ID);
    let valueStart = at + 4;
    at = putDecimal(target, valueStart, queueId);
    putI32(target, valueStart - 4, at - valueStart);
    at = putKey(target, at, MESSAGE_ID);
    valueStart = at + 4;
    at = this.#putIds(target, valueStart, physicalOffset, sizes);
    putI32(target, valueStart - 4, at - valueStart);
    at = putKey(target, at, QUEUE_OFFSET);
    valueStart = at + 4;
    at = putDecimal(target, valueStart, queueOffset);
    putI32(target, valueStart - 4, at - valueStart);
    putI32(target, start + 17, at - extStart);
    return at;
  }

  #putIds(target: Uint8Array, start: number, physicalOffset: number, sizes: Int32Array | undefined): number {
    const { storeAddress, storePort } = this.#host;
    let at = putMessageId(target, start, storeAddress, storePort, physicalOffset);
    if (sizes === undefined) return at;
    let next = physicalOffset;
    for (let index = 0; index < sizes.length - 1; index++) {
      next += sizes[index]!;
      target[at++] = 0x2c;
      at = putMessageId(target, at, storeAddress, storePort, next);
    }
    return at;
  }
}

const QUEUE_ID = encoder.encode('queueId');
const MESSAGE_ID = encoder.encode('msgId');
const QUEUE_OFFSET = encoder.encode('queueOffset');

function put(target: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) target[at + index] = bytes[index]!;
  return at + bytes.length;
}

function putKey(target: Uint8Array, at: number, key: Uint8Array): number {
  putI16(target, at, key.length);
  return put(target, at + 2, key);
}

function binaryField(name: string, value: string): Uint8Array {
  const key = encoder.encode(name);
  const text = encoder.encode(value);
  const out = new Uint8Array(6 + key.length + text.length);
  const at = putKey(out, 0, key);
  putI32(out, at, text.length);
  put(out, at + 4, text);
  return out;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) at = put(out, at, part);
  return out;
}
