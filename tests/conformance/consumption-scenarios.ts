/** How our client consumes: sharing, taking over, broadcasting, retries, order. */
import * as assert from 'uvu/assert';
import { type MessageExt, PullConsumer, type PushConsumer } from '../../client/index.js';
import { type ClientCluster, eventually, freshName, numbered } from '../support/client-cluster.js';
import { type ClientScenario, collector, range, sorted, texts } from '../support/client-scenario.js';

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

async function sendAll(cluster: ClientCluster, topic: string, count: number, prefix = ''): Promise<void> {
  const producer = await cluster.producer();
  await Promise.all(numbered(topic, count, prefix).map(message => producer.send(message)));
}

export const consumptionScenarios: readonly ClientScenario[] = [
  { title: 'members share the queues, and take over what one leaves', needs: ['consume'], run: sharesAndTakesOver },
  { title: 'a broadcast reaches every member once', needs: ['consume'], run: broadcasts },
  { title: 'tags are told apart also when their hashes are not', needs: ['consume'], run: filtersTags },
  { title: 'a group may begin at a time', needs: ['consume'], run: startsAtATime },
  { title: 'what fails comes again, or goes to the dead letters', needs: ['retry', 'delay'], run: retries },
  { title: 'order is kept, through failures and changes of the group', needs: ['lock'], run: keepsOrder },
  { title: 'what fails too often in order makes way', needs: ['lock', 'retry', 'delay'], run: buriesOrdered },
];
