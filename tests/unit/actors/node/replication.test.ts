// @limit 240
/** A master and its slave, over sockets. Source: spec ha. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commitOffset, createTopic, pullQueue } from '../../../support/raw-requests.js';
import { queryOffset, type ReplicaPair, withPair } from '../../../support/replica-pair.js';
import { sendFrame } from '../../../support/rooms.js';
import type { TestWorld } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const replication = suite('actors/node: replication');

const SYNC = { brokerRole: 'SYNC_MASTER' };

async function bodiesOf(world: TestWorld, topic: string, queueId: number): Promise<number> {
  const client = await world.connect();
  let count = 0;
  await pullQueue(client, topic, queueId, () => count++, { patienceMs: 0 });
  client.close();
  return count;
}

/** Sends one message and gives its answer's code. */
async function sendOne(world: TestWorld, properties = 'WAIT\u0001true'): Promise<number> {
  const wire = await world.dial();
  const { code } = await wire.ask(sendFrame({ topic: 'T', body: 'x', properties }));
  wire.close();
  return code;
}

replication('the log of a slave is that of its master, over several files, and its queues can be read', () =>
  withPair({}, async pair => {
    assert.ok((await pair.send('T', 2000, 500)).every(code => code === 0));
    await pair.caughtUp();
    pair.assertSameLog();
    assert.ok(fs.readdirSync(path.join(pair.slave.folder, 'commitlog')).length >= 4);
    for (const queueId of [0, 1, 2, 3]) {
      assert.is(await bodiesOf(pair.slave, 'T', queueId), 500);
      const queue = (world: TestWorld): Buffer =>
        fs.readFileSync(path.join(world.folder, 'consumequeue', 'T', String(queueId), '00000000000000000000'));
      assert.ok(queue(pair.slave).equals(queue(pair.master)));
    }
    assert.equal([...pair.slave.errors, ...pair.master.errors], []);
  }),
);

replication('a slave refuses sends and changes of topics, also of those it does not know', () =>
  withPair({}, async pair => {
    await pair.send('T', 1);
    await pair.caughtUp();
    const wire = await pair.slave.dial();
    for (const topic of ['T', 'Unknown']) {
      const answer = await wire.ask(sendFrame({ topic }));
      assert.equal([answer.code, /slave/.test(answer.remark ?? '')], [14, true]);
    }
    const client = await pair.slave.connect();
    for (const [code, fields] of [
      [17, { topic: 'New', readQueueNums: '1', writeQueueNums: '1', perm: '6' }],
      [215, { topic: 'T' }],
      [207, { groupName: 'G' }],
    ] as const) {
      const answer = await client.request(code, fields);
      assert.equal([answer.code, /from slave broker/.test(answer.remark ?? '')], [1, true], String(code));
    }
  }),
);

replication('a slave knows new topics and committed offsets long before it asks for them', () =>
  withPair({}, async pair => {
    const [toMaster, toSlave] = [await pair.master.connect(), await pair.slave.connect()];
    await createTopic(toMaster, 'News', 3);
    await commitOffset(toMaster, 'G', 'News', 2, 17);
    const begin = performance.now();
    await until(async () => (await toSlave.request(21, {})).body.includes('"News"'), 'the topic is there', 2000);
    await until(async () => (await queryOffset(toSlave, 'G', 'News', 2)).ext.offset === '17', 'and the offset', 2000);
    assert.ok(performance.now() - begin < 2000);
    await toMaster.request(215, { topic: 'News' });
    await until(async () => !(await toSlave.request(21, {})).body.includes('"News"'), 'the topic is gone', 2000);
  }),
);

