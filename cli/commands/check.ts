/**
 * `ringmq check`: reads a configuration file as a start would, and says what each of its keys does.
 */
import {
  type BrokerConfig,
  ConfigError,
  formatIssue,
  type LoadedConfig,
  type NamesrvConfig,
} from '../../config/index.js';
import { readProperties } from '../../config/properties.js';
import { ExitCode } from '../exit-codes.js';
import { explain } from '../failure.js';
import { isForNamesrv, loadBroker, loadNamesrv } from '../load.js';
import { readText, resolvePresetOrFile } from '../package-files.js';
import { printJson } from '../reach.js';
import { roleProblem } from '../roles.js';
import type { Shell } from '../shell.js';
import { renderTable } from '../table.js';

type Loaded = LoadedConfig<BrokerConfig> | LoadedConfig<NamesrvConfig>;

interface KeyLine {
  readonly key: string;
  readonly value: string;
  readonly active: boolean;
  /** What the key does, or why it does nothing. */
  readonly words: string;
}

/** Errors: ConfigError with every bad value, unless `json` prints them. */
export function check(shell: Shell, name: string, flags: { readonly json?: true }): number {
  const { file } = resolvePresetOrFile(name);
  const forNamesrv = isForNamesrv(file);
  let loaded: Loaded;
  try {
    loaded = forNamesrv ? loadNamesrv({ file }) : loadBroker({ file });
  } catch (error) {
    if (!flags.json || !(error instanceof ConfigError)) throw error;
    printJson(shell, { file, ok: false, issues: error.issues });
    return explain(error).exitCode;
  }
  const lines = linesOf(loaded, file);
  const problem = 'brokerRole' in loaded.config ? roleProblem(loaded.config) : undefined;
  const remarks = loaded.warnings.filter(({ message }) => !message.startsWith('has no effect')).map(formatIssue);
  if (problem !== undefined) remarks.push(`${problem.message}. ${problem.advice}`);
  if (flags.json) {
    printJson(shell, {
      file,
      ok: true,
      kind: loaded.schema.kind,
      keys: lines,
      warnings: loaded.warnings,
    });
    return ExitCode.OK;
  }
  const cells = lines.map(({ key, value, active, words }) => [
    `${key}=${value}`,
    active ? words : shell.style('yellow', words),
  ]);
  if (cells.length > 0) shell.out(renderTable(shell, ['SETTING', 'WHAT IT DOES'], cells));
  if (remarks.length > 0)
    shell.out(`\n${remarks.map(remark => `${shell.style('yellow', 'remark')}: ${remark}`).join('\n')}`);
  shell.out(`\n${verdict(shell, file, lines)}`);
  return ExitCode.OK;
}

function verdict(shell: Shell, file: string, lines: readonly KeyLine[]): string {
  const idle = lines.filter(({ active }) => !active).length;
  const counts = `${lines.length} keys${idle === 0 ? '' : `, ${idle} of them without effect`}`;
  const word = shell.style('green', 'ready');
  return `${word}: ${file}, ${counts}`;
}

/** One line a key, in the order of the file; the last of a repeated key counts. */
function linesOf({ schema, warnings }: Loaded, file: string): KeyLine[] {
  const entries = new Map(readProperties(readText(file)).map(({ key, value }) => [key, value]));
  return [...entries].map(([key, value]) => {
    const spec = schema.byName.get(schema.canonical.get(key) ?? key);
    const idle = warnings.find(warning => warning.key === key && warning.message.startsWith('has no effect'));
    if (idle !== undefined) return { key, value, active: false, words: idle.message };
    if (spec === undefined) return { key, value, active: false, words: 'nothing: it is not a known key' };
    return { key, value, active: true, words: spec.description };
  });
}
