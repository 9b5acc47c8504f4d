/** A thread that logs and then blocks for ever, throws, or floods its ring. */
import { workerData } from 'node:worker_threads';
import { createThreadLogger, type ThreadLogMemory } from '../../../../runtime/log/thread-logger.js';

export interface ThreadLogWorkerData {
  readonly log: ThreadLogMemory;
  readonly ending: 'block' | 'throw';
  readonly lines: number;
}

const { log, ending, lines } = workerData as ThreadLogWorkerData;
const logger = createThreadLogger(log, 'info', 'test-thread').child({ room: 7 });
for (let line = 0; line < lines; line++) logger.info({ line }, 'said by the thread');
logger.debug({}, 'below the level');
if (ending === 'throw') throw new Error('died right after logging');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
