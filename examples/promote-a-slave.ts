/**
 * Changes master and slave over while messages are sent, and shows that every message is there.
 *
 *   node dist/examples/promote-a-slave.js [port]
 *
 * A slave has a copy of all its master has, and hands messages out, but takes none in. It is made the master when the
 * machine of the master needs a rest, for example. From a shell, `ringmq switch broker-a` does what is done here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../actors/node/index.js';
import { Admin, Producer, PullConsumer } from '../client/index.js';

const port = Number(process.argv[2] ?? 20_950);
const namesrvAddr = `127.0.0.1:${port}`;
const [firstAddr, secondAddr] = [`127.0.0.1:${port + 10}`, `127.0.0.1:${port + 20}`];
const topic = 'PromoteASlave';

/** Both have one name: to clients they are one broker, whose id 0 is the master. */
function startBroker(
  folder: string,
  name: string,
  brokerPort: number,
  role: Record<string, string>,
): Promise<RingNode> {
  const broker = loadBrokerConfig({
    set: {
      ...role,
      brokerName: 'broker-a',
      bindAddress: '127.0.0.1',
      brokerIP1: '127.0.0.1',
      // Where the other one finds this one's log.
      brokerIP2: '127.0.0.1',
      listenPort: `${brokerPort}`,
      namesrvAddr,
      storePathRootDir: path.join(folder, name),
      logLevel: 'error',
    },
  });
  return RingNode.start({ broker });
}

const folder = await mkdtemp(path.join(tmpdir(), 'ringmq-example-'));
// The name server is a node of its own: one in a broker's process would go down with it when its role changes.
const namesrv = loadNamesrvConfig({
  set: {
    bindAddress: '127.0.0.1',
    listenPort: `${port}`,
    kvConfigPath: path.join(folder, 'namesrv', 'kvConfig.json'),
    configStorePath: path.join(folder, 'namesrv', 'namesrv.properties'),
  },
});
const nodes = [await RingNode.start({ namesrv })];
try {
  // A synchronous master acknowledges a message when its slave has it too: nothing is lost with either machine.
  nodes.push(await startBroker(folder, 'first', port + 10, { brokerRole: 'SYNC_MASTER' }));
  nodes.push(await startBroker(folder, 'second', port + 20, { brokerRole: 'SLAVE', brokerId: '1' }));
  await changeOver();
} finally {
  for (const node of nodes.reverse()) await node.stop();
  await rm(folder, { recursive: true });
}

async function changeOver(): Promise<void> {
  await using admin = new Admin({ namesrvAddr });
  await using producer = new Producer({ namesrvAddr, producerGroup: 'promote-example-producers' });
  for (const client of [admin, producer]) await client.start();
  await admin.roles.settled(secondAddr, { follows: true });
  await admin.createTopic({ brokerAddr: firstAddr, topic, readQueueNums: 1, writeQueueNums: 1 });
  await untilKnown(admin);

  // Messages go on all the time. While there is no master, a send waits for it, until its timeout.
  let goOn = true;
  const sent: string[] = [];
  const sending = (async () => {
    while (goOn) {
      const body = `message ${sent.length}`;
      const { sendStatus } = await producer.send({ topic, body }, { timeoutMs: 30_000 });
      // Any other status means that the slave did not have it in time.
      if (sendStatus === 'SEND_OK') sent.push(body);
    }
  })();
  await untilCount(() => sent.length, 100);
  console.log(`master ${firstAddr}, slave ${secondAddr}`);

  // First the master becomes a slave. It takes no more messages, and waits until the other one has every message it
  // acknowledged; else it refuses and stays what it is. For a moment there is no master, but never two.
  await admin.roles.change(firstAddr, { brokerRole: 'SLAVE', brokerId: 1 });
  const { appended: expectedEnd } = await admin.roles.state(firstAddr);
  // Then the slave becomes the master. It refuses when its log does not reach as far.
  await admin.roles.change(secondAddr, { brokerRole: 'SYNC_MASTER', brokerId: 0, expectedEnd });
  await admin.roles.settled(secondAddr);
  await admin.roles.settled(firstAddr, { follows: true });
  console.log(`master ${secondAddr}, slave ${firstAddr}`);

  await untilCount(() => sent.length, sent.length + 100);
  goOn = false;
  await sending;
  const found = await readAll();
  const missing = sent.filter(body => !found.has(body));
  console.log(`${sent.length} messages acknowledged, ${missing.length} missing`);
}

/** The name server hears of a new topic a moment later. */
async function untilKnown(admin: Admin): Promise<void> {
  for (let tries = 0; (await admin.topicRoute(topic)) === null; tries++) {
    if (tries === 500) throw new Error('the name server does not know the topic');
    await setTimeout(10);
  }
}

async function untilCount(count: () => number, wanted: number): Promise<void> {
  for (let tries = 0; count() < wanted; tries++) {
    if (tries === 3000) throw new Error(`only ${count()} of ${wanted} messages were acknowledged`);
    await setTimeout(10);
  }
}

/** Everything in the topic, from its only queue. */
async function readAll(): Promise<ReadonlySet<string>> {
  await using consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'promote-example-consumers' });
  await consumer.start();
  const [queue] = await consumer.fetchSubscribeMessageQueues(topic);
  const found = new Set<string>();
  for (let offset = 0; ; ) {
    const { messages, nextBeginOffset, pullStatus } = await consumer.pull(queue!, '*', offset);
    if (pullStatus !== 'FOUND') return found;
    for (const message of messages) found.add(message.bodyText);
    offset = nextBeginOffset;
  }
}
