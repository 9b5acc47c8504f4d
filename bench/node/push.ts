/**
 * Push consumption from end to end: producers send as fast as the broker lets them, 1, 16 and 64 consumers pull with
 * long polling, until all is consumed. The consumers are bare pull loops: a whole client would be measured instead of
 * the broker.
 */
import { assert } from '../../runtime/base/assert.js';
import type { BenchmarkCase } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { Consumers, makeTopic, Producers } from './support/load.js';
import { type Target, withTarget } from './support/targets.js';

export interface PushParameters {
  /** A multiple of 64. */
  readonly messages: number;
  /** Before the first case; Java's compiler needs it. A multiple of 64. */
  readonly warmUp: number;
}

export const parameters = {
  smoke: { messages: 1280, warmUp: 64 },
  real: { messages: 512_000, warmUp: 512_000 },
} as const;

const QUEUES = 64;
const BODY_BYTES = 128;
const PRODUCERS = { connections: 8, inFlight: 256 };

async function measure(target: Target, consumers: number, messages: number): Promise<BenchmarkCase> {
  const topic = freshTopic('Push');
  const { address } = target;
  await makeTopic(address, topic, QUEUES);
  const shape = { address, topic, queues: QUEUES };
  const consuming = await Consumers.start({ ...shape, consumers });
  const producers = await Producers.connect({ ...shape, ...PRODUCERS, bodyBytes: BODY_BYTES });
  try {
    const cost = await timed(target, messages, () =>
      Promise.all([producers.send(messages), consuming.consumed(messages)]),
    );
    const perQueue = messages / QUEUES;
    const offsetSum = QUEUES * ((perQueue * (perQueue - 1)) / 2);
    assert(consuming.offsetSum === offsetSum, 'each queue is consumed from 0 to its end');
    return {
      name: 'node/push',
      parameters: { target: target.name, consumers, messages, queues: QUEUES, bodyBytes: BODY_BYTES },
      ...cost,
      checksum: offsetSum,
    };
  } finally {
    producers.close();
    consuming.close();
  }
}

export const run = ({ messages, warmUp }: PushParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    await measure(target, 16, warmUp);
    const results: BenchmarkCase[] = [];
    for (const consumers of [1, 16, 64]) results.push(await measure(target, consumers, messages));
    return results;
  });
