import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SharedFlags } from '../../../../runtime/memory/flags.js';

const flags = suite('shared flags');

flags('are seen through the same memory and say whether they changed', () => {
  const writer = new SharedFlags();
  const reader = new SharedFlags(writer.memory);
  assert.is(writer.set(0b101), true);
  assert.is(writer.set(0b100), false);
  assert.equal([reader.read(), reader.has(0b100), reader.has(0b010)], [0b101, true, false]);
  assert.is(writer.clear(0b110), true);
  assert.is(writer.clear(0b110), false);
  assert.is(reader.read(), 0b001);
});

flags.run();
