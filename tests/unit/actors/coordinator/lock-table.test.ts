/** Who holds which queue of an ordered group. Source: spec remoting 7.5. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOCK_EXPIRY_MS, LockTable } from '../../../../actors/coordinator/lock-table.js';
import { createMessageQueue, type MessageQueue } from '../../../../protocol/bodies.js';

const locks = suite('actors/coordinator/lock-table');

const nowMs = 1_700_000_000_000;
const queue = (queueId: number, topic = 'T'): MessageQueue => createMessageQueue(topic, 'broker-a', queueId);
const ids = (queues: readonly MessageQueue[]): number[] => queues.map(({ queueId }) => queueId);

locks('a queue is held by one client of a group, and by one of each group', () => {
  const table = new LockTable();
  assert.equal(table.lock('G', 'a', [queue(0), queue(1)], nowMs), [queue(0), queue(1)]);
  assert.equal(ids(table.lock('G', 'b', [queue(1), queue(2)], nowMs)), [2]);
  assert.equal(ids(table.lock('H', 'b', [queue(0), queue(1)], nowMs)), [0, 1]);
  assert.equal(ids(table.lock('G', 'b', [queue(0, 'U')], nowMs)), [0], 'another topic');
});

locks('who asks again keeps what it has, a minute from then on', () => {
  const table = new LockTable();
  table.lock('G', 'a', [queue(0)], nowMs);
  assert.equal(ids(table.lock('G', 'a', [queue(0)], nowMs + LOCK_EXPIRY_MS)), [0]);
  assert.equal(table.lock('G', 'b', [queue(0)], nowMs + 2 * LOCK_EXPIRY_MS), []);
  assert.equal(ids(table.lock('G', 'b', [queue(0)], nowMs + 2 * LOCK_EXPIRY_MS + 1)), [0]);
  assert.equal(table.lock('G', 'a', [queue(0)], nowMs + 2 * LOCK_EXPIRY_MS + 1), [], 'it is gone');
});

locks('only the holder gives a queue back', () => {
  const table = new LockTable();
  table.lock('G', 'a', [queue(0), queue(1)], nowMs);
  table.unlock('G', 'b', [queue(0)]);
  assert.equal(table.lock('G', 'b', [queue(0)], nowMs), []);
  table.unlock('G', 'a', [queue(0), queue(7)]);
  assert.equal(ids(table.lock('G', 'b', [queue(0), queue(1)], nowMs)), [0]);
  table.unlock('Nobody', 'a', [queue(0)]);
});

locks('a queue named twice is held once', () => {
  const table = new LockTable();
  assert.equal(ids(table.lock('G', 'a', [queue(0), queue(0)], nowMs)), [0]);
  assert.equal([table.lock('G', 'a', [], nowMs), table.size], [[], 1]);
});

locks('expired locks are forgotten', () => {
  const table = new LockTable();
  table.lock('G', 'a', [queue(0)], nowMs);
  table.lock('H', 'a', [queue(0)], nowMs + 1);
  table.removeExpired(nowMs + LOCK_EXPIRY_MS + 1);
  assert.is(table.size, 1);
  table.unlock('H', 'a', [queue(0)]);
  assert.is(table.size, 0);
});

locks.run();
