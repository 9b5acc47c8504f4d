import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PropertyEditor } from '../../../../actors/send-lane/properties.js';
import { parseProperties } from '../../../support/raw-record.js';

const properties = suite('actors/send-lane/properties against a model');

const name = fc.constantFrom(
  'WAIT',
  'WAITS',
  'DELAY',
  'TRAN_MSG',
  'CLUSTER',
  'CLUSTERX',
  'TAGS',
  'KEYS',
  'W',
  'C',
  'ü',
  '',
);
const value = fc.constantFrom('true', 'TRUE', 'false', '', '1', '12', '3x', 'a b', 'ü', 'DefaultCluster', 'WAIT');
const item = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, value).map(([left, right]) => `${left}\u0001${right}`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'WAIT', 'noise', '\u0001', '\u0001\u0001') },
);
const text = fc
  .tuple(fc.array(item, { maxLength: 8 }), fc.boolean())
  .map(([items, tail]) => items.join('\u0002') + (tail ? '\u0002' : ''));

interface Edited {
  readonly stored: string;
  readonly wait: boolean;
  readonly delayLevel: number;
  readonly transactional: boolean;
}

/** The plain way: split, decide, join. */
function model(given: string): Edited {
  const items = given.split('\u0002').filter(one => one !== '' && !one.startsWith('\u0001'));
  const last = (wanted: string): string | undefined =>
    items.findLast(one => one.startsWith(`${wanted}\u0001`))?.slice(wanted.length + 1);
  const kept = items.filter(one => !one.startsWith('WAIT\u0001') && !one.startsWith('CLUSTER\u0001'));
  const level = last('DELAY') ?? '';
  return {
    stored: [...kept, 'CLUSTER\u0001DefaultCluster'].join('\u0002'),
    wait: (last('WAIT') ?? 'true').toLowerCase() === 'true',
    delayLevel: /^\d+$/.test(level) ? Number(level) : 0,
    transactional: (last('TRAN_MSG') ?? '').toLowerCase() === 'true',
  };
}

properties('edits in place as split, filter and join do', () => {
  const editor = new PropertyEditor('DefaultCluster');
  fc.assert(
    fc.property(text, fc.nat(20), (given, start) => {
      const bytes = Buffer.from(given);
      const target = new Uint8Array(start + bytes.length + editor.addedSizeMax);
      target.fill(0xee, 0, start);
      target.set(bytes, start);
      const end = editor.edit(target, start, start + bytes.length);
      const { wait, delayLevel, transactional } = editor;
      const stored = Buffer.from(target.subarray(start, end)).toString();
      assert.equal({ stored, wait, delayLevel, transactional }, model(given));
      assert.ok(
        target.subarray(0, start).every(byte => byte === 0xee),
        'what stands before is left alone',
      );
      const before = parseProperties(given);
      const after = parseProperties(stored);
      for (const [key, kept] of before) if (key !== 'WAIT' && key !== 'CLUSTER') assert.is(after.get(key), kept);
    }),
    { numRuns: 3000 },
  );
});

properties('editing twice changes nothing more', () => {
  const editor = new PropertyEditor('DefaultCluster');
  fc.assert(
    fc.property(text, given => {
      const once = model(given).stored;
      const bytes = Buffer.from(once);
      const target = new Uint8Array(bytes.length + editor.addedSizeMax);
      target.set(bytes);
      assert.is(Buffer.from(target.subarray(0, editor.edit(target, 0, bytes.length))).toString(), once);
    }),
    { numRuns: 500 },
  );
});

properties.run();
