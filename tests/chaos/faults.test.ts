/**
 * A disk that is full or broken: no acknowledgement, a clear word, the right code; reads go on, and service resumes.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreState } from '../../actors/store-state.js';
import type { RawClient } from '../support/raw-client.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import { type TestWorld, withNode } from '../support/test-node.js';
import { until } from '../support/until.js';
import { pullFrame } from '../unit/actors/pull-lane/support.js';

const faults = suite('disk faults');

const message = { topic: 'T', queueId: 0, body: Buffer.from('hello') };

async function prepare(world: TestWorld, messages = 3): Promise<RawClient> {
  const client = await world.connect();
  await createTopic(client, 'T', 1);
  for (let index = 0; index < messages; index++) assert.is((await client.send(message)).code, 0);
  await awaitOffsets(client, messages);
  return client;
}

/** Reads the queue until it has so many messages; their offsets go on by one. */
async function awaitOffsets(client: RawClient, count: number): Promise<void> {
  const offsets: number[] = [];
  await pullQueue(client, 'T', 0, record => offsets.push(record.queueOffset), {
    untilOffset: count,
    patienceMs: 10_000,
  });
  assert.equal(
    offsets,
    Array.from({ length: count }, (_, offset) => offset),
  );
}

faults('a full disk: sends are refused with 14 and its reason, reads go on, service resumes', () =>
  withNode({}, async world => {
    const client = await prepare(world);
    world.disk.faults.fail = (call, path) => (call === 'write' && path.includes('/commitlog/') ? 'ENOSPC' : undefined);
    for (let index = 0; index < 3; index++) {
      const refused = await client.send(message);
      assert.is(refused.code, 14);
      assert.match(refused.remark, /ENOSPC/);
    }
    assert.equal(world.errors, ['the commit log cannot be written: sends are refused'], 'said once');
    const wire = await world.dial();
    assert.is((await wire.ask(pullFrame({ topic: 'T' }))).code, 0);
    world.repair();
    assert.equal((await client.send(message)).queueOffset, 3, 'the first send finds out');
    await awaitOffsets(client, 4);
    assert.ok(world.lines.some(line => line.message === 'the commit log can be written again'));
    assert.equal([world.node.shop.storeState.read(), world.failures], [0, []]);
  }),
);

faults('a write that gets only half way', () =>
  withNode({}, async world => {
    const client = await prepare(world);
    for (let round = 0; round < 5; round++) {
      world.disk.faults.spaceBytes = 30 + round * 17;
      assert.is((await client.send(message)).code, 14);
      world.repair();
      assert.equal((await client.send(message)).queueOffset, 3 + round);
    }
    await awaitOffsets(client, 8);
    await world.restart();
    await awaitOffsets(await world.connect(), 8);
  }),
);

faults('no room for the next file of the log', () =>
  withNode({}, async world => {
    const client = await prepare(world, 1);
    const large = { ...message, body: Buffer.alloc(60_000) };
    world.disk.faults.fail = (call, path) =>
      call === 'write' && path.endsWith('00000000000001048576') ? 'ENOSPC' : undefined;
    let stored = 1;
    for (; stored < 40; stored++) if ((await client.send(large)).code !== 0) break;
    assert.ok(stored > 10 && stored < 20, 'until the file is full');
    assert.is((await client.send(large)).code, 14);
    world.repair();
    assert.is((await client.send(large)).queueOffset, stored);
    await awaitOffsets(client, stored + 1);
  }),
);

faults(
  'a sync that fails: nothing waiting is acknowledged, sends are refused until a restart, which has what was acknowledged',
  () =>
    withNode({ set: { syncFlushTimeout: '200' } }, async world => {
      const client = await prepare(world);
      world.disk.faults.fail = (call, path) => (call === 'sync' && path.includes('/commitlog/') ? 'EIO' : undefined);
      const late = await client.send(message);
      assert.is(late.code, 10, late.remark);
      const refused = await client.send(message);
      assert.is(refused.code, 14);
      assert.match(refused.remark, /restart the broker/);
      world.repair();
      assert.is((await client.send(message)).code, 14, 'a later sync proves nothing');
      const wire = await world.dial();
      assert.is((await wire.ask(pullFrame({ topic: 'T' }))).code, 0);
      assert.equal(world.errors.length, 1);
      await world.stop();
      assert.ok(world.exists('abort'), 'the next start must read the log back');
      await world.start();
      const again = await world.connect();
      const { code, queueOffset } = await again.send(message);
      assert.equal([code, queueOffset >= 3], [0, true]);
      await awaitOffsets(again, queueOffset + 1);
    }),
);