replication('a slave that comes later begins with the newest file, and says so', () =>
  withPair({ alone: true }, async pair => {
    await pair.send('T', 2000, 500);
    await pair.slave.start();
    await pair.attached();
    await pair.caughtUp();
    pair.assertSameLog();
    assert.is(fs.readdirSync(path.join(pair.slave.folder, 'commitlog')).length, 1);
    assert.ok(pair.slave.lines.some(({ message }) => /begins with its master's newest file/.test(message)));
    await pair.send('T', 10);
    await pair.caughtUp();
    pair.assertSameLog();
    // The queues begin in the middle, and nothing in front of it is served.
    const client = await pair.slave.connect();
    const min = Number((await client.request(31, { topic: 'T', queueId: '0' })).ext.offset);
    assert.ok(min > 0);
    await pair.slave.restart();
    await pair.attached();
    await pair.send('T', 10);
    await pair.caughtUp();
    pair.assertSameLog();
    assert.equal(pair.slave.errors, []);
  }),
);

replication('slave and master go and come, and it goes on where it was', () =>
  withPair({}, async pair => {
    await pair.send('T', 100);
    await pair.slave.stop();
    await pair.send('T', 100);
    await pair.slave.start();
    await pair.caughtUp();
    await pair.master.stop();
    await until(() => !pair.slave.saysReplicating, 'the slave has lost it');
    const cameMs = performance.now();
    await pair.master.start();
    await pair.attached();
    assert.ok(performance.now() - cameMs < 5000, 'attached without waiting for a period');
    await pair.send('T', 100);
    await pair.caughtUp();
    pair.assertSameLog();
  }),
);

replication('a slave that becomes the master by configuration counts its queues on', () =>
  withPair({}, async pair => {
    await pair.send('T', 40);
    await pair.caughtUp();
    await pair.master.stop();
    await pair.slave.stop();
    await pair.slave.start({ brokerRole: 'ASYNC_MASTER', brokerId: '0' });
    const wire = await pair.slave.dial();
    const answer = await wire.ask(sendFrame({ topic: 'T', queueId: 2 }));
    assert.equal([answer.code, answer.extFields.queueOffset], [0, '10']);
  }),
);

replication("delayed messages are delivered by the master alone; its progress is the slave's, also after a stop", () =>
  withPair({ alone: true, master: { flushDelayOffsetInterval: '100' } }, async pair => {
    const wire = await pair.master.dial();
    assert.is((await wire.ask(sendFrame({ topic: 'Later', properties: 'DELAY\u00011' }))).code, 0);
    await until(async () => (await bodiesOf(pair.master, 'Later', 0)) === 1, 'it was delivered', 20_000);
    const progress = (world: TestWorld): string => {
      const file = path.join(world.folder, 'config', 'delayOffset.json');
      return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replace(/\s/g, '') : '';
    };
    await until(() => /1:1/.test(progress(pair.master)), 'the progress is stored');
    await pair.slave.start();
    await pair.caughtUp();
    await until(() => progress(pair.slave) === progress(pair.master), 'the slave has it');
    assert.is(await bodiesOf(pair.slave, 'Later', 0), 1);
    const end = pair.slave.node.shop.positions.read('appended');
    await pair.slave.stop();
    assert.is(progress(pair.slave), progress(pair.master));
    assert.is(pair.master.node.shop.positions.read('appended'), end, 'delivered once');
  }),
);

// ---- SYNC_MASTER ----

replication('SYNC_MASTER: 0 with a slave, 11 without, 0 again when it is back', () =>
  withPair({ master: SYNC }, async pair => {
    assert.ok((await pair.send('T', 200)).every(code => code === 0));
    const { positions } = pair.slave.node.shop;
    assert.is(positions.read('appended'), pair.master.node.shop.positions.read('appended'), 'the slave has all of it');
    await pair.slave.stop();
    assert.is(await sendOne(pair.master), 11);
    assert.is(await sendOne(pair.master, 'WAIT\u0001false'), 0, 'who does not wait does not care');
    await pair.slave.start();
    await pair.caughtUp();
    assert.is(await sendOne(pair.master), 0);
    assert.ok((await bodiesOf(pair.slave, 'T', 0)) >= 50);
  }),
);

/** A slave made by hand: reports what it is told to. */
async function fakeSlave(pair: ReplicaPair, report: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port: pair.master.node.ports.ha! });
  socket.on('error', () => {});
  socket.resume();
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(report));
  socket.write(bytes);
  return socket;
}

