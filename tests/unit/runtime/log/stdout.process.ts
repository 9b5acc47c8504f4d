/**
 * A process that logs to its standard output: from the main thread and from a thread that blocks for ever. It closes
 * nothing: `exit` leaves by process.exit, `idle` has nothing left to do once its thread is unref'ed.
 */
import { Worker } from 'node:worker_threads';
import { createRootLogger } from '../../../../runtime/log/logger.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';
import type { ThreadLogWorkerData } from './thread-log.worker.js';

const root = await createRootLogger({ level: 'info', name: 'main', pretty: 'auto' });
root.logger.info({}, 'said by the main thread');
const log = root.attachThread('test-thread');
const data: ThreadLogWorkerData = { log, ending: 'block', lines: 2 };
const bell = new Doorbell(log.bell);
const seen = bell.read();
const worker = new Worker(new URL('./thread-log.worker.js', import.meta.url), { workerData: data });
if (process.argv[2] === 'exit') {
  // Both lines are in the ring and this thread has written neither.
  for (let last = seen; bell.read() !== seen + 2; last = bell.read()) bell.wait(last, 10);
  process.exit(0);
}
worker.unref();
