/** The scheduler: delayed messages, when they are due. Source: spec scheduling 1. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreState } from '../../../../actors/store-state.js';
import { RingError } from '../../../../runtime/base/errors.js';
import { readRecorder } from '../../../../runtime/trace/recorder.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { buildRecord, type RecordParts } from '../../../support/record-builder.js';
import { topicEntry } from '../../../support/rooms.js';
import { bodiesOf, body, delayOffsetFile, SchedulerRoom, startMs } from './support.js';

const scheduler = suite('actors/scheduler');

const NOT_AVAILABLE = 14;
const never = Number.POSITIVE_INFINITY;

scheduler('sleeps until rung when nothing waits, and exactly until a message is due', () => {
  const room = new SchedulerRoom();
  assert.equal(room.run(), []);
  assert.is(room.scheduler.deadlineMs(), never);
  room.put(2);
  assert.equal(room.run(), []);
  assert.is(room.sleepMs, 5000);
  assert.equal(room.run(4999), []);
  assert.is(room.sleepMs, 1);
  const appends = room.run(1);
  assert.is(appends.length, 1);
  assert.ok(room.writerBell.rings > 0, 'the writer is woken');
  assert.is(room.run().length + room.sleepMs, never, 'results ring, nothing else is waited for');
});

const parts: RecordParts = {
  body: body('as Java'),
  properties:
    'KEYS\u0001k\u0002REAL_TOPIC\u0001T\u0002TAGS\u0001TagB\u0002DELAY\u00011\u0002WAIT\u0001true\u0002REAL_QID\u00013\u0002',
  flag: 7,
  sysFlag: 8 | 1,
  bornTimestamp: 1_699_999_999_999,
  bornAddress: [10, 9, 8, 7],
  bornPort: 4711,
  storeAddress: [10, 0, 0, 9],
  storePort: 10_912,
  reconsumeTimes: 3,
  preparedTransactionOffset: 99,
};

scheduler('stores what Java stores: only topic, queue and the blanks of the writer differ', () => {
  const room = new SchedulerRoom();
  room.put(1, parts);
  const [append] = room.run(1000);
  assert.equal([append!.queueNumber, append!.count, append!.companionQueue], [3, 1, -1]);
  const blanks = { queueOffset: 0, physicalOffset: 0, storeTimestamp: 0, preparedTransactionOffset: 0 };
  const expected = buildRecord({ ...parts, ...blanks, topic: 'T', queueId: 3 });
  assert.is(append!.records[0]!.bytes.toString('hex'), Buffer.from(expected).toString('hex'));
});

scheduler('IPv6 hosts: the birth is kept, the store host becomes that of this broker', () => {
  const room = new SchedulerRoom();
  const v6 = { bornAddress: Array<number>(16).fill(1), storeAddress: Array<number>(16).fill(2) };
  room.put(1, { ...parts, ...v6 });
  const [append] = room.run(1000);
  const own = { storeAddress: [127, 0, 0, 1], storePort: 10_911, preparedTransactionOffset: 0 };
  const place = { topic: 'T', queueId: 3, queueOffset: 0, physicalOffset: 0, storeTimestamp: 0 };
  const expected = buildRecord({ ...parts, ...v6, ...own, ...place });
  assert.is(append!.records[0]!.bytes.toString('hex'), Buffer.from(expected).toString('hex'));
});

scheduler('a record of 5.x, and one larger than most', () => {
  const room = new SchedulerRoom();
  room.put(1, { version: 2, body: body('v2') });
  room.put(1, { body: new Uint8Array(100_000).fill(5) });
  room.put(1, { body: body('after') });
  const appends = room.run(1000);
  assert.equal(
    appends.map(({ records }) => records[0]!.body.length),
    [2, 100_000, 5],
  );
});

scheduler('each level in its own order, none waits for another', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b']) room.put(3, { body: body(`10s ${name}`) });
  for (const name of ['a', 'b', 'c']) room.put(1, { body: body(`1s ${name}`), realQueueId: 1 });
  room.put(2, { body: body('5s a') });
  const first = room.run(1000);
  assert.equal(bodiesOf(first), ['1s a', '1s b', '1s c']);
  assert.is(room.sleepMs, 4000);
  assert.equal(bodiesOf(room.run(4000)), ['5s a']);
  assert.equal(bodiesOf(room.run(5000)), ['10s a', '10s b']);
});

scheduler('a backlog goes out in batches of one duty cycle each', () => {
  const room = new SchedulerRoom();
  for (let index = 0; index < 150; index++) room.put(1, { body: body(`m${index}`) });
  room.nowMs += 1000;
  assert.is(room.scheduler.doWork(room.nowMs), 2 + 1 + 64, 'news and a batch');
  assert.ok(room.scheduler.deadlineMs() <= room.nowMs);
  assert.equal(
    bodiesOf(room.run()),
    Array.from({ length: 150 }, (_, index) => `m${index}`),
  );
});

scheduler('no more than the limit of a level is on its way', () => {
  const room = new SchedulerRoom();
  room.tell({ scheduleAsyncDeliverMaxPendingLimit: 2 });
  for (const name of ['a', 'b', 'c']) room.put(1, { body: body(name) });
  room.put(2, { body: body('other level') });
  const first = room.run(1000);
  assert.equal(bodiesOf(first), ['a', 'b']);
  assert.is(room.sleepMs, 4000, 'only the other level is waited for; results ring');
  room.answer(first.slice(0, 1));
  assert.equal(bodiesOf(room.run()), ['c']);
});

scheduler('a full ring is waited for, and nothing is skipped', () => {
  const room = new SchedulerRoom({ ringBytes: 1024 });
  for (let index = 0; index < 8; index++) room.put(1, { body: new Uint8Array(200).fill(index) });
  const seen: number[] = [];
  for (let appends = room.run(1000); seen.length < 8; appends = room.run(10)) {
    assert.ok(appends.length > 0 && appends.length < 8);
    for (const { records } of appends) seen.push(records[0]!.body[0]!);
    room.answer(appends);
  }
  assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
});

// ---- progress ----

scheduler('progress is what is confirmed and on the device, and is stored within a second', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b', 'c']) room.put(1, { body: body(name) });
  const appends = room.run(1000);
  room.run(2000);
  assert.is(room.stored, undefined, 'nothing is confirmed');
  room.answer(appends.slice(0, 2));
  room.run();
  assert.is(room.sleepMs, 1000);
  room.run(1000);
  assert.is(room.stored, undefined, 'a power failure would lose what is not on the device');
  assert.is(room.sleepMs, 100);
  room.flush();
  room.run(100);
  assert.is(room.stored, '{\n\t"offsetTable":{1:2\n\t}\n}');
  assert.is(room.scheduler.deadlineMs(), never);
  room.answer(appends.slice(2));
  room.run();
  room.run(1000);
  assert.is(room.stored, '{\n\t"offsetTable":{1:3\n\t}\n}');
  assert.is(room.counters.read('delayedDelivered'), 3);
});

scheduler('flushDelayOffsetInterval may be shorter than a second', () => {
  const room = new SchedulerRoom();
  room.tell({ flushDelayOffsetInterval: 30 });
  room.put(1);
  room.answer(room.run(1000));
  room.flush();
  room.run();
  assert.is(room.sleepMs, 30);
  room.run(30);
  assert.is(room.stored, '{\n\t"offsetTable":{1:1\n\t}\n}');
});

scheduler('goes on from the file, whoever wrote it, and keeps levels it does not have', () => {
  const memory = new MemoryDisk();
  memory.makeFolder('/store/config');
  memory.writeText(delayOffsetFile, '{"offsetTable":{1:2,40:7}}');
  const room = new SchedulerRoom({ memory });
  for (const name of ['a', 'b', 'c']) room.put(1, { body: body(name) });
  const appends = room.run(1000);
  assert.equal(bodiesOf(appends), ['c']);
  room.answer(appends);
  room.flush();
  room.run();
  room.run(1000);
  assert.is(room.stored, '{\n\t"offsetTable":{1:3,40:7\n\t}\n}');
});

scheduler('a file beyond the bounds of the queue is moved into them', () => {
  for (const [stored, min, expected] of [
    [9, 0, ['new']],
    [0, 1, ['b', 'c', 'new']],
  ] as const) {
    const memory = new MemoryDisk();
    memory.makeFolder('/store/config');
    memory.writeText(delayOffsetFile, `{"offsetTable":{"1":${stored}}}`);
    const room = new SchedulerRoom({ memory });
    for (const name of ['a', 'b', 'c']) room.put(1, { body: body(name) });
    room.retire(1, min);
    room.run();
    room.put(1, { body: body('new') });
    assert.equal(bodiesOf(room.run(1000)), expected);
  }
});

scheduler('the backup serves when the file is damaged; when both are, the broker does not start', () => {
  const memory = new MemoryDisk();
  memory.makeFolder('/store/config');
  memory.writeText(delayOffsetFile, '{"offsetTable":{1:');
  memory.writeText(`${delayOffsetFile}.bak`, '{"offsetTable":{1:1}}');
  const room = new SchedulerRoom({ memory });
  for (const name of ['a', 'b']) room.put(1, { body: body(name) });
  assert.equal(bodiesOf(room.run(1000)), ['b']);
  memory.writeText(`${delayOffsetFile}.bak`, 'x');
  assert.throws(() => new SchedulerRoom({ memory }), /delayOffset\.json/);
});

scheduler('a disk that refuses the file is asked again, and delivery goes on', () => {
  const room = new SchedulerRoom();
  room.put(1);
  room.answer(room.run(1000));
  room.flush();
  room.run();
  room.disk.faults.fail = (call, path) => (call === 'write' && path.includes('delayOffset') ? 'ENOSPC' : undefined);
  room.put(1, { body: body('meanwhile') });
  room.flush();
  assert.equal(bodiesOf(room.run(1000)), ['meanwhile']);
  assert.is(room.stored, undefined);
  delete room.disk.faults.fail;
  room.run(100);
  assert.is(room.stored, '{\n\t"offsetTable":{1:1\n\t}\n}');
});

scheduler('a stop takes the last results, syncs the log and stores everything', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b']) room.put(1, { body: body(name) });
  const appends = room.run(1000);
  room.answer(appends);
  room.scheduler.close();
  assert.equal(room.syncs, [[0, room.log.end]]);
  assert.is(room.stored, '{\n\t"offsetTable":{1:2\n\t}\n}');
});

scheduler('a stop that cannot sync stores nothing it cannot promise', () => {
  for (const failed of [true, false]) {
    const room = new SchedulerRoom();
    room.put(1);
    room.answer(room.run(1000));
    if (failed) room.storeState.set(StoreState.FLUSH_FAILED);
    else room.syncError = new RingError('DISK_WRITE_FAILED', 'no');
    room.scheduler.close();
    assert.equal([room.stored, room.syncs], [undefined, []]);
  }
});

// ---- faults ----

scheduler('a refused delivery holds its level for 100 ms and is repeated, everything behind it too, in order', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b', 'c', 'd']) room.put(1, { body: body(name) });
  room.put(2, { body: body('5s') });
  const appends = room.run(1000);
  room.answer(appends.slice(0, 1));
  room.answer(appends.slice(1, 3), NOT_AVAILABLE);
  assert.equal(room.run(), [], 'one is still on its way');
  room.answer(appends.slice(3), NOT_AVAILABLE);
  assert.equal(room.run(), []);
  assert.is(room.sleepMs, 100);
  assert.equal(room.run(99), []);
  const again = room.run(1);
  assert.equal(bodiesOf(again), ['b', 'c', 'd']);
  room.answer(again);
  room.flush();
  room.run();
  room.run(1000);
  assert.is(room.stored, '{\n\t"offsetTable":{1:4\n\t}\n}');
  assert.equal(bodiesOf(room.run(2900)), ['5s']);
});

scheduler('what can go nowhere is left out with a word, and holds nobody', () => {
  const room = new SchedulerRoom();
  const real = (topic: string): string => `REAL_TOPIC\u0001${topic}\u0002REAL_QID\u00010`;
  room.put(1, { properties: real('RMQ_SYS_TRANS_HALF_TOPIC') });
  room.put(1, { properties: 'REAL_QID\u00010' });
  room.put(1, { properties: 'REAL_TOPIC\u0001T' });
  room.put(1, { realQueueId: 'x' });
  room.put(1, { realQueueId: '99999999999999' });
  room.put(1, { body: body('good') });
  assert.equal(bodiesOf(room.run(1000)), ['good']);
  assert.is(room.counters.read('delayedDropped'), 5);
  assert.is(room.words.length, 1, 'words are rare');
  assert.equal([room.words[0]!.level, room.words[0]!.queueOffset], [1, 0]);
  assert.match(String(room.words[0]!.reason), /half messages/);
});

scheduler('what is left out at the end counts as progress', () => {
  const room = new SchedulerRoom();
  room.put(1, { body: body('good') });
  room.put(1, { realQueueId: 'x' });
  room.answer(room.run(1000));
  room.flush();
  room.run();
  room.run(1000);
  assert.is(room.stored, '{\n\t"offsetTable":{1:2\n\t}\n}');
});

scheduler('a record that is not there, or is another one, is left out', () => {
  const room = new SchedulerRoom();
  const first = room.put(1, { body: body('damaged') });
  room.put(1, { body: body('good') });
  room.memory.bytes('/store/commitlog/00000000000000000000')[35] = 9; // its physical offset
  assert.ok(first.length > 91);
  assert.equal(bodiesOf(room.run(1000)), ['good']);
  assert.is(room.counters.read('delayedDropped'), 1);
});

scheduler('a log that cannot be read for a moment loses nothing', () => {
  const room = new SchedulerRoom();
  room.put(1, { body: body('a') });
  room.run();
  room.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  assert.equal(room.run(1000), []);
  assert.is(room.sleepMs, 100);
  delete room.disk.faults.fail;
  assert.equal(bodiesOf(room.run(100)), ['a']);
  assert.is(room.words.length, 1);
});

scheduler('a topic nobody knows is waited for a second, once, and then given up', () => {
  const room = new SchedulerRoom();
  for (let index = 0; index < 3; index++) room.put(1, { realTopic: 'Gone' });
  room.put(1, { realQueueId: 4 });
  room.put(1, { body: body('good') });
  assert.equal(room.run(1000), []);
  assert.is(room.sleepMs, 1000);
  assert.equal(room.run(999), []);
  assert.equal(room.run(1), [], 'the queue that T does not have is waited for too');
  assert.is(room.counters.read('delayedDropped'), 3);
  assert.equal(bodiesOf(room.run(1000)), ['good']);
  assert.equal([room.words[0]!.topic, room.words[0]!.reason], ['Gone', 'its topic or queue is gone']);
});

scheduler('a topic whose news was late gets its messages', () => {
  const room = new SchedulerRoom();
  room.put(1, { realTopic: 'Late', realQueueId: 1 });
  assert.equal(room.run(1000), []);
  room.tellTopic(topicEntry('Late', 2, {}, 50));
  assert.equal(room.run(500), []);
  const [append] = room.run(500);
  assert.equal([append!.queueNumber, append!.records[0]!.topic], [51, 'Late']);
});

scheduler('retention goes by: the level goes on where its queue begins', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b', 'c']) room.put(2, { body: body(name) });
  room.run();
  room.retire(2, 2);
  assert.equal(bodiesOf(room.run(5000)), ['c']);
});

// ---- clocks and roles ----

scheduler('a clock that is set back delivers at once what it would hold longer than its delay', () => {
  const room = new SchedulerRoom();
  room.put(2, { body: body('a') });
  room.run();
  assert.equal(bodiesOf(room.run(-3_600_000)), ['a']);
});

scheduler('a clock that is set forward is noticed: no sleep is longer than ten seconds', () => {
  const room = new SchedulerRoom({ delayLevelsMs: [7_200_000] });
  room.put(1, { body: body('a') });
  room.run();
  assert.is(room.sleepMs, 10_000);
  assert.equal(bodiesOf(room.run(7_200_000)), ['a']);
});

scheduler('levels that were made shorter do not hold what was stored with longer ones', () => {
  const room = new SchedulerRoom();
  room.put(1, { body: body('a'), tagsCode: startMs + 3_600_000 });
  assert.equal(bodiesOf(room.run()), ['a']);
});

scheduler('the address of an extension instead of a time: the record knows when it is due', () => {
  const room = new SchedulerRoom();
  room.put(2, { body: body('a'), tagsCode: -9_000_000_000 });
  assert.equal(room.run(4999), []);
  assert.equal(bodiesOf(room.run(1)), ['a']);
});

scheduler('delivers nothing before it is told, nor while the store takes nothing', () => {
  const room = new SchedulerRoom({ untold: true });
  room.put(1, { body: body('a') });
  assert.equal(room.run(1000), []);
  assert.is(room.scheduler.deadlineMs(), never);
  room.tellTopic(topicEntry('T', 4));
  room.tellScheduleTopic();
  room.tell({});
  for (const state of [StoreState.CLOSED, StoreState.DISK_FULL, StoreState.SLAVE, StoreState.DISPATCH_FAILED]) {
    room.storeState.set(state);
    assert.equal(room.run(100), []);
    assert.is(room.sleepMs, 100);
    room.storeState.clear(state);
  }
  assert.equal(bodiesOf(room.run(100)), ['a']);
});

scheduler('a master that becomes a slave stops, and goes on from the file when it is master again', () => {
  const room = new SchedulerRoom();
  for (const name of ['a', 'b', 'c']) room.put(1, { body: body(name) });
  room.put(2, { body: body('5s') });
  const first = room.run(1000);
  assert.is(first.length, 3);
  room.tell({ deliver: false });
  assert.equal(room.run(4000), []);
  assert.is(room.stored, undefined, 'what is on its way is waited for');
  room.answer(first);
  assert.equal(room.run(), []);
  assert.is(room.stored, '{\n\t"offsetTable":{1:3\n\t}\n}');
  assert.is(room.scheduler.deadlineMs(), never);
  room.memory.writeText(delayOffsetFile, '{"offsetTable":{1:1,2:0}}'); // as the new master has it
  assert.equal(room.run(10_000), []);
  room.tell({});
  assert.equal(bodiesOf(room.run()), ['b', 'c', '5s']);
});

scheduler('the copy of a traced message is traced under its id, and no other copy', () => {
  const room = new SchedulerRoom();
  room.put(1);
  const traced = room.positions.read('appended');
  room.put(1);
  room.traceSwitch.every = 100;
  room.recorder.messages.put(traced, 7);
  const appends = room.run(1000);
  assert.equal(
    appends.map(({ traceId }) => traceId),
    [0, 7],
  );
  room.answer(appends);
  room.run();
  assert.equal(
    readRecorder(room.recorder.memory).map(({ name, traceId, value }) => [name, traceId, value]),
    [
      ['due', 7, traced],
      ['delivered', 7, 0],
    ],
  );
});

scheduler('switched off, nobody is asked whether a message is traced', () => {
  const room = new SchedulerRoom();
  room.recorder.messages.put(0, 7);
  room.put(1);
  const [append] = room.run(1000);
  assert.is(append!.traceId, 0);
  assert.equal(readRecorder(room.recorder.memory), []);
});

scheduler.run();
