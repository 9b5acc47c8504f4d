/** Configuration: every key as data, loading with all faults at once, changes at run time, presets, the reference. */

export { parseDelayLevels } from './delay-levels.js';
export { renderReference } from './document.js';
export { ConfigError, type ConfigIssue, type ConfigSource, formatIssue } from './issues.js';
export type { ConfigObject, ConfigValue, Effect, KeySpec } from './keys.js';
export {
  type BrokerLoadOptions,
  configFrom,
  type Inputs,
  type LoadedConfig,
  type LoadOptions,
  loadBrokerConfig,
  loadNamesrvConfig,
} from './load.js';
export { chooseLocalAddress, type Machine, type NetworkInterfaces, thisMachine } from './machine.js';
export { type PresetName, presetFile, presetFiles, presetNames } from './presets.js';
export { formatConfig, printConfig } from './print.js';
export { recordOverheadBytes } from './rules.js';
export {
  type BrokerConfig,
  brokerSchema,
  type NamesrvConfig,
  namesrvSchema,
  type Schema,
  type TableRow,
} from './schema.js';
export type { LogLevel, ThreadingMode } from './schema-ringmq.js';
export type { BrokerRole, FlushDiskType } from './schema-store.js';
export { persistedText, type UpdateOutcome, updateConfig } from './update.js';
