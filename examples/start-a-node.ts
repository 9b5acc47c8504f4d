/**
 * Runs a broker with its name server inside this program, sends a message, reads it back, and stops.
 *
 *   node dist/examples/start-a-node.js
 *
 * Good for tests of a program that uses RingMQ: nothing to install, nothing left behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../actors/node/index.js';
import { Admin, Producer, PullConsumer } from '../client/index.js';

/**
 * One node on free ports: the broker on `port`, its name server two above. When another program has one of them, the
 * next ones are tried; with fixed ports you need only what is in the `try`.
 */
async function startNode(folder: string): Promise<{ node: RingNode; namesrvAddr: string; brokerAddr: string }> {
  for (let port = 20_910; ; port += 10) {
    const namesrvAddr = `127.0.0.1:${port + 2}`;
    // The same keys as in a broker's properties file.
    const broker = loadBrokerConfig({
      set: {
        brokerName: 'broker-a',
        bindAddress: '127.0.0.1',
        brokerIP1: '127.0.0.1',
        listenPort: `${port}`,
        namesrvAddr,
        storePathRootDir: path.join(folder, 'store'),
        logLevel: 'error',
      },
    });
    const namesrv = loadNamesrvConfig({
      set: {
        bindAddress: '127.0.0.1',
        listenPort: `${port + 2}`,
        kvConfigPath: path.join(folder, 'namesrv', 'kvConfig.json'),
        configStorePath: path.join(folder, 'namesrv', 'namesrv.properties'),
      },
    });
    try {
      return { node: await RingNode.start({ broker, namesrv }), namesrvAddr, brokerAddr: `127.0.0.1:${port}` };
    } catch (error) {
      if ((error as { code?: string }).code !== 'LISTEN_FAILED' || port > 30_000) throw error;
    }
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'ringmq-example-'));
const startedMs = performance.now();
const { node, namesrvAddr, brokerAddr } = await startNode(folder);
console.log(`started in ${Math.round(performance.now() - startedMs)} ms, its name server is ${namesrvAddr}`);

try {
  // `await using` shuts the clients down at the end of this block, also after an error.
  await using admin = new Admin({ namesrvAddr });
  await using producer = new Producer({ namesrvAddr, producerGroup: 'example-producers' });
  await using consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'example-consumers' });
  for (const client of [admin, producer, consumer]) await client.start();

  // A first send would make the topic as well, but not before the name server knows the broker, which takes a moment.
  await admin.createTopic({ brokerAddr, topic: 'Example', readQueueNums: 4, writeQueueNums: 4 });
  for (let tries = 0; (await admin.topicRoute('Example')) === null; tries++) {
    if (tries === 500) throw new Error('the name server does not know the topic');
    await setTimeout(10);
  }

  const { messageQueue, queueOffset } = await producer.send({ topic: 'Example', body: 'Hello from inside' });
  console.log(`sent to queue ${messageQueue.queueId}, offset ${queueOffset}`);

  const { messages } = await consumer.pullBlockIfNotFound(messageQueue, '*', queueOffset);
  console.log(`pulled: ${messages[0]?.bodyText}`);
} finally {
  // Everything is on disk when stop() resolves, and the ports are free.
  await node.stop();
  await rm(folder, { recursive: true });
}
console.log('stopped');
