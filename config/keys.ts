/**
 * One configuration key as data, and the small builders the tables of keys are written with.
 */

import type { Machine } from './machine.js';

/** The objects RocketMQ binds a file to; RingMQ's own keys form one more. */
export type ConfigObject = 'broker' | 'nettyServer' | 'nettyClient' | 'store' | 'namesrv' | 'ringmq';

export type Unit = 'ms' | 'seconds' | 'hours' | 'bytes' | 'pages' | 'percent' | 'count' | 'port' | 'number';

/** Whether a key does something; if not, why, or what it waits for. */
export type Effect = 'active' | { readonly none: string } | { readonly later: string };

export type Default<Value> = Value | ((machine: Machine) => Value);

interface CommonKey {
  readonly description: string;
  /** Printed by `-m`. */
  readonly important: boolean;
  /** A change at run time takes effect without a restart. */
  readonly hot: boolean;
  /** Other spellings that mean this key. */
  readonly aliases: readonly string[];
  readonly effect: Effect;
  /** The default in words, where it is worked out. */
  readonly defaultWords?: string;
}

export interface NumberKey extends CommonKey {
  readonly type: 'int' | 'long';
  readonly unit: Unit;
  readonly default: Default<number>;
  readonly min: number;
  readonly max: number;
  /** The only numbers allowed. */
  readonly values?: readonly number[];
  /** A number out of bounds is moved to the nearer bound, with a warning, instead of being refused. */
  readonly clamp?: boolean;
  /** Rounded up to a multiple of this. */
  readonly multipleOf?: number;
  readonly powerOfTwo?: boolean;
}

export interface BooleanKey extends CommonKey {
  readonly type: 'boolean';
  readonly default: Default<boolean>;
}

export interface EnumKey<Value extends string = string> extends CommonKey {
  readonly type: 'enum';
  readonly values: readonly Value[];
  readonly default: Default<Value>;
}

export interface TextKey extends CommonKey {
  readonly type: 'string';
  readonly default: Default<string>;
  readonly pattern?: TextPattern;
  /** The environment variable that gives the value when neither flags nor file do. */
  readonly environment?: string;
}

export interface TextPattern {
  readonly expression: RegExp;
  /** Completes the sentence "must be …". */
  readonly words: string;
}

export type KeySpec = NumberKey | BooleanKey | EnumKey | TextKey;
export type KeyTable = Readonly<Record<string, KeySpec>>;
export type ConfigValue = number | boolean | string;

/** The TypeScript type of one key's value. */
export type ValueOf<Key> =
  Key extends EnumKey<infer Value> ? Value : Key extends NumberKey ? number : Key extends BooleanKey ? boolean : string;

/** The object type a table of keys describes. */
export type ValuesOf<Table> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

type Optional<Key> = Partial<Omit<Key, 'type' | 'unit' | 'default' | 'description'>>;

const common = { important: false, hot: false, aliases: [], effect: 'active' } as const;
export const intMax = 2_147_483_647;

type NumberArguments = [preset: Default<number>, unit: Unit, description: string, more?: Optional<NumberKey>];

/** A whole number of 32 bits; from 0 unless told otherwise. */
export function int(...[preset, unit, description, more]: NumberArguments): NumberKey {
  return { ...common, type: 'int', unit, default: preset, description, min: 0, max: intMax, ...more };
}

/** A whole number as large as JavaScript keeps exactly; from 0 unless told otherwise. */
export function long(...[preset, unit, description, more]: NumberArguments): NumberKey {
  return { ...common, type: 'long', unit, default: preset, description, min: 0, max: Number.MAX_SAFE_INTEGER, ...more };
}

export function bool(preset: boolean, description: string, more?: Optional<BooleanKey>): BooleanKey {
  return { ...common, type: 'boolean', default: preset, description, ...more };
}

export function text(preset: Default<string>, description: string, more?: Optional<TextKey>): TextKey {
  return { ...common, type: 'string', default: preset, description, ...more };
}

export function oneOf<const Value extends string>(
  values: readonly Value[],
  preset: NoInfer<Value>,
  description: string,
  more?: Omit<Optional<EnumKey<Value>>, 'values'>,
): EnumKey<Value> {
  return { ...common, type: 'enum', values, default: preset, description, ...more };
}

/** The key is accepted, kept and shown, and does nothing here. */
export const none = (reason: string) => ({ effect: { none: reason } }) as const;

/** The key is accepted, kept and shown; what it steers is not there yet. */
export const later = (what: string) => ({ effect: { later: what } }) as const;

export const nothingReadsIt = none('nothing reads it, in RocketMQ 4.9 neither');

/** The default of a key on this machine. */
export function defaultOf(key: KeySpec, machine: Machine): ConfigValue {
  return typeof key.default === 'function' ? key.default(machine) : key.default;
}
