/** The flush service: what it syncs when, and what it says. Source: spec storage 9. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FlushService, type LogFlushSettings } from '../../../../actors/flush-service/actor.js';
import { StoreState } from '../../../../actors/store-state.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { SimScheduler } from '../../../../runtime/sim/scheduler.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { writeStream } from '../../../support/record-builder.js';
import { CountingBell, makeRecorder, makeRing } from '../../../support/rooms.js';

const flush = suite('actors/flush-service');

const folder = '/log';
const segmentSize = 64 * 1024;
const page = 4096;

const keys: LogFlushSettings = {
  flushIntervalCommitLog: 500,
  flushCommitLogTimed: true,
  flushCommitLogLeastPages: 4,
  flushCommitLogThoroughInterval: 10_000,
};

class FlushRoom {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory);
  readonly positions = new Positions();
  readonly storeState = new SharedFlags();
  readonly counters = new Counters();
  readonly remotingBell = new CountingBell();
  readonly bell = new CountingBell();
  /** Paths in the order they were synced. */
  readonly synced: string[] = [];
  readonly service: FlushService;
  readonly news = makeRing();
  failure: string | undefined;
  nowMs = 1_700_000_000_000;

  constructor(options: { syncFlush?: boolean; mayBlock?: boolean } = {}) {
    this.disk.faults.fail = (call, path) => {
      if (call !== 'sync') return undefined;
      if (path !== folder) this.synced.push(path.slice(-6));
      return this.failure;
    };
    this.service = new FlushService({
      disk: this.disk,
      folder,
      segmentSize,
      syncFlush: options.syncFlush ?? true,
      flush: keys,
      news: this.news,
      mayBlock: options.mayBlock ?? true,
      positions: this.positions,
      remotingBell: this.remotingBell,
      bell: this.bell,
      storeState: this.storeState,
      counters: this.counters,
      recorder: makeRecorder(),
      log: silentLogger,
    });
  }

  /** The coordinator sends changed keys. */
  tell(changed: Partial<LogFlushSettings>): void {
    this.news.offer(NewsType.SETTINGS, new TextEncoder().encode(JSON.stringify({ ...keys, ...changed })));
  }

  /** The writer appended `bytes`. */
  append(bytes: number): void {
    const start = this.positions.read('appended');
    for (let at = start; at < start + bytes; ) {
      const end = Math.min(start + bytes, at - (at % segmentSize) + segmentSize);
      writeStream(this.memory, folder, segmentSize, at, new Uint8Array(end - at).fill(1));
      at = end;
    }
    this.positions.publish('appended', start + bytes);
  }

  work(): number {
    return this.service.doWork(this.nowMs);
  }

  get flushed(): number {
    return this.positions.read('flushed');
  }
}

flush('SYNC_FLUSH: one sync for everything appended, then the position', () => {
  const room = new FlushRoom();
  room.append(100);
  room.append(50);
  assert.is(room.work(), 1);
  assert.is(room.flushed, 150);
  assert.equal(room.synced, ['000000']);
  assert.is(room.remotingBell.rings, 1);
  assert.is(room.work(), 0, 'nothing is left to do');
  assert.is(room.synced.length, 1);
  room.append(1);
  room.work();
  assert.equal([room.flushed, room.counters.read('flushes')], [151, 2]);
});

flush('what the position says survives a crash', () => {
  const room = new FlushRoom();
  room.append(3 * segmentSize + 100);
  room.work();
  assert.is(room.flushed, 3 * segmentSize + 100);
  room.append(500);
  room.memory.crash(7);
  for (let at = 0; at < room.flushed; at += segmentSize) {
    const bytes = room.memory.bytes(`${folder}/${String(at).padStart(20, '0')}`);
    assert.ok(bytes.subarray(0, Math.min(segmentSize, room.flushed - at)).every(byte => byte === 1));
  }
});

flush('syncs only the files that changed', () => {
  const room = new FlushRoom();
  room.append(segmentSize + 10);
  room.work();
  assert.equal(room.synced, ['000000', '065536']);
  room.append(10);
  room.work();
  assert.equal(room.synced.slice(2), ['065536']);
});

flush(
  'without blocking: the position follows when the sync is done, and what came meanwhile is synced next',
  async () => {
    const room = new FlushRoom({ mayBlock: false });
    room.disk.faults.holdSyncs = true;
    room.append(100);
    assert.is(room.work(), 1);
    room.append(20);
    assert.is(room.work(), 0, 'one sync at a time');
    assert.equal([room.flushed, room.remotingBell.rings, room.service.deadlineMs()], [0, 0, Number.POSITIVE_INFINITY]);
    room.disk.releaseSyncs();
    await Promise.resolve();
    assert.equal([room.flushed, room.remotingBell.rings, room.bell.rings], [100, 1, 1]);
    room.work();
    assert.is(room.flushed, 100);
    room.disk.releaseSyncs();
    await Promise.resolve();
    assert.is(room.flushed, 120);
  },
);

