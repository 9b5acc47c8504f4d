/**
 * Expressions that groups filter topics by: `config/consumerFilter.json`. They come with heartbeats and outlive the
 * members, for a while. Cold. Source: spec storage 7; ConsumerFilterManager, ConsumerFilterData.
 */
import { type Fields, integerOf, isFields, listOf, tableOf, textOf } from '../../protocol/bodies/fields.js';
import type { SubscriptionData } from '../../protocol/bodies/group.js';
import {
  type BloomBits,
  type BloomFilterData,
  parseSqlExpression,
  SqlExpressionError,
} from '../../protocol/sql-filter.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { JsonTable } from '../../storage/json-table.js';
import type { GroupFilter } from '../group-snapshot.js';

/** A filter of the file counts as dead for this long: its group may be gone. Units: ms. */
const DEAD_WHEN_LOADED_MS = 30_000;

interface FilterData {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly expression: string;
  readonly expressionType: string;
  readonly bloomFilterData: BloomFilterData;
  clientVersion: number;
  /** Units: ms since the epoch. */
  readonly bornTime: number;
  /** Since when the group is gone; 0 while it is not. Units: ms since the epoch. */
  deadTime: number;
}

export class FilterTable {
  /** By topic, then by group. */
  readonly #filters = new Map<string, Map<string, FilterData>>();
  readonly #file: JsonTable;
  readonly #bits: BloomBits;
  readonly #log: Logger;
  #changed = false;

  /** Errors: RingError STORE_CORRUPT when the file and its backup cannot be read. */
  constructor(file: JsonTable, bits: BloomBits, nowMs: number, log: Logger) {
    this.#file = file;
    this.#bits = bits;
    this.#log = log;
    this.#load(file.read().value, nowMs);
  }

