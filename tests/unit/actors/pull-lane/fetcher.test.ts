/** What a pull finds. Source: spec storage 13, remoting 6.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fetcher } from '../../../../actors/pull-lane/fetcher.js';
import type { PullLaneSettings } from '../../../../actors/pull-lane/mailbox.js';
import { ALL_TAGS, parseTagExpression, type TagFilter } from '../../../../protocol/tag-filter.js';
import { decodeRecords, type RawRecord } from '../../../support/raw-record.js';
import { buildUnit } from '../../../support/record-builder.js';
import { pullSettings } from '../../../support/rooms.js';
import { PulledStore } from './support.js';

const fetcher = suite('actors/pull-lane/fetcher');

interface Fetched {
  readonly outcome: Fetcher['outcome'];
  readonly records: RawRecord[];
}

function fetch(
  store: PulledStore,
  offset: number,
  options: { queue?: number; max?: number; filter?: TagFilter; settings?: Partial<PullLaneSettings> } = {},
): Fetched {
  const found = store.fetcher();
  const queue = options.queue ?? 0;
  const reader = store.openQueue('TopicTest', queue);
  found.fetch(queue, reader, offset, options.max ?? 32, options.filter ?? ALL_TAGS, {
    ...pullSettings,
    ...options.settings,
  });
  const target = new Uint8Array(found.size + 10);
  const end = found.copyTo(target, 3);
  assert.is(end - 3, found.size, 'as long as it said');
  return { outcome: { ...found.outcome }, records: decodeRecords(Buffer.from(target.subarray(3, end))) };
}

/** Ten messages in queue 0, of which the first three are gone. */
function tenMessages(): PulledStore {
  const store = new PulledStore();
  for (let index = 0; index < 10; index++)
    store.append(0, { body: new TextEncoder().encode(`m${index}`), tag: index % 2 === 0 ? 'TagA' : 'TagB' });
  store.table.publishMin(0, 3);
  return store;
}

const bodies = ({ records }: Fetched): string[] => records.map(record => record.body.toString());

fetcher('answers by the bounds of the queue', () => {
  const store = tenMessages();
  const cases: [queue: number, offset: number, code: number, status: string, next: number][] = [
    [1, 0, 19, 'NO_MESSAGE_IN_QUEUE', 0],
    [1, 5, 21, 'NO_MESSAGE_IN_QUEUE', 0],
    [1, -1, 21, 'NO_MESSAGE_IN_QUEUE', 0],
    [0, 0, 21, 'OFFSET_TOO_SMALL', 3],
    [0, 2, 21, 'OFFSET_TOO_SMALL', 3],
    [0, -1, 21, 'OFFSET_TOO_SMALL', 3],
    [0, 3, 0, 'FOUND', 10],
    [0, 9, 0, 'FOUND', 10],
    [0, 10, 19, 'OFFSET_OVERFLOW_ONE', 10],
    [0, 11, 21, 'OFFSET_OVERFLOW_BADLY', 10],
    [0, 1_000_000, 21, 'OFFSET_OVERFLOW_BADLY', 10],
  ];
  for (const [queue, offset, code, status, next] of cases) {
    const { outcome, records } = fetch(store, offset, { queue });
    const where = `queue ${queue}, offset ${offset}`;
    assert.equal([outcome.code, outcome.remark, outcome.nextBeginOffset], [code, status, next], where);
    assert.equal([outcome.minOffset, outcome.maxOffset], queue === 0 ? [3, 10] : [0, 0], where);
    assert.is(records.length, code === 0 ? 10 - offset : 0, where);
    assert.is(outcome.suggestWhichBrokerId, 0);
  }
});

fetcher('gives the messages in order, as they are stored', () => {
  const store = tenMessages();
  assert.equal(bodies(fetch(store, 4)), ['m4', 'm5', 'm6', 'm7', 'm8', 'm9']);
  assert.equal(
    fetch(store, 4).records.map(record => record.queueOffset),
    [4, 5, 6, 7, 8, 9],
  );
});

