import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BROKER_EXPIRED_MS,
  type BrokerRegistration,
  RouteTable,
} from '../../../../actors/name-registry/route-table.js';
import { topic } from './support.js';

const table = suite('actors/name-registry/route-table');

function master(values: Partial<BrokerRegistration> = {}): BrokerRegistration {
  return {
    clusterName: 'C',
    brokerName: 'a',
    brokerAddr: 'a:1',
    brokerId: 0,
    haServerAddr: 'a:2',
    dataVersion: { counter: 1, timestamp: 1 },
    topics: [topic('T')],
    filterServers: [],
    connectionId: 1,
    ...values,
  };
}

table('topics are merged only when the data version changed', () => {
  const routes = new RouteTable();
  routes.registerBroker(master(), 0);
  routes.registerBroker(master({ topics: [topic('T', { perm: 4 }), topic('U')] }), 0);
  assert.equal(routes.topics.allTopics(), ['T'], 'the version is the known one');
  routes.registerBroker(master({ topics: [topic('U')], dataVersion: { counter: 2, timestamp: 1 } }), 0);
  assert.equal(routes.topics.allTopics(), ['T', 'U'], 'an incremental registration takes nothing away');
  routes.registerBroker(
    master({ topics: [topic('T', { perm: 2 })], dataVersion: { counter: 2, timestamp: 1, stateVersion: 1 } }),
    0,
  );
  assert.is(routes.pickupRoute('T')?.queueDatas[0]?.perm, 2);
});

table('the topics of a slave are not taken', () => {
  const routes = new RouteTable();
  routes.registerBroker(master({ brokerId: 1, brokerAddr: 's:1', topics: [topic('S')] }), 0);
  assert.equal(routes.topics.allTopics(), []);
  assert.is(routes.pickupRoute('S'), undefined);
});

table('a slave that becomes the master appears once, and its topics count', () => {
  const routes = new RouteTable();
  routes.registerBroker(master(), 0);
  routes.registerBroker(master({ brokerId: 1, brokerAddr: 's:1', connectionId: 2 }), 0);
  assert.equal(routes.pickupRoute('T')?.brokerDatas[0]?.brokerAddrs, { '0': 'a:1', '1': 's:1' });
  const before = routes.routeBody('T');
  const outcome = routes.registerBroker(
    master({ brokerAddr: 's:1', connectionId: 2, topics: [topic('T', { perm: 4 })] }),
    0,
  );
  assert.equal(
    outcome.displaced.map(broker => broker.brokerAddr),
    ['a:1'],
  );
  assert.equal(routes.pickupRoute('T')?.brokerDatas[0]?.brokerAddrs, { '0': 's:1' });
  assert.is(routes.pickupRoute('T')?.queueDatas[0]?.perm, 4);
  assert.is.not(routes.routeBody('T'), before);
  assert.equal(routes.removeConnection(1), [], 'the former master has nothing to lose any more');
  assert.ok(routes.pickupRoute('T'));
});

table('an address belongs to one broker name', () => {
  const routes = new RouteTable();
  routes.registerBroker(master(), 0);
  const outcome = routes.registerBroker(master({ brokerName: 'b', topics: [topic('U')] }), 0);
  assert.equal(
    outcome.displaced.map(broker => broker.brokerName),
    ['a'],
  );
  assert.equal(Object.keys(routes.clusterInfo().brokerAddrTable), ['b']);
  assert.equal(routes.clusterInfo().clusterAddrTable, { C: ['b'] });
  assert.equal(routes.topics.allTopics(), ['U']);
});

table('a silent broker goes after 120 s; registering and being up to date keep it', () => {
  const routes = new RouteTable();
  const version = { counter: 1, timestamp: 1 };
  routes.registerBroker(master(), 1000);
  routes.registerBroker(master({ brokerName: 'b', brokerAddr: 'b:1', connectionId: 2 }), 1000);
  assert.equal(routes.removeExpired(1000 + BROKER_EXPIRED_MS), []);
  assert.equal(routes.queryDataVersion('b:1', version, 2000), { changed: false, stored: version });
  const removed = routes.removeExpired(1001 + BROKER_EXPIRED_MS);
  assert.equal(
    removed.map(broker => broker.brokerAddr),
    ['a:1'],
  );
  assert.equal(
    routes.pickupRoute('T')?.brokerDatas.map(broker => broker.brokerName),
    ['b'],
  );
  // Asked with another version: told to register, not kept alive.
  assert.equal(routes.queryDataVersion('b:1', { counter: 2, timestamp: 1 }, 9000), { changed: true, stored: version });
  assert.is(routes.removeExpired(2001 + BROKER_EXPIRED_MS).length, 1);
  assert.equal(routes.queryDataVersion('b:1', version, 0), { changed: true, stored: undefined });
  assert.equal(routes.clusterInfo(), { brokerAddrTable: {}, clusterAddrTable: {} });
  assert.equal(routes.topics.allTopics(), []);
});

