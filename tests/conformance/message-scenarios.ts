/** Kinds of messages and requests of our client: delay, transactions, replies, conditions, trace, administration. */
import * as assert from 'uvu/assert';
import {
  Connection,
  createReplyMessage,
  createRequest,
  type LocalTransactionState,
  type MessageExt,
  MessageSelector,
  MQBrokerError,
  MQTimeoutError,
  RequestCode,
} from '../../client/index.js';
import { decodeBody } from '../../protocol/bodies/fields.js';
import { type ClientCluster, eventually, freshName } from '../support/client-cluster.js';
import { type ClientScenario, collector, range, sorted, texts } from '../support/client-scenario.js';
import { rejectionOf } from '../support/fake-broker.js';

async function delays(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  consumer.subscribe(topic);
  const got = collector(consumer);
  await consumer.start();
  const producer = await cluster.producer();
  await producer.send({ topic, body: 'in a second', delayLevel: 1 });
  await producer.send({ topic, body: 'now' });
  await eventually(() => got.length >= 2, 'two messages');
  assert.equal(texts(got), ['now', 'in a second']);
  assert.is(got[1]!.delayLevel, 1);
  const laterMs = got[1]!.storeTimestamp - got[1]!.bornTimestamp;
  assert.ok(laterMs >= 900, `delivered after ${laterMs} ms`);
}

async function decides(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(2);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  consumer.subscribe(topic);
  const got = collector(consumer);
  await consumer.start();
  const checked: MessageExt[] = [];
  const producer = await cluster.transactionProducer<LocalTransactionState | Error>({
    producerGroup: freshName('PG'),
    onError: () => undefined,
    executeLocalTransaction: async (_message, argument) => {
      if (argument instanceof Error) throw argument;
      return argument;
    },
    checkLocalTransaction: async message => {
      checked.push(message);
      return message.bodyText === 'unknown, commit' ? 'COMMIT_MESSAGE' : 'ROLLBACK_MESSAGE';
    },
  });
  const send = (body: string, argument: LocalTransactionState | Error) =>
    producer.sendMessageInTransaction({ topic, body, tags: 'TagT' }, argument);
  const committed = await send('commit', 'COMMIT_MESSAGE');
  assert.is(committed.localTransactionState, 'COMMIT_MESSAGE');
  await send('rollback', 'ROLLBACK_MESSAGE');
  const unknown = await send('unknown, commit', 'UNKNOW');
  assert.is((await send('throws, rollback', new Error('the database is away'))).localTransactionState, 'UNKNOW');
  await eventually(() => checked.length >= 2, 'the broker to ask for two transactions');
  await eventually(() => got.length >= 2, 'two committed messages');
  assert.equal(sorted(texts(checked)), ['throws, rollback', 'unknown, commit']);
  assert.equal(sorted(texts(got)), ['commit', 'unknown, commit']);
  const message = got.find(each => each.bodyText === 'commit')!;
  assert.equal([message.transactionId, message.msgId], [committed.transactionId, committed.msgId]);
  assert.equal(checked.find(each => each.bodyText === 'unknown, commit')!.transactionId, unknown.transactionId);
  assert.is(checked[0]!.topic, topic, 'the topic is the real one');
}

async function replies(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(2);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  const answering = await cluster.producer();
  consumer.subscribe(topic);
  consumer.consumeConcurrently(async ([message]) => {
    if (message!.bodyText === 'silence') return;
    await answering.send(createReplyMessage(message!, `${message!.bodyText}? `.repeat(1000)));
  });
  await consumer.start();
  const asking = await cluster.producer();
  const questions = range(10, 'question ');
  const answers = await Promise.all(questions.map(body => asking.request({ topic, body }, 20_000)));
  assert.equal(
    texts(answers),
    questions.map(body => `${body}? `.repeat(1000)),
    'each question has its own answer',
  );
  assert.instance(await rejectionOf(asking.request({ topic, body: 'silence' }, 1000)), MQTimeoutError);
}

