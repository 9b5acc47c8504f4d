import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TaskPool } from '../../../client/task-pool.js';

const pool = suite('client/task-pool');

pool('runs in order, so many at a time', async () => {
  const tasks = new TaskPool(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  for (let n = 0; n < 4; n++) {
    tasks.submit(() => {
      started.push(n);
      return new Promise<void>(resolve => ends.push(resolve));
    });
  }
  assert.equal(started, [0, 1]);
  ends[1]!();
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(started, [0, 1, 2]);
  tasks.stop();
  tasks.submit(async () => {
    started.push(99);
  });
  assert.is(await tasks.whenIdle(5), false);
  const idle = tasks.whenIdle(10_000);
  for (const end of ends) end();
  assert.is(await idle, true);
  assert.equal(started, [0, 1, 2], 'what waited was dropped');
});

pool.run();
