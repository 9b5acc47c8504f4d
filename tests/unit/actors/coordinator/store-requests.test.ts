/** Entries of a queue, cleaning up, and statistics by name. Source: spec remoting 4.2.2. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NewsType } from '../../../../actors/topic-news.js';
import { CoordinatorRoom, heartbeatOf, jsonBody, takeNews } from './support.js';

const requests = suite('actors/coordinator/store-requests');

const textOf = (body: Uint8Array | null): string => new TextDecoder().decode(body!);

requests('shows entries of a consume queue as they are stored', () => {
  const room = new CoordinatorRoom();
  room.ask(17, { topic: 'T', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  room.table.publishMax(room.numbers.find('T', 0), 3);
  for (let index = 0; index < 5; index++) {
    room.entries.push({ physicalOffset: index * 100, size: 100, tagsCode: index === 2 ? -(2n ** 63n) : 7n });
  }
  const ask = { topic: 'T', queueId: 0, index: 1, count: 9 };
  assert.is(
    textOf(room.ask(321, ask).body),
    '{"maxQueueIndex":3,"minQueueIndex":0,"queueData":[' +
      '{"eval":false,"physicOffset":100,"physicSize":100,"tagsCode":7},' +
      '{"eval":false,"physicOffset":200,"physicSize":100,"tagsCode":-9223372036854775808}]}',
  );
  const beyond = room.ask(321, { ...ask, index: 3 });
  assert.equal([beyond.code, textOf(beyond.body)], [0, '{"maxQueueIndex":3,"minQueueIndex":0}']);
  assert.match(beyond.remark!, /Index 3 of 0@T/);
  assert.match(textOf(room.ask(321, { ...ask, consumerGroup: 'G' }).body), /"filterData":"G@T is not online!"/);
  room.ask(34, {}, jsonBody(heartbeatOf({ group: 'G', topics: { T: 1 } })));
  assert.match(textOf(room.ask(321, { ...ask, consumerGroup: 'G' }).body), /"filterData":"null".*"subscriptionData":{/);
  const sql = heartbeatOf({ group: 'S', topics: { T: 1 } });
  const [consumer] = sql.consumerDataSet;
  const subscription = { ...consumer!.subscriptionDataSet[0]!, expressionType: 'SQL92', subString: 'a > 1' };
  room.ask(34, {}, jsonBody({ ...sql, consumerDataSet: [{ ...consumer!, subscriptionDataSet: [subscription] }] }));
  const { filterData } = JSON.parse(textOf(room.ask(321, { ...ask, consumerGroup: 'S', index: 9 }).body)) as {
    filterData: string;
  };
  assert.is((JSON.parse(filterData) as { expression: string }).expression, 'a > 1');
  for (const fields of [{ topic: 'U' }, { queueId: 9 }, { index: 'x' }, { count: '1.5' }]) {
    assert.is(room.ask(321, { ...ask, ...fields }).code, 1, JSON.stringify(fields));
  }
});

requests('has the dispatcher clean up', () => {
  const room = new CoordinatorRoom();
  assert.equal([room.ask(306).code, room.ask(316).code], [0, 0]);
  assert.equal(takeNews(room.dispatcherNews), [
    { type: NewsType.CLEAN, value: 'expired' },
    { type: NewsType.CLEAN, value: 'unused' },
  ]);
  assert.equal([takeNews(room.pullNews), takeNews(room.sendNews)], [[], []]);
});

requests('shows a statistic, and 1 for one that is not there', () => {
  const room = new CoordinatorRoom();
  room.ask(17, { topic: 'T', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
  assert.is(room.ask(315, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' }).code, 1);
  room.queueTraffic.add(room.numbers.find('T', 0), 100);
  room.nowMs += 10_000;
  room.work();
  assert.is(
    textOf(room.ask(315, { statsName: 'TOPIC_PUT_SIZE', statsKey: 'T' }).body),
    '{"statsDay":{"avgpt":0,"sum":0,"tps":0},"statsHour":{"avgpt":0,"sum":0,"tps":0},"statsMinute":{"avgpt":100,"sum":100,"tps":10}}',
  );
});

requests('statistics go with their topic and group only when autoDeleteUnusedStats says so', () => {
  for (const autoDeleteUnusedStats of [true, false]) {
    const room = new CoordinatorRoom({ settings: { autoDeleteUnusedStats } });
    room.ask(17, { topic: 'T', readQueueNums: 1, writeQueueNums: 1, perm: 6 });
    room.ask(200, {}, jsonBody({ groupName: 'G' }));
    room.queueTraffic.add(room.numbers.find('T', 0), 100);
    room.stats.pairNamed('pulled', 0, 0, 'U', 'G');
    room.groupTraffic.add(0, 1, 1);
    room.ask(215, { topic: 'T' });
    room.ask(207, { groupName: 'G' });
    const code = autoDeleteUnusedStats ? 1 : 0;
    assert.is(room.ask(315, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' }).code, code);
    assert.is(room.ask(315, { statsName: 'GROUP_GET_NUMS', statsKey: 'U@G' }).code, code);
  }
});

requests('shows a group, and 26 for one that is not there', () => {
  const room = new CoordinatorRoom();
  room.ask(200, {}, jsonBody({ groupName: 'G', retryMaxTimes: 3 }));
  assert.match(textOf(room.ask(352, { group: 'G' }).body), /"retryMaxTimes":3/);
  assert.is(room.ask(352, { group: 'H' }).code, 26);
});

requests.run();
