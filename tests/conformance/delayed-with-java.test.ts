// @limit 300
/**
 * Delayed messages over a change of broker: one make stores them and is stopped or killed while some wait, the other
 * opens the store and delivers these and its own, then the first again. What either delivers is the record that was
 * stored, in another queue.
 */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { javaLaunchers } from '../support/java.js';
import {
  type Launchers,
  removeFolder,
  ringmqLaunchers,
  type ServerProcess,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import type { RawRecord } from '../support/raw-record.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import { skip } from '../support/skip.js';

const delayed = suite('delayed messages with Java');

const schedule = 'SCHEDULE_TOPIC_XXXX';
const topic = 'DelayTrip';
const levelsMs = [1000, 8000];
const count = 20;
/** The writer stamps a record with the time at which its duty cycle began, before the scheduler looked. Units: ms. */
const stampSlackMs = 100;

/**
 * What a delivery keeps of the record that waited: all but its place and its store time. Java writes properties in the
 * order of its hash map, whoever wrote them before.
 */
function keptOf({ bytes, body, properties }: RawRecord): string {
  const masked = Buffer.from(bytes);
  for (const [at, size] of [
    [0, 4], // size
    [12, 4], // queue id
    [20, 16], // queue offset, physical offset
    [56, 8], // store time
  ] as const) {
    masked.fill(0, at, at + size);
  }
  const fixed = masked.subarray(0, 88).toString('hex');
  return `${fixed} ${body.toString()} ${JSON.stringify([...properties].sort())}`;
}

class Trip {
  readonly #folder: string;
  readonly #nameServer: string;
  #broker: ServerProcess | undefined;
  #sent = 0;

  constructor(folder: string, nameServer: string) {
    this.#folder = folder;
    this.#nameServer = nameServer;
  }

  async with(launchers: Launchers, work: (client: RawClient) => Promise<void>, end: 'stop' | 'kill'): Promise<void> {
    const broker = await startBroker(launchers, {
      nameServer: this.#nameServer,
      folder: this.#folder,
      settings: {
        messageDelayLevel: '1s 8s',
        maxMessageSize: '1048576',
        [`${launchers.segmentSizePrefix}CommitLog`]: String(4 * MiB),
      },
    });
    this.#broker = broker;
    const client = await RawClient.connect(broker.address);
    try {
      await work(client);
    } finally {
      client.close();
      await (end === 'stop' ? broker.stop() : broker.kill());
    }
  }

  async send(client: RawClient, level: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const properties = { DELAY: String(level), TAGS: `Tag${index % 3}`, KEYS: `key${index}`, own: 'ä' };
      const sent = { topic, queueId: index % 2, body: Buffer.from(`m${this.#sent++}`), properties };
      assert.is((await client.send(sent)).code, 0);
    }
  }

  async read(client: RawClient, name: string, queueId: number): Promise<RawRecord[]> {
    const records: RawRecord[] = [];
    await pullQueue(client, name, queueId, record => records.push(record), { patienceMs: 0 });
    return records;
  }

  async delivered(client: RawClient): Promise<RawRecord[]> {
    return [...(await this.read(client, topic, 0)), ...(await this.read(client, topic, 1))];
  }

  /** Waits until so many are delivered, and checks all that are. */
  async awaitDelivered(client: RawClient, expected: number, twice: boolean): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    let records = await this.delivered(client);
    while (new Set(records.map(idOf)).size < expected) {
      assert.ok(performance.now() < deadlineMs, `${expected} messages are delivered`);
      await new Promise(resolve => setTimeout(resolve, 100)); // asked again until the limit
      records = await this.delivered(client);
    }
    if (!twice) assert.is(records.length, expected, 'nothing is delivered twice');
    const waiting = new Map<string, RawRecord>();
    for (const queueId of [0, 1]) {
      for (const record of await this.read(client, schedule, queueId)) waiting.set(idOf(record), record);
    }
    for (const record of records) {
      const source = waiting.get(idOf(record))!;
      assert.is(keptOf(record), keptOf(source));
      assert.is(String(record.queueId), source.properties.get('REAL_QID'));
      const waitedMs = record.storeTimestampMs - source.storeTimestampMs;
      assert.ok(waitedMs >= levelsMs[source.queueId]! - stampSlackMs, `${idOf(record)} waited ${waitedMs} ms`);
    }
    for (const level of [1, 2]) {
      for (const queueId of [0, 1]) {
        const ids = records.filter(record => record.queueId === queueId && isOf(record, level)).map(numberOf);
        const first = [...new Set(ids)];
        assert.equal(
          first,
          [...first].sort((left, right) => left - right),
          `level ${level} in order`,
        );
      }
    }
  }

  get offsets(): string {
    const file = path.join(this.#folder, 'store', 'config', 'delayOffset.json');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  }

  async close(): Promise<void> {
    await this.#broker?.kill();
  }
}

const idOf = (record: RawRecord): string => record.body.toString();
const numberOf = (record: RawRecord): number => Number(idOf(record).slice(1));
const isOf = (record: RawRecord, level: number): boolean => record.properties.get('DELAY') === String(level);

async function makeTrip(writer: Launchers, reader: Launchers, end: 'stop' | 'kill'): Promise<void> {
  const folder = temporaryFolder();
  const nameServer = await startNameServer(writer, folder);
  const trip = new Trip(folder, nameServer.address);
  const twice = end === 'kill';
  try {
    await trip.with(
      writer,
      async client => {
        await createTopic(client, topic, 2);
        await trip.send(client, 1);
        await trip.awaitDelivered(client, count, false);
        await trip.send(client, 2);
      },
      end,
    );
    if (end === 'stop') assert.is(trip.offsets, `{\n\t"offsetTable":{1:${count}\n\t}\n}`);
    await trip.with(
      reader,
      async client => {
        await trip.awaitDelivered(client, 2 * count, twice);
        await trip.send(client, 1);
        await trip.awaitDelivered(client, 3 * count, twice);
        await trip.send(client, 2);
      },
      'stop',
    );
    assert.is(trip.offsets, `{\n\t"offsetTable":{1:${2 * count},2:${count}\n\t}\n}`);
    await trip.with(writer, client => trip.awaitDelivered(client, 4 * count, twice), 'stop');
    assert.is(trip.offsets, `{\n\t"offsetTable":{1:${2 * count},2:${2 * count}\n\t}\n}`);
  } finally {
    await trip.close();
    await nameServer.stop();
    removeFolder(folder);
  }
}

for (const end of ['stop', 'kill'] as const) {
  for (const javaFirst of [false, true]) {
    const makes = javaFirst ? 'Java 4.9.7, RingMQ, Java 4.9.7' : 'RingMQ, Java 4.9.7, RingMQ';
    delayed(`${makes}, after a ${end}`, async () => {
      const java = javaLaunchers('4.9.7');
      if (typeof java === 'string') return skip(java);
      const ringmq = ringmqLaunchers();
      if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
      await makeTrip(...((javaFirst ? [java, ringmq] : [ringmq, java]) as [Launchers, Launchers]), end);
    });
  }
}

delayed.run();
