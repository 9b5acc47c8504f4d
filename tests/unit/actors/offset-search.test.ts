/** The entry nearest to a time. Source: spec storage 4.5. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { searchOffset } from '../../../actors/offset-search.js';

const search = suite('actors/offset-search');

/** Entries from 5 on, at these times. */
const times = [100, 200, 200, 300];
const find = (ms: number): number => searchOffset(5, 9, ms, offset => times[offset - 5]!);

search('finds the nearest, the earlier of two that are as near', () => {
  assert.equal([100, 149, 150, 151, 251, 300].map(find), [5, 5, 5, 6, 8, 8]);
  assert.ok([6, 7].includes(find(200)), 'one of those with the time');
});

search('before the first it is the first, behind the last the last, and 0 when there is none', () => {
  assert.equal([find(0), find(1000)], [5, 8]);
  assert.is(
    searchOffset(7, 7, 100, () => 0),
    0,
  );
});

search.run();
