/**
 * Statistics by topic, and by topic and group, from what dispatcher and lanes count in shared memory. Cold: it looks
 * every 10 seconds, and when somebody asks. Source: BrokerStatsManager.
 */
import type { GroupTraffic } from '../group-traffic.js';
import type { QueueNumbers } from '../queue-numbers.js';
import type { QueueTraffic } from '../queue-traffic.js';
import { PairTotals } from './pair-totals.js';
import { NO_TOTAL, StatsItem, type StatsWindow, statsWindows, type Total } from './stats-item.js';

export interface BrokerStatsOptions {
  readonly numbers: QueueNumbers;
  readonly stored: QueueTraffic;
  /** What each pull lane handed out. */
  readonly pulled: readonly GroupTraffic[];
  /** What came back from groups to each send lane. */
  readonly sentBack: readonly GroupTraffic[];
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
  SNDBCK_PUT_NUMS: ['sendBack', 'messages'],
  BROKER_PUT_NUMS: ['brokerPut', 'messages'],
  BROKER_GET_NUMS: ['brokerGet', 'messages'],
} as const;

const windowNames = Object.keys(statsWindows) as StatsWindow[];

export class BrokerStats {
  readonly #options: BrokerStatsOptions;
  readonly #tables = {
    topicPut: new Map<string, StatsItem>(),
    groupGet: new Map<string, StatsItem>(),
    sendBack: new Map<string, StatsItem>(),
    brokerPut: new Map<string, StatsItem>(),
    brokerGet: new Map<string, StatsItem>(),
  };
  readonly #pulled: PairTotals;
  readonly #sentBack: PairTotals;
  /** What of a topic does not count any more: it was stored before the topic was deleted. */
  readonly #forgotten = new Map<string, Total>();
  readonly #nextMs: Record<StatsWindow, number> = { minute: 0, hour: 0, day: 0 };

  constructor(options: BrokerStatsOptions) {
    this.#options = options;
    this.#pulled = new PairTotals(options.pulled, (key, more) => addTotal(this.#tables.groupGet, key, more));
    this.#sentBack = new PairTotals(options.sentBack, (key, more) => addTotal(this.#tables.sendBack, key, more));
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

  /** A lane says what a slot of its counts means: a pull lane of what it hands out, a send lane of what comes back. */
  pairNamed(kind: 'pulled' | 'sentBack', lane: number, slot: number, topic: string, group: string): void {
    (kind === 'pulled' ? this.#pulled : this.#sentBack).named(lane, slot, pairKey(topic, group));
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
    for (const table of [this.#tables.groupGet, this.#tables.sendBack]) {
      for (const key of table.keys()) if (isMeant(key)) table.delete(key);
    }
  }

  #readTotals(): void {
    const { numbers } = this.#options;
    for (const topic of numbers.topics()) setTotal(this.#tables.topicPut, topic, this.#newIn(topic));
    this.#pulled.readAll();
    this.#sentBack.readAll();
    this.#readBroker();
  }

  /** Of one statistic: somebody may ask for thousands of them, one by one. */
  #readTotal(table: (typeof statsNames)[keyof typeof statsNames][0], key: string): void {
    if (table === 'topicPut') setTotal(this.#tables.topicPut, key, this.#newIn(key));
    else if (table === 'groupGet') this.#pulled.read(key);
    else if (table === 'sendBack') this.#sentBack.read(key);
    else this.#readBroker();
  }

  #readBroker(): void {
    const { broker, clusterName } = this.#options;
    const { put, get } = broker();
    setTotal(this.#tables.brokerPut, clusterName, { messages: put, bytes: 0, times: put });
    setTotal(this.#tables.brokerGet, clusterName, { messages: get, bytes: 0, times: get });
  }

  #newIn(topic: string): Total {
    const stored = this.#storedIn(topic);
    const forgotten = this.#forgotten.get(topic);
    if (forgotten === undefined) return stored;
    const messages = stored.messages - forgotten.messages;
    return { messages, bytes: stored.bytes - forgotten.bytes, times: messages };
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

function addTotal(table: Map<string, StatsItem>, key: string, more: Total): void {
  const { messages, bytes, times } = table.get(key)?.total ?? NO_TOTAL;
  setTotal(table, key, {
    messages: messages + more.messages,
    bytes: bytes + more.bytes,
    times: times + more.times,
  });
}

function pairKey(topic: string, group: string): string {
  return `${topic}@${group}`;
}
