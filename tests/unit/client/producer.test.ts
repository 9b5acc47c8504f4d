import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQBrokerError, type MQClientError, MQTimeoutError } from '../../../client/errors.js';
import { Producer, type ProducerOptions } from '../../../client/producer.js';
import type { TopicRouteData } from '../../../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../../protocol/command.js';
import { parseProperties } from '../../../protocol/message-record.js';
import { FakeBroker, fakeRoute, rejectionOf } from '../../support/fake-broker.js';
import { until } from '../../support/until.js';

const producer = suite('client/producer');

interface Rig {
  readonly registry: FakeBroker;
  readonly a: FakeBroker;
  readonly b: FakeBroker;
  readonly producer: Producer;
  /** What the name server knows. */
  readonly routes: Map<string, TopicRouteData>;
}

function stored(request: RemotingCommand, code: number = ResponseCode.SUCCESS): RemotingCommand {
  const fields = { msgId: 'OFFSET', queueId: request.extFields.e, queueOffset: 41, MSG_REGION: 'R1', TRACE_ON: true };
  return createResponse(request, code, null, fields);
}

/** A name server and two brokers; topic T has one queue on each, S two on broker-a. */
async function withRig(options: Partial<ProducerOptions>, body: (rig: Rig) => Promise<void>): Promise<void> {
  const [registry, a, b] = await Promise.all([FakeBroker.listen(), FakeBroker.listen(), FakeBroker.listen()]);
  const routes = new Map([
    ['T', fakeRoute({ 'broker-a': a.address, 'broker-b': b.address }, 1)],
    ['S', fakeRoute({ 'broker-a': a.address }, 2)],
  ]);
  registry.serveRoutes(topic => routes.get(topic) ?? null);
  for (const broker of [a, b]) {
    broker.on(RequestCode.SEND_MESSAGE_V2, request => stored(request));
    broker.on(RequestCode.SEND_BATCH_MESSAGE, request => stored(request));
    broker.on(RequestCode.HEART_BEAT, request => createResponse(request, 0));
    broker.on(RequestCode.UNREGISTER_CLIENT, request => createResponse(request, 0));
  }
  const client = new Producer({ namesrvAddr: registry.address, producerGroup: 'PG', ...options });
  await client.start();
  try {
    await body({ registry, a, b, producer: client, routes });
  } finally {
    await client.shutdown();
    await Promise.all([registry.close(), a.close(), b.close()]);
  }
}

const sends = (...brokers: FakeBroker[]): RemotingCommand[] =>
  brokers.flatMap(broker => broker.received(RequestCode.SEND_MESSAGE_V2));

producer('sends a V2 request and reads the answer', () =>
  withRig({}, async ({ producer, a }) => {
    const result = await producer.send({ topic: 'S', body: 'hello', tags: 'TagA', flag: 9 });
    const request = sends(a)[0]!;
    const { a: group, b: topic, c, d, e, f, h, i, j, k, m, n } = request.extFields;
    assert.equal([group, topic, c, d, f, h], ['PG', 'S', 'TBW102', '4', '0', '9']);
    assert.equal([j, k, m, n], ['0', 'false', 'false', 'broker-a']);
    assert.is(Buffer.from(request.body!).toString(), 'hello');
    assert.equal(result, {
      sendStatus: 'SEND_OK',
      msgId: parseProperties(i!).get('UNIQ_KEY')!,
      offsetMsgId: 'OFFSET',
      messageQueue: { topic: 'S', brokerName: 'broker-a', queueId: Number(e) },
      queueOffset: 41,
      regionId: 'R1',
      traceOn: true,
    });
  }),
);

producer('maps the codes of stored messages to a status', () =>
  withRig({}, async ({ producer, a }) => {
    const seen: string[] = [];
    for (const code of [ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.FLUSH_SLAVE_TIMEOUT, 11, 0]) {
      a.on(RequestCode.SEND_MESSAGE_V2, request => stored(request, code));
      seen.push((await producer.send({ topic: 'S', body: 'x' })).sendStatus);
    }
    assert.equal(seen, ['FLUSH_DISK_TIMEOUT', 'FLUSH_SLAVE_TIMEOUT', 'SLAVE_NOT_AVAILABLE', 'SEND_OK']);
    assert.is(sends(a).length, 4);
  }),
);

