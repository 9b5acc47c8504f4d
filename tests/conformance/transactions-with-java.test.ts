// @limit 400
/**
 * Half messages that one broker left undecided are asked about by the other one, which opens its store, with the count
 * of questions going on.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaLaunchers } from '../support/java.js';
import {
  type Launchers,
  removeFolder,
  ringmqLaunchers,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { type Answer, RawClient } from '../support/raw-client.js';
import { decodeRecords } from '../support/raw-record.js';
import { committedOffset, createTopic, pullQueue, queueBound } from '../support/raw-requests.js';
import { skip } from '../support/skip.js';
import { until } from '../support/until.js';

const transactions = suite('transactions with Java');

const [topic, group] = ['Transactions', 'Transactions_PG'];
const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC';
const version = '4.9.7';
const names = Array.from({ length: 20 }, (_, index) => `T${index}`);
const limitMs = 60_000;

/** A producer that is there; `onQuestion` gets what the broker asks. */
async function join(address: string, onQuestion: (question: Answer, client: RawClient) => void): Promise<RawClient> {
  const client = await RawClient.connect(address);
  client.onRequest = request => {
    if (request.code === 39) onQuestion(request, client);
  };
  const heartbeat = { clientID: 'producer', consumerDataSet: [], producerDataSet: [{ groupName: group }] };
  await client.request(34, {}, Buffer.from(JSON.stringify(heartbeat)));
  return client;
}

function end(client: RawClient, { ext }: Answer, commits: boolean): void {
  client.sendOneway(37, {
    producerGroup: group,
    tranStateTableOffset: ext.tranStateTableOffset!,
    commitLogOffset: ext.commitLogOffset!,
    commitOrRollback: commits ? '8' : '12',
    fromTransactionCheck: 'true',
    msgId: ext.transactionId!,
    transactionId: ext.transactionId!,
  });
}

const timesAsked = ({ body }: Answer): number =>
  Number(decodeRecords(body)[0]!.properties.get('TRANSACTION_CHECK_TIMES'));

async function handOver(first: Launchers, second: Launchers, folder: string): Promise<void> {
  const settings = { transactionTimeOut: '500', transactionCheckInterval: '1000', flushDiskType: 'SYNC_FLUSH' };
  const nameServer = await startNameServer(ringmqLaunchers()!, folder);
  const options = { nameServer: nameServer.address, folder, settings };
  try {
    const writer = await startBroker(first, options);
    const asked = new Map<string, number>();
    const client = await join(writer.address, question => asked.set(question.ext.transactionId!, timesAsked(question)));
    await createTopic(client, topic, 1);
    for (const name of names) {
      const properties = { TRAN_MSG: 'true', PGROUP: group, UNIQ_KEY: name };
      assert.is((await client.send({ topic, queueId: 0, body: Buffer.from(name), properties })).code, 0);
    }
    await until(() => names.every(name => (asked.get(name) ?? 0) >= 2), 'two questions about each', limitMs);
    client.close();
    await writer.stop();

    const reader = await startBroker(second, options);
    const continued = new Map<string, number>();
    const successor = await join(reader.address, (question, to) => {
      const name = question.ext.transactionId!;
      if (!continued.has(name)) continued.set(name, timesAsked(question));
      end(to, question, Number(name.slice(1)) % 2 === 0);
    });
    await until(() => continued.size === names.length, 'a question about each', limitMs);
    for (const name of names) assert.ok(continued.get(name)! > 2, `${name} is asked the ${continued.get(name)}th time`);
    const committed = new Set<string>();
    await pullQueue(successor, topic, 0, record => committed.add(record.body.toString()), { patienceMs: 3000 });
    assert.equal([...committed].sort(), names.filter((_, index) => index % 2 === 0).sort());
    const deadlineMs = performance.now() + limitMs;
    while (
      (await committedOffset(successor, 'CID_RMQ_SYS_TRANS', halfTopic, 0)) !==
      (await queueBound(successor, halfTopic, 0, 'max'))
    ) {
      if (performance.now() > deadlineMs) throw new Error('not all half messages are passed');
    }
    successor.close();
    await reader.stop();
  } finally {
    await nameServer.stop();
  }
}

for (const javaFirst of [false, true]) {
  transactions(
    javaFirst ? `Java ${version} asks, RingMQ goes on` : `RingMQ asks, Java ${version} goes on`,
    async () => {
      const java = javaLaunchers(version);
      if (typeof java === 'string') return skip(java);
      const ringmq = ringmqLaunchers();
      if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
      const folder = temporaryFolder();
      try {
        await handOver(javaFirst ? java : ringmq, javaFirst ? ringmq : java, folder);
      } finally {
        removeFolder(folder);
      }
    },
  );
}

transactions.run();
