/** The coordinator at its rings. Source: spec remoting 4.2, 7, 12. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { InboundFrame } from '../../../../actors/inbound.js';
import { QUEUES_MAX } from '../../../../actors/queue-table.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { decodeBody } from '../../../../protocol/bodies/fields.js';
import { createResponse } from '../../../../protocol/command.js';
import { asAnswer, fillRing, frameOf, putClosed, type SendFields, sendFrame, takeAll } from '../../../support/rooms.js';
import { pullFrame } from '../pull-lane/support.js';
import { CoordinatorRoom, configFile, heartbeatOf, jsonBody, putFromLane, takeNews, topicsIn } from './support.js';

const coordinator = suite('actors/coordinator');

const bodyOf = (body: Uint8Array | null): Record<string, unknown> =>
  decodeBody(body, 'body') as Record<string, unknown>;

const needTopic = (room: CoordinatorRoom, send: SendFields): Uint8Array =>
  putFromLane(room.fromSendLane, CoordinatorType.TOPIC_NEEDED, sendFrame(send));

// ---- topics ----

coordinator('tells everybody of everything once at the start', () => {
  const room = new CoordinatorRoom();
  room.coordinator.announceAll();
  const sendNews = takeNews(room.sendNews);
  const names = topicsIn(sendNews);
  assert.equal([...names].sort(), [...room.topics.all()].map(topic => topic.topicName).sort());
  assert.equal(topicsIn(takeNews(room.dispatcherNews)), names);
  const news = takeNews(room.pullNews);
  assert.equal(topicsIn(news), names);
  const groups = [...room.groups.all()].length;
  for (const all of [news, sendNews]) assert.is(all.filter(({ type }) => type === NewsType.GROUP).length, groups);
});

coordinator('a first send makes its topic: news first, then the frame, then the name servers', () => {
  for (const code of [310, 10] as const) {
    const room = new CoordinatorRoom();
    const frame = needTopic(room, { code, topic: 'New', more: { defaultTopicQueueNums: 6, unitMode: true } });
    room.work();
    const news = takeNews(room.sendNews);
    assert.equal(
      news.map(({ type }) => type),
      [NewsType.TOPIC, NewsType.FRAME],
    );
    assert.equal(news[1]!.value, frame, 'as it came');
    const entry = news[0]!.value as { name: string; writeQueueNums: number; perm: number; queueNumbers: number[] };
    assert.equal([entry.name, entry.writeQueueNums, entry.perm, entry.queueNumbers.length], ['New', 6, 6, 6]);
    assert.equal([topicsIn(takeNews(room.dispatcherNews)), topicsIn(takeNews(room.pullNews))], [['New'], ['New']]);
    assert.is(room.topics.get('New')!.topicSysFlag, 1);
    assert.is(room.registrations, 1);
    needTopic(room, { code, topic: 'New' });
    room.work();
    assert.equal(
      takeNews(room.sendNews).map(({ type }) => type),
      [NewsType.FRAME],
      'it is there already',
    );
    assert.is(room.registrations, 1);
  }
});

coordinator('a topic that may not be made: the frame comes back alone', () => {
  const room = new CoordinatorRoom({ topics: { autoCreateTopicEnable: false } });
  needTopic(room, { topic: 'New' });
  room.work();
  assert.equal(
    takeNews(room.sendNews).map(({ type }) => type),
    [NewsType.FRAME],
  );
  assert.is(room.topics.get('New'), undefined);
});

coordinator('autoCreateTopicEnable can be switched off and on while it runs', () => {
  const room = new CoordinatorRoom();
  room.coordinator.settings = { ...room.coordinator.settings, autoCreateTopicEnable: false };
  needTopic(room, { topic: 'New' });
  room.work();
  assert.is(room.topics.get('New'), undefined);
});

coordinator('a topic that cannot be stored is not made, and the send hears', () => {
  const room = new CoordinatorRoom();
  room.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  needTopic(room, { topic: 'New' });
  room.work();
  assert.equal(
    takeNews(room.sendNews).map(({ type }) => type),
    [NewsType.FRAME],
  );
  assert.is(room.topics.get('New'), undefined);
});

coordinator('creates, changes, shows and deletes topics', () => {
  const room = new CoordinatorRoom();
  const fields = {
    topic: 'T',
    readQueueNums: 3,
    writeQueueNums: 2,
    perm: 6,
    topicFilterType: 'MULTI_TAG',
    topicSysFlag: 1,
  };
  assert.is(room.ask(17, fields).code, 0);
  const [created] = takeNews(room.sendNews);
  const { queueNumbers } = created!.value as { queueNumbers: number[] };
  assert.is(queueNumbers.length, 3);
  assert.equal(bodyOf(room.ask(351, { topic: 'T' }).body), {
    topicName: 'T',
    readQueueNums: 3,
    writeQueueNums: 2,
    perm: 6,
    topicFilterType: 'MULTI_TAG',
    topicSysFlag: 1,
    order: false,
  });
  assert.is(room.ask(17, { ...fields, readQueueNums: 5, writeQueueNums: 5, perm: 4 }).code, 0);
  const [changed] = takeNews(room.sendNews);
  assert.equal(
    (changed!.value as { queueNumbers: number[] }).queueNumbers.slice(0, 3),
    queueNumbers,
    'queues keep their numbers',
  );
  const table = bodyOf(room.ask(21).body).topicConfigTable as Record<string, { perm: number }>;
  assert.is(table.T!.perm, 4);
  assert.is(room.registrations, 2);
  assert.is(room.ask(215, { topic: 'T' }).code, 0);
  assert.equal(takeNews(room.pullNews).at(-1), { type: NewsType.TOPIC_DELETED, value: 'T' });
  assert.equal([room.ask(351, { topic: 'T' }).code, room.registrations], [17, 3]);
});

coordinator('lanes and name servers hear which topics are ordered; a change of a topic does not undo it', () => {
  const room = new CoordinatorRoom();
  const fields = { topic: 'T', readQueueNums: 1, writeQueueNums: 1, perm: 6, order: true };
  room.ask(17, fields);
  takeAll(room.sendNews);
  room.coordinator.setOrdered(new Set(['T']), room.nowMs);
  const entries = takeNews(room.sendNews).map(({ value }) => value as { name: string; order: boolean });
  assert.equal(
    entries.map(({ name, order }) => [name, order]),
    [['T', true]],
  );
  assert.is(room.registrations, 2);
  room.ask(17, fields);
  assert.is(room.topics.get('T')!.order, true);
  room.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.not.throws(() => room.coordinator.setOrdered(new Set(), room.nowMs));
});

coordinator('refuses topics that cannot be', () => {
  const room = new CoordinatorRoom();
  const cases: [fields: Record<string, string | number>, remark: RegExp][] = [
    [{ topic: '' }, /blank/],
    [{ topic: 'a b' }, /illegal/],
    [{ topic: 'x'.repeat(128) }, /longer/],
    [{ topic: 'TBW102' }, /conflict with system topic/],
    [{ topic: 'rmq_sys_x' }, /conflict with system topic/],
    [{ topic: 'T', readQueueNums: -1 }, /readQueueNums/],
    [{ topic: 'T', writeQueueNums: 1e9 }, /writeQueueNums/],
    [{ topic: 'T', writeQueueNums: 'x' }, /writeQueueNums/],
    [{ topic: 'T', perm: 99 }, /perm/],
  ];
  for (const [fields, remark] of cases) {
    const answer = room.ask(17, { readQueueNums: 1, writeQueueNums: 1, perm: 6, ...fields });
    assert.is(answer.code, 1, JSON.stringify(fields));
    assert.match(answer.remark!, remark);
  }
  assert.equal([takeNews(room.sendNews), room.registrations], [[], 0]);
  for (const topic of ['', 'TBW102']) assert.is(room.ask(215, { topic }).code, 1);
  assert.is(room.ask(215, { topic: 'Nothing' }).code, 0);
});

coordinator('more queues than a broker has are refused, and nothing of it stays', () => {
  const room = new CoordinatorRoom();
  for (let index = 0; index < 3; index++)
    assert.is(room.ask(17, { topic: `Wide${index}`, readQueueNums: 65_536, writeQueueNums: 65_536 }).code, 0);
  takeAll(room.sendNews);
  assert.is(room.ask(17, { topic: 'Wide3', readQueueNums: 65_536, writeQueueNums: 65_536 }).code, 0);
  const answer = room.ask(17, { topic: 'Wide4', readQueueNums: 65_536, writeQueueNums: 65_536 });
  assert.is(answer.code, 1);
  assert.is(room.topics.get('Wide4'), undefined);
});

coordinator(
  'a first send beyond the last queue of the broker leaves no topic that the next start would trip over',
  () => {
    const room = new CoordinatorRoom();
    room.numbers.of('Filler', QUEUES_MAX - 2);
    needTopic(room, { topic: 'New' });
    room.work();
    assert.equal(
      takeNews(room.sendNews).map(({ type }) => type),
      [NewsType.FRAME],
    );
    assert.is(room.topics.get('New'), undefined);
    assert.not.match(room.memory.readText(configFile('topics')) ?? '', /"New"/);
  },
);

coordinator('lists system topics and the bounds of a topic', () => {
  const room = new CoordinatorRoom();
  const { topicList } = bodyOf(room.ask(305).body) as { topicList: string[] };
  assert.ok(topicList.includes('TBW102') && topicList.includes('SELF_TEST_TOPIC'));
  const own = ['broker-a', 'DefaultCluster', 'DefaultCluster_REPLY_TOPIC'];
  assert.equal(
    own.filter(name => !topicList.includes(name)),
    [],
    'tools take the other topics for those of users',
  );
  for (const topic of own) {
    assert.match(room.ask(17, { topic, readQueueNums: 2, writeQueueNums: 2, perm: 6 }).remark ?? '', /system topic/);
    assert.match(room.ask(215, { topic }).remark ?? '', /system topic/);
  }
  room.ask(17, { topic: 'T', readQueueNums: 2, writeQueueNums: 2, perm: 6 });
  room.table.publishMax(room.numbers.find('T', 1), 9);
  const answer = room.ask(202, { topic: 'T' });
  const text = new TextDecoder().decode(answer.body!);
  assert.match(text, /"queueId":1/);
  assert.match(text, /"maxOffset":9/);
  assert.match(text, /"lastUpdateTimestamp":77/);
  assert.is(room.ask(202, { topic: 'Nothing' }).code, 17);
});

// ---- groups and clients ----

coordinator('a heartbeat makes group and retry topic, and tells pull lanes what the group wants', () => {
  const room = new CoordinatorRoom();
  assert.is(room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G', topics: { T: 3 } }))).code, 0);
  assert.ok(room.groups.get('G') !== undefined);
  assert.equal([room.topics.get('%RETRY%G')!.writeQueueNums, room.topics.get('%RETRY%G')!.perm], [1, 6]);
  const group = takeNews(room.pullNews).find(({ type }) => type === NewsType.GROUP)!.value as { members: unknown };
  assert.equal(group.members, {
    messageModel: 'CLUSTERING',
    subscriptions: [{ topic: 'T', subString: '*', subVersion: 3, expressionType: 'TAG' }],
  });
  room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G', topics: { T: 3 } })));
  assert.is(takeNews(room.pullNews).length, 0, 'nothing changed');
});

coordinator('without automatic creation a heartbeat makes no group', () => {
  const room = new CoordinatorRoom({ settings: { autoCreateSubscriptionGroup: false } });
  assert.is(room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G' }))).code, 0);
  assert.equal([room.groups.get('G'), room.topics.get('%RETRY%G')], [undefined, undefined]);
});

coordinator('members hear of those that come and go, themselves included', () => {
  const room = new CoordinatorRoom();
  const told = (): number[] =>
    room
      .take()
      .filter(({ command }) => command?.code === 40)
      .map(({ connectionId, command }) => {
        assert.equal([command!.flag, command!.extFields.consumerGroup], [2, 'G']);
        return connectionId;
      });
  const beat = (connectionId: number): void => {
    room.put(frameOf(34, {}, jsonBody(heartbeatOf({ clientId: `c${connectionId}` }))), connectionId);
    room.work();
  };
  beat(1);
  assert.equal(told(), [1]);
  beat(2);
  assert.equal(told().sort(), [1, 2]);
  beat(2);
  assert.equal(told(), []);
  putClosed(room.fromRemoting, 1);
  room.work();
  assert.equal(told(), [2]);
  room.groups.put({ ...room.groups.get('G')!, notifyConsumerIdsChangedEnable: false }, room.nowMs);
  beat(3);
  assert.equal(told(), [], 'the group does not want to know');
});

coordinator('lists the members of a group, 1 when there are none', () => {
  const room = new CoordinatorRoom();
  assert.is(room.ask(38, { consumerGroup: 'G' }).code, 1);
  room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'b' })), 1);
  room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'a' })), 2);
  assert.equal(bodyOf(room.ask(38, { consumerGroup: 'G' }).body), { consumerIdList: ['b', 'a'] });
  assert.is(room.ask(35, { clientID: 'b', consumerGroup: 'G' }, null, 1).code, 0);
  assert.equal(bodyOf(room.ask(38, { consumerGroup: 'G' }).body), { consumerIdList: ['a'] });
  room.ask(35, { clientID: 'a', consumerGroup: 'G' }, null, 2);
  assert.is(room.ask(38, { consumerGroup: 'G' }).code, 1);
});

coordinator('closes the connection of a client that sends no heartbeat for 120 s', () => {
  const room = new CoordinatorRoom();
  room.ask(34, {}, jsonBody(heartbeatOf()), 5);
  room.nowMs += 130_001;
  room.work();
  assert.ok(room.take().some(({ kind, connectionId }) => kind === 'close' && connectionId === 5));
});

coordinator('a pull whose group is unknown: made, told, and the frame back', () => {
  const room = new CoordinatorRoom();
  const frame = putFromLane(room.fromPullLane, CoordinatorType.GROUP_NEEDED, pullFrame({ group: 'New' }));
  room.work();
  const news = takeNews(room.pullNews);
  assert.equal(
    news.map(({ type }) => type),
    [NewsType.GROUP, NewsType.FRAME],
  );
  assert.equal((news[0]!.value as { name: string }).name, 'New');
  assert.equal(news[1]!.value, frame);
  const strict = new CoordinatorRoom({ settings: { autoCreateSubscriptionGroup: false } });
  putFromLane(strict.fromPullLane, CoordinatorType.GROUP_NEEDED, pullFrame({ group: 'New' }));
  strict.work();
  assert.equal(
    takeNews(strict.pullNews).map(({ type }) => type),
    [NewsType.FRAME],
  );
});

coordinator('what comes back from a consumer finds its group and its topics made', () => {
  const room = new CoordinatorRoom();
  const back = frameOf(36, { group: 'New', offset: 0 });
  putFromLane(room.fromSendLane, CoordinatorType.TOPIC_NEEDED, back);
  room.work();
  const news = takeNews(room.sendNews);
  assert.equal(
    news.map(({ type }) => type),
    [NewsType.GROUP, NewsType.TOPIC, NewsType.FRAME],
  );
  assert.is((news[0]!.value as { name: string }).name, 'New');
  assert.equal(topicsIn(news), ['%RETRY%New']);
  putFromLane(room.fromSendLane, CoordinatorType.DEAD_LETTER_TOPIC_NEEDED, back);
  room.work();
  assert.equal(topicsIn(takeNews(room.sendNews)), ['%DLQ%New']);
  const { readQueueNums, writeQueueNums, perm } = room.topics.get('%DLQ%New')!;
  assert.equal([readQueueNums, writeQueueNums, perm], [1, 1, 6]);
});

coordinator('a retry that a consumer sends itself needs a group, which is not always made', () => {
  const room = new CoordinatorRoom({ settings: { autoCreateSubscriptionGroup: false } });
  needTopic(room, { topic: '%RETRY%Unknown' });
  room.work();
  assert.equal(
    takeNews(room.sendNews).map(({ type }) => type),
    [NewsType.FRAME],
  );
  assert.is(room.topics.get('%RETRY%Unknown'), undefined);
});

coordinator('administers groups', () => {
  const room = new CoordinatorRoom();
  const config = { groupName: 'G', consumeEnable: false, retryMaxTimes: 5 };
  assert.is(room.ask(200, {}, jsonBody(config)).code, 0);
  assert.is((takeNews(room.pullNews)[0]!.value as { consumeEnable: boolean }).consumeEnable, false);
  const table = bodyOf(room.ask(201).body).subscriptionGroupTable as Record<string, { retryMaxTimes: number }>;
  assert.is(table.G!.retryMaxTimes, 5);
  room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 3 });
  assert.is(room.ask(207, { groupName: 'G' }).code, 0);
  assert.equal(takeNews(room.pullNews), [{ type: NewsType.GROUP_DELETED, value: 'G' }]);
  assert.is(room.offsets.query('G', 'T', 0), 3, 'its offsets stay unless asked');
  for (const field of ['removeOffset', 'cleanOffset']) {
    room.offsets.commit('G', 'T', 0, 3);
    assert.is(room.ask(207, { groupName: 'G', [field]: 'true' }).code, 0);
    assert.is(room.offsets.query('G', 'T', 0), -1, field);
  }
  assert.is(room.ask(200, {}, new TextEncoder().encode('{')).code, 1, 'what is no group is answered');
});

// ---- offsets ----

coordinator('keeps offsets, from requests and from pulls', () => {
  const room = new CoordinatorRoom();
  const queue = { consumerGroup: 'G', topic: 'T', queueId: 1 };
  assert.is(room.ask(15, { ...queue, commitOffset: 40 }).code, 0);
  assert.is(room.ask(14, queue).extFields.offset, '40');
  room.put(frameOf(15, { ...queue, commitOffset: 41 }, null, { oneway: true }));
  room.fromPullLane.offer(CoordinatorType.OFFSET_COMMIT, jsonBody({ group: 'G', topic: 'T', queueId: 2, offset: 7 }));
  room.work();
  assert.is(room.take().length, 0);
  assert.equal(bodyOf(room.ask(43).body), { offsetTable: { 'T@G': { 1: 41, 2: 7 } } });
  assert.is(room.ask(15, { ...queue, commitOffset: 'x' }).code, 1);
  assert.is(room.ask(14, queue).extFields.offset, '41');
});

coordinator('a group that a young queue has never seen starts at 0, else nothing is found', () => {
  const room = new CoordinatorRoom({ settings: { inMemoryBytes: 1000 } });
  room.ask(17, { topic: 'T', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  const queue = { consumerGroup: 'G', topic: 'T', queueId: 0 };
  const asked = (): [number, string | undefined] => {
    const answer = room.ask(14, queue);
    return [answer.code, answer.extFields.offset];
  };
  assert.equal(asked(), [0, '0'], 'an empty queue');
  assert.equal([room.ask(14, { ...queue, topic: 'Nothing' }).code], [0], 'an unknown topic');
  const number = room.numbers.find('T', 0);
  room.table.publishMax(number, 10);
  room.firstPosition = 500;
  room.positions.publish('appended', 1500);
  assert.equal(asked(), [0, '0'], 'its first message is near the end of the log');
  room.positions.publish('appended', 1501);
  assert.equal(asked(), [22, undefined], 'its first message is far behind');
  room.table.publishMin(number, 1);
  room.positions.publish('appended', 1500);
  assert.equal(asked(), [22, undefined], 'its first message is gone');
});

coordinator('stores offsets by the interval and at the end', () => {
  const room = new CoordinatorRoom();
  room.work();
  room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 });
  assert.is(room.memory.facts(configFile('consumerOffset')), undefined);
  room.nowMs += 5000;
  room.work();
  assert.match(room.memory.readText(configFile('consumerOffset'))!, /"T@G"/);
  room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 22 });
  room.coordinator.close();
  assert.match(room.memory.readText(configFile('consumerOffset'))!, /22/);
  assert.ok(room.memory.facts(configFile('topics')) !== undefined);
  assert.ok(room.memory.facts(configFile('subscriptionGroup')) !== undefined);
});

coordinator('offsets that cannot be stored are stored later', () => {
  const room = new CoordinatorRoom();
  room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 });
  room.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  room.nowMs += 5000;
  assert.not.throws(() => room.work());
  delete room.disk.faults.fail;
  room.nowMs += 5000;
  room.work();
  assert.match(room.memory.readText(configFile('consumerOffset'))!, /"T@G"/);
});

coordinator('a stop with a full disk is no crash', () => {
  const room = new CoordinatorRoom();
  room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 });
  room.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.not.throws(() => room.coordinator.close());
});

// ---- everything else ----

coordinator('an unknown code is answered 3, in the type of the request', () => {
  const room = new CoordinatorRoom();
  for (const serializeType of [0, 1] as const) {
    const answer = room.ask(4711, {}, null, 1, { serializeType, opaque: 8 });
    assert.equal(
      [answer.code, answer.remark, answer.serializeType, answer.opaque],
      [3, ' request type 4711 not supported', serializeType, 8],
    );
  }
  room.put(frameOf(4711, {}, null, { oneway: true }));
  room.work();
  assert.is(room.take().length, 0);
});

coordinator('requests about the node are answered by the node, now or later, also when it fails', async () => {
  const room = new CoordinatorRoom({
    nodeRequest: request => {
      if (request.code === 26) return createResponse(request, 0, 'now');
      if (request.code === 28) return Promise.resolve(createResponse(request, 0, 'later'));
      return request.code === 25 ? Promise.reject(new Error('no way')) : undefined;
    },
  });
  assert.is(room.ask(26).remark, 'now');
  for (const [code, answered, remark] of [
    [28, 0, 'later'],
    [25, 1, 'no way'],
  ] as const) {
    room.put(frameOf(code, {}));
    room.work();
    await new Promise(setImmediate);
    const [answer] = room.take();
    assert.equal([answer!.command!.code, answer!.command!.remark], [answered, remark]);
  }
});

coordinator('what cannot be handled is answered, and what cannot be read costs the connection', () => {
  const room = new CoordinatorRoom();
  assert.is(room.ask(34, {}, new TextEncoder().encode('no JSON')).code, 1);
  assert.is(room.ask(34, {}, null).code, 1);
  const frame = frameOf(38, {});
  frame[frame.length - 1] = 0x20;
  room.put(frame, 6);
  room.work();
  assert.equal(room.take(), [{ kind: 'close', connectionId: 6 }]);
});

coordinator('answers of clients are no requests', () => {
  const room = new CoordinatorRoom();
  room.put(asAnswer(frameOf(38, { consumerGroup: 'G' })));
  room.work();
  assert.is(room.take().length, 0);
});

coordinator('answers that remoting has no room for are kept, in order, and no new request is taken', () => {
  const room = new CoordinatorRoom({ remotingRingBytes: 1024 });
  for (let opaque = 0; opaque < 20; opaque++)
    room.put(frameOf(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 }, null, { opaque }));
  const seen: number[] = [];
  for (let cycle = 0; seen.length < 20; cycle++) {
    assert.ok(cycle < 40, 'it goes on');
    room.work();
    if (seen.length < 10) assert.ok(room.coordinator.deadlineMs() <= room.nowMs + 10, 'it looks again soon');
    seen.push(...room.take().map(answer => answer.command!.opaque));
  }
  assert.equal(
    seen,
    Array.from({ length: 20 }, (_, opaque) => opaque),
  );
});

coordinator('an answer that fits no ring is refused, and holds up nobody', () => {
  const room = new CoordinatorRoom({ remotingRingBytes: 2048 });
  const refused = room.ask(21);
  assert.is(refused.code, 1);
  assert.match(refused.remark!, /ringCapacityBytes/);
  assert.is(room.ask(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 }).code, 0);
});

coordinator('what is pushed to clients and fits no ring is left out', () => {
  const room = new CoordinatorRoom({ remotingRingBytes: 4096 });
  room.ask(17, { topic: 'T', readQueueNums: 50, writeQueueNums: 50, perm: 6 });
  for (let queueId = 0; queueId < 50; queueId++) room.offsets.commit('G', 'T', queueId, 1);
  room.ask(34, {}, jsonBody(heartbeatOf()));
  assert.is(room.ask(222, { topic: 'T', group: 'G', timestamp: -1, isForce: true }).code, 1, 'nor does the answer fit');
  assert.is(room.ask(38, { consumerGroup: 'G' }).code, 0);
});

coordinator('a connection is closed also when remoting has no room at the moment', () => {
  const room = new CoordinatorRoom({ remotingRingBytes: 1024 });
  fillRing(room.toRemoting, 1, 4);
  const frame = frameOf(38, {});
  frame[frame.length - 1] = 0x20;
  room.put(frame, 6);
  room.work();
  takeAll(room.toRemoting);
  for (let cycle = 0; cycle < 3; cycle++) room.work();
  assert.equal(room.take(), [{ kind: 'close', connectionId: 6 }]);
});

coordinator('sleeps until offsets are to be stored or clients looked at', () => {
  const room = new CoordinatorRoom();
  room.work();
  assert.is(room.coordinator.deadlineMs(), room.nowMs + 5000);
  assert.is(room.work(), 0);
});

coordinator('a record of a lane carries the whole frame', () => {
  const room = new CoordinatorRoom();
  const bytes = needTopic(room, { topic: 'New', body: new Uint8Array(5000) });
  assert.is(new Int32Array(bytes.buffer, 0, 6)[InboundFrame.frameSize], bytes.length - InboundFrame.frameBytes);
  room.work();
  assert.equal(takeNews(room.sendNews).at(-1)!.value, bytes);
});

coordinator('name servers are told the restricted permission of the broker', () => {
  const room = new CoordinatorRoom();
  const perm = (brokerPermission: number): number =>
    room.coordinator.registrationTopics(brokerPermission).topicConfigTable.TBW102!.perm;
  assert.equal([perm(6), perm(4), perm(2)], [7, 4, 2]);
});

coordinator.run();
