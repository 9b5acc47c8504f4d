/** The forwarder between its rings and a successor at a real socket. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Forwarder } from '../../../../actors/forwarder/actor.js';
import { PASSED_ON_FIELD } from '../../../../actors/forwarder/mailbox.js';
import { createResponse } from '../../../../protocol/command.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import {
  CountingBell,
  frameOf,
  makeRing,
  type Outbound,
  putInbound,
  sendFrame,
  takeAll,
  takeOutbound,
} from '../../../support/rooms.js';
import { until } from '../../../support/until.js';

const forwarder = suite('actors/forwarder');
const GET_ROLE = 12_011;
const SEND = 310;
const COMMIT = 15;

class ForwarderRoom {
  readonly inbox = makeRing();
  readonly toRemoting = makeRing();
  readonly toCoordinator = makeRing();
  readonly forwarder: Forwarder;
  readonly successor: FakeBroker;
  /** What the successor says of itself. */
  role: Record<string, string> = { brokerRole: 'SLAVE', registered: 'false', replicated: '0' };
  nowMs = 1_700_000_000_000;
  readonly #out: Outbound[] = [];

  static async open(): Promise<ForwarderRoom> {
    return new ForwarderRoom(await FakeBroker.listen());
  }

  private constructor(successor: FakeBroker) {
    this.successor = successor;
    successor.on(GET_ROLE, request => createResponse(request, 0, null, this.role));
    successor.on(SEND, request => createResponse(request, 0, null, { queueOffset: request.extFields.g! }));
    this.forwarder = new Forwarder({
      inbox: this.inbox,
      toRemoting: this.toRemoting,
      remotingBell: new CountingBell(),
      toCoordinator: this.toCoordinator,
      coordinatorBell: new CountingBell(),
      counters: new Counters(),
      log: silentLogger,
      forwarding: { successor: successor.address, untilMs: this.nowMs + 90_000 },
      nowMs: () => this.nowMs,
    });
    this.forwarder.onWork = () => void this.forwarder.doWork(this.nowMs);
  }

  lead(more: Record<string, string> = {}): void {
    this.role = { brokerRole: 'ASYNC_MASTER', registered: 'true', replicated: '0', ...more };
  }

  /** A client's request. */
  put(frame: Uint8Array, connectionId = 1): void {
    assert.ok(putInbound(this.inbox, frame, { connectionId }));
    this.forwarder.doWork(this.nowMs);
  }

  /** What went to remoting, once it is so much. */
  async out(count: number): Promise<Outbound[]> {
    await until(() => {
      this.#out.push(...takeOutbound(this.toRemoting));
      return this.#out.length >= count;
    }, `${count} records for remoting`);
    return this.#out;
  }

  async end(): Promise<void> {
    this.forwarder.close();
    await this.successor.close();
  }
}

async function withRoom(test: (room: ForwarderRoom) => Promise<void>): Promise<void> {
  const room = await ForwarderRoom.open();
  try {
    await test(room);
  } finally {
    await room.end();
  }
}

const asked = (room: ForwarderRoom): Promise<unknown> =>
  until(() => room.successor.received(GET_ROLE).length > 1, 'the successor is asked what it is');
const send = (opaque: number): Uint8Array => sendFrame({ opaque, more: { bornTimestamp: opaque } });