producer('concurrent sends share one connection and few writes', () =>
  withRig({}, async ({ producer, a }) => {
    await producer.send({ topic: 'S', body: 'warm' });
    const chunks = a.chunks;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) => producer.send({ topic: 'S', body: `${n}` })),
    );
    assert.is(results.length, 100);
    assert.is(a.accepted, 1);
    assert.ok(a.chunks - chunks <= 4, `${a.chunks - chunks} chunks`);
    assert.equal(
      sends(a).map(request => Buffer.from(request.body!).toString()),
      ['warm', ...Array.from({ length: 100 }, (_, n) => `${n}`)],
    );
  }),
);

producer('takes the queues in turn', () =>
  withRig({}, async ({ producer, a, b }) => {
    for (let n = 0; n < 6; n++) await producer.send({ topic: 'T', body: 'x' });
    assert.equal([sends(a).length, sends(b).length], [3, 3]);
  }),
);

producer('goes to another broker when one answers a code of the retry set', () =>
  withRig({}, async ({ producer, a, b }) => {
    for (const code of [1, 2, 14, 16, 17, 204, 205]) {
      a.on(RequestCode.SEND_MESSAGE_V2, request => createResponse(request, code, 'no'));
      for (let n = 0; n < 2; n++) {
        const result = await producer.send({ topic: 'T', body: 'x' });
        assert.is(result.messageQueue.brokerName, 'broker-b', `code ${code}`);
      }
    }
    const keys = sends(a, b).map(request => parseProperties(request.extFields.i!).get('UNIQ_KEY'));
    // A retried message keeps its key: 14 messages however many attempts.
    assert.is(new Set(keys).size, 14);
    assert.ok(keys.length > 14);
  }),
);

producer('goes to another broker when one is gone', () =>
  withRig({}, async ({ producer, a, b }) => {
    await a.close();
    for (let n = 0; n < 4; n++) {
      assert.is((await producer.send({ topic: 'T', body: 'x' })).messageQueue.brokerName, 'broker-b');
    }
    assert.is(sends(b).length, 4);
  }),
);

producer('does not retry other codes, nor SYSTEM_BUSY on the same broker', () =>
  withRig({}, async ({ producer, a }) => {
    for (const code of [ResponseCode.MESSAGE_ILLEGAL, ResponseCode.SYSTEM_BUSY]) {
      const before = sends(a).length;
      a.on(RequestCode.SEND_MESSAGE_V2, request => createResponse(request, code, 'no'));
      const error = await rejectionOf(producer.send({ topic: 'S', body: 'x' }));
      assert.instance(error, MQBrokerError);
      assert.is((error as MQBrokerError).responseCode, code);
      assert.is(sends(a).length - before, 1);
    }
  }),
);

producer('gives up after retryTimesWhenSendFailed with the last error', () =>
  withRig({ retryTimesWhenSendFailed: 4 }, async ({ producer, a }) => {
    a.on(RequestCode.SEND_MESSAGE_V2, request => createResponse(request, ResponseCode.SERVICE_NOT_AVAILABLE, 'no'));
    const error = await rejectionOf(producer.send({ topic: 'S', body: 'x' }));
    assert.is((error as MQBrokerError).responseCodeName, 'SERVICE_NOT_AVAILABLE');
    assert.is(sends(a).length, 5);
  }),
);

producer('keeps to the queue it is given, and to the one a selector picks', () =>
  withRig({}, async ({ producer, a, b }) => {
    const queue = { topic: 'T', brokerName: 'broker-b', queueId: 0 };
    for (let n = 0; n < 3; n++) await producer.send({ topic: 'T', body: 'x' }, { queue });
    for (let n = 0; n < 3; n++) await producer.send({ topic: 'S', body: 'x' }, { selector: queues => queues[1] });
    assert.equal([sends(a).length, sends(b).length], [3, 3]);
    assert.ok(sends(a).every(request => request.extFields.e === '1'));
    b.on(RequestCode.SEND_MESSAGE_V2, request => createResponse(request, ResponseCode.SYSTEM_ERROR, 'no'));
    await rejectionOf(producer.send({ topic: 'T', body: 'x' }, { queue }));
    assert.equal([sends(a).length, sends(b).length], [3, 4]);
    const error = await rejectionOf(producer.send({ topic: 'S', body: 'x' }, { queue }));
    assert.is((error as MQClientError).code, 'INVALID_ARGUMENT');
  }),
);

