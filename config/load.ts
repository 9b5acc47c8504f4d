/**
 * Loading: flags, file, environment and defaults become one frozen configuration, or one error that names every bad
 * key.
 *
 * @example
 * const readText = path => fs.readFileSync(path, 'utf8');
 * const { config, warnings } = loadBrokerConfig({ file: 'broker.properties', readText });
 * config.flushDiskType; // 'ASYNC_FLUSH' | 'SYNC_FLUSH'
 */

import { assert } from '../runtime/base/assert.js';
import { messageOf } from '../runtime/base/errors.js';
import { ConfigError, type ConfigIssue, type ConfigSource } from './issues.js';
import { type Machine, thisMachine } from './machine.js';
import { formatConfig } from './print.js';
import { type Entry, readProperties } from './properties.js';
import { type Draft, type Layer, resolve } from './resolve.js';
import { applyBrokerRules, applyNamesrvRules } from './rules.js';
import { type BrokerConfig, brokerSchema, type NamesrvConfig, namesrvSchema, type Schema } from './schema.js';

/** Where values come from, strongest first: `namesrvAddr` and `set`, the file, `env`, the defaults. */
export interface LoadOptions {
  /** A file to read with `readText`. */
  readonly file?: string;
  /** The decoded text of a file (UTF-8 or ISO-8859-1 is the caller's choice), instead of `file`. */
  readonly text?: { readonly name: string; readonly content: string };
  readonly readText?: (path: string) => string;
  /** `--set key=value` of the command line. */
  readonly set?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly machine?: Machine;
}

export interface BrokerLoadOptions extends LoadOptions {
  /** `-n` of the command line. */
  readonly namesrvAddr?: string;
}

/** A configuration and what is known about how it came to be. */
export interface LoadedConfig<Config> {
  readonly schema: Schema;
  /** Frozen. */
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
  /** Keys nobody knows, with their values: kept because RocketMQ keeps and shows them. */
  readonly unknownKeys: Readonly<Record<string, string>>;
  /** Where the value of a key comes from. */
  source(key: string): ConfigSource;
  /** The text of GET_BROKER_CONFIG: `key=value` lines of all keys and the unknown ones. */
  text(): string;
  /** What the configuration was made from; {@link ./update.ts updateConfig} adds to it. */
  readonly inputs: Inputs;
}

export interface Inputs {
  /** From strongest to weakest. */
  readonly layers: readonly Layer[];
  readonly machine: Machine;
  readonly file?: { readonly name: string; readonly content: string };
}

function fileOf(options: LoadOptions): Inputs['file'] {
  if (options.text !== undefined) return options.text;
  if (options.file === undefined) return undefined;
  assert(options.readText !== undefined, 'a file to load needs readText');
  try {
    return { name: options.file, content: options.readText(options.file) };
  } catch (cause) {
    const message = `cannot be read: ${messageOf(cause)}`;
    throw new ConfigError([{ source: 'file', file: options.file, key: '', value: '', message }], { cause });
  }
}

function environmentEntries(schema: Schema, env: LoadOptions['env']): Entry[] {
  return schema.rows.flatMap(({ name, key }) => {
    const value = key.type === 'string' && key.environment !== undefined ? env?.[key.environment] : undefined;
    return value === undefined ? [] : [{ key: name, value }];
  });
}

function inputsOf(schema: Schema, options: BrokerLoadOptions): Inputs {
  const file = fileOf(options);
  const flags = Object.entries(options.set ?? {}).map(([key, value]) => ({ key, value }));
  // Above `set`, in a layer of its own, because -n and --set namesrvAddr may both be there.
  const dedicated = options.namesrvAddr === undefined ? [] : [{ key: 'namesrvAddr', value: options.namesrvAddr }];
  const layers: Layer[] = [
    { source: 'set', entries: dedicated },
    { source: 'set', entries: flags },
    ...(file === undefined
      ? []
      : [{ source: 'file', file: file.name, entries: readProperties(file.content) } as const]),
    { source: 'environment', entries: environmentEntries(schema, options.env) },
  ];
  const machine = options.machine ?? thisMachine();
  return file === undefined ? { layers, machine } : { layers, machine, file };
}

function finish<Config extends BrokerConfig | NamesrvConfig>(draft: Draft, inputs: Inputs): LoadedConfig<Config> {
  const byLine = (a: ConfigIssue, b: ConfigIssue): number => (a.line ?? 0) - (b.line ?? 0);
  draft.warnings.sort(byLine);
  draft.issues.sort(byLine);
  if (draft.issues.length > 0) throw new ConfigError(draft.issues);
  // The schema is the type: every key of Config has a row, and resolve() gave every row a value of its type.
  const config = Object.freeze(Object.fromEntries(draft.values)) as unknown as Config;
  const unknownKeys = Object.freeze(Object.fromEntries([...draft.unknown].map(([key, { value }]) => [key, value])));
  return Object.freeze({
    schema: draft.schema,
    config,
    warnings: draft.warnings,
    unknownKeys,
    source: (key: string): ConfigSource => {
      const source = draft.sources.get(draft.schema.canonical.get(key) ?? key);
      assert(source !== undefined, `${key} is not a key`);
      return source;
    },
    text: () => formatConfig(config, unknownKeys),
    inputs,
  });
}

/** Makes a configuration from its inputs; loading and updating end here. */
export function configFrom<Config extends BrokerConfig | NamesrvConfig>(
  schema: Schema,
  inputs: Inputs,
): LoadedConfig<Config> {
  const draft = resolve(schema, inputs.layers, inputs.machine);
  if (schema.kind === 'broker') applyBrokerRules(draft);
  else applyNamesrvRules(draft, inputs.file?.name);
  return finish<Config>(draft, inputs);
}

/**
 * Loads the configuration of a broker.
 *
 * Errors: {@link ConfigError} (CONFIG_INVALID) with every issue at once.
 */
export function loadBrokerConfig(options: BrokerLoadOptions = {}): LoadedConfig<BrokerConfig> {
  return configFrom<BrokerConfig>(brokerSchema, inputsOf(brokerSchema, options));
}

/**
 * Loads the configuration of a name server.
 *
 * Errors: {@link ConfigError} (CONFIG_INVALID) with every issue at once.
 */
export function loadNamesrvConfig(options: LoadOptions = {}): LoadedConfig<NamesrvConfig> {
  return configFrom<NamesrvConfig>(namesrvSchema, inputsOf(namesrvSchema, options));
}
