/**
 * Topic to broker name to queues: one half of the routes. Pure state; who may change it is decided in `route-table.ts`.
 * Source: spec remoting 9.1, 9.5, 9.7; RouteInfoManager.topicQueueTable.
 */
import type { QueueData, TopicConfig } from '../../protocol/bodies.js';
import { Permission } from '../../protocol/codes.js';

/** Beyond this many topics, all brokers together, new ones are not routed. */
export const TOPICS_MAX = 500_000;
/** Longer names are not routed; RocketMQ's own limit is half of it. Units: UTF-16 units. */
export const TOPIC_NAME_LENGTH_MAX = 512;

export type UpsertOutcome = 'changed' | 'unchanged' | 'refused';

export class TopicQueueTable {
  readonly #topics = new Map<string, Map<string, QueueData>>();
  readonly #topicsMax: number;

  constructor(topicsMax = TOPICS_MAX) {
    this.#topicsMax = topicsMax;
  }

  queuesOf(topic: string): readonly QueueData[] {
    return [...(this.#topics.get(topic)?.values() ?? [])];
  }

  upsert(brokerName: string, config: TopicConfig): UpsertOutcome {
    const { topicName, readQueueNums, writeQueueNums, perm, topicSysFlag } = config;
    if (topicName === '' || topicName.length > TOPIC_NAME_LENGTH_MAX) return 'refused';
    let queues = this.#topics.get(topicName);
    if (queues === undefined) {
      if (this.#topics.size >= this.#topicsMax) return 'refused';
      queues = new Map();
      this.#topics.set(topicName, queues);
    }
    const former = queues.get(brokerName);
    const queue = { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums };
    if (former !== undefined && equalQueues(former, queue)) return 'unchanged';
    queues.set(brokerName, queue);
    return 'changed';
  }

  /** Forgets a topic: everywhere, or on the brokers named. */
  remove(topic: string, brokerNames?: Iterable<string>): void {
    const queues = this.#topics.get(topic);
    if (queues === undefined) return;
    if (brokerNames === undefined) queues.clear();
    else for (const brokerName of brokerNames) queues.delete(brokerName);
    if (queues.size === 0) this.#topics.delete(topic);
  }

  removeBroker(brokerName: string): void {
    for (const [topic, queues] of this.#topics) {
      if (queues.delete(brokerName) && queues.size === 0) this.#topics.delete(topic);
    }
  }

  /** Takes the write bit from every topic of the broker. Returns how many it has. */
  wipeWritePerm(brokerName: string): number {
    return this.#changePerm(brokerName, perm => perm & ~Permission.WRITE);
  }

  /** Sets read and write, and nothing else (spec pitfall 23). Returns how many topics the broker has. */
  addWritePerm(brokerName: string): number {
    return this.#changePerm(brokerName, () => Permission.READ | Permission.WRITE);
  }

  #changePerm(brokerName: string, permAfter: (perm: number) => number): number {
    let count = 0;
    for (const queues of this.#topics.values()) {
      const queue = queues.get(brokerName);
      if (queue === undefined) continue;
      queues.set(brokerName, { ...queue, perm: permAfter(queue.perm) });
      count++;
    }
    return count;
  }

  allTopics(): string[] {
    return [...this.#topics.keys()];
  }

  topicsOfBrokers(brokerNames: readonly string[]): string[] {
    const isThere = (queues: ReadonlyMap<string, QueueData>) => brokerNames.some(name => queues.has(name));
    return [...this.#topics].filter(([, queues]) => isThere(queues)).map(([topic]) => topic);
  }

  /** Topics whose flag, as their first broker gave it, has the bits of `wanted` and none of `unwanted`. */
  topicsWithSysFlag(wanted: number, unwanted = 0): string[] {
    return this.allTopics().filter(topic => {
      const flag = this.queuesOf(topic)[0]?.topicSysFlag ?? 0;
      return (flag & wanted) === wanted && (flag & unwanted) === 0;
    });
  }
}

function equalQueues(left: QueueData, right: QueueData): boolean {
  return (
    left.readQueueNums === right.readQueueNums &&
    left.writeQueueNums === right.writeQueueNums &&
    left.perm === right.perm &&
    left.topicSysFlag === right.topicSysFlag
  );
}
