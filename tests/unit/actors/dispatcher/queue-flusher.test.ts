/** When consume queues and the checkpoint go to the device. Source: spec storage 6, 9. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DispatcherRoom, type DispatcherRoomOptions } from './support.js';

const flusher = suite('actors/dispatcher/queue-flusher');

/** Entries of one queue that make two pages of 4096 bytes. */
const twoPages = 410;
const storeMs = 1_700_000_000_005;

function roomWith(entries: number, options: DispatcherRoomOptions = {}): DispatcherRoom & { syncs: string[] } {
  const room = new DispatcherRoom(options);
  const syncs: string[] = [];
  room.disk.faults.fail = (call, path) => {
    if (call === 'sync') syncs.push(path);
    return undefined;
  };
  append(room, entries);
  return Object.assign(room, { syncs });
}

function append(room: DispatcherRoom, entries: number): void {
  const from = room.table.max(0);
  for (let offset = from; offset < from + entries; offset++) {
    room.append({ queueOffset: offset, body: new Uint8Array(0), storeTimestamp: storeMs + offset });
  }
  room.run();
}

/** Moves to the next deadline and works. */
function next(room: DispatcherRoom): void {
  room.nowMs = Math.max(room.nowMs, room.dispatcher.deadlineMs());
  room.dispatcher.doWork(room.nowMs);
}

flusher('syncs a queue with enough pages after the interval, without a checkpoint', () => {
  const room = roomWith(twoPages);
  assert.is(room.syncs.length, 0);
  next(room);
  assert.ok(room.syncs.length > 0);
  assert.ok(room.syncs.every(path => path.includes('/TopicTest/0/')));
  assert.equal(room.checkpoints, []);
});

flusher('leaves a queue with little for the thorough interval, and then writes the checkpoint', () => {
  const room = roomWith(3);
  room.positions.publish('flushed', room.log.end);
  const startMs = room.nowMs;
  for (let look = 0; room.syncs.length === 0; look++) {
    assert.ok(look < 100, 'it is synced in the end');
    next(room);
  }
  assert.ok(room.nowMs >= startMs + 59_000, 'not before the thorough interval');
  assert.equal(room.checkpoints, [storeMs + 2]);
});

flusher('sleeps when everything is synced', () => {
  const room = roomWith(3, { flush: { flushConsumeQueueThoroughInterval: 1 } });
  room.positions.publish('flushed', room.log.end);
  for (let look = 0; look < 5 && Number.isFinite(room.dispatcher.deadlineMs()); look++) next(room);
  assert.is(room.dispatcher.deadlineMs(), Number.POSITIVE_INFINITY);
});

flusher('no checkpoint beyond what of the log is on the device', () => {
  const room = roomWith(3, { flush: { flushConsumeQueueThoroughInterval: 1 } });
  room.positions.publish('flushed', room.log.end - 1);
  next(room);
  assert.ok(room.syncs.length > 0);
  assert.equal(room.checkpoints, []);
});

flusher('a checkpoint that cannot be written is written next time', () => {
  const room = roomWith(3, { flush: { flushConsumeQueueThoroughInterval: 1 } });
  room.positions.publish('flushed', room.log.end);
  room.checkpointError = new Error('ENOSPC');
  next(room);
  room.checkpointError = undefined;
  append(room, 1);
  room.positions.publish('flushed', room.log.end);
  next(room);
  assert.equal(room.checkpoints, [storeMs + 3]);
});

flusher('a clean stop syncs everything and writes the checkpoint', () => {
  const room = roomWith(3);
  room.positions.publish('flushed', room.log.end);
  room.dispatcher.close();
  assert.ok(room.syncs.length > 0);
  assert.equal(room.checkpoints, [storeMs + 2]);
});

flusher('a stop without any record touches nothing', () => {
  const room = new DispatcherRoom();
  room.run();
  room.dispatcher.close();
  assert.equal(room.checkpoints, []);
});

flusher('without blocking: one round at a time, the checkpoint after the last sync', async () => {
  const room = roomWith(3, { mayBlock: false, flush: { flushConsumeQueueThoroughInterval: 1 } });
  room.positions.publish('flushed', room.log.end);
  room.disk.faults.holdSyncs = true;
  next(room);
  const held = room.disk.heldSyncCount;
  assert.ok(held > 0);
  room.nowMs += 10_000;
  room.dispatcher.doWork(room.nowMs);
  assert.is(room.disk.heldSyncCount, held);
  assert.equal(room.checkpoints, []);
  room.disk.releaseSyncs();
  await new Promise(setImmediate);
  assert.equal(room.checkpoints, [storeMs + 2]);
});

for (const mayBlock of [true, false]) {
  flusher(
    `a sync that fails is no crash, and no checkpoint vouches for it (${mayBlock ? 'blocking' : 'not blocking'})`,
    async () => {
      const room = roomWith(3, { mayBlock, flush: { flushConsumeQueueThoroughInterval: 1 } });
      room.positions.publish('flushed', room.log.end);
      room.disk.faults.fail = call => (call === 'sync' ? 'EIO' : undefined);
      assert.not.throws(() => next(room));
      await new Promise(setImmediate);
      assert.equal(room.checkpoints, []);
      // The device is well again: a checkpoint may come only behind a sync of what had failed.
      let synced = false;
      room.disk.faults.fail = call => {
        if (call === 'sync') synced = true;
        return undefined;
      };
      room.nowMs += 5000;
      room.dispatcher.doWork(room.nowMs);
      await new Promise(setImmediate);
      assert.ok(synced, 'it is synced again');
    },
  );
}

flusher.run();
