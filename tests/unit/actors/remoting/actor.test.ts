/** Remoting between rings and connections that only remember what they were told. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InboundFrame, InboundType } from '../../../../actors/inbound.js';
import { LaneCounts } from '../../../../actors/lane-counts.js';
import { Remoting, type RemotingOptions } from '../../../../actors/remoting/actor.js';
import { ConnectionTable } from '../../../../actors/remoting/connection-table.js';
import {
  AppendFlag,
  AppendResult,
  high32,
  low32,
  OutboundFrame,
  OutboundType,
} from '../../../../actors/remoting/mailbox.js';
import { RequestCode } from '../../../../protocol/codes.js';
import { SendResponseEncoder } from '../../../../protocol/send-response.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Latencies } from '../../../../runtime/memory/latencies.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import type { Ring } from '../../../../runtime/memory/ring.js';
import { TraceSwitch } from '../../../../runtime/trace/recorder.js';
import {
  asAnswer,
  CountingBell,
  fillRing,
  frameOf,
  makeRecorder,
  makeRing,
  sendFrame,
  takeAll,
} from '../../../support/rooms.js';
import { pullFrame } from '../pull-lane/support.js';
import { FakeConnection } from './support.js';

const remoting = suite('actors/remoting');

class RemotingRoom {
  readonly sendRings = [makeRing(64 * 1024), makeRing(64 * 1024)];
  readonly pullRing = makeRing(64 * 1024);
  readonly coordinatorRing = makeRing(64 * 1024);
  readonly results = makeRing();
  readonly sendBell = new CountingBell();
  readonly positions = new Positions();
  readonly counters = new Counters();
  readonly putLatencies = new Latencies();
  readonly traceSwitch = new TraceSwitch();
  readonly remoting: Remoting;
  scheduled = 0;
  nowMs = 1_700_000_000_000;

  constructor(options: Partial<RemotingOptions> = {}, forwarder?: Ring) {
    const bell = new CountingBell();
    this.remoting = new Remoting({
      storeState: new SharedFlags(),
      kinds: ['broker', 'vip', 'namesrv'],
      outlets: {
        sendLane: this.sendRings.map(ring => ({ ring, bell: this.sendBell })),
        pullLane: [{ ring: this.pullRing, bell }],
        coordinator: [{ ring: this.coordinatorRing, bell }],
        ...(forwarder === undefined ? {} : { forwarder: [{ ring: forwarder, bell }] }),
      },
      inlets: [this.results],
      positions: this.positions,
      counters: this.counters,
      recorder: makeRecorder(this.traceSwitch),
      traceSwitch: this.traceSwitch,
      encoder: new SendResponseEncoder({ storeAddress: 0x7f000001, storePort: 10_911 }, 'DefaultRegion', true),
      log: silentLogger,
      connections: new ConnectionTable(100),
      passesOnUntilMs: 0,
      maxInflight: 16,
      syncFlushTimeoutMs: 5000,
      slaveTimeoutMs: 3000,
      haSlaveFallbehindMax: 1000,
      putLatencies: this.putLatencies,
      idleMaxMs: 120_000,
      closingRooms: ['coordinator'],
      nowMs: () => this.nowMs,
      ...options,
    });
    this.remoting.onWork = () => this.scheduled++;
  }

  connect(listener = 0): FakeConnection {
    return FakeConnection.connect(this.remoting, listener, this.nowMs);
  }

  /** A frame comes in on a connection. */
  receive(connection: FakeConnection, frame: Uint8Array): void {
    connection.receive(frame);
  }

  work(): number {
    return this.remoting.doWork(this.nowMs);
  }

  /** The writer appended what a connection had sent. */
  result(
    connection: { id: number },
    opaque: number,
    flags: number,
    end: number,
    more: { sizes?: number[]; arrivedMs?: number } = {},
  ): void {
    const sizes = more.sizes ?? [];
    const length = (AppendResult.sizes + sizes.length) * 4;
    const at = this.results.claim(length);
    const { words } = this.results;
    const word = at >> 2;
    const size = sizes.length > 0 ? sizes.reduce((sum, one) => sum + one, 0) : 100;
    words[word + AppendResult.connectionId] = connection.id;
    words[word + AppendResult.opaque] = opaque;
    words[word + AppendResult.flags] = flags;
    words[word + AppendResult.code] = 0;
    words[word + AppendResult.queueId] = 3;
    words[word + AppendResult.count] = Math.max(1, sizes.length);
    words[word + AppendResult.queueOffsetLow] = low32(opaque + 2 ** 33);
    words[word + AppendResult.queueOffsetHigh] = high32(opaque + 2 ** 33);
    words[word + AppendResult.physicalOffsetLow] = low32(end - size);
    words[word + AppendResult.physicalOffsetHigh] = high32(end - size);
    words[word + AppendResult.size] = size;
    words[word + AppendResult.arrivedMs] = (more.arrivedMs ?? this.nowMs) | 0;
    words.set(sizes, word + AppendResult.sizes);
    this.results.commit(OutboundType.APPEND_RESULT, length);
  }

  /** A room answers, or only gives a permit back. */
  answer(connection: { id: number }, type: number, frame?: Uint8Array): void {
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const at = this.results.claim(length);
    this.results.words[at >> 2] = connection.id;
    if (frame !== undefined) this.results.bytes.set(frame, at + OutboundFrame.frameBytes);
    this.results.commit(type, length);
  }
}

