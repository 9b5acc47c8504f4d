import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HeldPull, HoldTable } from '../../../../actors/pull-lane/hold-table.js';
import { ALL_TAGS } from '../../../../protocol/tag-filter.js';
import { topicEntry } from '../../../support/rooms.js';

const holds = suite('actors/pull-lane/hold-table');

const topic = { ...topicEntry('T'), nameBytes: new Uint8Array(1) };

function held(queueNumber: number, deadlineMs: number, opaque = 0): HeldPull {
  return {
    connectionId: 1,
    opaque,
    serializeType: 0,
    group: 'G',
    topic,
    queueId: 0,
    queueNumber,
    maxMsgNums: 32,
    byMembers: false,
    filter: ALL_TAGS,
    offset: 0,
    deadlineMs,
    passedOver: false,
    done: false,
  };
}

holds('an empty table waits for nothing', () => {
  const table = new HoldTable();
  assert.equal(
    [table.size, table.nextDeadlineMs(), table.expired(1e15), table.of(0)],
    [0, Number.POSITIVE_INFINITY, undefined, []],
  );
});

holds('finds who waits for a queue, and forgets who was answered', () => {
  const table = new HoldTable();
  const [first, second, other] = [held(1, 10), held(1, 20), held(2, 30)];
  for (const pull of [first, second, other]) table.add(pull);
  assert.equal(table.of(1), [first, second]);
  table.remove(first);
  assert.ok(first.done);
  assert.equal([table.of(1), table.size], [[second], 2]);
  table.remove(first);
  assert.is(table.size, 2, 'answered once');
});

holds('whoever asks for a queue may answer all of them', () => {
  const table = new HoldTable();
  for (let index = 0; index < 10; index++) table.add(held(1, index));
  for (const pull of table.of(1)) table.remove(pull);
  assert.equal([table.size, table.of(1).length], [0, 0]);
});

holds('gives them by deadline', () => {
  const table = new HoldTable();
  const order = [50, 10, 40, 10, 30, 20, 60];
  for (const deadline of order) table.add(held(deadline, deadline));
  assert.is(table.nextDeadlineMs(), 10);
  assert.is(table.expired(9), undefined);
  const seen: number[] = [];
  for (let pull = table.expired(45); pull !== undefined; pull = table.expired(45)) {
    seen.push(pull.deadlineMs);
    table.remove(pull);
  }
  assert.equal(seen, [10, 10, 20, 30, 40]);
  assert.is(table.nextDeadlineMs(), 50);
});

holds('one that was answered early does not wake anybody', () => {
  const table = new HoldTable();
  const first = held(1, 10);
  table.add(first);
  table.add(held(1, 20));
  table.remove(first);
  assert.equal([table.nextDeadlineMs(), table.expired(15)], [20, undefined]);
});

holds('10,000 of them, most answered out of order', () => {
  const table = new HoldTable();
  const pulls = Array.from({ length: 10_000 }, (_, index) => held(index % 100, (index * 7919) % 10_007, index));
  for (const pull of pulls) table.add(pull);
  assert.is(table.size, 10_000);
  for (const pull of pulls) if (pull.opaque % 10 !== 3) table.remove(pull);
  assert.is(table.size, 1000);
  const left = pulls.filter(pull => !pull.done);
  const seen: number[] = [];
  for (let pull = table.expired(1e6); pull !== undefined; pull = table.expired(1e6)) {
    seen.push(pull.deadlineMs);
    table.remove(pull);
  }
  assert.equal(
    seen,
    left.map(pull => pull.deadlineMs).sort((one, other) => one - other),
  );
  assert.equal([table.size, table.nextDeadlineMs()], [0, Number.POSITIVE_INFINITY]);
});

holds.run();
