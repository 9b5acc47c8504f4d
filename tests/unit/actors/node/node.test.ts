/** A whole node over sockets: every kind of answer a client can get. Source: spec remoting 1.5, 5.3, 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeRecords } from '../../../support/raw-record.js';
import { awaitRoute, createTopic, pullQueue } from '../../../support/raw-requests.js';
import { batchBody, frameOf, sendFrame } from '../../../support/rooms.js';
import { skip } from '../../../support/skip.js';
import { type TestNodeOptions, type TestWorld, withNode } from '../../../support/test-node.js';
import { pullFrame } from '../pull-lane/support.js';

const node = suite('actors/node');

const body = Buffer.from('hello');
const SUSPEND_SUBSCRIPTION = 6;

const bodies = async (world: TestWorld, topic: string, queueId: number): Promise<string[]> => {
  const found: string[] = [];
  const client = await world.connect();
  await pullQueue(client, topic, queueId, record => found.push(record.body.toString()), { patienceMs: 0 });
  client.close();
  return found;
};

/** Pulls until a queue has so many messages. */
async function awaitMessages(world: TestWorld, topic: string, queueId: number, count: number): Promise<string[]> {
  const found: string[] = [];
  const client = await world.connect();
  await pullQueue(client, topic, queueId, record => found.push(record.body.toString()), {
    untilOffset: count,
    patienceMs: 10_000,
  });
  client.close();
  return found;
}

node('takes messages and serves them, in the type of each request', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    const port = world.node.ports.broker!.toString(16).toUpperCase().padStart(8, '0');
    for (const serializeType of [0, 1] as const) {
      for (const code of [10, 310] as const) {
        const answer = await wire.ask(
          sendFrame({ code, serializeType, opaque: 5, topic: 'T', body: `${code} ${serializeType}` }),
        );
        assert.equal([answer.code, answer.serializeType, answer.opaque, answer.flag], [0, serializeType, 5, 1]);
        assert.match(answer.extFields.msgId ?? '', new RegExp(`^7F000001${port}[0-9A-F]{16}$`));
        assert.equal([answer.extFields.MSG_REGION, answer.extFields.TRACE_ON], ['DefaultRegion', 'true']);
      }
    }
    assert.equal(await awaitMessages(world, 'T', 0, 4), ['10 0', '310 0', '10 1', '310 1']);
    for (const serializeType of [0, 1] as const) {
      const answer = await wire.ask(pullFrame({ topic: 'T' }, { serializeType, opaque: 9 }));
      assert.equal([answer.code, answer.serializeType, answer.opaque], [0, serializeType, 9]);
      assert.is(decodeRecords(Buffer.from(answer.body!)).length, 4);
    }
    assert.equal(world.errors, []);
  }),
);

node('a batch is stored as one request and read as single messages', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    const messages = Array.from({ length: 50 }, (_, index) => ({
      body: `m${index}`,
      properties: `UNIQ_KEY\u0001u${index}`,
    }));
    const answer = await wire.ask(
      sendFrame({ code: 320, topic: 'T', queueId: 1, body: batchBody(messages), properties: 'WAIT\u0001true' }),
    );
    assert.equal([answer.code, answer.extFields.queueOffset, answer.extFields.queueId], [0, '0', '1']);
    const ids = answer.extFields.msgId!.split(',');
    assert.is(new Set(ids).size, 50);
    assert.equal(
      await awaitMessages(world, 'T', 1, 50),
      messages.map(message => message.body),
    );
    const view = await wire.ask(frameOf(33, { offset: Number(`0x${ids[49]!.slice(-16)}`) }));
    assert.is(decodeRecords(Buffer.from(view.body!))[0]!.body.toString(), 'm49');
  }),
);

