/**
 * docs/tuning.md names the counters there are, with the words of their catalogue, and keys that exist, with their
 * defaults.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerSchema } from '../../../config/index.js';
import { counterCatalogue } from '../../../runtime/memory/counters.js';
import { readDocument } from './support.js';

const tuning = suite('docs: tuning');
const { text } = readDocument('docs/tuning.md');

tuning('lists every counter', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \| [^|]+ \| (.+) \|$/gm)].filter(([, name]) => name! in counterCatalogue);
  assert.equal(Object.fromEntries(rows.map(([, name, words]) => [name, words])), counterCatalogue);
});

tuning('the first column of its other tables holds keys', () => {
  const names = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
  const unknown = names.filter(name => !(name in counterCatalogue) && !brokerSchema.byName.has(name));
  assert.equal(unknown, []);
});

tuning('keys in remarks and prose exist', () => {
  const named = [...text.matchAll(/`(\w+)=[^`]*`|\(key (\w+)\)/g)].map(([, set, remark]) => set ?? remark!);
  const unknown = named.filter(name => name !== 'WAIT' && !brokerSchema.byName.has(name));
  assert.ok(named.length > 0);
  assert.equal(unknown, []);
});

tuning.run();
