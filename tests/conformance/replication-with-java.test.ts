// @limit 600
/**
 * A Java slave of a RingMQ master and the other way round, under SYNC_MASTER: what is acknowledged is on the slave,
 * byte for byte, over several files; and the slave's queues are those of the master.
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

async function runPair(masterOf: Launchers, slaveOf: Launchers): Promise<void> {
  const folder = temporaryFolder();
  const ringmq = ringmqLaunchers()!;
  const nameServer = await startNameServer(ringmq, folder);
  const start = async (role: 'master' | 'slave', launchers: Launchers): Promise<ServerProcess> => {
    const settings = {
      brokerRole: role === 'master' ? 'SYNC_MASTER' : 'SLAVE',
      brokerId: role === 'master' ? '0' : '1',
      slaveTimeout: '30000',
      syncFlushTimeout: '30000',
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
      maxMessageSize: '65536',
    };
    const store = path.join(folder, role);
    const home = path.join(folder, `${role}-home`);
    fs.mkdirSync(home, { recursive: true });
    return spawnBroker(launchers, { nameServer: nameServer.address, folder: home, store, settings });
  };
  const brokers: ServerProcess[] = [];
  try {
    const master = await start('master', masterOf);
    brokers.push(master);
    await master.listening();
    const slave = await start('slave', slaveOf);
    brokers.push(slave);
    await slave.listening();
    const client = await RawClient.connect(master.address);
    await createTopic(client, topic.topic, topic.queues);
    await awaitSlave(master);
    const ledger = new Ledger();
    const maker = new MessageMaker(1, [topic], 16 * 1024);
    const load = { address: master.address, maker, ledger, phase: 1, window: 32, count: COUNT };
    const { acknowledged, refused } = await runLoad(load);
    assert.is(acknowledged, COUNT, JSON.stringify([...refused]));
    const answer = await client.request(28, {});
    client.close();
    const info = JSON.parse(answer.body.toString()) as { table: Record<string, string> };
    const end = Number(info.table.commitLogMaxOffset);
    assert.ok(compareLogs(folder, end) > 3 * segmentSize);
    await Promise.all(brokers.map(broker => broker.stop()));
    for (let queueId = 0; queueId < topic.queues; queueId++) {
      const [there, here] = ['master', 'slave'].map(role => queueEntries(path.join(folder, role), queueId));
      assert.ok(there!.length > 0 && there!.equals(here!), `queue ${queueId} is the same on both`);
    }
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

replication.run();