producer('times out with all its retries', () =>
  withRig({}, async ({ producer, a }) => {
    a.on(RequestCode.SEND_MESSAGE_V2, () => null);
    const error = await rejectionOf(producer.send({ topic: 'S', body: 'x' }, { timeoutMs: 50 }));
    assert.instance(error, MQTimeoutError);
    assert.is(sends(a).length, 1);
  }),
);

producer('a topic that does not exist takes the route of TBW102', () =>
  withRig({ defaultTopicQueueNums: 2 }, async ({ producer, registry, a, routes }) => {
    const error = await rejectionOf(producer.send({ topic: 'New', body: 'x' }));
    assert.is((error as MQClientError).code, 'NO_ROUTE');
    routes.set('TBW102', fakeRoute({ 'broker-a': a.address }, 8, 7));
    for (let n = 0; n < 4; n++) await producer.send({ topic: 'New', body: 'x' });
    assert.equal([...new Set(sends(a).map(request => request.extFields.e))].sort(), ['0', '1']);
    assert.equal(
      registry.requests.map(request => request.extFields.topic),
      ['New', 'TBW102', 'New', 'TBW102'],
    );
    assert.is(((await rejectionOf(producer.fetchPublishMessageQueues('New'))) as MQClientError).code, 'NO_ROUTE');
    assert.is((await producer.fetchPublishMessageQueues('S')).length, 2);
  }),
);

producer('sends a batch in one request', () =>
  withRig({}, async ({ producer, a }) => {
    const result = await producer.sendBatch([
      { topic: 'S', body: 'one', properties: { UNIQ_KEY: 'A' } },
      { topic: 'S', body: 'two', properties: { UNIQ_KEY: 'B' } },
    ]);
    assert.is(result.msgId, 'A,B');
    const request = a.received(RequestCode.SEND_BATCH_MESSAGE)[0]!;
    assert.is(request.extFields.m, 'true');
    assert.is(request.extFields.i, 'WAIT\u0001true');
  }),
);

producer('oneway sends carry the oneway flag and wait for nobody', () =>
  withRig({}, async ({ producer, a }) => {
    a.on(RequestCode.SEND_MESSAGE_V2, () => null);
    await producer.sendOneway({ topic: 'S', body: 'x' });
    await until(() => sends(a).length === 1, 'the message');
    assert.is(sends(a)[0]?.flag, 2);
  }),
);

producer('tells the brokers of itself, and says goodbye', () =>
  withRig({}, async ({ producer, a, b }) => {
    await producer.send({ topic: 'T', body: 'x' });
    for (const broker of [a, b]) await until(() => broker.received(RequestCode.HEART_BEAT).length === 1, 'a heartbeat');
    const beat = JSON.parse(Buffer.from(a.received(RequestCode.HEART_BEAT)[0]!.body!).toString());
    assert.equal(beat, {
      clientID: producer.clientId,
      consumerDataSet: [],
      producerDataSet: [{ groupName: 'PG' }],
    });
    await producer.shutdown();
    for (const broker of [a, b]) {
      assert.equal(
        broker.received(RequestCode.UNREGISTER_CLIENT).map(request => request.extFields),
        [{ clientID: producer.clientId, producerGroup: 'PG' }],
      );
      await until(() => broker.connections === 0, 'the connections to close');
    }
    assert.is(((await rejectionOf(producer.send({ topic: 'T', body: 'x' }))) as MQClientError).code, 'NOT_RUNNING');
  }),
);

producer('fetches routes again and beats again, each in its time', () =>
  withRig({ pollNameServerIntervalMs: 20, heartbeatBrokerIntervalMs: 20 }, async ({ producer, a, b, routes }) => {
    await producer.send({ topic: 'S', body: 'x' });
    await until(() => a.received(RequestCode.HEART_BEAT).length >= 3, 'three heartbeats');
    routes.set('S', fakeRoute({ 'broker-b': b.address }, 1));
    await until(() => b.received(RequestCode.HEART_BEAT).length >= 1, 'the new broker to hear of us');
    assert.is((await producer.send({ topic: 'S', body: 'x' })).messageQueue.brokerName, 'broker-b');
  }),
);

producer('checks its options', () => {
  const make = (options: Partial<ProducerOptions>) => () =>
    new Producer({ namesrvAddr: '127.0.0.1:9876', producerGroup: 'PG', ...options });
  assert.throws(make({ producerGroup: '' }), /group/);
  assert.throws(make({ producerGroup: 'DEFAULT_PRODUCER' }), /reserved/);
  assert.throws(make({ namesrvAddr: '' }), /no name server/);
});

producer.run();
