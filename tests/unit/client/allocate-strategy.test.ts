import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  allocateMessageQueueAveragely,
  allocateMessageQueueAveragelyByCircle,
} from '../../../client/allocate-strategy.js';

const allocate = suite('client/allocate-strategy');

const queues = (count: number) =>
  Array.from({ length: count }, (_, queueId) => ({ topic: 'T', brokerName: 'b', queueId }));
const members = (count: number): string[] => Array.from({ length: count }, (_, n) => `m${n}`);
const ids = (list: readonly { queueId: number }[]): number[] => list.map(({ queueId }) => queueId);

/** As Java computes it. */
function javaAveragely(index: number, queueCount: number, memberCount: number): number[] {
  const mod = queueCount % memberCount;
  const size = Math.floor(queueCount / memberCount);
  const average = queueCount <= memberCount ? 1 : mod > 0 && index < mod ? size + 1 : size;
  const start = mod > 0 && index < mod ? index * average : index * average + mod;
  return ids(queues(queueCount)).slice(start, start + Math.max(0, Math.min(average, queueCount - start)));
}

allocate('averagely: what Java would give, and each queue to one', () => {
  for (let queueCount = 0; queueCount <= 12; queueCount++) {
    for (let memberCount = 1; memberCount <= 14; memberCount++) {
      const shares = members(memberCount).map(id =>
        ids(allocateMessageQueueAveragely('G', id, queues(queueCount), members(memberCount))),
      );
      assert.equal(
        shares,
        members(memberCount).map((_, index) => javaAveragely(index, queueCount, memberCount)),
      );
      assert.equal(shares.flat(), ids(queues(queueCount)));
    }
  }
});

allocate('by circle: one after the other', () => {
  const shares = members(3).map(id => ids(allocateMessageQueueAveragelyByCircle('G', id, queues(7), members(3))));
  assert.equal(shares, [
    [0, 3, 6],
    [1, 4],
    [2, 5],
  ]);
});

allocate('who is no member has none', () => {
  for (const strategy of [allocateMessageQueueAveragely, allocateMessageQueueAveragelyByCircle]) {
    assert.equal(strategy('G', 'x', queues(4), members(2)), []);
  }
});

allocate.run();
