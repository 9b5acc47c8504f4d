import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AckGate } from '../../../../actors/remoting/ack-gate.js';
import { high32, join64, low32 } from '../../../../actors/remoting/mailbox.js';

const gate = suite('actors/remoting/ack-gate');

const add = (subject: AckGate, end: number): number => {
  const slot = subject.add();
  subject.end[slot] = end;
  subject.opaque[slot] = end;
  return slot;
};

gate('gives results in the order of the log, up to a position', () => {
  const subject = new AckGate(4);
  assert.equal([subject.size, subject.oldest(), subject.ready(1e12)], [0, -1, -1]);
  for (const end of [100, 200, 300]) add(subject, end);
  assert.equal([subject.size, subject.ready(99)], [3, -1]);
  const seen: number[] = [];
  for (let slot = subject.ready(250); slot >= 0; slot = subject.ready(250)) {
    seen.push(subject.opaque[slot]!);
    subject.shift();
  }
  assert.equal([seen, subject.size, subject.end[subject.oldest()]], [[100, 200], 1, 300]);
});

gate('goes round and round', () => {
  const subject = new AckGate(4);
  let released = 0;
  for (let index = 0; index < 1000; index++) {
    add(subject, index);
    if (index % 3 === 0) continue;
    while (subject.ready(index) >= 0) {
      assert.is(subject.opaque[subject.oldest()], released++);
      subject.shift();
    }
  }
  assert.ok(subject.size <= 4);
});

gate('holds no more than the permits, and forgets the sizes of what went', () => {
  const subject = new AckGate(2);
  subject.sizes[add(subject, 1)] = Int32Array.from([1, 2]);
  add(subject, 2);
  assert.throws(() => subject.add(), /permits bound the gate/);
  subject.shift();
  assert.is(subject.sizes[add(subject, 3)], undefined);
  assert.throws(() => new AckGate(3), /power of two/);
});

gate('positions beyond 2^32 cross a ring in two words', () => {
  for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12_345, 2 ** 53 - 1]) {
    assert.is(join64(low32(value), high32(value)), value, String(value));
  }
});

gate.run();
