import { deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MQClientError, MQTimeoutError } from '../../../client/errors.js';
import { decodeMessages, type MessageExt } from '../../../client/message-ext.js';
import { Producer } from '../../../client/producer.js';
import { createReplyMessage } from '../../../client/request-reply.js';
import { encodeBody } from '../../../protocol/bodies/fields.js';
import { RequestCode } from '../../../protocol/codes.js';
import { createRequest, createResponse, type ExtFields } from '../../../protocol/command.js';
import { parseProperties } from '../../../protocol/message-record.js';
import { encodeFakeRecord, FakeBroker, fakeRoute, rejectionOf } from '../../support/fake-broker.js';
import { until } from '../../support/until.js';

const requestReply = suite('client/request-reply');

const { HEART_BEAT, PUSH_REPLY_MESSAGE_TO_CLIENT, SEND_MESSAGE_V2, SEND_REPLY_MESSAGE_V2 } = RequestCode;

function requestWith(properties: Record<string, string>): MessageExt {
  return decodeMessages(encodeFakeRecord({ topic: 'T', body: 'x', properties }))[0]!;
}

/** Topic T is on one broker; the cluster has another. */
async function withRig(work: (a: FakeBroker, b: FakeBroker, producer: Producer) => Promise<void>): Promise<void> {
  const [a, b] = await Promise.all([FakeBroker.listen(), FakeBroker.listen()]);
  a.serveRoutes(() => fakeRoute({ 'broker-a': a.address }, 1));
  const brokerOf = (brokerName: string, broker: FakeBroker) => ({
    cluster: 'C',
    brokerName,
    brokerAddrs: { 0: broker.address },
  });
  a.on(RequestCode.GET_BROKER_CLUSTER_INFO, request => {
    const brokerAddrTable = { 'broker-a': brokerOf('broker-a', a), 'broker-b': brokerOf('broker-b', b) };
    return createResponse(request, 0, null, {}, encodeBody({ brokerAddrTable, clusterAddrTable: {} }));
  });
  for (const broker of [a, b]) {
    for (const code of [HEART_BEAT, SEND_MESSAGE_V2, SEND_REPLY_MESSAGE_V2, RequestCode.UNREGISTER_CLIENT]) {
      broker.on(code, request => createResponse(request, 0, null, { msgId: 'ID', queueOffset: 0 }));
    }
  }
  const producer = new Producer({ namesrvAddr: a.address, producerGroup: 'PG' });
  await producer.start();
  try {
    await work(a, b, producer);
  } finally {
    await producer.shutdown();
    await Promise.all([a.close(), b.close()]);
  }
}

/** Pushes a reply as a broker does. */
function reply(broker: FakeBroker, correlationId: string, body: Uint8Array, more: ExtFields = {}): void {
  const properties = `CORRELATION_ID\u0001${correlationId}\u0002TAGS\u0001A\u0002`;
  const fields = { topic: 'C_REPLY_TOPIC', queueId: 0, sysFlag: 0, bornHost: '/10.0.0.9:1', properties, ...more };
  broker.push(createRequest(PUSH_REPLY_MESSAGE_TO_CLIENT, fields, body));
}

const encoder = new TextEncoder();

requestReply('a request waits for the reply of its own, which may come through another broker', () =>
  withRig(async (a, b, producer) => {
    const [first, second] = [
      producer.request({ topic: 'T', body: 'one' }, 5000),
      producer.request({ topic: 'T', body: 'two' }, 5000),
    ];
    await until(() => a.received(SEND_MESSAGE_V2).length === 2, 'both requests');
    assert.is(b.received(HEART_BEAT).length, 1, 'the other broker knows the client');
    const sent = a.received(SEND_MESSAGE_V2).map(({ extFields }) => parseProperties(extFields.i!));
    const ids = sent.map(properties => properties.get('CORRELATION_ID')!);
    assert.is(sent[0]!.get('REPLY_TO_CLIENT'), producer.clientId);
    assert.ok(Number(sent[0]!.get('TTL')) > 4000);
    reply(b, ids[1]!, encoder.encode('to two'));
    reply(b, ids[0]!, deflateSync('to one'), { sysFlag: 1 });
    assert.equal([(await first).bodyText, (await second).bodyText], ['to one', 'to two']);
    assert.equal([(await first).bornHost, (await first).tags], ['10.0.0.9:1', 'A']);
    reply(b, 'nobody waits', encoder.encode('late'));
    await until(() => b.answers.length === 3, 'the answers to the pushes');
    assert.ok(b.answers.every(({ code }) => code === 0));
  }),
);

requestReply('fails at once when the request cannot be sent, and in time when there is no reply', () =>
  withRig(async (a, _b, producer) => {
    assert.instance(await rejectionOf(producer.request({ topic: 'T', body: 'x' }, 50)), MQTimeoutError);
    a.on(SEND_MESSAGE_V2, request => createResponse(request, 13, 'no'));
    const error = await rejectionOf(producer.request({ topic: 'T', body: 'x' }, 60_000));
    assert.is((error as MQClientError).code, 'REFUSED');
    a.on(SEND_MESSAGE_V2, request => createResponse(request, 0, null, { msgId: 'ID', queueOffset: 0 }));
    const waiting = rejectionOf(producer.request({ topic: 'T', body: 'x' }, 60_000));
    await until(() => a.received(SEND_MESSAGE_V2).length === 3, 'the request');
    await producer.shutdown();
    assert.is(((await waiting) as MQClientError).code, 'NOT_RUNNING');
  }),
);

requestReply('a reply goes to the cluster’s reply topic with what pairs it, as a reply', () =>
  withRig(async (a, _b, producer) => {
    const request = requestWith({ CLUSTER: 'C', CORRELATION_ID: 'I1', REPLY_TO_CLIENT: 'X', TTL: '3000', KEYS: 'k' });
    await producer.send(createReplyMessage(request, 'done'));
    const { b: topic, i } = a.received(SEND_REPLY_MESSAGE_V2)[0]!.extFields;
    assert.is(topic, 'C_REPLY_TOPIC');
    const properties = parseProperties(i!);
    assert.equal(
      ['MSG_TYPE', 'CORRELATION_ID', 'REPLY_TO_CLIENT', 'TTL', 'KEYS'].map(name => properties.get(name)),
      ['reply', 'I1', 'X', '3000', undefined],
    );
  }),
);

requestReply('only a request can be replied to', () => {
  for (const properties of [{ CLUSTER: 'C' }, { CORRELATION_ID: 'I1', REPLY_TO_CLIENT: 'X' }] as Record<
    string,
    string
  >[]) {
    assert.throws(
      () => createReplyMessage(requestWith(properties), 'x'),
      (error: MQClientError) => error.code === 'MESSAGE_ILLEGAL',
    );
  }
});

requestReply.run();