async function selects(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  consumer.subscribe(topic, MessageSelector.bySql("amount > 5 AND colour = 'red'"));
  const got = collector(consumer);
  await consumer.start();
  const producer = await cluster.producer();
  for (const [colour, amount] of [
    ['red', '3'],
    ['red', '7'],
    ['blue', '9'],
    ['red', '8'],
  ] as const) {
    await producer.send({ topic, body: `${colour} ${amount}`, properties: { colour, amount } });
  }
  await eventually(() => got.length >= 2, 'two messages');
  assert.equal(texts(got), ['red 7', 'red 8']);
  const wrong = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  wrong.subscribe(topic, MessageSelector.bySql('amount >'));
  wrong.consumeConcurrently(async () => {});
  assert.instance(await rejectionOf(wrong.start()), MQBrokerError);
}

async function obeysAdministrators(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const consumerGroup = freshName('CG');
  const consumer = cluster.pushConsumer({ consumerGroup, persistConsumerOffsetIntervalMs: 50 });
  consumer.subscribe(topic);
  const got = collector(consumer);
  await consumer.start();
  const producer = await cluster.producer();
  const sent = await producer.send({ topic, body: 'first' });
  await eventually(() => got.length === 1, 'the message');
  const [host, port] = cluster.broker.address.split(':') as [string, string];
  const connection = await Connection.open({ host, port: Number(port) });
  const { clientId } = consumer;
  try {
    const info = await connection.request(
      createRequest(RequestCode.GET_CONSUMER_RUNNING_INFO, { consumerGroup, clientId, jstackEnable: true }),
      15_000,
    );
    const { properties, mqTable, jstack } = decodeBody(info.body, 'ConsumerRunningInfo');
    assert.is((properties as Record<string, string>).PROP_CONSUME_TYPE, 'CONSUME_PASSIVELY');
    assert.ok(Object.keys(mqTable as object).some(key => key.includes(topic)));
    assert.match(String(jstack), /Node\.js/);

    const direct = await connection.request(
      createRequest(RequestCode.CONSUME_MESSAGE_DIRECTLY, { consumerGroup, clientId, msgId: sent.offsetMsgId }),
      15_000,
    );
    assert.is(decodeBody(direct.body, 'ConsumeMessageDirectlyResult').consumeResult, 'CR_SUCCESS');
    assert.is(got.length, 2);

    await eventually(async () => {
      const reset = createRequest(222, { topic, group: consumerGroup, timestamp: 0, isForce: true });
      return (await connection.request(reset, 15_000)).code === 0;
    }, 'an offset that can be reset');
    await eventually(() => got.length >= 3, 'the message once more');
    assert.equal(texts(got), ['first', 'first', 'first']);
  } finally {
    await connection.close();
  }
}

async function leavesATrace(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const traceTopic = await cluster.createTopic(1);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG'), enableTrace: true, traceTopic });
  consumer.subscribe(topic);
  const got = collector(consumer);
  await consumer.start();
  const producer = await cluster.producer({ enableTrace: true, traceTopic });
  const { msgId } = await producer.send({ topic, body: 'traced', keys: 'order-1', tags: 'TagA' });
  await eventually(() => got.length === 1, 'the message');
  const [host, port] = cluster.broker.address.split(':') as [string, string];
  const connection = await Connection.open({ host, port: Number(port) });
  const fields = { topic: traceTopic, key: msgId, maxNum: 8, beginTimestamp: 0, endTimestamp: Date.now() + 60_000 };
  try {
    let found = '';
    await eventually(async () => {
      const answer = await connection.request(createRequest(RequestCode.QUERY_MESSAGE, fields), 5000);
      found = answer.body === null ? '' : Buffer.from(answer.body).toString('latin1');
      return ['Pub', 'SubBefore', 'SubAfter'].every(type => found.includes(`${type}\u0001`));
    }, 'the records of the send and of the consumption');
    assert.ok(found.includes(`\u0001${topic}\u0001${msgId}\u0001TagA\u0001order-1\u0001`), 'the record of the send');
  } finally {
    await connection.close();
  }
}

export const messageScenarios: readonly ClientScenario[] = [
  { title: 'a delayed message comes later', needs: ['delay'], run: delays },
  { title: 'transactions are committed, rolled back and asked for', needs: ['transaction', 'check'], run: decides },
  { title: 'a request gets its reply', needs: ['reply'], run: replies },
  { title: 'conditions on properties select messages', needs: ['sql92'], run: selects },
  { title: 'administrators may look, consume and reset', needs: ['admin'], run: obeysAdministrators },
  { title: 'sends and consumptions leave a trace', needs: ['consume'], run: leavesATrace },
];
