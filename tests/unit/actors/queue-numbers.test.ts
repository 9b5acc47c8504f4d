import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QueueNumbers } from '../../../actors/queue-numbers.js';
import { QUEUES_MAX, QueueTable } from '../../../actors/queue-table.js';

const numbers = suite('actors/queue-numbers');

numbers('numbers are dense, and a queue keeps its own', () => {
  const subject = new QueueNumbers();
  assert.equal([...subject.of('A', 2)], [0, 1]);
  assert.equal([...subject.of('B', 1)], [2]);
  assert.equal([...subject.of('A', 4)], [0, 1, 3, 4]);
  assert.equal([...subject.of('A', 1)], [0, 1, 3, 4], 'never fewer');
  assert.is(subject.count, 5);
  assert.equal(
    [subject.find('A', 3), subject.find('A', 4), subject.find('C', 0), subject.find('A', -1)],
    [4, -1, -1, -1],
  );
});

numbers('a topic without queues has no numbers', () => {
  const subject = new QueueNumbers();
  assert.equal([subject.of('A', 0).length, subject.count], [0, 0]);
});

numbers('go on where another thread was', () => {
  const subject = new QueueNumbers();
  subject.of('A', 2);
  subject.of('B', 2);
  subject.of('A', 3);
  const copy = new QueueNumbers(structuredClone(subject.entries()));
  assert.is(copy.count, 5);
  assert.equal([...copy.of('A', 3)], [0, 1, 4]);
  assert.equal([...copy.of('C', 1)], [5]);
});

numbers('there are so many and no more, and asking for too many changes nothing', () => {
  const subject = new QueueNumbers();
  subject.of('A', QUEUES_MAX - 1);
  assert.throws(
    () => subject.of('B', 2),
    (error: { code: string }) => error.code === 'CONFIG_INVALID',
  );
  assert.equal([subject.count, subject.find('B', 0)], [QUEUES_MAX - 1, -1]);
  assert.equal([...subject.of('B', 1)], [QUEUES_MAX - 1]);
});

const table = suite('actors/queue-table');

table('holds the bounds of every queue, seen from every thread', () => {
  const subject = new QueueTable();
  const elsewhere = new QueueTable(subject.memory);
  for (const queue of [0, 1, QUEUES_MAX - 1]) {
    subject.publishMin(queue, queue + 5);
    subject.publishMax(queue, 2 ** 40 + queue);
    assert.equal([elsewhere.min(queue), elsewhere.max(queue)], [queue + 5, 2 ** 40 + queue]);
  }
  assert.equal([subject.min(2), subject.max(2)], [0, 0]);
});

table('counts who waits', () => {
  const subject = new QueueTable();
  subject.addWaiting(3, 1);
  subject.addWaiting(3, 1);
  subject.addWaiting(3, -1);
  assert.equal([subject.isAwaited(3), subject.isAwaited(2), subject.isAwaited(4)], [true, false, false]);
  subject.addWaiting(3, -1);
  assert.is(subject.isAwaited(3), false);
});

numbers.run();
table.run();
