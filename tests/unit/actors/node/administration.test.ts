/** Administration of a whole node, where several rooms and their threads have a part in it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createResponse, encodeCommand, type RemotingCommand } from '../../../../protocol/command.js';
import { createTopic, queueBound } from '../../../support/raw-requests.js';
import { frameOf, sendFrame } from '../../../support/rooms.js';
import { type TestWorld, type Wire, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { heartbeatOf, jsonBody } from '../coordinator/support.js';
import { pullFrame } from '../pull-lane/support.js';

const administration = suite('actors/node administration');

const textOf = ({ body }: RemotingCommand): string => new TextDecoder().decode(body ?? new Uint8Array(0));

/** A request with this code that the broker sent on a connection. */
async function requestIn(wire: Wire, code: number): Promise<RemotingCommand> {
  const find = (): RemotingCommand | undefined => wire.frames.find(frame => frame.code === code && frame.flag === 0);
  await until(() => find() !== undefined, `a request ${code}`);
  return find()!;
}

for (const threadingMode of ['inline', 'shared', 'dedicated']) {
  // A busy machine is no reason to refuse.
  const patience = { waitTimeMillsInSendQueue: '30000', waitTimeMillsInPullQueue: '30000' };
  const options = { real: true, set: { threadingMode, flushDiskType: 'ASYNC_FLUSH', ...patience } };
  const test = (name: string, run: (world: TestWorld) => Promise<void>): void =>
    administration(`${name} (${threadingMode})`, () => withNode(options, run));

  test('a question of an administrator is answered by a client', async world => {
    const [client, admin] = [await world.dial(), await world.dial()];
    client.write(frameOf(34, {}, jsonBody(heartbeatOf({ clientId: 'a' }))));
    await until(() => client.frames.some(({ flag }) => flag === 1), 'the heartbeat is answered');
    admin.write(frameOf(307, { consumerGroup: 'G', clientId: 'a', jstackEnable: 'false' }, null, { opaque: 70 }));
    const asked = await requestIn(client, 307);
    const body = new TextEncoder().encode('{"mqTable":{}}');
    client.write(encodeCommand(createResponse(asked, 0, null, {}, body)));
    const [answer] = await admin.received(1);
    assert.equal([answer!.code, answer!.opaque, textOf(answer!)], [0, 70, '{"mqTable":{}}']);
    client.close();
    await until(async () => (await admin.ask(frameOf(203, { consumerGroup: 'G' }))).code === 206, 'it is gone');
  });

  test('what is stored and handed out is counted', async world => {
    const wire = await world.dial();
    for (let count = 0; count < 3; count++) assert.is((await wire.ask(sendFrame({ topic: 'T' }))).code, 0);
    await until(async () => (await wire.ask(pullFrame({ topic: 'T', group: 'G' }))).code === 0, 'messages come');
    for (const [statsName, statsKey] of [
      ['TOPIC_PUT_NUMS', 'T'],
      ['TOPIC_PUT_SIZE', 'T'],
      ['GROUP_GET_NUMS', 'T@G'],
      ['BROKER_PUT_NUMS', 'DefaultCluster'],
      ['BROKER_GET_NUMS', 'DefaultCluster'],
    ] as const) {
      const ask = frameOf(315, { statsName, statsKey });
      await until(async () => (await wire.ask(ask)).code === 0, `${statsName} ${statsKey}`);
    }
    const { table } = JSON.parse(textOf(await wire.ask(frameOf(28, {})))) as { table: Record<string, string> };
    const counts = table.putMessageDistributeTime!.split(' ').map(part => Number(part.split(':').at(-1)));
    assert.is(
      counts.reduce((sum, count) => sum + count, 0),
      3,
      table.putMessageDistributeTime,
    );
  });

  test('a deleted topic is gone from the disk, and goes on when it is made again', async world => {
    const [wire, client] = [await world.dial(), await world.connect()];
    await createTopic(client, 'T', 1);
    const send = async (body: string): Promise<void> =>
      assert.is((await wire.ask(sendFrame({ topic: 'T', queueId: 0, body }))).code, 0, body);
    for (let count = 0; count < 3; count++) await send(`old${count}`);
    await until(async () => (await queueBound(client, 'T', 0, 'max')) === 3, 'all are in their queue');
    assert.is((await wire.ask(frameOf(215, { topic: 'T' }))).code, 0);
    await until(() => !world.exists('consumequeue/T'), 'its queues are deleted');
    assert.is((await wire.ask(pullFrame({ topic: 'T', group: 'G' }))).code, 17);
    await createTopic(client, 'T', 1);
    const before = await wire.ask(pullFrame({ topic: 'T', group: 'G', offset: 0 }));
    assert.equal([before.code, before.extFields.nextBeginOffset], [21, '3'], 'what was before cannot be read');
    await send('new');
    const ask = pullFrame({ topic: 'T', group: 'G', offset: 3 });
    await until(async () => (await wire.ask(ask)).code === 0, 'the new message comes');
    assert.match(textOf(await wire.ask(ask)), /new/);
    assert.equal([await queueBound(client, 'T', 0, 'min'), await queueBound(client, 'T', 0, 'max')], [3, 4]);
  });

  test('queues of topics that are gone are cleaned up', async world => {
    const wire = await world.dial();
    assert.is((await wire.ask(sendFrame({ topic: 'T' }))).code, 0);
    await until(() => world.exists('consumequeue/T'), 'the topic has a queue');
    world.makeFolder('consumequeue/Gone/0');
    for (const code of [306, 316]) assert.is((await wire.ask(frameOf(code, {}))).code, 0);
    await until(() => !world.exists('consumequeue/Gone'), 'it is cleaned up');
    assert.is(world.exists('consumequeue/T'), true);
  });
}

administration('what is not on the disk yet is told as Java tells sizes', () => {
  // Nothing is synced but at the end.
  const late = { flushCommitLogLeastPages: '1000000', flushCommitLogThoroughInterval: '3600000' };
  return withNode({ set: { flushDiskType: 'ASYNC_FLUSH', ...late } }, async world => {
    const wire = await world.dial();
    const remaining = async (): Promise<string | undefined> => {
      const { table } = JSON.parse(textOf(await wire.ask(frameOf(28, {})))) as { table: Record<string, string> };
      return table.remainHowManyDataToFlush;
    };
    assert.is(await remaining(), '0 B');
    assert.is((await wire.ask(sendFrame({ topic: 'T', body: 'x'.repeat(3000) }))).code, 0);
    assert.match((await remaining()) ?? '', /^3\.\d KiB$/);
  });
});

administration('a client that goes before it answers', () =>
  withNode({}, async world => {
    const [client, admin] = [await world.dial(), await world.dial()];
    client.write(frameOf(34, {}, jsonBody(heartbeatOf({ clientId: 'a' }))));
    await until(() => client.frames.some(({ flag }) => flag === 1), 'the heartbeat is answered');
    admin.write(frameOf(307, { consumerGroup: 'G', clientId: 'a' }));
    await requestIn(client, 307);
    client.close();
    const [answer] = await admin.received(1);
    assert.is(answer!.code, 1);
    assert.match(answer!.remark!, /closed/);
    assert.equal(world.errors, []);
  }),
);

administration.run();
