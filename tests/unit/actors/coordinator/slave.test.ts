/** The coordinator of a slave, and what a master's tells slaves. Source: spec ha 5, 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType, type HaStatus } from '../../../../actors/coordinator/mailbox.js';
import { MetadataSync } from '../../../../actors/coordinator/metadata-sync.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { createSubscriptionGroupConfig } from '../../../../protocol/bodies/group.js';
import { createTopicConfig } from '../../../../protocol/bodies/topic.js';
import { BROKER_METADATA_CHANGED, RequestCode, WATCH_BROKER_METADATA } from '../../../../protocol/codes.js';
import { createRequest, createResponse } from '../../../../protocol/command.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import { frameOf, putClosed } from '../../../support/rooms.js';
import { until } from '../../../support/until.js';
import { CoordinatorRoom, heartbeatOf, jsonBody, takeNews } from './support.js';

const slave = suite('actors/coordinator: slave');

slave('topics and groups are not changed on a slave, nor made by a heartbeat or a send', () => {
  const room = new CoordinatorRoom();
  room.isSlave = true;
  const before = [...room.topics.all()].length;
  for (const code of [17, 215, 207]) assert.is(room.ask(code, { topic: 'T', groupName: 'G' }).code, 1, String(code));
  assert.is(room.ask(200, {}, jsonBody({ groupName: 'G' })).code, 1);
  assert.is(room.ask(34, {}, jsonBody(heartbeatOf())).code, 0);
  assert.is([...room.topics.all()].length, before, 'no retry topic either');
});

slave('the dispatcher gets numbers for queues of a topic that nobody told of, and nobody else hears of it', () => {
  const room = new CoordinatorRoom();
  room.fromDispatcher.offer(CoordinatorType.QUEUE_NEEDED, jsonBody({ topic: 'New', queueId: 2 }));
  room.work();
  const [news] = takeNews(room.dispatcherNews);
  assert.equal([news?.type, (news!.value as { name: string }).name], [NewsType.TOPIC, 'New']);
  assert.is((news!.value as { queueNumbers: number[] }).queueNumbers.length, 3);
  assert.equal([takeNews(room.pullNews), takeNews(room.sendNews)], [[], []]);
  assert.is(room.topics.get('New'), undefined);
});

slave('what the HA rooms say is passed on', () => {
  const room = new CoordinatorRoom();
  const status: HaStatus = { room: 'ha-sender', slaves: [] };
  room.fromHaRoom.offer(CoordinatorType.HA_STATUS, jsonBody(status));
  room.work();
  assert.equal(room.haStatuses, [status]);
});

slave('a slave that watches hears once of many changes, until its connection closes', () => {
  const room = new CoordinatorRoom();
  room.put(frameOf(WATCH_BROKER_METADATA, {}, null, { oneway: true }), 9);
  room.work();
  assert.equal(room.take(), []);
  const told = (): unknown[] =>
    room.take().flatMap(({ connectionId, command }) => {
      if (command?.code !== BROKER_METADATA_CHANGED) return [];
      return [[connectionId, command.extFields, JSON.parse(new TextDecoder().decode(command.body!))]];
    });
  room.nowMs += 100;
  for (let queueId = 0; queueId < 3; queueId++) room.offsets.commit('G', 'T', queueId, 5);
  room.offsets.commit('G', 'T', 0, 6);
  room.work();
  const offsetTable = { 'T@G': { 0: 6, 1: 5, 2: 5 } };
  assert.equal(told(), [[9, { topics: 'false', subscriptionGroups: 'false' }, { offsetTable }]]);
  room.topics.put(createTopicConfig('New'), room.nowMs);
  room.work();
  assert.equal(told(), [], 'not at once again');
  assert.ok(room.coordinator.deadlineMs() <= room.nowMs + 20);
  room.nowMs += 20;
  room.work();
  assert.equal(told(), [[9, { topics: 'true', subscriptionGroups: 'false' }, { offsetTable: {} }]]);
  putClosed(room.fromRemoting, 9);
  room.work();
  room.nowMs += 100;
  room.offsets.commit('G', 'T', 0, 7);
  room.work();
  assert.equal(told(), []);
});

/** A master as Java is one: answers what it is asked, and knows of no watching. */
async function javaMaster(): Promise<FakeBroker> {
  const master = await FakeBroker.listen();
  const version = { timestamp: 5, counter: 9 };
  const topicConfigTable = { T: createTopicConfig('T', { readQueueNums: 2, writeQueueNums: 2 }) };
  const subscriptionGroupTable = { G: createSubscriptionGroupConfig('G', { brokerId: 1 }) };
  return master
    .on(RequestCode.GET_ALL_TOPIC_CONFIG, request =>
      createResponse(request, 0, null, {}, jsonBody({ dataVersion: version, topicConfigTable })),
    )
    .on(RequestCode.GET_ALL_CONSUMER_OFFSET, request =>
      createResponse(request, 0, null, {}, new TextEncoder().encode('{"offsetTable":{"T@G":{0:5,1:7}}}')),
    )
    .on(RequestCode.GET_ALL_DELAY_OFFSET, request =>
      createResponse(request, 0, null, {}, new TextEncoder().encode('{"offsetTable":{1:3}}')),
    )
    .on(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, request =>
      createResponse(request, 0, null, {}, jsonBody({ dataVersion: version, subscriptionGroupTable })),
    )
    .on(WATCH_BROKER_METADATA, request => createResponse(request, 3, 'not supported'));
}

