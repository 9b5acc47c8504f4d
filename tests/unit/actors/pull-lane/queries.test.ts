/** Bounds, time search, single messages. Source: spec storage 4.5, 13, remoting 4.2.1. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRequest, type ExtFields } from '../../../../protocol/command.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { PulledStore } from './support.js';

const queries = suite('actors/pull-lane/queries');

const startMs = 1_700_000_000_000;

/** Messages of queue 0, stored at the times given. */
function storeOf(...timesMs: number[]): PulledStore {
  const store = new PulledStore();
  for (const timeMs of timesMs) store.append(0, { storeTimestamp: startMs + timeMs });
  return store;
}

const search = (store: PulledStore, timeMs: number): number =>
  store.queries().searchOffset('TopicTest', 0, startMs + timeMs);

queries('bounds of a queue, 0 for one that nobody knows', () => {
  const store = storeOf(0, 1, 2, 3);
  store.table.publishMin(0, 1);
  const found = store.queries();
  assert.equal([found.minOffset('TopicTest', 0), found.maxOffset('TopicTest', 0)], [1, 4]);
  assert.equal([found.minOffset('TopicTest', 1), found.maxOffset('TopicTest', 1)], [0, 0]);
  assert.equal([found.minOffset('TopicTest', 9), found.maxOffset('TopicTest', -1)], [0, 0]);
  assert.equal([found.minOffset('Other', 0), found.maxOffset('Other', 0)], [0, 0]);
});

queries('the store time of the first message, -1 when there is none', () => {
  const store = storeOf(5, 6, 7);
  const found = store.queries();
  assert.is(found.earliestStoreTime('TopicTest', 0), startMs + 5);
  store.table.publishMin(0, 2);
  assert.is(found.earliestStoreTime('TopicTest', 0), startMs + 7);
  store.table.publishMin(0, 3);
  assert.is(found.earliestStoreTime('TopicTest', 0), -1);
  assert.is(found.earliestStoreTime('TopicTest', 1), -1);
  assert.is(found.earliestStoreTime('Other', 0), -1);
});

queries('the store time is found behind an IPv6 host', () => {
  const store = new PulledStore();
  store.append(0, { bornAddress: Array(16).fill(9), storeAddress: Array(16).fill(9), storeTimestamp: startMs + 3 });
  assert.is(store.queries().earliestStoreTime('TopicTest', 0), startMs + 3);
});

queries('searches by time: the message itself, or the nearer neighbour, the earlier of two', () => {
  const store = storeOf(0, 10, 20, 40);
  assert.equal(
    [0, 10, 20, 40].map(time => search(store, time)),
    [0, 1, 2, 3],
  );
  assert.equal(
    [-100, -1, 1000].map(time => search(store, time)),
    [0, 0, 3],
  );
  assert.equal(
    [4, 5, 6, 14, 15, 16, 29, 30, 31].map(time => search(store, time)),
    [0, 0, 1, 1, 1, 2, 2, 2, 3],
  );
  store.table.publishMin(0, 2);
  assert.equal(
    [0, 19, 30, 31].map(time => search(store, time)),
    [2, 2, 2, 3],
  );
});

queries('searching where there is nothing gives 0', () => {
  const store = storeOf();
  assert.is(search(store, 0), 0);
  assert.is(store.queries().searchOffset('Other', 0, startMs), 0);
});

queries('gives one message by its position, and only where one begins', () => {
  const store = storeOf(0, 1, 2);
  const found = store.queries();
  const { start } = store.log.records[1]!;
  const [record] = decodeRecords(Buffer.from(found.readRecord(start)!));
  assert.equal([record!.queueOffset, record!.physicalOffset], [1, start]);
  for (const position of [start + 1, start - 1, 4, -1, 1.5, store.log.end, store.log.end + 1000, Number.NaN, 2 ** 60]) {
    assert.is(found.readRecord(position), undefined, String(position));
  }
  store.positions.publish('minimum', start + 1);
  assert.is(found.readRecord(start), undefined, 'retired');
});

queries('gives the last and shortest message of the log', () => {
  const store = new PulledStore();
  store.append(0, { topic: 'T', body: new Uint8Array(0), properties: '' });
  const record = store.queries().readRecord(0);
  assert.is(record?.length, store.log.end);
});

queries('answers requests, missing fields and all', () => {
  const store = storeOf(5, 10);
  const found = store.queries();
  const ask = (code: number, fields: ExtFields): Record<string, string> & { code: number } => {
    const { code: answered, extFields } = found.answer(createRequest(code, fields));
    return { ...extFields, code: answered } as never;
  };
  const queue = { topic: 'TopicTest', queueId: 0 };
  assert.equal(ask(30, queue), { offset: '2', code: 0 });
  assert.equal(ask(31, queue), { offset: '0', code: 0 });
  assert.equal(ask(32, queue), { timestamp: String(startMs + 5), code: 0 });
  assert.equal(ask(29, { ...queue, timestamp: startMs + 10 }), { offset: '1', code: 0 });
  assert.equal(ask(30, { topic: 'Other', queueId: 0 }), { offset: '0', code: 0 });
  assert.equal(ask(32, { topic: 'Other', queueId: 0 }), { timestamp: '-1', code: 0 });
  assert.equal(ask(30, {}), { offset: '0', code: 0 });
  assert.is(ask(33, { offset: 1 }).code, 1);
  assert.is(ask(33, {}).code, 1);
  const view = found.answer(createRequest(33, { offset: 0 }));
  assert.equal([view.code, view.body!.length], [0, store.log.records[0]!.end]);
});

queries.run();
