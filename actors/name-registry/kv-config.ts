/**
 * Key-value settings by namespace, kept in one small file. Every change is saved before it is answered; one that cannot
 * be saved has not happened. A namespace without entries does not exist (spec pitfall 17).
 * Source: spec remoting 9; KVConfigManager.
 */
import { decodeText, tableOf, textOf } from '../../protocol/bodies.js';
import { stringifyDialect } from '../../protocol/json-dialect.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';

/** Where the settings live: `load` gives `null` when there is no file yet. Errors: RingError, when the disk fails. */
export interface KvStore {
  load(): string | null;
  save(text: string): void;
}

/** Namespace of the queues of ordered topics; brokers get it as the answer to their registration. */
export const NAMESPACE_ORDER_TOPIC_CONFIG = 'ORDER_TOPIC_CONFIG';

export const KV_ENTRIES_MAX = 100_000;
/** Namespace, key and value together. Units: UTF-16 units. */
export const KV_ENTRY_LENGTH_MAX = 256 * 1024;

export class KvConfig {
  readonly #store: KvStore;
  #namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;

  /** Errors: RingError CONFIG_INVALID when there is a file and it cannot be read: starting empty would lose it. */
  constructor(store: KvStore) {
    this.#store = store;
    this.#namespaces = parseFile(store.load());
  }

  get(namespace: string, key: string): string | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  /** The entries of a namespace, or `undefined` when it has none. */
  table(namespace: string): Readonly<Record<string, string>> | undefined {
    const table = this.#namespaces.get(namespace);
    return table === undefined ? undefined : Object.fromEntries(table);
  }

  /** Keys whose value is `value`, in the order they were put. */
  keysOfValue(namespace: string, value: string): string[] {
    const table = this.#namespaces.get(namespace) ?? new Map<string, string>();
    return [...table].filter(entry => entry[1] === value).map(entry => entry[0]);
  }

  /** Errors: RingError CONFIG_INVALID beyond a limit, and what the store throws. */
  put(namespace: string, key: string, value: string): void {
    if (namespace.length + key.length + value.length > KV_ENTRY_LENGTH_MAX) {
      throw new RingError('CONFIG_INVALID', `a config item may be ${KV_ENTRY_LENGTH_MAX} characters long`);
    }
    const table = new Map(this.#namespaces.get(namespace)).set(key, value);
    const namespaces = new Map(this.#namespaces).set(namespace, table);
    let count = 0;
    for (const entries of namespaces.values()) count += entries.size;
    if (count > KV_ENTRIES_MAX) {
      throw new RingError('CONFIG_INVALID', `there may be ${KV_ENTRIES_MAX} config items`);
    }
    this.#replace(namespaces);
  }

  /** Forgets the keys; those that do not exist do not matter. Errors: what the store throws. */
  delete(namespace: string, keys: readonly string[]): void {
    const table = new Map(this.#namespaces.get(namespace));
    const present = keys.filter(key => table.delete(key));
    if (present.length === 0) return;
    const namespaces = new Map(this.#namespaces);
    if (table.size === 0) namespaces.delete(namespace);
    else namespaces.set(namespace, table);
    this.#replace(namespaces);
  }

  #replace(namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
    const entries = [...namespaces].map(([namespace, table]) => [namespace, Object.fromEntries(table)] as const);
    this.#store.save(stringifyDialect({ configTable: Object.fromEntries(entries) }));
    this.#namespaces = namespaces;
  }
}

function parseFile(text: string | null): ReadonlyMap<string, ReadonlyMap<string, string>> {
  if (text === null || text.trim() === '') return new Map();
  try {
    const namespaces = tableOf(decodeText(text, 'kvConfig').configTable, table => tableOf(table, item => textOf(item)));
    const filled = Object.entries(namespaces).filter(([, table]) => Object.keys(table).length > 0);
    return new Map(filled.map(([namespace, table]) => [namespace, new Map(Object.entries(table))]));
  } catch (cause) {
    throw new RingError('CONFIG_INVALID', `the key-value file: ${messageOf(cause)}`, {}, { cause });
  }
}
