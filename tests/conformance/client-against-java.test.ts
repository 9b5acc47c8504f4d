// @limit 300
/**
 * Our producer, pull consumer and admin against a Java 4.9.7 name server and broker. `RINGMQ_REFERENCE` names the
 * folder of the launchers `mqnamesrv` and `mqbroker`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Admin,
  type MessageExt,
  type MessageQueue,
  MQBrokerError,
  Producer,
  PullConsumer,
  ResponseCode,
} from '../../client/index.js';
import { eventually } from '../support/client-cluster.js';
import { rejectionOf } from '../support/fake-broker.js';
import { javaLaunchers } from '../support/java.js';
import {
  removeFolder,
  type ServerProcess,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { until } from '../support/until.js';

const java = suite('client against Java 4.9.7');

interface Cluster {
  readonly folder: string;
  readonly nameServer: ServerProcess;
  readonly broker: ServerProcess;
  readonly producer: Producer;
  readonly consumer: PullConsumer;
  readonly admin: Admin;
}

let cluster: Cluster | undefined;
let reason = '';

java.before(async () => {
  if (!process.env.RINGMQ_REFERENCE) {
    reason = 'RINGMQ_REFERENCE is not set';
    return;
  }
  const launchers = javaLaunchers('4.9.7');
  if (typeof launchers === 'string') {
    reason = launchers;
    return;
  }
  const folder = temporaryFolder();
  const nameServer = await startNameServer(launchers, folder);
  const broker = await startBroker(launchers, { nameServer: nameServer.address, folder });
  const namesrvAddr = nameServer.address;
  const producer = new Producer({ namesrvAddr, producerGroup: 'PG_conformance' });
  const consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'CG_conformance' });
  const admin = new Admin({ namesrvAddr });
  await Promise.all([producer.start(), consumer.start(), admin.start()]);
  cluster = { folder, nameServer, broker, producer, consumer, admin };
  // The broker listens before it has registered.
  await eventually(async () => (await admin.topicRoute('TBW102')) !== null, 'the broker to register');
});

java.after(async () => {
  if (cluster === undefined) return;
  const { folder, nameServer, broker, producer, consumer, admin } = cluster;
  await Promise.all([producer.shutdown(), consumer.shutdown(), admin.shutdown()]);
  await broker.stop();
  await nameServer.stop();
  removeFolder(folder);
});

function check(title: string, body: (cluster: Cluster) => Promise<void>): void {
  java(title, async () => (cluster === undefined ? skip(reason) : body(cluster)));
}

/** The messages of a queue between two offsets, over as many pulls as it takes. */
async function readQueue(
  consumer: PullConsumer,
  queue: MessageQueue,
  from: number,
  count: number,
): Promise<MessageExt[]> {
  const messages: MessageExt[] = [];
  if (count === 0) return messages;
  for await (const message of consumer.consume(queue, { from })) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

check(
  'a topic comes into being with its first message, and gives back what was sent',
  async ({ producer, consumer }) => {
    const sent = await producer.send({
      topic: 'ConfFirst',
      body: 'grüß dich',
      tags: 'TagA',
      keys: ['k1', 'k2'],
      properties: { colour: 'blue' },
      flag: 42,
    });
    assert.is(sent.sendStatus, 'SEND_OK');
    assert.is(sent.queueOffset, 0);
    assert.is(sent.regionId, 'DefaultRegion');
    const { pullStatus, messages } = await consumer.pullBlockIfNotFound(sent.messageQueue, '*', 0);
    assert.is(pullStatus, 'FOUND');
    const message = messages[0]!;
    assert.equal(
      [message.topic, message.bodyText, message.tags, message.keys, message.flag, message.properties.colour],
      ['ConfFirst', 'grüß dich', 'TagA', ['k1', 'k2'], 42, 'blue'],
    );
    assert.equal([message.msgId, message.offsetMsgId], [sent.msgId, sent.offsetMsgId]);
    const viewed = await consumer.viewMessage(sent.offsetMsgId);
    assert.equal([viewed.msgId, viewed.bodyText], [sent.msgId, 'grüß dich']);
  },
);

check('a thousand concurrent sends arrive once each', async ({ producer, consumer, admin }) => {
  await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'ConfMany', readQueueNums: 3, writeQueueNums: 3 });
  const queues = await producer.fetchPublishMessageQueues('ConfMany');
  assert.is(queues.length, 3);
  const results = await Promise.all(
    Array.from({ length: 1000 }, (_, n) => producer.send({ topic: 'ConfMany', body: `${n}` }, { timeoutMs: 30_000 })),
  );
  const bodies: string[] = [];
  for (const queue of await consumer.fetchSubscribeMessageQueues('ConfMany')) {
    const expected = results.filter(result => result.messageQueue.queueId === queue.queueId);
    const messages = await readQueue(consumer, queue, 0, expected.length);
    assert.equal(messages.map(message => message.msgId).sort(), expected.map(result => result.msgId).sort());
    bodies.push(...messages.map(message => message.bodyText));
    await eventually(async () => (await consumer.maxOffset(queue)) === expected.length, 'the end of the queue');
  }
  assert.equal(
    bodies.map(Number).sort((left, right) => left - right),
    Array.from({ length: 1000 }, (_, n) => n),
  );
});

