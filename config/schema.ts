/**
 * All keys of a broker and of a name server: one list each, in the order they are printed, and the object types they
 * describe.
 */

import { assert } from '../runtime/base/assert.js';
import type { ConfigObject, KeySpec, KeyTable, ValuesOf } from './keys.js';
import { brokerKeys } from './schema-broker.js';
import { namesrvKeys } from './schema-namesrv.js';
import { laneKeys, processKeys } from './schema-ringmq.js';
import { storeKeys } from './schema-store.js';
import { nettyClientKeys, nettyServerKeys } from './schema-transport.js';

const brokerServerKeys = nettyServerKeys(10_911);
const namesrvServerKeys = nettyServerKeys(9876);

/** Every value a broker runs with; frozen, plain, and so fit to be handed to its threads. */
export interface BrokerConfig
  extends ValuesOf<typeof brokerKeys>,
    ValuesOf<typeof brokerServerKeys>,
    ValuesOf<typeof nettyClientKeys>,
    ValuesOf<typeof storeKeys>,
    ValuesOf<typeof processKeys>,
    ValuesOf<typeof laneKeys> {}

/** Every value a name server runs with; frozen, plain, and so fit to be handed to its threads. */
export interface NamesrvConfig
  extends ValuesOf<typeof namesrvKeys>,
    ValuesOf<typeof namesrvServerKeys>,
    ValuesOf<typeof processKeys> {}

export interface TableRow {
  readonly object: ConfigObject;
  readonly name: string;
  readonly key: KeySpec;
}

/** The keys of one kind of process. */
export interface Schema {
  readonly kind: 'broker' | 'namesrv';
  /** In the order of printing. */
  readonly rows: readonly TableRow[];
  readonly byName: ReadonlyMap<string, KeySpec>;
  /** Every spelling that is understood -> the key it means. */
  readonly canonical: ReadonlyMap<string, string>;
}

function schema(kind: Schema['kind'], tables: readonly (readonly [ConfigObject, KeyTable])[]): Schema {
  const rows = tables.flatMap(([object, keys]) => Object.entries(keys).map(([name, key]) => ({ object, name, key })));
  const byName = new Map(rows.map(({ name, key }) => [name, key]));
  assert(byName.size === rows.length, 'a key is declared twice');
  const canonical = new Map<string, string>();
  for (const { name, key } of rows) {
    for (const spelling of [name, ...key.aliases]) {
      assert(!canonical.has(spelling), `${spelling} means two keys`);
      canonical.set(spelling, name);
    }
  }
  return { kind, rows, byName, canonical };
}

export const brokerSchema = schema('broker', [
  ['broker', brokerKeys],
  ['nettyServer', brokerServerKeys],
  ['nettyClient', nettyClientKeys],
  ['store', storeKeys],
  ['ringmq', { ...processKeys, ...laneKeys }],
]);

export const namesrvSchema = schema('namesrv', [
  ['namesrv', namesrvKeys],
  ['nettyServer', namesrvServerKeys],
  ['ringmq', processKeys],
]);
