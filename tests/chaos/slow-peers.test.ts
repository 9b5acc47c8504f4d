/** Peers that are slow, silent, greedy or mad: their connection pays, the process lives, memory stays bounded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { heldBytes } from '../../actors/remoting/connection.js';
import { createTopic } from '../support/raw-requests.js';
import { frameOf, sendFrame } from '../support/rooms.js';
import { skip } from '../support/skip.js';
import { type TestWorld, type Wire, withNode } from '../support/test-node.js';
import { until } from '../support/until.js';
import { pullFrame } from '../unit/actors/pull-lane/support.js';

const peers = suite('slow peers');

const ping = (opaque = 1): Uint8Array => frameOf(4711, {}, null, { opaque });

/** Whoever behaves is served. */
async function assertServed(world: TestWorld): Promise<void> {
  const wire = await world.dial();
  assert.is((await wire.ask(ping())).code, 3);
  wire.close();
  assert.equal(world.failures, []);
}

const closedCount = (world: TestWorld): number => world.node.shop.counters('remoting').read('connectionsClosed');

peers('frames that come byte by byte are frames', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    const frame = sendFrame({ topic: 'T', opaque: 42 });
    for (const byte of frame) {
      wire.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    const [answer] = await wire.received(1);
    assert.equal([answer!.code, answer!.opaque], [0, 42]);
    // Two frames cut in the middle of the second, then the rest with a third.
    const all = Buffer.concat([ping(1), ping(2), ping(3)]);
    const cut = ping(1).length + 11;
    wire.write(all.subarray(0, cut));
    await wire.received(2);
    wire.write(all.subarray(cut));
    const answers = await wire.received(4);
    assert.equal(
      answers.slice(1).map(one => one.opaque),
      [1, 2, 3],
    );
    assert.is(heldBytes.incomplete, 0, 'nothing is kept of what was read');
  }),
);

peers('a frame as large as allowed, in pieces', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    const frame = sendFrame({ topic: 'T', body: new Uint8Array(65_536).fill(5) });
    for (let at = 0; at < frame.length; at += 3000) {
      wire.write(frame.subarray(at, at + 3000));
      await new Promise(setImmediate);
    }
    assert.is((await wire.received(1))[0]!.code, 0);
    assert.is(heldBytes.incomplete, 0);
  }),
);

peers('lengths that cannot be end their connection, and no other', () =>
  withNode({}, async world => {
    const good = await world.dial();
    const word = (value: number): Uint8Array => {
      const bytes = new Uint8Array(12);
      new DataView(bytes.buffer).setInt32(0, value);
      return bytes;
    };
    const headerBeyondFrame = ping();
    headerBeyondFrame[5] = 0x7f;
    const garbage: [name: string, bytes: Uint8Array][] = [
      ['negative', word(-1)],
      ['smallest', word(-(2 ** 31))],
      ['zero', word(0)],
      ['too short', word(3)],
      ['too large', word(16_777_216)],
      ['largest', word(2 ** 31 - 1)],
      ['a header longer than its frame', headerBeyondFrame],
      ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
      ['TLS', Buffer.from('160301020001000000000000', 'hex')],
      [
        'a header that is no header',
        Buffer.concat([word(4 + 8).subarray(0, 4), Buffer.from([0, 0, 0, 8]), Buffer.from('{"code":')]),
      ],
      [
        'an unknown serialize type',
        Buffer.concat([word(4 + 2).subarray(0, 4), Buffer.from([9, 0, 0, 2]), Buffer.from('{}')]),
      ],
    ];
    for (const [name, bytes] of garbage) {
      const bad = await world.dial();
      bad.write(bytes);
      await bad.closed();
      assert.is(bad.frames.length, 0, name);
      assert.is((await good.ask(ping())).code, 3, name);
    }
    assert.is(closedCount(world), garbage.length);
    assert.is(heldBytes.incomplete, 0);
  }),
);

peers('good frames before a bad one are answered', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    wire.write(Buffer.concat([ping(1), ping(2)]));
    await wire.received(2);
    wire.write(Buffer.concat([ping(3), Uint8Array.from([0xff, 0xff, 0xff, 0xff])]));
    await wire.closed();
    await assertServed(world);
  }),
);

peers('connections that end in the middle of a frame leave nothing', () =>
  withNode({}, async world => {
    const frame = sendFrame({ topic: 'T', body: new Uint8Array(30_000) });
    const wires = await Promise.all(Array.from({ length: 50 }, () => world.dial()));
    for (const wire of wires) wire.write(frame.subarray(0, 20_000));
    await until(() => heldBytes.incomplete >= 50 * 20_000, 'all of it has come');
    assert.ok(heldBytes.incomplete <= 50 * 65_536, 'about what came');
    for (const [index, wire] of wires.entries()) {
      if (index % 2 === 0) wire.socket.end();
      else wire.socket.resetAndDestroy();
    }
    await until(() => closedCount(world) === 50, 'closed');
    assert.is(heldBytes.incomplete, 0);
    await assertServed(world);
  }),
);

