// @limit 120
/** Delayed messages through a whole node, in every threading mode. Source: spec scheduling 1. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawClient } from '../../../support/raw-client.js';
import type { RawRecord } from '../../../support/raw-record.js';
import { createTopic, pullQueue, queueBound } from '../../../support/raw-requests.js';
import { type TestWorld, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const delayed = suite('actors/node: delayed messages');

const schedule = 'SCHEDULE_TOPIC_XXXX';
/** The writer stamps a record with the time at which its duty cycle began, before the scheduler looked. Units: ms. */
const stampSlackMs = 100;
const body = (text: string): Uint8Array => Buffer.from(text);

async function send(client: RawClient, level: number, text: string, queueId = 0): Promise<void> {
  const properties = { DELAY: String(level), TAGS: 'TagA', KEYS: text };
  const answer = await client.send({ topic: 'T', queueId, body: body(text), properties });
  assert.equal([answer.code, answer.remark, answer.queueId], [0, '', queueId]);
}

/** Pulls a queue until it has so many messages. */
async function pull(client: RawClient, topic: string, queueId: number, count: number): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const end = await pullQueue(client, topic, queueId, record => records.push(record), {
    untilOffset: count,
    patienceMs: 20_000,
  });
  assert.is(end, count);
  return records;
}

const text = (record: RawRecord): string => record.body.toString();
const offsetsFile = (world: TestWorld): string => path.join(world.folder, 'config', 'delayOffset.json');
const storedOffsets = (world: TestWorld): string => {
  const file = offsetsFile(world);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
};

for (const threadingMode of ['inline', 'shared', 'dedicated'] as const) {
  delayed(`${threadingMode}: each level in its order, when it is due, once, over a restart`, () =>
    withNode({ real: true, set: { threadingMode, messageDelayLevel: '1s 2s', lanesMax: '1' } }, async world => {
      let client = await world.connect();
      await createTopic(client, 'T', 2);
      for (let index = 0; index < 20; index++) await send(client, 1 + (index % 2), `m${index}`);
      const delivered = await pull(client, 'T', 0, 20);
      for (const level of [1, 2]) {
        const waited = await pull(client, schedule, level - 1, 10);
        const got = delivered.filter(record => record.properties.get('DELAY') === String(level));
        assert.equal(got.map(text), waited.map(text));
        for (const [index, record] of got.entries()) {
          const waitedMs = record.storeTimestampMs - waited[index]!.storeTimestampMs;
          assert.ok(waitedMs >= level * 1000 - stampSlackMs, `${text(record)} after ${waitedMs} ms`);
          assert.equal([record.properties.get('REAL_TOPIC'), record.properties.get('REAL_QID')], ['T', '0']);
        }
      }
      await until(() => storedOffsets(world).includes('{1:10,2:10'), 'the progress is stored');
      const progress = await client.request(45, {});
      assert.equal([progress.code, progress.body.toString()], [0, '{"offsetTable":{1:10,2:10}}']);
      const { table } = JSON.parse((await client.request(28, {})).body.toString()) as { table: Record<string, string> };
      assert.equal([table.scheduleMessageOffset_1, table.scheduleMessageOffset_2], ['10,10', '10,10']);

      await send(client, 2, 'over the restart', 1);
      client.close();
      await world.restart();
      client = await world.connect();
      assert.equal((await pull(client, 'T', 1, 1)).map(text), ['over the restart']);
      assert.is(await queueBound(client, 'T', 0, 'max'), 20, 'nothing is delivered again');
      await world.stop();
      assert.is(storedOffsets(world), '{\n\t"offsetTable":{1:10,2:11\n\t}\n}');
      assert.is(world.exists('abort'), false);
    }),
  );
}

delayed('more levels than 18, and one above the highest', () =>
  withNode({ set: { messageDelayLevel: '1s '.repeat(20).trim() } }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    await send(client, 20, 'twenty');
    await send(client, 99, 'clamped');
    const delivered = await pull(client, 'T', 0, 2);
    assert.equal(
      delivered.map(record => [text(record), record.properties.get('DELAY')]),
      [
        ['twenty', '20'],
        ['clamped', '20'],
      ],
    );
    await until(() => storedOffsets(world).includes('{20:2'), 'the progress of level 20 is stored');
    assert.is(world.node.shop.counters('scheduler').read('delayedDelivered'), 2);
  }),
);

delayed('a topic that is deleted meanwhile holds nobody', () =>
  withNode({ set: { messageDelayLevel: '1s' } }, async world => {
    const client = await world.connect();
    for (const topic of ['T', 'Gone']) await createTopic(client, topic, 1);
    const properties = { DELAY: '1' };
    assert.is((await client.send({ topic: 'Gone', queueId: 0, body: body('lost'), properties })).code, 0);
    await send(client, 1, 'behind');
    assert.is((await client.request(215, { topic: 'Gone' })).code, 0);
    assert.equal((await pull(client, 'T', 0, 1)).map(text), ['behind']);
    assert.is(world.node.shop.counters('scheduler').read('delayedDropped'), 1);
    const left = world.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    assert.ok(left.includes('a delayed message cannot be delivered and is left out'));
    assert.equal(world.errors, []);
  }),
);

delayed('a log that cannot be written delays, and loses and doubles nothing', () =>
  withNode({ set: { messageDelayLevel: '1s' } }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    for (let index = 0; index < 5; index++) await send(client, 1, `m${index}`);
    world.disk.faults.fail = (call, file) => (call === 'write' && file.includes('/commitlog/') ? 'EIO' : undefined);
    const failures = (): number => world.node.shop.counters('commit-log-writer').read('appendFailures');
    await until(() => failures() >= 3, 'deliveries are refused again and again', 20_000);
    world.repair();
    assert.equal((await pull(client, 'T', 0, 5)).map(text), ['m0', 'm1', 'm2', 'm3', 'm4']);
    assert.is(await queueBound(client, 'T', 0, 'max'), 5);
  }),
);

delayed('a damaged delayOffset.json and no backup: the node says so and does not start', () =>
  withNode({}, async world => {
    await world.stop();
    fs.writeFileSync(offsetsFile(world), '{"offsetTable":{1:');
    let fault: unknown;
    await world.start().catch(error => (fault = error));
    assert.match(String(fault), /delayOffset\.json/);
    fs.rmSync(offsetsFile(world));
    await world.start();
  }),
);

delayed.run();
