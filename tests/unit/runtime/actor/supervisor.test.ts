import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CrashPolicy, escalate, restartLanes } from '../../../../runtime/actor/lifecycle.machine.js';
import { type Supervised, Supervisor } from '../../../../runtime/actor/supervisor.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import type { RingError } from '../../../../runtime/base/errors.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { VirtualTimers } from '../../../../runtime/sim/virtual-timers.js';

const supervisor = suite('supervisor');

class TestRoom implements Supervised {
  readonly name: string;
  readonly policy: CrashPolicy;
  starts = 0;
  drains = 0;
  /** The next starts end so. */
  onStart = (): Promise<void> => Promise.resolve();
  onDrain = (): Promise<void> => Promise.resolve();

  constructor(name: string, policy: CrashPolicy) {
    this.name = name;
    this.policy = policy;
  }

  start(): Promise<void> {
    this.starts++;
    return this.onStart();
  }

  drain(): Promise<void> {
    this.drains++;
    return this.onDrain();
  }
}

const open = () => {
  const clock = new VirtualClock();
  const timers = new VirtualTimers(clock);
  const failures: { name: string; fault: RingError }[] = [];
  const changes: string[] = [];
  const subject = new Supervisor({
    clock,
    timers,
    logger: silentLogger,
    onFailed: (name, fault) => failures.push({ name, fault }),
    onChanged: (name, state) => changes.push(`${name} ${state}`),
  });
  return { subject, timers, failures, changes };
};

/** Lets promises that are settled be heard. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

supervisor('starts an actor and drains it', async () => {
  const { subject, changes, failures } = open();
  const room = new TestRoom('writer', escalate);
  await subject.supervise(room);
  assert.is(subject.stateOf('writer'), 'running');
  await subject.stop('writer');
  await subject.stop('writer');
  assert.is(subject.stateOf('writer'), 'stopped');
  assert.equal([room.starts, room.drains], [1, 1]);
  assert.equal(changes, ['writer starting', 'writer running', 'writer draining', 'writer stopped']);
  assert.equal(failures, []);
  assert.is(subject.stateOf('nobody'), undefined);
  await subject.stop('nobody');
});

supervisor('an escalating crash is the failure of the node, with its reason', async () => {
  const { subject, failures } = open();
  const room = new TestRoom('writer', escalate);
  await subject.supervise(room);
  const reason = new Error('disk gone');
  subject.crashed('writer', reason);
  subject.crashed('writer', new Error('and its thread ended'));
  assert.is(subject.stateOf('writer'), 'failed');
  assert.is(failures.length, 1);
  const { name, fault } = failures[0]!;
  assert.equal([name, fault.code, fault.message], ['writer', 'ACTOR_CRASHED', 'writer crashed: disk gone']);
  assert.is(fault.cause, reason);
  await subject.stop('writer');
  assert.equal([room.starts, room.drains], [1, 0]);
});

supervisor('restarts a lane later each time, and gives up after five times in a minute', async () => {
  const { subject, timers, failures } = open();
  const room = new TestRoom('lane', restartLanes);
  await subject.supervise(room);
  for (const [index, delayMs] of [100, 200, 400, 800, 1600].entries()) {
    subject.crashed('lane', new Error(`crash ${index}`));
    subject.crashed('lane', new Error('reported twice'));
    assert.is(subject.stateOf('lane'), 'restarting');
    timers.advance(delayMs - 1);
    assert.is(room.starts, 1 + index);
    timers.advance(1);
    assert.is(room.starts, 2 + index);
    await settle();
    assert.is(subject.stateOf('lane'), 'running');
  }
  assert.equal(failures, []);
  subject.crashed('lane', new Error('crash 5'));
  assert.is(subject.stateOf('lane'), 'failed');
  assert.is(failures[0]!.fault.message, 'lane crashed: crash 5');
  assert.is(failures[0]!.fault.facts.crashes, 6);
});

supervisor('forgets crashes that are more than a minute ago', async () => {
  const { subject, timers, failures } = open();
  const room = new TestRoom('lane', restartLanes);
  await subject.supervise(room);
  for (let crash = 0; crash < 30; crash++) {
    subject.crashed('lane', new Error('now and then'));
    timers.advance(15_000);
    await settle();
    assert.is(subject.stateOf('lane'), 'running');
  }
  assert.is(room.starts, 31);
  assert.equal(failures, []);
});

supervisor('a start that fails is a crash', async () => {
  const { subject, timers, failures } = open();
  const lane = new TestRoom('lane', restartLanes);
  lane.onStart = async () => {
    if (lane.starts < 3) throw new Error('not yet');
  };
  const running = subject.supervise(lane);
  await settle();
  timers.advance(100);
  await settle();
  timers.advance(200);
  await running;
  assert.is(subject.stateOf('lane'), 'running');
  assert.is(lane.starts, 3);

  const writer = new TestRoom('writer', escalate);
  writer.onStart = () => {
    throw new Error('thrown at once');
  };
  const fault = await subject.supervise(writer).then(
    () => undefined,
    (error: RingError) => error,
  );
  assert.is(fault?.message, 'writer crashed: thrown at once');
  assert.equal(
    failures.map(({ name }) => name),
    ['writer'],
  );
});

supervisor('takes no notice of what an earlier start answers late', async () => {
  const { subject, timers } = open();
  const lane = new TestRoom('lane', restartLanes);
  const answers: (() => void)[] = [];
  lane.onStart = () => new Promise<void>(resolve => void answers.push(resolve));
  const running = subject.supervise(lane);
  subject.crashed('lane', new Error('died while it started'));
  timers.advance(100);
  answers[0]!();
  await settle();
  assert.is(subject.stateOf('lane'), 'starting');
  answers[1]!();
  await running;
  assert.is(subject.stateOf('lane'), 'running');
});

supervisor('a stop ends the wait for a restart', async () => {
  const { subject, timers } = open();
  const lane = new TestRoom('lane', restartLanes);
  await subject.supervise(lane);
  subject.crashed('lane', new Error('e'));
  await subject.stop('lane');
  timers.advance(10_000);
  assert.equal([subject.stateOf('lane'), lane.starts, lane.drains], ['stopped', 1, 0]);
  await subject.supervise(lane);
  assert.is(subject.stateOf('lane'), 'running');
});

supervisor('a crash while draining ends a lane and fails a writer', async () => {
  const { subject, failures } = open();
  const lane = new TestRoom('lane', restartLanes);
  const writer = new TestRoom('writer', escalate);
  for (const room of [lane, writer]) {
    room.onDrain = () => new Promise(() => {});
    await subject.supervise(room);
  }
  const stopped = Promise.all([subject.stop('lane'), subject.stop('writer')]);
  subject.crashed('lane', new Error('e'));
  subject.crashed('writer', new Error('e'));
  await stopped;
  assert.equal([subject.stateOf('lane'), subject.stateOf('writer')], ['stopped', 'failed']);
  assert.is(failures.length, 1);
});

supervisor('stops all in reverse order, one after another', async () => {
  const { subject, changes } = open();
  for (const name of ['writer', 'flush', 'remoting']) await subject.supervise(new TestRoom(name, escalate));
  changes.length = 0;
  await subject.stopAll();
  assert.equal(changes, [
    'remoting draining',
    'remoting stopped',
    'flush draining',
    'flush stopped',
    'writer draining',
    'writer stopped',
  ]);
});

supervisor.run();
