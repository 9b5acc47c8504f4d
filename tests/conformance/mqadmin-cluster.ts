/** A cluster with something in it for every command of mqadmin to show. */
import type { MessageListenerConcurrently, PushConsumer, SendResult } from '../../client/index.js';
import { ClientCluster, eventually } from '../support/client-cluster.js';
import type { Launchers } from '../support/node-process.js';

/** Words that differ from cluster to cluster, by the names they have in cases. */
export type ClusterWords = Readonly<Record<string, string>>;

export interface PreparedCluster {
  readonly cluster: ClientCluster;
  words: ClusterWords;
}

const settings = {
  traceTopicEnable: 'true',
  // The numbers of the reference are others.
  sendMessageThreadPoolNums: '2',
  pullMessageThreadPoolNums: '2',
  // Java makes topics when it first looks for transactions: not while this runs.
  transactionCheckInterval: '3600000',
};

/**
 * Topics `Orders` (4 queues, two messages each; four more after the group `nightly` has left), `Steady` (5 messages, of
 * which `audit` committed 2, nobody online) and `Ordered`; `billing` is online and has consumed all of `Orders`, `shop`
 * produces; `watching` is online too and never comes to an end with the message of `Watched`.
 */
export async function prepareCluster(launchers: Launchers): Promise<PreparedCluster> {
  const cluster = await ClientCluster.start(launchers, settings);
  try {
    return { cluster, words: await fill(cluster) };
  } catch (error) {
    await cluster.end();
    throw error;
  }
}

async function fill(cluster: ClientCluster): Promise<ClusterWords> {
  const brokerAddr = cluster.broker.address;
  const { admin } = cluster;
  for (const [topic, queues] of [
    ['Orders', 4],
    ['Steady', 1],
    ['Ordered', 2],
    ['Watched', 1],
  ] as const) {
    await admin.createTopic({ brokerAddr, topic, readQueueNums: queues, writeQueueNums: queues });
    await eventually(async () => (await admin.topicRoute(topic)) !== null, `the route of ${topic}`);
  }
  const producer = await cluster.producer({ producerGroup: 'shop', instanceName: 'shop' });
  const results: SendResult[] = [];
  const send = async (topic: string, number: number, queueId: number): Promise<void> => {
    const [name, tags] = [`${topic.toLowerCase()}-${number}`, number % 2 === 0 ? 'paid' : 'open'];
    const message = { topic, tags, keys: name, body: `{"number":${number}}` };
    results.push(await producer.send(message, { queue: { topic, brokerName: 'broker-a', queueId } }));
  };
  const billing = consumer(cluster, 'billing');
  const nightly = consumer(cluster, 'nightly');
  await billing.start();
  await nightly.start();
  for (let number = 0; number < 8; number++) await send('Orders', number, number % 4);
  const lag = async (group: string, topic: string): Promise<number> => {
    const { offsetTable } = await admin.groups.consumeStats(brokerAddr, group, topic);
    return offsetTable.reduce((sum, [, { brokerOffset, consumerOffset }]) => sum + brokerOffset - consumerOffset, 0);
  };
  await eventually(async () => (await lag('nightly', 'Orders')) === 0, 'the group that leaves to have all');
  await nightly.shutdown();
  for (let number = 8; number < 12; number++) await send('Orders', number, number % 4);
  for (let number = 0; number < 5; number++) await send('Steady', number, 0);
  await admin.groups.updateOffset(brokerAddr, 'audit', { topic: 'Steady', brokerName: 'broker-a', queueId: 0 }, 2);
  await send('Watched', 0, 0);
  const watching = consumer(cluster, 'watching', 'Watched', async () => new Promise(() => undefined));
  await watching.start();
  await eventually(async () => (await lag('watching', 'Watched')) === 1, 'the group that is stuck to commit');
  await eventually(async () => (await lag('billing', 'Orders')) === 0, 'the group that is online to have all');
  const ids = results.flatMap(({ msgId, offsetMsgId }, index) => [
    [`id-${index}`, msgId],
    [`place-${index}`, offsetMsgId],
  ]);
  return Object.fromEntries([
    ['broker', brokerAddr],
    ['namesrv', cluster.namesrvAddr],
    ['folder', cluster.folder],
    ['billing-client', billing.clientId],
    ...ids,
  ]);
}

function consumer(
  cluster: ClientCluster,
  consumerGroup: string,
  topic = 'Orders',
  listener: MessageListenerConcurrently = async () => 'CONSUME_SUCCESS',
): PushConsumer {
  const options = { consumerGroup, instanceName: consumerGroup, persistConsumerOffsetIntervalMs: 200 };
  // What one listener never ends with is not to hold up the end.
  const made = cluster.pushConsumer({ ...options, awaitTerminationWhenShutdownMs: 0 });
  made.subscribe(topic, 'paid || open');
  made.consumeConcurrently(listener);
  return made;
}

/** A message of `Traced` whose producer and consumer tell the trace topic. */
export async function traceMessage(cluster: ClientCluster): Promise<ClusterWords> {
  const topic = 'Traced';
  await cluster.admin.createTopic({ brokerAddr: cluster.broker.address, topic, readQueueNums: 1, writeQueueNums: 1 });
  await eventually(async () => (await cluster.admin.topicRoute(topic)) !== null, `the route of ${topic}`);
  const producer = await cluster.producer({ producerGroup: 'traced', enableTrace: true });
  const { msgId } = await producer.send({ topic, body: 'traced' });
  const consumer = cluster.pushConsumer({ consumerGroup: 'tracing', enableTrace: true });
  consumer.subscribe(topic);
  consumer.consumeConcurrently(async () => 'CONSUME_SUCCESS');
  await consumer.start();
  return { traced: msgId };
}
