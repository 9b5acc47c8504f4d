/** Filters in requests to the coordinator. Source: spec remoting 4.2; ClientManageProcessor. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NewsType } from '../../../../actors/topic-news.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { CoordinatorRoom, configFile, heartbeatOf, jsonBody, takeNews } from './support.js';

const filters = suite('actors/coordinator/filter-requests');

const HEART_BEAT = 34;
const UNREGISTER_CLIENT = 35;
const CHECK_CLIENT_CONFIG = 46;

function check(room: CoordinatorRoom, subscriptionData: object | undefined): [code: number, remark: string | null] {
  const { code, remark } = room.ask(
    CHECK_CLIENT_CONFIG,
    {},
    jsonBody({ clientId: 'c', group: 'G', ...(subscriptionData === undefined ? {} : { subscriptionData }) }),
  );
  return [code, remark];
}

const sql = (subString: string, subVersion = 1) => ({ topic: 'T', subString, subVersion, expressionType: 'SQL92' });

filters('tells a client whether its filter is understood', () => {
  const room = new CoordinatorRoom();
  assert.equal(check(room, sql("a > 5 AND b IN ('x')")), [0, null]);
  assert.equal(check(room, sql('a > 5 AND')), [
    23,
    'line 1, column 10: expected a property, a value or "(", found the end',
  ]);
  assert.is(check(room, sql(''))[0], 23);
  assert.equal(check(room, { ...sql('a'), expressionType: 'XPATH' }), [23, 'there are no expressions of type XPATH']);
  for (const harmless of [{ ...sql('a >'), expressionType: 'TAG' }, { topic: 'T', subString: 'a >' }, undefined]) {
    assert.equal(check(room, harmless), [0, null], JSON.stringify(harmless));
  }
  assert.is(room.ask(CHECK_CLIENT_CONFIG).code, 1, 'no body');
  assert.is(room.ask(CHECK_CLIENT_CONFIG, {}, new TextEncoder().encode('garbage')).code, 1);
});

filters('without enablePropertyFilter no expression is', () => {
  const room = new CoordinatorRoom({ settings: { enablePropertyFilter: false } });
  const refusal = [1, 'The broker does not support consumer to filter message by SQL92'];
  assert.equal(check(room, sql('a > 5')), refusal);
  assert.equal(check(room, sql('a >')), refusal);
  assert.is(check(room, { ...sql('a'), expressionType: 'TAG' })[0], 0);
});

/** A heartbeat of group G with an expression for topic T. */
function beat(room: CoordinatorRoom, expression: string, subVersion: number, connectionId = 1): void {
  const data = heartbeatOf();
  const [consumer] = data.consumerDataSet;
  const subscriptionDataSet = [{ ...consumer!.subscriptionDataSet[0]!, ...sql(expression, subVersion) }];
  const body = jsonBody({ ...data, consumerDataSet: [{ ...consumer, subscriptionDataSet }] });
  assert.is(room.ask(HEART_BEAT, {}, body, connectionId).code, 0);
}

/** The filters in the newest news of the group; null when there is no news. */
function toldFilters(room: CoordinatorRoom): unknown {
  const news = takeNews(room.pullNews).filter(({ type }) => type === NewsType.GROUP);
  if (news.length === 0) return null;
  const { filters: told } = news.at(-1)!.value as { filters?: { expression: string; clientVersion: number }[] };
  return told?.map(({ expression, clientVersion }) => [expression, clientVersion]);
}

filters('pull lanes are told of the filters that heartbeats bring', () => {
  const room = new CoordinatorRoom();
  beat(room, 'a > 5', 10);
  assert.equal(toldFilters(room), [['a > 5', 10]]);
  beat(room, 'a > 5', 10);
  assert.is(toldFilters(room), null, 'nothing new');
  beat(room, 'a >', 11);
  assert.is(toldFilters(room), undefined, 'what is no expression is no filter');
  beat(room, 'a > 6', 12);
  assert.equal(toldFilters(room), [['a > 6', 12]]);
});

filters('a filter outlives its group, in the file too', () => {
  const disk = new MemoryDisk();
  const room = new CoordinatorRoom({ disk });
  beat(room, 'a > 5', 10);
  room.ask(UNREGISTER_CLIENT, { clientID: 'client-1', consumerGroup: 'G' });
  assert.equal(toldFilters(room), [['a > 5', 10]]);
  room.coordinator.close();
  const again = new CoordinatorRoom({ disk });
  again.coordinator.announceAll();
  again.work();
  assert.equal(toldFilters(again), [['a > 5', 10]]);
  beat(again, 'a > 6', 9);
  assert.equal(toldFilters(again), [['a > 5', 10]], 'and is not replaced by an older one');
});

filters('filters are stored every ten seconds, and the dead ones forgotten', () => {
  const disk = new MemoryDisk();
  const room = new CoordinatorRoom({ disk, settings: { filterDataCleanTimeSpan: 60_000 } });
  room.work();
  beat(room, 'a > 5', 10);
  room.ask(UNREGISTER_CLIENT, { clientID: 'client-1', consumerGroup: 'G' });
  assert.is(disk.readText(configFile('consumerFilter')), undefined);
  room.nowMs += 10_000;
  room.work();
  assert.match(disk.readText(configFile('consumerFilter'))!, '"dead": true');
  toldFilters(room);
  room.nowMs += 50_000;
  room.work();
  assert.is(toldFilters(room), undefined, 'pull lanes are told');
  assert.equal(JSON.parse(disk.readText(configFile('consumerFilter'))!), { filterDataByTopic: {} });
});

filters.run();
