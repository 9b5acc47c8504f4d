/**
 * Statistics by topic, and by topic and group, from what dispatcher and lanes count in shared memory. Cold: it looks
 * every 10 seconds, and when somebody asks. Source: BrokerStatsManager.
 */
import type { GroupTraffic } from '../group-traffic.js';
import type { QueueNumbers } from '../queue-numbers.js';
import type { QueueTraffic } from '../queue-traffic.js';
import { StatsItem, type StatsWindow, statsWindows, type Total } from './stats-item.js';

export interface BrokerStatsOptions {
  readonly numbers: QueueNumbers;
  readonly stored: QueueTraffic;
  /** What each pull lane handed out. */
  readonly pulled: readonly GroupTraffic[];
  /** Messages stored and handed out since the node runs, all topics together. */
  readonly broker: () => { readonly put: number; readonly get: number };
  /** Key of the statistics of the whole broker. */
  readonly clusterName: string;
}

/** The statistics there are: what they count, and of which totals. */
const statsNames = {
  TOPIC_PUT_NUMS: ['topicPut', 'messages'],
  TOPIC_PUT_SIZE: ['topicPut', 'bytes'],
  GROUP_GET_NUMS: ['groupGet', 'messages'],
  GROUP_GET_SIZE: ['groupGet', 'bytes'],
  BROKER_PUT_NUMS: ['brokerPut', 'messages'],
  BROKER_GET_NUMS: ['brokerGet', 'messages'],
} as const;

/** A slot of a lane: which pair it counts, and what of it is in the pair's total already. */
interface PairSlot {
  readonly key: string;
  readonly traffic: GroupTraffic;
  readonly index: number;
  seen: Total;
}

const NOTHING: Total = { messages: 0, bytes: 0, times: 0 };
const windowNames = Object.keys(statsWindows) as StatsWindow[];