const send = (opaque: number, more: Parameters<typeof sendFrame>[0] = {}): Uint8Array => sendFrame({ opaque, ...more });

remoting('hands a frame to the room of its code, with what the room must know', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  const frame = send(1);
  room.receive(connection, frame);
  const lane = room.sendRings[connection.id % 2]!;
  const [record] = takeAll(lane);
  const words = new Int32Array(record!.bytes.buffer, 0, 6);
  assert.is(record!.type, InboundType.FRAME);
  assert.is(words[InboundFrame.connectionId], connection.id);
  assert.is(words[InboundFrame.code], 310);
  assert.is(words[InboundFrame.arrivedMs], room.nowMs | 0);
  assert.equal([words[InboundFrame.peerAddress], words[InboundFrame.peerPort]], [0x0a000001, 555]);
  assert.is(words[InboundFrame.frameSize], frame.length);
  assert.equal(record!.bytes.subarray(InboundFrame.frameBytes), frame);
  room.receive(connection, pullFrame());
  room.receive(connection, frameOf(38, {}));
  assert.equal([takeAll(room.pullRing).length, takeAll(room.coordinatorRing).length], [1, 1]);
  assert.is(room.counters.read('requestsIn'), 3);
});

remoting('a connection keeps its lane, and lanes are shared out', () => {
  const room = new RemotingRoom();
  for (let index = 0; index < 6; index++) {
    const connection = room.connect();
    for (let round = 0; round < 2; round++) room.receive(connection, send(index));
  }
  for (const ring of room.sendRings) {
    const ids = takeAll(ring).map(({ bytes }) => new DataView(bytes.buffer).getInt32(0, true));
    assert.is(ids.length, 6);
    for (let index = 0; index < 6; index += 2) assert.is(ids[index], ids[index + 1]);
  }
});

remoting('rings a room once a turn, not once a frame', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (let opaque = 0; opaque < 10; opaque++) room.receive(connection, send(opaque));
  assert.ok(room.scheduled >= 1);
  room.work();
  assert.is(room.sendBell.rings, 1);
  room.work();
  assert.is(room.sendBell.rings, 1);
});

remoting('answers an append at once when nobody waits for the flush', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.receive(connection, send(5));
  assert.is(room.remoting.inflight, 1);
  room.result(connection, 5, 0, 2 ** 40 + 100);
  room.work();
  const [answer] = connection.answers;
  assert.equal([answer!.code, answer!.opaque, answer!.flag], [0, 5, 1]);
  assert.equal(answer!.extFields, {
    queueId: '3',
    TRACE_ON: 'true',
    MSG_REGION: 'DefaultRegion',
    msgId: '7F00000100002A9F0000010000000000',
    queueOffset: String(5 + 2 ** 33),
  });
  assert.is(room.remoting.inflight, 0);
});

