/**
 * How long a message takes from a producer to a consumer that waits for it, at 5,000 messages a second. Both are this
 * process, so one clock measures.
 */
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, percentiles } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { recordSentMs } from './support/frames.js';
import { Consumers, makeTopic, Producers } from './support/load.js';
import { type Target, withTarget } from './support/targets.js';

export interface LatencyParameters {
  /** A multiple of 4. */
  readonly messages: number;
  readonly warmUp: number;
}

export const parameters = {
  smoke: { messages: 400, warmUp: 40 },
  real: { messages: 100_000, warmUp: 75_000 },
} as const;

const RATE = 5000;
const QUEUES = 4;
const CONSUMERS = 4;
const BODY_BYTES = 128;

async function measure(target: Target, messages: number): Promise<BenchmarkCase> {
  const topic = freshTopic('Latency');
  const { address } = target;
  await makeTopic(address, topic, QUEUES);
  const timesUs = new Float64Array(messages);
  let consumed = 0;
  const onRecord = (frame: Buffer, at: number): void => {
    timesUs[consumed++] = (performance.now() - recordSentMs(frame, at)) * 1000;
  };
  const shape = { address, topic, queues: QUEUES };
  const consuming = await Consumers.start({ ...shape, consumers: CONSUMERS, onRecord });
  const producers = await Producers.connect({ ...shape, connections: 4, inFlight: 0, bodyBytes: BODY_BYTES });
  try {
    const cost = await timed(target, messages, () =>
      Promise.all([producers.sendPaced(messages, RATE), consuming.consumed(messages)]),
    );
    assert(consumed === messages, 'every message is timed');
    return {
      name: 'node/latency',
      parameters: { target: target.name, messages, rate: RATE, queues: QUEUES, bodyBytes: BODY_BYTES },
      ...cost,
      ...percentiles(timesUs),
      checksum: consuming.offsetSum,
    };
  } finally {
    producers.close();
    consuming.close();
  }
}

export const run = ({ messages, warmUp }: LatencyParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    await measure(target, warmUp);
    return [await measure(target, messages)];
  });
