/** The checks of half messages, row by row of the table in spec transaction 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransactionChecker } from '../../../../actors/transaction-checker/actor.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import {
  discardTopic,
  type HalfParts,
  halfTopic,
  realTopic,
  TransactionLife,
  type TransactionLifeOptions,
} from '../../../support/transaction-life.js';

const checker = suite('actors/transaction-checker');

const MINUTE_MS = 60_000;

class Bench {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory);
  readonly clock = new VirtualClock();
  life: TransactionLife;

  constructor(options: Partial<TransactionLifeOptions> = {}) {
    this.life = this.start(options);
  }

  start(options: Partial<TransactionLifeOptions> = {}): TransactionLife {
    this.life = new TransactionLife({ memory: this.memory, disk: this.disk, clock: this.clock, ...options });
    return this.life;
  }

  /** Half messages, stored. */
  half(...all: HalfParts[]): void {
    for (const parts of all) this.life.putHalf(parts);
    this.life.settle();
    this.life.results();
  }

  op(...bodies: (string | number)[]): void {
    for (const body of bodies) this.life.putOp(body);
    this.life.settle();
  }

  /** Until the next run is over. */
  run(): void {
    const before = this.life.progressAsked;
    while (this.life.progressAsked === before) this.life.pass(1000);
  }

  get asked(): (string | undefined)[] {
    return this.life.questions.map(question => question.fields.transactionId);
  }

  timesOf(offset: number): string | undefined {
    return this.life.stored(halfTopic)[offset]!.properties.get('TRANSACTION_CHECK_TIMES');
  }
}

checker('a decided half message is passed, and so is its op record', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' }, { transaction: 'b' });
  bench.op(0, 1);
  bench.run();
  assert.equal(bench.asked, []);
  assert.equal(bench.life.progress, { half: 2, op: 2 });
  assert.is(bench.life.shop.counters('transaction-checker').read('halfMessagesDecided'), 2);
});

checker('at rest it begins no run, and goes on afterwards', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  const room = bench.life.actors.find(actor => actor instanceof TransactionChecker)!;
  room.rest(true);
  for (let minute = 0; minute < 10; minute++) bench.life.pass(MINUTE_MS);
  assert.is(bench.life.progressAsked, 0);
  assert.not(room.isBusy);
  room.rest(false);
  bench.run();
  assert.equal(bench.asked, ['a']);
});

checker('an undecided one is stored again and its producer asked about the copy', () => {
  const bench = new Bench();
  const bornTimestamp = bench.clock.nowMs();
  bench.half({ transaction: 'a', more: { KEYS: 'k' }, flag: 7, bornTimestamp });
  bench.run();
  const [original, copy] = bench.life.stored(halfTopic);
  assert.equal(bench.life.progress, { half: 1, op: -1 });
  assert.is(copy!.properties.get('TRANSACTION_CHECK_TIMES'), '1');
  assert.equal([copy!.queueOffset, copy!.flag, copy!.bornTimestampMs], [1, 7, bornTimestamp]);
  assert.equal(copy!.body, original!.body);
  const [question] = bench.life.questions;
  assert.is(question!.group, 'PG');
  assert.equal(question!.fields, {
    tranStateTableOffset: '1',
    commitLogOffset: String(copy!.physicalOffset),
    offsetMsgId: `0A00000200002A9F${copy!.physicalOffset.toString(16).toUpperCase().padStart(16, '0')}`,
    msgId: 'a',
    transactionId: 'a',
  });
  const { message } = question!;
  assert.equal([message.topic, message.queueId, message.queueOffset], [realTopic, 0, 1]);
  assert.equal([message.physicalOffset, message.storeTimestampMs], [copy!.physicalOffset, original!.storeTimestampMs]);
  assert.equal([...message.properties], [...copy!.properties]);
  assert.equal(message.body, original!.body);
});

checker('an answer to the question names the copy', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  bench.run();
  bench.op(bench.life.questions[0]!.fields.tranStateTableOffset!);
  bench.run();
  bench.run();
  assert.equal(bench.asked, ['a']);
  assert.equal(bench.life.progress, { half: 2, op: 1 });
});