remoting('counts how long a send took, from its arrival to its answer', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (const [opaque, flags] of [
    [1, 0],
    [2, AppendFlag.WAIT_FLUSH],
  ] as const) {
    room.receive(connection, send(opaque));
    room.result(connection, opaque, flags, opaque * 100);
  }
  room.nowMs += 7;
  room.work();
  room.positions.publish('flushed', 1000);
  room.nowMs += 3;
  room.work();
  const counts = room.putLatencies.counts();
  assert.equal([counts[7], counts[10], room.putLatencies.longestMs], [1, 1, 10]);
});

remoting('holds an answer back until the flushed position has passed it', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (let opaque = 1; opaque <= 3; opaque++) {
    room.receive(connection, send(opaque));
    room.result(connection, opaque, AppendFlag.WAIT_FLUSH, opaque * 100);
  }
  room.receive(connection, send(4));
  room.result(connection, 4, 0, 400);
  room.work();
  assert.equal(
    connection.answers.map(answer => answer.opaque),
    [4],
    'who does not wait is not held up',
  );
  room.positions.publish('flushed', 299);
  room.work();
  assert.equal(
    connection.answers.map(answer => answer.opaque),
    [4, 1, 2],
  );
  room.positions.publish('flushed', 300);
  room.work();
  assert.equal([connection.answers.at(-1)!.opaque, room.remoting.inflight], [3, 0]);
});

remoting('answers FLUSH_DISK_TIMEOUT when the flush does not come: stored, maybe not safe', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.receive(connection, send(1));
  room.result(connection, 1, AppendFlag.WAIT_FLUSH, 100);
  room.work();
  assert.is(room.remoting.deadlineMs(), room.nowMs + 5000);
  room.nowMs += 4999;
  room.work();
  assert.is(connection.answers.length, 0);
  room.nowMs += 1;
  room.work();
  const [answer] = connection.answers;
  assert.is(answer!.code, 10);
  assert.ok(answer!.extFields.msgId !== undefined && answer!.extFields.queueOffset !== undefined);
  assert.is(room.remoting.inflight, 0);
  room.positions.publish('flushed', 100);
  room.work();
  assert.is(connection.answers.length, 1, 'answered once');
});

remoting('a plain answer tells only whether it worked', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (const [opaque, flags] of [
    [1, AppendFlag.PLAIN],
    [2, AppendFlag.PLAIN | AppendFlag.BINARY],
    [3, AppendFlag.PLAIN | AppendFlag.WAIT_FLUSH],
    [4, AppendFlag.PLAIN | AppendFlag.ONEWAY],
    [5, AppendFlag.PLAIN | AppendFlag.WAIT_REPLICA],
  ] as const) {
    room.receive(connection, frameOf(36, { offset: 0, group: 'G' }, null, { opaque }));
    room.result(connection, opaque, flags, 100);
  }
  room.work();
  assert.equal(
    connection.answers.map(({ opaque, code, extFields, serializeType }) => ({
      opaque,
      code,
      extFields,
      serializeType,
    })),
    [
      { opaque: 1, code: 0, extFields: {}, serializeType: 0 },
      { opaque: 2, code: 0, extFields: {}, serializeType: 1 },
      // There is no slave: an error would only make the client send the message again.
      { opaque: 5, code: 0, extFields: {}, serializeType: 0 },
    ],
  );
  room.nowMs += 5000;
  room.work();
  const late = connection.answers.at(-1)!;
  assert.equal([late.opaque, late.code, late.remark], [3, 1, 'FLUSH_DISK_TIMEOUT'], 'stored, maybe not safe');
  assert.is(room.remoting.inflight, 0);
});

remoting('a batch has an id for each message', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (const flags of [0, AppendFlag.WAIT_FLUSH, AppendFlag.BINARY]) {
    room.receive(connection, send(1));
    room.result(connection, 1, flags, 1000, { sizes: [100, 200, 300] });
  }
  room.positions.publish('flushed', 1000);
  room.work();
  const wanted = [400, 500, 700]
    .map(position => `7F00000100002A9F${position.toString(16).toUpperCase().padStart(16, '0')}`)
    .join(',');
  assert.equal(
    connection.answers.map(answer => answer.extFields.msgId),
    [wanted, wanted, wanted],
  );
  assert.equal(connection.answers.map(answer => answer.serializeType).sort(), [0, 0, 1]);
});

