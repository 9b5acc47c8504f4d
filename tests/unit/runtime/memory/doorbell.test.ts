import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';

const doorbell = suite('doorbell');

doorbell('a wait on a value read before the ring ends at once', () => {
  const bell = new Doorbell();
  const seen = bell.read();
  new Doorbell(bell.memory).ring();
  // Without a limit: a bell that forgot the ring would hang here.
  bell.wait(seen, Number.POSITIVE_INFINITY);
  assert.is.not(bell.read(), seen);
});

doorbell('a wait nobody rings for ends at its limit', () => {
  const bell = new Doorbell();
  const seen = bell.read();
  bell.wait(seen, 1);
  assert.is(bell.read(), seen);
});

doorbell('an event loop waits only when the bell was not rung since', async () => {
  const bell = new Doorbell();
  const seen = bell.read();
  const rung = bell.waitAsync(seen);
  assert.instance(rung, Promise);
  bell.ring();
  await rung;
  assert.is(bell.waitAsync(seen), undefined);
});

doorbell('a listener on the same thread is called instead', () => {
  const bell = new Doorbell();
  let calls = 0;
  bell.listen(() => calls++);
  bell.ring();
  bell.ring();
  assert.is(calls, 2);
  bell.listen(undefined);
  const seen = bell.read();
  bell.ring();
  assert.is(calls, 2);
  assert.is.not(bell.read(), seen);
});

doorbell.run();
