/**
 * `ringmq config`: the reference of all keys.
 */
import { brokerSchema, type KeySpec, namesrvSchema, renderReference, thisMachine } from '../../config/index.js';
import { defaultOf } from '../../config/keys.js';
import { nearest } from '../../config/nearest.js';
import type { TableRow } from '../../config/schema.js';
import { allowedWords } from '../../config/values.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { printJson } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderPairs, renderTable } from '../table.js';

export interface ConfigFlags {
  readonly key?: readonly string[];
  readonly markdown?: true;
  readonly json?: true;
}

/** Every key once: those of a broker, then those that only a name server has. */
const allRows: readonly TableRow[] = [
  ...brokerSchema.rows,
  ...namesrvSchema.rows.filter(({ name }) => !brokerSchema.byName.has(name)),
];

/** Lists all keys, or explains some. Errors: CliError for a key nobody knows. */
export function config(shell: Shell, words: readonly string[], flags: ConfigFlags): number {
  const names = [...words, ...(flags.key ?? [])];
  const rows = names.length === 0 ? allRows : names.map(findKey);
  if (flags.json) printJson(shell, rows.map(toJson));
  else if (flags.markdown) shell.out(renderReference().trimEnd());
  else if (names.length > 0) shell.out(rows.map(row => explainKey(shell, row)).join('\n\n'));
  else {
    const lines = rows.map(({ name, key }) => [name, defaultText(key), key.description]);
    shell.out(renderTable(shell, ['KEY', { title: 'DEFAULT', widthMax: 36 }, 'MEANING'], lines));
    shell.out(shell.style('dim', `${lines.length} keys; \`ringmq config KEY\` tells all about one`));
  }
  return ExitCode.OK;
}

function findKey(word: string): TableRow {
  const name = brokerSchema.canonical.get(word) ?? namesrvSchema.canonical.get(word);
  const row = allRows.find(candidate => candidate.name === name);
  if (row !== undefined) return row;
  const meant = nearest(word, [...brokerSchema.canonical.keys(), ...namesrvSchema.canonical.keys()]);
  const advice = meant === undefined ? '`ringmq config` lists all keys.' : `Did you mean ${meant}?`;
  throw new CliError(`there is no key ${word}`, ExitCode.FAILED, [advice]);
}

function defaultText(key: KeySpec): string {
  if (key.defaultWords !== undefined) return key.defaultWords.replaceAll('`', '');
  return String(defaultOf(key, thisMachine()));
}

const parts: Readonly<Record<TableRow['object'], string>> = {
  broker: 'broker',
  nettyServer: 'server transport',
  nettyClient: 'client transport',
  store: 'store',
  namesrv: 'name server',
  ringmq: 'RingMQ itself',
};

function explainKey(shell: Shell, { name, object, key }: TableRow): string {
  const unit = 'unit' in key && key.unit !== 'number' ? `, ${key.unit}` : '';
  const pairs: [string, string][] = [
    ['meaning', key.description],
    ['belongs to', parts[object]],
    ['type', `${key.type}${unit}`],
    ['default', defaultText(key) || 'empty'],
    ['allowed', allowedWords(key)],
    ['effect', effectText(key)],
  ];
  if (key.type === 'string' && key.environment !== undefined) pairs.push(['environment', key.environment]);
  if (key.aliases.length > 0) pairs.push(['also written', key.aliases.join(', ')]);
  return `${shell.style('bold', name)}\n${renderPairs(shell, pairs).replace(/^/gm, '  ')}`;
}

/** What setting a key does, in words. */
function effectText({ effect, hot }: KeySpec): string {
  if (effect === 'active') return hot ? 'at once, also when changed at run time' : 'at the next start';
  return 'none' in effect ? `none: ${effect.none}` : `none yet: it waits for ${effect.later}`;
}

function toJson({ name, object, key }: TableRow): object {
  const { description, important, hot, aliases, effect, type } = key;
  const unit = 'unit' in key ? { unit: key.unit } : {};
  const bounds = { default: defaultText(key), allowed: allowedWords(key) };
  return { name, object, type, ...unit, ...bounds, description, important, hot, aliases, effect };
}