peers('a peer that says it has finished is answered no more and let go', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    wire.write(ping());
    await wire.received(1);
    wire.socket.end();
    await wire.closed();
    await until(() => closedCount(world) === 1, 'closed here too');
  }),
);

peers('a reader that never reads is disconnected at connectionOutboundBytesMax', () =>
  withNode({ set: { flushDiskType: 'ASYNC_FLUSH', connectionOutboundBytesMax: '262144' } }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    for (let index = 0; index < 4; index++) await client.send({ topic: 'T', queueId: 0, body: Buffer.alloc(60_000) });
    const good = await world.dial();
    await until(
      () => world.node.shop.positions.read('dispatched') === world.node.shop.positions.read('appended'),
      'dispatched',
    );
    assert.is((await good.ask(pullFrame({ topic: 'T' }))).body!.length > 240_000, true);

    const greedy = await world.dial();
    greedy.socket.pause();
    let heldMax = 0;
    for (let asked = 0; closedCount(world) === 0; asked++) {
      assert.ok(asked < 2000, 'half a gigabyte that nobody reads');
      greedy.write(pullFrame({ topic: 'T' }, { opaque: asked }));
      await new Promise(setImmediate);
      heldMax = Math.max(heldMax, heldBytes.unread);
      if (asked % 20 === 0) assert.is((await good.ask(ping())).code, 3, 'the others are served');
    }
    assert.ok(heldMax > 0, 'something was held');
    assert.ok(heldMax < 2_000_000, `${heldMax} bytes held, although connectionOutboundBytesMax is 262144`);
    await until(() => heldBytes.unread === 0, 'nothing is held for who is gone');
    greedy.close();
    await assertServed(world);
  }),
);

peers('beyond connectionsMax a connection is closed, and one that goes makes room', () =>
  withNode({ set: { connectionsMax: '3' } }, async world => {
    const wires = [await world.dial(), await world.dial(), await world.dial()];
    for (const wire of wires) assert.is((await wire.ask(ping())).code, 3);
    const fourth = await world.dial();
    await fourth.closed();
    wires[0]!.close();
    await until(() => closedCount(world) === 1, 'closed');
    await assertServed(world);
    for (const wire of wires.slice(1)) assert.is((await wire.ask(ping())).code, 3);
  }),
);

peers('5,000 idle connections cost little, and one more is served', () =>
  withNode({}, async world => {
    const wanted = 5000;
    const wires: Wire[] = [];
    const before = process.memoryUsage().rss;
    try {
      while (wires.length < wanted) wires.push(...(await Promise.all(Array.from({ length: 250 }, () => world.dial()))));
    } catch (error) {
      if ((error as { code?: string }).code !== 'EMFILE') throw error;
      return skip(`${wires.length * 2} open files are all this process may have (ulimit -n)`);
    }
    const opened = (): number => world.node.shop.counters('remoting').read('connectionsOpened');
    await until(() => opened() >= wanted, 'all are accepted');
    await assertServed(world);
    assert.equal([heldBytes.incomplete, heldBytes.unread], [0, 0], 'an idle connection holds nothing');
    // Half a frame from each of them.
    for (const wire of wires) wire.write(ping().subarray(0, 40));
    await until(() => heldBytes.incomplete > 0, 'some of it has come');
    await assertServed(world);
    assert.ok(heldBytes.incomplete <= wanted * 4096);
    for (const wire of wires) wire.write(ping().subarray(40));
    for (const wire of wires) await wire.received(1);
    assert.is(heldBytes.incomplete, 0);
    // Both ends of 5,000 sockets, and what the test remembers of them.
    const grownBytes = process.memoryUsage().rss - before;
    assert.ok(grownBytes < 400 * 1024 * 1024, `${grownBytes} bytes for both ends`);
    assert.ok(wires.every(wire => !wire.isClosed));
    for (const wire of wires) wire.close();
    await until(() => closedCount(world) >= wanted, 'all are gone');
    await assertServed(world);
  }),
);

peers('connections that come and go by the thousand leave nothing', () =>
  withNode({}, async world => {
    for (let round = 0; round < 20; round++) {
      const wires = await Promise.all(Array.from({ length: 100 }, () => world.dial()));
      for (const [index, wire] of wires.entries()) {
        if (index % 3 === 0) wire.write(ping());
        if (index % 3 === 1) wire.write(sendFrame({ topic: 'T' }));
        wire.close();
      }
    }
    await until(() => closedCount(world) === 2000, 'all are gone');
    assert.equal([heldBytes.incomplete, heldBytes.unread], [0, 0]);
    await assertServed(world);
    const client = await world.connect();
    assert.is((await client.send({ topic: 'T', queueId: 0, body: Buffer.from('x') })).code, 0, 'no permit is lost');
  }),
);

peers.run();