node('oneway requests are never answered, whatever becomes of them', () =>
  withNode({ set: { autoCreateTopicEnable: 'false' } }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const wire = await world.dial();
    for (const frame of [
      sendFrame({ topic: 'T', oneway: true }),
      sendFrame({ topic: 'T', oneway: true, serializeType: 1 }),
      sendFrame({ topic: 'Unknown', oneway: true }),
      sendFrame({ topic: 'T', oneway: true, queueId: 99 }),
      sendFrame({ topic: 'T', oneway: true, body: new Uint8Array(70_000) }),
      frameOf(15, { consumerGroup: 'G', topic: 'T', queueId: 0, commitOffset: 1 }, null, { oneway: true }),
      frameOf(4711, {}, null, { oneway: true }),
      frameOf(30, { topic: 'T', queueId: 0 }, null, { oneway: true }),
    ]) {
      wire.write(frame);
    }
    const answer = await wire.ask(sendFrame({ topic: 'T', opaque: 77 }));
    assert.equal([answer.opaque, answer.extFields.queueOffset], [77, '2'], 'the first two are stored');
    const last = await wire.ask(frameOf(14, { consumerGroup: 'G', topic: 'T', queueId: 0 }, null, { opaque: 78 }));
    assert.equal([last.opaque, last.extFields.offset, wire.frames.length], [78, '1', 2]);
  }),
);

node('an unknown code is answered 3, on every port', () =>
  withNode({ namesrv: true }, async world => {
    for (const port of [world.node.ports.broker!, world.node.ports.namesrv!]) {
      const wire = await world.dial(port);
      for (const serializeType of [0, 1] as const) {
        const answer = await wire.ask(frameOf(4711, {}, null, { serializeType, opaque: 3 }));
        assert.equal([answer.code, answer.serializeType, answer.opaque], [3, serializeType, 3]);
      }
      assert.is((await wire.ask(frameOf(40_000, {}))).code, 3, 'a code that a binary header cannot carry');
    }
  }),
);

node('registers with a name server in the same process, and says farewell', () =>
  withNode({ namesrv: true }, async world => {
    // The name server's port is known only now.
    const namesrv = `127.0.0.1:${world.node.ports.namesrv}`;
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const update = await client.request(25, {}, Buffer.from(`namesrvAddr=${namesrv}\n`));
    assert.is(update.code, 0, update.remark);
    await awaitRoute(namesrv, 'T');
    // listenPort is 0 here: clients and message ids name the port that it got.
    const port = world.node.ports.broker!;
    const names = await world.dial(world.node.ports.namesrv!);
    const route = await names.ask(frameOf(105, { topic: 'T' }));
    assert.match(Buffer.from(route.body ?? []).toString(), new RegExp(`"127.0.0.1:${port}"`));
    const wire = await world.dial();
    const sent = await wire.ask(sendFrame({ topic: 'T' }));
    assert.is(Number.parseInt(sent.extFields.msgId!.slice(8, 16), 16), port);
  }),
);

node('a held pull is woken by its message, and by no other', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 2);
    const wire = await world.dial();
    const hold = { topic: 'T', sysFlag: SUSPEND_SUBSCRIPTION, suspendMs: 30_000, subscription: 'TagA' };
    wire.write(pullFrame({ ...hold, queueId: 0 }, { opaque: 1 }));
    await client.send({ topic: 'T', queueId: 1, body, properties: { TAGS: 'TagA' } });
    await client.send({ topic: 'T', queueId: 0, body, properties: { TAGS: 'TagB' } });
    await awaitMessages(world, 'T', 0, 1);
    assert.is(wire.frames.length, 0);
    await client.send({ topic: 'T', queueId: 0, body: Buffer.from('wanted'), properties: { TAGS: 'TagA' } });
    const [answer] = await wire.received(1);
    assert.equal([answer!.code, answer!.opaque, answer!.extFields.nextBeginOffset], [0, 1, '2']);
    assert.is(decodeRecords(Buffer.from(answer!.body!))[0]!.body.toString(), 'wanted');
  }),
);

node('a held pull is answered when its time is over', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const wire = await world.dial();
    const answer = await wire.ask(pullFrame({ topic: 'T', sysFlag: SUSPEND_SUBSCRIPTION, suspendMs: 30 }));
    assert.equal([answer.code, answer.extFields.nextBeginOffset], [19, '0']);
  }),
);

