import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PropertyEditor } from '../../../../actors/send-lane/properties.js';

const properties = suite('actors/send-lane/properties');

const editor = new PropertyEditor('C');

/** Edits a property string that stands somewhere in a buffer; \u0001 is written `=`, \u0002 `;`. */
function edit(text: string): string {
  const bytes = Buffer.from(text.replaceAll('=', '\u0001').replaceAll(';', '\u0002'));
  const target = new Uint8Array(bytes.length + editor.addedSizeMax + 7);
  target.set(bytes, 7);
  const end = editor.edit(target, 7, 7 + bytes.length);
  return Buffer.from(target.subarray(7, end)).toString().replaceAll('\u0001', '=').replaceAll('\u0002', ';');
}

properties('adds the cluster, takes out WAIT and a foreign cluster, keeps the rest in order', () => {
  const cases: [given: string, stored: string][] = [
    ['', 'CLUSTER=C'],
    ['A=1', 'A=1;CLUSTER=C'],
    ['A=1;', 'A=1;CLUSTER=C'],
    ['A=1;B=2', 'A=1;B=2;CLUSTER=C'],
    ['WAIT=true', 'CLUSTER=C'],
    ['WAIT=true;A=1', 'A=1;CLUSTER=C'],
    ['A=1;WAIT=true;B=2;', 'A=1;B=2;CLUSTER=C'],
    ['A=1;WAIT=false', 'A=1;CLUSTER=C'],
    ['CLUSTER=Other;A=1;CLUSTER=C', 'A=1;CLUSTER=C'],
    ['WAITER=true;CLUSTERS=x;W=1;C=2', 'WAITER=true;CLUSTERS=x;W=1;C=2;CLUSTER=C'],
    [';;A=1;;B=2;;', 'A=1;B=2;CLUSTER=C'],
    ['=x;A=1', 'A=1;CLUSTER=C'],
    ['A==1;B=a=b', 'A==1;B=a=b;CLUSTER=C'],
    ['Tägs=ü', 'Tägs=ü;CLUSTER=C'],
  ];
  for (const [given, stored] of cases) assert.is(edit(given), stored, given);
});

properties('reads WAIT as Boolean.parseBoolean, true when it is missing', () => {
  const wait = (text: string): boolean => {
    edit(text);
    return editor.wait;
  };
  for (const text of ['', 'A=1', 'WAIT=true', 'WAIT=TRUE', 'WAIT=tRuE', 'A=1;WAIT=true;B=1'])
    assert.is(wait(text), true, text);
  for (const text of ['WAIT=false', 'WAIT=', 'WAIT=1', 'WAIT=truer', 'WAIT= true', 'A=1;WAIT=no'])
    assert.is(wait(text), false, text);
  assert.is(wait('A=1'), true, 'nothing is left of the last message');
});

properties('reads the delay level and whether it is a half message', () => {
  edit('DELAY=3;TRAN_MSG=true');
  assert.equal([editor.delayLevel, editor.transactional], [3, true]);
  edit('DELAYED=3;TRAN_MSG=false');
  assert.equal([editor.delayLevel, editor.transactional], [0, false]);
  edit('DELAY=18;A=1');
  assert.equal([editor.delayLevel, editor.transactional], [18, false]);
  edit('DELAY=x');
  assert.is(editor.delayLevel, 0);
  edit('A=1');
  assert.is(editor.delayLevel, 0);
  assert.is(edit('DELAY=3;TRAN_MSG=true'), 'DELAY=3;TRAN_MSG=true;CLUSTER=C', 'both stay in the string');
});

properties('joins two strings with one separator, and only where one is needed', () => {
  const join = (first: string): string => {
    const bytes = new Uint8Array(16);
    bytes.set(Buffer.from(first.replaceAll(';', '\u0002')), 3);
    const end = editor.join(bytes, 3, 3 + first.length);
    return Buffer.from(bytes.subarray(3, end)).toString().replaceAll('\u0002', ';');
  };
  assert.equal([join(''), join('a'), join('a;')], ['', 'a;', 'a;']);
});

properties.run();
