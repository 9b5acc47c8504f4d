import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readResetTarget } from '../../../cli/reset-target.js';

const target = suite('cli/reset-target');

target('reads places, offsets and times', () => {
  assert.is(readResetTarget('earliest'), 'earliest');
  assert.is(readResetTarget('latest'), 'latest');
  assert.equal(readResetTarget('offset:12'), { offset: 12 });
  assert.equal(readResetTarget('1795608000000'), { timeMs: 1_795_608_000_000 });
  assert.equal(readResetTarget('2026-11-25T10:00:00Z'), { timeMs: Date.UTC(2026, 10, 25, 10) });
});

target('refuses a bare number: it could be an offset as well as a time', () => {
  for (const text of ['12', 'offset:', 'offset:-1', 'first'])
    assert.throws(() => readResetTarget(text), /Expected earliest, latest, offset:N or a time/);
});

target.run();
