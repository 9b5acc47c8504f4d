/**
 * Subscription groups of this broker: the predefined ones, those of `config/subscriptionGroup.json`, those made by
 * their first use. Cold.
 * Source: spec storage 7, remoting 12.3; SubscriptionGroupManager.
 */
import { decodeBody, encodeBody } from '../../protocol/bodies/fields.js';
import {
  createSubscriptionGroupConfig,
  type SubscriptionGroupConfig,
  type SubscriptionGroupWrapper,
  subscriptionGroupWrapperOf,
} from '../../protocol/bodies/group.js';
import type { DataVersion } from '../../protocol/bodies/topic.js';
import type { JsonTable } from '../../storage/json-table.js';

const predefined = [
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
];
/** These may broadcast whatever is configured. */
const broadcasting = new Set(['CID_ONS-HTTP-PROXY', 'CID_ONSAPI_PULL', 'CID_ONSAPI_PERMISSION', 'CID_ONSAPI_OWNER']);
const SYSTEM_PREFIX = 'CID_RMQ_SYS_';

export class GroupTable {
  readonly #groups = new Map<string, SubscriptionGroupConfig>();
  readonly #file: JsonTable;
  #version: DataVersion;

  /** Errors: RingError STORE_CORRUPT when the file and its backup cannot be read. */
  constructor(file: JsonTable, nowMs: number) {
    this.#file = file;
    this.#version = { counter: 0, timestamp: nowMs };
    for (const name of predefined) {
      this.#groups.set(
        name,
        createSubscriptionGroupConfig(name, broadcasting.has(name) ? { consumeBroadcastEnable: true } : {}),
      );
    }
    const { value } = file.read();
    if (value === undefined) return;
    const stored = subscriptionGroupWrapperOf(decodeBody(encodeBody(value as object), 'subscriptionGroup.json'));
    for (const group of Object.values(stored.subscriptionGroupTable)) this.#groups.set(group.groupName, group);
    this.#version = stored.dataVersion;
  }

  get version(): DataVersion {
    return this.#version;
  }

  get(name: string): SubscriptionGroupConfig | undefined {
    return this.#groups.get(name);
  }

  all(): IterableIterator<SubscriptionGroupConfig> {
    return this.#groups.values();
  }

  wrapper(): SubscriptionGroupWrapper {
    return { dataVersion: this.#version, subscriptionGroupTable: Object.fromEntries(this.#groups) };
  }

  /** The group, made when it may be; undefined when it may not. Errors: RingError DISK_WRITE_FAILED. */
  findOrCreate(name: string, autoCreate: boolean, nowMs: number): SubscriptionGroupConfig | undefined {
    const known = this.#groups.get(name);
    if (known !== undefined || name === '') return known;
    if (!autoCreate && !name.startsWith(SYSTEM_PREFIX)) return undefined;
    return this.put(createSubscriptionGroupConfig(name), nowMs);
  }

  put(group: SubscriptionGroupConfig, nowMs: number): SubscriptionGroupConfig {
    this.#groups.set(group.groupName, group);
    this.#save(nowMs);
    return group;
  }

  delete(name: string, nowMs: number): boolean {
    const existed = this.#groups.delete(name);
    if (existed) this.#save(nowMs);
    return existed;
  }

  /**
   * Takes over the master's table, version included; what is not in it is gone. What differed is returned.
   * Errors: RingError DISK_WRITE_FAILED.
   */
  replace(wrapper: SubscriptionGroupWrapper): { changed: SubscriptionGroupConfig[]; removed: string[] } {
    const groups = Object.values(wrapper.subscriptionGroupTable);
    const names = new Set(groups.map(({ groupName }) => groupName));
    const isSame = (group: SubscriptionGroupConfig): boolean =>
      JSON.stringify(this.#groups.get(group.groupName)) === JSON.stringify(group);
    const changed = groups.filter(group => !isSame(group));
    const removed = [...this.#groups.keys()].filter(name => !names.has(name));
    for (const name of removed) this.#groups.delete(name);
    for (const group of groups) this.#groups.set(group.groupName, group);
    this.#version = wrapper.dataVersion;
    this.save();
    return { changed, removed };
  }

  #save(nowMs: number): void {
    this.#version = { ...this.#version, counter: this.#version.counter + 1, timestamp: nowMs };
    this.save();
  }

  save(): void {
    this.#file.write(this.wrapper());
  }
}
