// @limit 600
/**
 * A Java slave of a RingMQ master and the other way round, under SYNC_MASTER: what is acknowledged is on the slave,
 * byte for byte, over several files; and the slave's queues are those of the master. And a RingMQ master that comes
 * back when its Java slave has become the master, with messages that this one never had.
 */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { Ledger } from '../support/checker.js';
import { javaLaunchers } from '../support/java.js';
import { MessageMaker, runLoad } from '../support/load.js';
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
import { createTopic } from '../support/raw-requests.js';
import { sendFrame } from '../support/rooms.js';
import { skip } from '../support/skip.js';
import { Wire } from '../support/test-node.js';
import { until } from '../support/until.js';

const replication = suite('replication with Java');

const topic = { topic: 'WithJava', queues: 3 };
const segmentSize = MiB;
const COUNT = 6000;
const ATTACHED_MAX_MS = 90_000;

/** SEND_OK of a SYNC_MASTER says that a slave has the message. */
async function awaitSlave(master: ServerProcess): Promise<void> {
  const untilMs = performance.now() + ATTACHED_MAX_MS;
  const wire = await Wire.dial(Number(master.address.split(':')[1]));
  for (;;) {
    const { code } = await wire.ask(sendFrame({ topic: topic.topic }));
    if (code === 0) break;
    if (performance.now() > untilMs) throw new Error(`no slave was attached, the last code was ${code}`);
    await new Promise(resolve => setTimeout(resolve, 200)); // asked again until the limit
  }
  wire.close();
}

/** What the slave's log holds in front of `end`, file by file, is what the master's holds. */
function compareLogs(folder: string, end: number): number {
  let bytes = 0;
  for (const name of fs.readdirSync(path.join(folder, 'slave', 'commitlog')).sort()) {
    const size = Math.min(segmentSize, end - Number(name));
    if (size <= 0) continue;
    const [slave, master] = ['slave', 'master'].map(role =>
      fs.readFileSync(path.join(folder, role, 'commitlog', name)).subarray(0, size),
    );
    assert.ok(slave!.equals(master!), `${name} is the same on both`);
    bytes += size;
  }
  return bytes;
}

interface Place {
  readonly folder: string;
  readonly nameServer: string;
}