check('batches, large bodies and oneway sends', async ({ producer, consumer, admin }) => {
  await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'ConfBatch', readQueueNums: 1, writeQueueNums: 1 });
  const batch = await producer.sendBatch(
    [1, 2, 3].map(n => ({ topic: 'ConfBatch', body: `batch ${n}`, tags: `t${n}` })),
  );
  assert.is(batch.msgId.split(',').length, 3);
  assert.is(batch.offsetMsgId.split(',').length, 3);
  const large = 'compress me '.repeat(50_000);
  await producer.send({ topic: 'ConfBatch', body: large });
  await producer.sendOneway({ topic: 'ConfBatch', body: 'oneway' });
  const messages = await readQueue(consumer, batch.messageQueue, batch.queueOffset, 5);
  assert.equal(
    messages.map(message => message.bodyText),
    ['batch 1', 'batch 2', 'batch 3', large, 'oneway'],
  );
  assert.ok(messages[3]!.storeSize < 10_000, 'the large body travelled compressed');
  assert.equal(
    messages.slice(0, 3).map(message => message.msgId),
    batch.msgId.split(','),
  );
});

check('tags filter on the broker and here, and bounds are reported', async ({ producer, consumer, admin }) => {
  await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'ConfTags', readQueueNums: 1, writeQueueNums: 1 });
  const queue = (await consumer.fetchSubscribeMessageQueues('ConfTags'))[0]!;
  // "Aa" and "BB" have the same hash, so the broker takes one for the other.
  for (const tags of ['Aa', 'BB', 'C']) await producer.send({ topic: 'ConfTags', body: tags, tags });
  await eventually(async () => (await consumer.maxOffset(queue)) === 3, 'three messages');
  const tagged = await consumer.pull(queue, 'Aa || D', 0);
  assert.equal(
    tagged.messages.map(message => message.bodyText),
    ['Aa'],
  );
  const none = await consumer.pull(queue, 'D', 0);
  assert.equal([none.pullStatus, none.nextBeginOffset], ['NO_MATCHED_MSG', 3]);
  assert.is((await consumer.pull(queue, '*', 3)).pullStatus, 'NO_NEW_MSG');
  const beyond = await consumer.pull(queue, '*', 99);
  assert.equal([beyond.pullStatus, beyond.nextBeginOffset, beyond.maxOffset], ['OFFSET_ILLEGAL', 3, 3]);
});