checker('asked transactionCheckMax times, then given up with everything it had', () => {
  const bench = new Bench({ settings: { transactionCheckMax: 3 } });
  bench.half({ transaction: 'a', flag: 5 });
  for (let run = 1; run <= 3; run++) {
    bench.run();
    assert.is(bench.asked.length, run);
    assert.is(bench.timesOf(run), String(run));
    assert.equal(bench.life.stored(discardTopic), []);
  }
  bench.run();
  const [discarded, ...more] = bench.life.stored(discardTopic);
  assert.equal([bench.asked.length, more.length], [3, 0]);
  assert.equal([discarded!.queueId, discarded!.queueOffset, discarded!.flag], [0, 0, 5]);
  assert.equal([...discarded!.properties], [...bench.life.stored(halfTopic)[3]!.properties]);
  assert.is(bench.life.progress.half, 4);
  bench.run();
  assert.is(bench.life.stored(halfTopic).length, 4, 'nothing is left to check');
});

checker('one older than fileReservedTime is given up unasked', () => {
  const bench = new Bench({ settings: { fileReservedTime: 1 } });
  bench.half({ transaction: 'old', bornTimestamp: bench.clock.nowMs() - 3_600_001 });
  bench.run();
  assert.equal([bench.asked, bench.life.stored(discardTopic).length], [[], 1]);
});

checker('a decided one is never given up, however many op records stand before its own', () => {
  const bench = new Bench({ settings: { transactionCheckMax: 1 } });
  bench.half({ transaction: 'a' });
  bench.run();
  for (let index = 0; index < 100; index++) bench.life.putOp(5000 + index);
  bench.op(1);
  bench.run();
  assert.equal([bench.life.stored(discardTopic), bench.asked], [[], ['a']]);
  assert.is(bench.life.progress.half, 2);
});

checker('young ones, and what is behind them, wait', () => {
  const bench = new Bench({ settings: { transactionTimeOut: 90_000 } });
  bench.half({ transaction: 'young' });
  bench.half({ transaction: 'old', bornTimestamp: bench.clock.nowMs() - 200_000 });
  bench.run();
  assert.equal([bench.asked, bench.life.progress.half], [[], -1]);
  bench.run();
  assert.equal(bench.asked, ['young', 'old']);
});

checker('what was stored since the run began waits: copies are not asked about twice in a run', () => {
  const bench = new Bench({ settings: { transactionTimeOut: 0 } });
  bench.half({ transaction: 'a' }, { transaction: 'b' });
  bench.run();
  assert.equal(bench.asked, ['a', 'b']);
  assert.is(bench.life.progress.half, 2);
});

checker('a producer whose clock is ahead is asked at once', () => {
  const bench = new Bench();
  bench.half({ transaction: 'ahead', bornTimestamp: bench.clock.nowMs() + 10 * MINUTE_MS });
  bench.run();
  assert.equal(bench.asked, ['ahead']);
});

const immune = { CHECK_IMMUNITY_TIME_IN_SECONDS: '150' };

checker('an immune one goes to the end unasked and uncounted until its time is over', () => {
  const bench = new Bench({ settings: { transactionCheckMax: 1 } });
  bench.half({ transaction: 'immune', more: immune }, { transaction: 'b' });
  bench.run();
  assert.equal(bench.asked, ['b']);
  const back = bench.life.stored(halfTopic)[2]!;
  assert.is(back.properties.get('TRAN_PREPARED_QUEUE_OFFSET'), '0');
  assert.is(back.properties.get('TRANSACTION_CHECK_TIMES'), undefined);
  bench.run();
  assert.is(bench.life.stored(halfTopic).at(-1)!.properties.get('TRAN_PREPARED_QUEUE_OFFSET'), '0');
  bench.run();
  assert.equal(bench.asked, ['b', 'immune']);
});

