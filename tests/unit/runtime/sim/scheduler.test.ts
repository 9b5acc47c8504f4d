import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Actor } from '../../../../runtime/actor/contract.js';
import { Ring } from '../../../../runtime/memory/ring.js';
import { SimFailure, SimScheduler } from '../../../../runtime/sim/scheduler.js';

const scheduler = suite('seeded scheduler');

const actor = (
  name: string,
  doWork: (nowMs: number) => number,
  deadlineMs = () => Number.POSITIVE_INFINITY,
): Actor => ({
  name,
  doWork,
  deadlineMs,
  close: () => {},
});

/** Three rooms in a row; each hands on what it gets. */
const pipeline = (seed: number) => {
  const sim = new SimScheduler({ seed, traceSteps: 1000 });
  const rings = [new Ring(Ring.allocate(1024)), new Ring(Ring.allocate(1024))] as const;
  const received: number[] = [];
  let sent = 0;
  sim.add(actor('first', () => (sent < 100 && rings[0].offer(sent, new Uint8Array(8)) ? ++sent && 1 : 0)));
  sim.add(
    actor('second', () => {
      if (rings[0].poll() < 0 || !rings[1].offer(rings[0].type, new Uint8Array(8))) return 0;
      rings[0].release();
      rings[0].publishReleased();
      return 1;
    }),
  );
  sim.add(
    actor('third', () => {
      if (rings[1].poll() < 0) return 0;
      received.push(rings[1].type);
      rings[1].release();
      rings[1].publishReleased();
      return 1;
    }),
  );
  sim.runUntil(() => received.length === 100, 10_000);
  return { received, trace: sim.trace.map(({ who, work }) => `${who} ${work}`).join() };
};

scheduler('runs actors in an order that only the seed decides', () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const run = pipeline(seed);
    assert.equal(
      run.received,
      Array.from({ length: 100 }, (_, index) => index),
    );
    assert.is(run.trace, pipeline(seed).trace);
    orders.add(run.trace);
  }
  assert.is(orders.size, 20);
});

scheduler('moves the clock to the earliest deadline when all are idle', () => {
  const sim = new SimScheduler({ seed: 1 });
  const startMs = sim.clock.nowMs();
  const ticks: string[] = [];
  const every = (name: string, periodMs: number): Actor => {
    let nextMs = startMs + periodMs;
    const work = (nowMs: number): number => {
      if (nowMs < nextMs) return 0;
      ticks.push(`${name}@${nowMs - startMs}`);
      nextMs += periodMs;
      return 1;
    };
    return actor(name, work, () => nextMs);
  };
  sim.add(every('minute', 60_000));
  sim.add(every('twenty', 20_000));
  sim.timers.setTimeout(() => ticks.push(`timer@${sim.clock.nowMs() - startMs}`), 30_000);
  sim.runUntil(() => ticks.length === 5, 1000);
  assert.equal(ticks.slice(0, 3), ['twenty@20000', 'timer@30000', 'twenty@40000']);
  assert.equal(ticks.slice(3).sort(), ['minute@60000', 'twenty@60000']);
});

const failureOf = (run: () => void): SimFailure => {
  try {
    run();
  } catch (error) {
    assert.instance(error, SimFailure);
    return error as SimFailure;
  }
  throw new Error('did not fail');
};

scheduler('a run that does not get there names its seed and its last steps', () => {
  const sim = new SimScheduler({ seed: 4711, traceSteps: 3 });
  sim.add(actor('busy', () => 1));
  const failure = failureOf(() => sim.runUntil(() => false, 100));
  assert.match(failure.message, /not there after 100 steps \(seed 4711\)/);
  assert.match(failure.message, /99 \d+ busy 1$/);
  assert.is(failure.trace.length, 3);
  assert.is(failure.seed, 4711);
});

scheduler('a run in which nothing will happen fails at once', () => {
  const sim = new SimScheduler({ seed: 1 });
  sim.add(actor('idle', () => 0));
  assert.match(failureOf(() => sim.runUntil(() => false, 1_000_000)).message, /none has a deadline/);
});

scheduler('a deadline that is over does not stop the clock', () => {
  const sim = new SimScheduler({ seed: 1 });
  const startMs = sim.clock.nowMs();
  sim.add(
    actor(
      'late',
      () => 0,
      () => startMs,
    ),
  );
  sim.runUntil(() => sim.clock.nowMs() >= startMs + 10, 1000);
  assert.is(sim.clock.nowMs(), startMs + 10);
});

scheduler('a crash fails the run, or is reported to who listens', () => {
  const bug = new Error('bug');
  const crashing = actor('room', () => {
    throw bug;
  });
  const sim = new SimScheduler({ seed: 5 });
  sim.add(crashing);
  const failure = failureOf(() => sim.runUntil(() => false, 10));
  assert.match(failure.message, /room crashed: bug \(seed 5\)/);
  assert.is(failure.cause, bug);

  const crashes: [Actor, unknown][] = [];
  const listening = new SimScheduler({ seed: 5, onCrash: (who, error) => crashes.push([who, error]) });
  let worked = 0;
  listening.add(crashing);
  listening.add(actor('other', () => ++worked));
  listening.runUntil(() => worked === 10 && crashes.length > 0, 1000);
  assert.equal(crashes, [[crashing, bug]]);
});

scheduler('closes its actors in reverse order', () => {
  const sim = new SimScheduler({ seed: 1 });
  const closed: string[] = [];
  for (const name of ['first', 'second']) sim.add({ ...actor(name, () => 0), close: () => closed.push(name) });
  sim.close();
  assert.equal(closed, ['second', 'first']);
});

scheduler.run();
