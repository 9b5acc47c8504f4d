/** What a slave has of its master beside the log: topics, subscription groups, consumer offsets; and its route. */
import { parseDialect } from '../../protocol/json-dialect.js';
import type { TopicShape } from '../support/load.js';
import { RawClient } from '../support/raw-client.js';
import { commitOffset, createTopic } from '../support/raw-requests.js';

const groups = ['mixed_pair_group', 'mixed_pair_late_group'] as const;
const topicFields = ['readQueueNums', 'writeQueueNums', 'perm', 'topicFilterType', 'topicSysFlag', 'order'] as const;
const groupFields = [
  'consumeEnable',
  'consumeFromMinEnable',
  'consumeBroadcastEnable',
  'retryQueueNums',
  'retryMaxTimes',
];

type Table = Record<string, Record<string, unknown>>;

/**
 * Makes topics, one group more each `round`, and commits offsets that tell the round for all groups there are: a Java
 * broker stores offsets every 5 s only, so what was committed before it was killed may be gone.
 */
export async function writeTables(address: string, topics: readonly TopicShape[], round: 0 | 1): Promise<void> {
  const client = await RawClient.connect(address);
  try {
    for (const { topic, queues } of topics) await createTopic(client, topic, queues);
    const group = groups[round] as string;
    const config = {
      groupName: group,
      consumeEnable: true,
      consumeFromMinEnable: false,
      consumeBroadcastEnable: round === 0,
      retryQueueNums: 2 + round,
      retryMaxTimes: 5 + round,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
    };
    const answer = await client.request(200, {}, Buffer.from(JSON.stringify(config)));
    if (answer.code !== 0) throw new Error(`making group ${group}: code ${answer.code} ${answer.remark}`);
    for (const known of groups.slice(0, round + 1)) {
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          await commitOffset(client, known, topic, queueId, 100 * round + queueId);
        }
      }
    }
  } finally {
    client.close();
  }
}

/** The tables of a broker, as far as {@link writeTables} made them, as one text: equal texts, equal tables. */
export async function readTables(address: string, topics: readonly TopicShape[]): Promise<string> {
  const client = await RawClient.connect(address);
  const table = async (code: number, name: string): Promise<Table> => {
    const answer = await client.request(code, {});
    if (answer.code !== 0) throw new Error(`request ${code} of ${address}: code ${answer.code} ${answer.remark}`);
    return (parseDialect(answer.body.toString()) as Record<string, Table>)[name] ?? {};
  };
  try {
    const topicTable = await table(21, 'topicConfigTable');
    const groupTable = await table(201, 'subscriptionGroupTable');
    const offsetTable = await table(43, 'offsetTable');
    return [
      ...topics.map(({ topic }) => rowText(`topic ${topic}`, topicTable[topic], topicFields)),
      ...groups.map(group => rowText(`group ${group}`, groupTable[group], groupFields)),
      ...topics.flatMap(({ topic, queues }) =>
        groups.map(group => rowText(`offsets ${topic}@${group}`, offsetTable[`${topic}@${group}`], numbers(queues))),
      ),
    ].join('\n');
  } finally {
    client.close();
  }
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

function rowText(what: string, row: Record<string, unknown> | undefined, fields: readonly string[]): string {
  return `${what}: ${row ? JSON.stringify(fields.map(field => row[field] ?? null)) : 'not there'}`;
}

/** The lines of one of {@link readTables} that the other one has not. */
export function missingLines(of: string, other: string): string[] {
  const there = new Set(other.split('\n'));
  return of.split('\n').filter(line => !there.has(line));
}

/** The brokers of a topic that a name server names, by id. */
export async function brokersOfRoute(nameServer: string, topic: string): Promise<Record<string, string>> {
  const client = await RawClient.connect(nameServer);
  try {
    const answer = await client.request(105, { topic });
    if (answer.code !== 0) return {};
    const route = parseDialect(answer.body.toString()) as { brokerDatas: { brokerAddrs: Record<string, string> }[] };
    return route.brokerDatas[0]?.brokerAddrs ?? {};
  } finally {
    client.close();
  }
}