fetcher('no more than asked for, at least one', () => {
  const store = tenMessages();
  assert.equal(bodies(fetch(store, 3, { max: 2 })), ['m3', 'm4']);
  assert.is(fetch(store, 3, { max: 2 }).outcome.nextBeginOffset, 5);
});

fetcher('filters by the tags code, and says how far it looked', () => {
  const store = tenMessages();
  const tagA = parseTagExpression('TagA')!;
  const { outcome } = fetch(store, 3, { filter: tagA });
  assert.equal(bodies(fetch(store, 3, { filter: tagA })), ['m4', 'm6', 'm8']);
  assert.equal([outcome.code, outcome.nextBeginOffset], [0, 10], 'beyond the last message that passed');
  assert.equal(bodies(fetch(store, 3, { filter: tagA, max: 1 })), ['m4']);
  assert.is(fetch(store, 3, { filter: tagA, max: 1 }).outcome.nextBeginOffset, 5);
  assert.equal(bodies(fetch(store, 3, { filter: parseTagExpression('TagB || TagC')! })), ['m3', 'm5', 'm7', 'm9']);
  const none = fetch(store, 3, { filter: parseTagExpression('TagC')! });
  assert.equal([none.outcome.code, none.outcome.remark, none.outcome.nextBeginOffset], [20, 'NO_MATCHED_MESSAGE', 10]);
});

fetcher('looks at 800 entries and not at all of a queue', () => {
  const store = new PulledStore({ unitsPerFile: 2000 });
  for (let index = 0; index < 1000; index++)
    store.append(0, { body: new Uint8Array(1), tag: index === 900 ? 'TagA' : 'TagB' });
  const filter = parseTagExpression('TagA')!;
  const first = fetch(store, 0, { filter });
  assert.equal([first.outcome.code, first.outcome.nextBeginOffset], [20, 800]);
  assert.is(fetch(store, 800, { filter }).records[0]!.queueOffset, 900);
});

fetcher('looks no further than the file of its entries', () => {
  const store = new PulledStore({ unitsPerFile: 8 });
  for (let index = 0; index < 20; index++) store.append(0);
  const { outcome, records } = fetch(store, 5);
  assert.equal([records.length, outcome.nextBeginOffset], [3, 8]);
  assert.is(fetch(store, 8).outcome.nextBeginOffset, 16);
});

fetcher('a file of entries that is missing is stepped over', () => {
  const store = new PulledStore({ unitsPerFile: 8 });
  for (let index = 0; index < 20; index++) store.append(0);
  store.memory.remove('/store/consumequeue/TopicTest/0/00000000000000000160');
  const { outcome } = fetch(store, 10);
  assert.equal([outcome.code, outcome.remark, outcome.nextBeginOffset], [19, 'OFFSET_FOUND_NULL', 16]);
});

fetcher('entries that fill a gap are served to nobody', () => {
  const store = new PulledStore();
  for (let index = 0; index < 3; index++) store.appendGap(0);
  store.append(0, { body: new TextEncoder().encode('real') });
  const { outcome } = fetch(store, 0);
  assert.equal(bodies(fetch(store, 0)), ['real']);
  assert.is(outcome.nextBeginOffset, 4);
});

fetcher('entries whose message is gone are stepped over', () => {
  const store = new PulledStore({ segmentSize: 1000 });
  for (let index = 0; index < 20; index++) store.append(0, { body: new Uint8Array(200) });
  store.positions.publish('minimum', 2000);
  const { outcome, records } = fetch(store, 0);
  assert.is(outcome.code, 0);
  assert.ok(records.length > 0 && records.every(record => record.physicalOffset >= 2000));
  store.positions.publish('minimum', store.log.end);
  const gone = fetch(store, 0);
  assert.equal([gone.outcome.code, gone.outcome.nextBeginOffset], [20, 20]);
});

