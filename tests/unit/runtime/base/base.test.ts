import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AssertionError, assertNever, assert as assertOwn } from '../../../../runtime/base/assert.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import { messageOf, RingError } from '../../../../runtime/base/errors.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { align8, ceilPowerOfTwo, formatBytes } from '../../../../runtime/base/units.js';

const base = suite('runtime base');

base('units', () => {
  assert.equal([0, 1, 2, 3, 1024, 1025].map(ceilPowerOfTwo), [1, 1, 2, 4, 1024, 2048]);
  assert.equal([0, 1, 8, 9, 15].map(align8), [0, 8, 8, 16, 16]);
  assert.equal([0, 1023, 1536, 3 * 1024 ** 3].map(formatBytes), ['0 B', '1023 B', '1.5 KiB', '3.0 GiB']);
});

base('a seeded generator repeats itself and stays in its bounds', () => {
  const draw = (seed: number): number[] => {
    const random = new Prng(seed);
    return Array.from({ length: 1000 }, () => random.between(-3, 3));
  };
  assert.equal(draw(1), draw(1));
  assert.not.equal(draw(1), draw(2));
  assert.equal(
    [...new Set(draw(1))].sort((left, right) => left - right),
    [-3, -2, -1, 0, 1, 2, 3],
  );
});

base('asserts stop, faults carry code, facts and cause', () => {
  assertOwn(true);
  assert.throws(
    () => assertOwn(0, 'what'),
    (error: unknown) => error instanceof AssertionError && error.message === 'what',
  );
  assert.throws(() => assertNever('x' as never, 'kind'), /unexpected kind: x/);
  const fault = new RingError('STORE_LOCKED', 'in use', { pid: 1 }, { cause: 'why' });
  assert.equal([fault.code, fault.facts, fault.cause], ['STORE_LOCKED', { pid: 1 }, 'why']);
  assert.equal([messageOf(fault), messageOf('text')], ['in use', 'text']);
});

base('a virtual clock moves only when told to', () => {
  const clock = new VirtualClock(5);
  clock.advance(10);
  assert.equal([clock.nowMs(), clock.monotonicMs()], [15, 15]);
});

base.run();
