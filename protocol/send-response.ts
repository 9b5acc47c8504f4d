/**
 * The answer to a send, encoded without an object in between. Hot: templates and digits.
 * Source: spec remoting 5.3; SendMessageResponseHeader.
 */
import { decimalDigits, putDecimal, putDigits, putHex32, putI16, putI32 } from './bytes.js';
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

/** A frame of one message in JSON as it was written last, for those whose numbers have as many digits. */
interface Template {
  readonly frame: Uint8Array;
  readonly code: number;
  readonly queueIdDigits: number;
  readonly queueOffsetDigits: number;
  readonly queueIdAt: number;
  readonly messageIdAt: number;
  readonly queueOffsetAt: number;
  readonly opaqueAt: number;
}

const TWO_32 = 0x1_0000_0000;

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
  /** By the digits of the opaque, which differ from client to client. */
  readonly #templates: (Template | undefined)[] = new Array(17).fill(undefined);

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
    if (serializeType === SerializeType.JSON && sizes === undefined && opaque >= 0 && queueId >= 0) {
      return this.#encodeLike(target, at, code, opaque, queueId, queueOffset, physicalOffset);
    }
    const headerStart = at + FRAME_PREFIX_SIZE;
    const end =
      serializeType === SerializeType.ROCKETMQ
        ? this.#encodeBinary(target, headerStart, code, opaque, queueId, queueOffset, physicalOffset, sizes)
        : this.#encodeJson(target, headerStart, code, opaque, queueId, queueOffset, physicalOffset, sizes);
    putFramePrefix(target, at, serializeType, end - headerStart, 0);
    return end;
  }

  /** The usual answer: what was written last with other numbers in it. */
  #encodeLike(
    target: Uint8Array,
    at: number,
    code: number,
    opaque: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
  ): number {
    const opaqueDigits = decimalDigits(opaque);
    const queueIdDigits = decimalDigits(queueId);
    const queueOffsetDigits = decimalDigits(queueOffset);
    let template = this.#templates[opaqueDigits];
    if (
      template === undefined ||
      template.code !== code ||
      template.queueIdDigits !== queueIdDigits ||
      template.queueOffsetDigits !== queueOffsetDigits
    ) {
      template = this.#makeTemplate(code, opaque, queueId, queueOffset);
      this.#templates[opaqueDigits] = template;
    }
    target.set(template.frame, at);
    putDigits(target, at + template.queueIdAt, queueIdDigits, queueId);
    const offsetAt = at + template.messageIdAt + MESSAGE_ID_SIZE - 16;
    putHex32(target, offsetAt, Math.floor(physicalOffset / TWO_32));
    putHex32(target, offsetAt + 8, physicalOffset | 0);
    putDigits(target, at + template.queueOffsetAt, queueOffsetDigits, queueOffset);
    putDigits(target, at + template.opaqueAt, opaqueDigits, opaque);
    return at + template.frame.length;
  }

  #makeTemplate(code: number, opaque: number, queueId: number, queueOffset: number): Template {
    const bytes = new Uint8Array(this.#singleSizeMax);
    const end = this.#encodeJson(bytes, FRAME_PREFIX_SIZE, code, opaque, queueId, queueOffset, 0, undefined);
    putFramePrefix(bytes, 0, SerializeType.JSON, end - FRAME_PREFIX_SIZE, 0);
    const queueIdDigits = decimalDigits(queueId);
    const queueOffsetDigits = decimalDigits(queueOffset);
    const opaqueAt = end - this.#end.length - decimalDigits(opaque);
    const queueOffsetAt = opaqueAt - this.#beforeOpaque.length - queueOffsetDigits;
    const messageIdAt = queueOffsetAt - this.#beforeQueueOffset.length - MESSAGE_ID_SIZE;
    const queueIdAt = messageIdAt - this.#beforeMessageId.length - queueIdDigits;
    const frame = bytes.slice(0, end);
    return { frame, code, queueIdDigits, queueOffsetDigits, queueIdAt, messageIdAt, queueOffsetAt, opaqueAt };
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
