/**
 * What a header says, as its readers fill it in: the command's own fields, and its ext fields as ranges of bytes. Hot.
 */
import { LanguageCode, SerializeType } from './codes.js';

/** Most ext fields a header may carry. */
export const EXT_FIELDS_MAX = 256;

/** ESCAPED: the bytes hold JSON escapes that must be undone first. */
export const ValueKind = { PLAIN: 0, ESCAPED: 1 } as const;

export class HeaderFields {
  /** What the ranges point into: the frame, or a scratch copy when `JSON.parse` had to help. */
  bytes: Uint8Array = new Uint8Array(0);
  code = 0;
  flag = 0;
  opaque = 0;
  /** Where the opaque's digits are in a JSON header that was scanned; -1 when it has none. */
  opaqueStart = -1;
  opaqueEnd = -1;
  version = 0;
  /** A {@link LanguageCode} ordinal. */
  language: number = LanguageCode.JAVA;
  serializeType: SerializeType = SerializeType.JSON;
  /** Number of ext fields. */
  count = 0;
  readonly keyStart = new Int32Array(EXT_FIELDS_MAX);
  readonly keyEnd = new Int32Array(EXT_FIELDS_MAX);
  readonly valueStart = new Int32Array(EXT_FIELDS_MAX);
  readonly valueEnd = new Int32Array(EXT_FIELDS_MAX);
  /** {@link ValueKind} of each value. */
  readonly valueKind = new Uint8Array(EXT_FIELDS_MAX);

  /** As before any field was read. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
    this.code = 0;
    this.flag = 0;
    this.opaque = 0;
    this.opaqueStart = -1;
    this.opaqueEnd = -1;
    this.version = 0;
    this.language = LanguageCode.JAVA;
  }

  /** Notes one ext field. Shape: there is room. */
  add(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number, kind: number): void {
    const index = this.count++;
    this.keyStart[index] = keyStart;
    this.keyEnd[index] = keyEnd;
    this.valueStart[index] = valueStart;
    this.valueEnd[index] = valueEnd;
    this.valueKind[index] = kind;
  }
}
