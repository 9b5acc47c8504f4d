import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpLedger } from '../../../../actors/transaction-checker/op-ledger.js';

const ledgers = suite('actors/transaction-checker/op-ledger');

const nobody = (): undefined => undefined;

function ledgerAt(offset: number): OpLedger {
  const ledger = new OpLedger();
  ledger.reset(offset);
  return ledger;
}

ledgers('progress goes on over what is done without a gap', () => {
  const ledger = ledgerAt(10);
  for (const halfOffset of [3, 1, 2]) ledger.add([halfOffset], 0, 9, nobody);
  assert.equal([ledger.next, ledger.progress, ledger.ahead], [13, 10, 3]);
  assert.equal([ledger.take(1), ledger.take(2), ledger.progress], [true, true, 10]);
  assert.equal([ledger.take(3), ledger.progress, ledger.ahead], [true, 13, 0]);
  assert.is(ledger.take(3), false);
});

ledgers('an op record that names several is done with the last of them', () => {
  const ledger = ledgerAt(0);
  ledger.add([5, 6, 5, 2], 3, 9, nobody);
  assert.equal([ledger.take(5), ledger.progress, ledger.take(6), ledger.progress], [true, 0, true, 1]);
});

ledgers('a half message that ended twice is done with once, and so are both op records', () => {
  const ledger = ledgerAt(0);
  ledger.add([5], 0, 9, nobody);
  ledger.add([5], 0, 9, nobody);
  assert.is(ledger.progress, 1);
  assert.equal([ledger.take(5), ledger.progress], [true, 2]);
});

ledgers('op records that say nothing, or name only what is passed, are done at once', () => {
  const ledger = ledgerAt(0);
  ledger.skip();
  ledger.add([1, 2], 3, 9, nobody);
  ledger.add([], 3, 9, nobody);
  assert.equal([ledger.progress, ledger.next, ledger.ahead], [3, 3, 0]);
});

ledgers('of what is passed a copy may come: its transaction has ended, until no copy can come any more', () => {
  const ledger = ledgerAt(0);
  ledger.add([1, 2], 3, 8, halfOffset => `t${halfOffset}`);
  ledger.add([1], 3, 9, () => 't1');
  assert.equal([ledger.hasEnded('t1'), ledger.hasEnded('t2'), ledger.hasEnded('t3')], [true, true, false]);
  ledger.passed(7);
  assert.is(ledger.progress, 0);
  ledger.passed(8);
  assert.equal([ledger.hasEnded('t1'), ledger.hasEnded('t2'), ledger.progress], [true, false, 1]);
  ledger.passed(9);
  assert.equal([ledger.hasEnded('t1'), ledger.progress], [false, 2]);
});

ledgers('after a start what an op record names may have copies before and behind it', () => {
  const ledger = ledgerAt(0);
  ledger.add([5], 3, 9, () => 't5', true);
  assert.equal([ledger.hasEnded('t5'), ledger.take(5), ledger.progress], [true, true, 0]);
  ledger.passed(9);
  assert.equal([ledger.hasEnded('t5'), ledger.progress], [false, 1]);
});

ledgers('half messages that were skipped hold no op record back', () => {
  const ledger = ledgerAt(0);
  ledger.add([4], 0, 9, nobody);
  ledger.add([7], 0, 9, nobody);
  ledger.skipped(7);
  assert.equal([ledger.progress, ledger.take(4), ledger.take(7)], [1, false, true]);
});

ledgers('a reset forgets everything', () => {
  const ledger = ledgerAt(0);
  ledger.add([4], 0, 9, nobody);
  ledger.add([1], 3, 9, () => 't');
  ledger.reset(20);
  assert.equal([ledger.progress, ledger.next, ledger.take(4), ledger.hasEnded('t')], [20, 20, false, false]);
});

ledgers.run();
