import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQBrokerError, RequestCode } from '../../../../client/index.js';
import { ResponseCode } from '../../../../protocol/codes.js';
import { createResponse } from '../../../../protocol/command.js';
import { rejectionOf } from '../../../support/fake-broker.js';
import { encode, withAdmin } from './support.js';

const groups = suite('client/admin/groups');

groups('reads progress with keys as objects, as brokers write them', () =>
  withAdmin(async (server, { groups: client }) => {
    const queue = '{"brokerName":"a","queueId":3,"topic":"T"}';
    const offsets = '{"brokerOffset":9,"consumerOffset":"7","lastTimestamp":5}';
    const body = `{"consumeTps":1.5,"offsetTable":{${queue}:${offsets}}}`;
    server.on(RequestCode.GET_CONSUME_STATS, request => createResponse(request, 0, null, {}, encode(body)));
    assert.equal(await client.consumeStats(server.address, 'G'), {
      consumeTps: 1.5,
      offsetTable: [
        [
          { brokerName: 'a', queueId: 3, topic: 'T' },
          { brokerOffset: 9, consumerOffset: 7, lastTimestamp: 5 },
        ],
      ],
    });
    await client.consumeStats(server.address, 'G', 'T');
    assert.equal(
      server.received(RequestCode.GET_CONSUME_STATS).map(({ extFields }) => extFields),
      [{ consumerGroup: 'G' }, { consumerGroup: 'G', topic: 'T' }],
    );
  }),
);

groups('nobody online is an answer, another refusal an error', () =>
  withAdmin(async (server, { groups: client }) => {
    let remark = 'the producer group[G] not exist';
    const { CONSUMER_NOT_ONLINE, SYSTEM_ERROR } = ResponseCode;
    server.on(RequestCode.GET_CONSUMER_CONNECTION_LIST, request => createResponse(request, CONSUMER_NOT_ONLINE, ''));
    server.on(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, request => createResponse(request, CONSUMER_NOT_ONLINE, ''));
    server.on(RequestCode.GET_PRODUCER_CONNECTION_LIST, request => createResponse(request, SYSTEM_ERROR, remark));
    assert.is(await client.consumers(server.address, 'G'), null);
    assert.is(await client.resetOffset(server.address, 'G', 'T', -1), null);
    assert.equal(await client.producers(server.address, 'G'), []);
    remark = 'out of memory';
    assert.instance(await rejectionOf(client.producers(server.address, 'G')), MQBrokerError);
  }),
);

groups('asks to reset, clone, commit and delete with the fields brokers of all versions read', () =>
  withAdmin(async (server, { groups: client }) => {
    const table = '{"offsetTable":{{"brokerName":"a","queueId":0,"topic":"T"}:4}}';
    server.on(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, request =>
      createResponse(request, 0, null, {}, encode(table)),
    );
    const queue = { brokerName: 'a', queueId: 0, topic: 'T' };
    assert.equal(await client.resetOffset(server.address, 'G', 'T', 12), [[queue, 4]]);
    for (const code of [
      RequestCode.CLONE_GROUP_OFFSET,
      RequestCode.UPDATE_CONSUMER_OFFSET,
      RequestCode.DELETE_SUBSCRIPTIONGROUP,
    ]) {
      server.on(code, request => createResponse(request, 0));
    }
    await client.cloneOffset(server.address, 'G', 'H', 'T');
    await client.updateOffset(server.address, 'G', queue, 8);
    await client.delete(server.address, 'G', true);
    assert.equal(
      server.requests.map(({ extFields }) => extFields),
      [
        { topic: 'T', group: 'G', timestamp: '12', isForce: 'true' },
        { srcGroup: 'G', destGroup: 'H', topic: 'T', offline: 'true' },
        { consumerGroup: 'G', topic: 'T', queueId: '0', commitOffset: '8' },
        { groupName: 'G', removeOffset: 'true', cleanOffset: 'true' },
      ],
    );
  }),
);

groups('reads who consumes a topic and which producers there are', () =>
  withAdmin(async (server, { groups: client }) => {
    server.on(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, request =>
      createResponse(request, 0, null, {}, encode('{"groupList":["G","H"]}')),
    );
    server.on(RequestCode.GET_ALL_PRODUCER_INFO, request =>
      createResponse(request, 0, null, {}, encode('{"data":{"P":[{"clientId":"c@1"},{"clientId":"c@2"}]}}')),
    );
    assert.equal(await client.ofTopic(server.address, 'T'), ['G', 'H']);
    assert.equal(await client.allProducers(server.address), { P: ['c@1', 'c@2'] });
  }),
);

groups.run();
