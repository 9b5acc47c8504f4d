/** What our client has to do with any broker: consumption, transactions, requests. Each scenario says what it needs. */
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
  PullConsumer,
  type PushConsumer,
  RequestCode,
} from '../../client/index.js';
import { decodeBody } from '../../protocol/bodies/fields.js';
import { type ClientCluster, eventually, freshName, numbered } from '../support/client-cluster.js';
import { rejectionOf } from '../support/fake-broker.js';

/** What a broker may or may not serve yet. */
export type BrokerFeature = 'consume' | 'retry' | 'lock' | 'delay' | 'transaction' | 'reply' | 'sql92' | 'admin';

export interface ClientScenario {
  readonly title: string;
  readonly needs: readonly BrokerFeature[];
  readonly run: (cluster: ClientCluster) => Promise<void>;
}

const texts = (messages: readonly MessageExt[]): string[] => messages.map(message => message.bodyText);
const sorted = (values: readonly string[]): string[] => [...values].sort();
const range = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/** A consumer that keeps what it gets. */
function collector(consumer: PushConsumer): MessageExt[] {
  const got: MessageExt[] = [];
  consumer.consumeConcurrently(async messages => {
    got.push(...messages);
  });
  return got;
}

async function sendAll(cluster: ClientCluster, topic: string, count: number, prefix = ''): Promise<void> {
  const producer = await cluster.producer();
  await Promise.all(numbered(topic, count, prefix).map(message => producer.send(message)));
}

async function sharesAndTakesOver(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(4);
  const consumerGroup = freshName('CG');
  const [first, second] = [cluster.pushConsumer({ consumerGroup }), cluster.pushConsumer({ consumerGroup })];
  const [byFirst, bySecond] = [collector(first), collector(second)];
  for (const consumer of [first, second]) consumer.subscribe(topic);
  await first.start();
  await second.start();
  await eventually(() => first.assignedQueues(topic).length === 2, 'the first member to give two queues away');
  await eventually(() => second.assignedQueues(topic).length === 2, 'the second member to have two queues');
  await sendAll(cluster, topic, 100);
  await eventually(() => byFirst.length + bySecond.length >= 100, 'a hundred messages');
  assert.equal(sorted(texts([...byFirst, ...bySecond])), sorted(range(100)), 'each message once');
  assert.ok(byFirst.length > 0 && bySecond.length > 0, 'both had some');

  const beforeMs = performance.now();
  await second.shutdown();
  await eventually(() => first.assignedQueues(topic).length === 4, 'the first member to take over');
  assert.ok(performance.now() - beforeMs < 10_000, 'at the notice, and not at the next round');
  await sendAll(cluster, topic, 20, 'later');
  await eventually(() => byFirst.length + bySecond.length >= 120, 'the messages sent afterwards');
  assert.equal(
    sorted(texts([...byFirst, ...bySecond])),
    sorted([...range(100), ...range(20, 'later')]),
    'nothing was consumed twice, nothing was lost',
  );
}

async function broadcasts(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(2);
  const options = { consumerGroup: freshName('CG'), messageModel: 'BROADCASTING' } as const;
  const member = (instanceName: string): PushConsumer => {
    const consumer = cluster.pushConsumer({ ...options, instanceName, localOffsetStoreDir: cluster.folder });
    consumer.subscribe(topic);
    return consumer;
  };
  const [first, second] = [member('first'), member('second')];
  const [byFirst, bySecond] = [collector(first), collector(second)];
  await Promise.all([first.start(), second.start()]);
  await sendAll(cluster, topic, 10);
  await eventually(() => byFirst.length >= 10 && bySecond.length >= 10, 'both members to have all');
  assert.equal(sorted(texts(byFirst)), sorted(range(10)));
  assert.equal(sorted(texts(bySecond)), sorted(range(10)));

  await first.shutdown();
  await sendAll(cluster, topic, 5, 'later');
  const again = member('first');
  const byAgain = collector(again);
  await again.start();
  await eventually(() => byAgain.length >= 5, 'what came while the first member was away');
  assert.equal(sorted(texts(byAgain)), range(5, 'later'), 'and not what it had before');
}

