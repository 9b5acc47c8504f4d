/**
 * A whole remoting command as an object, for the cold path: administration, name server, clients.
 * Source: spec remoting 1; RemotingCommand.
 *
 * @example
 * const frame = encodeCommand(createRequest(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' }));
 * decodeCommand(frame).extFields.topic; // 'T'
 */
import { RingError } from '../runtime/base/errors.js';
import { getI32, putI16, putI32 } from './bytes.js';
import { CommandFlag, LanguageCode, languageNames, MQ_VERSION, SerializeType } from './codes.js';
import { FRAME_PREFIX_SIZE, headerLength, putFramePrefix, serializeTypeOf } from './frame.js';
import { BINARY_HEADER_SIZE_MIN, BINARY_REMARK_AT } from './header-binary.js';
import { HeaderView, setField } from './header-view.js';
import { decodeUtf8 } from './json-text.js';

export interface RemotingCommand {
  code: number;
  /** {@link LanguageCode} ordinal of the sender. */
  language: number;
  version: number;
  opaque: number;
  flag: number;
  remark: string | null;
  extFields: Record<string, string>;
  body: Uint8Array | null;
  serializeType: SerializeType;
}

/** Values become strings as Java's String.valueOf does; null and undefined are left out. */
export type ExtFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export function createRequest(
  code: number,
  extFields: ExtFields = {},
  body: Uint8Array | null = null,
): RemotingCommand {
  return {
    code,
    language: LanguageCode.JAVA,
    version: MQ_VERSION,
    opaque: 0,
    flag: 0,
    remark: null,
    extFields: stringifyFields(extFields),
    body,
    serializeType: SerializeType.JSON,
  };
}

/** A response to `request`: its opaque and its serialize type. `extFields` is always present (spec pitfall 3). */
export function createResponse(
  request: Pick<RemotingCommand, 'opaque' | 'serializeType'>,
  code: number,
  remark: string | null = null,
  extFields: ExtFields = {},
  body: Uint8Array | null = null,
): RemotingCommand {
  return {
    code,
    language: LanguageCode.JAVA,
    version: MQ_VERSION,
    opaque: request.opaque,
    flag: CommandFlag.RESPONSE,
    remark,
    extFields: stringifyFields(extFields),
    body,
    serializeType: request.serializeType,
  };
}

export function isOneway(command: Pick<RemotingCommand, 'flag'>): boolean {
  return (command.flag & CommandFlag.ONEWAY) !== 0;
}

export function isResponse(command: Pick<RemotingCommand, 'flag'>): boolean {
  return (command.flag & CommandFlag.RESPONSE) !== 0;
}

function stringifyFields(fields: ExtFields): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) setField(out, key, String(value));
  }
  return out;
}

const encoder = new TextEncoder();

/** The whole frame. Errors: a code above 32767 falls back to the JSON header, which can carry it. */
export function encodeCommand(command: RemotingCommand): Uint8Array {
  const binary = command.serializeType === SerializeType.ROCKETMQ && command.code <= 0x7fff;
  const header = binary ? encodeBinaryHeader(command) : encodeJsonHeader(command);
  const body = command.body;
  const bodySize = body?.length ?? 0;
  const frame = new Uint8Array(FRAME_PREFIX_SIZE + header.length + bodySize);
  const type = binary ? SerializeType.ROCKETMQ : SerializeType.JSON;
  putFramePrefix(frame, 0, type, header.length, bodySize);
  frame.set(header, FRAME_PREFIX_SIZE);
  if (body !== null) frame.set(body, FRAME_PREFIX_SIZE + header.length);
  return frame;
}

function encodeJsonHeader(command: RemotingCommand): Uint8Array {
  const header = {
    code: command.code,
    extFields: command.extFields,
    flag: command.flag,
    language: languageNames[command.language] ?? 'OTHER',
    opaque: command.opaque,
    ...(command.remark === null ? {} : { remark: command.remark }),
    serializeTypeCurrentRPC: 'JSON',
    version: command.version,
  };
  return encoder.encode(JSON.stringify(header));
}

function encodeBinaryHeader(command: RemotingCommand): Uint8Array {
  const remark = encoder.encode(command.remark ?? '');
  const entries = Object.entries(command.extFields).map(
    ([key, value]) => [encoder.encode(key), encoder.encode(value)] as const,
  );
  const extSize = entries.reduce((size, [key, value]) => size + 6 + key.length + value.length, 0);
  const header = new Uint8Array(BINARY_HEADER_SIZE_MIN + remark.length + extSize);
  putI16(header, 0, command.code);
  header[2] = command.language;
  putI16(header, 3, command.version);
  putI32(header, 5, command.opaque);
  putI32(header, 9, command.flag);
  putI32(header, 13, remark.length);
  header.set(remark, 17);
  let at = 17 + remark.length;
  putI32(header, at, extSize);
  at += 4;
  for (const [key, value] of entries) {
    putI16(header, at, key.length);
    header.set(key, at + 2);
    at += 2 + key.length;
    putI32(header, at, value.length);
    header.set(value, at + 4);
    at += 4 + value.length;
  }
  return header;
}

const view = new HeaderView();

/**
 * Reads a whole frame. The body is a copy, so the frame's memory may be reused.
 * Errors: RingError PROTOCOL_VIOLATION.
 */
export function decodeCommand(frame: Uint8Array): RemotingCommand {
  const length = frame.length < FRAME_PREFIX_SIZE ? -1 : headerLength(frame, 0);
  const bodyStart = FRAME_PREFIX_SIZE + length;
  if (length < 0 || bodyStart > frame.length) {
    throw new RingError('PROTOCOL_VIOLATION', 'a frame whose header is longer than itself');
  }
  const type = serializeTypeOf(frame, 0);
  if (!view.read(frame, FRAME_PREFIX_SIZE, bodyStart, type)) {
    throw new RingError('PROTOCOL_VIOLATION', `a frame whose header cannot be read (serialize type ${type})`);
  }
  return {
    code: view.code,
    language: view.language,
    version: view.version,
    opaque: view.opaque,
    flag: view.flag,
    remark: readRemark(frame, type, bodyStart),
    extFields: view.toObject(),
    // Not frame.slice: of a Buffer that is the same memory.
    body: bodyStart === frame.length ? null : new Uint8Array(frame.subarray(bodyStart)),
    serializeType: view.serializeType,
  };
}

/** The remark is wanted only by clients, so the shared view does not keep it. */
function readRemark(frame: Uint8Array, type: number, headerEnd: number): string | null {
  if (type === SerializeType.ROCKETMQ) {
    const size = getI32(frame, FRAME_PREFIX_SIZE + BINARY_REMARK_AT);
    const start = FRAME_PREFIX_SIZE + BINARY_REMARK_AT + 4;
    return size > 0 ? decodeUtf8(frame, start, start + size) : null;
  }
  const text = decodeUtf8(frame, FRAME_PREFIX_SIZE, headerEnd);
  if (!text.includes('"remark"')) return null;
  const remark = (JSON.parse(text) as { remark?: unknown }).remark;
  return typeof remark === 'string' ? remark : null;
}
