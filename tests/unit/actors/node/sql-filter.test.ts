/** SQL92 filters of a whole node: from the heartbeat to the pull, over a restart, in every threading mode. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer, RawClient } from '../../../support/raw-client.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { createTopic } from '../../../support/raw-requests.js';
import { batchBody, sendFrame } from '../../../support/rooms.js';
import { type TestWorld, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const filters = suite('SQL92 filters of a node');

/** On a busy machine a request may wait longer than a client would like. */
const set = { enablePropertyFilter: 'true', brokerFastFailureEnable: 'false' };
const SUSPEND = '2';
const bodiesOf = ({ body }: Answer): string[] => decodeRecords(body).map(record => record.body.toString());

/** Group G filters topic T by an expression. */
async function beat(client: RawClient, expression: string, subVersion: number): Promise<void> {
  const subscription = {
    topic: 'T',
    subString: expression,
    subVersion,
    expressionType: 'SQL92',
    tagsSet: [],
    codeSet: [],
  };
  const consumer = {
    groupName: 'G',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
  };
  const data = { clientID: 'client', consumerDataSet: [consumer], producerDataSet: [] };
  assert.is((await client.request(34, {}, Buffer.from(JSON.stringify(data)))).code, 0);
}

function pull(client: RawClient, subVersion: number, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const fields = {
    consumerGroup: 'G',
    topic: 'T',
    queueId: '0',
    queueOffset: '0',
    maxMsgNums: '32',
    sysFlag: '0',
    commitOffset: '0',
    suspendTimeoutMillis: '0',
    subVersion: String(subVersion),
  };
  return client.request(11, { ...fields, ...more });
}

async function send(client: RawClient, price: number): Promise<void> {
  const answer = await client.send({
    topic: 'T',
    queueId: 0,
    body: Buffer.from(`p${price}`),
    properties: { price: String(price) },
  });
  assert.is(answer.code, 0, answer.remark);
}

/** A pull that waits for the dispatcher: until the queue has so many entries. */
async function pullAll(client: RawClient, subVersion: number, count: number): Promise<Answer> {
  let answer = await pull(client, subVersion);
  await until(async () => {
    answer = await pull(client, subVersion);
    return answer.ext.maxOffset === String(count);
  }, `${count} entries`);
  return answer;
}

/** Holds pulls from an offset on until one finds something, as a client does. */
async function pullOn(client: RawClient, subVersion: number, offset: number): Promise<Answer> {
  const waiting = { sysFlag: SUSPEND, suspendTimeoutMillis: '10000' };
  const answer = await pull(client, subVersion, { ...waiting, queueOffset: String(offset) });
  assert.ok(answer.code === 0 || answer.code === 20, `code ${answer.code}`);
  return answer.code === 0 ? answer : pullOn(client, subVersion, Number(answer.ext.nextBeginOffset));
}

const changeConfig = async (client: RawClient, line: string): Promise<void> => {
  assert.is((await client.request(25, {}, Buffer.from(`${line}\n`))).code, 0);
};

for (const threadingMode of ['inline', 'shared', 'dedicated']) {
  filters(`${threadingMode}: heartbeat, pull, held pull, refusals`, () =>
    withNode({ set: { ...set, threadingMode }, real: threadingMode !== 'inline' }, async world => {
      const [client, puller] = [await world.connect(), await world.connect()];
      await createTopic(client, 'T', 1);
      await beat(client, 'price BETWEEN 3 AND 5', 100);
      for (let price = 1; price <= 8; price++) await send(client, price);
      assert.equal(bodiesOf(await pullAll(puller, 100, 8)), ['p3', 'p4', 'p5']);

      const [woken] = await Promise.all([
        pullOn(puller, 100, 8),
        (async () => {
          for (const price of [9, 1, 2, 4]) await send(client, price);
        })(),
      ]);
      assert.equal([woken.ext.nextBeginOffset, bodiesOf(woken)], ['12', ['p4']]);

      assert.is((await pull(puller, 101)).code, 25);
      await beat(client, 'price >', 101);
      assert.is((await pull(puller, 101)).code, 27);
      await changeConfig(client, 'enablePropertyFilter=false');
      await beat(client, 'price > 7', 102);
      await until(async () => (await pull(puller, 102)).code === 1, 'the change');
      await changeConfig(client, 'enablePropertyFilter=true');
      await until(async () => (await pull(puller, 102)).code === 0, 'the change');
      assert.equal(bodiesOf(await pull(puller, 102)), ['p8', 'p9']);
    }),
  );
}

filters('messages of a batch are filtered one by one', () =>
  withNode({ set }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const messages = [1, 2, 3, 4].map(price => ({ body: `p${price}`, properties: `price\u0001${price}` }));
    const wire = await world.dial();
    assert.is((await wire.ask(sendFrame({ code: 320, topic: 'T', body: batchBody(messages) }))).code, 0);
    await beat(client, 'price > 2', 1);
    assert.equal(bodiesOf(await pullAll(client, 1, 4)), ['p3', 'p4']);
  }),
);

filters('a filter is there after a restart, and is as old as it was', () =>
  withNode({ set }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    await beat(client, 'price > 2', 10);
    for (const price of [1, 2, 3]) await send(client, price);
    await world.restart();
    assert.equal(storedFilter(world), ['price > 2', 10, false]);
    const again = await world.connect();
    assert.is((await pull(again, 10)).code, 24, 'nobody is there');
    await beat(again, 'price > 0', 9);
    assert.equal(bodiesOf(await pullAll(again, 9, 3)), ['p3'], 'an older version changes nothing');
    await beat(again, 'price > 1', 11);
    assert.equal(bodiesOf(await pull(again, 11)), ['p2', 'p3']);
  }),
);

filters('with filterSupportRetry a message that came back is filtered again', () =>
  withNode({ set: { ...set, messageDelayLevel: '1s', filterSupportRetry: 'true' } }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    await beat(client, 'price > 0', 1);
    for (const price of [1, 9]) await send(client, price);
    for (const { physicalOffset } of decodeRecords((await pullAll(client, 1, 2)).body)) {
      const back = { group: 'G', offset: String(physicalOffset), delayLevel: '1', originTopic: 'T' };
      const answer = await client.request(36, back);
      assert.is(answer.code, 0, answer.remark);
    }
    const retried = { topic: '%RETRY%G', sysFlag: '4', subscription: '*', expressionType: 'TAG' };
    await until(async () => (await pull(client, 1, retried)).ext.maxOffset === '2', 'both are back');
    assert.equal(bodiesOf(await pull(client, 1, retried)), ['p1', 'p9']);
    await beat(client, 'price > 5', 2);
    assert.equal(bodiesOf(await pull(client, 1, retried)), ['p9']);
    await changeConfig(client, 'filterSupportRetry=false');
    assert.equal(bodiesOf(await pull(client, 1, retried)), ['p1', 'p9']);
  }),
);

function storedFilter(world: TestWorld): unknown {
  const text = fs.readFileSync(path.join(world.folder, 'config/consumerFilter.json'), 'utf8');
  const { expression, clientVersion, dead } = JSON.parse(text).filterDataByTopic.T.groupFilterData.G;
  return [expression, clientVersion, dead];
}

filters.run();
