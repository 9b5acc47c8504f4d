/** Who is in which group. Source: spec remoting 7.1, 7.2. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_EXPIRY_MS, ClientTable, type GroupChange } from '../../../../actors/coordinator/client-table.js';
import { disputeOf } from '../../../../actors/coordinator/group-dispute.js';
import { type HeartbeatOptions, heartbeatOf } from './support.js';

const clients = suite('actors/coordinator/client-table');
const nowMs = 1_700_000_000_000;

const beat = (table: ClientTable, connectionId: number, options: HeartbeatOptions = {}, atMs = nowMs): GroupChange[] =>
  table.heartbeat({ connectionId, address: '10.0.0.1:555', language: 0, version: 409 }, heartbeatOf(options), atMs);

/** [members changed, subscriptions changed] of the one group. */
const flags = ([change]: readonly GroupChange[]): [boolean, boolean] | undefined =>
  change && [change.membersChanged, change.subscriptionChanged];

const members = (table: ClientTable, group = 'G'): number[] => [...(table.consumerGroup(group)?.members.keys() ?? [])];
const topics = (table: ClientTable, group = 'G'): string[] =>
  [...table.consumerGroup(group)!.subscriptions.keys()].sort();

clients('a group is there as long as it has members', () => {
  const table = new ClientTable();
  assert.is(table.consumerGroup('G'), undefined);
  assert.equal(flags(beat(table, 1)), [true, true]);
  assert.equal(flags(beat(table, 2, { clientId: 'client-2' })), [true, true]);
  assert.equal(members(table), [1, 2]);
  assert.equal(
    [...table.consumerGroup('G')!.members.values()].map(member => member.clientId),
    ['client-1', 'client-2'],
  );
  assert.equal(flags(table.connectionClosed(1)), [true, false]);
  assert.equal(flags(table.connectionClosed(2)), [true, true], 'the last one takes the group along');
  assert.is(table.consumerGroup('G'), undefined);
  assert.equal(table.connectionClosed(2), []);
});

clients('the same heartbeat again changes nothing', () => {
  const table = new ClientTable();
  beat(table, 1);
  assert.equal(flags(beat(table, 1)), [false, false]);
});

clients('the newest subscription of a topic counts, and a new version tells no members', () => {
  const table = new ClientTable();
  beat(table, 1, { topics: { T: 5 } });
  assert.equal(flags(beat(table, 2, { topics: { T: 4 } })), [true, true]);
  assert.is(table.consumerGroup('G')!.subscriptions.get('T')!.subVersion, 5, 'an older one is ignored');
  assert.equal(flags(beat(table, 1, { topics: { T: 6 } })), [false, true]);
  assert.is(table.consumerGroup('G')!.subscriptions.get('T')!.subVersion, 6);
});

clients('a topic more or less tells the members', () => {
  const table = new ClientTable();
  beat(table, 1, { topics: { T: 1 } });
  assert.equal(flags(beat(table, 1, { topics: { T: 1, U: 1 } })), [true, true]);
  assert.equal(topics(table), ['T', 'U']);
  assert.equal(flags(beat(table, 1, { topics: { U: 1 } })), [true, true]);
  assert.equal(topics(table), ['U']);
  assert.equal(flags(beat(table, 1, { topics: {} })), [true, true]);
  assert.equal(topics(table), []);
});

clients('the latest heartbeat sets the model of a group', () => {
  const table = new ClientTable();
  beat(table, 1);
  assert.equal(flags(beat(table, 1, { model: 'BROADCASTING' })), [false, true]);
  assert.is(table.consumerGroup('G')!.messageModel, 'BROADCASTING');
});

clients('a client may be in several groups, as producer too', () => {
  const table = new ClientTable();
  beat(table, 1, { producers: ['P', 'CLIENT_INNER_PRODUCER'] });
  beat(table, 1, { group: 'H' });
  beat(table, 2, { group: '', producers: ['P'], clientId: 'client-2' });
  assert.equal([...table.producerGroup('P')!.keys()], [1, 2]);
  assert.equal([members(table, 'G'), members(table, 'H')], [[1], [1]]);
  const changes = table.connectionClosed(1);
  assert.equal(changes.map(change => change.group.name).sort(), ['G', 'H']);
  assert.equal([...table.producerGroup('P')!.keys()], [2]);
  assert.is(table.producerGroup('CLIENT_INNER_PRODUCER'), undefined);
});

clients('unregistering leaves only the groups it names', () => {
  const table = new ClientTable();
  beat(table, 1, { producers: ['P'] });
  beat(table, 1, { group: 'H' });
  assert.equal(flags(table.unregister(1, 'G', undefined)), [true, true]);
  assert.equal([table.consumerGroup('G'), members(table, 'H')], [undefined, [1]]);
  assert.equal(table.unregister(1, undefined, 'P'), []);
  assert.is(table.producerGroup('P'), undefined);
  assert.equal(table.unregister(1, 'G', 'P'), [], 'nothing is left to leave');
  assert.equal(table.unregister(9, 'H', undefined), []);
});

clients('who sends no heartbeat for 120 s has expired', () => {
  const table = new ClientTable();
  beat(table, 1, {}, nowMs);
  beat(table, 2, { group: '', producers: ['P'] }, nowMs);
  beat(table, 3, {}, nowMs + 50);
  assert.equal(table.expired(nowMs + CLIENT_EXPIRY_MS), []);
  assert.equal(table.expired(nowMs + CLIENT_EXPIRY_MS + 1).sort(), [1, 2]);
  beat(table, 1, {}, nowMs + CLIENT_EXPIRY_MS);
  assert.equal(table.expired(nowMs + CLIENT_EXPIRY_MS + 1), [2]);
});

clients('members that want different things are named, once', () => {
  const table = new ClientTable();
  const disputes = (changes: readonly GroupChange[]) => changes.map(({ dispute }) => dispute);
  assert.equal(disputes(beat(table, 1, { clientId: 'a' })), [undefined]);
  assert.equal(disputes(beat(table, 2, { clientId: 'b' })), [undefined], 'the same');
  const other = { clientId: 'c', topics: { U: 1 } };
  assert.equal(disputes(beat(table, 3, other)), [
    { clientIds: ['c', 'a'], about: 'one subscribes to U, the other does not' },
  ]);
  assert.equal(disputes(beat(table, 3, other)), [undefined], 'not with every heartbeat');
  table.connectionClosed(3);
  assert.equal(disputes(beat(table, 4, { clientId: 'd', model: 'BROADCASTING' })), [
    { clientIds: ['d', 'a'], about: 'BROADCASTING and CLUSTERING' },
  ]);
});

clients('what a difference is', () => {
  const wants = (topics: Record<string, string>) => ({
    messageModel: 'CLUSTERING' as const,
    topics: new Map(Object.entries(topics)),
  });
  assert.is(disputeOf(wants({ T: '*' }), wants({ T: '*' })), undefined);
  assert.is(disputeOf(wants({ T: 'a' }), wants({ T: 'b' })), 'T with "a" and with "b"');
  assert.is(disputeOf(wants({ T: '*' }), wants({ T: '*', U: '*' })), 'one subscribes to U, the other does not');
});

clients.run();
