/** A slave's dispatcher has records of topics that the coordinator has not told of yet. Source: design of RingMQ. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { fillRing, takeAll, topicEntry } from '../../../support/rooms.js';
import { DispatcherRoom, type DispatcherRoomOptions } from './support.js';

const dispatcher = suite('actors/dispatcher: slave');

function slaveRoom(options: DispatcherRoomOptions = {}): DispatcherRoom {
  const room = new DispatcherRoom(options);
  room.storeState.set(StoreState.SLAVE);
  return room;
}

function step(room: DispatcherRoom): void {
  for (let cycle = 0; cycle < 5; cycle++) room.dispatcher.doWork(++room.nowMs);
}

const asked = (room: DispatcherRoom): unknown[] =>
  takeAll(room.toCoordinator).map(({ type, bytes }) => [type, JSON.parse(new TextDecoder().decode(bytes))]);

dispatcher('it asks once for the queue, waits, and goes on with the answer; nothing is left out', () => {
  const room = slaveRoom();
  const known = room.append({ topic: 'TopicTest', queueId: 1 });
  room.append({ topic: 'New', queueId: 2 });
  room.append({ topic: 'TopicTest', queueId: 1, queueOffset: 1 });
  step(room);
  assert.is(room.dispatched, known.end, 'not beyond the record that has no queue');
  assert.equal(asked(room), [[CoordinatorType.QUEUE_NEEDED, { topic: 'New', queueId: 2 }]]);
  assert.is(room.coordinatorBell.rings, 1);
  room.tell(topicEntry('New', 3, {}, 10));
  step(room);
  assert.is(room.dispatched, room.positions.read('appended'));
  assert.equal([room.table.max(12), room.table.max(1)], [1, 2]);
  assert.is(room.entries('New', 2, 0, 1)[0]!.position, known.end);
});

dispatcher('a topic that is known with fewer queues is asked for too', () => {
  const room = slaveRoom();
  room.append({ topic: 'TopicTest', queueId: 7 });
  step(room);
  assert.equal(asked(room), [[CoordinatorType.QUEUE_NEEDED, { topic: 'TopicTest', queueId: 7 }]]);
  room.tell(topicEntry('TopicTest', 8, {}, 20));
  step(room);
  assert.is(room.table.max(27), 1);
});

dispatcher('a full ring to the coordinator only delays the question', () => {
  const room = slaveRoom();
  fillRing(room.toCoordinator, 99, 8);
  room.append({ topic: 'New' });
  step(room);
  assert.is(room.dispatched, 0);
  assert.ok(room.dispatcher.deadlineMs() <= room.nowMs + 5);
  takeAll(room.toCoordinator);
  step(room);
  assert.is(asked(room).length, 1);
});

dispatcher('a queue that can get no number is left out, and the rest goes on', () => {
  const room = slaveRoom();
  room.append({ topic: 'New' });
  room.append({ topic: 'TopicTest' });
  step(room);
  room.tell({ ...topicEntry('New', 1), queueNumbers: Int32Array.of(-1) });
  step(room);
  assert.is(room.table.max(0), 1);
  assert.is(room.dispatched, room.positions.read('appended'));
});

dispatcher('a master leaves out records of a topic that was deleted, and asks nobody', () => {
  const room = new DispatcherRoom();
  room.append({ topic: 'Deleted' });
  room.run();
  assert.is(room.dispatched, room.positions.read('appended'));
  assert.equal(asked(room), []);
});

dispatcher('the log of an empty slave begins far from 0', () => {
  const segmentSize = 4096;
  const start = 5 * segmentSize;
  const room = slaveRoom({ segmentSize, logStart: start });
  step(room);
  assert.is(room.dispatched, 0);
  room.positions.publish('minimum', start);
  room.append({ queueOffset: 1000 });
  step(room);
  assert.is(room.dispatched, room.positions.read('appended'));
  assert.equal([room.table.min(0), room.table.max(0)], [1000, 1001]);
});

dispatcher.run();
