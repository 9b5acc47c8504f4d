/**
 * Records in rings are told apart by small numbers and read by the positions of words, and several branches of work may
 * give out the same one. Whatever a mailbox exports is looked at here, so a table that comes later is too.
 */
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendFlag } from '../../../actors/remoting/mailbox.js';
import { StoreState } from '../../../actors/store-state.js';
import { SerializeType } from '../../../protocol/codes.js';

const test = suite('records between rooms');

const root = new URL('../../../actors/', import.meta.url);
const WORD_BYTES = 4;

type Table = Readonly<Record<string, number>>;

/** Tables of numbers that the mailboxes and the files directly in `actors/` export. */
async function exportedTables(): Promise<Map<string, Table>> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    file => file.endsWith('.js') && (!/[\\/]/.test(file) || file.endsWith('mailbox.js')),
  );
  const tables = new Map<string, Table>();
  for (const file of files) {
    const exported = (await import(new URL(file, root).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) if (isTable(value)) tables.set(name, value);
  }
  return tables;
}

function isTable(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const numbers = Object.values(value);
  return numbers.length > 0 && numbers.every(number => typeof number === 'number');
}

function assertDistinct(name: string, values: readonly number[]): void {
  assert.is(new Set(values).size, values.length, `${name}: two names have the same number: ${values.join(', ')}`);
}

test('types of records have a number each', async () => {
  const tables = [...(await exportedTables())].filter(([name]) => name.endsWith('Type'));
  assert.ok(tables.length >= 6, 'the tables are found');
  for (const [name, table] of tables) {
    assertDistinct(name, Object.values(table));
    for (const [type, number] of Object.entries(table)) {
      assert.ok(Number.isInteger(number) && number > 0, `${name}.${type} is ${number}`);
    }
  }
});

test('types that share a ring have different numbers', async () => {
  const tables = await exportedTables();
  const numbersOf = (name: string): number[] => Object.values(tables.get(name)!);
  // One room tells them apart by number alone.
  assertDistinct('InboundType and CoordinatorType', [...numbersOf('InboundType'), ...numbersOf('CoordinatorType')]);
});

test('words of a record do not overlap, and lie in front of its bytes', async () => {
  const isSize = (field: string): boolean => field.endsWith('Bytes');
  const layouts = [...(await exportedTables())].filter(([, table]) => Object.keys(table).some(isSize));
  assert.ok(layouts.length >= 4, 'the layouts are found');
  for (const [name, layout] of layouts) {
    const words = Object.entries(layout).filter(([field]) => !isSize(field));
    assertDistinct(
      name,
      words.map(([, word]) => word),
    );
    const bytes = Object.entries(layout).find(([field]) => isSize(field))![1];
    assert.is(bytes % WORD_BYTES, 0, `${name}: bytes begin at a word`);
    for (const [field, word] of words) assert.ok(word * WORD_BYTES < bytes, `${name}.${field} is among the bytes`);
  }
});

test('flags are single bits, each another one', () => {
  for (const [name, table] of Object.entries({ AppendFlag, StoreState })) {
    const bits = Object.values(table);
    assertDistinct(name, bits);
    for (const bit of bits) assert.is(bit & (bit - 1), 0, `${name}: ${bit} is one bit`);
  }
  assert.is(AppendFlag.BINARY, SerializeType.ROCKETMQ, 'the serialize type of a request is its flag BINARY');
  assert.is(SerializeType.JSON, 0);
});

test.run();
