import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQBrokerError, type MQClientError } from '../../../client/errors.js';
import { NameRegistryClient } from '../../../client/name-registry-client.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { FakeBroker, fakeRoute, rejectionOf } from '../../support/fake-broker.js';

const registry = suite('client/name-registry-client');

async function withServers(
  count: number,
  body: (servers: FakeBroker[], client: NameRegistryClient) => Promise<void>,
): Promise<void> {
  const servers = await Promise.all(Array.from({ length: count }, () => FakeBroker.listen()));
  const client = new NameRegistryClient({ namesrvAddr: servers.map(server => server.address).join(';') });
  try {
    await body(servers, client);
  } finally {
    await client.close();
    await Promise.all(servers.map(server => server.close()));
  }
}

registry('gives the route, or null for a topic that does not exist', () =>
  withServers(1, async ([server], client) => {
    server!.serveRoutes(topic => (topic === 'T' ? fakeRoute({ a: '127.0.0.1:1' }, 2) : null));
    const route = await client.route('T');
    assert.equal(route?.brokerDatas, [
      { cluster: 'DefaultCluster', brokerName: 'a', brokerAddrs: { 0: '127.0.0.1:1' } },
    ]);
    assert.is(route?.queueDatas[0]?.writeQueueNums, 2);
    assert.is(await client.route('U'), null);
    assert.is(server!.requests[0]?.extFields.acceptStandardJsonOnly, 'true');
  }),
);

registry('reads the unquoted keys of old name servers', () =>
  withServers(1, async ([server], client) => {
    const body =
      '{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:20911",1:"127.0.0.1:20921"},"brokerName":"broker-a"}],' +
      '"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSynFlag":1,' +
      '"writeQueueNums":4}]}';
    server!.on(RequestCode.GET_ROUTEINFO_BY_TOPIC, request =>
      createResponse(request, 0, null, {}, new TextEncoder().encode(body)),
    );
    const route = await client.route('T');
    assert.equal(route?.brokerDatas[0]?.brokerAddrs, { 0: '127.0.0.1:20911', 1: '127.0.0.1:20921' });
    assert.is(route?.queueDatas[0]?.topicSysFlag, 1);
  }),
);

registry('keeps to one server, and goes to the next when it fails', () =>
  withServers(3, async (servers, client) => {
    for (const server of servers) server.serveRoutes(() => null);
    for (let n = 0; n < 5; n++) await client.route('T');
    const first = servers.findIndex(server => server.address === client.chosenAddress);
    assert.is(servers[first]!.requests.length, 5);
    assert.is(
      servers.reduce((sum, server) => sum + server.accepted, 0),
      1,
    );
    await servers[first]!.close();
    await client.route('T');
    const second = servers[(first + 1) % 3]!;
    assert.is(client.chosenAddress, second.address);
    await client.route('T');
    assert.is(second.requests.length, 2);
    assert.is(servers[(first + 2) % 3]!.requests.length, 0);
  }),
);

registry('gives up when every server failed', () =>
  withServers(2, async (servers, client) => {
    for (const server of servers) await server.close();
    const error = await rejectionOf(client.route('T'));
    assert.is((error as MQClientError).code, 'CONNECT_FAILED');
  }),
);

registry('other codes are errors that say who answered what', () =>
  withServers(1, async ([server], client) => {
    server!.on(RequestCode.GET_ROUTEINFO_BY_TOPIC, request =>
      createResponse(request, ResponseCode.SYSTEM_ERROR, 'not ready'),
    );
    const error = await rejectionOf(client.route('T'));
    assert.instance(error, MQBrokerError);
    const { responseCode, responseCodeName, remark, brokerAddr } = error as MQBrokerError;
    assert.equal(
      [responseCode, responseCodeName, remark, brokerAddr],
      [1, 'SYSTEM_ERROR', 'not ready', server!.address],
    );
  }),
);

registry('an answer that is no route is BAD_ANSWER', () =>
  withServers(1, async ([server], client) => {
    server!.on(RequestCode.GET_ROUTEINFO_BY_TOPIC, request =>
      createResponse(request, 0, null, {}, new TextEncoder().encode('<html>')),
    );
    assert.is(((await rejectionOf(client.route('T'))) as MQClientError).code, 'BAD_ANSWER');
  }),
);

registry.run();