node('a thousand pulls held on one connection, all woken by one message', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const wire = await world.dial();
    const hold = { topic: 'T', sysFlag: SUSPEND_SUBSCRIPTION, suspendMs: 30_000 };
    for (let opaque = 0; opaque < 1000; opaque++) wire.write(pullFrame(hold, { opaque }));
    await wire.ask(frameOf(30, { topic: 'T', queueId: 0 }, null, { opaque: 5000 }));
    await client.send({ topic: 'T', queueId: 0, body });
    const answers = await wire.received(1001);
    assert.is(new Set(answers.map(answer => answer.opaque)).size, 1001);
    assert.ok(answers.slice(1).every(answer => answer.code === 0));
  }),
);

node('the statuses of a pull', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 2);
    for (let index = 0; index < 3; index++)
      await client.send({ topic: 'T', queueId: 0, body, properties: { TAGS: 'TagB' } });
    await awaitMessages(world, 'T', 0, 3);
    const wire = await world.dial();
    const cases: [pull: Parameters<typeof pullFrame>[0], code: number, next: string][] = [
      [{ queueId: 0, offset: 1 }, 0, '3'],
      [{ queueId: 0, offset: 3 }, 19, '3'],
      [{ queueId: 0, offset: 9 }, 21, '3'],
      [{ queueId: 0, offset: 0, subscription: 'TagA' }, 20, '3'],
      [{ queueId: 1, offset: 0 }, 19, '0'],
      [{ queueId: 1, offset: 4 }, 21, '0'],
    ];
    for (const [pull, code, next] of cases) {
      const answer = await wire.ask(pullFrame({ topic: 'T', ...pull }));
      assert.equal([answer.code, answer.extFields.nextBeginOffset], [code, next], JSON.stringify(pull));
    }
    assert.equal(
      [(await wire.ask(pullFrame({ topic: 'T', queueId: 2 }))).code, (await wire.ask(pullFrame({ topic: 'U' }))).code],
      [1, 17],
    );
  }),
);

node('messages go on in the file where the last one ended, over many files', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    const large = Buffer.alloc(60_000, 7);
    for (let index = 0; index < 40; index++)
      assert.is((await client.send({ topic: 'T', queueId: 0, body: large })).queueOffset, index);
    assert.is((await awaitMessages(world, 'T', 0, 40)).length, 40);
    await world.restart();
    const again = await world.connect();
    assert.is((await again.send({ topic: 'T', queueId: 0, body })).queueOffset, 40);
  }),
);

node('configuration that changes while it runs has its effect', () =>
  withNode({}, async world => {
    const client = await world.connect();
    const set = async (text: string): Promise<void> => {
      const answer = await client.request(25, {}, Buffer.from(text));
      assert.is(answer.code, 0, answer.remark);
    };
    const send = async (topic: string, size = 10): Promise<number> =>
      (await client.send({ topic, queueId: 0, body: Buffer.alloc(size) })).code;
    await set('autoCreateTopicEnable=false\n');
    assert.is(await send('New'), 17);
    await set('autoCreateTopicEnable=true\n');
    assert.is(await send('New'), 0);
    await set(`startAcceptSendRequestTimeStamp=${Date.now() + 1_000_000}\n`);
    assert.is(await send('New'), 1);
    await set('startAcceptSendRequestTimeStamp=0\nbrokerPermission=2\n');
    const wire = await world.dial();
    assert.is((await wire.ask(pullFrame({ topic: 'New' }))).code, 16);
  }),
);

node('a restricted brokerPermission reaches the name servers', () =>
  withNode({ namesrv: true }, async world => {
    const namesrv = `127.0.0.1:${world.node.ports.namesrv}`;
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    await client.request(25, {}, Buffer.from(`namesrvAddr=${namesrv}\n`));
    await awaitRoute(namesrv, 'T');
    const wire = await world.dial(world.node.ports.namesrv!);
    const perm = async (): Promise<string | undefined> => {
      const answer = await wire.ask(frameOf(105, { topic: 'T' }));
      return /"perm":(\d)/.exec(new TextDecoder().decode(answer.body ?? new Uint8Array(0)))?.[1];
    };
    assert.is(await perm(), '6');
    await client.request(25, {}, Buffer.from('brokerPermission=4\n'));
    for (let look = 0; (await perm()) !== '4'; look++) {
      if (look > 200) assert.is(await perm(), '4');
      await new Promise(resolve => setTimeout(resolve, 5)); // asked again until the limit
    }
  }),
);

