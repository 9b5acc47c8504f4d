/** Administrators move consumer offsets. Source: spec remoting 4.2.2, 4.2.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Outbound } from '../../../support/rooms.js';
import { frameOf } from '../../../support/rooms.js';
import { CoordinatorRoom, heartbeatOf, jsonBody } from './support.js';

const requests = suite('actors/coordinator/offset-requests');

const textOf = (body: Uint8Array | null): string => new TextDecoder().decode(body!);
const queueText = (queueId: number): string => `{"brokerName":"broker-a","queueId":${queueId},"topic":"T"}`;

/** The topic T with 2 queues of 10 messages, stored at 1000, 1010, …; the group G has consumed 4 and 6. */
function roomWithGroup(online = true): CoordinatorRoom {
  const room = new CoordinatorRoom();
  room.ask(17, { topic: 'T', readQueueNums: 2, writeQueueNums: 2, perm: 6 });
  for (const queueId of [0, 1]) room.table.publishMax(room.numbers.find('T', queueId), 10);
  room.storeTimeOf = (_topic, _queueId, offset) => 1000 + offset * 10;
  room.offsets.commit('G', 'T', 0, 4);
  room.offsets.commit('G', 'T', 1, 6);
  if (online) {
    room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'a' })), 1);
    room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'b' })), 2);
  }
  return room;
}

const reset = { topic: 'T', group: 'G', isForce: true };

/** What clients were told. */
function tell(room: CoordinatorRoom, fields: Record<string, string | number | boolean>, language?: string): Outbound[] {
  let frame = frameOf(222, { ...reset, ...fields });
  if (language !== undefined) {
    const text = Buffer.from(frame).toString('latin1').replace('"language":"JAVA"', `"language":"${language}" `);
    frame = Buffer.from(text, 'latin1');
  }
  room.put(frame, 9);
  room.work();
  return room.take();
}

requests('tells every online consumer where to go on, and changes no offset itself', () => {
  const room = roomWithGroup();
  const taken = tell(room, { timestamp: 1052 });
  const [first, second, answer] = taken.map(({ command }) => command!);
  assert.equal(
    taken.map(({ connectionId }) => connectionId),
    [1, 2, 9],
  );
  assert.equal([first!.code, first!.flag, second!.code], [220, 2, 220]);
  assert.equal(first!.extFields, { topic: 'T', group: 'G', timestamp: '1052', isForce: 'true' });
  const offsets = `{"offsetTable":{${queueText(0)}:5,${queueText(1)}:5}}`;
  assert.equal([textOf(first!.body), answer!.code, textOf(answer!.body)], [offsets, 0, offsets]);
  assert.is(room.offsets.query('G', 'T', 0), 4);
});

requests('-1 is the end; without force nobody is moved forward', () => {
  const room = roomWithGroup();
  assert.match(textOf(tell(room, { timestamp: -1 })[0]!.command!.body), /:10,.*:10}}$/);
  assert.match(textOf(tell(room, { timestamp: 1052, isForce: false })[0]!.command!.body), /:4,.*:5}}$/);
});

requests('consumers of a C++ administrator get a list', () => {
  const room = roomWithGroup();
  assert.is(
    textOf(tell(room, { timestamp: -1 }, 'CPP')[0]!.command!.body),
    '{"offsetTable":[{"brokerName":"broker-a","offset":10,"queueId":0,"topic":"T"},{"brokerName":"broker-a","offset":10,"queueId":1,"topic":"T"}]}',
  );
});

requests('refuses to reset what cannot be', () => {
  const room = roomWithGroup(false);
  assert.is(room.ask(222, { ...reset, timestamp: 1 }).code, 206, 'nobody is online');
  assert.is(room.ask(222, { ...reset, timestamp: 1, topic: 'U' }).code, 1);
  assert.match(room.ask(222, { ...reset, timestamp: 1, group: 'H' }).remark!, /not exist/);
  assert.match(room.ask(222, { ...reset, timestamp: 'soon' }).remark!, /timestamp/);
});

requests('a group gets the offsets of another', () => {
  const room = roomWithGroup(false);
  room.offsets.commit('G', 'Gone', 0, 1);
  room.ask(17, { topic: 'U', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  room.offsets.commit('G', 'U', 0, 3);
  const clone = { srcGroup: 'G', destGroup: 'H' };
  assert.is(room.ask(314, { ...clone, topic: 'T' }).code, 0);
  assert.equal(
    [0, 1].map(queueId => room.offsets.query('H', 'T', queueId)),
    [4, 6],
  );
  assert.is(room.offsets.query('H', 'U', 0), -1);
  room.offsets.recordChanges(true);
  assert.is(room.ask(314, clone).code, 0, 'all topics');
  assert.equal(Object.keys(room.offsets.takeChanges()).sort(), ['T@H', 'U@H'], 'slaves hear of it');
  assert.equal([room.offsets.query('H', 'U', 0), room.offsets.query('H', 'Gone', 0)], [3, -1]);
});

requests('what a group no longer wants is not cloned, unless it is said to be offline', () => {
  const room = roomWithGroup();
  room.ask(17, { topic: 'U', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  room.offsets.commit('G', 'U', 0, 3);
  room.ask(314, { srcGroup: 'G', destGroup: 'H', topic: 'U', offline: 'false' });
  assert.is(room.offsets.query('H', 'U', 0), -1);
  room.ask(314, { srcGroup: 'G', destGroup: 'H', topic: 'U', offline: 'true' });
  assert.is(room.offsets.query('H', 'U', 0), 3);
});

requests('says how far the slowest group is in each queue', () => {
  const room = roomWithGroup();
  room.offsets.commit('H', 'T', 0, 2);
  room.offsets.commit('H', 'T', 1, 8);
  const ask = (fields: Record<string, string>): string => textOf(room.ask(308, { topic: 'T', ...fields }).body);
  assert.is(ask({ compareGroup: 'Nobody' }), '{"correctionOffsets":{"0":2,"1":6}}');
  assert.is(ask({ compareGroup: 'Nobody', filterGroups: 'H' }), '{"correctionOffsets":{"0":4,"1":6}}');
  room.offsets.commit('C', 'T', 0, 1);
  assert.is(
    ask({ compareGroup: 'C', filterGroups: 'C' }),
    '{"correctionOffsets":{"0":9223372036854775807,"1":6}}',
    'all others are ahead of it',
  );
  assert.is(room.offsets.query('H', 'T', 0), 2, 'a group that is left out keeps its offsets');
});

requests.run();