async function inSync(
  test: (room: CoordinatorRoom, sync: MetadataSync, saved: string[]) => Promise<void>,
): Promise<void> {
  const room = new CoordinatorRoom();
  room.isSlave = true;
  const saved: string[] = [];
  const sync = new MetadataSync({
    state: room.coordinator.state,
    brokerAddr: '10.0.0.1:10911',
    saveDelayOffsets: text => saved.push(text),
    log: silentLogger,
  });
  try {
    await test(room, sync, saved);
  } finally {
    sync.stop();
  }
}

slave('everything is fetched from a Java master: tables replaced, offsets merged, lanes told', () =>
  inSync(async (room, sync, saved) => {
    const master = await javaMaster();
    try {
      room.offsets.commit('Local', 'T', 0, 3);
      room.topics.put(createTopicConfig('OnlyHere'), room.nowMs);
      sync.setMaster(master.address);
      await until(() => room.groups.get('G')?.brokerId === 1, 'all came, the groups last');
      assert.equal([room.topics.version.counter, room.topics.get('T')?.readQueueNums], [9, 2]);
      assert.equal([room.offsets.query('G', 'T', 1), room.offsets.query('Local', 'T', 0)], [7, 3]);
      assert.equal(saved, ['{"offsetTable":{1:3}}']);
      const news = takeNews(room.pullNews);
      assert.ok(news.some(({ type, value }) => type === NewsType.TOPIC && (value as { name: string }).name === 'T'));
      assert.ok(news.some(({ type, value }) => type === NewsType.TOPIC_DELETED && value === 'OnlyHere'));
      assert.ok(news.some(({ type, value }) => type === NewsType.GROUP && (value as { name: string }).name === 'G'));
      const topics = JSON.parse(room.memory.readText('/store/config/topics.json') ?? '{}') as { dataVersion: object };
      assert.equal(topics.dataVersion, { counter: 9, timestamp: 5 });
    } finally {
      await master.close();
    }
  }),
);

slave('offsets that a RingMQ master tells of are there at once; a table that changed is fetched', () =>
  inSync(async (room, sync) => {
    const master = await javaMaster();
    try {
      sync.setMaster(master.address);
      await until(() => room.groups.get('G') !== undefined, 'synchronised');
      const asked = master.received(RequestCode.GET_ALL_TOPIC_CONFIG).length;
      const notice = createRequest(
        BROKER_METADATA_CHANGED,
        { topics: 'false', subscriptionGroups: 'false' },
        jsonBody({ offsetTable: { '%RETRY%G@G': { 0: 99 } } }),
      );
      notice.flag = 2;
      master.push(notice);
      await until(() => room.offsets.query('G', '%RETRY%G', 0) === 99, 'the offset is there');
      assert.is(master.received(RequestCode.GET_ALL_TOPIC_CONFIG).length, asked);
      master.push({ ...notice, extFields: { topics: 'true', subscriptionGroups: 'false' } });
      await until(() => master.received(RequestCode.GET_ALL_TOPIC_CONFIG).length > asked, 'topics are asked for again');
    } finally {
      await master.close();
    }
  }),
);

slave('a slave is not its own master, and none is asked while there is none', () =>
  inSync(async (room, sync) => {
    const master = await javaMaster();
    try {
      sync.setMaster('10.0.0.1:10911');
      sync.setMaster('');
      sync.setMaster(master.address);
      await until(() => room.groups.get('G') !== undefined, 'synchronised with the only real one');
      assert.is(master.accepted, 1);
    } finally {
      await master.close();
    }
  }),
);

slave.run();
