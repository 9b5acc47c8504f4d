/** What a pull lane filters by, and what it answers when it cannot. Source: spec remoting 6.2, 6.7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GroupEntry } from '../../../../actors/group-snapshot.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { topicEntry } from '../../../support/rooms.js';
import { type PullFields, PullRoom, type PullRoomOptions, pullFrame } from './support.js';

const filters = suite('actors/pull-lane/pull-filters');

const SUSPEND = 2;
const SUBSCRIPTION = 4;

type Properties = Readonly<Record<string, string | number>>;

const formatted = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}\u0001${value}`)
    .join('\u0002');

/** A lane and messages in queue 0 with these properties, whose bodies are their offsets. */
function roomWith(messages: readonly Properties[], options: PullRoomOptions = {}): PullRoom {
  const room = new PullRoom(options);
  for (const properties of messages) append(room, properties);
  return room;
}

function append(
  room: PullRoom,
  properties: Properties,
  more: { readonly version?: 1 | 2; readonly sysFlag?: number } = {},
): void {
  const body = new TextEncoder().encode(String(room.store.table.max(0)));
  room.store.append(0, { body, properties: formatted(properties), ...more });
}

const tenPrices = Array.from({ length: 10 }, (_, index) => ({ TAGS: 'TagA', price: index }));

const sql = (subscription: string, more: PullFields = {}): Uint8Array =>
  pullFrame({ subscription, ...more, more: { expressionType: 'SQL92', ...more.more } });

type Answer = ReturnType<PullRoom['ask']>;

const offsetsOf = ({ body }: Answer): string[] =>
  decodeRecords(Buffer.from(body ?? [])).map(record => record.body.toString());

filters('an expression in the request filters by properties', () => {
  const room = roomWith(tenPrices);
  const found = room.ask(sql('price BETWEEN 3 AND 5 OR price > 8'));
  assert.equal([found.code, found.extFields.nextBeginOffset, offsetsOf(found)], [0, '10', ['3', '4', '5', '9']]);
  const first = room.ask(sql('price >= 3', { max: 2 }));
  assert.equal([first.extFields.nextBeginOffset, offsetsOf(first)], ['5', ['3', '4']], 'no more than asked for');
  const none = room.ask(sql('price = 11', { offset: 2 }));
  assert.equal([none.code, none.remark, none.extFields.nextBeginOffset], [20, 'NO_MATCHED_MESSAGE', '10']);
  assert.is(room.ask(sql("TAGS > 5 OR TAGS = 'TagA'")).code, 20, 'an error is no match');
  assert.equal(offsetsOf(room.ask(sql("TAGS = 'TagA' AND price IN ('7')"))), ['7']);
});

filters('a record of every kind is filtered', () => {
  const room = roomWith([]);
  append(room, { price: 1 }, { version: 2 });
  append(room, { price: 1 }, { sysFlag: 0x01 });
  append(room, { price: 2 }, { version: 2 });
  room.store.append(0, { properties: '' });
  room.store.append(0, {
    properties: formatted({ price: 1 }),
    bornAddress: Array.from({ length: 16 }, () => 1),
    storeAddress: Array.from({ length: 16 }, () => 2),
    body: new TextEncoder().encode('IPv6'),
  });
  room.store.appendGap(0);
  append(room, { price: 1 });
  const found = room.ask(sql('price = 1'));
  assert.is(found.extFields.nextBeginOffset, '7');
  assert.equal(
    decodeRecords(Buffer.from(found.body!)).map(record => record.queueOffset),
    [0, 1, 4, 6],
  );
});