check('offsets are asked for, searched and committed', async ({ producer, consumer, admin }) => {
  await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'ConfOffsets', readQueueNums: 1, writeQueueNums: 1 });
  const queue = (await consumer.fetchSubscribeMessageQueues('ConfOffsets'))[0]!;
  assert.is(await consumer.earliestMsgStoreTime(queue), -1);
  for (let n = 0; n < 3; n++) {
    await producer.send({ topic: 'ConfOffsets', body: `${n}` });
    // Of messages stored in one millisecond Java's search by time finds any.
    const sentMs = Date.now();
    await until(() => Date.now() > sentMs, 'the next millisecond');
  }
  const messages = await readQueue(consumer, queue, 0, 3);
  assert.equal([await consumer.minOffset(queue), await consumer.maxOffset(queue)], [0, 3]);
  assert.is(await consumer.searchOffset(queue, messages[0]!.storeTimestamp), 0);
  assert.is(await consumer.earliestMsgStoreTime(queue), messages[0]!.storeTimestamp);
  assert.is(await consumer.fetchConsumeOffset(queue), 0);
  await consumer.updateConsumeOffset(queue, 2);
  assert.is(await consumer.fetchConsumeOffset(queue), 2);
  for await (const message of consumer.consume(queue)) {
    assert.is(message.queueOffset, 2);
    break;
  }
});

check('a pull at the end of a queue is held until a message comes', async ({ producer, consumer, admin }) => {
  await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'ConfHold', readQueueNums: 1, writeQueueNums: 1 });
  const queue = (await consumer.fetchSubscribeMessageQueues('ConfHold'))[0]!;
  const held = consumer.pullBlockIfNotFound(queue, '*', 0);
  await producer.send({ topic: 'ConfHold', body: 'at last' });
  assert.is((await held).messages[0]?.bodyText, 'at last');
});

check('errors carry what the broker said', async ({ producer, consumer, broker }) => {
  const queue = { topic: 'ConfFirst', brokerName: 'broker-a', queueId: 99 };
  const error = await rejectionOf(consumer.pull(queue, '*', 0));
  assert.instance(error, MQBrokerError);
  assert.is((error as MQBrokerError).responseCode, ResponseCode.SYSTEM_ERROR);
  assert.is((error as MQBrokerError).brokerAddr, broker.address);
  assert.match((error as MQBrokerError).remark ?? '', /queueId\[99\]/);
  assert.instance(await rejectionOf(producer.send({ topic: 'ConfFirst', body: 'x' }, { queue })), MQBrokerError);
});

check('the administration calls', async ({ admin, broker }) => {
  const info = await admin.clusterInfo();
  assert.equal(info.clusterAddrTable, { DefaultCluster: ['broker-a'] });
  assert.is(info.brokerAddrTable['broker-a']?.brokerAddrs['0'], broker.address);
  await admin.createTopic({
    brokerAddr: broker.address,
    topic: 'ConfAdmin',
    readQueueNums: 2,
    writeQueueNums: 1,
    perm: 4,
  });
  const route = await admin.topicRoute('ConfAdmin');
  const { readQueueNums, writeQueueNums, perm } = route!.queueDatas[0]!;
  assert.equal([readQueueNums, writeQueueNums, perm], [2, 1, 4]);
  assert.ok((await admin.topicList()).includes('ConfAdmin'));
  assert.is(await admin.topicRoute('NoSuchTopic'), null);
  await admin.updateBrokerConfig(broker.address, { fileReservedTime: '47', messageDelayLevel: '1s 5s' });
  const config = await admin.brokerConfig(broker.address);
  assert.equal([config.brokerName, config.fileReservedTime, config.messageDelayLevel], ['broker-a', '47', '1s 5s']);
  // A Java broker cannot say for its first second, since it has no sample of its rates yet.
  const version = async (): Promise<string> => (await admin.brokerRuntimeInfo(broker.address)).brokerVersionDesc ?? '';
  const says = async (): Promise<boolean> => (await version().catch(() => '')) !== '';
  await until(says, 'the broker says what it is');
  assert.is(await version(), 'V4_9_7');
});

java.run();
