/**
 * Configurations as the programs load them: strict about the command line, talkative about everything else.
 */
import path from 'node:path';
import {
  type BrokerConfig,
  type BrokerLoadOptions,
  brokerSchema,
  ConfigError,
  formatIssue,
  type LoadedConfig,
  type LoadOptions,
  loadBrokerConfig,
  loadNamesrvConfig,
  type NamesrvConfig,
  namesrvSchema,
} from '../config/index.js';
import { readProperties } from '../config/properties.js';
import { readText } from './package-files.js';
import type { Shell } from './shell.js';

/** Errors: ConfigError, also for a key of `--set` that nobody knows: a mistyped flag must not be a warning. */
export function loadBroker(options: BrokerLoadOptions): LoadedConfig<BrokerConfig> {
  return refuseUnknownSettings(loadBrokerConfig({ ...options, readText }));
}

/** Errors: as {@link loadBroker}. */
export function loadNamesrv(options: LoadOptions): LoadedConfig<NamesrvConfig> {
  return refuseUnknownSettings(loadNamesrvConfig({ ...options, readText }));
}

/** A file is a name server's by its name, or by keys that only name servers have. */
export function isForNamesrv(file: string): boolean {
  if (/namesrv/i.test(path.basename(file))) return true;
  const keys = readProperties(readText(file)).map(({ key }) => key);
  return (
    keys.some(key => namesrvSchema.canonical.has(key) && !brokerSchema.canonical.has(key)) &&
    !keys.some(key => brokerSchema.canonical.has(key) && !namesrvSchema.canonical.has(key))
  );
}

/** Where this process reaches what listens on `bindAddress`. */
export function hostToReach(bindAddress: string): string {
  return ['0.0.0.0', '::'].includes(bindAddress) ? '127.0.0.1' : bindAddress;
}

function refuseUnknownSettings<Config>(loaded: LoadedConfig<Config>): LoadedConfig<Config> {
  const isUnknown = (key: string): boolean => Object.hasOwn(loaded.unknownKeys, key);
  const issues = loaded.warnings.filter(({ source, key }) => source === 'set' && isUnknown(key));
  if (issues.length > 0) throw new ConfigError(issues);
  return loaded;
}

/** So many keys without an effect are named one by one. */
const NO_EFFECT_LINES_MAX = 8;

/** Prints the warnings of a configuration as one block on standard error. */
export function reportWarnings(
  shell: Shell,
  program: string,
  loaded: LoadedConfig<BrokerConfig | NamesrvConfig>,
): void {
  const { warnings } = loaded;
  if (warnings.length === 0) return;
  const noEffect = warnings.filter(({ message }) => message.startsWith('has no effect'));
  const summarised = noEffect.length > NO_EFFECT_LINES_MAX ? noEffect : [];
  const lines = warnings.filter(warning => !summarised.includes(warning)).map(warning => `  ${formatIssue(warning)}`);
  if (summarised.length > 0) {
    const file = loaded.inputs.file?.name;
    const more = file === undefined ? 'ringmq config KEY' : `ringmq check ${file}`;
    lines.push(`  ${summarised.length} keys have no effect here; \`${more}\` gives the reasons:`);
    lines.push(...wrapped(summarised.map(({ key }) => key)));
  }
  const count = warnings.length === 1 ? 'one remark' : `${warnings.length} remarks`;
  shell.err([`${program}: ${count} on the configuration`, ...lines].join('\n'));
}

/** Names in lines of a readable width. */
function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '   ';
  for (const [index, name] of names.entries()) {
    const word = ` ${name}${index === names.length - 1 ? '' : ','}`;
    if (line.length + word.length > 100) {
      lines.push(line);
      line = '   ';
    }
    line += word;
  }
  return [...lines, line];
}
