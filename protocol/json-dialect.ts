/**
 * The JSON of RocketMQ's bodies: what fastjson writes and reads. Strict JSON is the common case; besides it, maps whose
 * keys are not text carry the key as its own JSON value: `{0:"10.0.0.5:10911"}`, and with a message queue as the key
 * `{{"brokerName":"b","queueId":0,"topic":"T"}:7}`. Cold: bodies only, never a message.
 * Source: spec remoting 10.1, pitfalls 11, 13, 14.
 *
 * @example
 * parseDialect('{"brokerAddrs":{0:"10.0.0.5:10911"}}'); // { brokerAddrs: { '0': '10.0.0.5:10911' } }
 * stringifyDialect({ offsetTable: new KeyedMap([[{ topic: 'T', queueId: 0 }, 7]]) });
 * // '{"offsetTable":{{"queueId":0,"topic":"T"}:7}}'
 */
import { assert } from '../runtime/base/assert.js';
import { RingError } from '../runtime/base/errors.js';
import { MiB } from '../runtime/base/units.js';

/** Objects and arrays may be nested this deep. Units: levels. */
export const DIALECT_DEPTH_MAX = 64;

/** A text may be this long: room for the largest frame, and for one that was compressed. Units: UTF-16 units. */
export const DIALECT_LENGTH_MAX = 64 * MiB;

/** A map whose keys are objects, in the order given. */
export class KeyedMap<Key extends object, Value> {
  readonly entries: readonly (readonly [Key, Value])[];

  constructor(entries: Iterable<readonly [Key, Value]>) {
    this.entries = [...entries];
  }
}

/**
 * Reads strict JSON, unquoted integer keys and objects as keys. An integer key becomes its digits, an object key its
 * canonical JSON (fields sorted; see {@link parseKeyObject}); a key that came as text stays that text.
 * Integers beyond ±(2^53 - 1) become ±Number.MAX_SAFE_INTEGER, so that Java's Long.MAX_VALUE still means "no end".
 *
 * Errors: RingError PROTOCOL_VIOLATION with `details.position` (UTF-16 units from the start).
 */
export function parseDialect(text: string): unknown {
  if (text.length > DIALECT_LENGTH_MAX) throw violation(`longer than ${DIALECT_LENGTH_MAX}`, DIALECT_LENGTH_MAX);
  // JSON.parse would round an integer of 16 or more digits instead of clamping it.
  if (!LONG_DIGITS.test(text)) {
    const value = parseStrict(text);
    if (value !== undefined && isWithinDepth(value, DIALECT_DEPTH_MAX)) return value;
  }
  return new DialectReader(text).readDocument();
}

/**
 * The object behind a key of a parsed map, whether the peer sent it as an object or as text.
 * Errors: RingError PROTOCOL_VIOLATION when the key is no object.
 */
export function parseKeyObject(key: string): Record<string, unknown> {
  const value = parseDialect(key);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw violation('a key is not an object', 0);
  return value as Record<string, unknown>;
}

/**
 * Writes what every fastjson since 3.2.x reads: fields sorted by name, null and undefined fields left out, integer keys
 * quoted, and the keys of a {@link KeyedMap} as objects. Without a KeyedMap the result is strict JSON.
 * Errors: asserts a depth of at most {@link DIALECT_DEPTH_MAX}.
 */
