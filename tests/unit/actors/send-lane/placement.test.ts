/**
 * Messages that wait: for their time, or for the end of their transaction. Source: spec scheduling 1.2, transaction 3.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawRecord } from '../../../support/raw-record.js';
import { type SendFields, topicEntry } from '../../../support/rooms.js';
import { LaneRoom } from './support.js';

const placement = suite('actors/send-lane/placement');
const schedule = 100;
const half = 200;

function makeRoom(options: ConstructorParameters<typeof LaneRoom>[0] = {}): LaneRoom {
  const room = new LaneRoom(options);
  room.tell(topicEntry('SCHEDULE_TOPIC_XXXX', 18, {}, schedule));
  room.tell(topicEntry('RMQ_SYS_TRANS_HALF_TOPIC', 1, {}, half));
  return room;
}

const propertiesOf = (record: RawRecord): Record<string, string> => Object.fromEntries(record.properties);

const properties = (...pairs: readonly string[]): string => pairs.join('\u0002');

placement('a delayed message waits in the queue of its level, and knows its own place', () => {
  const room = makeRoom();
  const sent = properties('TAGS\u0001a', 'DELAY\u00013', 'WAIT\u0001true');
  const append = room.append({ queueId: 2, properties: sent, body: 'later' });
  const [record] = append.records;
  assert.equal([append.queueNumber, append.queueId, append.companionQueue], [schedule + 2, 2, -1]);
  assert.equal([record!.topic, record!.queueId, record!.body.toString()], ['SCHEDULE_TOPIC_XXXX', 2, 'later']);
  assert.equal(propertiesOf(record!), {
    TAGS: 'a',
    DELAY: '3',
    CLUSTER: 'DefaultCluster',
    REAL_TOPIC: 'T',
    REAL_QID: '2',
  });
});

placement('a level beyond the last counts as the last; what is no level delays nothing', () => {
  const room = makeRoom();
  const last = room.append({ properties: 'DELAY\u000199' });
  assert.is(last.queueNumber, schedule + 17);
  assert.is(propertiesOf(last.records[0]!).DELAY, '18');
  for (const level of ['0', '-1', 'soon', '']) {
    const append = room.append({ queueId: 1, properties: properties('KEYS\u0001k', `DELAY\u0001${level}`) });
    assert.equal([append.queueNumber, append.records[0]!.topic], [11, 'T'], level);
  }
});

placement('a place that came along is overwritten', () => {
  const room = makeRoom();
  const sent = properties('REAL_TOPIC\u0001Elsewhere', 'REAL_QID\u00019', 'DELAY\u00011');
  const [record] = room.append({ queueId: 3, properties: sent }).records;
  const stored = propertiesOf(record!);
  assert.equal([stored.REAL_TOPIC, stored.REAL_QID], ['T', '3']);
});

placement('a half message waits for its transaction, whatever its delay', () => {
  const room = makeRoom({ context: { syncFlush: true } });
  const sent = properties('TRAN_MSG\u0001true', 'PGROUP\u0001PG', 'UNIQ_KEY\u0001u', 'DELAY\u00012');
  const append = room.append({ queueId: 1, properties: sent, more: { sysFlag: 4 + 1 } });
  const [record] = append.records;
  assert.equal([append.queueNumber, append.queueId, append.flags & 4], [half, 1, 4], 'it is waited for');
  assert.equal([record!.topic, record!.queueId, record!.sysFlag], ['RMQ_SYS_TRANS_HALF_TOPIC', 0, 1]);
  assert.equal(propertiesOf(record!), {
    TRAN_MSG: 'true',
    PGROUP: 'PG',
    UNIQ_KEY: 'u',
    DELAY: '2',
    CLUSTER: 'DefaultCluster',
    REAL_TOPIC: 'T',
    REAL_QID: '1',
  });
});

placement('transactions can be refused', () => {
  const room = makeRoom({ settings: { rejectTransactionMessage: true } });
  const { command } = room.refusal({ properties: properties('TRAN_MSG\u0001true', 'PGROUP\u0001PG') });
  assert.equal([command!.code, command!.remark], [16, 'the broker[broker-a] sending transaction message is forbidden']);
});

placement('properties that get too long are refused, not cut', () => {
  const room = makeRoom();
  const { command } = room.refusal({ properties: properties('DELAY\u00011', `KEYS\u0001${'k'.repeat(32_720)}`) });
  assert.is(command!.code, 13);
});

placement('where the waiting topic is not known yet, nothing is stored', () => {
  const { command } = new LaneRoom().refusal({ properties: 'DELAY\u00011' });
  assert.is(command!.code, 1);
  assert.match(command!.remark!, /SCHEDULE_TOPIC_XXXX/);
});

// ---- what consumers send to the retry topic themselves ----

function retryRoom(): LaneRoom {
  const room = makeRoom();
  room.tell(topicEntry('%RETRY%G', 1, {}, 50));
  room.tell(topicEntry('%DLQ%G', 1, {}, 60));
  room.tellGroup('G', { retryMaxTimes: 5 });
  return room;
}

const retry = (reconsumeTimes: number, more: SendFields['more'] = {}): SendFields => ({
  topic: '%RETRY%G',
  properties: properties('RETRY_TOPIC\u0001T', 'DELAY\u00014'),
  more: { reconsumeTimes, ...more },
});

placement('a retry is delayed; the last goes to the dead letters, at once', () => {
  const room = retryRoom();
  assert.is(room.append(retry(2, { maxReconsumeTimes: 3 })).queueNumber, schedule + 3);
  const dead = room.append(retry(3, { maxReconsumeTimes: 3 }));
  assert.equal([dead.queueNumber, dead.records[0]!.topic, dead.records[0]!.reconsumeTimes], [60, '%DLQ%G', 3]);
  assert.equal(propertiesOf(dead.records[0]!), { RETRY_TOPIC: 'T', CLUSTER: 'DefaultCluster' });
});

placement('a client that does not say how often it tries is bound by its group', () => {
  const room = retryRoom();
  assert.is(room.append(retry(4)).queueNumber, schedule + 3);
  assert.is(room.append(retry(5)).queueNumber, 60);
});

placement.run();