flush('several files without blocking: the position never passes a file that is not synced yet', async () => {
  const room = new FlushRoom({ mayBlock: false });
  room.disk.faults.holdSyncs = true;
  room.append(2 * segmentSize + 5);
  room.work();
  const seen = [room.flushed];
  for (let round = 0; room.flushed < 2 * segmentSize + 5; round++) {
    assert.ok(round < 10, 'it comes to the end');
    assert.ok(room.disk.heldSyncCount > 0);
    assert.ok(room.flushed <= room.synced.length * segmentSize);
    room.disk.releaseSyncs();
    await Promise.resolve();
    room.work();
    seen.push(room.flushed);
  }
  assert.equal(
    seen,
    [...seen].sort((left, right) => left - right),
  );
  assert.equal([...new Set(room.synced)], ['000000', '065536', '131072']);
});

for (const mayBlock of [true, false]) {
  const how = mayBlock ? 'blocking' : 'not blocking';
  flush(`a failed sync stops everything until a restart (${how})`, async () => {
    const room = new FlushRoom({ mayBlock });
    room.append(100);
    room.work();
    await Promise.resolve();
    assert.is(room.flushed, 100);
    room.failure = 'EIO';
    room.append(100);
    room.work();
    await Promise.resolve();
    assert.is(room.flushed, 100, 'nothing is released');
    assert.ok(room.storeState.has(StoreState.FLUSH_FAILED));
    assert.is(room.counters.read('flushFailures'), 1);
    room.failure = undefined;
    room.append(100);
    const syncs = room.synced.length;
    for (let index = 0; index < 5; index++) {
      room.nowMs += 20_000;
      assert.is(room.work(), 0);
    }
    await Promise.resolve();
    assert.equal([room.flushed, room.synced.length], [100, syncs], 'a later sync cannot vouch for lost pages');
    assert.ok(room.storeState.has(StoreState.FLUSH_FAILED));
    assert.is(room.service.deadlineMs(), Number.POSITIVE_INFINITY);
  });
}

flush('ASYNC_FLUSH waits for enough pages', () => {
  const room = new FlushRoom({ syncFlush: false });
  room.append(4 * page - 1);
  assert.is(room.work(), 0);
  assert.is(room.service.deadlineMs(), room.nowMs + 500);
  room.append(1);
  assert.is(room.work(), 0, 'timed: it does not look before the interval is over');
  room.nowMs += 500;
  assert.is(room.work(), 1);
  assert.is(room.flushed, 4 * page);
});

flush('ASYNC_FLUSH, not timed: an append wakes it', () => {
  const room = new FlushRoom({ syncFlush: false });
  room.tell({ flushCommitLogTimed: false });
  room.append(page);
  assert.is(room.work(), 0);
  room.append(3 * page);
  assert.is(room.work(), 1);
  assert.is(room.flushed, 4 * page);
});

flush('changed keys hold from the next look on', () => {
  const room = new FlushRoom({ syncFlush: false });
  room.tell({ flushCommitLogLeastPages: 0 });
  room.append(1);
  assert.is(room.work(), 1);
  assert.is(room.flushed, 1);
  room.tell({ flushCommitLogLeastPages: 8, flushIntervalCommitLog: 20 });
  room.append(5 * page);
  room.nowMs += 500;
  assert.is(room.work(), 0);
  assert.is(room.service.deadlineMs(), room.nowMs + 20);
});

flush('ASYNC_FLUSH flushes a single byte when the thorough interval is over, and sleeps when all is flushed', () => {
  const room = new FlushRoom({ syncFlush: false });
  room.append(1);
  room.work();
  const endMs = room.nowMs + 10_000;
  while (room.flushed === 0) {
    assert.ok(room.nowMs < endMs + 500, 'within the interval');
    room.nowMs = room.service.deadlineMs();
    room.work();
  }
  assert.ok(room.nowMs >= endMs, 'not before it');
  room.work();
  assert.is(room.service.deadlineMs(), Number.POSITIVE_INFINITY, 'an idle node has nothing to wake for');
});

flush(
  'ASYNC_FLUSH under a virtual clock: everything is on the device within the thorough interval of the last append',
  () => {
    const sim = new SimScheduler({ seed: 11 });
    const room = new FlushRoom({ syncFlush: false });
    let left = 300;
    const append = (): void => {
      room.append(sim.random.between(1, 3 * page));
      if (--left > 0) sim.timers.setTimeout(append, sim.random.below(2000));
    };
    sim.timers.setTimeout(append, 0);
    sim.add(room.service);
    sim.runUntil(() => left === 0, 100_000);
    const lastMs = sim.clock.nowMs();
    sim.runUntil(() => room.flushed === room.positions.read('appended'), 1000);
    assert.ok(sim.clock.nowMs() - lastMs <= 10_500);
    assert.ok(room.counters.read('flushes') > 10);
    assert.ok(room.counters.read('flushes') < 300, 'not one a message');
    sim.close();
  },
);

flush('a file that cannot be opened is a failed sync', () => {
  const room = new FlushRoom();
  room.append(10);
  room.failure = 'EMFILE';
  room.work();
  assert.ok(room.storeState.has(StoreState.FLUSH_FAILED));
  assert.is(room.flushed, 0);
});

flush.run();
