// @limit 600
/**
 * A RingMQ master that comes back when its Java slave has become the master: it sets aside what the successor never
 * had, cuts it off, and follows.
 */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { Ledger } from '../support/checker.js';
import { javaLaunchers } from '../support/java.js';
import { MessageMaker, runLoad } from '../support/load.js';
import { compareLogs, queueEntries } from '../support/log-comparison.js';
import {
  type Launchers,
  removeFolder,
  ringmqLaunchers,
  type ServerProcess,
  spawnBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { createTopic, logEnd, queueBound, runtimeInfo } from '../support/raw-requests.js';
import { skip } from '../support/skip.js';
import { until } from '../support/until.js';

const rejoin = suite('rejoin with Java');

const topic = { topic: 'WithJava', queues: 3 };
const segmentBytes = MiB;
const COUNT = 6000;
const PATIENCE_MS = 90_000;

class Pair {
  readonly brokers: ServerProcess[] = [];
  readonly #folder: string;
  readonly #nameServer: string;
  readonly #launchers: Readonly<Record<Name, Launchers>>;
  readonly #ledger = new Ledger();
  readonly #maker = new MessageMaker(2, [topic], 16 * 1024);

  constructor(folder: string, nameServer: string, launchers: Readonly<Record<Name, Launchers>>) {
    this.#folder = folder;
    this.#nameServer = nameServer;
    this.#launchers = launchers;
  }

  storeOf(name: Name): string {
    return path.join(this.#folder, name);
  }

  /** A broker over its own store, whatever its role. */
  async start(name: Name, role: 'ASYNC_MASTER' | 'SLAVE'): Promise<ServerProcess> {
    const launchers = this.#launchers[name];
    const settings = {
      brokerRole: role,
      brokerId: role === 'SLAVE' ? '1' : '0',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentBytes),
      maxMessageSize: '65536',
    };
    const folder = path.join(this.#folder, `${name}-home`);
    fs.mkdirSync(folder, { recursive: true });
    const place = { nameServer: this.#nameServer, folder, store: this.storeOf(name) };
    const broker = await spawnBroker(launchers, { ...place, settings });
    this.brokers.push(broker);
    await broker.listening();
    return broker;
  }

  async send({ address }: ServerProcess, count: number): Promise<void> {
    const load = { address, maker: this.#maker, ledger: this.#ledger, phase: 1, window: 32, count };
    const { acknowledged, refused } = await runLoad(load);
    assert.is(acknowledged, count, JSON.stringify([...refused]));
  }
}

type Name = 'ringmq' | 'java';

function sameEnd(one: ServerProcess, other: ServerProcess): Promise<unknown> {
  // Its ports are closed for a moment while its rooms are started anew.
  const ends = (): Promise<number[]> => Promise.all([one, other].map(broker => logEnd(broker.address))).catch(() => []);
  return until(async () => new Set(await ends()).size === 1, 'both logs end at the same place', PATIENCE_MS);
}

/** All of a log in front of `end`, from its first file on. */
function logBytes(store: string, end: number): Buffer {
  const folder = path.join(store, 'commitlog');
  const files = fs.readdirSync(folder).sort();
  return Buffer.concat(files.map(name => fs.readFileSync(path.join(folder, name)))).subarray(0, end);
}

async function counts(address: string): Promise<number[]> {
  const client = await RawClient.connect(address);
  const queues = Array.from({ length: topic.queues }, (_, queueId) => queueBound(client, topic.topic, queueId, 'max'));
  return Promise.all(queues).finally(() => client.close());
}

async function runRejoin(pair: Pair): Promise<void> {
  const old = await pair.start('ringmq', 'ASYNC_MASTER');
  const client = await RawClient.connect(old.address);
  await createTopic(client, topic.topic, topic.queues);
  client.close();
  const follower = await pair.start('java', 'SLAVE');
  // Before a file is full: a slave that comes later begins with the newest one.
  const hasSlave = async (): Promise<boolean> => (await runtimeInfo(old.address)).haSlaves === '1';
  await until(hasSlave, 'the slave is attached', PATIENCE_MS);
  await pair.send(old, COUNT / 2);
  await sameEnd(old, follower);
  await follower.stop();
  const agreed = await logEnd(old.address);
  await pair.send(old, COUNT / 10);
  const end = await logEnd(old.address);
  await old.kill();
  const tail = logBytes(pair.storeOf('ringmq'), end).subarray(agreed);
  const successor = await pair.start('java', 'ASYNC_MASTER');
  await pair.send(successor, COUNT / 10);
  const former = await pair.start('ringmq', 'SLAVE');
  await sameEnd(former, successor);
  await pair.send(successor, COUNT / 10);
  await sameEnd(former, successor);
  const range = { end: await logEnd(successor.address), segmentBytes };
  const [java, ringmq] = (['java', 'ringmq'] as const).map(name => path.join(pair.storeOf(name), 'commitlog'));
  const compared = compareLogs(java!, ringmq!, range);
  assert.equal(compared.places, []);
  assert.ok(compared.bytes > 3 * segmentBytes);
  const aside = path.join(pair.storeOf('ringmq'), 'set-aside');
  const [kept, ...more] = fs.readdirSync(aside).filter(name => !name.endsWith('.json'));
  assert.equal(more, []);
  assert.ok(fs.readFileSync(path.join(aside, kept!)).equals(tail), 'all of what it had alone is set aside');
  const messages = await counts(successor.address);
  await Promise.all([former, successor].map(broker => broker.stop()));
  for (const [queueId, count] of messages.entries()) {
    const [there, here] = (['java', 'ringmq'] as const).map(name =>
      queueEntries(pair.storeOf(name), topic.topic, queueId, count),
    );
    assert.ok(there!.length > 0 && there!.equals(here!), `queue ${queueId} is the same on both`);
  }
}

for (const version of ['3.2.6', '4.9.7']) {
  rejoin(`a former master comes back to Java ${version}`, async () => {
    const java = javaLaunchers(version);
    if (typeof java === 'string') return skip(java);
    const ringmq = ringmqLaunchers();
    if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
    const folder = temporaryFolder();
    const nameServer = await startNameServer(ringmq, folder);
    const pair = new Pair(folder, nameServer.address, { ringmq, java });
    try {
      await runRejoin(pair);
    } finally {
      await Promise.all(pair.brokers.map(broker => broker.kill()));
      await nameServer.stop();
      removeFolder(folder);
    }
  });
}

rejoin.run();
