import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createActor, initialTransition, SimulatedClock, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import {
  backoffMs,
  type CrashPolicy,
  escalate,
  type LifecycleEvent,
  lifecycleMachine,
  restartLanes,
} from '../../../../runtime/actor/lifecycle.machine.js';

const lifecycle = suite('lifecycle machine');

const crashed: LifecycleEvent = { type: 'CRASHED', error: new Error('e'), nowMs: 1_000_000 };
const backoffOver = { type: 'xstate.after.backoff.lifecycle.restarting' } as unknown as LifecycleEvent;
const events: LifecycleEvent[] = [{ type: 'STARTED' }, { type: 'DRAIN' }, { type: 'STOPPED' }, crashed, backoffOver];

/** Every shortest path; crashes count only up to the limit, so there is an end. */
const pathsOf = (policy: CrashPolicy) =>
  getShortestPaths(lifecycleMachine, {
    input: { policy },
    events,
    limit: 5000,
    serializeState: snapshot => `${JSON.stringify(snapshot.value)} ${snapshot.context.crashesMs.length}`,
    serializeEvent: event => event.type,
  });

const effectsOf: Readonly<Record<string, readonly string[]>> = {
  starting: ['start'],
  draining: ['drain'],
};

for (const [name, policy, expected] of [
  ['restart', restartLanes, ['draining', 'failed', 'restarting', 'running', 'starting', 'stopped']],
  ['escalate', escalate, ['draining', 'failed', 'running', 'starting', 'stopped']],
] as const) {
  lifecycle(`every shortest path holds its promises (${name})`, () => {
    const paths = pathsOf(policy);
    assert.equal([...new Set(paths.map(path => String(path.state.value)))].sort(), expected);
    for (const path of paths) {
      let crashes = 0;
      let [snapshot, actions] = initialTransition(lifecycleMachine, { policy });
      for (const { event } of path.steps.slice(1)) {
        const before = snapshot.value;
        [snapshot, actions] = transition(lifecycleMachine, snapshot, event);
        if (event.type === 'CRASHED' && before !== snapshot.value) crashes++;
        const own = actions.map(action => action.type).filter(type => !type.startsWith('xstate.'));
        assert.equal(
          own,
          before === snapshot.value ? [] : (effectsOf[snapshot.value] ?? []),
          `${before} ${event.type}`,
        );
        assert.is.not(snapshot.value, 'crashed', 'nobody stays crashed');
      }
      assert.is(snapshot.value, path.state.value);
      assert.is(snapshot.context.crashesMs.length, crashes);
      assert.is(snapshot.status === 'done', snapshot.value === 'stopped' || snapshot.value === 'failed');
      if (snapshot.value === 'failed') assert.is(crashes, policy.kind === 'escalate' ? 1 : 6);
    }
  });
}

lifecycle('backs off 100 ms doubling to 5 s', () => {
  const context = (crashes: number) => ({
    policy: restartLanes,
    crashesMs: Array.from({ length: crashes }, () => 0),
    error: undefined,
  });
  assert.equal(
    [1, 2, 3, 4, 5, 6, 7, 8].map(crashes => backoffMs(context(crashes))),
    [100, 200, 400, 800, 1600, 3200, 5000, 5000],
  );
});

lifecycle('waits for its backoff and forgets crashes that are long ago', () => {
  const clock = new SimulatedClock();
  const machine = createActor(lifecycleMachine, { input: { policy: restartLanes }, clock });
  machine.start();
  let nowMs = 0;
  for (let crash = 0; crash < 20; crash++) {
    machine.send({ type: 'STARTED' });
    assert.is(machine.getSnapshot().value, 'running');
    nowMs += 20_000;
    machine.send({ type: 'CRASHED', error: new Error('e'), nowMs });
    assert.is(machine.getSnapshot().value, 'restarting');
    const delayMs = backoffMs(machine.getSnapshot().context);
    clock.increment(delayMs - 1);
    assert.is(machine.getSnapshot().value, 'restarting');
    clock.increment(1);
    assert.is(machine.getSnapshot().value, 'starting');
  }
  assert.is(machine.getSnapshot().context.crashesMs.length, 3);
  machine.stop();
});

lifecycle.run();
