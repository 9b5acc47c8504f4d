/** Which part of a log a broker wrote as a master, and what it may set aside of it without being asked. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noteRole, readLedSpan } from '../../../../actors/node/led-span.js';
import { whyNotByItself } from '../../../../actors/node/rejoin.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';

const led = suite('actors/node: what a broker led');

const folder = '/store/config';

/** Starts of one broker, each with its role and where its log ended. */
function after(...starts: readonly (readonly ['master' | 'slave', number])[]) {
  const disk = new MemoryDisk();
  disk.makeFolder(folder);
  for (const [role, end] of starts) noteRole(disk, folder, role === 'slave', end);
  return readLedSpan(disk, folder);
}

led('a master leads from where its log ended when it became one', () => {
  assert.is(after(['slave', 0]), undefined);
  assert.equal(after(['master', 0]), { from: 0 });
  assert.equal(after(['slave', 0], ['slave', 700], ['master', 900]), { from: 900 });
  assert.equal(after(['master', 500], ['master', 900]), { from: 500 });
  assert.equal(after(['master', 500], ['master', 300]), { from: 300 }, 'a crash took the end of its log');
});

led('a slave led up to where its log ended when it became one, or was cut', () => {
  assert.equal(after(['master', 0], ['slave', 800]), { from: 0, to: 800 });
  assert.equal(after(['master', 0], ['slave', 800], ['slave', 600]), { from: 0, to: 600 });
  assert.equal(after(['master', 0], ['slave', 800], ['slave', 2000]), { from: 0, to: 800 }, 'the rest is its master’s');
  assert.equal(after(['master', 500], ['slave', 800], ['slave', 300]), { from: 300, to: 300 });
});

led('a master again: it leads on where nothing came between, else from where it is', () => {
  assert.equal(after(['master', 100], ['slave', 800], ['master', 800]), { from: 100 });
  assert.equal(after(['master', 100], ['slave', 800], ['slave', 2000], ['master', 2000]), { from: 2000 });
});

led('a file that cannot be read stops the start, with what to do', () => {
  const disk = new MemoryDisk();
  disk.makeFolder(folder);
  disk.writeText(`${folder}/led.json`, '{"to":3}');
  assert.throws(() => readLedSpan(disk, folder), /led\.json cannot be read: from is undefined; remove it/);
});

led('by itself only what it wrote, not more than the key says, and less than stays', () => {
  const rules = { led: { from: 1000, to: 9000 }, maxBytes: 5000, minimum: 0 };
  const why = (from: number, to: number, more: Partial<Parameters<typeof whyNotByItself>[1]> = {}) =>
    whyNotByItself({ master: '', from, to, storeTimestamp: 0 }, { ...rules, ...more });
  assert.is(why(5000, 9000), undefined);
  assert.is(why(5000, 9000, { led: { from: 1000 } }), undefined);
  assert.match(why(5000, 9001)!, /did not write all of it/);
  assert.match(why(999, 1200)!, /did not write all of it/);
  assert.match(why(5000, 9000, { led: undefined })!, /all that is left of what a master acknowledged/);
  assert.match(why(5000, 9000, { maxBytes: 3999 })!, /more than setAsideMaxBytes \(3999\)/);
  assert.is(why(5000, 9000, { maxBytes: 4000 }), undefined);
  assert.match(why(8999, 9000, { maxBytes: 0 })!, /setAsideMaxBytes is 0/);
  assert.match(why(4000, 9000)!, /more than the .* that would be left of its log/);
  assert.match(why(5000, 9000, { minimum: 1001 })!, /would be left of its log/);
});

led.run();
