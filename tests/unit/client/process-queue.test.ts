import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessages, type MessageExt } from '../../../client/message-ext.js';
import { ProcessQueue } from '../../../client/process-queue.js';
import { encodeFakeRecord } from '../../support/fake-broker.js';

const processQueue = suite('client/process-queue');

function messagesAt(...offsets: readonly number[]): MessageExt[] {
  return offsets.map(queueOffset => decodeMessages(encodeFakeRecord({ topic: 'T', body: 'x', queueOffset }))[0]!);
}

/** A queue that was pulled up to `nextOffset` and holds messages. */
function filled(nextOffset: number, ...offsets: readonly number[]): { queue: ProcessQueue; messages: MessageExt[] } {
  const queue = new ProcessQueue({ topic: 'T', brokerName: 'b', queueId: 0 }, nextOffset);
  const messages = messagesAt(...offsets);
  queue.put(messages);
  return { queue, messages };
}

processQueue('the group goes on from the oldest message that is left', () => {
  const { queue, messages } = filled(9, 3, 4, 6);
  assert.equal([queue.count, queue.bounds, queue.span], [3, [3, 6], 3]);
  assert.is(queue.remove([messages[1]!]), 3);
  assert.is(queue.remove([messages[0]!]), 6);
  assert.is(queue.remove([messages[0]!]), 6, 'once more changes nothing');
  assert.is(queue.remove([messages[2]!]), 9, 'past what was filtered');
  assert.equal([queue.count, queue.sizeBytes, queue.bounds], [0, 0, [0, 0]]);
});

processQueue('takes in order, commits, and puts back', () => {
  const { queue } = filled(5, 1, 2, 3, 4);
  const offsets = (list: readonly MessageExt[]): number[] => list.map(({ queueOffset }) => queueOffset);
  assert.is(queue.commit(), -1, 'nothing was taken');
  assert.equal(offsets(queue.take(2)), [1, 2]);
  assert.equal([queue.count, queue.waiting, queue.bounds], [4, 2, [1, 4]]);
  assert.is(queue.commit(), 3);
  const taken = queue.take(2);
  queue.putBack([taken[0]!.with({ reconsumeTimes: 1 })]);
  assert.equal(offsets(queue.taken), [4]);
  queue.putBack(queue.taken);
  const again = queue.take(9);
  assert.equal(offsets(again).sort(), [3, 4]);
  assert.is(again.find(({ queueOffset }) => queueOffset === 3)!.reconsumeTimes, 1);
  queue.discard([again[0]!]);
  assert.is(queue.commit(), 5);
  assert.equal([queue.count, queue.sizeBytes], [0, 0]);
});

processQueue('knows what runs and since when, and waits for it', async () => {
  const { queue, messages } = filled(3, 1, 2);
  assert.is(queue.oldestRunning(), undefined);
  queue.begin([messages[0]!]);
  assert.is(queue.oldestRunning()!.message, messages[0]);
  assert.is(await queue.whenIdle(5), false);
  const idle = queue.whenIdle(10_000);
  queue.end([messages[0]!]);
  assert.is(await idle, true);
  assert.equal(queue.runningMessages, []);
});

processQueue('retires before it is dropped', () => {
  const { queue } = filled(1);
  queue.retire();
  assert.equal([queue.retired, queue.dropped, queue.signal.aborted], [true, false, true]);
  queue.drop();
  assert.equal([queue.retired, queue.dropped], [true, true]);
});

processQueue('a lock runs out', () => {
  const { queue } = filled(1);
  assert.is(queue.isLocked, false);
  queue.setLocked(true);
  assert.is(queue.isLocked, true);
  const now = Date.now;
  try {
    Date.now = () => now() + 30_100;
    assert.is(queue.isLocked, false);
  } finally {
    Date.now = now;
  }
  queue.setLocked(false);
  assert.is(queue.isLocked, false);
});

processQueue.run();
