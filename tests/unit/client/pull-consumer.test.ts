import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQBrokerError, type MQClientError } from '../../../client/errors.js';
import { PullConsumer } from '../../../client/pull-consumer.js';
import type { TopicRouteData } from '../../../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../../protocol/command.js';
import { encodeFakeRecord, FakeBroker, fakeRoute, rejectionOf } from '../../support/fake-broker.js';
import { until } from '../../support/until.js';

const consumer = suite('client/pull-consumer');

const queue = { topic: 'T', brokerName: 'broker-a', queueId: 1 };

interface Rig {
  readonly registry: FakeBroker;
  readonly broker: FakeBroker;
  readonly slave: FakeBroker;
  readonly consumer: PullConsumer;
}

async function withRig(body: (rig: Rig) => Promise<void>): Promise<void> {
  const [registry, broker, slave] = await Promise.all([FakeBroker.listen(), FakeBroker.listen(), FakeBroker.listen()]);
  const brokerDatas: TopicRouteData['brokerDatas'] = [
    { cluster: 'C', brokerName: 'broker-a', brokerAddrs: { 0: broker.address, 1: slave.address } },
  ];
  registry.serveRoutes(topic => (topic === 'T' ? fakeRoute({ 'broker-a': '' }, 2, 6, { brokerDatas }) : null));
  for (const each of [broker, slave]) {
    each.on(RequestCode.HEART_BEAT, request => createResponse(request, 0));
    each.on(RequestCode.UNREGISTER_CLIENT, request => createResponse(request, 0));
  }
  const client = new PullConsumer({ namesrvAddr: registry.address, consumerGroup: 'CG' });
  await client.start();
  try {
    await body({ registry, broker, slave, consumer: client });
  } finally {
    await client.shutdown();
    await Promise.all([registry.close(), broker.close(), slave.close()]);
  }
}

const bounds = { suggestWhichBrokerId: 0, nextBeginOffset: 7, minOffset: 1, maxOffset: 9 };

function found(request: RemotingCommand, records: readonly Uint8Array[], fields = {}): RemotingCommand {
  return createResponse(request, 0, 'FOUND', { ...bounds, ...fields }, Buffer.concat(records));
}

const record = (body: string, tags?: string, queueOffset = 0): Uint8Array =>
  encodeFakeRecord({
    topic: 'T',
    body,
    queueId: 1,
    queueOffset,
    ...(tags === undefined ? {} : { properties: { TAGS: tags } }),
  });

consumer('enumerates queues', () =>
  withRig(async ({ consumer }) => {
    assert.equal(
      (await consumer.fetchSubscribeMessageQueues('T')).map(each => each.queueId),
      [0, 1],
    );
    const error = await rejectionOf(consumer.fetchSubscribeMessageQueues('U'));
    assert.is((error as MQClientError).code, 'NO_ROUTE');
  }),
);

consumer('asks for messages as Java does', () =>
  withRig(async ({ consumer, broker }) => {
    broker.on(RequestCode.PULL_MESSAGE, request => found(request, [record('a')]));
    await consumer.pull(queue, '*', 5, 3);
    await consumer.pullBlockIfNotFound(queue, 'a || b', 6);
    const expected = {
      consumerGroup: 'CG',
      topic: 'T',
      queueId: '1',
      queueOffset: '5',
      maxMsgNums: '3',
      sysFlag: '4',
      commitOffset: '0',
      suspendTimeoutMillis: '0',
      subscription: '*',
      subVersion: '0',
      expressionType: 'TAG',
    };
    assert.equal(
      broker.received(RequestCode.PULL_MESSAGE).map(request => request.extFields),
      [
        expected,
        {
          ...expected,
          queueOffset: '6',
          maxMsgNums: '32',
          sysFlag: '6',
          suspendTimeoutMillis: '20000',
          subscription: 'a || b',
        },
      ],
    );
  }),
);

consumer('checks tags by text, since the broker compares hashes', () =>
  withRig(async ({ consumer, broker }) => {
    // "Aa" and "BB" have the same Java hash.
    broker.on(RequestCode.PULL_MESSAGE, request =>
      found(request, [record('1', 'Aa'), record('2', 'BB'), record('3'), record('4', 'Aa')]),
    );
    const tagged = await consumer.pull(queue, 'Aa', 0);
    assert.is(tagged.pullStatus, 'FOUND');
    assert.equal(
      tagged.messages.map(message => message.bodyText),
      ['1', '4'],
    );
    assert.equal([tagged.nextBeginOffset, tagged.minOffset, tagged.maxOffset], [7, 1, 9]);
    assert.is((await consumer.pull(queue, '*', 0)).messages.length, 4);
  }),
);

