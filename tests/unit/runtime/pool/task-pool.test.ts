import { crc32 } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../../runtime/base/errors.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { TaskPool } from '../../../../runtime/pool/task-pool.js';
import type { ChecksumTask } from './task.worker.js';

const taskPool = suite('task pool');
const workerFile = new URL('./task.worker.js', import.meta.url);

const withPool = async (work: (pool: TaskPool<ChecksumTask, number>) => Promise<void>): Promise<void> => {
  const pool = new TaskPool<ChecksumTask, number>({ workerFile, threadsMax: 2 });
  try {
    await work(pool);
  } finally {
    await pool.close();
  }
};

taskPool('runs more tasks than it has threads', async () => {
  await withPool(async pool => {
    const random = new Prng(1);
    const inputs = Array.from({ length: 40 }, () => random.bytes(1000));
    const results = await Promise.all(inputs.map(bytes => pool.run({ bytes, outcome: 'answer' })));
    assert.equal(
      results,
      inputs.map(bytes => crc32(bytes)),
    );
  });
});

taskPool('rejects a task with what it threw', async () => {
  await withPool(async pool => {
    const outcome = await pool.run({ bytes: new Uint8Array(0), outcome: 'throw' }).catch((error: unknown) => error);
    assert.instance(outcome, RingError);
    assert.equal([(outcome as RingError).code, (outcome as RingError).facts.at], ['STORE_CORRUPT', 12]);
    assert.is(await pool.run({ bytes: new Uint8Array([1]), outcome: 'answer' }), crc32(new Uint8Array([1])));
  });
});

taskPool('abandons a task when its signal is raised', async () => {
  await withPool(async pool => {
    const abort = new AbortController();
    const hanging = pool.run({ bytes: new Uint8Array(0), outcome: 'hang' }, { signal: abort.signal });
    abort.abort();
    const outcome = await hanging.catch((error: unknown) => error);
    assert.is((outcome as Error).name, 'AbortError');
    assert.is(await pool.run({ bytes: new Uint8Array([1]), outcome: 'answer' }), crc32(new Uint8Array([1])));
  });
});

taskPool('rejects what still runs when it closes', async () => {
  await withPool(async pool => {
    const hanging = pool.run({ bytes: new Uint8Array(0), outcome: 'hang' });
    const outcome = hanging.catch((error: unknown) => error);
    await pool.run({ bytes: new Uint8Array([1]), outcome: 'answer' });
    await pool.close();
    assert.instance(await outcome, Error);
  });
});

taskPool.run();
