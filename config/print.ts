/**
 * A configuration as text: for GET_BROKER_CONFIG and for `-p` and `-m`.
 */

import { writeProperties } from './properties.js';
import { type BrokerConfig, brokerSchema, type NamesrvConfig, namesrvSchema, type Schema } from './schema.js';

type AnyConfig = BrokerConfig | NamesrvConfig;

const schemaOf = (config: AnyConfig): Schema => ('kvConfigPath' in config ? namesrvSchema : brokerSchema);

/**
 * The text of GET_BROKER_CONFIG and GET_NAMESRV_CONFIG: one `key=value` line per key in order of declaration, then
 * unknown keys. Values are escaped where Java's reader of properties needs it.
 *
 * Source: spec/properties.md section 12.1.
 */
export function formatConfig(config: AnyConfig, unknown: Readonly<Record<string, string>> = {}): string {
  const values = new Map<string, unknown>(Object.entries(config));
  const known = schemaOf(config).rows.map(({ name }) => [name, String(values.get(name))] as const);
  return writeProperties([...known, ...Object.entries(unknown)]);
}

/**
 * What `-p` prints, or `-m` with `importantOnly`: plain `key=value` lines with the values in effect, unset text empty.
 *
 * Source: spec/properties.md section 2.
 */
export function printConfig(config: AnyConfig, options: { readonly importantOnly?: boolean } = {}): string {
  const values = new Map<string, unknown>(Object.entries(config));
  return schemaOf(config)
    .rows.filter(({ key }) => key.important || options.importantOnly !== true)
    .map(({ name }) => `${name}=${values.get(name)}\n`)
    .join('');
}
