/** What a lane hands out, by topic and group. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../actors/coordinator/mailbox.js';
import { GroupCounts } from '../../../actors/group-counts.js';
import { GroupTraffic, PAIRS_MAX } from '../../../actors/group-traffic.js';
import type { Ring } from '../../../runtime/memory/ring.js';
import { fillRing, makeRing, takeAll } from '../../support/rooms.js';

const counts = suite('actors/group-counts');

const named = (ring: Ring): object[] =>
  takeAll(ring).map(({ type, bytes }) => ({ type, ...JSON.parse(new TextDecoder().decode(bytes)) }));

counts('every pair gets a slot, and the coordinator hears of it once', () => {
  const [traffic, ring] = [new GroupTraffic(), makeRing()];
  const lane = new GroupCounts(traffic, ring);
  lane.add('T', 'G', 2, 20);
  lane.add('U', 'G', 1, 5);
  lane.add('T', 'G', 3, 30);
  const type = CoordinatorType.PAIR_NAMED;
  assert.equal(named(ring), [
    { type, slot: 0, topic: 'T', group: 'G' },
    { type, slot: 1, topic: 'U', group: 'G' },
  ]);
  assert.equal([traffic.messages(0), traffic.bytes(0), traffic.answers(0)], [5, 50, 2]);
  assert.equal([traffic.messages(1), traffic.bytes(1), traffic.answers(1)], [1, 5, 1]);
});

counts('what the coordinator cannot be told of is not counted yet', () => {
  const [traffic, ring] = [new GroupTraffic(), makeRing(1024)];
  const lane = new GroupCounts(traffic, ring);
  fillRing(ring, 1);
  lane.add('T', 'G', 1, 1);
  takeAll(ring);
  lane.add('T', 'G', 1, 1);
  assert.equal([named(ring).length, traffic.messages(0)], [1, 1]);
});

counts('a lane that was made anew begins at nothing', () => {
  const traffic = new GroupTraffic();
  new GroupCounts(traffic, makeRing()).add('T', 'G', 9, 9);
  new GroupCounts(traffic, makeRing()).add('U', 'H', 1, 1);
  assert.equal([traffic.messages(0), traffic.bytes(0), traffic.answers(0)], [1, 1, 1]);
});

counts('there are so many slots and no more', () => {
  const [traffic, ring] = [new GroupTraffic(), makeRing()];
  const lane = new GroupCounts(traffic, ring);
  for (let index = 0; index <= PAIRS_MAX; index++) {
    lane.add(`T${index}`, 'G', 1, 1);
    if (index % 100 === 0) takeAll(ring);
  }
  takeAll(ring);
  lane.add('One more', 'G', 1, 1);
  assert.equal([named(ring), traffic.messages(PAIRS_MAX - 1)], [[], 1]);
});

counts.run();