consumer('maps codes to a status, and others to an error', () =>
  withRig(async ({ consumer, broker }) => {
    const seen: string[] = [];
    for (const code of [19, 20, 21]) {
      broker.on(RequestCode.PULL_MESSAGE, request => createResponse(request, code, null, bounds));
      seen.push((await consumer.pull(queue, '*', 0)).pullStatus);
    }
    assert.equal(seen, ['NO_NEW_MSG', 'NO_MATCHED_MSG', 'OFFSET_ILLEGAL']);
    broker.on(RequestCode.PULL_MESSAGE, request => createResponse(request, ResponseCode.NO_PERMISSION, 'no'));
    const error = await rejectionOf(consumer.pull(queue, '*', 0));
    assert.instance(error, MQBrokerError);
    broker.on(RequestCode.PULL_MESSAGE, request => createResponse(request, 0));
    assert.is(((await rejectionOf(consumer.pull(queue, '*', 0))) as MQClientError).code, 'BAD_ANSWER');
  }),
);

consumer('reads from the broker the last answer suggested', () =>
  withRig(async ({ consumer, broker, slave }) => {
    broker.on(RequestCode.PULL_MESSAGE, request => found(request, [record('m')], { suggestWhichBrokerId: 1 }));
    slave.on(RequestCode.PULL_MESSAGE, request => found(request, [record('s')]));
    const bodies: string[] = [];
    for (let n = 0; n < 3; n++) bodies.push((await consumer.pull(queue, '*', 0)).messages[0]!.bodyText);
    assert.equal(bodies, ['m', 's', 'm']);
  }),
);

consumer('asks for offsets', () =>
  withRig(async ({ consumer, broker }) => {
    const answer = (fields: Record<string, number>) => (request: RemotingCommand) =>
      createResponse(request, 0, null, fields);
    broker
      .on(RequestCode.GET_MIN_OFFSET, answer({ offset: 3 }))
      .on(RequestCode.GET_MAX_OFFSET, answer({ offset: 30 }))
      .on(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, answer({ offset: 12 }))
      .on(RequestCode.GET_EARLIEST_MSG_STORETIME, answer({ timestamp: -1 }))
      .on(RequestCode.UPDATE_CONSUMER_OFFSET, answer({}))
      .on(RequestCode.QUERY_CONSUMER_OFFSET, request => createResponse(request, ResponseCode.QUERY_NOT_FOUND));
    assert.is(await consumer.minOffset(queue), 3);
    assert.is(await consumer.maxOffset(queue), 30);
    assert.is(await consumer.searchOffset(queue, 1234.5), 12);
    assert.is(await consumer.earliestMsgStoreTime(queue), -1);
    assert.is(await consumer.fetchConsumeOffset(queue), null);
    broker.on(RequestCode.QUERY_CONSUMER_OFFSET, answer({ offset: 8 }));
    assert.is(await consumer.fetchConsumeOffset(queue), 8);
    await consumer.updateConsumeOffset(queue, 9);
    assert.equal(broker.received(RequestCode.UPDATE_CONSUMER_OFFSET)[0]?.extFields, {
      consumerGroup: 'CG',
      commitOffset: '9',
      topic: 'T',
      queueId: '1',
    });
    assert.is(broker.received(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP)[0]?.extFields.timestamp, '1234');
  }),
);

consumer('reads a message by its offset id from the broker named in it', () =>
  withRig(async ({ consumer, broker }) => {
    broker.on(RequestCode.VIEW_MESSAGE_BY_ID, request =>
      createResponse(request, 0, null, {}, record(`at ${request.extFields.offset}`)),
    );
    const id = `7F000001${broker.port.toString(16).padStart(8, '0')}00000000000000D8`;
    assert.is((await consumer.viewMessage(id)).bodyText, 'at 216');
  }),
);

