import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MQClientError } from '../../../client/errors.js';
import { RequestCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { fakeRoute, rejectionOf } from '../../support/fake-broker.js';
import { encode, withAdmin } from './admin/support.js';

const admin = suite('client/admin');

admin('creates a topic on one broker, or on the masters of a cluster', () =>
  withAdmin(async (server, client) => {
    const brokers = `{"a":{"brokerAddrs":{0:"${server.address}",1:"127.0.0.1:1"},"brokerName":"a","cluster":"C"}}`;
    const info = `{"brokerAddrTable":${brokers},"clusterAddrTable":{"C":["a"]}}`;
    server.on(RequestCode.GET_BROKER_CLUSTER_INFO, request => createResponse(request, 0, null, {}, encode(info)));
    server.on(RequestCode.UPDATE_AND_CREATE_TOPIC, request => createResponse(request, 0));
    await client.createTopic({ brokerAddr: server.address, topic: 'T', readQueueNums: 2, writeQueueNums: 3, perm: 4 });
    await client.createTopic({ clusterName: 'C', topic: 'U' });
    const fields = { defaultTopic: 'TBW102', topicFilterType: 'SINGLE_TAG', topicSysFlag: '0', order: 'false' };
    assert.equal(
      server.received(RequestCode.UPDATE_AND_CREATE_TOPIC).map(request => request.extFields),
      [
        { ...fields, topic: 'T', readQueueNums: '2', writeQueueNums: '3', perm: '4' },
        { ...fields, topic: 'U', readQueueNums: '8', writeQueueNums: '8', perm: '6' },
      ],
    );
    const error = await rejectionOf(client.createTopic({ clusterName: 'D', topic: 'U' }));
    assert.is((error as MQClientError).code, 'NO_ROUTE');
  }),
);

admin('reads and changes the configuration of a broker', () =>
  withAdmin(async (server, client) => {
    const text = 'brokerName=broker-a\nmessageDelayLevel=1s 5s 10s\nnamesrvAddr=127.0.0.1:9876\nempty=\n';
    server.on(RequestCode.GET_BROKER_CONFIG, request =>
      createResponse(request, 0, null, { version: '{}' }, encode(text)),
    );
    assert.equal(await client.brokerConfig(server.address), {
      brokerName: 'broker-a',
      messageDelayLevel: '1s 5s 10s',
      namesrvAddr: '127.0.0.1:9876',
      empty: '',
    });
    server.on(RequestCode.UPDATE_BROKER_CONFIG, request => createResponse(request, 0));
    await client.updateBrokerConfig(server.address, { fileReservedTime: '48', messageDelayLevel: '1s 2s' });
    const body = Buffer.from(server.received(RequestCode.UPDATE_BROKER_CONFIG)[0]!.body!).toString();
    assert.match(body, /^fileReservedTime ?= ?48\nmessageDelayLevel ?= ?1s 2s\n$/);
  }),
);

admin('asks for runtime information, routes and topics', () =>
  withAdmin(async (server, client) => {
    server.serveRoutes(topic => (topic === 'T' ? fakeRoute({ a: 'h:1' }) : null));
    server.on(RequestCode.GET_BROKER_RUNTIME_INFO, request =>
      createResponse(request, 0, null, {}, encode('{"table":{"putTps":"1.0 2.0 3.0"}}')),
    );
    server.on(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, request =>
      createResponse(request, 0, null, {}, encode('{"topicList":["T","TBW102"]}')),
    );
    assert.equal(await client.brokerRuntimeInfo(server.address), { putTps: '1.0 2.0 3.0' });
    assert.equal(await client.topicList(), ['T', 'TBW102']);
    assert.is((await client.topicRoute('T'))?.queueDatas.length, 1);
    assert.is(await client.topicRoute('U'), null);
  }),
);

admin.run();