export function stringifyDialect(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  assert(depth <= DIALECT_DEPTH_MAX, 'a body is nested too deep');
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(element => write(element, depth + 1)).join(',')}]`;
  if (value instanceof KeyedMap) {
    const entries = value.entries.map(([key, mapped]) => `${write(key, depth + 1)}:${write(mapped, depth + 1)}`);
    return `{${entries.join(',')}}`;
  }
  const fields = value as Record<string, unknown>;
  let out = '';
  for (const name of Object.keys(fields).sort()) {
    const field = fields[name];
    if (field === undefined || field === null) continue;
    out += `${out === '' ? '' : ','}${JSON.stringify(name)}:${write(field, depth + 1)}`;
  }
  return `{${out}}`;
}

const LONG_DIGITS = /\d{16}/;

/** `undefined` when it is not strict JSON: then the tolerant reader decides, and names the position. */
function parseStrict(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  for (const element of Object.values(value)) if (!isWithinDepth(element, levels - 1)) return false;
  return true;
}

function violation(reason: string, position: number): RingError {
  return new RingError('PROTOCOL_VIOLATION', `JSON: ${reason} at position ${position}`, { position });
}

class DialectReader {
  readonly #text: string;
  #at = 0;
  #isInKey = false;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    const value = this.#readValue(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('the end');
    return value;
  }

  #readValue(depth: number): unknown {
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#readObject(depth + 1);
      case '[':
        return this.#readArray(depth + 1);
      case '"':
        return this.#readString();
      case 't':
        return this.#readWord('true', true);
      case 'f':
        return this.#readWord('false', false);
      case 'n':
        return this.#readWord('null', null);
      default:
        return this.#readNumber();
    }
  }

  #readObject(depth: number): Record<string, unknown> {
    this.#enter(depth);
    const out: Record<string, unknown> = {};
    this.#skipSpace();
    if (this.#take('}')) return out;
    do {
      const key = this.#readKey(depth);
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected("':'");
      setField(out, key, this.#readValue(depth));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#unexpected("',' or '}'");
    return out;
  }

  #readKey(depth: number): string {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '"') return this.#readString();
    if (first === '{') return this.#readKeyObject(depth);
    const digits = this.#match(INTEGER);
    if (digits === null) throw this.#unexpected('a key');
    return digits;
  }

  /** Keys within keys are refused: each level would double the escapes of the one inside. */
  #readKeyObject(depth: number): string {
    if (this.#isInKey) throw violation('a key within a key', this.#at);
    this.#isInKey = true;
    const key = this.#readObject(depth + 1);
    this.#isInKey = false;
    return stringifyDialect(key);
  }

  #readArray(depth: number): unknown[] {
    this.#enter(depth);
    const out: unknown[] = [];
    this.#skipSpace();
    if (this.#take(']')) return out;
    do {
      out.push(this.#readValue(depth));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#unexpected("',' or ']'");
    return out;
  }

  #readString(): string {
    const text = this.#text;
    const start = this.#at;
    let isEscaped = false;
    let end = start + 1;
    for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(++end)) {
      if (end >= text.length) throw violation('a text without its end', start);
      if (code < FIRST_PRINTABLE) throw violation('a raw control character in a text', end);
      if (code !== BACKSLASH) continue;
      isEscaped = true;
      end++;
    }
    this.#at = end + 1;
    if (!isEscaped) return text.slice(start + 1, end);
    const value = parseStrict(text.slice(start, end + 1));
    if (typeof value !== 'string') throw violation('an escape that is none in a text', start);
    return value;
  }

  #readNumber(): number {
    const literal = this.#match(NUMBER);
    if (literal === null) throw this.#unexpected('a value');
    const value = Number(literal);
    if (FRACTION_OR_EXPONENT.test(literal)) return value;
    return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
  }

  #readWord<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value');
    this.#at += word.length;
    return value;
  }

  #enter(depth: number): void {
    if (depth > DIALECT_DEPTH_MAX) throw violation(`nested deeper than ${DIALECT_DEPTH_MAX}`, this.#at);
    this.#at++;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #skipSpace(): void {
    while (SPACES.includes(this.#text[this.#at] ?? 'end')) this.#at++;
  }

  #unexpected(wanted: string): RingError {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end';
    return violation(`expected ${wanted}, found ${found}`, this.#at);
  }
}

const SPACES = ' \t\n\r';
const INTEGER = /-?(?:0|[1-9]\d*)/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const FRACTION_OR_EXPONENT = /[.eE]/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

/** Like JSON.parse: a field named `__proto__` is a field. */
function setField(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
  } else {
    target[name] = value;
  }
}