  /** As Java: a file whose bits are of another size is worth nothing, consumers bring their filters anyway. */
  #load(stored: unknown, nowMs: number): void {
    const filters = storedFilters(isFields(stored) ? stored.filterDataByTopic : undefined);
    if (!filters.every(({ bloomFilterData }) => this.#bits.fits(bloomFilterData))) {
      this.#log.warn({}, 'stored filters were made with other bloom filter settings, so they are not used');
      return;
    }
    for (const filter of filters) {
      if (!this.#isUsable(filter)) continue;
      const deadTime = filter.deadTime || Math.max(filter.bornTime, nowMs - DEAD_WHEN_LOADED_MS);
      this.#put({ ...filter, deadTime });
    }
  }

  /** What a heartbeat says of a group. True when what pull lanes know of it changed. */
  register(group: string, subscriptions: readonly SubscriptionData[], nowMs: number): boolean {
    let changed = false;
    for (const subscription of subscriptions) changed = this.#registerOne(group, subscription, nowMs) || changed;
    const topics = new Set(subscriptions.map(({ topic }) => topic));
    for (const filter of this.#ofGroup(group)) if (!topics.has(filter.topic)) this.#bury(filter, nowMs);
    return changed;
  }

  #registerOne(
    group: string,
    { topic, subString, expressionType, subVersion }: SubscriptionData,
    nowMs: number,
  ): boolean {
    if (expressionType === '' || expressionType === 'TAG' || subString === '') return false;
    const old = this.#filters.get(topic)?.get(group);
    if (old !== undefined && subVersion <= old.clientVersion) {
      if (subVersion === old.clientVersion && isDead(old)) {
        old.deadTime = 0;
        this.#changed = true;
      }
      return false;
    }
    if (old !== undefined && old.expression === subString && old.expressionType === expressionType) {
      old.clientVersion = subVersion;
      old.deadTime = 0;
      this.#changed = true;
      return true;
    }
    const filter: FilterData = {
      topic,
      consumerGroup: group,
      expression: subString,
      expressionType,
      bloomFilterData: this.#bits.of(group, topic),
      clientVersion: subVersion,
      bornTime: nowMs,
      deadTime: 0,
    };
    // Without one, pulls are told that there is none.
    const changed = this.#isUsable(filter) ? this.#put(filter) : (this.#filters.get(topic)?.delete(group) ?? false);
    this.#changed ||= changed;
    return changed;
  }

  /** The last member of a group left. */
  unregister(group: string, nowMs: number): void {
    for (const filter of this.#ofGroup(group)) this.#bury(filter, nowMs);
  }

  /** What pull lanes are told; undefined when the group has none. */
  of(group: string): readonly GroupFilter[] | undefined {
    const filters = this.#ofGroup(group).map(({ topic, expression, expressionType, clientVersion }) => ({
      topic,
      expression,
      expressionType,
      clientVersion,
    }));
    return filters.length === 0 ? undefined : filters;
  }

  /**
   * Drops what is dead for longer than `keptMs`; the groups that lost a filter by it are to be announced.
   */
  clean(nowMs: number, keptMs: number): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const [topic, groups] of this.#filters) {
      for (const [group, filter] of groups) {
        if (!isDead(filter) || nowMs - filter.deadTime < keptMs) continue;
        groups.delete(group);
        changed.add(group);
        this.#changed = true;
      }
      if (groups.size === 0) this.#filters.delete(topic);
    }
    return changed;
  }

  /** Stores the table when it changed. Errors: RingError DISK_WRITE_FAILED; it is tried again next time. */
  save(): void {
    if (!this.#changed) return;
    this.#file.write(this.toObject());
    this.#changed = false;
  }

  /** The file. */
  toObject(): { readonly filterDataByTopic: Record<string, unknown> } {
    const topics = [...this.#filters].map(([topic, groups]) => {
      const groupFilterData = Object.fromEntries([...groups].map(([group, filter]) => [group, storedForm(filter)]));
      return [topic, { groupFilterData, topic }] as const;
    });
    return { filterDataByTopic: Object.fromEntries(topics) };
  }

  #ofGroup(group: string): FilterData[] {
    return [...this.#filters.values()].flatMap(groups => groups.get(group) ?? []);
  }

  #put(filter: FilterData): true {
    const groups = this.#filters.get(filter.topic);
    if (groups === undefined) this.#filters.set(filter.topic, new Map([[filter.consumerGroup, filter]]));
    else groups.set(filter.consumerGroup, filter);
    return true;
  }

  #bury(filter: FilterData, nowMs: number): void {
    if (isDead(filter)) return;
    filter.deadTime = nowMs;
    this.#changed = true;
  }

  #isUsable({ topic, consumerGroup, expression, expressionType }: FilterData): boolean {
    const facts = { topic, group: consumerGroup, expression };
    try {
      if (expressionType === 'SQL92') return parseSqlExpression(expression) !== undefined;
      this.#log.warn({ ...facts, expressionType }, 'a consumer filters by a type of expression that there is not');
    } catch (error) {
      if (!(error instanceof SqlExpressionError)) throw error;
      this.#log.warn({ ...facts, reason: error.message }, 'a consumer filters by what is no expression');
    }
    return false;
  }
}

function isDead({ bornTime, deadTime }: FilterData): boolean {
  return deadTime >= bornTime;
}

/** As Java writes it. */
function storedForm(filter: FilterData): Readonly<Record<string, unknown>> {
  const { bloomFilterData, bornTime, clientVersion, consumerGroup, deadTime, expression, expressionType, topic } =
    filter;
  const dead = isDead(filter);
  return {
    bloomFilterData,
    bornTime,
    clientVersion,
    consumerGroup,
    dead,
    deadTime,
    expression,
    expressionType,
    topic,
  };
}

function storedFilters(byTopic: unknown): FilterData[] {
  const topics = tableOf(byTopic, (value, topic) =>
    Object.values(
      tableOf(isFields(value) ? value.groupFilterData : undefined, (data, group) =>
        filterDataOf(isFields(data) ? data : {}, topic, group),
      ),
    ),
  );
  return Object.values(topics).flat();
}

function filterDataOf(fields: Fields, topic: string, group: string): FilterData {
  const bits = isFields(fields.bloomFilterData) ? fields.bloomFilterData : {};
  return {
    topic,
    consumerGroup: group,
    expression: textOf(fields.expression),
    expressionType: textOf(fields.expressionType),
    bloomFilterData: { bitNum: integerOf(bits.bitNum), bitPos: listOf(bits.bitPos, position => integerOf(position)) },
    clientVersion: integerOf(fields.clientVersion),
    bornTime: integerOf(fields.bornTime),
    deadTime: integerOf(fields.deadTime),
  };
}