fetcher('nothing beyond the appended position is served', () => {
  const store = tenMessages();
  store.putUnit(0, 10, buildUnit(store.log.end, 200, 0n));
  store.table.publishMax(0, 11);
  assert.is(fetch(store, 10).records.length, 0);
});

fetcher('stops at the limits for what is in memory, but gives at least one', () => {
  const store = new PulledStore();
  for (let index = 0; index < 50; index++) store.append(0, { body: new Uint8Array(900) });
  const size = store.log.records[0]!.end;
  const limits = (settings: Partial<PullLaneSettings>, max = 100): number =>
    fetch(store, 0, { settings, max }).records.length;
  assert.is(limits({}), 32);
  assert.is(limits({ maxTransferCountOnMessageInMemory: 40 }), 40);
  assert.is(limits({ maxTransferBytesOnMessageInMemory: 3 * size }), 3);
  assert.is(limits({ maxTransferBytesOnMessageInMemory: 3 * size - 1 }), 2);
  assert.is(limits({ maxTransferBytesOnMessageInMemory: 1 }), 1);
  assert.is(limits({}, 5), 5);
  assert.is(fetch(store, 0, { max: 100 }).outcome.nextBeginOffset, 32);
});

fetcher('stops earlier for what is far behind the end of the log', () => {
  const store = new PulledStore();
  for (let index = 0; index < 50; index++) store.append(0, { body: new Uint8Array(900) });
  const size = store.log.records[0]!.end;
  const limits = (settings: Partial<PullLaneSettings>): number =>
    fetch(store, 0, { settings: { inMemoryBytes: 0, ...settings }, max: 100 }).records.length;
  assert.is(limits({}), 8);
  assert.is(limits({ maxTransferBytesOnMessageInDisk: 2 * size }), 2);
  assert.is(limits({ maxTransferBytesOnMessageInDisk: 1 }), 1);
  assert.is(
    fetch(store, 45, { settings: { inMemoryBytes: 10 * size }, max: 100 }).records.length,
    5,
    'near the end it is in memory',
  );
});

fetcher('the largest message is served, whatever the limits', () => {
  const store = new PulledStore({ segmentSize: 8 * 1024 * 1024 });
  store.append(0, { body: new Uint8Array(3_000_000).fill(7) });
  store.append(0);
  const { records } = fetch(store, 0);
  assert.is(records.length, 1);
  assert.ok(records[0]!.body.every(byte => byte === 7));
  assert.is(fetch(store, 1).records.length, 1);
});

fetcher('reads messages that lie far apart, in several files', () => {
  const store = new PulledStore({ segmentSize: 64 * 1024 });
  for (let index = 0; index < 40; index++) {
    store.append(0, { body: new TextEncoder().encode(`wanted ${index}`) });
    for (let other = 0; other < 5; other++) store.append(1, { body: new Uint8Array(4000) });
  }
  const { records } = fetch(store, 0);
  assert.equal(
    records.map(record => record.body.toString()),
    Array.from({ length: 32 }, (_, index) => `wanted ${index}`),
  );
});

fetcher('a message that is retired between choosing and copying is left out', () => {
  const store = new PulledStore({ segmentSize: 1000 });
  for (let index = 0; index < 8; index++) store.append(0, { body: new Uint8Array(300) });
  const found = store.fetcher();
  found.fetch(0, store.openQueue('TopicTest', 0), 0, 32, ALL_TAGS, pullSettings);
  assert.is(found.count, 8);
  store.memory.remove('/store/commitlog/00000000000000000000');
  const target = new Uint8Array(found.size);
  const records = decodeRecords(Buffer.from(target.subarray(0, found.copyTo(target, 0))));
  assert.ok(records.length > 0 && records.length < 8);
  assert.ok(records.every(record => record.physicalOffset >= 1000));
});

fetcher.run();