replication('SYNC_MASTER: 12 when the slave is silent for slaveTimeout, 10 when only the disk is late', () =>
  withPair({ alone: true, master: { ...SYNC, slaveTimeout: '300', syncFlushTimeout: '600' } }, async pair => {
    const socket = await fakeSlave(pair, 0);
    await until(() => pair.master.lines.some(({ message }) => message === 'a slave is attached'), 'attached');
    assert.is(await sendOne(pair.master), 12);
    socket.destroy();
  }),
);

replication('SYNC_MASTER and SYNC_FLUSH: the answer needs both, and says which is missing', () =>
  withPair({ master: { ...SYNC, flushDiskType: 'SYNC_FLUSH', syncFlushTimeout: '700' } }, async pair => {
    assert.is(await sendOne(pair.master), 0);
    const { positions } = pair.master.node.shop;
    assert.is(positions.read('flushed'), positions.read('appended'));
    pair.master.disk.faults.holdSyncs = true;
    assert.is(await sendOne(pair.master), 10, 'the slave has it, the disk does not');
    await pair.slave.stop();
    assert.is(await sendOne(pair.master), 11, 'neither has it');
    pair.master.repair();
  }),
);

replication('SYNC_MASTER: a slave that is too far behind is not waited for', () =>
  withPair({ alone: true, master: { ...SYNC, haSlaveFallbehindMax: '1000', slaveTimeout: '60000' } }, async pair => {
    await pair.send('T', 20, 500);
    const socket = await fakeSlave(pair, 0);
    await until(() => pair.master.lines.some(({ message }) => message === 'a slave is attached'), 'attached');
    assert.is(await sendOne(pair.master), 11);
    socket.destroy();
  }),
);

// ---- logs that do not fit ----

/** What the slave says it found. */
async function refusalOf(pair: ReplicaPair): Promise<string> {
  const find = (): string | undefined => pair.slave.errors.find(message => message.startsWith('not replicating'));
  await until(() => find() !== undefined, 'the slave says what is wrong');
  return find()!;
}

replication('a slave that is ahead says so, serves what it has, and nothing is acknowledged for it', () =>
  withPair({ master: SYNC }, async pair => {
    await pair.send('T', 100);
    await pair.slave.stop();
    await pair.master.stop();
    // The master comes back with less: a copy from before.
    fs.rmSync(pair.master.folder, { recursive: true });
    await pair.master.start();
    await pair.send('T', 10);
    await pair.slave.start();
    assert.match(await refusalOf(pair), /reaches to \d+, the master's only to \d+.*move its store away/);
    assert.is(await bodiesOf(pair.slave, 'T', 0), 25);
    assert.is(await sendOne(pair.master), 11);
    // A Java slave asks without comparing.
    const socket = await fakeSlave(pair, pair.slave.node.shop.positions.read('appended'));
    await until(() => socket.destroyed, 'the master closes it');
    assert.ok(pair.master.errors.some(message => /a slave was refused: its log reaches to/.test(message)));
  }),
);

replication('a slave whose log went another way is not continued', () =>
  withPair({}, async pair => {
    await pair.send('T', 20);
    await pair.slave.stop();
    await pair.master.stop();
    fs.rmSync(pair.master.folder, { recursive: true });
    await pair.master.start();
    await pair.send('Other', 200);
    await pair.slave.start();
    const before = pair.slave.node.shop.positions.read('appended');
    assert.match(await refusalOf(pair), /last record, at \d+, is not what the master has there/);
    assert.is(pair.slave.node.shop.positions.read('appended'), before);
  }),
);

replication('files of another size are found before anything is written', () =>
  withPair({ alone: true }, async pair => {
    await pair.send('T', 1000, 500);
    await pair.slave.start({ mappedFileSizeCommitLog: '1048576' });
    assert.match(await refusalOf(pair), /mappedFileSizeCommitLog \(1048576 here\).*must be the same/);
    assert.is(pair.slave.node.shop.positions.read('appended'), 0);
  }),
);

replication('two brokers of one name and id: said by who comes second', () =>
  withPair({ slave: { brokerRole: 'ASYNC_MASTER', brokerId: '0' }, alone: true }, async pair => {
    await pair.slave.start();
    const said = (): boolean =>
      pair.slave.errors.some(message => /is registered as broker-a with brokerId 0/.test(message));
    await until(said, 'the conflict is reported');
  }),
);

replication.run();