filters('what is no expression is refused with 23, the place and the reason', () => {
  const room = roomWith(tenPrices);
  const cases: [frame: Uint8Array, remark: RegExp][] = [
    [sql('price >'), /^parse the consumer's subscription failed: line 1, column 8: expected a property/],
    [sql(''), /failed: there is no expression of type SQL92$/],
    [pullFrame({ subscription: '*', more: { expressionType: 'XPATH' } }), /there are no expressions of type XPATH$/],
    [pullFrame({ subscription: '||' }), /names no tag$/],
  ];
  for (const [frame, remark] of cases) {
    const answer = room.ask(frame);
    assert.is(answer.code, 23, answer.remark ?? '');
    assert.match(answer.remark!, remark);
  }
  assert.is(room.ask(sql('price > 5')).code, 0, 'and the lane goes on');
});

filters('without enablePropertyFilter expressions are refused with 1, tags are not', () => {
  const room = roomWith(tenPrices, { settings: { enablePropertyFilter: false } });
  const remark = 'The broker does not support consumer to filter message by SQL92';
  for (const expression of ['price > 5', 'price >']) {
    const answer = room.ask(sql(expression));
    assert.equal([answer.code, answer.remark], [1, remark]);
  }
  assert.is(room.ask(sql('')).code, 23, 'an expression that is not there is told first');
  assert.is(room.ask(pullFrame({ subscription: '*' })).code, 0);
  room.tellGroup(groupOf('price > 5', 7));
  assert.equal([room.ask(registered(7)).code, room.ask(registered(8)).code], [1, 25]);
  room.tellSettings({ enablePropertyFilter: true });
  assert.is(room.ask(sql('price > 5')).code, 0, 'a change takes effect at once');
});

/** A group that filters TopicTest by an expression; the filter is of another version when told so. */
function groupOf(expression: string, subVersion: number, clientVersion = subVersion): Partial<GroupEntry> {
  return {
    members: {
      messageModel: 'CLUSTERING',
      subscriptions: [{ topic: 'TopicTest', subString: expression, subVersion, expressionType: 'SQL92' }],
    },
    filters: [{ topic: 'TopicTest', expression, expressionType: 'SQL92', clientVersion }],
  };
}

/** A pull by what the group's heartbeats said. */
const registered = (subVersion: number, more: PullFields = {}): Uint8Array =>
  pullFrame({ sysFlag: 0, ...more, more: { subVersion } });

filters("a group's expression comes from its heartbeats, in its newest version", () => {
  const room = roomWith(tenPrices);
  room.tellGroup(groupOf('price > 6', 7));
  assert.equal(offsetsOf(room.ask(registered(7))), ['7', '8', '9']);
  assert.equal(offsetsOf(room.ask(registered(1))), ['7', '8', '9'], 'an older one is enough');
  assert.is(room.ask(registered(8)).code, 25);
  room.tellGroup(groupOf('price > 8', 9, 8));
  const late = room.ask(registered(9));
  assert.equal([late.code, late.remark], [28, "the consumer's consumer filter data not latest"]);
  assert.equal(offsetsOf(room.ask(registered(8))), ['9']);
  room.tellGroup({ ...groupOf('price >', 10), filters: [] });
  const missing = room.ask(registered(10));
  assert.is(missing.code, 27);
  assert.is(missing.remark, "The broker's consumer filter data is not exist!Your expression may be wrong!");
  room.tellGroup({ filters: groupOf('price > 6', 10).filters! });
  assert.is(room.ask(registered(10)).code, 24, 'nobody is there');
});

filters('a held pull is woken by a message that matches, and goes on behind those that do not', () => {
  const room = roomWith([]);
  room.tellGroup(groupOf('price > 6', 1));
  const holding = { sysFlag: SUSPEND, suspendMs: 15_000 };
  room.put(registered(1, holding));
  room.put(sql('price > 100', { ...holding, sysFlag: SUSPEND | SUBSCRIPTION }));
  room.work();
  for (const price of [1, 2, 3]) {
    append(room, { price });
    room.tellGrown(0);
    room.work();
    assert.is(room.take().length, 0);
  }
  append(room, { price: 7 });
  room.tellGrown(0);
  room.work();
  const answers = room.take();
  assert.is(answers.length, 1);
  assert.equal(offsetsOf(answers[0]!.command!), ['3']);
  room.nowMs += 15_000;
  room.work();
  const [expired] = room.take();
  assert.equal([expired!.command!.code, expired!.command!.extFields.nextBeginOffset], [19, '4'], 'at its deadline');
});

filters('a held pull that cannot look at all that came is answered, and its client goes on', () => {
  const room = roomWith([]);
  room.put(sql('price = 1', { sysFlag: SUSPEND | SUBSCRIPTION, suspendMs: 15_000 }));
  room.work();
  for (let index = 0; index < 900; index++) append(room, { price: index === 899 ? 1 : 2 });
  room.tellGrown(0);
  room.work();
  const [answer] = room.take();
  assert.equal([answer!.command!.code, answer!.command!.extFields.nextBeginOffset], [20, '800']);
  assert.equal(offsetsOf(room.ask(sql('price = 1', { offset: 800 }))), ['899']);
});

filters('a pull that would read too much of the log stops before the end', () => {
  const room = roomWith([]);
  const body = new Uint8Array(1024 * 1024);
  for (let index = 0; index < 12; index++) room.store.append(0, { body, properties: formatted({ price: 1 }) });
  const none = room.ask(sql('price = 2'));
  assert.is(none.code, 20);
  const next = Number(none.extFields.nextBeginOffset);
  assert.ok(next > 4 && next < 12, String(next));
  append(room, { price: 2 });
  assert.equal(offsetsOf(room.ask(sql('price = 2', { offset: next }))), ['12']);
});

filters(
  'retried messages are filtered by what their group wants of their first topic, if filterSupportRetry says so',
  () => {
    const room = roomWith([
      { RETRY_TOPIC: 'TopicTest', price: 1 },
      { RETRY_TOPIC: 'TopicTest', price: 9 },
      { RETRY_TOPIC: 'Other', price: 1 },
      { price: 1 },
    ]);
    // The same queue under the name of the retry topic.
    const openQueue = room.store.openQueue.bind(room.store);
    room.store.openQueue = (_, queueId, units) => openQueue('TopicTest', queueId, units);
    room.tellTopic(topicEntry('%RETRY%G', 1));
    const retried = (offset = 0): Uint8Array => pullFrame({ topic: '%RETRY%G', subscription: '*', offset });
    room.tellGroup(groupOf('price > 5', 1));
    assert.equal(offsetsOf(room.ask(retried())), ['0', '1', '2', '3'], 'off');
    room.tellSettings({ filterSupportRetry: true });
    assert.equal(offsetsOf(room.ask(retried())), ['1', '2', '3'], 'on');
    assert.equal(offsetsOf(room.ask(pullFrame({ subscription: '*' }))), ['0', '1', '2', '3'], 'not another topic');
    room.tellGroup({ filters: [] });
    assert.equal(offsetsOf(room.ask(retried())), ['0', '1', '2', '3'], 'a group without filters');
  },
);

filters.run();