const modes: [name: string, options: TestNodeOptions][] = [
  ['inline', {}],
  ['inline, with its own log', { real: true, set: { threadingMode: 'inline' } }],
  ['shared', { real: true, set: { threadingMode: 'shared' } }],
  ['dedicated', { real: true, set: { threadingMode: 'dedicated', lanesMax: '2' } }],
];

for (const [name, options] of modes) {
  node(`a clean stop leaves a clean store, and a start serves everything again (${name})`, () =>
    withNode(options, async world => {
      assert.ok(world.exists('abort'), 'while it runs');
      const client = await world.connect();
      await createTopic(client, 'T', 2);
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          client.send({ topic: 'T', queueId: index % 2, body: Buffer.from(`m${index}`) }),
        ),
      );
      assert.ok(
        answers.every(answer => answer.code === 0),
        JSON.stringify(answers.find(answer => answer.code !== 0)),
      );
      await client.request(15, { consumerGroup: 'G', topic: 'T', queueId: '0', commitOffset: '42' });
      const before = [await awaitMessages(world, 'T', 0, 100), await awaitMessages(world, 'T', 1, 100)];
      assert.equal([before[0]!.length, before[1]!.length], [100, 100]);
      await world.stop();
      assert.equal(
        ['abort', 'lock.pid'].filter(file => world.exists(file)),
        [],
      );
      assert.ok(
        world.exists('checkpoint') && world.exists('config/topics.json') && world.exists('config/consumerOffset.json'),
      );
      await world.start();
      assert.equal([await bodies(world, 'T', 0), await bodies(world, 'T', 1)], before, 'at once');
      const again = await world.connect();
      assert.is((await again.request(14, { consumerGroup: 'G', topic: 'T', queueId: '0' })).ext.offset, '42');
      assert.is((await again.send({ topic: 'T', queueId: 0, body })).queueOffset, 100);
      assert.equal([world.errors, world.failures], [[], []]);
    }),
  );
}

node('stopping answers what was accepted', () =>
  withNode({}, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    world.disk.faults.holdSyncs = true;
    const codes: number[] = [];
    for (let index = 0; index < 20; index++) {
      client.sendPipelined({ topic: 'T', queueId: 0, body }, answer => codes.push(answer?.code ?? -1));
    }
    await client.request(30, { topic: 'T', queueId: '0' });
    const stopping = world.stop();
    world.repair();
    await stopping;
    // The answers left before the connection was closed; this end may not have read them yet.
    await new Promise<void>(resolve => client.onEnd(resolve));
    assert.equal(codes, new Array(20).fill(0));
    assert.not.ok(world.exists('abort'));
  }),
);

node('stopping twice is stopping once', () =>
  withNode({}, async world => {
    const { node: running } = world;
    await Promise.all([running.stop(), running.stop()]);
    await running.stop();
    await world.start();
  }),
);

node('one node owns a store: a second one is refused, and the first goes on', () =>
  withNode({}, async world => {
    const { RingNode } = await import('../../../../actors/node/index.js');
    try {
      const second = await RingNode.start(world.nodeOptions());
      await second.stop();
      assert.unreachable('a second node started');
    } catch (error) {
      assert.is((error as { code?: string }).code, 'STORE_LOCKED', String(error));
    }
    const client = await world.connect();
    assert.is((await client.send({ topic: 'T', queueId: 0, body })).code, 0);
  }),
);

node('a port that is taken stops the start, and nothing is left behind', () =>
  withNode({}, async world => {
    const port = world.node.ports.broker!;
    if (port <= 4) return skip('the first port is too small');
    await withNode({}, async other => {
      await other.stop();
      try {
        await other.start({ listenPort: String(port) });
        assert.unreachable('it listens on a port that is taken');
      } catch (error) {
        assert.is((error as { code?: string }).code, 'LISTEN_FAILED', String(error));
      }
      assert.ok(other.lines.some(({ message }) => message === 'broker role: recovering -> failed'));
      assert.equal(
        ['abort', 'lock.pid'].filter(file => other.exists(file)),
        [],
      );
      await other.start();
      const client = await other.connect();
      assert.is((await client.send({ topic: 'T', queueId: 0, body })).code, 0);
    });
  }),
);

node.run();