export class BrokerStats {
  readonly #options: BrokerStatsOptions;
  readonly #tables = {
    topicPut: new Map<string, StatsItem>(),
    groupGet: new Map<string, StatsItem>(),
    brokerPut: new Map<string, StatsItem>(),
    brokerGet: new Map<string, StatsItem>(),
  };
  /** By lane, then by index. */
  readonly #slots: PairSlot[][];
  readonly #slotsOf = new Map<string, Set<PairSlot>>();
  /** What of a topic does not count any more: it was stored before the topic was deleted. */
  readonly #forgotten = new Map<string, Total>();
  readonly #nextMs: Record<StatsWindow, number> = { minute: 0, hour: 0, day: 0 };

  constructor(options: BrokerStatsOptions) {
    this.#options = options;
    this.#slots = options.pulled.map(() => []);
  }

  /** When the next sample is due. Units: ms since the epoch. */
  deadlineMs(): number {
    return this.#nextMs.minute;
  }

  /** Takes the samples that are due. */
  onTime(nowMs: number): void {
    if (nowMs < this.#nextMs.minute) return;
    this.#readTotals();
    for (const window of windowNames) {
      if (nowMs < this.#nextMs[window]) continue;
      this.#nextMs[window] = nowMs + statsWindows[window].everyMs;
      for (const table of Object.values(this.#tables)) for (const item of table.values()) item.sample(window, nowMs);
    }
  }

  /** A lane says what a slot of its counts means. */
  pairNamed(lane: number, index: number, topic: string, group: string): void {
    const slots = this.#slots[lane]!;
    const before = slots[index];
    if (before !== undefined) this.#slotsOf.get(before.key)?.delete(before);
    const key = pairKey(topic, group);
    const slot = { key, traffic: this.#options.pulled[lane]!, index, seen: NOTHING };
    slots[index] = slot;
    const ofKey = this.#slotsOf.get(key);
    if (ofKey === undefined) this.#slotsOf.set(key, new Set([slot]));
    else ofKey.add(slot);
  }

  /** Undefined when nothing was ever counted under this name and key. */
  view(name: string, key: string): Record<StatsWindow, ReturnType<StatsItem['figures']>> | undefined {
    if (!Object.hasOwn(statsNames, name)) return undefined;
    const [table, of] = statsNames[name as keyof typeof statsNames];
    this.#readTotal(table, key);
    const item = this.#tables[table].get(key);
    if (item === undefined) return undefined;
    return {
      minute: item.figures('minute', of),
      hour: item.figures('hour', of),
      day: item.figures('day', of),
    };
  }

  /** Messages of a topic that a group is handed in a second, over the last minute. */
  groupGetTps(group: string, topic: string): number {
    return this.#tables.groupGet.get(pairKey(topic, group))?.figures('minute', 'messages').tps ?? 0;
  }

  forgetTopic(topic: string): void {
    this.#forgotten.set(topic, this.#storedIn(topic));
    this.#tables.topicPut.delete(topic);
    this.#forgetPairs(key => key.startsWith(`${topic}@`));
  }

  forgetGroup(group: string): void {
    this.#forgetPairs(key => key.endsWith(`@${group}`));
  }

  #forgetPairs(isMeant: (key: string) => boolean): void {
    this.#readTotals();
    for (const key of this.#tables.groupGet.keys()) if (isMeant(key)) this.#tables.groupGet.delete(key);
  }

  #readTotals(): void {
    const { numbers } = this.#options;
    for (const topic of numbers.topics()) setTotal(this.#tables.topicPut, topic, this.#newIn(topic));
    for (const slots of this.#slots) for (const slot of slots) this.#readSlot(slot);
    this.#readBroker();
  }

  /** Of one statistic: somebody may ask for thousands of them, one by one. */
  #readTotal(table: (typeof statsNames)[keyof typeof statsNames][0], key: string): void {
    if (table === 'topicPut') setTotal(this.#tables.topicPut, key, this.#newIn(key));
    else if (table === 'groupGet') for (const slot of this.#slotsOf.get(key) ?? []) this.#readSlot(slot);
    else this.#readBroker();
  }

  #readBroker(): void {
    const { broker, clusterName } = this.#options;
    const { put, get } = broker();
    setTotal(this.#tables.brokerPut, clusterName, { messages: put, bytes: 0, times: put });
    setTotal(this.#tables.brokerGet, clusterName, { messages: get, bytes: 0, times: get });
  }

  #readSlot(slot: PairSlot): void {
    const { traffic, index, seen } = slot;
    const now = { messages: traffic.messages(index), bytes: traffic.bytes(index), times: traffic.answers(index) };
    if (now.times <= seen.times) return;
    slot.seen = now;
    const before = this.#tables.groupGet.get(slot.key)?.total ?? NOTHING;
    setTotal(this.#tables.groupGet, slot.key, sum(before, difference(now, seen)));
  }

  #newIn(topic: string): Total {
    return difference(this.#storedIn(topic), this.#forgotten.get(topic) ?? NOTHING);
  }

  #storedIn(topic: string): Total {
    const { numbers, stored } = this.#options;
    let messages = 0;
    let bytes = 0;
    for (const number of numbers.of(topic, 0)) {
      messages += stored.messages(number);
      bytes += stored.bytes(number);
    }
    return { messages, bytes, times: messages };
  }
}

/** Statistics begin with the first thing there is to count. */
function setTotal(table: Map<string, StatsItem>, key: string, total: Total): void {
  let item = table.get(key);
  if (item === undefined) {
    if (total.times === 0) return;
    item = new StatsItem();
    table.set(key, item);
  }
  item.total = total;
}

function sum(left: Total, right: Total): Total {
  return {
    messages: left.messages + right.messages,
    bytes: left.bytes + right.bytes,
    times: left.times + right.times,
  };
}

function difference(left: Total, right: Total): Total {
  return {
    messages: left.messages - right.messages,
    bytes: left.bytes - right.bytes,
    times: left.times - right.times,
  };
}

function pairKey(topic: string, group: string): string {
  return `${topic}@${group}`;
}
