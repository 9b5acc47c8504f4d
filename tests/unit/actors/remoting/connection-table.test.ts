import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../../actors/remoting/connection.js';
import { ConnectionTable } from '../../../../actors/remoting/connection-table.js';

const table = suite('actors/remoting/connection-table');

const add = (subject: ConnectionTable): Connection | undefined => subject.add(id => ({ id }) as Connection);

table('finds connections by id, as long as they are there', () => {
  const subject = new ConnectionTable(10);
  const [first, second] = [add(subject)!, add(subject)!];
  assert.equal([subject.size, first.id === second.id], [2, false]);
  assert.is(subject.get(first.id), first);
  subject.remove(first);
  assert.equal([subject.get(first.id), subject.get(second.id), subject.size], [undefined, second, 1]);
  subject.remove(first);
  assert.is(subject.size, 1, 'removed once');
});

table('a slot is used again under another id: an answer for who is gone reaches nobody', () => {
  const subject = new ConnectionTable(10);
  const seen = new Set<number>();
  for (let round = 0; round < 1000; round++) {
    const connection = add(subject)!;
    assert.ok(connection.id > 0 && Number.isInteger(connection.id) && connection.id < 2 ** 31);
    assert.not.ok(seen.has(connection.id), `id ${connection.id} again after ${round} rounds`);
    seen.add(connection.id);
    subject.remove(connection);
    assert.is(subject.get(connection.id), undefined);
  }
});

table('an old id stays dead when its slot is taken', () => {
  const subject = new ConnectionTable(10);
  const old = add(subject)!;
  subject.remove(old);
  const young = add(subject)!;
  assert.equal([subject.get(old.id), subject.get(young.id)], [undefined, young]);
  subject.remove(old);
  assert.is(subject.get(young.id), young, 'removing the old one twice leaves the young one alone');
});

table('no more than allowed, and one that goes makes room', () => {
  const subject = new ConnectionTable(2);
  const first = add(subject)!;
  add(subject);
  assert.is(add(subject), undefined);
  subject.remove(first);
  assert.ok(add(subject) !== undefined);
  assert.is(subject.size, 2);
});

table('visits all of them, also when they go meanwhile', () => {
  const subject = new ConnectionTable(10);
  for (let index = 0; index < 5; index++) add(subject);
  const seen: number[] = [];
  subject.forEach(connection => {
    seen.push(connection.id);
    subject.remove(connection);
  });
  assert.equal([seen.length, subject.size], [5, 0]);
});

table.run();