faults('consume queues that cannot be written: refused with 14, built when it works again', () =>
  withNode({}, async world => {
    const client = await prepare(world);
    world.disk.faults.fail = (call, path) =>
      call === 'write' && path.includes('/consumequeue/') ? 'ENOSPC' : undefined;
    assert.is((await client.send(message)).code, 0, 'the log has it');
    await until(() => world.node.shop.storeState.has(StoreState.DISPATCH_FAILED), 'noticed');
    const refused = await client.send(message);
    assert.equal([refused.code, /consume queues/.test(refused.remark)], [14, true], refused.remark);
    const wire = await world.dial();
    assert.is((await wire.ask(pullFrame({ topic: 'T' }))).code, 0);
    world.repair();
    await until(() => world.node.shop.storeState.read() === 0, 'well again');
    assert.is((await client.send(message)).queueOffset, 4);
    await awaitOffsets(client, 5);
  }),
);

faults('topics and offsets that cannot be stored: answered, and the node lives', () =>
  withNode({}, async world => {
    const client = await prepare(world);
    world.disk.faults.fail = (call, path) => (call === 'write' && path.includes('/config/') ? 'ENOSPC' : undefined);
    const created = await client.request(17, { topic: 'U', readQueueNums: '1', writeQueueNums: '1', perm: '6' });
    assert.equal([created.code, /ENOSPC/.test(created.remark)], [1, true], created.remark);
    assert.is((await client.send({ ...message, topic: 'New' })).code, 17);
    assert.is((await client.send(message)).code, 0);
    assert.is((await client.request(15, { consumerGroup: 'G', topic: 'T', queueId: '0', commitOffset: '2' })).code, 0);
    world.repair();
    await createTopic(client, 'U', 1);
    assert.is((await client.send({ ...message, topic: 'New' })).code, 0);
    assert.equal(world.failures, []);
  }),
);

faults('a store that cannot be read for a moment: pulls are answered, and served later', () =>
  withNode({}, async world => {
    const client = await prepare(world);
    world.disk.faults.fail = (call, path) => (call === 'read' && path.includes('/consumequeue/') ? 'EIO' : undefined);
    const wire = await world.dial();
    const answer = await wire.ask(pullFrame({ topic: 'T' }));
    assert.equal([answer.code, /EIO/.test(answer.remark ?? '')], [1, true], answer.remark ?? '');
    world.repair();
    await awaitOffsets(client, 3);
  }),
);

faults('a disk that is full at the stop: the next start still has everything', () =>
  withNode({}, async world => {
    await prepare(world);
    world.disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
    await world.stop();
    world.repair();
    await world.start();
    await awaitOffsets(await world.connect(), 3);
  }),
);

faults('a node that is not stopped leaves its mark, and the next one reads everything back', () =>
  withNode({}, async world => {
    await prepare(world, 50);
    const { cpSync, mkdtempSync, rmSync } = await import('node:fs');
    const { join } = await import('node:path');
    const { tmpdir } = await import('node:os');
    // What a kill -9 at this moment would leave: the files as they are.
    const copy = mkdtempSync(join(tmpdir(), 'ringmq-'));
    try {
      cpSync(world.folder, copy, { recursive: true });
      rmSync(join(copy, 'lock.pid'), { force: true });
      rmSync(join(copy, 'consumequeue'), { recursive: true });
      await world.stop();
      await world.start({ storePathRootDir: copy });
      assert.ok(world.lines.some(line => /did not end well/.test(line.message)));
      await awaitOffsets(await world.connect(), 50);
      await world.stop();
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }),
);

faults.run();
