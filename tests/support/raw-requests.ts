/** Requests of a {@link RawClient} with their fields: topics, offsets, routes, pulls. Source: spec remoting 4, 6. */
import { RawClient } from './raw-client.js';
import type { RawRecord } from './raw-record.js';
import { decodeRecords } from './raw-record.js';

const pullBatch = 32;

/** UPDATE_AND_CREATE_TOPIC on one broker. Errors: Error when the broker refuses. */
export async function createTopic(client: RawClient, topic: string, queues: number): Promise<void> {
  const ext = {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: String(queues),
    writeQueueNums: String(queues),
    perm: '6',
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: 'false',
  };
  const answer = await client.request(17, ext);
  if (answer.code !== 0) throw new Error(`creating topic ${topic}: code ${answer.code} ${answer.remark}`);
}

/** GET_MIN_OFFSET (31) or GET_MAX_OFFSET (30) of a queue. */
export async function queueBound(
  client: RawClient,
  topic: string,
  queueId: number,
  which: 'min' | 'max',
): Promise<number> {
  const answer = await client.request(which === 'min' ? 31 : 30, { topic, queueId: String(queueId) });
  if (answer.code !== 0)
    throw new Error(`${which} offset of ${topic}:${queueId}: code ${answer.code} ${answer.remark}`);
  return Number(answer.ext.offset);
}

/** GET_BROKER_RUNTIME_INFO over a connection of its own. Errors: Error when nobody answers. */
export async function runtimeInfo(address: string): Promise<Readonly<Record<string, string>>> {
  const client = await RawClient.connect(address);
  try {
    const answer = await client.request(28, {});
    return (JSON.parse(answer.body.toString()) as { table: Record<string, string> }).table;
  } finally {
    client.close();
  }
}

/** UPDATE_CONSUMER_OFFSET, answered. Errors: Error when the broker refuses. */
export async function commitOffset(
  client: RawClient,
  group: string,
  topic: string,
  queueId: number,
  offset: number,
): Promise<void> {
  const ext = { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(offset) };
  const answer = await client.request(15, ext);
  if (answer.code !== 0) throw new Error(`committing ${topic}:${queueId}: code ${answer.code} ${answer.remark}`);
}

/** QUERY_CONSUMER_OFFSET; -1 when the group has none. */
export async function committedOffset(
  client: RawClient,
  group: string,
  topic: string,
  queueId: number,
): Promise<number> {
  const answer = await client.request(14, { consumerGroup: group, topic, queueId: String(queueId) });
  return answer.code === 0 ? Number(answer.ext.offset) : -1;
}

/**
 * Waits until a name server gives the route of a topic.
 * Errors: Error when it takes too long.
 */
export async function awaitRoute(nameServer: string, topic: string, limitMs = 40_000): Promise<void> {
  const client = await RawClient.connect(nameServer);
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const answer = await client.request(105, { topic });
    if (answer.code === 0) break;
    if (performance.now() > deadlineMs) throw new Error(`no route of ${topic}: code ${answer.code} ${answer.remark}`);
    await new Promise(resolve => setTimeout(resolve, 100)); // asked again until the limit
  }
  client.close();
}

/** Asks by index key (QUERY_MESSAGE, 12). Returns no records when the broker finds none. */
export async function queryByKey(client: RawClient, topic: string, key: string): Promise<RawRecord[]> {
  const answer = await client.request(12, {
    topic,
    key,
    maxNum: '32',
    beginTimestamp: '0',
    endTimestamp: String(Date.now() + 60_000),
    _UNIQUE_KEY_QUERY: 'false',
  });
  return answer.code === 0 ? decodeRecords(answer.body) : [];
}

/** The end of a broker's log, as it says itself. */
export async function logEnd(address: string): Promise<number> {
  return Number((await runtimeInfo(address)).commitLogMaxOffset);
}

/** What a RingMQ broker says of its role (code 12011). */
export async function roleFacts(address: string): Promise<Readonly<Record<string, string>>> {
  const client = await RawClient.connect(address);
  try {
    return (await client.request(12_011, {})).ext;
  } finally {
    client.close();
  }
}

export interface PullOptions {
  /** Where to begin; the queue's least offset unless told. */
  readonly fromOffset?: number;
  /** A broker that has just started may still be building its queues: keep asking until this offset is reached. */
  readonly untilOffset?: number;
  /** How long to ask on without any new message. Units: ms. */
  readonly patienceMs?: number;
}

/**
 * Pulls a queue to its end, one record at a time to `onRecord`; returns the offset after the last, which is below
 * `untilOffset` when the broker held it back for longer than the patience.
 * Errors: Error when the broker answers with a code that is no pull status.
 */
export async function pullQueue(
  client: RawClient,
  topic: string,
  queueId: number,
  onRecord: (record: RawRecord) => void,
  options: PullOptions = {},
): Promise<number> {
  const patienceMs = options.patienceMs ?? 20_000;
  let offset = options.fromOffset ?? (await queueBound(client, topic, queueId, 'min'));
  let lastProgressMs = performance.now();
  for (;;) {
    const answer = await client.request(11, pullHeader(topic, queueId, offset));
    if (![0, 19, 20, 21].includes(answer.code)) {
      throw new Error(`pulling ${topic}:${queueId} at ${offset}: code ${answer.code} ${answer.remark}`);
    }
    for (const record of answer.code === 0 ? decodeRecords(answer.body) : []) onRecord(record);
    const next = Number(answer.ext.nextBeginOffset);
    if (answer.code !== 21 && next > offset) {
      offset = next;
      lastProgressMs = performance.now();
      continue;
    }
    const end = Math.max(Number(answer.ext.maxOffset), options.untilOffset ?? 0);
    if (offset >= end || performance.now() - lastProgressMs > patienceMs) return offset;
    await new Promise(resolve => setTimeout(resolve, 50)); // asked again until the limit
  }
}

function pullHeader(topic: string, queueId: number, offset: number): Record<string, string> {
  return {
    consumerGroup: 'raw_client',
    topic,
    queueId: String(queueId),
    queueOffset: String(offset),
    maxMsgNums: String(pullBatch),
    sysFlag: '4', // the subscription is in the request; do not hold
    commitOffset: '0',
    suspendTimeoutMillis: '0',
    subscription: '*',
    subVersion: '0',
    expressionType: 'TAG',
  };
}
