/** The master's side of replication, at a real socket. Source: spec ha 2. */
import net from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HaStatus } from '../../../../actors/coordinator/mailbox.js';
import { HaSender, type HaSenderSettings } from '../../../../actors/ha-sender/actor.js';
import { LagClock } from '../../../../actors/ha-sender/lag-clock.js';
import { StoreState } from '../../../../actors/store-state.js';
import type { Logger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { FlightRecorder, readRecorder, TraceSwitch } from '../../../../runtime/trace/recorder.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder } from '../../../support/record-builder.js';
import { CountingBell, makeRing, takeAll } from '../../../support/rooms.js';
import { until } from '../../../support/until.js';

const sender = suite('actors/ha-sender');
const segmentSize = 4096;

class SenderRoom {
  readonly memory = new MemoryDisk();
  readonly log = new LogBuilder(this.memory, '/log', segmentSize, 0);
  readonly positions = new Positions();
  readonly storeState = new SharedFlags();
  readonly remotingBell = new CountingBell();
  readonly toCoordinator = makeRing();
  readonly traceSwitch = new TraceSwitch();
  readonly recorder = new FlightRecorder(this.traceSwitch);
  readonly said: string[] = [];
  readonly sender: HaSender;
  readonly sockets: net.Socket[] = [];
  port = 0;
  nowMs = 1_700_000_000_000;

  static async open(settings: Partial<HaSenderSettings> = {}): Promise<SenderRoom> {
    const room = new SenderRoom(settings);
    room.port = await room.sender.listen('127.0.0.1', 0);
    return room;
  }

  private constructor(settings: Partial<HaSenderSettings>) {
    const say = (_: object, message: string): void => void this.said.push(message);
    const logger = { debug: say, info: say, warn: say, error: say } as unknown as Logger;
    this.sender = new HaSender({
      reader: new CommitLogReader(this.memory, '/log', segmentSize),
      positions: this.positions,
      storeState: this.storeState,
      remotingBell: this.remotingBell,
      toCoordinator: this.toCoordinator,
      coordinatorBell: new CountingBell(),
      counters: new Counters(),
      recorder: this.recorder,
      log: logger,
      settings: {
        haSendHeartbeatInterval: 5000,
        haHousekeepingInterval: 20_000,
        haTransferBatchSize: 1024,
        ...settings,
      },
      nowMs: () => this.nowMs,
    });
    let scheduled = false;
    this.sender.onWork = () => {
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        while (this.sender.doWork(this.nowMs) > 0);
      });
    };
  }

  append(count: number, bodySize = 300): void {
    for (let index = 0; index < count; index++) this.log.append({ body: new Uint8Array(bodySize).fill(index) });
    this.positions.publish('appended', this.log.end);
    this.sender.onWork();
  }

  /** The log between two positions. */
  bytes(from: number, to: number): Buffer {
    const files = this.memory.list('/log').map(name => this.memory.bytes(`/log/${name}`));
    return Buffer.concat(files).subarray(from, to);
  }

  dial(): Promise<Slave> {
    return new Promise(resolve => {
      const socket = net.connect({ host: '127.0.0.1', port: this.port });
      this.sockets.push(socket);
      socket.once('connect', () => resolve(new Slave(socket)));
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sender.close();
  }
}

/** A slave that takes everything apart. */
class Slave {
  readonly frames: { position: number; body: Buffer }[] = [];
  isClosed = false;
  readonly socket: net.Socket;
  #rest = Buffer.alloc(0);

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('data', bytes => {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      while (this.#rest.length >= 12) {
        const size = this.#rest.readInt32BE(8);
        if (this.#rest.length < 12 + size) break;
        const position = Number(this.#rest.readBigInt64BE(0));
        this.frames.push({ position, body: this.#rest.subarray(12, 12 + size) });
        this.#rest = this.#rest.subarray(12 + size);
      }
    });
  }

  static report(offset: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(offset));
    return bytes;
  }

  report(offset: number): void {
    this.socket.write(Slave.report(offset));
  }

  get received(): Buffer {
    return Buffer.concat(this.frames.map(({ body }) => body));
  }
}

async function inRoom(test: (room: SenderRoom) => Promise<void>, settings?: Partial<HaSenderSettings>): Promise<void> {
  const room = await SenderRoom.open(settings);
  try {
    await test(room);
  } finally {
    room.close();
  }
}

sender('sends from where the slave says, in frames that join and never cross a file', () =>
  inRoom(async room => {
    room.append(30);
    const from = room.log.records[3]!.start;
    const slave = await room.dial();
    slave.report(from);
    await until(() => slave.received.length === room.log.end - from, 'everything came');
    room.append(5);
    await until(() => slave.received.length === room.log.end - from, 'and what was appended then');
    assert.ok(slave.received.equals(room.bytes(from, room.log.end)));
    let at = from;
    for (const { position, body } of slave.frames) {
      assert.is(position, at);
      assert.ok(body.length <= 1024);
      assert.is(Math.floor(position / segmentSize), Math.floor((position + body.length - 1) / segmentSize));
      at += body.length;
    }
  }),
);

sender('an empty slave begins with the newest file', () =>
  inRoom(async room => {
    room.append(30);
    const slave = await room.dial();
    slave.report(0);
    const start = room.log.end - (room.log.end % segmentSize);
    await until(() => slave.received.length === room.log.end - start, 'the newest file came');
    assert.is(slave.frames[0]!.position, start);
  }),
);

sender('of several reports in one read the last whole one counts, wherever they are cut', () =>
  inRoom(async room => {
    room.append(20);
    const slave = await room.dial();
    const ends = room.log.records.map(({ end }) => end);
    slave.report(room.log.end);
    await until(() => room.storeState.has(StoreState.HAS_SLAVE), 'attached');
    assert.is(room.positions.read('replicated'), room.log.end);
    room.append(1);
    await until(() => slave.received.length > 0, 'the new one came');
    const acks = Buffer.concat([...ends.slice(-3), room.log.end].map(Slave.report));
    slave.socket.write(acks.subarray(0, 13));
    slave.socket.setNoDelay(true);
    await new Promise(resolve => setImmediate(resolve));
    slave.socket.write(acks.subarray(13));
    await until(() => room.positions.read('replicated') === room.log.end, 'all is acknowledged');
    assert.ok(room.remotingBell.rings >= 2);
    assert.not.ok(slave.isClosed);
  }),
);

sender('a traced node notes how far its slaves are', () =>
  inRoom(async room => {
    room.append(3);
    const slave = await room.dial();
    const [, middle, last] = room.log.records;
    slave.report(middle!.start);
    await until(() => room.positions.read('replicated') === middle!.start, 'it has the first');
    room.traceSwitch.every = 1;
    slave.report(last!.start);
    await until(() => room.positions.read('replicated') === last!.start, 'it has the second');
    const noted = readRecorder(room.recorder.memory).map(({ name, value, first }) => [name, value, first]);
    assert.equal(noted, [['replicated', last!.start, 1]]);
  }),
);

sender('replicated is what the furthest slave has, and never goes back', () =>
  inRoom(async room => {
    room.append(10);
    const [first, second] = [await room.dial(), await room.dial()];
    const end = room.log.end;
    first.report(room.log.records[2]!.start);
    second.report(end);
    await until(() => room.positions.read('replicated') === end, 'the second has all');
    second.socket.destroy();
    first.report(room.log.records[5]!.start);
    await until(() => statuses(room).some(({ slaves }) => slaves.length === 1), 'one is left');
    assert.is(room.positions.read('replicated'), end);
    assert.ok(room.storeState.has(StoreState.HAS_SLAVE));
    first.socket.destroy();
    await until(() => !room.storeState.has(StoreState.HAS_SLAVE), 'none is left');
  }),
);

type SenderStatus = Extract<HaStatus, { room: 'ha-sender' }>;
function statuses(room: SenderRoom): SenderStatus[] {
  return takeAll(room.toCoordinator).map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as SenderStatus);
}

const refused: Readonly<Record<string, { report: (room: SenderRoom) => number; says: RegExp }>> = {
  'that is ahead': {
    report: room => room.log.end + 1,
    says: /a slave was refused: its log reaches to .* make it the master/,
  },
  'that needs deleted files': { report: () => 10, says: /a slave was refused: it needs the log from 10 on/ },
  'that reports nonsense': { report: () => -5, says: /no position: it does not speak this protocol/ },
};
for (const [who, { report, says }] of Object.entries(refused)) {
  sender(`a slave ${who} is refused, told of, and counts for nothing`, () =>
    inRoom(async room => {
      room.append(30);
      room.positions.publish('minimum', segmentSize);
      const slave = await room.dial();
      slave.report(report(room));
      await until(() => slave.isClosed, 'closed');
      assert.ok(
        room.said.some(message => says.test(message)),
        room.said.join('\n'),
      );
      assert.is(room.positions.read('replicated'), 0);
      assert.not.ok(room.storeState.has(StoreState.HAS_SLAVE));
      // It comes again and again; the log is not filled with it.
      const again = await room.dial();
      again.report(report(room));
      await until(() => again.isClosed, 'closed again');
      assert.is(room.said.filter(message => says.test(message)).length, 1);
    }),
  );
}

sender('a slave that acknowledges what it was not sent is let go', () =>
  inRoom(async room => {
    room.append(3);
    const slave = await room.dial();
    slave.report(room.log.end);
    await until(() => room.storeState.has(StoreState.HAS_SLAVE), 'attached');
    slave.report(room.log.end + 8);
    await until(() => slave.isClosed, 'closed');
    assert.is(room.positions.read('replicated'), room.log.end);
  }),
);

sender('a heartbeat when there is nothing to say, the end when nothing is heard', () =>
  inRoom(async room => {
    room.append(1);
    const slave = await room.dial();
    slave.report(room.log.end);
    await until(() => room.storeState.has(StoreState.HAS_SLAVE), 'attached');
    room.nowMs += 5001;
    room.sender.onWork();
    await until(() => slave.frames.length === 1, 'a heartbeat');
    assert.equal([slave.frames[0]!.position, slave.frames[0]!.body.length], [room.log.end, 0]);
    room.nowMs += 15_000;
    room.sender.onWork();
    await until(() => slave.isClosed, 'closed');
    assert.ok(room.said.some(message => /silent for more than 20000 ms/.test(message)));
  }),
);

sender('says how far each slave is behind, in bytes and in time', () =>
  inRoom(async room => {
    room.append(1);
    const slave = await room.dial();
    slave.report(room.log.end);
    await until(() => room.storeState.has(StoreState.HAS_SLAVE), 'attached');
    const acknowledged = room.log.end;
    room.append(2);
    await until(() => slave.received.length > 0, 'sent');
    room.nowMs += 1500;
    room.sender.onWork();
    const isBehind = (status: SenderStatus): boolean => status.slaves[0]?.behindMs === 1500;
    let last: SenderStatus | undefined;
    await until(() => {
      last = statuses(room).find(isBehind) ?? last;
      return last !== undefined;
    }, 'a status');
    assert.equal(
      [last!.slaves[0]!.ackOffset, last!.slaves[0]!.behindBytes],
      [acknowledged, room.log.end - acknowledged],
    );
  }),
);

sender('the lag clock finds when a position was passed, however long ago', () => {
  const clock = new LagClock();
  for (let step = 1; step <= 10_000; step++) clock.note(step * 10, 0, step * 5);
  assert.is(clock.behindMs(100_000, 100_000, 60_000), 0);
  assert.ok(Math.abs(clock.behindMs(99_990, 100_000, 60_000) - 10_000) < 100);
  const old = clock.behindMs(50_000, 100_000, 60_000);
  assert.ok(Math.abs(old - (60_000 - 5001 * 5)) < 100, String(old));
  clock.note(100_000, 99_000, 60_000);
  assert.ok(Math.abs(clock.behindMs(99_500, 100_000, 60_000) - 10_250) < 100);
  assert.is(new LagClock().behindMs(0, 5, 10), 0);
});

sender.run();