for (const transaction of ['immune', null]) {
  checker(
    `an immune one ${transaction ?? 'without key'} that ends late, by the offset its producer knows, is not asked about`,
    () => {
      const bench = new Bench();
      bench.half({ transaction, more: immune }, { transaction: 'b' });
      bench.run();
      bench.op(0, 1, 3);
      for (let run = 0; run < 4; run++) bench.run();
      assert.equal(bench.asked, ['b']);
      assert.is(bench.life.progress.half, bench.life.stored(halfTopic).length);
      assert.is(bench.life.progress.op, 3, 'late op records are done with in the end');
    },
  );
}

checker('an immunity that is no number, or -1, means transactionTimeOut', () => {
  const bench = new Bench({ settings: { transactionTimeOut: 1000 } });
  for (const seconds of ['-1', 'soon']) {
    bench.half({ transaction: seconds, more: { CHECK_IMMUNITY_TIME_IN_SECONDS: seconds } });
  }
  bench.run();
  assert.equal(bench.asked, ['-1', 'soon']);
});

checker('a transaction that ends late, after the question about its copy left, is not asked about again', () => {
  const bench = new Bench();
  bench.half({ transaction: 'late' });
  bench.run();
  bench.op(0);
  bench.run();
  bench.run();
  assert.equal(bench.asked, ['late']);
  assert.equal(bench.life.progress, { half: 2, op: 1 });
});

checker('the same after a restart in between', () => {
  const bench = new Bench();
  bench.half({ transaction: 'late' });
  bench.run();
  bench.op(0);
  const { progress } = bench.life;
  bench.life.close();
  bench.start({ progress });
  bench.run();
  bench.run();
  assert.equal(bench.asked, []);
  assert.equal(bench.life.progress, { half: 2, op: 1 });
});

checker('a run that a crash cut short is done again: one question for two copies, none for a copy that ended', () => {
  const bench = new Bench();
  bench.half({ transaction: 'open' }, { transaction: 'ended' });
  bench.run();
  bench.op(3);
  bench.start({ progress: { half: 0, op: 0 } });
  bench.run();
  assert.equal(bench.asked, ['open']);
  assert.is(bench.life.progress.half, 4);
  bench.op(4);
  bench.run();
  assert.equal([bench.asked, bench.life.progress], [['open'], { half: 5, op: 2 }]);
});

checker('op records of 5.x name several, each with a comma behind it', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' }, { transaction: 'b' }, { transaction: 'c' });
  bench.op('0,2,2,');
  bench.run();
  assert.equal(bench.asked, ['b']);
  assert.equal(bench.life.progress, { half: 3, op: 1 });
});

checker('an op record is done when all it names are, and progress has no gap', () => {
  const bench = new Bench({ settings: { transactionTimeOut: 90_000 } });
  bench.half({ transaction: 'a' }, { transaction: 'young' }, { transaction: 'c' });
  bench.op('0,2,', 'nonsense', 0);
  bench.run();
  assert.equal(bench.life.progress, { half: 1, op: -1 });
  bench.op(1);
  bench.run();
  assert.equal([bench.life.progress, bench.asked], [{ half: 3, op: 4 }, []]);
});

checker('op records with another tag count for nothing and do not get in the way', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  bench.life.putOp(0, 'x');
  bench.life.settle();
  bench.run();
  assert.equal([bench.asked, bench.life.progress], [['a'], { half: 1, op: 1 }]);
});

checker('progress beyond the queues is corrected, as after a loss of power', () => {
  const bench = new Bench({ progress: { half: 50, op: 70 } });
  bench.half({ transaction: 'a' });
  bench.op(0);
  bench.run();
  assert.equal(bench.life.progress, { half: 1, op: 1 });
  bench.half({ transaction: 'b' });
  bench.run();
  assert.equal(bench.asked, ['b']);
});

checker('somebody who moves the offsets back has everything checked again', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  bench.op(0);
  bench.run();
  bench.life.progress.half = 0;
  bench.run();
  assert.equal([bench.asked, bench.life.progress.half], [['a'], 1], 'its op record is passed');
});