remoting('oneway sends are never answered, and give their permit back', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.receive(connection, send(1, { oneway: true }));
  room.receive(connection, send(2, { oneway: true }));
  room.result(connection, 1, AppendFlag.ONEWAY | AppendFlag.WAIT_FLUSH, 100);
  room.answer(connection, OutboundType.SEND_REFUSED);
  room.positions.publish('flushed', 100);
  room.work();
  assert.equal([connection.answers.length, room.remoting.inflight], [0, 0]);
});

remoting('a refused send gives its permit back, other answers do not', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.receive(connection, send(1));
  room.receive(connection, pullFrame({}, { opaque: 2 }));
  room.answer(connection, OutboundType.FRAME, frameOf(19, {}, null, { opaque: 2 }));
  room.work();
  assert.is(room.remoting.inflight, 1);
  room.answer(connection, OutboundType.SEND_REFUSED, frameOf(13, {}, null, { opaque: 1 }));
  room.work();
  assert.equal([room.remoting.inflight, connection.answers.map(answer => answer.code)], [0, [19, 13]]);
});

remoting('beyond maxInflight a send is refused at once, with its cause; others still work', () => {
  const room = new RemotingRoom({ maxInflight: 4 });
  const connection = room.connect();
  for (let opaque = 1; opaque <= 5; opaque++)
    room.receive(connection, send(opaque, { serializeType: opaque === 5 ? 1 : 0 }));
  room.receive(connection, pullFrame({}, { opaque: 9 }));
  room.work();
  const [refused] = connection.answers;
  assert.equal([connection.answers.length, refused!.opaque, refused!.code, refused!.serializeType], [1, 5, 2, 1]);
  assert.match(refused!.remark!, /^\[REJECTREQUEST\].*maxInflight/);
  assert.is(takeAll(room.pullRing).length, 1);
  for (let opaque = 1; opaque <= 4; opaque++) room.result(connection, opaque, 0, opaque * 100);
  room.work();
  room.receive(connection, send(6));
  room.result(connection, 6, 0, 600);
  room.work();
  assert.equal(connection.answers.at(-1)!.code, 0, 'it recovers by itself');
  assert.is(room.counters.read('requestsRefused'), 1);
});

remoting('a full ring refuses at once, with its cause, each kind of request', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  for (const ring of [...room.sendRings, room.pullRing, room.coordinatorRing]) fillRing(ring, InboundType.FRAME, 8);
  const frames = [send(1), pullFrame({}, { opaque: 2 }), frameOf(38, {}, null, { opaque: 3 })];
  for (const frame of frames) room.receive(connection, frame);
  room.work();
  assert.equal(
    connection.answers.map(answer => [answer.opaque, answer.code]),
    [
      [1, 2],
      [2, 2],
      [3, 2],
    ],
  );
  for (const [index, cause] of ['sendLane', 'pullLane', 'coordinator'].entries()) {
    assert.match(
      connection.answers[index]!.remark!,
      new RegExp(`the queue of ${cause} is full \\(key ringCapacityBytes\\)`),
    );
  }
  assert.is(room.remoting.inflight, 0);
  for (const ring of [...room.sendRings, room.pullRing, room.coordinatorRing]) takeAll(ring);
  for (const frame of frames) room.receive(connection, frame);
  room.work();
  assert.is(connection.answers.length, 3, 'nothing more is refused');
});

remoting('oneway requests hear nothing of it', () => {
  const room = new RemotingRoom({ maxInflight: 1 });
  const connection = room.connect();
  for (let opaque = 0; opaque < 3; opaque++) room.receive(connection, send(opaque, { oneway: true }));
  room.work();
  assert.equal([connection.answers.length, connection.closed], [0, false]);
});

remoting('what is an answer itself hears nothing of it', () => {
  const room = new RemotingRoom({ maxInflight: 1 });
  const connection = room.connect();
  room.receive(connection, send(0));
  room.receive(connection, asAnswer(send(1)));
  room.work();
  assert.equal([connection.answers.length, connection.closed], [0, false]);
});

remoting('answers for a connection that is gone reach nobody, and permits come back', () => {
  const room = new RemotingRoom();
  const gone = room.connect();
  room.receive(gone, send(1));
  room.receive(gone, send(2));
  gone.close('test');
  const young = room.connect();
  room.result(gone, 1, AppendFlag.WAIT_FLUSH, 100);
  room.answer(gone, OutboundType.SEND_REFUSED, frameOf(13, {}, null, { opaque: 2 }));
  room.positions.publish('flushed', 100);
  room.work();
  assert.equal([gone.answers.length, young.answers.length, room.remoting.inflight], [0, 0, 0]);
});

