/** Everything is read back from both brokers of a pair, as a consumer that begins anew reads it. */
import { Judge, queueKey, type Report } from '../support/checker.js';
import { storedOf, type TopicShape } from '../support/load.js';
import type { PairAudit } from '../support/pair-audit.js';
import type { Role } from '../support/pair-network.js';
import { RawClient } from '../support/raw-client.js';
import { pullQueue, queueBound } from '../support/raw-requests.js';
import type { FaultPair } from './fault-pair.js';

export interface Reading {
  /** Of the master's messages. */
  readonly report: Report;
  /** Queues of which a broker did not give all, in words. */
  readonly incomplete: readonly string[];
}

/** What is read goes past the audit as well, which knows what others saw at each place. */
export async function readBack(pair: FaultPair, audit: PairAudit, topics: readonly TopicShape[]): Promise<Reading> {
  const judge = new Judge(audit.ledger);
  const incomplete: string[] = [];
  for (const role of ['master', 'slave'] as const) {
    const client = await RawClient.connect(pair.address(role));
    try {
      for (const { topic, queues } of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          const onStored = role === 'master' ? judge.onStored.bind(judge) : () => {};
          incomplete.push(...(await readQueue(client, role, audit, topic, queueId, onStored)));
        }
      }
    } finally {
      client.close();
    }
  }
  return { report: judge.report(), incomplete };
}

async function readQueue(
  client: RawClient,
  role: Role,
  audit: PairAudit,
  topic: string,
  queueId: number,
  onStored: Judge['onStored'],
): Promise<string[]> {
  const key = queueKey(topic, queueId);
  const untilOffset = audit.ledger.ends().get(key) ?? 0;
  const fromOffset = await queueBound(client, topic, queueId, 'min');
  let count = 0;
  const end = await pullQueue(
    client,
    topic,
    queueId,
    record => {
      const stored = storedOf(record);
      count++;
      audit.saw(`the last reading of the ${role}`, stored);
      onStored(stored);
    },
    { fromOffset, untilOffset },
  );
  if (end >= untilOffset && count === end - fromOffset) return [];
  return [
    `the ${role} gave ${count} messages of ${key} from ${fromOffset} to ${end}, its last one is ${untilOffset - 1}`,
  ];
}