table('a closed connection takes its brokers, not those that came back over another', () => {
  const routes = new RouteTable();
  routes.registerBroker(master({ connectionId: 1 }), 0);
  routes.registerBroker(master({ connectionId: 2 }), 0);
  assert.is(routes.removeConnection(1).length, 0);
  assert.ok(routes.pickupRoute('T'));
  assert.is(routes.removeConnection(2).length, 1);
  assert.is(routes.pickupRoute('T'), undefined);
});

table('a master that is gone leaves its slave and the topics', () => {
  const routes = new RouteTable();
  routes.registerBroker(master(), 0);
  routes.registerBroker(master({ brokerId: 1, brokerAddr: 's:1', connectionId: 2 }), 0);
  routes.removeConnection(1);
  assert.equal(routes.pickupRoute('T')?.brokerDatas[0]?.brokerAddrs, { '1': 's:1' });
  routes.removeConnection(2);
  assert.is(routes.pickupRoute('T'), undefined);
});

table('good-bye of a broker whose place is taken changes nothing', () => {
  const routes = new RouteTable();
  routes.registerBroker(master(), 0);
  routes.registerBroker(master({ brokerAddr: 'a2:1', connectionId: 2 }), 0);
  assert.not(routes.unregisterBroker(master()));
  assert.equal(routes.pickupRoute('T')?.brokerDatas[0]?.brokerAddrs, { '0': 'a2:1' });
  assert.ok(routes.unregisterBroker(master({ brokerAddr: 'a2:1' })));
  assert.is(routes.pickupRoute('T'), undefined);
});

table('an encoded route is kept until something in it changes', () => {
  const routes = new RouteTable();
  const changed = (counter: number) => ({ dataVersion: { counter, timestamp: 1 } });
  routes.registerBroker(master(), 0);
  routes.registerBroker(master({ ...changed(2), topics: [topic('U')] }), 0);
  let body = routes.routeBody('T');
  const check = (action: () => unknown, isKept: boolean, what: string) => {
    action();
    const after = routes.routeBody('T');
    assert.is(after === body, isKept, what);
    body = after;
  };
  check(() => routes.registerBroker(master({ ...changed(2) }), 5), true, 'kept alive');
  check(
    () => routes.registerBroker(master({ ...changed(3), topics: [topic('T'), topic('V')] }), 5),
    true,
    'other topic',
  );
  check(() => routes.registerBroker(master({ ...changed(4), topics: [topic('T', { perm: 4 })] }), 5), false, 'topic');
  check(() => routes.registerBroker(master({ ...changed(4), filterServers: ['f:1'] }), 5), false, 'filter server');
  check(
    () => routes.registerBroker(master({ ...changed(4), filterServers: null }), 5),
    true,
    'filter servers as before',
  );
  check(() => routes.registerBroker(master({ brokerId: 1, brokerAddr: 's:1', connectionId: 2 }), 5), false, 'slave');
  check(() => routes.removeConnection(2), false, 'slave gone');
  check(() => routes.wipeWritePerm('a'), false, 'wiped');
  check(() => routes.addWritePerm('a'), false, 'added');
  check(() => routes.deleteTopic('U'), true, 'other topic deleted');
  check(() => routes.deleteTopic('T', 'D'), false, 'asked to delete elsewhere: encoded anew');
  routes.deleteTopic('T');
  assert.is(routes.routeBody('T'), undefined);
});

table('filter servers are in the route while there are any', () => {
  const routes = new RouteTable();
  routes.registerBroker(master({ filterServers: ['f:1', 'f:2'] }), 0);
  assert.equal(routes.pickupRoute('T')?.filterServerTable, { 'a:1': ['f:1', 'f:2'] });
  routes.registerBroker(master({ filterServers: null }), 0);
  assert.equal(routes.pickupRoute('T')?.filterServerTable, { 'a:1': ['f:1', 'f:2'] });
  routes.registerBroker(master(), 0);
  assert.equal(routes.pickupRoute('T')?.filterServerTable, {});
});

table('the tables are bounded', () => {
  const routes = new RouteTable({ brokersMax: 1, topicsMax: 2 });
  const outcome = routes.registerBroker(master({ topics: [topic('T'), topic('U'), topic('V'), topic('')] }), 0);
  assert.is(outcome.skippedTopicCount, 2);
  assert.equal(routes.topics.allTopics(), ['T', 'U']);
  assert.ok(routes.registerBroker(master({ brokerName: 'b', brokerAddr: 'b:1' }), 0).isRefused);
  assert.not(routes.registerBroker(master({ brokerAddr: 'a2:1' }), 0).isRefused, 'it takes the place of the other');
  assert.equal(Object.keys(routes.clusterInfo().brokerAddrTable), ['a']);
});

table.run();
