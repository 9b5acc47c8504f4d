/**
 * The header of an answer to a pull, encoded without an object in between. Hot.
 * Source: spec remoting 6.3; PullMessageResponseHeader.
 */
import { putDecimal, putI16, putI32 } from './bytes.js';
import { LanguageCode, MQ_VERSION, SerializeType } from './codes.js';
import { FRAME_PREFIX_SIZE, putFramePrefix } from './frame.js';

const encoder = new TextEncoder();

/** Largest frame prefix and header together. Units: bytes. */
export const PULL_RESPONSE_HEADER_MAX = 512;

/** What a pull found. */
export interface PullOutcome {
  /** Response code. */
  code: number;
  /** Store status name: remark of the answer. */
  remark: string;
  suggestWhichBrokerId: number;
  nextBeginOffset: number;
  minOffset: number;
  maxOffset: number;
}

const START = encoder.encode('{"code":');
const SUGGEST = encoder.encode(',"extFields":{"suggestWhichBrokerId":"');
const NEXT = encoder.encode('","nextBeginOffset":"');
const MIN = encoder.encode('","minOffset":"');
const MAX = encoder.encode('","maxOffset":"');
const FLAG = encoder.encode('"},"flag":1,"language":"JAVA","opaque":');
const REMARK = encoder.encode(',"remark":"');
const END = encoder.encode(`","serializeTypeCurrentRPC":"JSON","version":${MQ_VERSION}}`);

/**
 * Writes frame prefix and header at `at` for a body of `bodySize` that follows; returns where the body goes.
 * Shape: `outcome.remark` is ASCII without quotes.
 */
export function putPullResponse(
  target: Uint8Array,
  at: number,
  serializeType: number,
  opaque: number,
  outcome: PullOutcome,
  bodySize: number,
): number {
  const start = at + FRAME_PREFIX_SIZE;
  const end =
    serializeType === SerializeType.ROCKETMQ
      ? putBinary(target, start, opaque, outcome)
      : putJson(target, start, opaque, outcome);
  putFramePrefix(target, at, serializeType, end - start, bodySize);
  return end;
}

function putJson(target: Uint8Array, start: number, opaque: number, outcome: PullOutcome): number {
  let at = put(target, start, START);
  at = putDecimal(target, at, outcome.code);
  at = put(target, at, SUGGEST);
  at = putDecimal(target, at, outcome.suggestWhichBrokerId);
  at = put(target, at, NEXT);
  at = putDecimal(target, at, outcome.nextBeginOffset);
  at = put(target, at, MIN);
  at = putDecimal(target, at, outcome.minOffset);
  at = put(target, at, MAX);
  at = putDecimal(target, at, outcome.maxOffset);
  at = put(target, at, FLAG);
  at = putDecimal(target, at, opaque);
  at = put(target, at, REMARK);
  at = putAscii(target, at, outcome.remark);
  return put(target, at, END);
}

const binaryNames = ['suggestWhichBrokerId', 'nextBeginOffset', 'minOffset', 'maxOffset'] as const;
const binaryKeys = binaryNames.map(name => encoder.encode(name));

function putBinary(target: Uint8Array, start: number, opaque: number, outcome: PullOutcome): number {
  putI16(target, start, outcome.code);
  target[start + 2] = LanguageCode.JAVA;
  putI16(target, start + 3, MQ_VERSION);
  putI32(target, start + 5, opaque);
  putI32(target, start + 9, 1);
  putI32(target, start + 13, outcome.remark.length);
  const extAt = putAscii(target, start + 17, outcome.remark);
  let at = extAt + 4;
  for (let index = 0; index < binaryNames.length; index++) {
    const key = binaryKeys[index]!;
    putI16(target, at, key.length);
    at = put(target, at + 2, key);
    const valueStart = at + 4;
    at = putDecimal(target, valueStart, outcome[binaryNames[index]!]);
    putI32(target, valueStart - 4, at - valueStart);
  }
  putI32(target, extAt, at - extAt - 4);
  return at;
}

function put(target: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let index = 0; index < bytes.length; index++) target[at + index] = bytes[index]!;
  return at + bytes.length;
}

function putAscii(target: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}