async function filtersTags(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(2);
  const consumer = cluster.pushConsumer({ consumerGroup: freshName('CG') });
  consumer.subscribe(topic, 'Aa || C');
  const got = collector(consumer);
  await consumer.start();
  const producer = await cluster.producer();
  // "Aa" and "BB" have the same hash, so the broker takes one for the other.
  for (const tags of ['Aa', 'BB', 'C', 'D', 'Aa']) await producer.send({ topic, tags, body: tags });
  await eventually(() => got.length >= 3, 'three messages');
  assert.equal(sorted(texts(got)), ['Aa', 'Aa', 'C']);
}

async function startsAtATime(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const producer = await cluster.producer();
  await producer.send({ topic, body: 'old' });
  await new Promise(resolve => setTimeout(resolve, 20)); // the store's clock has to tick
  const consumeTimestamp = new Date();
  await producer.send({ topic, body: 'new' });
  const pull = new PullConsumer({ namesrvAddr: cluster.namesrvAddr, consumerGroup: freshName('CG') });
  await pull.start();
  try {
    const queue = (await pull.fetchSubscribeMessageQueues(topic))[0]!;
    await eventually(async () => (await pull.maxOffset(queue)) === 2, 'two messages');
    assert.is(await pull.searchOffset(queue, consumeTimestamp.getTime()), 1);
  } finally {
    await pull.shutdown();
  }
  // A broker answers 0 for a group without an offset in a young queue, so the group never gets to choose (spec 7.4).
  const consumer = cluster.pushConsumer({
    consumerGroup: freshName('CG'),
    consumeFromWhere: 'CONSUME_FROM_TIMESTAMP',
    consumeTimestamp,
    messageModel: 'BROADCASTING',
    localOffsetStoreDir: cluster.folder,
  });
  consumer.subscribe(topic);
  const got = collector(consumer);
  await consumer.start();
  await eventually(() => got.length >= 1, 'the new message');
  assert.equal(texts(got), ['new']);
}

async function retries(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const consumerGroup = freshName('CG');
  const consumer = cluster.pushConsumer({ consumerGroup });
  consumer.subscribe(topic, 'TagA');
  const got: MessageExt[] = [];
  consumer.consumeConcurrently(async ([message], context) => {
    got.push(message!);
    context.delayLevelWhenNextConsume = message!.bodyText === 'bury' ? -1 : 1;
    if (message!.bodyText === 'bury' || message!.reconsumeTimes === 0) throw new Error('not today');
  });
  await consumer.start();
  const producer = await cluster.producer();
  const sent = await producer.send({ topic, tags: 'TagA', keys: 'k1', body: 'again' });
  await eventually(() => got.length >= 2, 'the second attempt');
  const [first, second] = got;
  assert.equal([first!.reconsumeTimes, second!.reconsumeTimes], [0, 1]);
  assert.equal([second!.topic, second!.bodyText, second!.tags], [topic, 'again', 'TagA']);
  assert.is(second!.msgId, sent.msgId, 'it is the same message');
  assert.is(second!.properties.ORIGIN_MESSAGE_ID, sent.offsetMsgId);
  await producer.send({ topic, tags: 'TagA', body: 'bury' });
  assert.equal(await firstOf(cluster, `%DLQ%${consumerGroup}`), 'bury');
}

/** The body of the first message of a topic, once there is one. */
async function firstOf(cluster: ClientCluster, topic: string): Promise<string> {
  await eventually(async () => (await cluster.admin.topicRoute(topic)) !== null, `topic ${topic}`);
  const pull = new PullConsumer({ namesrvAddr: cluster.namesrvAddr, consumerGroup: freshName('CG') });
  await pull.start();
  try {
    const queue = (await pull.fetchSubscribeMessageQueues(topic))[0]!;
    await eventually(async () => (await pull.maxOffset(queue)) > 0, `a message of ${topic}`);
    return (await pull.pull(queue, '*', 0)).messages[0]!.bodyText;
  } finally {
    await pull.shutdown();
  }
}