/** A broker whose store is the folder `name`. Errors: Error when it does not listen. */
async function start(
  { folder, nameServer }: Place,
  name: 'master' | 'slave',
  launchers: Launchers,
  role: string,
): Promise<ServerProcess> {
  const settings = {
    brokerRole: role,
    brokerId: role === 'SLAVE' ? '1' : '0',
    slaveTimeout: '30000',
    syncFlushTimeout: '30000',
    [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
    maxMessageSize: '65536',
  };
  const home = path.join(folder, `${name}-home`);
  fs.mkdirSync(home, { recursive: true });
  const store = path.join(folder, name);
  const broker = await spawnBroker(launchers, { nameServer, folder: home, store, settings });
  await broker.listening();
  return broker;
}

async function runtimeInfo(broker: ServerProcess): Promise<Readonly<Record<string, string>>> {
  const client = await RawClient.connect(broker.address);
  const answer = await client.request(28, {});
  client.close();
  return (JSON.parse(answer.body.toString()) as { table: Record<string, string> }).table;
}

/** Where a broker's log ends. */
async function endOf(broker: ServerProcess): Promise<number> {
  return Number((await runtimeInfo(broker)).commitLogMaxOffset);
}

async function runPair(masterOf: Launchers, slaveOf: Launchers): Promise<void> {
  const folder = temporaryFolder();
  const ringmq = ringmqLaunchers()!;
  const nameServer = await startNameServer(ringmq, folder);
  const brokers: ServerProcess[] = [];
  try {
    const place = { folder, nameServer: nameServer.address };
    const master = await start(place, 'master', masterOf, 'SYNC_MASTER');
    brokers.push(master);
    const slave = await start(place, 'slave', slaveOf, 'SLAVE');
    brokers.push(slave);
    const client = await RawClient.connect(master.address);
    await createTopic(client, topic.topic, topic.queues);
    await awaitSlave(master);
    const ledger = new Ledger();
    const maker = new MessageMaker(1, [topic], 16 * 1024);
    const load = { address: master.address, maker, ledger, phase: 1, window: 32, count: COUNT };
    const { acknowledged, refused } = await runLoad(load);
    assert.is(acknowledged, COUNT, JSON.stringify([...refused]));
    client.close();
    assert.ok(compareLogs(folder, await endOf(master)) > 3 * segmentSize);
    await Promise.all(brokers.map(broker => broker.stop()));
    compareQueues(folder);
  } finally {
    await Promise.all(brokers.map(broker => broker.kill()));
    await nameServer.stop();
    removeFolder(folder);
  }
}

function compareQueues(folder: string): void {
  for (let queueId = 0; queueId < topic.queues; queueId++) {
    const [there, here] = ['master', 'slave'].map(role => queueEntries(path.join(folder, role), queueId));
    assert.ok(there!.length > 0 && there!.equals(here!), `queue ${queueId} is the same on both`);
  }
}

/** The store `slave` is the RingMQ broker's throughout, which is the master first; `master` is the Java broker's. */
async function runRejoin(ringmq: Launchers, java: Launchers): Promise<void> {
  const folder = temporaryFolder();
  const nameServer = await startNameServer(ringmq, folder);
  const brokers: ServerProcess[] = [];
  const ledger = new Ledger();
  const maker = new MessageMaker(2, [topic], 16 * 1024);
  const send = async ({ address }: ServerProcess, count: number): Promise<void> => {
    const { acknowledged, refused } = await runLoad({ address, maker, ledger, phase: 1, window: 32, count });
    assert.is(acknowledged, count, JSON.stringify([...refused]));
  };
  const begin = async (name: 'master' | 'slave', role: string): Promise<ServerProcess> => {
    const place = { folder, nameServer: nameServer.address };
    const broker = await start(place, name, name === 'slave' ? ringmq : java, role);
    brokers.push(broker);
    return broker;
  };
  const sameEnd = (one: ServerProcess, other: ServerProcess): Promise<unknown> => {
    // Its ports are closed for a moment while its rooms are started anew.
    const ends = (): Promise<number[]> => Promise.all([one, other].map(endOf)).catch(() => []);
    const isSame = async (): Promise<boolean> => new Set(await ends()).size === 1;
    return until(isSame, 'both logs end at the same place', ATTACHED_MAX_MS);
  };
  try {
    const old = await begin('slave', 'ASYNC_MASTER');
    const client = await RawClient.connect(old.address);
    await createTopic(client, topic.topic, topic.queues);
    client.close();
    const follower = await begin('master', 'SLAVE');
    // Before a file is full: a slave that comes later begins with the newest one.
    const hasSlave = async (): Promise<boolean> => (await runtimeInfo(old)).haSlaves === '1';
    await until(hasSlave, 'the slave is attached', ATTACHED_MAX_MS);
    await send(old, COUNT / 2);
    await sameEnd(old, follower);
    await follower.stop();
    const agreed = await endOf(old);
    await send(old, COUNT / 10);
    const end = await endOf(old);
    await old.kill();
    const log = path.join(folder, 'slave', 'commitlog');
    const files = fs
      .readdirSync(log)
      .sort()
      .map(name => fs.readFileSync(path.join(log, name)));
    const tail = Buffer.concat(files).subarray(agreed, end);
    const successor = await begin('master', 'ASYNC_MASTER');
    await send(successor, COUNT / 10);
    const former = await begin('slave', 'SLAVE');
    await sameEnd(former, successor);
    await send(successor, COUNT / 10);
    await sameEnd(former, successor);
    compareLogs(folder, await endOf(successor));
    const aside = path.join(folder, 'slave', 'set-aside');
    const [kept, ...more] = fs.readdirSync(aside).filter(name => !name.endsWith('.json'));
    assert.equal(more, []);
    assert.ok(fs.readFileSync(path.join(aside, kept!)).equals(tail), 'all of what it had alone is set aside');
    await Promise.all([former, successor].map(broker => broker.stop()));
    compareQueues(folder);
  } finally {
    await Promise.all(brokers.map(broker => broker.kill()));
    await nameServer.stop();
    removeFolder(folder);
  }
}

/** The entries of a queue, without what the file has behind them. */
function queueEntries(store: string, queueId: number): Buffer {
  const file = path.join(store, 'consumequeue', topic.topic, String(queueId), '00000000000000000000');
  const bytes = fs.readFileSync(file);
  let end = 0;
  while (end + 20 <= bytes.length && bytes.readInt32BE(end + 8) > 0) end += 20;
  return bytes.subarray(0, end);
}

for (const version of ['3.2.6', '4.9.7']) {
  for (const javaIsMaster of [false, true]) {
    const title = javaIsMaster ? `RingMQ follows Java ${version}` : `Java ${version} follows RingMQ`;
    replication(title, async () => {
      const java = javaLaunchers(version);
      if (typeof java === 'string') return skip(java);
      const ringmq = ringmqLaunchers();
      if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
      const [master, slave] = javaIsMaster ? [java, ringmq] : [ringmq, java];
      await runPair(master, slave);
    });
  }
}

for (const version of ['3.2.6', '4.9.7']) {
  replication(`a former master comes back to Java ${version} as its slave`, async () => {
    const java = javaLaunchers(version);
    if (typeof java === 'string') return skip(java);
    const ringmq = ringmqLaunchers();
    if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
    await runRejoin(ringmq, java);
  });
}

replication.run();
