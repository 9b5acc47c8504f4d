/**
 * What a message costs as queues and connections become many. 64 sends are in flight; with more connections than that,
 * all have their turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../runtime/base/assert.js';
import { RawClient } from '../../tests/support/raw-client.js';
import { queueBound } from '../../tests/support/raw-requests.js';
import type { BenchmarkCase } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { makeTopic, Producers } from './support/load.js';
import { type Target, withTarget } from './support/targets.js';

export interface ScaleParameters {
  readonly messages: number;
  readonly warmUp: number;
  readonly queues: readonly number[];
  readonly connections: readonly number[];
}

export const parameters = {
  smoke: { messages: 600, warmUp: 100, queues: [4, 100], connections: [1, 100] },
  real: { messages: 100_000, warmUp: 200_000, queues: [4, 100, 1000, 10_000], connections: [1, 1000, 5000] },
} as const;

const IN_FLIGHT = 64;
const QUEUES = 4;
const BODY_BYTES = 128;

async function measure(target: Target, queues: number, connections: number, messages: number): Promise<BenchmarkCase> {
  const topic = freshTopic('Scale');
  const { address } = target;
  await makeTopic(address, topic, queues);
  const load = { address, topic, queues, connections, inFlight: IN_FLIGHT, bodyBytes: BODY_BYTES };
  const producers = await Producers.connect(load);
  const client = await RawClient.connect(address);
  try {
    // Files of queues and buffers of connections are made by the first message of each.
    const first = Math.max(queues, connections);
    await producers.send(first);
    const cost = await timed(target, messages, () => producers.send(messages));
    let stored = 0;
    for (let queueId = 0; queueId < queues; queueId++) {
      const expected = Math.floor((first + messages - queueId - 1) / queues) + 1;
      stored += await reached(client, topic, queueId, expected);
    }
    assert(stored === first + messages, 'every message is in its queue');
    return {
      name: 'node/scale',
      parameters: { target: target.name, queues, connections, messages, bodyBytes: BODY_BYTES },
      ...cost,
      checksum: stored,
    };
  } finally {
    producers.close();
    client.close();
  }
}

/** The maximum of a queue, which the broker may still be building. */
async function reached(client: RawClient, topic: string, queueId: number, expected: number): Promise<number> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const max = await queueBound(client, topic, queueId, 'max');
    if (max >= expected || performance.now() > deadlineMs) return max;
    await sleep(20); // asked again until the limit
  }
}

export const run = (
  { messages, warmUp, queues, connections }: ScaleParameters,
  choice = 'ringmq',
): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    await measure(target, QUEUES, IN_FLIGHT, warmUp);
    const results: BenchmarkCase[] = [];
    for (const count of queues) results.push(await measure(target, count, IN_FLIGHT, messages));
    for (const count of connections) results.push(await measure(target, QUEUES, count, messages));
    return results;
  });
