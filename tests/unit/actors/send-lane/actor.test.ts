/** The send lane at its rings. Source of codes: spec remoting 5.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { AppendFlag, OutboundFrame, OutboundType } from '../../../../actors/remoting/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { ResponseCode } from '../../../../protocol/codes.js';
import {
  asAnswer,
  batchBody,
  frameOf,
  laneSettings,
  type SendFields,
  sendFrame,
  takeAll,
  takeAppends,
  takeOutbound,
  topicEntry,
} from '../../../support/rooms.js';
import { LaneRoom } from './support.js';

const lane = suite('actors/send-lane');

const settingsNews = (room: LaneRoom, settings: Partial<typeof laneSettings>): boolean =>
  room.news.offer(NewsType.SETTINGS, new TextEncoder().encode(JSON.stringify({ ...laneSettings, ...settings })));

lane('makes the whole record but for what only the writer knows', () => {
  const room = new LaneRoom();
  const append = room.append(
    {
      body: 'hello',
      queueId: 2,
      opaque: 77,
      more: { flag: 5, sysFlag: 1, reconsumeTimes: 3, bornTimestamp: 1_600_000_000_123 },
    },
    { connectionId: 99, peerAddress: 0x0a000001, peerPort: 40_123 },
  );
  const [record] = append.records;
  assert.is(append.connectionId, 99);
  assert.is(append.opaque, 77);
  assert.is(append.queueNumber, 12);
  assert.is(append.queueId, 2);
  assert.is(append.count, 1);
  assert.is(append.size, record!.bytes.length);
  assert.is(record!.topic, 'T');
  assert.is(record!.queueId, 2);
  assert.is(record!.flag, 5);
  assert.is(record!.sysFlag, 1);
  assert.is(record!.reconsumeTimes, 3);
  assert.is(record!.bornTimestampMs, 1_600_000_000_123);
  assert.is(record!.storeHost, '10.0.0.2:10911');
  assert.is(record!.bytes.toString('hex', 48, 56), '0a00000100009cbb');
  assert.is(record!.body.toString(), 'hello');
  assert.equal(
    [...record!.properties],
    [
      ['TAGS', 'TagA'],
      ['CLUSTER', 'DefaultCluster'],
    ],
  );
  assert.equal([record!.queueOffset, record!.physicalOffset, record!.storeTimestampMs], [0, 0, 0]);
});

lane('reads long names, short names and binary headers alike', () => {
  const room = new LaneRoom();
  const properties = 'TAGS\u0001Tägü\u0002KEYS\u0001"k\\1" k2\u0002WAIT\u0001true';
  const forms: SendFields[] = [
    { code: 310 },
    { code: 10 },
    { code: 310, serializeType: 1 },
    { code: 10, serializeType: 1 },
  ];
  const appends = forms.map(form => room.append({ ...form, properties, queueId: 1 }));
  for (const append of appends) assert.equal(append.records[0]!.bytes, appends[0]!.records[0]!.bytes);
  assert.is(appends[0]!.records[0]!.properties.get('KEYS'), '"k\\1" k2');
  assert.is(appends[0]!.records[0]!.properties.get('TAGS'), 'Tägü');
  assert.equal(
    appends.map(append => append.flags & AppendFlag.BINARY),
    [0, 0, 1, 1],
  );
});

lane('makes a record of each message of a batch, with the properties of both', () => {
  const room = new LaneRoom();
  const body = batchBody([
    { body: 'one', properties: 'KEYS\u0001k1', flag: 1 },
    { body: 'two', properties: 'KEYS\u0001k2\u0002', flag: 2 },
    { body: new Uint8Array(0) },
  ]);
  for (const send of [{ code: 320 }, { code: 310, more: { batch: true } }] as const) {
    const append = room.append({ ...send, body, properties: 'TAGS\u0001TagB', queueId: 3 });
    assert.is(append.count, 3);
    assert.equal(
      append.records.map(record => record.body.toString()),
      ['one', 'two', ''],
    );
    assert.equal(
      append.records.map(record => record.flag),
      [1, 2, 0],
    );
    assert.equal(
      append.records.map(record => record.properties.get('KEYS')),
      ['k1', 'k2', undefined],
    );
    for (const { properties, queueId } of append.records) {
      assert.is(properties.get('TAGS'), 'TagB');
      assert.is(properties.get('CLUSTER'), 'DefaultCluster');
      assert.is(queueId, 3);
    }
    assert.is(
      append.size,
      append.records.reduce((sum, record) => sum + record.bytes.length, 0),
    );
  }
});

lane('a negative queue id means any queue that may be written', () => {
  const room = new LaneRoom();
  room.tell(topicEntry('T', 4, { writeQueueNums: 2 }, 10));
  const chosen = new Set(Array.from({ length: 200 }, () => room.append({ queueId: -1 }).queueId));
  assert.equal([...chosen].sort(), [0, 1]);
});

lane('waits for the flush when the broker syncs and the message does not decline', () => {
  const waits = (syncFlush: boolean, properties: string): boolean =>
    (new LaneRoom({ context: { syncFlush } }).append({ properties }).flags & AppendFlag.WAIT_FLUSH) !== 0;
  assert.is(waits(true, 'WAIT\u0001true'), true);
  assert.is(waits(true, ''), true);
  assert.is(waits(true, 'WAIT\u0001false'), false);
  assert.is(waits(false, 'WAIT\u0001true'), false);
  const batch = (properties: string): number =>
    new LaneRoom({ context: { syncFlush: true } }).append({ code: 320, properties, body: batchBody([{ body: 'a' }]) })
      .flags;
  assert.is(batch('WAIT\u0001false') & AppendFlag.WAIT_FLUSH, 0);
  assert.is(batch('WAIT\u0001true') & AppendFlag.WAIT_FLUSH, AppendFlag.WAIT_FLUSH);
});

lane('stores messages at the limits', () => {
  const room = new LaneRoom({ settings: { maxMessageSize: 1000 } });
  assert.is(room.append({ body: new Uint8Array(1000) }).records[0]!.body.length, 1000);
  assert.is(room.append({ body: new Uint8Array(0) }).records[0]!.body.length, 0);
  const topic = 'x'.repeat(127);
  room.tell(topicEntry(topic, 1));
  assert.is(room.append({ topic }).records[0]!.topic, topic);
  const longest = 32_767 - 'CLUSTER\u0001DefaultCluster\u0002'.length - 'KEYS\u0001'.length;
  assert.is(
    room.append({ properties: `KEYS\u0001${'k'.repeat(longest)}` }).records[0]!.properties.get('KEYS')!.length,
    longest,
  );
});

lane('refuses with the codes of RocketMQ', () => {
  const room = new LaneRoom({ settings: { maxMessageSize: 1000 } });
  room.tell(topicEntry('SELF_TEST_TOPIC', 1));
  room.tell(topicEntry('NoQueues', 0));
  room.tell(topicEntry('FewWrite', 4, { writeQueueNums: 1 }));
  const cases: [name: string, code: number, remark: RegExp, send: SendFields][] = [
    ['queue beyond the last', 1, /queueId\[4\] is illegal/, { queueId: 4 }],
    ['no queues at all', 1, /queueId\[0\] is illegal/, { topic: 'NoQueues' }],
    ['blank topic', 1, /topic is blank/, { topic: ' ' }],
    ['empty topic', 1, /topic is blank/, { topic: '' }],
    ['no topic', 1, /topic is blank/, { more: { topic: undefined } }],
    ['illegal topic', 1, /illegal characters/, { topic: 'a b' }],
    ['illegal topic, escaped', 1, /illegal characters/, { topic: 'a"b' }],
    ['long topic', 1, /longer than topic max length 127/, { topic: 'x'.repeat(128) }],
    ['a topic of the system', 16, /SELF_TEST_TOPIC\] is forbidden/, { topic: 'SELF_TEST_TOPIC' }],
    ['a topic of the system that is not there', 16, /is forbidden/, { topic: 'RMQ_SYS_TRANS_HALF_TOPIC' }],
    ['the schedule topic', 16, /is forbidden/, { topic: 'SCHEDULE_TOPIC_XXXX' }],
    ['large body', 13, /msg body length limit/, { body: new Uint8Array(1001) }],
    ['large properties', 13, /msg properties length limit/, { properties: `KEYS\u0001${'k'.repeat(32_763)}` }],
    [
      'a batch of half messages',
      13,
      /neither delayed nor transactional/,
      { code: 320, body: batchBody([{ body: 'a', properties: 'TRAN_MSG\u0001true' }]) },
    ],
    [
      'a delayed batch',
      13,
      /neither delayed nor transactional/,
      { code: 320, properties: 'DELAY\u00011', body: batchBody([{ body: 'a' }]) },
    ],
    ['an empty batch', 13, /not a list of messages/, { code: 320, body: new Uint8Array(0) }],
    ['a torn batch', 13, /not a list of messages/, { code: 320, body: batchBody([{ body: 'abc' }]).subarray(0, 24) }],
    [
      'a batch with a tail',
      13,
      /not a list of messages/,
      { code: 320, body: Buffer.concat([batchBody([{ body: 'a' }]), Buffer.from('x')]) },
    ],
    ['no batch at all', 13, /not a list of messages/, { code: 320, body: 'hello hello hello hello hello' }],
  ];
  for (const code of [10, 310] as const) {
    for (const [name, expected, remark, send] of cases) {
      const { kind, connectionId, command } = room.refusal({ code, opaque: 5, ...send }, { connectionId: 7 });
      assert.is(kind, 'refused', name);
      assert.is(connectionId, 7, name);
      assert.is(command!.code, expected, `${name}: ${command!.remark}`);
      assert.match(command!.remark ?? '', remark, name);
      assert.is(command!.opaque, 5, name);
      assert.is(command!.extFields.MSG_REGION, 'DefaultRegion', name);
      assert.is(command!.extFields.TRACE_ON, 'true', name);
    }
  }
  assert.is(room.append({ topic: 'FewWrite', queueId: 3 }).queueId, 3, 'the larger of both queue counts bounds the id');
});

lane('answers refusals in the serialize type of the request', () => {
  const room = new LaneRoom();
  for (const serializeType of [0, 1] as const) {
    assert.is(room.refusal({ queueId: 9, serializeType }).command!.serializeType, serializeType);
  }
});

lane('refuses while the store cannot be written, and says why', () => {
  const room = new LaneRoom();
  for (const bit of [StoreState.DISK_FULL, StoreState.FLUSH_FAILED, StoreState.SLAVE, StoreState.DISPATCH_FAILED]) {
    room.storeState.set(bit);
    const { command } = room.refusal();
    assert.is(command!.code, ResponseCode.SERVICE_NOT_AVAILABLE, String(bit));
    assert.match(command!.remark!, /may be caused by: \w+/);
    room.storeState.clear(bit);
    room.append();
  }
  room.storeState.set(StoreState.WRITE_FAILED);
  room.append({});
});

lane('a broker without write permission refuses ordered topics only, as Java does', () => {
  const room = new LaneRoom({ settings: { brokerPermission: 4 } });
  room.tell(topicEntry('Ordered', 1, { order: true }));
  room.append();
  const { command } = room.refusal({ topic: 'Ordered' });
  assert.is(command!.code, ResponseCode.NO_PERMISSION);
  assert.match(command!.remark!, /the broker\[broker-a\] sending message is forbidden/);
});

lane('takes news of settings', () => {
  const room = new LaneRoom();
  settingsNews(room, { maxMessageSize: 3 });
  assert.is(room.refusal().command!.code, ResponseCode.MESSAGE_ILLEGAL);
  settingsNews(room, { startAcceptSendRequestTimeStamp: room.nowMs + 1 });
  const { command } = room.refusal();
  assert.is(command!.code, ResponseCode.SYSTEM_ERROR);
  assert.match(command!.remark!, /broker unable to service, until/);
  settingsNews(room, { startAcceptSendRequestTimeStamp: room.nowMs });
  room.append();
});

lane('refuses what waited longer than waitTimeMillsInSendQueue', () => {
  const room = new LaneRoom();
  room.append({}, { arrivedMs: room.nowMs - 200 });
  const { kind, command } = room.refusal({}, { arrivedMs: room.nowMs - 201 });
  assert.is(kind, 'refused');
  assert.is(command!.code, ResponseCode.SYSTEM_BUSY);
  assert.match(command!.remark!, /^\[TIMEOUT_CLEAN_QUEUE\].*waitTimeMillsInSendQueue/);
  settingsNews(room, { waitTimeMillsInSendQueue: Number.MAX_SAFE_INTEGER });
  room.append({}, { arrivedMs: room.nowMs - 1_000_000 });
});

lane('where there is a telemetry room, sends of traced messages are marked', () => {
  const traceparent = (flags: string): string =>
    `traceparent\u000100-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`;
  const room = new LaneRoom({ joinsTraces: true });
  const isMarked = (send: SendFields, at = room): boolean => (at.append(send).flags & AppendFlag.JOINS_TRACE) !== 0;
  assert.is(isMarked({ properties: traceparent('01') }), true);
  assert.is(isMarked({ properties: traceparent('00') }), false);
  assert.is(isMarked({ properties: 'TAGS\u0001a' }), false);
  const batch = batchBody([{ body: 'a' }, { body: 'b', properties: traceparent('01') }]);
  assert.is(isMarked({ code: 320, body: batch }), true);
  assert.is(isMarked({ properties: traceparent('01') }, new LaneRoom()), false, 'without one nobody looks');
});

lane('oneway: appended as one, and a refusal only gives the permit back', () => {
  const room = new LaneRoom();
  assert.is(room.append({ oneway: true }).flags & AppendFlag.ONEWAY, AppendFlag.ONEWAY);
  const refusal = room.refusal({ oneway: true, queueId: 9 }, { connectionId: 3 });
  assert.equal(refusal, { kind: 'refused', connectionId: 3 });
});

lane('an answer with the code of a send only gives the permit back', () => {
  const room = new LaneRoom();
  assert.equal(room.refusal(asAnswer(sendFrame()), { connectionId: 5 }), { kind: 'refused', connectionId: 5 });
  assert.is(room.remotingBell.rings, 1);
});

lane('a header that cannot be read costs the connection, and the permit comes back', () => {
  const room = new LaneRoom();
  const frame = sendFrame({ body: '' });
  frame[frame.length - 1] = 0x20; // the closing brace
  room.put(frame, { connectionId: 4 });
  room.work();
  assert.equal(takeOutbound(room.toRemoting), [
    { kind: 'refused', connectionId: 4 },
    { kind: 'close', connectionId: 4 },
  ]);
});

lane('an unknown topic goes to the coordinator, and the frame comes back after the news', () => {
  const room = new LaneRoom();
  room.put(sendFrame({ topic: 'New' }), { connectionId: 8 });
  room.work();
  const [asked] = takeAll(room.toCoordinator);
  assert.is(asked!.type, CoordinatorType.TOPIC_NEEDED);
  assert.is(room.coordinatorBell.rings, 1);
  assert.equal([takeAll(room.toWriter), takeAll(room.toRemoting)], [[], []]);

  room.tell(topicEntry('New', 1, {}, 50));
  room.news.offer(NewsType.FRAME, asked!.bytes);
  room.work();
  const [append] = takeAppends(room.toWriter);
  assert.is(append!.queueNumber, 50);
  assert.is(append!.connectionId, 8);
});

lane('a frame that comes back without its topic is refused', () => {
  const room = new LaneRoom();
  room.put(sendFrame({ topic: 'New' }), { connectionId: 8 });
  room.work();
  room.news.offer(NewsType.FRAME, takeAll(room.toCoordinator)[0]!.bytes);
  room.work();
  const [answer] = takeOutbound(room.toRemoting);
  assert.is(answer!.command!.code, ResponseCode.TOPIC_NOT_EXIST);
  assert.is(answer!.command!.remark, 'topic[New] not exist, apply first please!');
  assert.is(takeAll(room.toCoordinator).length, 0);
});

lane('a deleted topic is unknown again', () => {
  const room = new LaneRoom();
  room.append();
  room.news.offer(NewsType.TOPIC_DELETED, new TextEncoder().encode('T'));
  room.put(sendFrame());
  room.work();
  assert.is(takeAll(room.toCoordinator).length, 1);
});

lane('leaves requests in their ring while the writer has no room, and keeps their order', () => {
  const room = new LaneRoom({ writerRingBytes: 2048 });
  for (let opaque = 0; opaque < 20; opaque++) room.put(sendFrame({ opaque, body: new Uint8Array(100) }));
  const seen: number[] = [];
  for (let cycle = 0; seen.length < 20; cycle++) {
    assert.ok(cycle < 20, 'it goes on');
    room.work();
    const appends = takeAppends(room.toWriter);
    assert.ok(appends.length < 20, 'the ring is too small for all');
    seen.push(...appends.map(append => append.opaque));
  }
  assert.equal(
    seen,
    Array.from({ length: 20 }, (_, opaque) => opaque),
  );
  assert.is(takeAll(room.toRemoting).length, 0);
});

lane('looks again soon while a room it sends to is full: nobody rings when there is room', () => {
  const room = new LaneRoom({ writerRingBytes: 2048 });
  for (let opaque = 0; opaque < 20; opaque++) room.put(sendFrame({ opaque, body: new Uint8Array(100) }));
  assert.ok(room.work() < 20);
  assert.is(room.lane.deadlineMs(), room.nowMs + 5);
  for (let cycle = 0; cycle < 20; cycle++) {
    takeAppends(room.toWriter);
    room.work();
  }
  assert.is(room.lane.deadlineMs(), Number.POSITIVE_INFINITY);
});

lane('leaves requests in their ring while remoting has no room for refusals', () => {
  const room = new LaneRoom({ remotingRingBytes: 1024 });
  for (let opaque = 0; opaque < 20; opaque++) room.put(sendFrame({ opaque, queueId: 9 }));
  const seen: number[] = [];
  for (let cycle = 0; seen.length < 20; cycle++) {
    assert.ok(cycle < 40, 'it goes on');
    room.work();
    seen.push(...takeOutbound(room.toRemoting).map(answer => answer.command!.opaque));
  }
  assert.equal(
    seen,
    Array.from({ length: 20 }, (_, opaque) => opaque),
  );
});

lane('records that cannot fit the ring to the writer are refused, not stuck', () => {
  const room = new LaneRoom({ writerRingBytes: 4096 });
  assert.is(room.refusal({ body: new Uint8Array(4000) }).command!.code, ResponseCode.MESSAGE_ILLEGAL);
  const many = batchBody(Array.from({ length: 40 }, () => ({ body: 'x' })));
  assert.is(room.refusal({ code: 320, body: many }).command!.code, ResponseCode.MESSAGE_ILLEGAL);
  room.append();
});

lane('rings the rooms it wrote to, once a cycle', () => {
  const room = new LaneRoom();
  for (let index = 0; index < 5; index++) room.put(sendFrame());
  for (let index = 0; index < 5; index++) room.put(sendFrame({ queueId: 9 }));
  room.work();
  assert.is(room.writerBell.rings, 1);
  assert.is(room.remotingBell.rings, 1);
  assert.is(room.coordinatorBell.rings, 0);
  assert.is(room.work(), 0);
  assert.is(room.writerBell.rings, 1);
  assert.is(room.lane.deadlineMs(), Number.POSITIVE_INFINITY);
});

lane('fields that are missing or no numbers count as 0, as in Java', () => {
  const room = new LaneRoom();
  assert.is(room.refusal(frameOf(310, {}, null)).command!.code, ResponseCode.SYSTEM_ERROR);
  const { records } = room.append({
    body: '',
    more: { queueId: 'x', sysFlag: undefined, bornTimestamp: '', properties: undefined },
  });
  assert.equal([records[0]!.queueId, records[0]!.sysFlag, records[0]!.bornTimestampMs], [0, 0, 0]);
});

lane('pipelined sends of a connection keep their order while their topic is being made', () => {
  const room = new LaneRoom();
  const send = (opaque: number): boolean => room.put(sendFrame({ topic: 'New', opaque }));
  send(1);
  room.work();
  const [first] = takeAll(room.toCoordinator);
  send(2);
  room.work();
  const [second] = takeAll(room.toCoordinator);
  room.tell(topicEntry('New', 1, {}, 50));
  room.news.offer(NewsType.FRAME, first!.bytes);
  send(3);
  room.work();
  if (second !== undefined) room.news.offer(NewsType.FRAME, second.bytes);
  room.work();
  // What came while others were away may have gone the same way.
  for (const later of takeAll(room.toCoordinator)) room.news.offer(NewsType.FRAME, later.bytes);
  room.work();
  assert.equal(
    takeAppends(room.toWriter).map(append => append.opaque),
    [1, 2, 3],
  );
});

lane('a permit alone is a record of the connection and nothing else', () => {
  const room = new LaneRoom();
  room.put(sendFrame({ oneway: true, queueId: 9 }), { connectionId: 6 });
  room.work();
  const [record] = takeAll(room.toRemoting);
  assert.is(record!.type, OutboundType.SEND_REFUSED);
  assert.is(record!.bytes.length, OutboundFrame.frameBytes);
});

lane('a reply goes to the coordinator first, and holds up nothing of its connection', () => {
  const room = new LaneRoom();
  const reply = frameOf(325, { a: 'PG', b: 'T', e: 1, f: 0, g: 1, h: 0, i: 'REPLY_TO_CLIENT\u0001x' }, null, {
    opaque: 8,
  });
  room.put(reply, { connectionId: 5 });
  room.work();
  const [asked] = takeAll(room.toCoordinator);
  assert.is(asked!.type, CoordinatorType.REPLY);
  assert.is(room.append({ topic: 'T' }, { connectionId: 5 }).connectionId, 5);
  // The producer may take longer than a send may wait.
  room.nowMs += 9000;
  room.news.offer(NewsType.REPLY_PUSHED, asked!.bytes);
  room.news.offer(NewsType.REPLY_UNDELIVERED, asked!.bytes);
  room.work();
  const appends = takeAppends(room.toWriter);
  assert.equal(
    appends.map(({ connectionId, opaque, queueId, flags }) => [
      connectionId,
      opaque,
      queueId,
      flags & AppendFlag.ONEWAY,
    ]),
    [
      [5, 8, 1, 0],
      [5, 8, 1, AppendFlag.ONEWAY],
    ],
    'whose sender was told already is not answered',
  );
});

lane('a client cannot say how long the hosts of a record are', () => {
  const room = new LaneRoom();
  for (const sysFlag of [0x10, 0x20, 0x31]) {
    const [record] = room.append({ topic: 'T', body: 'hello', more: { sysFlag } }).records;
    assert.equal([record!.sysFlag, record!.topic, record!.body.toString()], [sysFlag & 0xf, 'T', 'hello']);
  }
});

lane.run();
