/**
 * A slave: how fast one with an empty store catches up with its master, and how long after a message was sent a
 * consumer that waits at the slave has it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../runtime/base/assert.js';
import { RawClient } from '../../tests/support/raw-client.js';
import { queueBound, runtimeInfo } from '../../tests/support/raw-requests.js';
import { until } from '../../tests/support/until.js';
import { type BenchmarkCase, percentiles } from '../benchmark.js';
import { freshTopic } from './support/cases.js';
import { recordSentMs } from './support/frames.js';
import { Consumers, makeTopic, Producers } from './support/load.js';
import { type Target, withTarget } from './support/targets.js';

export interface ReplicationParameters {
  /** Stored before the slave starts: more than a MiB, so that there is something to look at. */
  readonly storedBytes: number;
  /** Sent while a consumer waits at the slave. A multiple of 4. */
  readonly messages: number;
}

export const parameters = {
  smoke: { storedBytes: 4 * 1024 * 1024, messages: 400 },
  real: { storedBytes: 768 * 1024 * 1024, messages: 50_000 },
} as const;

const QUEUES = 4;
const LARGE_BODY_BYTES = 4096;
const SMALL_BODY_BYTES = 128;
const RATE = 5000;
const UNKNOWN_TOPIC = 17;
const PATIENCE_MS = 120_000;

async function logEnd(address: string): Promise<number> {
  return Number((await runtimeInfo(address)).commitLogMaxOffset);
}

/** The first end of the log that is at least `end`. */
async function reaches(address: string, end: number): Promise<number> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    // A Java broker cannot say in its first second.
    const now = await logEnd(address).catch(() => 0);
    if (now >= end) return now;
    if (performance.now() > deadlineMs) throw new Error(`the log ends at ${now}, not at ${end}`);
    await sleep(5); // asked again until the limit
  }
}

async function catchUp(target: Target, storedBytes: number): Promise<{ result: BenchmarkCase; slave: string }> {
  const topic = freshTopic('CatchUp');
  await makeTopic(target.address, topic, QUEUES);
  const messages = Math.ceil(storedBytes / LARGE_BODY_BYTES);
  const shape = { address: target.address, topic, queues: QUEUES };
  const producers = await Producers.connect({ ...shape, connections: 4, inFlight: 64, bodyBytes: LARGE_BODY_BYTES });
  await producers.send(messages);
  producers.close();
  const end = await logEnd(target.address);
  const slave = await target.startSlave();
  // From its first bytes on: what a process or a name server takes to start is not the subject.
  const firstEnd = await reaches(slave, 1);
  const startMs = performance.now();
  const lastEnd = await reaches(slave, end);
  const elapsedMs = performance.now() - startMs;
  await until(
    async () => (await messagesAt(slave, topic)) === messages,
    'the slave has all in its queues',
    PATIENCE_MS,
  );
  const result = {
    name: 'node/catch-up',
    parameters: { target: target.name, messages, bodyBytes: LARGE_BODY_BYTES, unit: 'MB' },
    rate: Math.max(1, Math.round((lastEnd - firstEnd) / 1000 / Math.max(1, elapsedMs))),
    checksum: messages,
  };
  return { result, slave };
}

async function messagesAt(address: string, topic: string): Promise<number> {
  const client = await RawClient.connect(address);
  try {
    let sum = 0;
    for (let queueId = 0; queueId < QUEUES; queueId++) sum += await queueBound(client, topic, queueId, 'max');
    return sum;
  } finally {
    client.close();
  }
}

/** The slave must know the topic before a consumer waits at it. */
async function awaitTopic(slave: string, topic: string): Promise<void> {
  const client = await RawClient.connect(slave);
  const fields = { consumerGroup: 'bench-consumers', topic, queueId: '0', queueOffset: '0', maxMsgNums: '1' };
  const request = {
    ...fields,
    sysFlag: '4',
    commitOffset: '0',
    suspendTimeoutMillis: '0',
    subscription: '*',
    subVersion: '0',
  };
  const knows = async (): Promise<boolean> => (await client.request(11, request)).code !== UNKNOWN_TOPIC;
  await until(knows, 'the slave knows the topic', PATIENCE_MS);
  client.close();
}

async function latency(target: Target, slave: string, messages: number): Promise<BenchmarkCase> {
  const topic = freshTopic('Lag');
  await makeTopic(target.address, topic, QUEUES);
  await awaitTopic(slave, topic);
  const timesUs = new Float64Array(messages);
  let consumed = 0;
  const onRecord = (frame: Buffer, at: number): void => {
    timesUs[consumed++] = (performance.now() - recordSentMs(frame, at)) * 1000;
  };
  const shape = { topic, queues: QUEUES };
  const consuming = await Consumers.start({ ...shape, address: slave, consumers: 4, onRecord });
  const place = { ...shape, address: target.address };
  const producers = await Producers.connect({ ...place, connections: 4, inFlight: 0, bodyBytes: SMALL_BODY_BYTES });
  try {
    const startMs = performance.now();
    await Promise.all([producers.sendPaced(messages, RATE), consuming.consumed(messages)]);
    const rate = Math.round((messages * 1000) / (performance.now() - startMs));
    assert(consumed === messages, 'every message is timed');
    return {
      name: 'node/slave-latency',
      parameters: { target: target.name, messages, rate: RATE, queues: QUEUES, bodyBytes: SMALL_BODY_BYTES },
      rate,
      ...percentiles(timesUs),
      checksum: messages,
    };
  } finally {
    producers.close();
    consuming.close();
  }
}

export const run = ({ storedBytes, messages }: ReplicationParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    const { result, slave } = await catchUp(target, storedBytes);
    await latency(target, slave, Math.ceil(messages / 2)); // warm-up
    return [result, await latency(target, slave, messages)];
  });