async function keepsOrder(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(3);
  const consumerGroup = freshName('CG');
  const byQueue = new Map<number, string[]>();
  let failed = false;
  const member = (): PushConsumer => {
    const consumer = cluster.pushConsumer({ consumerGroup, suspendCurrentQueueTimeMs: 50 });
    consumer.subscribe(topic);
    consumer.consumeOrderly(async ([message], { messageQueue }) => {
      await new Promise(resolve => setTimeout(resolve, Number(message!.bodyText.slice(1)) % 3));
      if (message!.bodyText === 'b5' && !failed) {
        failed = true;
        return 'SUSPEND_CURRENT_QUEUE_A_MOMENT';
      }
      const { queueId } = messageQueue;
      byQueue.set(queueId, [...(byQueue.get(queueId) ?? []), message!.bodyText]);
      return 'SUCCESS';
    });
    return consumer;
  };
  const [first, second] = [member(), member()];
  await first.start();
  await eventually(() => first.assignedQueues(topic).length === 3, 'the first member to have all locks');
  await second.start();
  const producer = await cluster.producer();
  const queues = await producer.fetchPublishMessageQueues(topic);
  const send = async (prefixes: string, from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      const sends = [...prefixes].map((prefix, at) =>
        producer.send({ topic, body: `${prefix}${n}` }, { queue: queues[at] }),
      );
      await Promise.all(sends);
    }
  };
  await send('abc', 0, 20);
  await eventually(
    () => first.assignedQueues(topic).length + second.assignedQueues(topic).length === 3,
    'the division',
  );
  await eventually(() => [...byQueue.values()].flat().length >= 60, 'sixty messages');
  await second.shutdown();
  await send('abc', 20, 30);
  await eventually(() => [...byQueue.values()].flat().length >= 90, 'ninety messages');
  const all = [...byQueue.entries()].sort(([left], [right]) => left - right).map(([, bodies]) => bodies);
  assert.equal(
    all,
    ['a', 'b', 'c'].map(prefix => range(30, prefix)),
  );
  assert.ok(failed);
}

async function buriesOrdered(cluster: ClientCluster): Promise<void> {
  const topic = await cluster.createTopic(1);
  const consumerGroup = freshName('CG');
  const options = { consumerGroup, maxReconsumeTimes: 1, suspendCurrentQueueTimeMs: 20 };
  const consumer = cluster.pushConsumer(options);
  consumer.subscribe(topic);
  const got: string[] = [];
  consumer.consumeOrderly(async ([message]) => {
    got.push(`${message!.bodyText}/${message!.reconsumeTimes}`);
    return message!.bodyText === 'bad' ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : 'SUCCESS';
  });
  await consumer.start();
  const producer = await cluster.producer();
  for (const body of ['bad', 'good']) await producer.send({ topic, body });
  await eventually(() => got.length >= 3, 'three calls');
  assert.equal(got, ['bad/0', 'bad/1', 'good/0']);
}

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

export const clientScenarios: readonly ClientScenario[] = [
  { title: 'members share the queues, and take over what one leaves', needs: ['consume'], run: sharesAndTakesOver },
  { title: 'a broadcast reaches every member once', needs: ['consume'], run: broadcasts },
  { title: 'tags are told apart also when their hashes are not', needs: ['consume'], run: filtersTags },
  { title: 'a group may begin at a time', needs: ['consume'], run: startsAtATime },
  { title: 'sends and consumptions leave a trace', needs: ['consume'], run: leavesATrace },
  { title: 'what fails comes again, or goes to the dead letters', needs: ['retry', 'delay'], run: retries },
  { title: 'order is kept, through failures and changes of the group', needs: ['lock'], run: keepsOrder },
  { title: 'what fails too often in order makes way', needs: ['lock', 'retry', 'delay'], run: buriesOrdered },
  { title: 'a delayed message comes later', needs: ['delay'], run: delays },
  { title: 'transactions are committed, rolled back and asked for', needs: ['transaction'], run: decides },
  { title: 'a request gets its reply', needs: ['reply'], run: replies },
  { title: 'conditions on properties select messages', needs: ['sql92'], run: selects },
  { title: 'administrators may look, consume and reset', needs: ['admin'], run: obeysAdministrators },
];
