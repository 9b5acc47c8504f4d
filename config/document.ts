/**
 * The reference of all keys, docs/configuration.md, written from the tables.
 */

import type { ConfigObject, KeySpec } from './keys.js';
import { brokerSchema, namesrvSchema, type TableRow } from './schema.js';
import { laneKeys } from './schema-ringmq.js';
import { allowedWords } from './values.js';

const headings: Record<ConfigObject, string> = {
  broker: 'Broker (RocketMQ’s BrokerConfig)',
  nettyServer: 'Server transport (NettyServerConfig)',
  nettyClient: 'Client transport (NettyClientConfig)',
  store: 'Store (MessageStoreConfig)',
  ringmq: 'RingMQ',
  namesrv: 'Name server (NamesrvConfig)',
};

const introduction = `# Configuration

<!-- Written from config/schema*.ts. To renew it after a build:
     node -e "import('./dist/config/index.js').then(c => process.stdout.write(c.renderReference()))" \\
       > docs/configuration.md -->

A broker and a name server each read one Java properties file, with RocketMQ’s keys. Stronger first: a change at
run time (\`UPDATE_BROKER_CONFIG\`), the command line (\`-n\`, \`--set\`), the file, the environment, the default.

- Every bad value is reported with its line, all at once, and the process does not start.
  RocketMQ would silently use the default.
- Blanks around numbers, \`true\`, \`false\` and names such as \`SLAVE\` are dropped with a warning;
  in other text they count.
- An unknown key gives a warning with the nearest known name; \`configStrict=true\` makes it an error.
- Old spellings (column *Also written*) are read as the key they mean, with a warning.
- A key marked *no effect* or *not yet* is accepted and shown; a warning gives the reason when it is set.

\`-p\` prints all values in effect, \`-m\` those of the keys marked ★.
*Live*: a change at run time takes effect at once; otherwise at the next start.
`;

const escapeCell = (text: string): string => text.replaceAll('|', '\\|');

function defaultWords(key: KeySpec): string {
  if (key.defaultWords !== undefined) return key.defaultWords;
  const words = key.default === '' ? 'empty' : `\`${key.default}\``;
  return key.type === 'string' && key.environment !== undefined
    ? `environment \`${key.environment}\`, else ${words}`
    : words;
}

function typeWords(key: KeySpec): string {
  if (key.type !== 'int' && key.type !== 'long') return key.type;
  return key.unit === 'number' ? key.type : `${key.type}, ${key.unit}`;
}

function effectWords(key: KeySpec): string {
  if (key.effect === 'active') return key.hot ? 'live' : 'at start';
  return 'none' in key.effect ? `no effect: ${key.effect.none}` : `not yet: waits for ${key.effect.later}`;
}

function renderRow({ name, key }: TableRow): string {
  const aliases = key.aliases.map(alias => `\`${alias}\``).join(', ');
  const cells = [
    `\`${name}\`${key.important ? ' ★' : ''}`,
    typeWords(key),
    defaultWords(key),
    allowedWords(key),
    key.description,
    effectWords(key),
    aliases,
  ];
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

function renderTable(title: string, rows: readonly TableRow[]): string {
  const head = '| Key | Type | Default | Allowed | Meaning | Changes take effect | Also written |';
  return `## ${title}\n\n${head}\n|---|---|---|---|---|---|---|\n${rows.map(renderRow).join('\n')}\n`;
}

/** docs/configuration.md, whole. */
export function renderReference(): string {
  const tables = (['broker', 'nettyServer', 'nettyClient', 'store', 'ringmq'] as const).map(object =>
    renderTable(
      headings[object],
      brokerSchema.rows.filter(row => row.object === object),
    ),
  );
  const namesrv = renderTable(
    headings.namesrv,
    namesrvSchema.rows.filter(row => row.object === 'namesrv'),
  );
  const brokerOnly = Object.keys(laneKeys)
    .map(name => `\`${name}\``)
    .join(', ');
  const note =
    'A name server also reads the keys of the server transport, with `listenPort` 9876 unless configured, and those ' +
    `of RingMQ except ${brokerOnly}.\n`;
  return [introduction, ...tables, namesrv, note].join('\n');
}
