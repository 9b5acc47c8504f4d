/**
 * The doorbell ({@link Doorbell}): what a ring costs when nobody sleeps, and how long a sleeper takes to answer, as a
 * thread that blocks and as an event loop; beside them the same with `postMessage`, which it replaces.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { assert } from '../../runtime/base/assert.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface DoorbellParameters {
  /** On one thread. */
  readonly rings: number;
  /** Between two threads. */
  readonly roundTrips: number;
}

export const parameters = {
  smoke: { rings: 20_000, roundTrips: 300 },
  real: { rings: 20_000_000, roundTrips: 50_000 },
} as const;

interface EchoData {
  readonly ask: SharedArrayBuffer;
  readonly answer: SharedArrayBuffer;
  readonly roundTrips: number;
}

/** The other thread: sleeps on one bell and answers with the other, or answers messages. */
function echo({ ask, answer, roundTrips }: EchoData): void {
  parentPort!.on('message', message => parentPort!.postMessage(message));
  const asked = new Doorbell(ask);
  const answered = new Doorbell(answer);
  parentPort!.postMessage('ready');
  for (let trip = 0; trip < roundTrips; trip++) {
    while (asked.read() === trip) asked.wait(trip, Number.POSITIVE_INFINITY);
    answered.ring();
  }
}

/** Rings with somebody to call, or with nobody there. */
function ringAlone(name: string, rings: number, listened: boolean): BenchmarkCase {
  const bell = new Doorbell();
  let heard = 0;
  if (listened) bell.listen(() => heard++);
  const watch = new Stopwatch(0);
  for (let ring = 0; ring < rings; ring++) bell.ring();
  const result = watch.result(rings);
  const checksum = listened ? heard : bell.read();
  assert(checksum === rings, 'every ring counts');
  return { name, parameters: { rings, threads: 1 }, ...result, checksum };
}

/** Asks and waits for the answer `roundTrips` times; returns the sum of the answers. */
type Asking = (
  ask: Doorbell,
  answer: Doorbell,
  worker: Worker,
  watch: Stopwatch,
  roundTrips: number,
) => Promise<number>;

const askBlocking: Asking = async (ask, answer, _, watch, roundTrips) => {
  let sum = 0;
  for (let trip = 0; trip < roundTrips; trip++) {
    watch.startTurn();
    ask.ring();
    while (answer.read() === trip) answer.wait(trip, Number.POSITIVE_INFINITY);
    watch.endTurn();
    sum += answer.read();
  }
  return sum;
};

const askEventLoop: Asking = async (ask, answer, _, watch, roundTrips) => {
  let sum = 0;
  for (let trip = 0; trip < roundTrips; trip++) {
    watch.startTurn();
    ask.ring();
    while (answer.read() === trip) await answer.waitAsync(trip);
    watch.endTurn();
    sum += answer.read();
  }
  return sum;
};

const askByMessage: Asking = async (_ask, _answer, worker, watch, roundTrips) => {
  let sum = 0;
  for (let trip = 0; trip < roundTrips; trip++) {
    watch.startTurn();
    const answered = new Promise<number>(resolve => worker.once('message', resolve));
    worker.postMessage(trip + 1);
    sum += await answered;
    watch.endTurn();
  }
  return sum;
};

async function measure(name: string, roundTrips: number, asking: Asking, bells: boolean): Promise<BenchmarkCase> {
  const [ask, answer] = [new Doorbell(), new Doorbell()];
  const data: EchoData = { ask: ask.memory, answer: answer.memory, roundTrips: bells ? roundTrips : 0 };
  const worker = new Worker(new URL(import.meta.url), { workerData: { doorbellBench: data } });
  try {
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const watch = new Stopwatch(roundTrips);
    const checksum = await asking(ask, answer, worker, watch, roundTrips);
    const result = watch.result(roundTrips);
    assert(checksum === (roundTrips * (roundTrips + 1)) / 2, 'every answer is the answer to its question');
    return { name, parameters: { roundTrips, threads: 2 }, ...result, checksum };
  } finally {
    await worker.terminate();
  }
}

export const run = async ({ rings, roundTrips }: DoorbellParameters): Promise<BenchmarkCase[]> => [
  ringAlone('doorbell/listener', rings, true),
  ringAlone('doorbell/nobody sleeps', rings, false),
  await measure('doorbell/round trip, blocking', roundTrips, askBlocking, true),
  await measure('doorbell/round trip, event loop', roundTrips, askEventLoop, true),
  await measure('doorbell/round trip, postMessage', roundTrips, askByMessage, false),
];

const task = (workerData as { doorbellBench?: EchoData } | null)?.doorbellBench;
if (task !== undefined) echo(task);
