import { MessageChannel, type Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../../runtime/base/errors.js';
import {
  type ControlCaller,
  connectControl,
  connectInline,
  openControlLine,
  transfer,
} from '../../../../runtime/control/endpoint.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import { withWorkers } from '../../../support/worker-harness.js';
import type { ControlWorkerData, TestControl } from './control.worker.js';

const control = suite('control endpoint');
const workerFile = new URL('./control.worker.js', import.meta.url);

const withActor = (
  loop: ControlWorkerData['loop'],
  work: (caller: ControlCaller<TestControl>, worker: Worker) => Promise<void>,
): Promise<void> =>
  withWorkers(async workers => {
    const bell = new Doorbell();
    const line = openControlLine(bell);
    const data: ControlWorkerData = { control: line.callee, bell: bell.memory, loop };
    const worker = workers.start(workerFile, data, [line.callee.port]);
    const caller = connectControl<TestControl>(line.caller, { name: 'room' });
    try {
      await work(caller, worker);
    } finally {
      caller.close();
    }
  });

const rejection = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('was not rejected');
};

const codeOf = (error: Error): string | undefined => (error instanceof RingError ? error.code : undefined);

for (const loop of ['blocking', 'event-loop'] as const) {
  control(`calls reach an actor with a ${loop} loop`, async () => {
    await withActor(loop, async ({ remote }) => {
      // The loop sleeps a minute between these; each call has five seconds.
      for (let round = 0; round < 50; round++) assert.is(await remote.add(round, 1), round + 1);
      const sums = await Promise.all(Array.from({ length: 50 }, (_, index) => remote.add(index, index)));
      assert.equal(
        sums,
        Array.from({ length: 50 }, (_, index) => 2 * index),
      );
    });
  });

  control(`errors come back from a ${loop} loop with code, facts and cause`, async () => {
    await withActor(loop, async ({ remote }) => {
      const fault = await rejection(remote.fail());
      assert.is(codeOf(fault), 'DISK_WRITE_FAILED');
      assert.is(fault.message, 'no space');
      assert.is((fault as RingError).facts.path, 'p');
      assert.is((fault.cause as Error).message, 'ENOSPC');
      const bug = await rejection(remote.failPlainly());
      assert.equal([bug.name, bug.message], ['TypeError', 'not a number']);
      assert.match(bug.stack!, /control\.worker/);
      assert.match((await rejection(remote.unserializable())).message, /Unserializable/);
      assert.is(await remote.add(1, 1), 2);
    });
  });
}

control('a blocking actor may answer from within a later cycle', async () => {
  await withActor('blocking', async ({ remote }) => {
    assert.is(await remote.drain(10), undefined);
    assert.is(await remote.add(1, 2), 3);
  });
});

control('ports are handed over, not copied', async () => {
  await withActor('blocking', async ({ remote }) => {
    const { port1, port2 } = new MessageChannel();
    const greeting = new Promise(resolve => port1.once('message', resolve));
    await remote.attach(transfer(port2, [port2]));
    assert.is(await greeting, 'hello');
    port1.close();
  });
});

control('a call has a deadline', async () => {
  await withActor('blocking', async caller => {
    const error = await rejection(caller.within(50).never());
    assert.is(codeOf(error), 'REQUEST_TIMEOUT');
    assert.equal((error as RingError).facts, { actor: 'room', method: 'never', deadlineMs: 50 });
    assert.is(await caller.remote.add(2, 2), 4);
  });
});

control('a dead thread rejects all pending calls and all later ones with one cause', async () => {
  await withActor('event-loop', async ({ remote }) => {
    const first = rejection(remote.never());
    const second = rejection(remote.never());
    await remote.crash();
    const error = await first;
    assert.is(codeOf(error), 'ACTOR_CRASHED');
    assert.is(await second, error);
    assert.is(await rejection(remote.add(1, 1)), error);
  });
});

control('a terminated thread that was blocked does so too', async () => {
  await withActor('blocking', async ({ remote }, worker) => {
    assert.is(await remote.add(1, 1), 2);
    const pending = rejection(remote.never());
    await worker.terminate();
    assert.is(codeOf(await pending), 'ACTOR_CRASHED');
  });
});

control('its host can tell the cause first', async () => {
  await withActor('event-loop', async caller => {
    const pending = rejection(caller.remote.never());
    const cause = new Error('out of memory');
    caller.fail(cause);
    const error = await pending;
    assert.is(error.message, 'room stopped: out of memory');
    assert.is(error.cause, cause);
  });
});

control('an actor ends its line itself', async () => {
  await withActor('blocking', async ({ remote }) => {
    const pending = rejection(remote.never());
    await remote.stop();
    assert.is(codeOf(await pending), 'ACTOR_CRASHED');
  });
});

control('is the same on one thread', async () => {
  const surface = {
    calls: 0,
    add(left: number, right: number): number {
      this.calls++;
      return left + right;
    },
    fail: (): never => {
      throw new RingError('STORE_LOCKED', 'in use');
    },
    never: (): Promise<void> => new Promise(() => {}),
  };
  const caller = connectInline(surface, { name: 'room' });
  const answer = caller.remote.add(1, 2);
  assert.is(surface.calls, 0, 'it runs after the turn of its caller');
  assert.is(await answer, 3);
  assert.is(codeOf(await rejection(caller.remote.fail())), 'STORE_LOCKED');
  assert.is(codeOf(await rejection(caller.within(20).never())), 'REQUEST_TIMEOUT');
  const pending = rejection(caller.remote.never());
  caller.fail(new Error('gone'));
  assert.is(codeOf(await pending), 'ACTOR_CRASHED');
  assert.is(codeOf(await rejection(caller.remote.add(1, 1))), 'ACTOR_CRASHED');
  const closed = connectInline(surface, { name: 'room' });
  closed.close();
  assert.is(codeOf(await rejection(closed.remote.add(1, 1))), 'CONNECTION_CLOSED');
});

control.run();
