import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Counter, Counters, counterNames } from '../../../../runtime/memory/counters.js';

const counters = suite('counters');

counters('are read from outside through the same memory', () => {
  const actor = new Counters();
  const outside = new Counters(actor.memory);
  actor.add(Counter.messagesAppended);
  actor.add(Counter.bytesAppended, 2 ** 40);
  assert.is(outside.read('messagesAppended'), 1);
  assert.equal(outside.snapshot(), { messagesAppended: 1, bytesAppended: 2 ** 40 });
});

counters('each have a word of their own', () => {
  const actor = new Counters();
  for (const [index, name] of counterNames.entries()) actor.add(Counter[name], index + 1);
  assert.equal(
    Object.values(actor.snapshot()),
    counterNames.map((_, index) => index + 1),
  );
});

counters.run();
