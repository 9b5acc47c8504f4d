/** Messages in a topic whose log will lose its oldest files: sent, read back, and what should be left of them. */
import * as assert from 'uvu/assert';
import { nodeDisk } from '../../../../storage/disk.js';
import { consumeQueueFolder, parseSegmentName } from '../../../../storage/paths.js';
import { removeFolder, temporaryFolder } from '../../../support/node-process.js';
import { type Answer, physicalOffsetOf, type RawClient } from '../../../support/raw-client.js';
import { createTopic, pullQueue, queueBound } from '../../../support/raw-requests.js';
import { until } from '../../../support/until.js';
import type { OpenNode } from './open-node.js';

export const topic = 'Expiring';
export const queues = 2;
export const count = 500;
const bodySize = 2000;
/** How long the dispatcher may take to follow. */
const FOLLOW_MAX_MS = 20_000;
export const codes = { found: 0, serviceNotAvailable: 14, offsetMoved: 21 } as const;

export interface Stored {
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly text: string;
}

export function bodyOf(text: string): Buffer {
  return Buffer.from(text.padEnd(bodySize, '.'));
}

export async function send(client: RawClient, queueId: number, text: string): Promise<Stored> {
  const answer = await client.send({ topic, queueId, body: bodyOf(text) });
  assert.is(answer.code, codes.found, answer.remark);
  return { queueId, queueOffset: answer.queueOffset, physicalOffset: physicalOffsetOf(answer.msgId), text };
}

/** Sends to both queues in turn. */
export async function fill(client: RawClient): Promise<Stored[]> {
  await createTopic(client, topic, queues);
  return Promise.all(Array.from({ length: count }, (_, index) => send(client, index % queues, `message ${index}`)));
}

export function pullAt(client: RawClient, queueId: number, offset: number): Promise<Answer> {
  return client.request(11, {
    consumerGroup: 'retention',
    topic,
    queueId: String(queueId),
    queueOffset: String(offset),
    maxMsgNums: '32',
    sysFlag: '4',
    commitOffset: '0',
    suspendTimeoutMillis: '0',
    subscription: '*',
    subVersion: '0',
    expressionType: 'TAG',
  });
}

/** Everything that clients can read now, by queue. */
export async function readAll(client: RawClient): Promise<Stored[][]> {
  const all: Stored[][] = [];
  for (let queueId = 0; queueId < queues; queueId++) {
    const records: Stored[] = [];
    await pullQueue(client, topic, queueId, ({ queueOffset, physicalOffset, body }) => {
      records.push({ queueId, queueOffset, physicalOffset, text: body.toString().replace(/\.+$/, '') });
    });
    all.push(records);
  }
  return all;
}

/** What should be readable: what is in a log that starts at `minimum`. */
export function survivors(stored: readonly Stored[], minimum: number): Stored[][] {
  return Array.from({ length: queues }, (_, queueId) =>
    stored
      .filter(message => message.queueId === queueId && message.physicalOffset >= minimum)
      .sort((left, right) => left.queueOffset - right.queueOffset),
  );
}

export function queueFiles(node: OpenNode, queueId: number): number[] {
  return nodeDisk.list(consumeQueueFolder(node.store.paths, topic, queueId)).map(parseSegmentName);
}

/** Waits until what was appended is on the device and in the consume queues. */
export async function awaitFollowed({ shop, faults }: OpenNode): Promise<void> {
  const { positions } = shop;
  const followed = (): number => Math.min(positions.read('dispatched'), positions.read('flushed'));
  await until(() => faults.length > 0 || followed() === positions.read('appended'), 'everything is followed');
  if (faults.length > 0) throw new Error('the node was lost', { cause: faults[0] });
}

/** Waits until the dispatcher has followed the log's new start: the queues' first entries are as they should be. */
export async function awaitMinimums(client: RawClient, expected: readonly Stored[][]): Promise<void> {
  for (let queueId = 0; queueId < queues; queueId++) {
    const wanted = expected[queueId]![0]!.queueOffset;
    const untilMs = performance.now() + FOLLOW_MAX_MS;
    let min = await queueBound(client, topic, queueId, 'min');
    while (min !== wanted && performance.now() < untilMs) min = await queueBound(client, topic, queueId, 'min');
    assert.is(min, wanted, `least offset of queue ${queueId}`);
  }
}

/** Runs a test with a folder for the store and what it opens, all of which is gone afterwards. */
export async function inFolder(
  work: (folder: string, nodes: OpenNode[], clients: RawClient[]) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  const nodes: OpenNode[] = [];
  const clients: RawClient[] = [];
  try {
    await work(folder, nodes, clients);
  } finally {
    for (const client of clients) client.close();
    for (const node of nodes) await node.stop();
    removeFolder(folder);
  }
}
