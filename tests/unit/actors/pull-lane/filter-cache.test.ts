/** Filters are made once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FilterCache } from '../../../../actors/pull-lane/filter-cache.js';

const cache = suite('actors/pull-lane/filter-cache');

cache('the same expression is the same filter, of each type', () => {
  const filters = new FilterCache();
  assert.is(filters.tags('a'), filters.tags('a'));
  assert.is(filters.expression('SQL92', 'a'), filters.expression('SQL92', 'a'));
  assert.is(filters.sql('SQL92', 'a'), filters.sql('SQL92', 'a'));
  assert.is.not(filters.tags('a'), filters.expression('SQL92', 'a'));
});

cache('what is no filter is refused each time', () => {
  const filters = new FilterCache();
  for (let time = 0; time < 2; time++) {
    assert.equal(
      [filters.tags('||'), filters.expression('SQL92', '=')].map(filter => 'code' in filter && filter.code),
      [23, 23],
    );
    assert.is(filters.sql('SQL92', '='), undefined);
    assert.is(filters.sql('TAG', 'a'), undefined);
  }
});

cache('forgets all when there are too many, or too long ones', () => {
  const filters = new FilterCache();
  const first = filters.tags('first');
  for (let index = 0; index < 4095; index++) filters.tags(`t${index}`);
  assert.is(filters.tags('first'), first);
  filters.tags('one more');
  assert.is.not(filters.tags('first'), first);

  const long = (index: number): string => `a = '${'x'.repeat(60_000)}${index}'`;
  const kept = filters.expression('SQL92', long(0));
  for (let index = 1; index < 15; index++) filters.expression('SQL92', long(index));
  assert.is(filters.expression('SQL92', long(0)), kept);
  for (let index = 15; index < 20; index++) filters.expression('SQL92', long(index));
  assert.is.not(filters.expression('SQL92', long(0)), kept);
});

cache.run();
