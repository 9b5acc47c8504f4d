/** The pull lane at its rings. Source: spec remoting 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { OutboundType } from '../../../../actors/remoting/mailbox.js';
import { SpanNotes } from '../../../../actors/span-notes.js';
import { Note, NoteType } from '../../../../actors/telemetry/mailbox.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { systemClock } from '../../../../runtime/base/clock.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { asAnswer, CountingBell, fillRing, frameOf, makeRing, takeAll, topicEntry } from '../../../support/rooms.js';
import { PulledStore, PullRoom, pullFrame } from './support.js';

const lane = suite('actors/pull-lane');

const COMMIT = 1;
const SUSPEND = 2;
const SUBSCRIPTION = 4;
const holding = { sysFlag: SUSPEND | SUBSCRIPTION, suspendMs: 15_000 };

const bodiesOf = (body: Uint8Array | null): string[] =>
  decodeRecords(Buffer.from(body ?? [])).map(record => record.body.toString());

function roomWith(...bodies: string[]): PullRoom {
  const room = new PullRoom();
  for (const body of bodies)
    room.store.append(0, { body: new TextEncoder().encode(body), tag: body.startsWith('a') ? 'TagA' : 'TagB' });
  return room;
}

lane('answers with messages, in the serialize type of the request', () => {
  const room = roomWith('a1', 'b1');
  for (const serializeType of [0, 1] as const) {
    for (const code of [11, 361] as const) {
      const answer = room.ask(pullFrame({ code }, { opaque: 70, serializeType }));
      assert.equal(
        [answer.code, answer.remark, answer.opaque, answer.flag, answer.serializeType],
        [0, 'FOUND', 70, 1, serializeType],
      );
      assert.equal(answer.extFields, {
        suggestWhichBrokerId: '0',
        nextBeginOffset: '2',
        minOffset: '0',
        maxOffset: '2',
      });
      assert.equal(bodiesOf(answer.body), ['a1', 'b1']);
    }
  }
  assert.is(room.remotingBell.rings, 4);
  assert.equal([room.counters.read('pullsFound'), room.counters.read('messagesPulled')], [4, 8]);
});

lane('where there is a telemetry room, it hears of the traced messages that are handed out', () => {
  const ring = makeRing();
  const notes = new SpanNotes({ ring, bell: new CountingBell(), counters: new Counters(), clock: systemClock });
  const room = new PullRoom({ notes });
  const traced = 'traceparent\u000100-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  for (const properties of ['', traced, '', traced]) room.store.append(0, { properties });
  assert.is(room.ask(pullFrame()).code, 0);
  const noted = takeAll(ring).map(({ type, bytes }) => [type, Buffer.from(bytes.subarray(Note.groupBytes)).toString()]);
  assert.equal(noted, [
    [NoteType.DELIVERED, 'G'],
    [NoteType.DELIVERED, 'G'],
  ]);
  assert.is(room.ask(pullFrame({ offset: 9 })).code, 21);
  assert.equal(takeAll(ring), []);
});

lane('answers the statuses with all four fields and no body', () => {
  const room = roomWith('a1');
  room.store.table.publishMin(0, 1);
  const cases: [offset: number, code: number, next: string][] = [
    [0, 21, '1'],
    [1, 19, '1'],
    [5, 21, '1'],
  ];
  for (const [offset, code, next] of cases) {
    const answer = room.ask(pullFrame({ offset }));
    assert.equal([answer.code, answer.extFields.nextBeginOffset, answer.body], [code, next, null], String(offset));
    assert.equal(Object.keys(answer.extFields).sort(), [
      'maxOffset',
      'minOffset',
      'nextBeginOffset',
      'suggestWhichBrokerId',
    ]);
  }
  assert.is(room.counters.read('pullsMissed'), 3);
});

lane('with slaveReadEnable a group is sent where its settings say', () => {
  const room = roomWith('a1');
  room.tellGroup({ brokerId: 2, whichBrokerWhenConsumeSlowly: 3 });
  const suggested = (): string => room.ask(pullFrame()).extFields.suggestWhichBrokerId!;
  assert.is(suggested(), '0');
  room.tellSettings({ slaveReadEnable: true });
  assert.is(suggested(), '2');
  room.tellSettings({ slaveReadEnable: true, inMemoryBytes: 0 });
  assert.is(suggested(), '3', 'it is far behind');
  assert.is(room.ask(pullFrame({ offset: 1 })).extFields.suggestWhichBrokerId, '2', 'nothing to be behind of');
});

lane('counts what each group is handed, and how long it took', () => {
  const room = roomWith('a1', 'b1');
  room.ask(pullFrame());
  room.ask(pullFrame({ offset: 2 }));
  room.put(pullFrame({ offset: 2, sysFlag: SUSPEND | SUBSCRIPTION, suspendMs: 1000 }));
  room.work();
  room.store.append(0, { body: new TextEncoder().encode('c1') });
  room.tellGrown(0);
  room.work();
  assert.equal([room.traffic.messages(0), room.traffic.answers(0)], [3, 2]);
  assert.ok(room.traffic.bytes(0) > 0);
  const looked = room.latencies.counts().reduce((sum, count) => sum + count, 0);
  assert.is(looked, 4, 'the held pull was looked at twice');
});

lane('lets go of the files of a topic that is deleted', () => {
  const room = roomWith('a1');
  room.ask(pullFrame());
  let opened = 0;
  const { openQueue } = room.store;
  room.news.offer(NewsType.TOPIC_DELETED, new TextEncoder().encode('TopicTest'));
  assert.is(room.ask(pullFrame()).code, 17);
  room.store.openQueue = (topic, queueId, units) => {
    opened++;
    return openQueue.call(room.store, topic, queueId, units);
  };
  room.tellTopic(topicEntry('TopicTest', 4));
  assert.is(room.ask(pullFrame()).code, 0);
  assert.is(opened, 1, 'they are opened anew');
});

lane('filters by the subscription of the request', () => {
  const room = roomWith('a1', 'b1', 'a2');
  assert.equal(bodiesOf(room.ask(pullFrame({ subscription: 'TagA' })).body), ['a1', 'a2']);
  assert.equal(bodiesOf(room.ask(pullFrame({ subscription: ' TagB || TagC ' })).body), ['b1']);
  assert.is(bodiesOf(room.ask(pullFrame({ subscription: '' })).body).length, 3);
  assert.is(
    bodiesOf(room.ask(pullFrame({ more: { subscription: undefined, expressionType: undefined } })).body).length,
    3,
  );
  const none = room.ask(pullFrame({ subscription: 'TagX' }));
  assert.equal([none.code, none.extFields.nextBeginOffset], [20, '3']);
  assert.is(room.ask(pullFrame({ subscription: '||' })).code, 23);
});

lane('filters by the heartbeat when the request has no subscription', () => {
  const room = roomWith('a1', 'b1');
  assert.is(room.ask(pullFrame({ sysFlag: 0 })).code, 24);
  const subscription = { topic: 'TopicTest', subString: 'TagB', subVersion: 5, expressionType: 'TAG' };
  room.tellGroup({ members: { messageModel: 'CLUSTERING', subscriptions: [subscription] } });
  assert.equal(bodiesOf(room.ask(pullFrame({ sysFlag: 0, subscription: 'ignored' })).body), ['b1']);
  assert.is(room.ask(pullFrame({ sysFlag: 0, more: { subVersion: 6 } })).code, 25);
});

lane('refuses what may not be read', () => {
  const room = roomWith('a1');
  room.tellTopic(topicEntry('WriteOnly', 1, { perm: 2 }, 50));
  assert.is(room.ask(pullFrame({ queueId: 4 })).code, 1);
  assert.is(room.ask(pullFrame({ topic: 'Other' })).code, 17);
  assert.is(room.ask(pullFrame({ topic: 'WriteOnly' })).code, 16);
  room.tellSettings({ brokerPermission: 2 });
  assert.is(room.ask(pullFrame()).code, 16);
  room.tellSettings({});
  room.tellGroup({ consumeEnable: false });
  assert.is(room.ask(pullFrame()).code, 16);
  assert.is(room.take().length, 0);
});

lane('an unknown group goes to the coordinator, and the frame comes back after the news', () => {
  const room = roomWith('a1');
  room.put(pullFrame({ group: 'New' }), { connectionId: 6 });
  room.work();
  const [asked] = takeAll(room.toCoordinator);
  assert.is(asked!.type, CoordinatorType.GROUP_NEEDED);
  assert.equal([room.coordinatorBell.rings, room.take().length], [1, 0]);
  room.news.offer(NewsType.FRAME, asked!.bytes);
  room.work();
  assert.is(room.take()[0]!.command!.code, 26);
  room.tellGroup({ name: 'New' });
  room.news.offer(NewsType.FRAME, asked!.bytes);
  room.work();
  const [answer] = room.take();
  assert.equal([answer!.connectionId, answer!.command!.code], [6, 0]);
});

lane('a deleted topic is gone, a deleted group is asked for again', () => {
  const room = roomWith('a1');
  room.news.offer(NewsType.TOPIC_DELETED, new TextEncoder().encode('TopicTest'));
  assert.is(room.ask(pullFrame()).code, 17);
  room.news.offer(NewsType.GROUP_DELETED, new TextEncoder().encode('G'));
  room.put(pullFrame());
  room.work();
  assert.is(takeAll(room.toCoordinator)[0]!.type, CoordinatorType.GROUP_NEEDED);
});

lane('passes on the offset that comes with a pull', () => {
  const room = roomWith('a1');
  room.ask(pullFrame({ sysFlag: COMMIT | SUBSCRIPTION, queueId: 0, more: { commitOffset: 41 } }));
  const [commit] = takeAll(room.toCoordinator);
  assert.is(commit!.type, CoordinatorType.OFFSET_COMMIT);
  assert.equal(JSON.parse(new TextDecoder().decode(commit!.bytes)), {
    group: 'G',
    topic: 'TopicTest',
    queueId: 0,
    offset: 41,
  });
  room.ask(pullFrame({ more: { commitOffset: 42 } }));
  assert.is(takeAll(room.toCoordinator).length, 0, 'only with its flag');
  room.ask(pullFrame({ sysFlag: COMMIT | SUBSCRIPTION, more: { commitOffset: -1 } }));
  assert.is(takeAll(room.toCoordinator).length, 0);
  room.ask(pullFrame({ sysFlag: COMMIT | SUBSCRIPTION, topic: 'Other', more: { commitOffset: 1 } }));
  assert.is(takeAll(room.toCoordinator).length, 0, 'not when it was refused');
});

lane('holds a pull that finds nothing, and answers when its queue grew', () => {
  const room = roomWith();
  room.put(pullFrame(holding, { opaque: 5 }), { connectionId: 3 });
  room.work();
  assert.equal([room.take().length, room.store.table.isAwaited(0)], [0, true]);
  assert.is(room.lane.deadlineMs(), room.nowMs + 15_000);
  assert.is(room.counters.read('pullsHeld'), 1);
  room.store.append(0, { body: new TextEncoder().encode('late') });
  room.tellGrown(0);
  room.work();
  const [answer] = room.take();
  assert.equal([answer!.connectionId, answer!.command!.opaque, answer!.command!.code], [3, 5, 0]);
  assert.equal(bodiesOf(answer!.command!.body), ['late']);
  assert.equal([room.store.table.isAwaited(0), room.lane.deadlineMs()], [false, Number.POSITIVE_INFINITY]);
  room.tellGrown(0);
  room.work();
  assert.is(room.take().length, 0, 'answered once');
});

lane('releases what it holds before the broker changes its role, and holds nothing more', () => {
  const room = roomWith();
  room.put(pullFrame(holding, { opaque: 5 }));
  room.put(pullFrame(holding, { opaque: 6 }));
  room.work();
  assert.is(room.take().length, 0);
  room.lane.releasePulls();
  room.put(pullFrame(holding, { opaque: 7 }));
  room.work();
  assert.equal(
    room.take().map(({ command }) => [command!.opaque, command!.code]),
    [
      [7, 19],
      [5, 19],
      [6, 19],
    ],
  );
});

lane('a held pull whose group has left gets nothing any more', () => {
  const room = roomWith();
  const subscription = { topic: 'TopicTest', subString: '*', subVersion: 1, expressionType: 'TAG' };
  room.tellGroup({ members: { messageModel: 'CLUSTERING', subscriptions: [subscription] } });
  room.put(pullFrame({ sysFlag: SUSPEND, suspendMs: 15_000, more: { subVersion: 1 } }));
  room.put(pullFrame({ ...holding }, { opaque: 8 }));
  room.work();
  room.tellGroup({});
  room.store.append(0, { body: new TextEncoder().encode('late') });
  room.tellGrown(0);
  room.work();
  const codes = room.take().map(({ command }) => command!.code);
  assert.equal(codes, [24, 0], 'the second said itself what it wants');
  assert.is(room.store.table.isAwaited(0), false);
});

lane('answers a held pull at its deadline, in the type of its request', () => {
  const room = roomWith('a1');
  room.put(pullFrame({ ...holding, offset: 1 }, { serializeType: 1 }));
  room.work();
  room.nowMs += 14_999;
  room.work();
  assert.is(room.take().length, 0);
  room.nowMs += 1;
  room.work();
  const [answer] = room.take();
  assert.equal(
    [answer!.command!.code, answer!.command!.serializeType, answer!.command!.extFields.nextBeginOffset],
    [19, 1, '1'],
  );
  assert.is(room.store.table.isAwaited(0), false);
});

lane('messages of other tags do not wake a held pull, and it goes on behind them', () => {
  const room = roomWith();
  room.put(pullFrame({ ...holding, subscription: 'TagA' }));
  room.work();
  for (let index = 0; index < 3; index++) {
    room.store.append(0, { tag: 'TagB' });
    room.tellGrown(0);
    room.work();
    assert.is(room.take().length, 0);
  }
  room.store.append(0, { tag: 'TagA' });
  room.tellGrown(0);
  room.work();
  const [answer] = room.take();
  assert.equal([answer!.command!.code, answer!.command!.extFields.nextBeginOffset], [0, '4']);
});

lane('a pull that passed over other tags says so after 5 seconds, or at its deadline', () => {
  for (const [suspendMs, waitMs] of [
    [15_000, 5000],
    [3000, 3000],
  ] as const) {
    const room = roomWith();
    room.put(pullFrame({ ...holding, suspendMs, subscription: 'TagA' }));
    room.work();
    for (let count = 0; count < 2; count++) {
      room.store.append(0, { tag: 'TagB' });
      room.tellGrown(0);
      room.work();
      // The second message moves nothing.
      room.nowMs += 1000;
    }
    room.nowMs += waitMs - 2001;
    room.work();
    assert.is(room.take().length, 0);
    room.nowMs += 1;
    room.work();
    const [answer] = room.take();
    assert.is(answer!.command!.extFields.nextBeginOffset, '2');
    assert.ok([19, 20].includes(answer!.command!.code));
    assert.is(room.store.table.isAwaited(0), false);
  }
});

lane('what comes between looking and holding is seen', () => {
  const room = roomWith();
  const { table } = room.store;
  const addWaiting = table.addWaiting.bind(table);
  table.addWaiting = (queue, by) => {
    addWaiting(queue, by);
    if (by > 0) room.store.append(0, { body: new TextEncoder().encode('just now') });
  };
  room.put(pullFrame(holding));
  room.work();
  assert.equal(bodiesOf(room.take()[0]!.command!.body), ['just now']);
  assert.is(table.isAwaited(0), false);
});

lane('does not hold what must be answered', () => {
  const room = roomWith('a1');
  assert.is(room.ask(pullFrame({ offset: 1, suspendMs: 15_000 })).code, 19, 'without the flag');
  assert.is(room.ask(pullFrame({ ...holding, offset: 5 })).code, 21, 'another status');
  assert.is(room.ask(pullFrame({ ...holding, subscription: 'TagX' })).code, 20, 'entries, none of which passed');
  assert.is(room.ask(pullFrame({ ...holding, offset: 1, suspendMs: 0 })).code, 19, 'no time to wait');
});

lane('without long polling a pull is held for shortPollingTimeMills', () => {
  const room = roomWith();
  room.tellSettings({ longPollingEnable: false, shortPollingTimeMills: 1000 });
  room.put(pullFrame(holding));
  room.work();
  assert.is(room.lane.deadlineMs(), room.nowMs + 1000);
});

lane('beyond holdsMax a pull is answered at once', () => {
  const room = roomWith();
  room.tellSettings({ holdsMax: 2 });
  for (let opaque = 0; opaque < 3; opaque++) room.put(pullFrame(holding, { opaque }));
  room.work();
  assert.equal(
    room.take().map(answer => [answer.command!.opaque, answer.command!.code]),
    [[2, 19]],
  );
});

lane('thousands of held pulls: one queue wakes its own', () => {
  const room = roomWith();
  room.tellTopic(topicEntry('Wide', 100, {}, 100));
  room.tellSettings({ holdsMax: 10_000 });
  for (let index = 0; index < 5000; index++) {
    while (!room.put(pullFrame({ ...holding, topic: 'Wide', queueId: index % 100 }, { opaque: index }))) room.work();
  }
  while (room.work() > 0);
  assert.is(room.take().length, 0);
  room.tellGrown(107);
  room.work();
  assert.is(room.take().length, 0, 'nothing has come yet');
  room.nowMs += 15_000;
  const seen: number[] = [];
  for (let cycle = 0; seen.length < 5000; cycle++) {
    assert.ok(cycle < 5000, 'it goes on');
    room.work();
    seen.push(...room.take().map(answer => answer.command!.opaque));
  }
  assert.is(new Set(seen).size, 5000);
  assert.is(room.lane.deadlineMs(), Number.POSITIVE_INFINITY);
});

lane('leaves requests in their ring while remoting has no room, and answers them in order later', () => {
  const store = new PulledStore();
  for (let index = 0; index < 5; index++) store.append(0, { body: new Uint8Array(300) });
  const room = new PullRoom({ store, remotingRingBytes: 8192 });
  for (let opaque = 0; opaque < 10; opaque++) room.put(pullFrame({}, { opaque }));
  const seen: number[] = [];
  for (let cycle = 0; seen.length < 10; cycle++) {
    assert.ok(cycle < 50, 'it goes on');
    room.work();
    const soon = room.nowMs + 5;
    if (cycle === 0) assert.is(room.lane.deadlineMs(), soon, 'nobody rings when there is room');
    seen.push(...room.take().map(answer => answer.command!.opaque));
  }
  assert.equal(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.is(room.lane.deadlineMs(), Number.POSITIVE_INFINITY);
});

lane('a held pull whose answer found no room is answered when there is room', () => {
  const room = roomWith();
  room.put(pullFrame(holding));
  room.work();
  fillRing(room.toRemoting, OutboundType.FRAME);
  room.store.append(0, { body: new TextEncoder().encode('late') });
  room.tellGrown(0);
  room.work();
  takeAll(room.toRemoting);
  for (let cycle = 0; cycle < 3; cycle++) room.work();
  assert.is(room.take().length, 1, 'it does not wait for the next message or its deadline');
});

lane('what comes between looking and holding is answered when there is room', () => {
  const room = roomWith();
  const { table } = room.store;
  const addWaiting = table.addWaiting.bind(table);
  table.addWaiting = (queue, by) => {
    addWaiting(queue, by);
    if (by < 0) return;
    room.store.append(0, { body: new TextEncoder().encode('just now') });
    fillRing(room.toRemoting, OutboundType.FRAME);
  };
  room.put(pullFrame(holding));
  room.work();
  takeAll(room.toRemoting);
  room.work();
  assert.equal(bodiesOf(room.take()[0]!.command!.body), ['just now']);
});

lane('messages larger than the ring to remoting are no dead end', () => {
  const store = new PulledStore();
  for (let index = 0; index < 3; index++) store.append(0, { body: new Uint8Array(3000) });
  const room = new PullRoom({ store, remotingRingBytes: 8192 });
  room.put(pullFrame({}, { opaque: 1 }));
  for (let cycle = 0; cycle < 5; cycle++) room.work();
  const answers = room.take();
  assert.is(answers.length, 1, 'it is answered with what fits');
  assert.ok(bodiesOf(answers[0]!.command!.body).length >= 1);
});

lane('commits an offset once, also when the answer has to wait', () => {
  const room = roomWith('a1');
  fillRing(room.toRemoting, OutboundType.FRAME);
  room.put(pullFrame({ sysFlag: COMMIT | SUBSCRIPTION, more: { commitOffset: 7 } }));
  room.work();
  takeAll(room.toRemoting);
  room.work();
  assert.is(room.take().length, 1);
  const told = takeAll(room.toCoordinator).map(({ type }) => type);
  assert.equal(new Set(told), new Set([CoordinatorType.OFFSET_COMMIT, CoordinatorType.PAIR_NAMED]));
});

lane('refuses what waited longer than waitTimeMillsInPullQueue', () => {
  const room = roomWith('a1');
  assert.is(room.ask(pullFrame(), { arrivedMs: room.nowMs - 5000 }).code, 0);
  const answer = room.ask(pullFrame(), { arrivedMs: room.nowMs - 5001 });
  assert.is(answer.code, 2);
  assert.match(answer.remark!, /waitTimeMillsInPullQueue/);
});

lane('answers queries of the store, but not oneway', () => {
  const room = roomWith('a1', 'b1');
  const queue = { topic: 'TopicTest', queueId: 0 };
  assert.is(room.ask(frameOf(30, queue)).extFields.offset, '2');
  assert.is(room.ask(frameOf(30, queue, null, { serializeType: 1 })).serializeType, 1);
  room.put(frameOf(30, queue, null, { oneway: true }));
  room.put(pullFrame({ queueId: 9 }, { oneway: true }));
  room.work();
  assert.is(room.take().length, 0);
});

lane('a oneway pull hears nothing', () => {
  const room = roomWith('a1');
  room.put(pullFrame({}, { oneway: true }));
  room.work();
  assert.is(room.take().length, 0);
});

lane('an answer with the code of a pull is no pull', () => {
  const room = roomWith('a1');
  room.put(asAnswer(pullFrame()));
  room.work();
  assert.is(room.take().length, 0);
});

lane('a header that cannot be read costs the connection', () => {
  const room = roomWith();
  const frame = pullFrame();
  frame[frame.length - 1] = 0x20; // the closing brace
  room.put(frame, { connectionId: 4 });
  room.work();
  assert.equal(room.take(), [{ kind: 'close', connectionId: 4 }]);
});

lane('a store that cannot be read is answered, and the lane lives', () => {
  const room = roomWith('a1');
  room.store.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  const answer = room.ask(pullFrame());
  assert.is(answer.code, 1);
  assert.match(answer.remark!, /EIO/);
  delete room.store.disk.faults.fail;
  assert.is(room.ask(pullFrame()).code, 0);
});

lane('a held pull meets a store that cannot be read: answered, and the lane lives', () => {
  const room = roomWith();
  room.put(pullFrame(holding));
  room.work();
  room.store.append(0);
  room.store.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  room.tellGrown(0);
  assert.not.throws(() => room.work());
  delete room.store.disk.faults.fail;
  room.nowMs += 20_000;
  room.work();
  assert.is(room.take().length, 1, 'answered once, with the fault or with the message');
});

lane('lets go of files that the writer retired', () => {
  const store = new PulledStore({ segmentSize: 4096 });
  for (let index = 0; index < 20; index++) store.append(0, { body: new Uint8Array(1000) });
  const room = new PullRoom({ store });
  assert.is(bodiesOf(room.ask(pullFrame({ max: 1 })).body).length, 1);
  store.memory.remove('/store/commitlog/00000000000000000000');
  store.positions.publish('minimum', 4096);
  const answer = room.ask(pullFrame({ max: 32 }));
  assert.equal([answer.code, decodeRecords(Buffer.from(answer.body!))[0]!.physicalOffset >= 4096], [0, true]);
});

lane('more queues than a lane keeps open', () => {
  const room = new PullRoom();
  room.tellTopic(topicEntry('TopicTest', 600));
  for (let queueId = 0; queueId < 600; queueId++) room.store.append(queueId);
  for (const queueId of [0, 599, 0, 300, 1]) assert.is(room.ask(pullFrame({ queueId })).code, 0, String(queueId));
  for (let queueId = 0; queueId < 600; queueId++) assert.is(room.ask(pullFrame({ queueId })).code, 0, String(queueId));
});

lane.run();
