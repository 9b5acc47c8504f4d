/**
 * What the size of a pool changes: the same load on a broker with one send lane, and on one with two.
 *
 *   node dist/examples/tune-pools.js [port]
 *
 * RocketMQ's `sendMessageThreadPoolNums` and `pullMessageThreadPoolNums` become lanes here. A lane is an actor that
 * does all of a request that costs CPU: it reads the header, checks limits, encodes the record. It never waits for the
 * disk, so a few lanes do the work of many threads, and more lanes than free cores only make them wait for each other.
 * Do not read the rates below as the broker's speed: the load is made in the same process, on the same cores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../actors/node/index.js';
import { Admin, MQBrokerError, Producer } from '../client/index.js';

const port = Number(process.argv[2] ?? 20_930);
const namesrvAddr = `127.0.0.1:${port + 2}`;
const topic = 'TunePools';
const warmUpMs = 400;
const loadMs = 1000;
const producerCount = 8;
/** Sends on their way at a time, of each producer. */
const windowSize = 16;

for (const lanes of [1, 2]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'ringmq-example-'));
  const node = await startNode(folder, lanes);
  try {
    await runLoad(node, lanes);
  } finally {
    await node.stop();
    await rm(folder, { recursive: true });
  }
}
console.log('More lanes help where they have cores to spare.');

function startNode(folder: string, lanes: number): Promise<RingNode> {
  const broker = loadBrokerConfig({
    set: {
      // With `dedicated` every actor has a thread of its own, lanes too. `inline` and `shared` group actors on few
      // threads and have one lane each whatever is asked for; `auto`, the default, chooses by the number of cores.
      threadingMode: 'dedicated',
      // The key of RocketMQ says how many, and may change while the broker runs; lanesMax says how many at most.
      sendMessageThreadPoolNums: `${lanes}`,
      lanesMax: '2',
      // Acknowledge before the disk has it: this is about lanes, and not about how fast the disk syncs.
      flushDiskType: 'ASYNC_FLUSH',
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

async function runLoad(node: RingNode, lanes: number): Promise<void> {
  await using admin = new Admin({ namesrvAddr });
  await admin.start();
  await admin.createTopic({ brokerAddr: `127.0.0.1:${port}`, topic, readQueueNums: 8, writeQueueNums: 8 });
  // The name server hears of it a moment later.
  for (let tries = 0; (await admin.topicRoute(topic)) === null; tries++) {
    if (tries === 500) throw new Error('the name server does not know the topic');
    await setTimeout(10);
  }

  // A connection belongs to one lane, so that its sends keep their order: a pool needs several connections to be of
  // use. Each producer has one to the broker.
  const producers = Array.from({ length: producerCount }, () => new Producer({ namesrvAddr, producerGroup: 'tuners' }));
  for (const producer of producers) await producer.start();
  await Promise.all(producers.map(producer => producer.fetchPublishMessageQueues(topic)));

  // New threads run slowly at first.
  await sendFor(warmUpMs, producers);
  const startedMs = performance.now();
  const { acknowledged, refused } = await sendFor(loadMs, producers);
  const perSecond = Math.round(acknowledged / ((performance.now() - startedMs) / 1000));
  for (const producer of producers) await producer.shutdown();

  console.log(`sendMessageThreadPoolNums=${lanes}: ${acknowledged} sends, ${perSecond} a second, ${refused} refused`);
  // Every actor counts what it does in shared memory, the warm-up too; reading it asks nobody and slows nothing down.
  for (const name of [...node.shop.namesOf('send-lane').slice(0, lanes), 'commit-log-writer']) {
    console.log(`  ${name}: ${JSON.stringify(node.shop.counters(name).snapshot())}`);
  }
}

/** Keeps the same number of sends on their way until the time is over. */
async function sendFor(durationMs: number, producers: Producer[]): Promise<{ acknowledged: number; refused: number }> {
  const untilMs = performance.now() + durationMs;
  const count = { acknowledged: 0, refused: 0 };
  const sendAgainAndAgain = async (producer: Producer): Promise<void> => {
    while (performance.now() < untilMs) {
      try {
        await producer.send({ topic, body: 'a small message' });
        count.acknowledged++;
      } catch (error) {
        // A broker with too much to do says so at once (SYSTEM_BUSY) and leaves it to the client what to do.
        if (!(error instanceof MQBrokerError)) throw error;
        count.refused++;
      }
    }
  };
  const senders = producers.flatMap(producer => Array.from({ length: windowSize }, () => sendAgainAndAgain(producer)));
  await Promise.all(senders);
  return count;
}
