/**
 * Follows one message through the actors of a broker, and writes what they all did to a file for Perfetto.
 *
 *   node dist/examples/trace-actors.js [port] [file]
 *
 * Every actor has a flight recorder: the newest 16,384 things it did with traced requests, in shared memory. Nothing is
 * traced until somebody asks. On a broker that runs elsewhere, `ringmq trace start`, `message`, `export` and `stop` do
 * what is done here from inside.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  hopsOf,
  loadBrokerConfig,
  loadNamesrvConfig,
  mergeRecording,
  RingNode,
  toChromeTrace,
} from '../actors/node/index.js';
import { Admin, Producer, PullConsumer } from '../client/index.js';

const port = Number(process.argv[2] ?? 20_940);
const file = process.argv[3] ?? 'trace-actors.json';
const namesrvAddr = `127.0.0.1:${port + 2}`;
const topic = 'TraceActors';

const folder = await mkdtemp(path.join(tmpdir(), 'ringmq-example-'));
const node = await startNode();
try {
  await using admin = new Admin({ namesrvAddr });
  await using producer = new Producer({ namesrvAddr, producerGroup: 'trace-producers' });
  await using consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'trace-consumers' });
  for (const client of [admin, producer, consumer]) await client.start();
  await admin.createTopic({ brokerAddr: `127.0.0.1:${port}`, topic, readQueueNums: 1, writeQueueNums: 1 });
  while ((await admin.topicRoute(topic)) === null) await setTimeout(10);

  // The first message makes connections and compiles code; the way of the second one is what is usual.
  await producer.send({ topic, body: 'warm up' });

  // Of every request; with 100, of one in a hundred, which costs next to nothing under load.
  node.trace(1);
  const { messageQueue, queueOffset } = await producer.send({ topic, body: 'follow me' });
  const { messages } = await consumer.pullBlockIfNotFound(messageQueue, '*', queueOffset);
  node.trace(0);

  // What was noted stays. A message is found by where its record stands in the commit log.
  const recording = node.recording();
  const hops = hopsOf(mergeRecording(recording), messages[0]!.commitLogOffset);
  for (const { label, actor, tookMs } of hops) {
    console.log(`${label.padEnd(16)} ${actor.padEnd(18)} ${tookMs.toFixed(3).padStart(8)} ms after the hop before`);
  }

  // A row an actor: to be opened at https://ui.perfetto.dev, or with chrome://tracing.
  await writeFile(file, JSON.stringify(toChromeTrace({ 'broker-a': recording })));
  console.log(`everything that was noted is in ${file}`);
} finally {
  await node.stop();
  await rm(folder, { recursive: true });
}

function startNode(): Promise<RingNode> {
  const broker = loadBrokerConfig({
    set: {
      // Acknowledge what is on the disk: the wait for it is a hop.
      flushDiskType: 'SYNC_FLUSH',
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
  return RingNode.start({ broker, namesrv });
}
