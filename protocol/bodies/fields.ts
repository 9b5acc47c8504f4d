/**
 * Reading the fields of a parsed body as forgivingly as fastjson does: a number where a text is expected and the
 * reverse, an enum by name or by ordinal, a missing or null field as its default. Source: spec remoting 10.1.
 */
import { RingError } from '../../runtime/base/errors.js';
import { parseDialect, stringifyDialect } from '../json-dialect.js';

export type Fields = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A body as the object it holds.
 * Errors: RingError PROTOCOL_VIOLATION naming `what`, when there is no body or it is not a JSON object.
 */
export function decodeBody(bytes: Uint8Array | null, what: string): Fields {
  if (bytes === null) throw new RingError('PROTOCOL_VIOLATION', `${what}: the body is missing`);
  return decodeText(decoder.decode(bytes), what);
}

/** As {@link decodeBody}, from text. */
export function decodeText(text: string, what: string): Fields {
  let value: unknown;
  try {
    value = parseDialect(text);
  } catch (cause) {
    if (!(cause instanceof RingError)) throw cause;
    throw new RingError('PROTOCOL_VIOLATION', `${what}: ${cause.message}`, cause.facts, { cause });
  }
  return objectOf(value, what);
}

/** A body as bytes: {@link stringifyDialect} in UTF-8. */
export function encodeBody(value: object): Uint8Array {
  return encoder.encode(stringifyDialect(value));
}

/** Errors: RingError PROTOCOL_VIOLATION naming `what`. */
export function objectOf(value: unknown, what: string): Fields {
  if (isFields(value)) return value;
  throw new RingError('PROTOCOL_VIOLATION', `${what}: not a JSON object`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : otherwise;
}

/** A safe integer; decimals lose their fraction, as a Java cast does. */
export function integerOf(value: unknown, otherwise = 0): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return otherwise;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(number)));
}

export function booleanOf(value: unknown, otherwise = false): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value === 1;
  return typeof value === 'string' ? value.toLowerCase() === 'true' : otherwise;
}

/** One of `names`, given as itself or as its ordinal. */
export function enumOf<const Name extends string>(value: unknown, names: readonly Name[], otherwise: Name): Name {
  if (typeof value === 'number') return names[value] ?? otherwise;
  return names.find(name => name === value) ?? otherwise;
}

export function listOf<Element>(value: unknown, elementOf: (element: unknown) => Element): Element[] {
  return Array.isArray(value) ? value.map(element => elementOf(element)) : [];
}

/** The objects among the elements of a list; anything else in it is skipped. */
export function objectsOf<Element>(value: unknown, elementOf: (element: Fields) => Element): Element[] {
  return Array.isArray(value) ? value.filter(isFields).map(element => elementOf(element)) : [];
}

/** A map with text keys; values that are null are left out. */
export function tableOf<Value>(value: unknown, read: (value: unknown, key: string) => Value): Record<string, Value> {
  if (!isFields(value)) return {};
  const entries = Object.entries(value).filter(([, mapped]) => mapped !== null);
  // fromEntries defines own fields, so a key called __proto__ is only a key.
  return Object.fromEntries(entries.map(([key, mapped]) => [key, read(mapped, key)]));
}
