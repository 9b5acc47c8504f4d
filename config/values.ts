/**
 * From the text of a value to the value, by the rules of its key.
 */

import type { BooleanKey, ConfigValue, EnumKey, KeySpec, NumberKey, TextKey } from './keys.js';
import { nearest } from './nearest.js';

export type ParsedValue =
  | { readonly ok: true; readonly value: ConfigValue; readonly warning?: string }
  | { readonly ok: false; readonly allowed: string; readonly message: string };

/** What a key admits; completes the sentence "must be …". */
export function allowedWords(key: KeySpec): string {
  switch (key.type) {
    case 'boolean':
      return 'true or false';
    case 'enum':
      return `one of ${key.values.join(', ')}`;
    case 'string':
      return key.pattern?.words ?? 'text';
    default:
      if (key.values !== undefined) return `one of ${key.values.join(', ')}`;
      return `a ${key.powerOfTwo ? 'power of two' : 'whole number'} from ${key.min} to ${key.max}`;
  }
}

const refuse = (key: KeySpec, hint = ''): ParsedValue => {
  const allowed = allowedWords(key);
  return { ok: false, allowed, message: `must be ${allowed}${hint}` };
};

const accept = (value: ConfigValue, warning?: string): ParsedValue =>
  warning === undefined ? { ok: true, value } : { ok: true, value, warning };

function parseNumber(key: NumberKey, text: string): ParsedValue {
  if (!/^[+-]?\d+$/.test(text)) return refuse(key);
  const given = Number(text);
  if (key.values !== undefined) return key.values.includes(given) ? accept(given) : refuse(key);
  const bounded = Math.min(Math.max(given, key.min), key.max);
  if (bounded !== given) {
    return key.clamp ? accept(bounded, `is outside ${key.min} to ${key.max}; ${bounded} is used`) : refuse(key);
  }
  if (key.powerOfTwo && !Number.isInteger(Math.log2(given))) return refuse(key);
  if (key.multipleOf === undefined || given % key.multipleOf === 0) return accept(given);
  const rounded = Math.ceil(given / key.multipleOf) * key.multipleOf;
  return accept(rounded, `is not a multiple of ${key.multipleOf}; ${rounded} is used`);
}

function parseBoolean(key: BooleanKey, text: string): ParsedValue {
  const lower = text.toLowerCase();
  return lower === 'true' || lower === 'false' ? accept(lower === 'true') : refuse(key);
}

function parseEnum(key: EnumKey, text: string): ParsedValue {
  if (key.values.includes(text)) return accept(text);
  const meant = nearest(text, key.values);
  return refuse(key, meant === undefined ? '' : `; did you mean ${meant}?`);
}

function parseText(key: TextKey, text: string): ParsedValue {
  if (key.pattern !== undefined && !key.pattern.expression.test(text)) return refuse(key);
  return accept(text, text === text.trimEnd() ? undefined : 'ends with blanks, which belong to the value');
}

/**
 * Reads one value. Blanks around numbers, booleans and enums are dropped with a warning (RocketMQ would silently use
 * the default); text is taken as it is.
 */
export function parseValue(key: KeySpec, raw: string): ParsedValue {
  if (key.type === 'string') return parseText(key, raw);
  const text = raw.trim();
  const parsed =
    key.type === 'boolean'
      ? parseBoolean(key, text)
      : key.type === 'enum'
        ? parseEnum(key, text)
        : parseNumber(key, text);
  if (!parsed.ok || text === raw) return parsed;
  const dropped = 'blanks around the value were dropped';
  return accept(parsed.value, parsed.warning === undefined ? dropped : `${parsed.warning}; ${dropped}`);
}