forwarder(
  'keeps requests until the successor is the master, then passes them on in their order, with its answers',
  () =>
    withRoom(async room => {
      for (let opaque = 1; opaque <= 50; opaque++) room.put(send(opaque), (opaque % 3) + 1);
      await asked(room);
      assert.is(room.successor.received(SEND).length, 0);
      room.lead();
      const out = await room.out(50);
      const passed = room.successor.received(SEND);
      assert.equal(
        passed.map(({ extFields }) => Number(extFields.g)),
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      assert.ok(passed.every(({ extFields }) => extFields[PASSED_ON_FIELD] !== undefined));
      for (const { connectionId, command } of out) {
        assert.equal([command!.code, command!.extFields.queueOffset], [0, String(command!.opaque)]);
        assert.is(connectionId, (command!.opaque % 3) + 1);
      }
    }),
);

forwarder('waits for the slave of a synchronous master: for itself', () =>
  withRoom(async room => {
    room.lead({ brokerRole: 'SYNC_MASTER' });
    room.put(send(1));
    await asked(room);
    assert.is(room.successor.received(SEND).length, 0);
    room.lead({ brokerRole: 'SYNC_MASTER', replicated: '1' });
    assert.is((await room.out(1))[0]!.command!.code, 0);
  }),
);

forwarder('tells the coordinator where to follow, and that the successor is registered or has had its time', () =>
  withRoom(async room => {
    const told: string[] = [];
    const hear = (): boolean => {
      told.push(...takeAll(room.toCoordinator).map(({ bytes }) => new TextDecoder().decode(bytes)));
      return told.length > 0;
    };
    room.lead({ registered: 'false', haServerAddr: '127.0.0.1:10912' });
    room.put(send(1));
    await room.out(1);
    assert.ok(hear());
    const place = { masterAddr: room.successor.address, haServerAddr: '127.0.0.1:10912' };
    assert.equal(JSON.parse(told.pop()!), { room: 'forwarder', place });
    assert.equal(told, []);
    room.nowMs += 10_001;
    await until(hear, 'the coordinator is told');
    assert.equal(
      told.map(text => JSON.parse(text)),
      [{ room: 'forwarder' }],
    );
  }),
);

forwarder('a refusal of the successor is no end: the request waits for the next master, in its place', () =>
  withRoom(async room => {
    room.lead();
    room.put(send(1));
    await room.out(1);
    room.successor.on(SEND, request => createResponse(request, 14, 'a slave'));
    room.role = { brokerRole: 'SLAVE' };
    for (const opaque of [2, 3]) room.put(send(opaque));
    await until(() => room.successor.received(SEND).length === 3, 'both were refused');
    room.put(send(4));
    await asked(room);
    assert.is(room.forwarder.unsettled, 3);
    room.successor.on(SEND, request => createResponse(request, 0));
    room.lead();
    const answers = (await room.out(4)).slice(1).map(({ command }) => [command!.opaque, command!.code]);
    assert.equal(answers, [
      [2, 0],
      [3, 0],
      [4, 0],
    ]);
  }),
);

forwarder('what waits too long is refused while its client still listens', () =>
  withRoom(async room => {
    room.put(send(7));
    room.nowMs += 2499;
    room.forwarder.doWork(room.nowMs);
    assert.is(room.forwarder.unsettled, 1);
    assert.is(room.forwarder.deadlineMs(), room.nowMs + 1);
    room.nowMs += 1;
    room.forwarder.doWork(room.nowMs);
    const [{ command }] = (await room.out(1)) as [Outbound];
    assert.equal([command!.opaque, command!.code], [7, 14]);
    assert.match(command!.remark!, /a slave; 127\.0\.0\.1:\d+ does not take over/);
  }),
);

forwarder('an answer that is lost is an error, never a success and never tried again', () =>
  withRoom(async room => {
    room.successor.on(SEND, (_, socket) => {
      socket.destroy();
      return null;
    });
    room.lead();
    room.put(send(9));
    const [{ command }] = (await room.out(1)) as [Outbound];
    assert.equal([command!.opaque, command!.code], [9, 1]);
    assert.match(command!.remark!, /did not answer/);
    assert.is(room.successor.received(SEND).length, 1);
  }),
);

forwarder('what was passed on already is refused: two brokers would play ball with it', () =>
  withRoom(async room => {
    room.put(frameOf(SEND, { [PASSED_ON_FIELD]: true }, null, { opaque: 5 }));
    assert.is((await room.out(1))[0]!.command!.code, 14);
  }),
);

forwarder('a oneway request goes its way and nobody is answered', () =>
  withRoom(async room => {
    room.lead();
    room.put(frameOf(COMMIT, { topic: 'T' }, null, { oneway: true }));
    await until(() => room.successor.received(COMMIT).length === 1, 'the commit is there');
    assert.is(room.successor.received(COMMIT)[0]!.flag & 2, 2);
    assert.equal([room.forwarder.unsettled, takeAll(room.toRemoting).length], [0, 0]);
  }),
);

forwarder('resting it gives back what has not left, as it came, and what comes later too', () =>
  withRoom(async room => {
    const frames = [send(1), send(2), send(3)];
    room.put(frames[0]!);
    room.put(frames[1]!);
    room.forwarder.rest();
    room.put(frames[2]!);
    const given = takeAll(room.toRemoting);
    assert.equal(
      given.map(({ bytes }) => bytes.slice(8)),
      frames,
    );
    assert.ok(given.every(({ type }) => type === 5));
    assert.is(room.forwarder.unsettled, 0);
  }),
);

forwarder.run();
