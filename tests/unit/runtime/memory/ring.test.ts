/** Looking into a ring from outside. The rest is in tests/property/runtime/memory/ring.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Ring } from '../../../../runtime/memory/ring.js';

const ring = suite('runtime/memory/ring');

const take = (from: Ring): void => {
  assert.ok(from.poll() >= 0);
  from.release();
  from.publishReleased();
};

ring('shows a word of the oldest record to anybody', () => {
  const memory = Ring.allocate(1024);
  const [producer, consumer, observer] = [new Ring(memory), new Ring(memory), new Ring(memory)];
  assert.is(observer.peekWord(1), undefined);
  const put = (value: number, length = 8): void => {
    const at = producer.claim(length);
    assert.ok(at >= 0);
    producer.words[(at >> 2) + 1] = value;
    producer.commit(5, length);
  };
  put(11);
  put(12);
  assert.is(observer.peekWord(1), 11);
  take(consumer);
  assert.is(observer.peekWord(1), 12);
  take(consumer);
  assert.is(observer.peekWord(1), undefined);
  // The next one that does not fit before the end of the memory stands at its start, behind padding.
  for (let value = 0; value < 12; value++) {
    put(value, 300);
    assert.is(observer.peekWord(1), value);
    take(consumer);
  }
});

ring.run();
