/**
 * Changing a configuration at run time: UPDATE_BROKER_CONFIG (25) and UPDATE_NAMESRV_CONFIG (318).
 */

import { ConfigError, type ConfigIssue } from './issues.js';
import { configFrom, type LoadedConfig } from './load.js';
import { changeProperties, type Entry, readProperties } from './properties.js';
import type { Layer } from './resolve.js';
import type { BrokerConfig, NamesrvConfig, Schema } from './schema.js';

export type UpdateOutcome<Config> =
  | {
      readonly ok: true;
      /** The new state, to hand to the next update and to {@link persistedText}. */
      readonly loaded: LoadedConfig<Config>;
      /** All changes are in it, those of `notHot` too: rooms are told of the other ones only. */
      readonly config: Config;
      /** Keys whose value differs now, in order of declaration. */
      readonly changed: readonly string[];
      /** The part of `changed` that takes effect at the next start. */
      readonly notHot: readonly string[];
      /** Remarks on what the update itself said. */
      readonly warnings: readonly ConfigIssue[];
    }
  /** Keys on the black list; RocketMQ answers NO_PERMISSION (16) and changes nothing. */
  | { readonly ok: false; readonly forbidden: readonly string[] }
  /** Bad values; nothing is changed. */
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** These stay forbidden however `configBlackList` is configured. */
function alwaysForbidden(schema: Schema): string[] {
  const list = schema.byName.get('configBlackList')?.default;
  return typeof list === 'string' ? list.split(';') : [];
}

function forbiddenKeys(current: LoadedConfig<{ configBlackList: string }>, entries: readonly Entry[]): string[] {
  const { schema, config } = current;
  const canonical = (key: string): string => schema.canonical.get(key) ?? key;
  const list = new Set([...alwaysForbidden(schema), ...config.configBlackList.split(';')].map(canonical));
  return [...new Set(entries.map(({ key }) => key))].filter(key => list.has(canonical(key)));
}

/** What `entries` set, on top of earlier updates. */
function updatedLayers(layers: readonly Layer[], entries: readonly Entry[], schema: Schema): Layer[] {
  const merged = new Map<string, string>();
  const earlier = layers.find(({ source }) => source === 'update')?.entries ?? [];
  for (const { key, value } of [...earlier, ...entries]) merged.set(schema.canonical.get(key) ?? key, value);
  const update = [...merged].map(([key, value]) => ({ key, value }));
  return [{ source: 'update', entries: update }, ...layers.filter(({ source }) => source !== 'update')];
}

/**
 * Applies properties text to a configuration, all of it or nothing. Unknown keys are left out, as RocketMQ does, unless
 * the file had them.
 *
 * Source: spec/properties.md section 12.1.
 */
export function updateConfig<Config extends BrokerConfig | NamesrvConfig>(
  current: LoadedConfig<Config>,
  propertiesText: string,
): UpdateOutcome<Config> {
  const { schema, inputs } = current;
  const entries = readProperties(propertiesText);
  const forbidden = forbiddenKeys(current, entries);
  if (forbidden.length > 0) return { ok: false, forbidden };
  const isKept = ({ key }: Entry): boolean => schema.canonical.has(key) || Object.hasOwn(current.unknownKeys, key);
  const dropped = entries.filter(entry => !isKept(entry));
  const layers = updatedLayers(inputs.layers, entries.filter(isKept), schema);
  try {
    const loaded = configFrom<Config>(schema, { ...inputs, layers });
    const before = new Map<string, unknown>(Object.entries(current.config));
    const after = new Map<string, unknown>(Object.entries(loaded.config));
    const changed = schema.rows.map(({ name }) => name).filter(name => before.get(name) !== after.get(name));
    return {
      ok: true,
      loaded,
      config: loaded.config,
      changed,
      notHot: changed.filter(name => schema.byName.get(name)?.hot !== true),
      warnings: [...dropped.map(unknownKey), ...warningsOfUpdate(loaded, entries)],
    };
  } catch (error) {
    if (error instanceof ConfigError) return { ok: false, issues: error.issues };
    throw error;
  }
}

const unknownKey = ({ key, value }: Entry): ConfigIssue => ({
  source: 'update',
  key,
  value,
  message: 'is not a known key and is left out',
});

/** Earlier updates are part of the configuration but not of this answer. */
function warningsOfUpdate(loaded: LoadedConfig<unknown>, entries: readonly Entry[]): ConfigIssue[] {
  const { canonical } = loaded.schema;
  const named = new Set(entries.map(({ key }) => canonical.get(key) ?? key));
  return loaded.warnings.filter(({ source, key }) => source === 'update' && named.has(canonical.get(key) ?? key));
}

/**
 * The text to keep in the configuration file after updates: the file as it was, comments and order included, with the
 * updated keys changed in place or added at the end. RocketMQ rewrites the file with every default and without
 * comments; nothing depends on that.
 */
export function persistedText(loaded: LoadedConfig<BrokerConfig | NamesrvConfig>): string {
  const { layers, file } = loaded.inputs;
  const updates = layers.find(({ source }) => source === 'update')?.entries ?? [];
  const changes = new Map(updates.map(({ key, value }) => [key, value]));
  return changeProperties(file?.content ?? '', changes, key => loaded.schema.canonical.get(key) ?? key);
}
