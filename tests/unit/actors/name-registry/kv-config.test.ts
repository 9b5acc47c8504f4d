import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KV_ENTRY_LENGTH_MAX, KvConfig } from '../../../../actors/name-registry/kv-config.js';
import { RingError } from '../../../../runtime/base/errors.js';

const kv = suite('actors/name-registry/kv-config');

class MemoryStore {
  text: string | null;
  saves = 0;
  error: Error | undefined;

  constructor(text: string | null = null) {
    this.text = text;
  }

  load(): string | null {
    return this.text;
  }

  save(text: string): void {
    if (this.error !== undefined) throw this.error;
    this.text = text;
    this.saves++;
  }
}

kv('what is put is saved and found again', () => {
  const store = new MemoryStore();
  const config = new KvConfig(store);
  assert.is(config.get('N', 'k'), undefined);
  config.put('N', 'k', 'v');
  config.put('N', '__proto__', 'w');
  assert.is(store.text, '{"configTable":{"N":{"__proto__":"w","k":"v"}}}');
  const again = new KvConfig(store);
  assert.is(again.get('N', 'k'), 'v');
  assert.is(again.get('N', '__proto__'), 'w');
  assert.is(again.get('N', 'constructor'), undefined);
});

kv('reads the file of Java, and starts empty without one', () => {
  const config = new KvConfig(new MemoryStore('{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:8"},"EMPTY":{}}}'));
  assert.equal(config.table('ORDER_TOPIC_CONFIG'), { T: 'broker-a:8' });
  assert.is(config.table('EMPTY'), undefined);
  assert.is(new KvConfig(new MemoryStore('  ')).table('N'), undefined);
  assert.throws(
    () => new KvConfig(new MemoryStore('{"configTable":')),
    (error: unknown) => error instanceof RingError && error.code === 'CONFIG_INVALID',
  );
});

kv('deletes, by key and by value, down to no namespace', () => {
  const store = new MemoryStore();
  const config = new KvConfig(store);
  for (const [key, value] of [
    ['a', '1'],
    ['b', '2'],
    ['c', '1'],
  ] as const)
    config.put('N', key, value);
  assert.equal(config.keysOfValue('N', '1'), ['a', 'c']);
  assert.equal(config.keysOfValue('M', '1'), []);
  config.delete('N', ['a', 'c', 'unknown']);
  assert.equal(config.table('N'), { b: '2' });
  config.delete('N', ['b']);
  assert.is(config.table('N'), undefined);
  assert.is(store.text, '{"configTable":{}}');
  const { saves } = store;
  config.delete('N', ['b']);
  assert.is(store.saves, saves, 'nothing to delete is nothing to save');
});

kv('what cannot be saved has not happened', () => {
  const store = new MemoryStore();
  const config = new KvConfig(store);
  config.put('N', 'k', 'v');
  store.error = new RingError('DISK_WRITE_FAILED', 'full');
  assert.throws(() => config.put('N', 'k', 'w'), 'full');
  assert.throws(() => config.delete('N', ['k']), 'full');
  assert.is(config.get('N', 'k'), 'v');
});

kv('an item has a greatest length', () => {
  const store = new MemoryStore();
  const config = new KvConfig(store);
  assert.throws(
    () => config.put('N', 'k', 'v'.repeat(KV_ENTRY_LENGTH_MAX)),
    (error: unknown) => error instanceof RingError,
  );
  assert.is(store.saves, 0);
});

kv.run();
