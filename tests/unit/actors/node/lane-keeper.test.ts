/** Lanes are started before requests go to them, one after another, and never more often than once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LaneCounts } from '../../../../actors/lane-counts.js';
import { LaneKeeper } from '../../../../actors/node/lane-keeper.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { until } from '../../../support/until.js';

const keeper = suite('actors/node/lane-keeper');

interface World {
  readonly counts: LaneCounts;
  readonly did: string[];
  fails: boolean;
}

async function withKeeper(test: (world: World) => Promise<void>): Promise<void> {
  const counts = new LaneCounts();
  counts.set('send-lane', 1);
  counts.set('pull-lane', 1);
  const world: World = { counts, did: [], fails: false };
  const lanes = new LaneKeeper({
    counts,
    log: silentLogger,
    start: async (kind, index) => {
      world.did.push(`${kind}-${index} with ${counts.active(kind)} active`);
      if (world.fails) throw new Error('no thread');
    },
    announce: async () => void world.did.push('announce'),
  });
  try {
    await test(world);
  } finally {
    await lanes.close();
  }
}

const activeAre = (counts: LaneCounts, count: number): Promise<number> =>
  until(() => counts.active('send-lane') === count, `${count} lanes are active`);

keeper('starts what is missing, then lets requests go there', () =>
  withKeeper(async ({ counts, did }) => {
    counts.want('send-lane', 3);
    await activeAre(counts, 3);
    assert.equal(did, ['send-lane-1 with 1 active', 'announce', 'send-lane-2 with 1 active', 'announce']);
    assert.is(counts.started('send-lane'), 3);
    assert.is(counts.active('pull-lane'), 1, 'the other kind stays');
  }),
);

keeper('what is too many sleeps, and is used again without a start', () =>
  withKeeper(async ({ counts, did }) => {
    counts.want('send-lane', 2);
    await activeAre(counts, 2);
    counts.want('send-lane', 1);
    await activeAre(counts, 1);
    assert.is(counts.started('send-lane'), 2);
    counts.want('send-lane', 2);
    await activeAre(counts, 2);
    assert.is(did.length, 2, 'started once');
  }),
);

keeper('a lane that does not start gets no requests', () =>
  withKeeper(async world => {
    world.fails = true;
    world.counts.want('send-lane', 2);
    await until(() => world.did.length === 1, 'the start was tried');
    world.counts.want('pull-lane', 1);
    assert.is(world.counts.active('send-lane'), 1);
  }),
);

keeper.run();
