/** SQL92 filters: evaluated on the property string of a record, and made of their text. */
import { compileSqlFilter } from '../../protocol/sql-filter.js';
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface SqlFilterParameters {
  readonly messages: number;
}

export const parameters = { smoke: { messages: 2_000 }, real: { messages: 2_000_000 } } as const;

/** Messages with price 0 to 99, all of them passing `region = 'eu'`. */
const PRICES = 100;

/** By name: the expression and how many of a hundred messages pass. */
const expressions = {
  number: ['price > 49', 50],
  text: ["region = 'eu'", 100],
  list: ["region IN ('us', 'cn', 'jp', 'eu', 'br', 'in')", 100],
  mixed: ["(price BETWEEN 20 AND 29 OR colour = 'red') AND TAGS = 'TagA' AND hidden IS NULL", 10],
} as const;

const encoder = new TextEncoder();

function messageOf(price: number): Uint8Array {
  const pairs = {
    KEYS: 'k1',
    UNIQ_KEY: '0A00000200002A9F7328FAD80001',
    price: String(price),
    region: 'eu',
    TAGS: 'TagA',
    CLUSTER: 'DefaultCluster',
  };
  const items = Object.entries(pairs).map(([name, value]) => `${name}\u0001${value}`);
  return encoder.encode(items.join('\u0002'));
}

/** All cases one after another. Errors: asserts that as many messages pass as should. */
export async function run({ messages }: SqlFilterParameters): Promise<BenchmarkCase[]> {
  const propertyStrings = Array.from({ length: PRICES }, (_, price) => messageOf(price));
  const evaluated = Object.entries(expressions).map(([name, [expression, percent]]): BenchmarkCase => {
    const filter = compileSqlFilter(expression);
    let passed = 0;
    const watch = new Stopwatch(0);
    for (let index = 0; index < messages; index++) {
      const bytes = propertyStrings[index % PRICES]!;
      if (filter.matches(bytes, 0, bytes.length)) passed++;
    }
    const result = watch.result(messages);
    assert(passed === (messages * percent) / 100, 'as many pass as should');
    return { name: `sql-filter/${name}`, parameters: { messages }, ...result, checksum: passed };
  });
  return [...evaluated, compiled(messages / 20)];
}

function compiled(count: number): BenchmarkCase {
  let length = 0;
  const watch = new Stopwatch(0);
  for (let index = 0; index < count; index++) length += compileSqlFilter(expressions.mixed[0]).expression.length;
  return { name: 'sql-filter/compile', parameters: { count }, ...watch.result(count), checksum: length };
}
