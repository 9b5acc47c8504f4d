/** Who consumes what, and how far. Source: spec remoting 4.2.2, 10.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorRoom, heartbeatOf, jsonBody } from './support.js';

const requests = suite('actors/coordinator/consume-stats');

const textOf = (body: Uint8Array | null): string => new TextDecoder().decode(body!);
const queueText = (queueId: number, topic = 'T'): string =>
  `{"brokerName":"broker-a","queueId":${queueId},"topic":"${topic}"}`;

/** The topic T with 3 read and 2 write queues of 10 messages; the group G has consumed 4 of queue 0. */
function roomWithGroup(): CoordinatorRoom {
  const room = new CoordinatorRoom();
  room.ask(17, { topic: 'T', readQueueNums: 3, writeQueueNums: 2, perm: 6 });
  for (const queueId of [0, 1]) room.table.publishMax(room.numbers.find('T', queueId), 10);
  room.storeTimeOf = (_topic, _queueId, offset) => 1000 + offset * 10;
  room.offsets.commit('G', 'T', 0, 4);
  return room;
}

requests('tells how far a group is in every read queue', () => {
  const room = roomWithGroup();
  const rows = [
    `${queueText(0)}:{"brokerOffset":10,"consumerOffset":4,"lastTimestamp":1030}`,
    `${queueText(1)}:{"brokerOffset":10,"consumerOffset":0,"lastTimestamp":0}`,
    `${queueText(2)}:{"brokerOffset":0,"consumerOffset":0,"lastTimestamp":0}`,
  ];
  const wanted = `{"consumeTps":0,"offsetTable":{${rows.join(',')}}}`;
  assert.is(textOf(room.ask(208, { consumerGroup: 'G' }).body), wanted);
  assert.is(textOf(room.ask(208, { consumerGroup: 'G', topic: 'T' }).body), wanted);
  assert.is(textOf(room.ask(208, { consumerGroup: 'H' }).body), '{"consumeTps":0,"offsetTable":{}}');
  assert.is(textOf(room.ask(208, { consumerGroup: 'G', topic: 'U' }).body), '{"consumeTps":0,"offsetTable":{}}');
});

requests('the rate is that of the last minute', () => {
  const room = roomWithGroup();
  room.stats.pairNamed('pulled', 0, 0, 'T', 'G');
  room.groupTraffic.add(0, 20, 200);
  room.nowMs += 10_000;
  room.work();
  assert.match(textOf(room.ask(208, { consumerGroup: 'G' }).body), /"consumeTps":2,/);
});

requests('a topic that an online group gave up does not count', () => {
  const room = roomWithGroup();
  room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G', topics: { Other: 1 } })));
  assert.is(textOf(room.ask(208, { consumerGroup: 'G' }).body), '{"consumeTps":0,"offsetTable":{}}');
  room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G', topics: { Other: 1, T: 1 } })));
  assert.match(textOf(room.ask(208, { consumerGroup: 'G' }).body), /"consumerOffset":4/);
});

requests('tells of all groups of the broker', () => {
  const room = roomWithGroup();
  room.ask(200, {}, jsonBody({ groupName: 'G' }));
  const text = textOf(room.ask(317, { isOrder: 'false' }).body);
  assert.match(text, /"totalDiff":16/, '6 of queue 0 and 10 of queue 1; queue 2 is no write queue');
  assert.match(text, /"brokerAddr":"127.0.0.1:10911"/);
  assert.match(text, /{"G":\[{"consumeTps":0,"offsetTable":{/);
  assert.match(text, /{"TOOLS_CONSUMER":\[\]}/);
  assert.match(textOf(room.ask(317, { isOrder: 'true' }).body), /{"G":\[\]}/);
});

requests('groups of a topic are those that want it and those that consumed it', () => {
  const room = roomWithGroup();
  room.ask(34, {}, jsonBody(heartbeatOf({ group: 'H', topics: { T: 1 } })));
  assert.is(textOf(room.ask(300, { topic: 'T' }).body), '{"groupList":["H","G"]}');
  assert.is(textOf(room.ask(300, { topic: 'U' }).body), '{"groupList":[]}');
  assert.is(textOf(room.ask(343, { group: 'G' }).body), '{"topicList":["T"]}');
  assert.match(textOf(room.ask(345, { group: 'H', topic: 'T' }).body), /"subString":"\*"/);
  assert.is(textOf(room.ask(345, { group: 'H', topic: 'U' }).body), '{"group":"H","topic":"U"}');
});

requests('tells between which times the messages of a queue are', () => {
  const room = roomWithGroup();
  room.nowMs = 5000;
  const spans = JSON.parse(textOf(room.ask(303, { topic: 'T', group: 'G' }).body)) as { consumeTimeSpanSet: object[] };
  assert.equal(spans.consumeTimeSpanSet, [
    {
      consumeTimeStamp: 1030,
      delayTime: 5000 - 1040,
      maxTimeStamp: 1090,
      messageQueue: { brokerName: 'broker-a', queueId: 0, topic: 'T' },
      minTimeStamp: 1000,
    },
    {
      consumeTimeStamp: 1000,
      delayTime: 4000,
      maxTimeStamp: 1090,
      messageQueue: { brokerName: 'broker-a', queueId: 1, topic: 'T' },
      minTimeStamp: 1000,
    },
  ]);
  room.table.publishMax(room.numbers.find('T', 0), 0);
  assert.match(textOf(room.ask(303, { topic: 'T', group: 'H' }).body), /"maxTimeStamp":-1.*"minTimeStamp":-1/);
  assert.is(room.ask(303, { topic: 'U', group: 'G' }).code, 17);
});

requests.run();
