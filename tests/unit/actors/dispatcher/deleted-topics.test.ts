/** Consume queues go with their topic, and a topic that is made again goes on where it was. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../../runtime/base/errors.js';
import { topicEntry } from '../../../support/rooms.js';
import { DispatcherRoom } from './support.js';

const deleted = suite('actors/dispatcher deleted topics');

const topicFolder = '/store/consumequeue/TopicTest';

deleted('the files of a deleted topic go, and nothing of it can be read', () => {
  for (const mayBlock of [true, false]) {
    const room = new DispatcherRoom({ retirer: true, mayBlock });
    for (let offset = 0; offset < 3; offset++) room.append({ queueOffset: offset });
    room.run();
    assert.ok(room.memory.facts(topicFolder) !== undefined);
    room.tellDeleted('TopicTest');
    room.run();
    assert.is(room.memory.facts(topicFolder), undefined);
    assert.equal([room.table.min(0), room.table.max(0)], [3, 3]);
    room.dispatcher.close();
  }
});

deleted('messages of a deleted topic make no files', () => {
  const room = new DispatcherRoom({ retirer: true });
  room.append({ queueOffset: 0 });
  room.tellDeleted('TopicTest');
  room.run();
  assert.is(room.memory.facts(topicFolder), undefined);
  assert.equal([room.dispatched, room.traffic.messages(0)], [room.log.end, 0]);
});

deleted('a topic that is made again goes on with its offsets, without what was before', () => {
  const room = new DispatcherRoom({ retirer: true });
  for (let offset = 0; offset < 3; offset++) room.append({ queueOffset: offset });
  room.run();
  room.tellDeleted('TopicTest');
  room.tell(topicEntry('TopicTest', 4));
  room.run();
  const { start, end } = room.append({ queueOffset: 3 });
  room.append({ queueOffset: 4 });
  room.run();
  assert.equal([room.table.min(0), room.table.max(0)], [3, 5]);
  assert.equal(
    room.entries('TopicTest', 0, 3, 1).map(({ position, size }) => [position, size]),
    [[start, end - start]],
  );
});

deleted('cleaning up removes what belongs to no topic, and nothing else', () => {
  const room = new DispatcherRoom({ retirer: true });
  room.append({ queueOffset: 0 });
  room.run();
  room.memory.makeFolder('/store/consumequeue/Gone/0');
  room.tellClean('unused');
  room.run();
  assert.equal(room.memory.list('/store/consumequeue'), ['TopicTest']);
  assert.is(room.table.max(0), 1);
});

deleted('a disk that refuses to clean up does not stop it', () => {
  const room = new DispatcherRoom({ retirer: true });
  room.append({ queueOffset: 0 });
  room.run();
  room.memory.makeFolder('/store/consumequeue/Gone/0');
  room.disk.remove = () => {
    throw new RingError('DISK_WRITE_FAILED', 'no');
  };
  room.tellClean('unused');
  room.tellDeleted('TopicTest');
  room.tell(topicEntry('Other', 1, {}, 10));
  room.append({ topic: 'Other', queueOffset: 0 });
  room.run();
  assert.equal([room.table.max(10), room.table.min(0)], [1, 1]);
});

deleted('counts what is stored, once', () => {
  const room = new DispatcherRoom();
  const { start, end } = room.append({ queueId: 1, queueOffset: 0 });
  room.append({ queueId: 1, queueOffset: 1 });
  room.run();
  assert.equal([room.traffic.messages(1), room.traffic.messages(0)], [2, 0]);
  assert.is(room.traffic.bytes(1), 2 * (end - start));
});

deleted.run();
