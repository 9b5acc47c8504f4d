/** The commit log writer at its rings. Source: spec storage 3.1, 3.7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendFlag, OutboundType } from '../../../../actors/remoting/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { ResponseCode } from '../../../../protocol/codes.js';
import { emptyCheckpoint } from '../../../../storage/checkpoint.js';
import { recoverCommitLog } from '../../../../storage/commit-log-recovery.js';
import { fillRing, takeAll, takeOutbound } from '../../../support/rooms.js';
import { blankRecord, logFolder, WriterRoom } from './support.js';

const writer = suite('actors/commit-log-writer');

writer('fills the blanks and answers where the record stands', () => {
  const room = new WriterRoom({ queueOffsets: [0, 41] });
  const record = blankRecord('hello', 3);
  room.put([record], { connectionId: 5, opaque: 9, flags: AppendFlag.WAIT_FLUSH, queueNumber: 1, queueId: 3 });
  assert.is(room.work(), 1);
  const [answer] = room.take();
  assert.is(answer!.kind, 'result');
  assert.is(answer!.connectionId, 5);
  assert.equal(answer!.result, {
    opaque: 9,
    flags: AppendFlag.WAIT_FLUSH,
    code: ResponseCode.SUCCESS,
    queueId: 3,
    count: 1,
    queueOffset: 41,
    physicalOffset: 0,
    size: record.length,
    sizes: [],
  });
  const [stored] = room.log();
  assert.equal([stored!.queueOffset, stored!.physicalOffset, stored!.storeTimestampMs], [41, 0, room.nowMs]);
  assert.is(stored!.body.toString(), 'hello');
  assert.is(room.appended, record.length);
  assert.equal([room.remotingBell.rings, room.followerBell.rings], [1, 1]);
});

writer('counts each queue for itself, over all its rings', () => {
  const room = new WriterRoom({ inboxes: 3 });
  for (let index = 0; index < 30; index++) {
    room.put([blankRecord(`m${index}`)], { queueNumber: index % 2, opaque: index }, index % 3);
  }
  room.work();
  const answers = room.take();
  for (const queue of [0, 1]) {
    const offsets = answers
      .filter(({ result }) => result!.opaque % 2 === queue)
      .map(({ result }) => result!.queueOffset);
    assert.equal(
      offsets,
      Array.from({ length: 15 }, (_, offset) => offset),
    );
  }
  const positions = answers.map(({ result }) => result!.physicalOffset);
  assert.equal(
    positions,
    [...positions].sort((left, right) => left - right),
    'results come in the order of the log',
  );
  assert.is(room.log().length, 30);
  assert.is(room.counters.read('appendBatches'), 1, 'one write for all');
  assert.is(room.counters.read('messagesAppended'), 30);
  assert.is(room.counters.read('bytesAppended'), room.appended);
});

writer('requests of one ring keep their order', () => {
  const room = new WriterRoom({ segmentSize: 1024 });
  for (let index = 0; index < 50; index++) room.put([blankRecord(`m${index}`)]);
  while (room.work() > 0);
  assert.equal(
    room.log().map(record => record.body.toString()),
    Array.from({ length: 50 }, (_, index) => `m${index}`),
  );
  assert.equal(
    room.log().map(record => record.queueOffset),
    Array.from({ length: 50 }, (_, index) => index),
  );
});

writer('a request of several records gets consecutive offsets and tells each size', () => {
  const room = new WriterRoom({ queueOffsets: [7] });
  const records = [blankRecord('a'), blankRecord('bb'.repeat(50)), blankRecord('')];
  room.put(records);
  room.put([blankRecord('next')]);
  room.work();
  const [batch, single] = room.take();
  assert.equal([batch!.result!.count, batch!.result!.queueOffset], [3, 7]);
  assert.equal(
    batch!.result!.sizes,
    records.map(record => record.length),
  );
  assert.is(
    batch!.result!.size,
    records.reduce((sum, record) => sum + record.length, 0),
  );
  assert.is(single!.result!.queueOffset, 10);
  assert.is(single!.result!.physicalOffset, batch!.result!.size);
  assert.equal(
    room.log().map(record => record.queueOffset),
    [7, 8, 9, 10],
  );
  assert.equal(
    room.log().map(record => record.physicalOffset),
    [0, ...[0, 1, 2].map(last => sizeOf(records, last))],
  );
});

const sizeOf = (records: readonly Uint8Array[], last: number): number =>
  records.slice(0, last + 1).reduce((sum, record) => sum + record.length, 0);

writer('rolls behind a BLANK, and a request is never split', () => {
  const room = new WriterRoom({ segmentSize: 1000 });
  const record = blankRecord('x'.repeat(50));
  const perFile = Math.floor((1000 - 8) / record.length);
  for (let index = 0; index < perFile; index++) room.put([record]);
  room.put([record, record]);
  room.work();
  const answers = room.take();
  assert.is(answers.at(-1)!.result!.physicalOffset, 1000);
  assert.is(answers.at(-1)!.result!.queueOffset, perFile);
  assert.is(room.appended, 1000 + 2 * record.length);
  assert.is(room.log().length, perFile + 2);
});

writer('a record that leaves exactly 8 bytes stays, one that leaves 7 goes to the next file', () => {
  for (const [left, position] of [
    [8, 0],
    [7, 1000],
  ] as const) {
    const overhead = blankRecord('').length;
    const room = new WriterRoom({ segmentSize: 1000, end: 0 });
    const first = blankRecord('');
    room.put([first]);
    room.put([blankRecord(new Uint8Array(1000 - first.length - left - overhead))]);
    room.work();
    assert.is(room.take()[1]!.result!.physicalOffset, position === 0 ? first.length : 1000, `${left} bytes left`);
    assert.is(room.log().length, 2);
  }
});

writer('a log that ends at a file border goes on in the next file', () => {
  const room = new WriterRoom({ segmentSize: 1000, end: 2000, queueOffsets: [5] });
  room.put([blankRecord()]);
  room.work();
  assert.equal([room.take()[0]!.result!.physicalOffset, room.take().length], [2000, 0]);
});

writer('store times never go back', () => {
  const room = new WriterRoom();
  room.put([blankRecord()]);
  room.work();
  room.nowMs -= 5000;
  room.put([blankRecord()]);
  room.work();
  assert.equal(
    room.log().map(record => record.storeTimestampMs),
    [1_700_000_000_000, 1_700_000_000_000],
  );
});

writer('a failed write refuses all of its batch, counts nothing, and the next one reuses the offsets', () => {
  const room = new WriterRoom({ queueOffsets: [3, 8] });
  room.disk.faults.spaceBytes = 200;
  room.put([blankRecord('a'), blankRecord('b')], { queueNumber: 0, opaque: 1, connectionId: 11 });
  room.put([blankRecord('c')], { queueNumber: 1, opaque: 2, flags: AppendFlag.BINARY });
  room.put([blankRecord('d')], { queueNumber: 0, opaque: 3, flags: AppendFlag.ONEWAY });
  room.work();
  const refusals = room.take();
  assert.equal(
    refusals.map(answer => answer.kind),
    ['refused', 'refused', 'refused'],
  );
  assert.is(refusals[0]!.connectionId, 11);
  for (const { command } of refusals.slice(0, 2)) {
    assert.is(command!.code, ResponseCode.SERVICE_NOT_AVAILABLE);
    assert.match(command!.remark!, /ENOSPC/);
    assert.is(command!.extFields.MSG_REGION, 'DefaultRegion');
  }
  assert.equal([refusals[0]!.command!.opaque, refusals[1]!.command!.opaque], [1, 2]);
  assert.equal([refusals[0]!.command!.serializeType, refusals[1]!.command!.serializeType], [0, 1]);
  assert.is(refusals[2]!.command, undefined, 'a oneway request only gets its permit back');
  assert.is(room.appended, 0);
  assert.ok(room.storeState.has(StoreState.WRITE_FAILED));
  assert.is(room.counters.read('appendFailures'), 1);
  assert.is(room.counters.read('messagesAppended'), 0);

  delete room.disk.faults.spaceBytes;
  room.put([blankRecord('e')], { queueNumber: 0 });
  room.put([blankRecord('f')], { queueNumber: 1 });
  room.work();
  assert.equal(
    room.take().map(({ result }) => result!.queueOffset),
    [3, 8],
  );
  assert.is(room.storeState.read(), 0, 'a write that succeeds ends it');
  assert.equal(
    room.log().map(record => record.body.toString()),
    ['e', 'f'],
  );
});

writer('a file that cannot be made refuses the request that needs it, and only from there on', () => {
  const room = new WriterRoom({ segmentSize: 1000 });
  room.put([blankRecord('x'.repeat(700))]);
  room.work();
  assert.is(room.take()[0]!.kind, 'result');
  room.disk.faults.fail = (call, path) => (call === 'write' && path.endsWith('1000') ? 'EDQUOT' : undefined);
  room.put([blankRecord('y'.repeat(700))]);
  room.put([blankRecord('z')]);
  room.work();
  assert.equal(
    room.take().map(answer => answer.kind),
    ['refused', 'refused'],
  );
  delete room.disk.faults.fail;
  room.put([blankRecord('y'.repeat(700))]);
  room.work();
  const [answer] = room.take();
  assert.equal([answer!.result!.queueOffset, answer!.result!.physicalOffset], [1, 1000]);
  assert.equal(
    room.log().map(record => record.queueOffset),
    [0, 1],
  );
});

writer('what fails in the middle of a cycle leaves the batches before it standing', () => {
  const room = new WriterRoom({ segmentSize: 1000 });
  room.disk.faults.fail = (call, path, position) =>
    call === 'write' && path.endsWith('01000') && position === 0 ? 'EIO' : undefined;
  for (let index = 0; index < 12; index++) room.put([blankRecord(`m${index}`)], { opaque: index });
  room.work();
  const answers = room.take();
  const stored = answers.filter(answer => answer.kind === 'result');
  assert.ok(stored.length > 0 && stored.length < 12);
  assert.equal(
    stored.map(({ result }) => result!.queueOffset),
    stored.map((_, offset) => offset),
  );
  assert.is(answers.length, 12, 'every request hears exactly once');
  assert.equal(
    room.log().map(record => record.body.toString()),
    stored.map((_, index) => `m${index}`),
  );
});

writer('a failed write leaves nothing behind that a recovery takes for messages', () => {
  const room = new WriterRoom();
  room.put([blankRecord('first')]);
  room.work();
  room.take();
  // Four records of one size: the write fails after three of them reached the file.
  const size = blankRecord('a').length;
  room.disk.faults.spaceBytes = 3 * size;
  for (const body of ['a', 'b', 'c', 'd']) room.put([blankRecord(body)], { queueNumber: 1 });
  room.work();
  assert.ok(room.take().every(answer => answer.kind === 'refused'));
  delete room.disk.faults.spaceBytes;
  room.put([blankRecord('z')]);
  room.work();
  assert.is(room.take()[0]!.kind, 'result');
  const recovery = recoverCommitLog({
    disk: room.memory,
    folder: logFolder,
    segmentSize: room.segmentSize,
    checkpoint: emptyCheckpoint(),
    cleanStop: false,
    checkCrc: true,
  });
  assert.is(recovery.endOffset, room.appended, 'refused messages are not there after a crash');
});

writer('waits while remoting has no room for results, and goes on when there is', () => {
  const room = new WriterRoom({ resultBytes: 1024 });
  const count = 60;
  for (let opaque = 0; opaque < count; opaque++) room.put([blankRecord()], { opaque });
  const seen: number[] = [];
  for (let cycle = 0; seen.length < count; cycle++) {
    assert.ok(cycle < count, 'it goes on');
    room.work();
    const answers = room.take();
    assert.ok(answers.length < count, 'the ring is too small for all');
    seen.push(...answers.map(answer => answer.result!.opaque));
  }
  assert.equal(
    seen,
    Array.from({ length: count }, (_, opaque) => opaque),
  );
  assert.is(room.log().length, count, 'nothing was appended twice');
});

writer('takes nothing while the results ring is full of what others wait for', () => {
  const room = new WriterRoom({ resultBytes: 1024 });
  fillRing(room.results, OutboundType.FRAME);
  room.put([blankRecord()]);
  assert.is(room.work(), 0);
  assert.is(room.appended, 0, 'nothing is stored whose answer has no room');
  takeAll(room.results);
  assert.is(room.work(), 1);
  assert.is(room.take().length, 1);
});

writer('every request of a failed batch hears, also when refusals are longer than the room kept for results', () => {
  const room = new WriterRoom({ resultBytes: 1024 });
  room.disk.faults.spaceBytes = 0;
  for (let opaque = 0; opaque < 8; opaque++) room.put([blankRecord()], { opaque, connectionId: 20 + opaque });
  const seen: number[] = [];
  for (let cycle = 0; cycle < 20; cycle++) {
    room.work();
    seen.push(...room.take().map(answer => answer.connectionId));
  }
  assert.equal(seen, [20, 21, 22, 23, 24, 25, 26, 27]);
});

writer('never acknowledges: the flag that waits for the flush is handed on', () => {
  const room = new WriterRoom();
  room.put([blankRecord()], { flags: AppendFlag.WAIT_FLUSH | AppendFlag.BINARY });
  room.work();
  assert.is(room.take()[0]!.result!.flags, AppendFlag.WAIT_FLUSH | AppendFlag.BINARY);
  assert.is(room.positions.read('flushed'), 0);
});

writer('a large request does not stay with small ones in one write', () => {
  const room = new WriterRoom({ segmentSize: 4 * 1024 * 1024 });
  const bodies = [10, 400_000, 10, 400_000, 400_000, 10];
  for (const [opaque, length] of bodies.entries()) {
    assert.ok(room.put([blankRecord(new Uint8Array(length))], { opaque }));
    if (opaque % 2 === 1) room.work();
  }
  room.work();
  assert.equal(
    room.take().map(({ result }) => result!.opaque),
    [0, 1, 2, 3, 4, 5],
  );
  assert.equal(
    room.log().map(record => record.body.length),
    bodies,
  );
});

writer('idle it does nothing and rings nobody', () => {
  const room = new WriterRoom();
  assert.is(room.work(), 0);
  assert.equal([room.remotingBell.rings, room.followerBell.rings], [0, 0]);
  assert.is(room.writer.deadlineMs(), Number.POSITIVE_INFINITY);
});

writer('a companion goes into its own queue, in the same write', () => {
  const room = new WriterRoom({ queueOffsets: [5, 100] });
  const records = [blankRecord('committed'), blankRecord('done')];
  room.put(records, { queueNumber: 0, companionQueue: 1 });
  room.put([blankRecord('later')], { queueNumber: 1 });
  room.work();
  const [first, second] = room.take();
  assert.equal([first!.result!.count, first!.result!.queueOffset, first!.result!.sizes], [1, 5, []]);
  assert.is(first!.result!.size, records[0]!.length + records[1]!.length, 'the answer waits for both');
  assert.is(second!.result!.queueOffset, 101);
  assert.equal(
    room.log().map(record => record.queueOffset),
    [5, 100, 101],
  );
  assert.is(room.counters.read('appendBatches'), 1);
});

writer('when the disk refuses, a companion gives its offset back too', () => {
  const room = new WriterRoom({ queueOffsets: [5, 100] });
  room.disk.faults.fail = call => (call === 'write' ? 'EIO' : undefined);
  room.put([blankRecord('committed'), blankRecord('done')], { queueNumber: 0, companionQueue: 1 });
  room.work();
  assert.is(room.take()[0]!.kind, 'refused');
  delete room.disk.faults.fail;
  room.put([blankRecord('again'), blankRecord('done')], { queueNumber: 0, companionQueue: 1 });
  room.work();
  assert.equal(
    room.log().map(record => record.queueOffset),
    [5, 100],
  );
});

writer('a room that appends for the broker hears of it on a ring of its own, also when it is refused', () => {
  const room = new WriterRoom({ room: true });
  room.put([blankRecord('from a client')]);
  room.put([blankRecord('from a room')], { opaque: 77, queueNumber: 3 }, 1);
  room.work();
  assert.is(room.take().length, 1);
  const [stored] = takeOutbound(room.roomResults);
  assert.equal([stored!.kind, stored!.result!.opaque, stored!.result!.code], ['result', 77, ResponseCode.SUCCESS]);
  assert.equal([room.remotingBell.rings, room.roomBell.rings], [1, 1]);
  room.disk.faults.fail = call => (call === 'write' ? 'EIO' : undefined);
  room.put([blankRecord('refused')], { opaque: 78 }, 1);
  room.work();
  const [refused] = takeOutbound(room.roomResults);
  assert.equal([refused!.result!.opaque, refused!.result!.code], [78, ResponseCode.SERVICE_NOT_AVAILABLE]);
  assert.equal([room.remotingBell.rings, room.roomBell.rings], [1, 2], 'only who has news is woken');
});

writer('behind a refused request of a room all others of its attempt are refused, of nobody else', () => {
  const room = new WriterRoom({ room: true });
  const put = (name: string, attempt: number): boolean =>
    room.put([blankRecord(name)], { opaque: attempt, queueNumber: 3, attempt }, 1);
  put('a', 4);
  room.disk.faults.fail = call => (call === 'write' ? 'EIO' : undefined);
  room.work();
  delete room.disk.faults.fail;
  put('b', 4);
  room.put([blankRecord('from a client')], { queueNumber: 3, attempt: -1 });
  put('c', 4);
  put('d', 5);
  put('e', 5);
  room.work();
  const results = takeOutbound(room.roomResults).map(({ result }) => [result!.opaque, result!.code]);
  const refused = ResponseCode.SERVICE_NOT_AVAILABLE;
  assert.equal(results, [
    [4, refused],
    [4, refused],
    [4, refused],
    [5, 0],
    [5, 0],
  ]);
  assert.equal(
    room.log().map(record => [record.body.toString(), record.queueOffset]),
    [
      ['from a client', 0],
      ['d', 1],
      ['e', 2],
    ],
  );
});

writer('a room whose write fails in the middle of a batch gets nothing stored behind it', () => {
  const room = new WriterRoom({ room: true, segmentSize: 2048 });
  let writes = 0;
  room.disk.faults.fail = call => (call === 'write' && ++writes === 4 ? 'EIO' : undefined);
  for (let index = 0; index < 60; index++) {
    room.put([blankRecord(`${index}`.padEnd(100, '.'))], { opaque: index, queueNumber: 3, attempt: 0 }, 1);
  }
  room.work();
  const codes = takeOutbound(room.roomResults).map(({ result }) => result!.code);
  const stored = codes.indexOf(ResponseCode.SERVICE_NOT_AVAILABLE);
  assert.ok(stored > 0 && codes.length === 60, `${stored} of ${codes.length}`);
  assert.ok(codes.slice(stored).every(code => code === ResponseCode.SERVICE_NOT_AVAILABLE));
  assert.is(room.log().length, stored);
  assert.is(room.writer.doWork(room.nowMs), 0);
});

writer('room for results is not lost by requests that are refused at once', () => {
  const room = new WriterRoom({ room: true });
  room.disk.faults.fail = call => (call === 'write' ? 'EIO' : undefined);
  room.put([blankRecord('first')], { attempt: 0 }, 1);
  room.work();
  for (let index = 0; index < 3000; index++) {
    assert.ok(room.put([blankRecord('behind')], { attempt: 0 }, 1));
    assert.is(room.work(), 1);
    takeOutbound(room.roomResults);
  }
});

writer.run();
