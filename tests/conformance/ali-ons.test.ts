// @limit 240
/** ali-ons, a client for Node that others wrote: it sends, it consumes, and what it sent is in the store. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AliOnsResult } from '../support/ali-ons-client.js';
import { aliOnsBody, aliOnsTag } from '../support/ali-ons-client.js';
import { javaLaunchers } from '../support/java.js';
import type { Launchers } from '../support/node-process.js';
import {
  removeFolder,
  ringmqLaunchers,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import type { RawRecord } from '../support/raw-record.js';
import { awaitRoute, createTopic, pullQueue } from '../support/raw-requests.js';
import { skip } from '../support/skip.js';
import { until } from '../support/until.js';

const topic = 'AliOns';
const queues = 4;
const count = 40;
const program = realpathSync(path.join(import.meta.dirname, '../support/ali-ons-client.js'));
const limitMs = 90_000;

/** Everything in the topic, by key. */
async function readAll(broker: string): Promise<Map<string, RawRecord>> {
  const records = new Map<string, RawRecord>();
  const client = await RawClient.connect(broker);
  for (let queueId = 0; queueId < queues; queueId++) {
    await pullQueue(client, topic, queueId, record => {
      const key = (record.properties.get('KEYS') ?? '').trim();
      assert.not(records.has(key), `${key} is stored once`);
      records.set(key, record);
    });
  }
  client.close();
  return records;
}

async function checkStored(broker: string, places: readonly string[]): Promise<void> {
  const records = await readAll(broker);
  assert.is(records.size, count);
  for (let index = 0; index < count; index++) {
    const record = records.get(`key${index}`);
    assert.ok(record, `message ${index} is there`);
    assert.is(`${record.queueId}@${record.queueOffset}`, places[index]);
    assert.is(record.properties.get('TAGS'), aliOnsTag(index));
    const body = aliOnsBody(index, count);
    if (record.sysFlag & 1)
      assert.ok(index === count - 1 && record.body.length < body.length, 'only the long one is compressed');
    else assert.is(record.body.toString(), body);
  }
}

async function exchange(launchers: Launchers): Promise<void> {
  const folder = temporaryFolder();
  const nameServer = await startNameServer(launchers, folder);
  const broker = await startBroker(launchers, { nameServer: nameServer.address, folder });
  try {
    const admin = await RawClient.connect(broker.address);
    await createTopic(admin, topic, queues);
    admin.close();
    await awaitRoute(nameServer.address, topic);

    const argv = [program, nameServer.address, topic, String(count)];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: limitMs, killSignal: 'SIGKILL' });
    const result = JSON.parse(stdout) as AliOnsResult;
    assert.equal([...new Set(result.sent.map(({ status }) => status))], ['SEND_OK']);
    for (const { msgId } of result.sent) assert.match(msgId, /^[0-9A-F]{32}$/);
    await checkStored(
      broker.address,
      result.sent.map(({ place }) => place),
    );

    const indexes = Array.from({ length: count }, (_, index) => index);
    const wanted = indexes.filter(index => aliOnsTag(index) === 'TagB').map(index => aliOnsBody(index, count));
    assert.equal([...result.consumed].sort(), wanted.sort());
    // A new group's retry topic has no route before its first heartbeat; ali-ons reports that wherever it starts.
    assert.equal(
      result.errors.filter(error => !error.includes('%RETRY%')),
      [],
    );
  } finally {
    await broker.kill();
    await nameServer.stop();
    removeFolder(folder);
  }
}

/** One member of a group, in a process of its own. */
class Member {
  readonly bodies: string[] = [];
  readonly #child;
  readonly #ended: Promise<unknown>;

  constructor(nameServer: string, group: string) {
    this.#child = spawn(process.execPath, [program, 'consume', nameServer, topic, group], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#ended = once(this.#child, 'exit');
    createInterface(this.#child.stdout!).on('line', line => this.bodies.push(line));
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Two members share the queues of a topic; when one is gone, the other has all of them. */
async function share(launchers: Launchers): Promise<void> {
  const folder = temporaryFolder();
  const nameServer = await startNameServer(launchers, folder);
  const broker = await startBroker(launchers, { nameServer: nameServer.address, folder });
  const client = await RawClient.connect(broker.address);
  await createTopic(client, topic, queues);
  await awaitRoute(nameServer.address, topic);
  const members = [new Member(nameServer.address, 'ali_ons_pair'), new Member(nameServer.address, 'ali_ons_pair')];
  const [first, second] = members as [Member, Member];
  let sent = 0;
  const sendRound = async (): Promise<string[]> => {
    const bodies = Array.from({ length: queues }, () => `m${sent++}`);
    for (const [queueId, body] of bodies.entries()) {
      assert.is((await client.send({ topic, queueId, body: Buffer.from(body) })).code, 0);
    }
    return bodies;
  };
  const have = (body: string): number => members.filter(({ bodies }) => bodies.includes(body)).length;
  try {
    // Both have queues when the messages of a round come to both.
    // While they do not know of each other yet, both consume everything.
    let inRow = 0;
    const isShared = async (): Promise<boolean> => {
      const round = await sendRound();
      await until(() => round.every(body => have(body) > 0), 'a round is consumed', limitMs);
      const each = round.every(body => have(body) === 1);
      const both = members.every(({ bodies }) => round.some(body => bodies.includes(body)));
      inRow = each && both ? inRow + 1 : 0;
      return inRow === 5;
    };
    await until(isShared, 'five rounds, each message of which goes to one of both', limitMs);
    await second.end();
    const left = await sendRound();
    await until(() => left.every(body => first.bodies.includes(body)), 'the other takes over', limitMs);
  } finally {
    await Promise.all(members.map(member => member.end()));
    client.close();
    await broker.kill();
    await nameServer.stop();
    removeFolder(folder);
  }
}

const aliOns = suite('ali-ons');

aliOns('two members of a group share what RingMQ has, and one takes over', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  await share(launchers);
});

aliOns('sends to RingMQ and consumes from it', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  await exchange(launchers);
});

aliOns('does the same with Java 4.9.7: the control of this test', async () => {
  const launchers = javaLaunchers('4.9.7');
  if (typeof launchers === 'string') return skip(launchers);
  await exchange(launchers);
});

aliOns.run();