consumer('iterates over a queue, corrects the offset, and ends with break', () =>
  withRig(async ({ consumer, broker }) => {
    const log = Array.from({ length: 10 }, (_, n) => record(`${n}`, undefined, n));
    broker
      .on(RequestCode.QUERY_CONSUMER_OFFSET, request => createResponse(request, ResponseCode.QUERY_NOT_FOUND))
      .on(RequestCode.GET_MIN_OFFSET, request => createResponse(request, 0, null, { offset: 0 }))
      .on(RequestCode.PULL_MESSAGE, request => {
        const offset = Number(request.extFields.queueOffset);
        // What the queue held below 2 expired after the minimum was asked for.
        if (offset < 2) return createResponse(request, 21, null, { ...bounds, nextBeginOffset: 2 });
        return found(request, log.slice(offset, offset + 3), { nextBeginOffset: offset + 3 });
      });
    const bodies: string[] = [];
    for await (const message of consumer.consume(queue)) {
      bodies.push(message.bodyText);
      if (message.queueOffset === 9) break;
    }
    assert.equal(bodies, ['2', '3', '4', '5', '6', '7', '8', '9']);
  }),
);

consumer('an iteration that waits ends with its signal, and with shutdown', () =>
  withRig(async ({ consumer, broker }) => {
    broker.on(RequestCode.PULL_MESSAGE, () => null);
    const controller = new AbortController();
    const read = async (signal?: AbortSignal): Promise<number> => {
      let count = 0;
      for await (const _ of consumer.consume(queue, { from: 0, signal })) count++;
      return count;
    };
    const aborted = read(controller.signal);
    const shut = read();
    await until(() => broker.received(RequestCode.PULL_MESSAGE).length === 2, 'two pulls');
    controller.abort();
    assert.is(await aborted, 0);
    await consumer.shutdown();
    assert.is(await shut, 0);
  }),
);

consumer('without a master a slave is asked for bounds, and for what is committed', () =>
  withRig(async ({ consumer, registry, slave }) => {
    const brokerDatas = [{ cluster: 'C', brokerName: 'broker-a', brokerAddrs: { 1: slave.address } }];
    registry.serveRoutes(() => fakeRoute({ 'broker-a': '' }, 2, 6, { brokerDatas }));
    slave.on(RequestCode.GET_MIN_OFFSET, request => createResponse(request, 0, null, { offset: 2 }));
    slave.on(RequestCode.GET_MAX_OFFSET, request => createResponse(request, 0, null, { offset: 4 }));
    assert.equal([await consumer.minOffset(queue), await consumer.maxOffset(queue)], [2, 4]);
    slave.on(RequestCode.QUERY_CONSUMER_OFFSET, request => createResponse(request, 0, null, { offset: 3 }));
    slave.on(RequestCode.UPDATE_CONSUMER_OFFSET, request => createResponse(request, 0));
    assert.is(await consumer.fetchConsumeOffset(queue), 3);
    await consumer.updateConsumeOffset(queue, 4);
    assert.is(slave.received(RequestCode.UPDATE_CONSUMER_OFFSET)[0]?.extFields.commitOffset, '4');
  }),
);

consumer('greets master and slave as a consumer', () =>
  withRig(async ({ consumer, broker, slave }) => {
    await consumer.fetchSubscribeMessageQueues('T');
    for (const each of [broker, slave]) await until(() => each.received(RequestCode.HEART_BEAT).length === 1, 'a beat');
    const beat = JSON.parse(Buffer.from(slave.received(RequestCode.HEART_BEAT)[0]!.body!).toString());
    assert.equal(beat.consumerDataSet, [
      {
        groupName: 'CG',
        consumeType: 'CONSUME_ACTIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        subscriptionDataSet: [],
        unitMode: false,
      },
    ]);
    await consumer.shutdown();
    assert.is(broker.received(RequestCode.UNREGISTER_CLIENT)[0]?.extFields.consumerGroup, 'CG');
  }),
);

consumer('finds the broker of a queue whose topic has no route yet', () =>
  withRig(async ({ consumer, registry, broker }) => {
    const info = {
      brokerAddrTable: { 'broker-a': { brokerAddrs: { 0: broker.address }, brokerName: 'broker-a', cluster: 'C' } },
      clusterAddrTable: { C: ['broker-a'] },
    };
    registry.on(RequestCode.GET_BROKER_CLUSTER_INFO, request =>
      createResponse(request, 0, null, {}, new TextEncoder().encode(JSON.stringify(info))),
    );
    broker.on(RequestCode.GET_MAX_OFFSET, request => createResponse(request, 0, null, { offset: 4 }));
    assert.is(await consumer.maxOffset({ ...queue, topic: 'New' }), 4);
    const error = await rejectionOf(consumer.maxOffset({ ...queue, topic: 'New', brokerName: 'broker-x' }));
    assert.is((error as MQClientError).code, 'NO_ROUTE');
  }),
);

consumer.run();
