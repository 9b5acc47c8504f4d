import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AssertionError } from '../../../../runtime/base/assert.js';
import { RingError } from '../../../../runtime/base/errors.js';
import {
  type ErrorRecord,
  fromErrorRecord,
  rebuildError,
  toErrorRecord,
} from '../../../../runtime/control/wire-errors.js';

const wireErrors = suite('errors across threads');

const cross = (error: unknown): Error => fromErrorRecord(structuredClone(toErrorRecord(error)) as ErrorRecord);

wireErrors('a fault keeps class, code, facts, stack and causes', () => {
  const cause = new TypeError('inner');
  const fault = new RingError('STORE_CORRUPT', 'cannot open', { file: 'f', when: { ms: 1 } }, { cause });
  const rebuilt = cross(fault) as RingError;
  assert.instance(rebuilt, RingError);
  assert.is(rebuilt.code, 'STORE_CORRUPT');
  assert.is(rebuilt.message, 'cannot open');
  assert.equal(rebuilt.facts, { file: 'f', when: { ms: 1 } });
  assert.is(rebuilt.stack, fault.stack);
  assert.is((rebuilt.cause as Error).name, 'TypeError');
});

wireErrors('anything else keeps name, message and stack', () => {
  const bug = new AssertionError('cannot be');
  const rebuilt = cross(bug);
  assert.equal([rebuilt.name, rebuilt.message, rebuilt.stack], ['AssertionError', 'cannot be', bug.stack]);
  assert.is(cross('just text').message, 'just text');
  assert.is(cross(undefined).message, 'undefined');
});

wireErrors('facts that cannot be cloned become text', () => {
  const fault = new RingError('LISTEN_FAILED', 'no', { port: 1, listener: Symbol('s') });
  assert.equal((cross(fault) as RingError).facts, { port: 1, listener: 'Symbol(s)' });
});

wireErrors('a chain of causes that has no end is cut', () => {
  const error = new Error('own cause');
  error.cause = error;
  let links = 0;
  for (let at: unknown = cross(error); at instanceof Error; at = at.cause) links++;
  assert.is(links, 9);
});

wireErrors('only records are rebuilt', () => {
  const error = new Error('e');
  assert.is(rebuildError(error), error);
  assert.is(rebuildError(3), 3);
  assert.is((rebuildError(toErrorRecord(new RingError('ACTOR_CRASHED', 'a'))) as RingError).code, 'ACTOR_CRASHED');
});

wireErrors.run();