remoting('rooms that want to know hear of every closed connection, also when their ring is full', () => {
  const room = new RemotingRoom();
  const connections = Array.from({ length: 5 }, () => room.connect());
  fillRing(room.coordinatorRing, InboundType.FRAME, 8);
  for (const connection of connections) connection.close('test');
  room.work();
  takeAll(room.coordinatorRing);
  room.work();
  const told = takeAll(room.coordinatorRing).filter(({ type }) => type === InboundType.CLOSED);
  assert.equal(
    told.map(({ bytes }) => new DataView(bytes.buffer).getInt32(0, true)),
    connections.map(({ id }) => id),
  );
  assert.equal([room.counters.read('connectionsOpened'), room.counters.read('connectionsClosed')], [5, 5]);
});

remoting('looks again by itself while a room has not heard of a closed connection', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  fillRing(room.coordinatorRing, InboundType.FRAME, 8);
  connection.close('test');
  room.work();
  assert.ok(room.remoting.deadlineMs() <= room.nowMs + 1000, 'nobody rings when a ring gets empty');
});

remoting('closes a connection when a room asks for it', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.answer(connection, OutboundType.CLOSE);
  room.answer({ id: 12_345 }, OutboundType.CLOSE);
  room.work();
  assert.equal([connection.closed, room.remoting.connections.size], [true, 0]);
});

remoting('closes who is idle for too long, and nobody else', () => {
  const room = new RemotingRoom({ idleMaxMs: 60_000 });
  const [idle, active] = [room.connect(), room.connect()];
  const endMs = room.nowMs + 61_000;
  while (room.nowMs < endMs) {
    room.nowMs = Math.min(endMs, room.remoting.deadlineMs());
    room.receive(active, pullFrame());
    takeAll(room.pullRing);
    room.work();
  }
  room.nowMs += 10_000;
  room.receive(active, pullFrame());
  room.work();
  assert.equal([idle.closed, active.closed], [true, false]);
  assert.match(idle.reason, /idle/);
});

remoting('sends, and what else only a master does, wait while it is not known what the broker will be', () => {
  const room = new RemotingRoom();
  const [sending, committing, pulling] = [room.connect(), room.connect(), room.connect()];
  room.remoting.holdSends(true);
  room.receive(sending, send(1));
  room.receive(committing, frameOf(15, {}));
  room.receive(pulling, pullFrame());
  assert.equal([sending.paused, committing.paused, pulling.paused], [true, true, false]);
  assert.equal([takeAll(room.pullRing).length, takeAll(room.coordinatorRing).length], [1, 0]);
  assert.is(room.remoting.inflight, 0);
  room.remoting.holdSends(false);
  assert.equal([sending.paused, committing.paused, room.remoting.inflight], [false, false, 1]);
  assert.is(takeAll(room.coordinatorRing).length, 1);
});

remoting("on a broker that was the master a moment ago, what is the new one's goes to the forwarder", () => {
  const forwarder = makeRing(64 * 1024);
  const room = new RemotingRoom({ passesOnUntilMs: 1_700_000_000_100 }, forwarder);
  const connection = room.connect();
  for (const frame of [send(1), frameOf(37, {}), frameOf(14, {}), pullFrame(), frameOf(34, {})]) {
    room.receive(connection, frame);
  }
  assert.equal(
    [takeAll(forwarder).length, takeAll(room.pullRing).length, takeAll(room.coordinatorRing).length],
    [3, 1, 1],
  );
  assert.is(room.remoting.inflight, 0, 'they take no permit');
  room.nowMs += 100;
  room.work();
  room.receive(connection, send(2));
  assert.equal([takeAll(forwarder).length, room.remoting.inflight], [0, 1]);
});

remoting('what is given back goes to its connection', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.answer(connection, OutboundType.GIVEN_BACK, send(3));
  room.work();
  assert.equal(connection.givenBack, [send(3)]);
});

remoting('no more connections than allowed', () => {
  const room = new RemotingRoom({ connections: new ConnectionTable(2) });
  const first = room.connect();
  room.connect();
  assert.throws(() => room.connect(), /refused/);
  first.close('test');
  room.connect();
});

