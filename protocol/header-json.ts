/**
 * A JSON header read the slow way: `JSON.parse`, then the ext fields laid out in a scratch copy. It settles what a
 * header is; the fast scan takes the usual part of it and must agree.
 * Source: spec remoting 1.1; RemotingCommand, fastjson.
 */
import { LanguageCode, languageNames } from './codes.js';
import { EXT_FIELDS_MAX, type HeaderFields, ValueKind } from './header-fields.js';
import { decodeUtf8 } from './json-text.js';

const encoder = new TextEncoder();

/** Reads `bytes[start, end)` into `fields`. Errors: false when it is no header. */
export function parseJsonHeader(fields: HeaderFields, bytes: Uint8Array, start: number, end: number): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeUtf8(bytes, start, end));
  } catch {
    return false;
  }
  if (!isObject(parsed)) return false;
  for (const name of ['code', 'flag', 'opaque', 'version'] as const) {
    const value = parsed[name] ?? 0;
    if (!isInt32(value)) return false;
    fields[name] = value;
  }
  fields.language = languageOf(parsed.language);
  fields.count = 0;
  if (parsed.extFields === undefined || parsed.extFields === null) return true;
  if (!isObject(parsed.extFields)) return false;
  const entries = Object.entries(parsed.extFields).filter(([, value]) => value !== null);
  return entries.length <= EXT_FIELDS_MAX && layOut(fields, entries);
}

/** The ordinal of a language by its name or number; unknown ones are OTHER. */
export function languageOf(value: unknown): number {
  if (value === undefined || value === null) return LanguageCode.JAVA;
  const ordinal = typeof value === 'number' ? value : languageNames.indexOf(String(value));
  return languageNames[ordinal] === undefined ? LanguageCode.OTHER : ordinal;
}

function layOut(fields: HeaderFields, entries: readonly [string, unknown][]): boolean {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const [key, value] of entries) {
    if (typeof value === 'object') return false;
    const keyBytes = encoder.encode(key);
    const valueBytes = encoder.encode(String(value));
    parts.push(keyBytes, valueBytes);
    const valueStart = size + keyBytes.length;
    fields.add(size, valueStart, valueStart, valueStart + valueBytes.length, ValueKind.PLAIN);
    size = valueStart + valueBytes.length;
  }
  const scratch = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  fields.bytes = scratch;
  return true;
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && value === (value | 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
