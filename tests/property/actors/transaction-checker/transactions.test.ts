// @limit 240
/**
 * Whatever producers do and however the broker ends: a half message that was on the device is in the end committed, or
 * rolled back, or given up after transactionCheckMax questions, as its producer wants it.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type End, World } from './world.js';

const transactions = suite('property: transactions');

function check(seeds: number, ends: (seed: number) => readonly End[]): void {
  for (let seed = 1; seed <= seeds; seed++) {
    const world = new World({ seed, ends: ends(seed) });
    world.run();
    assert.equal(world.broken.slice(0, 5), [], `seed ${seed}, ends ${ends(seed).join(', ')}`);
  }
}

transactions('a broker that stops well asks nobody about what has ended', () => {
  check(15, () => ['clean', 'clean']);
});

transactions('a broker that is killed forgets no half message', () => {
  check(25, seed => (seed % 2 === 0 ? ['kill', 'clean', 'kill'] : ['kill', 'kill']));
});

transactions('nor one that loses power', () => {
  check(25, seed => (seed % 2 === 0 ? ['power', 'kill', 'power'] : ['power', 'clean', 'power']));
});

transactions.run();
