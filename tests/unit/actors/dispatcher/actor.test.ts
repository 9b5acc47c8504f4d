/** The dispatcher: consume queues out of the log. Source: spec storage 4, 8. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dueTimeOf } from '../../../../actors/dispatcher/due-time.js';
import { StoreState } from '../../../../actors/store-state.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { takeAll, topicEntry } from '../../../support/rooms.js';
import { DispatcherRoom } from './support.js';

const dispatcher = suite('actors/dispatcher');

const tagA = 2_598_919;

const numbersOf = (room: DispatcherRoom, lane = 0): number[] =>
  takeAll(room.lanes[lane]!.ring).map(({ bytes }) => new DataView(bytes.buffer).getInt32(0, true));

dispatcher('writes an entry for each record, with its tags code, and publishes the bound', () => {
  const room = new DispatcherRoom();
  const first = room.append({ queueId: 2, queueOffset: 0 });
  const second = room.append({ queueId: 2, queueOffset: 1, properties: 'KEYS\u0001k' });
  room.run();
  assert.equal(room.entries('TopicTest', 2).slice(0, 2), [
    { position: 0, size: first.end, tags: tagA },
    { position: first.end, size: second.end - second.start, tags: 0 },
  ]);
  assert.equal([room.table.min(2), room.table.max(2), room.table.max(1)], [0, 2, 0]);
  assert.is(room.dispatched, room.log.end);
  assert.is(room.counters.read('unitsDispatched'), 2);
});

dispatcher('a negative tags code fills all 64 bits', () => {
  const room = new DispatcherRoom();
  room.append({ properties: 'TAGS\u0001polygenelubricants' }); // hash -2^31
  room.run();
  assert.is(Buffer.from(room.queueFile('TopicTest', 0).subarray(12, 20)).toString('hex'), 'ffffffff80000000');
});

dispatcher('a topic that is made while it looks is known before its first message', () => {
  const room = new DispatcherRoom();
  const read = room.positions.read.bind(room.positions);
  let made = false;
  room.positions.read = name => {
    if (name === 'appended' && !made) {
      made = true;
      room.tell(topicEntry('New', 1, {}, 20));
      room.append({ topic: 'New', queueOffset: 0 });
    }
    return read(name);
  };
  room.run();
  assert.ok(made);
  assert.is(room.table.max(20), 1);
});

dispatcher('follows several topics and queues, IPv6 hosts and long topics', () => {
  const room = new DispatcherRoom();
  const long = 'L'.repeat(200);
  room.tell(topicEntry('Other', 2, {}, 10));
  room.tell(topicEntry(long, 1, {}, 20));
  room.append({
    topic: 'Other',
    queueId: 1,
    queueOffset: 0,
    bornAddress: Array(16).fill(1),
    storeAddress: Array(16).fill(2),
  });
  room.append({ queueId: 3, queueOffset: 0 });
  room.append({ topic: long, version: 2, queueOffset: 0 });
  room.append({ topic: 'Other', queueId: 1, queueOffset: 1 });
  room.run();
  assert.equal(
    [11, 3, 20].map(number => room.table.max(number)),
    [2, 1, 1],
  );
  assert.equal(
    room
      .entries('Other', 1)
      .slice(0, 2)
      .map(entry => entry.tags),
    [tagA, tagA],
  );
  assert.is(room.entries(long, 0)[0]!.size, room.log.records[2]!.end - room.log.records[2]!.start);
});

dispatcher('leaves out what nobody may consume, and goes on', () => {
  const room = new DispatcherRoom();
  room.append({ sysFlag: 0x04 }); // prepared
  room.append({ sysFlag: 0x0c }); // rolled back
  room.append({ topic: 'Unknown' });
  room.append({ queueId: 9 });
  room.append({ sysFlag: 0x08, queueOffset: 0 }); // committed
  room.append({ sysFlag: 0x01, queueOffset: 1 }); // compressed
  room.run();
  assert.is(room.table.max(0), 2);
  assert.is(room.dispatched, room.log.end);
  assert.is(room.memory.facts('/store/consumequeue/Unknown'), undefined);
});

dispatcher('a topic that was deleted gets no more entries', () => {
  const room = new DispatcherRoom();
  room.append({ queueOffset: 0 });
  room.run();
  room.news.offer(NewsType.TOPIC_DELETED, new TextEncoder().encode('TopicTest'));
  room.append({ queueOffset: 1 });
  room.run();
  assert.equal([room.table.max(0), room.dispatched], [1, room.log.end]);
});

dispatcher('an entry of the schedule topic says when its message is due, and the scheduler is rung', () => {
  const room = new DispatcherRoom();
  room.tell(topicEntry('SCHEDULE_TOPIC_XXXX', 3, {}, 10));
  const storeTimestamp = 1_700_000_000_000;
  const delay = (level: string, queueOffset: number): void => {
    const properties = `DELAY\u0001${level}\u0002TAGS\u0001TagA`;
    room.append({ topic: 'SCHEDULE_TOPIC_XXXX', queueId: 1, queueOffset, properties, storeTimestamp });
  };
  for (const [index, level] of ['1', '2', '3', '99', '0', '-1', 'x'].entries()) delay(level, index);
  let seen = 0;
  room.schedulerBell.listen(() => (seen = room.dispatched));
  room.run();
  assert.is(seen, room.log.end, 'what it follows has moved before it is rung');
  const codes = Array.from({ length: 7 }, (_, index) =>
    Buffer.from(room.queueFile('SCHEDULE_TOPIC_XXXX', 1)).readBigInt64BE(index * 20 + 12),
  );
  const due = (delayMs: number): bigint => BigInt(storeTimestamp + delayMs);
  assert.equal(codes, [due(1000), due(5000), due(30_000), due(30_000), BigInt(tagA), BigInt(tagA), BigInt(tagA)]);
  room.append({ queueOffset: 0, properties: 'DELAY\u00012\u0002TAGS\u0001TagA' });
  seen = 0;
  room.run();
  assert.equal([room.entries('TopicTest', 0)[0]!.tags, seen], [tagA, 0], 'a delivered message has its tags code');
});

dispatcher('a level is one second when there are no levels', () => {
  const property = new TextEncoder().encode('DELAY\u00014');
  assert.is(dueTimeOf(property, 0, property.length, 7000, []), 8000);
});

dispatcher('steps over BLANKs, over many files', () => {
  const room = new DispatcherRoom({ segmentSize: 1000 });
  for (let offset = 0; offset < 60; offset++) room.append({ queueOffset: offset });
  room.run();
  assert.is(room.table.max(0), 60);
  const entries = room.entries('TopicTest', 0, 0, 60);
  assert.equal(
    entries.map(entry => entry.position),
    room.log.records.map(record => record.start),
  );
  assert.ok(room.log.end > 5000, 'it took several files');
});

dispatcher('reads a large backlog in pieces, whatever stands at their borders', () => {
  const room = new DispatcherRoom({ segmentSize: 2 * 1024 * 1024 });
  let offset = 0;
  for (let index = 0; index < 220; index++) {
    room.append({ queueOffset: offset++, body: new Uint8Array(2000 + ((index * 977) % 9000)) });
  }
  room.append({ queueOffset: offset++, body: new Uint8Array(600_000) }); // larger than a piece
  for (let index = 0; index < 30; index++) room.append({ queueOffset: offset++, body: new Uint8Array(1) });
  const cycles: number[] = [];
  for (let cycle = 0; room.dispatched < room.log.end; cycle++) {
    assert.ok(cycle < 200, 'it comes to the end');
    cycles.push(room.dispatched);
    room.nowMs++;
    room.dispatcher.doWork(room.nowMs);
  }
  assert.ok(cycles.length > 5, 'a cycle is bounded');
  assert.is(room.table.max(0), offset);
  const found = [0, 100, 200].flatMap(from => room.entries('TopicTest', 0, from, 100)).slice(0, offset);
  assert.equal(
    found.map(entry => entry.position),
    room.log.records.map(record => record.start),
  );
});

dispatcher('waits a millisecond for more when there is little, and never when there is much', () => {
  const room = new DispatcherRoom();
  room.run();
  room.append({ queueOffset: 0 });
  assert.is(room.dispatcher.doWork(room.nowMs + 1), 1);
  room.append({ queueOffset: 1 });
  assert.is(room.dispatcher.doWork(room.nowMs + 1), 0);
  assert.is(room.dispatcher.deadlineMs(), room.nowMs + 2);
  for (let offset = 2; offset < 4; offset++) room.append({ queueOffset: offset, body: new Uint8Array(60_000) });
  assert.is(room.dispatcher.doWork(room.nowMs + 1), 1);
  assert.is(room.table.max(0), 4);
});

dispatcher('starts where it left off: what a queue has already is not written again', () => {
  const room = new DispatcherRoom({ start: 4096 });
  room.table.publishMax(0, 2);
  for (let offset = 0; offset < 5; offset++) room.append({ queueOffset: offset });
  room.run();
  assert.is(room.table.max(0), 5);
  assert.equal(
    room.entries('TopicTest', 0, 2, 3).map(entry => entry.position),
    room.log.records.slice(2).map(record => record.start),
  );
});

dispatcher('numbers queues itself while a store is opened', () => {
  const asked: string[] = [];
  const numberOf = (topic: string, queueId: number): number => {
    asked.push(`${topic}:${queueId}`);
    return topic === 'A' ? queueId : 10 + queueId;
  };
  const room = new DispatcherRoom({ numberOf });
  room.append({ topic: 'A', queueId: 1, queueOffset: 0 });
  room.append({ topic: 'B', queueId: 0, queueOffset: 0 });
  room.run();
  assert.equal([room.table.max(1), room.table.max(10)], [1, 1]);
  assert.equal([...new Set(asked)], ['A:1', 'B:0']);
});

dispatcher('tells all pull lanes of queues that somebody waits for, and of no others', () => {
  const room = new DispatcherRoom({ pullLanes: 2 });
  room.table.addWaiting(1, 1);
  room.append({ queueId: 0, queueOffset: 0 });
  room.append({ queueId: 1, queueOffset: 0 });
  room.append({ queueId: 1, queueOffset: 1 });
  room.run();
  assert.equal([numbersOf(room, 0), numbersOf(room, 1)], [[1], [1]]);
  assert.ok(room.lanes.every(lane => lane.bell.rings === 1));
  room.table.addWaiting(1, -1);
  room.append({ queueId: 1, queueOffset: 2 });
  room.run();
  assert.equal(numbersOf(room, 0), []);
});

dispatcher('the bound is there before the word that it moved', () => {
  const room = new DispatcherRoom();
  room.table.addWaiting(0, 1);
  let seen = -1;
  room.lanes[0]!.bell.listen(() => (seen = room.table.max(0)));
  room.append({ queueOffset: 0 });
  room.run();
  assert.is(seen, 1);
});

dispatcher('word that a full ring does not take is told later, once a queue', () => {
  const room = new DispatcherRoom({ pullLanes: 2, laneRingBytes: 1024 });
  const { ring } = room.lanes[1]!;
  while (ring.payloadMax >= ring.depthBytes() + 16) ring.offer(1, new Uint8Array(4));
  room.table.addWaiting(2, 1);
  for (let offset = 0; offset < 3; offset++) {
    room.append({ queueId: 2, queueOffset: offset });
    room.run(5);
  }
  assert.equal(numbersOf(room, 0), [], 'all lanes or none');
  assert.is(room.table.max(2), 3, 'it dispatches all the same');
  takeAll(ring);
  room.run(5);
  assert.equal([numbersOf(room, 0), numbersOf(room, 1)], [[2], [2]]);
});

dispatcher(
  'a disk that refuses entries refuses sends, is asked again every second, and nothing is lost or doubled',
  () => {
    const room = new DispatcherRoom();
    for (let offset = 0; offset < 3; offset++) room.append({ queueOffset: offset });
    room.append({ queueId: 1, queueOffset: 0 });
    let tries = 0;
    room.disk.faults.fail = (call, path) => {
      if (call !== 'write' || !path.includes('/TopicTest/1/')) return undefined;
      tries++;
      return 'ENOSPC';
    };
    room.dispatcher.doWork(++room.nowMs);
    assert.ok(room.storeState.has(StoreState.DISPATCH_FAILED));
    assert.is(room.dispatched, 0, 'the position waits for all queues');
    assert.is(tries, 1);
    const retryMs = room.dispatcher.deadlineMs();
    assert.is(retryMs, room.nowMs + 1000);
    room.dispatcher.doWork(retryMs - 1);
    assert.is(tries, 1);
    room.dispatcher.doWork(retryMs);
    assert.is(tries, 2);
    delete room.disk.faults.fail;
    room.nowMs = retryMs + 1000;
    room.append({ queueId: 1, queueOffset: 1 });
    room.run();
    assert.is(room.storeState.read(), 0);
    assert.equal([room.table.max(0), room.table.max(1), room.dispatched], [3, 2, room.log.end]);
    assert.equal(
      room.entries('TopicTest', 0, 0, 3).map(entry => entry.position),
      room.log.records.slice(0, 3).map(record => record.start),
    );
    assert.equal(
      room.entries('TopicTest', 1, 0, 2).map(entry => entry.position),
      [room.log.records[3]!.start, room.log.records[4]!.start],
    );
    assert.is(room.counters.read('unitsDispatched'), 5, 'every entry is counted once');
  },
);

dispatcher('a disk that refuses the entries before a gap is no crash either', () => {
  const room = new DispatcherRoom();
  room.append({ queueOffset: 0 });
  room.append({ queueOffset: 5 });
  room.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.not.throws(() => room.dispatcher.doWork(++room.nowMs));
  assert.ok(room.storeState.has(StoreState.DISPATCH_FAILED));
  delete room.disk.faults.fail;
  room.nowMs += 1000;
  room.run();
  assert.equal([room.table.max(0), room.dispatched], [6, room.log.end]);
});

dispatcher('a log that cannot be read for a moment is no crash', () => {
  const room = new DispatcherRoom();
  room.append({ queueOffset: 0 });
  room.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  assert.not.throws(() => room.dispatcher.doWork(++room.nowMs));
  delete room.disk.faults.fail;
  room.nowMs += 2000;
  room.run();
  assert.is(room.table.max(0), 1);
});

dispatcher('what is no record below the appended position is a bug and stops it', () => {
  const room = new DispatcherRoom();
  const record = room.append({ queueOffset: 0 });
  room.memory.bytes('/store/commitlog/00000000000000000000')[5] = 0;
  assert.throws(() => room.dispatcher.doWork(++room.nowMs), /the log holds records/);
  assert.is(record.start, 0);
});

dispatcher.run();
