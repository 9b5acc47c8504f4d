/**
 * Requests that store a message made from one in the log: codes 36, 37 and 323.
 * Source: spec scheduling 2.2, transaction 4, 5.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { AppendFlag } from '../../../../actors/remoting/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { readRecorder } from '../../../../runtime/trace/recorder.js';
import type { RawRecord } from '../../../support/raw-record.js';
import type { RecordParts } from '../../../support/record-builder.js';
import {
  type Append,
  fillRing,
  frameOf,
  takeAll,
  takeAppends,
  takeOutbound,
  topicEntry,
} from '../../../support/rooms.js';
import { LaneRoom } from './support.js';

const requests = suite('actors/send-lane/stored-requests');
const utf8 = new TextEncoder();
const [schedule, retry, dead, op] = [100, 50, 60, 70];

type Outcome = { readonly append?: Append; readonly code?: number; readonly remark?: string | null };

class Room extends LaneRoom {
  constructor(options: ConstructorParameters<typeof LaneRoom>[0] = {}) {
    super(options);
    this.tell(topicEntry('SCHEDULE_TOPIC_XXXX', 18, {}, schedule));
    this.tell(topicEntry('RMQ_SYS_TRANS_OP_HALF_TOPIC', 1, {}, op));
    this.tell(topicEntry('%RETRY%G', 1, {}, retry));
    this.tellGroup('G', { retryMaxTimes: 3 });
  }

  ask(code: number, fields: Record<string, string | number>, version = 409): Outcome {
    const frame = frameOf(code, fields, null, { opaque: 6 });
    this.put(withVersion(frame, version), { connectionId: 4 });
    this.work();
    const [append] = takeAppends(this.toWriter);
    const [answer] = takeOutbound(this.toRemoting);
    if (append !== undefined) assert.equal([append.connectionId, append.opaque], [4, 6]);
    return {
      ...(append && { append }),
      ...(answer?.command && { code: answer.command.code, remark: answer.command.remark }),
    };
  }
}

function withVersion(frame: Uint8Array, version: number): Uint8Array {
  const text = Buffer.from(frame).toString('latin1').replace('"version":409', `"version":${version}`);
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

const propertiesOf = (record: RawRecord): Record<string, string> => Object.fromEntries(record.properties);

// ---- 36 ----

const consumed: RecordParts = {
  topic: 'T',
  body: utf8.encode('work'),
  properties: 'TAGS\u0001a\u0002KEYS\u0001k',
  flag: 5,
  sysFlag: 1,
  bornTimestamp: 1_600_000_000_000,
};
const back = (offset: number, more: Record<string, string | number> = {}): Record<string, string | number> => ({
  offset,
  group: 'G',
  delayLevel: 0,
  originMsgId: 'ID',
  originTopic: 'T',
  unitMode: 'false',
  ...more,
});

requests('what comes back waits for its next try', () => {
  const room = new Room();
  room.store({ body: utf8.encode('before') });
  const offset = room.store(consumed);
  const { append } = room.ask(36, back(offset));
  const [record] = append!.records;
  assert.equal([append!.queueNumber, append!.count, append!.companionQueue], [schedule + 2, 1, -1]);
  assert.ok((append!.flags & AppendFlag.PLAIN) !== 0, 'the answer tells no place');
  assert.equal([record!.topic, record!.queueId, record!.reconsumeTimes], ['SCHEDULE_TOPIC_XXXX', 2, 1]);
  assert.equal([record!.body.toString(), record!.flag, record!.sysFlag], ['work', 5, 1]);
  assert.is(record!.bornTimestampMs, 1_600_000_000_000);
  assert.equal(propertiesOf(record!), {
    TAGS: 'a',
    KEYS: 'k',
    RETRY_TOPIC: 'T',
    ORIGIN_MESSAGE_ID: `0A00000200002A9F${offset.toString(16).toUpperCase().padStart(16, '0')}`,
    WAIT: 'false',
    DELAY: '3',
    REAL_TOPIC: '%RETRY%G',
    REAL_QID: '0',
  });
});

requests('each try waits longer, unless the consumer says how long', () => {
  const room = new Room();
  const second = room.store({
    ...consumed,
    reconsumeTimes: 2,
    properties: 'RETRY_TOPIC\u0001First\u0002ORIGIN_MESSAGE_ID\u0001X',
  });
  const { append } = room.ask(36, back(second));
  assert.is(append!.queueNumber, schedule + 4);
  const kept = propertiesOf(append!.records[0]!);
  assert.equal([kept.RETRY_TOPIC, kept.ORIGIN_MESSAGE_ID], ['First', 'X']);
  assert.is(room.ask(36, back(second, { delayLevel: 9 })).append!.queueNumber, schedule + 8);
});

requests('tried often enough it is a dead letter, whose topic is made then', () => {
  const room = new Room();
  const offset = room.store({ ...consumed, reconsumeTimes: 3 });
  assert.equal(room.ask(36, back(offset)), {}, 'neither stored nor answered yet');
  assert.equal(
    takeAll(room.toCoordinator).map(({ type }) => type),
    [CoordinatorType.DEAD_LETTER_TOPIC_NEEDED],
  );
  const ready = new Room();
  ready.tell(topicEntry('%DLQ%G', 1, {}, dead));
  const { append } = ready.ask(36, back(ready.store({ ...consumed, reconsumeTimes: 3 })));
  assert.equal(
    [append!.queueNumber, append!.records[0]!.topic, append!.records[0]!.reconsumeTimes],
    [dead, '%DLQ%G', 4],
  );
  assert.is(propertiesOf(append!.records[0]!).DELAY, '0');
});

requests('how often: the client from 3.4.9 on, before it the group', () => {
  const room = new Room();
  room.tell(topicEntry('%DLQ%G', 1, {}, dead));
  const offset = room.store({ ...consumed, reconsumeTimes: 1 });
  const once = back(offset, { maxReconsumeTimes: 1 });
  assert.is(room.ask(36, once, 121).append!.queueNumber, dead);
  assert.is(room.ask(36, once, 120).append!.queueNumber, schedule + 3);
  assert.is(room.ask(36, back(offset, { delayLevel: -1 })).append!.queueNumber, dead, 'the consumer gives up');
});

requests('under SYNC_FLUSH a consumer hears of it when it is safe', () => {
  const room = new Room({ context: { syncFlush: true } });
  const { append } = room.ask(36, back(room.store(consumed)));
  assert.ok((append!.flags & AppendFlag.WAIT_FLUSH) !== 0);
});

requests('what came back is counted for its topic and group, once it is on its way', () => {
  const room = new Room({ writerRingBytes: 4096 });
  const offset = room.store(consumed);
  fillRing(room.toWriter, 1);
  room.put(frameOf(36, back(offset)));
  room.work();
  assert.is(room.traffic.messages(0), 0, 'the writer has no room for it');
  takeAll(room.toWriter);
  room.work();
  assert.is(takeAppends(room.toWriter).length, 1);
  room.ask(36, back(offset));
  room.ask(36, back(offset + 1));
  assert.is(room.traffic.messages(0), 2, 'what is refused does not count');
  const named = takeAll(room.toCoordinator).map(({ type, bytes }) => [type, new TextDecoder().decode(bytes)]);
  assert.equal(named, [[CoordinatorType.PAIR_NAMED, '{"slot":0,"topic":"T","group":"G"}']]);
});

requests('a SYNC_MASTER answers what comes back, and a commit, as it answers sends', () => {
  const room = new Room({ context: { syncReplica: true } });
  const waits = ({ append }: Outcome): boolean => (append!.flags & AppendFlag.WAIT_REPLICA) !== 0;
  assert.ok(waits(room.ask(36, back(room.store(consumed)))));
  assert.ok(waits(room.ask(37, end(room.store(halfMessage), 8))));
});

requests('refusals of what comes back', () => {
  const room = new Room();
  const offset = room.store(consumed);
  assert.is(room.ask(36, back(offset + 1)).code, 1);
  assert.is(room.ask(36, back(offset + 10_000)).code, 1);
  assert.match(room.ask(36, back(-1)).remark!, /look message by offset failed, -1/);
  room.tellGroup('Nothing', { retryQueueNums: 0 });
  assert.equal(room.ask(36, back(offset, { group: 'Nothing' })), { code: 0, remark: null });
  room.tell(topicEntry('%RETRY%ReadOnly', 1, { perm: 4 }, 90));
  room.tellGroup('ReadOnly');
  assert.is(room.ask(36, back(offset, { group: 'ReadOnly' })).code, 16);
  room.storeState.set(StoreState.DISK_FULL);
  assert.is(room.ask(36, back(offset)).code, 1);
});

requests('a group that cannot be made is answered when the frame returns', () => {
  const room = new Room();
  room.put(frameOf(36, back(room.store(consumed), { group: 'Unknown' })));
  room.work();
  const [asked] = takeAll(room.toCoordinator);
  assert.is(asked!.type, CoordinatorType.TOPIC_NEEDED);
  room.news.offer(1, asked!.bytes);
  room.work();
  assert.is(takeOutbound(room.toRemoting)[0]!.command!.code, 26);
});

// ---- 37 ----

const halfMessage: RecordParts = {
  topic: 'RMQ_SYS_TRANS_HALF_TOPIC',
  body: utf8.encode('order'),
  properties: 'TRAN_MSG\u0001true\u0002PGROUP\u0001PG\u0002UNIQ_KEY\u0001u\u0002REAL_TOPIC\u0001T\u0002REAL_QID\u00013',
  queueOffset: 41,
  flag: 2,
};
const end = (commitLogOffset: number, commitOrRollback: number, more: Record<string, string | number> = {}) => ({
  producerGroup: 'PG',
  tranStateTableOffset: 41,
  commitLogOffset,
  commitOrRollback,
  fromTransactionCheck: 'false',
  msgId: 'ID',
  ...more,
});

requests('a commit stores the message in its own queue, and with it that the transaction is decided', () => {
  const room = new Room({ context: { syncFlush: true } });
  room.store(consumed);
  const offset = room.store(halfMessage);
  const { append } = room.ask(37, end(offset, 8));
  const [message, decided] = append!.records;
  assert.equal([append!.queueNumber, append!.companionQueue, append!.count], [13, op, 1]);
  assert.ok((append!.flags & AppendFlag.WAIT_FLUSH) !== 0);
  assert.equal([message!.topic, message!.queueId, message!.sysFlag, message!.flag], ['T', 3, 8, 2]);
  assert.equal([message!.body.toString(), message!.preparedTransactionOffset], ['order', offset]);
  assert.equal(Object.keys(propertiesOf(message!)), ['TRAN_MSG', 'PGROUP', 'UNIQ_KEY', 'REAL_TOPIC', 'REAL_QID']);
  assert.equal([decided!.topic, decided!.queueId, decided!.body.toString()], ['RMQ_SYS_TRANS_OP_HALF_TOPIC', 0, '41']);
  assert.equal(propertiesOf(decided!), { TAGS: 'd', WAIT: 'true' });
});

requests('a rollback stores only that the transaction is decided', () => {
  const room = new Room();
  const { append } = room.ask(37, end(room.store(halfMessage), 12));
  assert.equal([append!.queueNumber, append!.companionQueue, append!.records.length], [op, -1, 1]);
  assert.is(append!.records[0]!.body.toString(), '41');
});

requests('a half message larger than one read is committed whole', () => {
  const room = new Room();
  const body = Buffer.alloc(10_000, 'large ');
  const { append } = room.ask(37, end(room.store({ ...halfMessage, body }), 8));
  const [message, decided] = append!.records;
  assert.ok(message!.body.equals(body));
  assert.is(decided!.topic, 'RMQ_SYS_TRANS_OP_HALF_TOPIC');
});

requests('transactions that begin together may end in any order, near and far in the log', () => {
  const room = new Room();
  const bodies = ['first', 'second', 'x'.repeat(40_000), 'third', 'y'.repeat(90_000), 'last'];
  const offsets = bodies.map((body, index) =>
    room.store({ ...halfMessage, body: utf8.encode(body), queueOffset: 41 + index }),
  );
  for (const index of [5, 0, 1, 4, 2, 3, 0]) {
    const { append } = room.ask(37, end(offsets[index]!, 8, { tranStateTableOffset: 41 + index }));
    const [message, decided] = append!.records;
    assert.is(message!.body.toString(), bodies[index]);
    assert.is(decided!.body.toString(), String(41 + index));
  }
});

requests('a half message that was stored after its log was read is found', () => {
  const room = new Room();
  for (let index = 0; index < 5; index++) {
    const offset = room.store({ ...halfMessage, body: utf8.encode(`order ${index}`) });
    const { append } = room.ask(37, end(offset, 8));
    assert.is(append!.records[0]!.body.toString(), `order ${index}`);
  }
});

requests('the group of an end is compared as text, however it is written', () => {
  const room = new Room();
  const properties = halfMessage.properties!.replace('PG\u0002', 'gr\u00fc\u00dfe"\u0002');
  const offset = room.store({ ...halfMessage, properties });
  assert.ok(room.ask(37, end(offset, 12, { producerGroup: 'gr\u00fc\u00dfe"' })).append !== undefined);
  assert.is(room.ask(37, end(offset, 12, { producerGroup: 'gr\u00fc\u00dfe' })).remark, 'The producer group wrong');
  assert.is(room.ask(37, end(offset, 12, { producerGroup: '' })).remark, 'The producer group wrong');
});

requests('a committed message may have to wait for its time', () => {
  const room = new Room();
  const delayed = { ...halfMessage, properties: `${halfMessage.properties}\u0002DELAY\u00012` };
  const { append } = room.ask(37, end(room.store(delayed), 8));
  assert.equal([append!.queueNumber, append!.records[0]!.topic], [schedule + 1, 'SCHEDULE_TOPIC_XXXX']);
});

requests('unknown is not answered, and gives its permit back', () => {
  const room = new Room();
  room.put(frameOf(37, end(room.store(halfMessage), 0)));
  room.work();
  assert.equal(takeOutbound(room.toRemoting), [{ kind: 'refused', connectionId: 1 }]);
});

requests('refusals of an end', () => {
  const room = new Room();
  const offset = room.store(halfMessage);
  const other = room.store(consumed);
  const remarkOf = (more: Record<string, string | number>, at = offset): string => {
    const { code, remark } = room.ask(37, end(at, 8, more));
    assert.is(code, 1);
    return remark!;
  };
  assert.is(remarkOf({ producerGroup: 'Other' }), 'The producer group wrong');
  assert.is(remarkOf({ tranStateTableOffset: 40 }), 'The transaction state table offset wrong');
  assert.is(remarkOf({}, offset + 3), 'Find prepared transaction message failed');
  assert.is(remarkOf({}, other), 'Find prepared transaction message failed');
  const { code } = room.ask(
    37,
    end(room.store({ ...halfMessage, properties: 'PGROUP\u0001PG\u0002REAL_TOPIC\u0001Gone\u0002REAL_QID\u00010' }), 8),
  );
  assert.is(code, 17);
  room.storeState.set(StoreState.SLAVE);
  assert.is(room.ask(37, end(offset, 8)).code, 11);
});

// ---- 323 ----

const givenUp: RecordParts = {
  topic: 'TRANS_CHECK_MAX_TIME_TOPIC',
  body: utf8.encode('pay'),
  properties: 'PGROUP\u0001PG\u0002REAL_TOPIC\u0001T\u0002REAL_QID\u00010\u0002TRANSACTION_CHECK_TIMES\u000115',
  flag: 5,
};
const half = 80;
const idOf = (position: number): string => `0A00000200002A9F${position.toString(16).toUpperCase().padStart(16, '0')}`;

function resumeRoom(): Room {
  const room = new Room();
  room.tell(topicEntry('RMQ_SYS_TRANS_HALF_TOPIC', 1, {}, half));
  room.store({ body: utf8.encode('before') });
  return room;
}

requests('a half message that was given up is asked about again, from the first question on', () => {
  const room = resumeRoom();
  const { append } = room.ask(323, { msgId: idOf(room.store(givenUp)) });
  const [record] = append!.records;
  assert.equal([append!.queueNumber, append!.count, append!.companionQueue], [half, 1, -1]);
  assert.equal([record!.topic, record!.queueId, record!.flag], ['RMQ_SYS_TRANS_HALF_TOPIC', 0, 5]);
  assert.is(record!.body.toString(), 'pay');
  assert.equal(propertiesOf(record!), {
    PGROUP: 'PG',
    REAL_TOPIC: 'T',
    REAL_QID: '0',
    TRANSACTION_CHECK_TIMES: '0',
  });
});

requests('nothing else is made a half message, and bad ids are told so', () => {
  const room = resumeRoom();
  for (const msgId of ['', 'X', idOf(0), idOf(7), idOf(2 ** 40), idOf(room.store(consumed))]) {
    const { code, remark } = room.ask(323, { msgId });
    assert.is(code, 1, msgId);
    assert.match(remark!, 'TRANS_CHECK_MAX_TIME_TOPIC');
  }
});

// ---- tracing ----

for (const [what, event, askFor] of [
  ['a commit', 'laneCommitted', (room: Room, at: number) => room.ask(37, end(at, 8))],
  ['a rollback', 'laneRolledBack', (room: Room, at: number) => room.ask(37, end(at, 12))],
  ['a return', 'laneSentBack', (room: Room, at: number) => room.ask(36, back(at))],
] as const) {
  requests(`${what} goes on under the trace id of its message, traced itself or not`, () => {
    const room = new Room();
    room.store({ body: utf8.encode('before') });
    const offset = room.store(event === 'laneSentBack' ? consumed : halfMessage);
    assert.is(askFor(room, offset).append!.traceId, 0, 'nothing is traced');
    room.recorder.messages.put(offset, 7);
    room.traceSwitch.every = 100;
    assert.is(askFor(room, offset).append!.traceId, 7);
    assert.equal(
      readRecorder(room.recorder.memory).map(({ name, traceId, value, first }) => [name, traceId, value, first]),
      [[event, 7, offset, 0]],
    );
  });
}

requests('a traced request to a message that is not traced has its own trace id', () => {
  const room = new Room();
  const offset = room.store(halfMessage);
  room.traceSwitch.every = 1;
  room.put(frameOf(37, end(offset, 8)), { traceId: 9 });
  room.work();
  const [append] = takeAppends(room.toWriter);
  assert.is(append!.traceId, 9);
  assert.equal(
    readRecorder(room.recorder.memory).map(({ name, traceId, first }) => [name, traceId, first]),
    [
      ['laneTook', 9, 0],
      ['laneCommitted', 9, 9],
    ],
  );
});

requests.run();