checker('who cannot be asked is counted and given up all the same', () => {
  const bench = new Bench({ settings: { transactionCheckMax: 1 } });
  bench.half({ transaction: 'nobody', group: null }, { transaction: 'nowhere', more: { REAL_QID: 'x' } });
  bench.run();
  bench.run();
  assert.equal([bench.asked, bench.life.stored(discardTopic).length], [[], 2]);
});

checker('one without room for a property more is given up', () => {
  const bench = new Bench({ ringBytes: 256 * 1024 });
  bench.half({ transaction: 'full', more: { P: 'x'.repeat(32_767 - 75) } }, { transaction: 'b' });
  bench.run();
  assert.equal([bench.asked, bench.life.stored(discardTopic).length], [['b'], 1]);
});

checker('one larger than a ring takes is left alone', () => {
  const bench = new Bench({ ringBytes: 1024 * 1024 });
  bench.half({ transaction: 'large', body: new Uint8Array(100_000) }, { transaction: 'b' });
  const { progress } = bench.life;
  bench.life.close();
  bench.start({ progress, ringBytes: 64 * 1024 });
  bench.run();
  assert.equal([bench.asked, bench.life.progress.half], [['b'], 2]);
});

checker('a copy that cannot be stored is tried again, and nothing is passed meanwhile', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  bench.disk.faults.fail = (call, path) => (call === 'write' && path.includes('/commitlog/') ? 'EIO' : undefined);
  bench.life.pass(61_000);
  assert.equal([bench.asked, bench.life.progress.half], [[], -1]);
  delete bench.disk.faults.fail;
  bench.life.pass(2000);
  assert.equal([bench.asked, bench.life.progress.half], [['a'], 1]);
});

checker('a run that cannot read ends, and the next one goes on', () => {
  const bench = new Bench();
  bench.half({ transaction: 'a' });
  bench.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  bench.run();
  assert.equal(bench.asked, []);
  delete bench.disk.faults.fail;
  bench.run();
  assert.equal(bench.asked, ['a']);
});

checker('progress waits until copies and op records are on the device', () => {
  const bench = new Bench({ syncFlush: false });
  bench.half({ transaction: 'a' }, { transaction: 'b' });
  bench.op(1);
  bench.life.pass(1000);
  const flushed = bench.life.shop.positions.read('flushed');
  bench.run();
  assert.equal(bench.asked, ['a']);
  if (bench.life.shop.positions.read('flushed') === flushed) assert.is(bench.life.progress.half, -1);
  bench.life.pass(11_000);
  assert.equal(bench.life.progress, { half: 2, op: 1 });
});

checker('many undecided ones take several duty cycles', () => {
  const bench = new Bench();
  for (let index = 0; index < 1000; index++) bench.half({ transaction: `t${index}`, bornTimestamp: 1_699_999_000_000 });
  bench.run();
  bench.life.pass(3000);
  assert.is(new Set(bench.asked).size, 1000);
  assert.is(bench.life.progress.half, 1000);
});

checker('switched off it asks nobody, switched on it begins', () => {
  const bench = new Bench({ settings: { check: false } });
  bench.half({ transaction: 'a' });
  bench.life.pass(5 * MINUTE_MS);
  assert.equal([bench.asked, bench.life.progressAsked], [[], 0]);
  assert.is(
    bench.life.actors.find(({ name }) => name === 'transaction-checker')!.deadlineMs(),
    Number.POSITIVE_INFINITY,
  );
  bench.life.change({ check: true, transactionCheckInterval: 5000 });
  bench.life.pass(6000);
  assert.equal(bench.asked, ['a']);
  bench.life.change({ check: false });
  bench.life.pass(5 * MINUTE_MS);
  assert.equal(bench.asked, ['a']);
});

checker('an idle one sleeps from run to run', () => {
  const bench = new Bench();
  bench.run();
  const nowMs = bench.clock.nowMs();
  const room = bench.life.actors.find(({ name }) => name === 'transaction-checker')!;
  assert.is(room.doWork(nowMs), 0);
  assert.ok(room.deadlineMs() >= nowMs + 59_000, `${room.deadlineMs() - nowMs}`);
});

checker.run();