remoting('a header that cannot be read costs the connection alone', () => {
  const room = new RemotingRoom();
  const [bad, good] = [room.connect(), room.connect()];
  const tooLong = send(1);
  tooLong[5] = 0xff;
  room.receive(bad, tooLong);
  assert.ok(bad.closed);
  const garbage = room.connect();
  const text = new TextEncoder().encode('{"nothing":1');
  const frame = new Uint8Array(8 + text.length);
  new DataView(frame.buffer).setInt32(0, 4 + text.length);
  frame[7] = text.length;
  frame.set(text, 8);
  room.receive(garbage, frame);
  assert.ok(garbage.closed);
  room.receive(good, send(2));
  assert.not.ok(good.closed);
  assert.is(room.counters.read('connectionsFaulty'), 2);
});

remoting('the second port takes no pulls, an unknown code goes to who answers 3', () => {
  const room = new RemotingRoom();
  const vip = room.connect(1);
  room.receive(vip, pullFrame());
  room.receive(vip, frameOf(4711, {}));
  assert.equal([takeAll(room.pullRing).length, takeAll(room.coordinatorRing).length], [0, 2]);
  room.receive(vip, send(1));
  assert.is(takeAll(room.sendRings[vip.id % 2]!).length, 1);
});

remoting('a request larger than its ring is refused for good, not for now', () => {
  const room = new RemotingRoom();
  const connection = room.connect();
  room.receive(connection, send(1, { body: new Uint8Array(40_000) }));
  room.work();
  const [answer] = connection.answers;
  assert.is(connection.answers.length, 1);
  assert.is.not(answer!.code, 2, `a client tries SYSTEM_BUSY again and again: ${answer!.remark}`);
});

remoting('closing ends every connection', () => {
  const room = new RemotingRoom();
  const connections = [room.connect(), room.connect()];
  room.remoting.close();
  assert.ok(connections.every(({ closed }) => closed));
  assert.is(room.remoting.connections.size, 0);
});

remoting('with more lanes a connection changes over when what it sent before is settled, and not before', () => {
  const laneCounts = new LaneCounts();
  laneCounts.set('send-lane', 1);
  const room = new RemotingRoom({ laneCounts });
  room.connect();
  const second = room.connect();
  const [first, other] = room.sendRings as [Ring, Ring];
  room.receive(second, sendFrame({ topic: 'T', opaque: 1 }));
  room.receive(second, sendFrame({ topic: 'T', opaque: 2 }));
  assert.equal([takeAll(first).length, takeAll(other).length], [2, 0]);
  laneCounts.setActive('send-lane', 2);
  room.receive(second, sendFrame({ topic: 'T', opaque: 3 }));
  assert.ok(second.paused, 'the third waits');
  room.result(second, 1, 0, 100);
  room.work();
  assert.equal([second.paused, takeAll(other).length], [true, 0], 'the second is still on the way');
  room.answer(second, OutboundType.SEND_REFUSED);
  room.work();
  assert.equal([second.paused, takeAll(first).length, takeAll(other).length], [false, 0, 1]);
  laneCounts.setActive('send-lane', 1);
  room.receive(second, sendFrame({ topic: 'T', opaque: 4 }));
  assert.ok(second.paused);
  room.result(second, 3, 0, 200);
  room.work();
  assert.equal([second.paused, takeAll(first).length, takeAll(other).length], [false, 1, 0], 'and back');
});

remoting('pulls go to the lanes there are at once: their order says nothing', () => {
  const laneCounts = new LaneCounts();
  laneCounts.set('pull-lane', 1);
  const rings = [makeRing(), makeRing()];
  const bell = new CountingBell();
  const room = new RemotingRoom({ laneCounts, outlets: { pullLane: rings.map(ring => ({ ring, bell })) } });
  room.connect();
  const second = room.connect();
  for (const count of [1, 2, 1]) {
    laneCounts.setActive('pull-lane', count);
    room.receive(second, frameOf(RequestCode.PULL_MESSAGE, {}));
    assert.equal(
      rings.map(ring => takeAll(ring).length),
      count === 2 ? [0, 1] : [1, 0],
    );
  }
});

remoting.run();
