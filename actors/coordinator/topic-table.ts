/**
 * Topics of this broker: the system's, those of `config/topics.json`, those made by a first send. Cold.
 * Source: spec storage 7, remoting 12.2; TopicConfigManager.
 */
import { decodeBody, encodeBody } from '../../protocol/bodies/fields.js';
import {
  createTopicConfig,
  type DataVersion,
  type TopicConfig,
  type TopicConfigSerializeWrapper,
  topicConfigSerializeWrapperOf,
} from '../../protocol/bodies/topic.js';
import { Permission } from '../../protocol/codes.js';
import {
  AUTO_CREATE_TOPIC,
  DISCARD_TOPIC,
  HALF_TOPIC,
  isSystemTopic,
  OP_HALF_TOPIC,
  SCHEDULE_TOPIC,
} from '../../protocol/topic-names.js';
import type { JsonTable } from '../../storage/json-table.js';

export interface TopicTableConfig {
  readonly brokerName: string;
  readonly brokerClusterName: string;
  readonly autoCreateTopicEnable: boolean;
  readonly defaultTopicQueueNums: number;
  readonly clusterTopicEnable: boolean;
  readonly brokerTopicEnable: boolean;
  readonly traceTopicEnable: boolean;
  readonly msgTraceTopicName: string;
}

const SCHEDULE_QUEUES = 18;
const READ_WRITE = Permission.READ | Permission.WRITE;

export class TopicTable {
  readonly #topics = new Map<string, TopicConfig>();
  /** Those this broker has by itself, its own and its cluster's name among them. */
  readonly #own: ReadonlySet<string>;
  readonly #file: JsonTable;
  #version: DataVersion;

  /** Errors: RingError STORE_CORRUPT when topics.json and its backup cannot be read. */
  constructor(file: JsonTable, config: TopicTableConfig, nowMs: number) {
    this.#file = file;
    this.#version = { counter: 0, timestamp: nowMs };
    const own = systemTopics(config);
    this.#own = new Set(own.map(topic => topic.topicName));
    for (const topic of own) this.#topics.set(topic.topicName, topic);
    const { value } = file.read();
    if (value === undefined) return;
    const stored = topicConfigSerializeWrapperOf(decodeBody(encodeBody(value as object), 'topics.json'));
    for (const topic of Object.values(stored.topicConfigTable)) this.#topics.set(topic.topicName, topic);
    this.#version = stored.dataVersion;
  }

  get version(): DataVersion {
    return this.#version;
  }

  get(name: string): TopicConfig | undefined {
    return this.#topics.get(name);
  }

  /** Administrators may neither make nor delete it. Source: TopicConfigManager, TopicValidator. */
  isSystem(name: string): boolean {
    return this.#own.has(name) || isSystemTopic(name);
  }

  all(): IterableIterator<TopicConfig> {
    return this.#topics.values();
  }

  /** Body of the registration, of code 21 and of topics.json. */
  wrapper(): TopicConfigSerializeWrapper {
    return { dataVersion: this.#version, topicConfigTable: Object.fromEntries(this.#topics) };
  }

  /**
   * What the topic of a first send would be, after the template the producer names; undefined when none may be made.
   * Source: spec remoting 12.2; TopicConfigManager.createTopicInSendMessageMethod.
   */
  planOnSend(
    name: string,
    templateName: string,
    wantedQueues: number,
    topicSysFlag: number,
    autoCreate: boolean,
  ): TopicConfig | undefined {
    const template = this.#topics.get(templateName);
    if (template === undefined || (template.perm & Permission.INHERIT) === 0) return undefined;
    // With automatic creation switched off, a TBW102 that is still stored is no template.
    if (templateName === AUTO_CREATE_TOPIC && !autoCreate) return undefined;
    const queues = Math.max(0, Math.min(wantedQueues, template.writeQueueNums));
    const perm = template.perm & ~Permission.INHERIT;
    const { topicFilterType } = template;
    return createTopicConfig(name, {
      readQueueNums: queues,
      writeQueueNums: queues,
      perm,
      topicSysFlag,
      topicFilterType,
    });
  }

  /** Adds or replaces a topic and stores the table. Errors: RingError DISK_WRITE_FAILED; then nothing changed. */
  put(topic: TopicConfig, nowMs: number): TopicConfig {
    const before = this.#topics.get(topic.topicName);
    this.#topics.set(topic.topicName, topic);
    this.#save(nowMs, () => {
      if (before === undefined) this.#topics.delete(topic.topicName);
      else this.#topics.set(topic.topicName, before);
    });
    return topic;
  }

  /** Errors: RingError DISK_WRITE_FAILED; then nothing changed. */
  delete(name: string, nowMs: number): void {
    const before = this.#topics.get(name);
    if (before === undefined) return;
    this.#topics.delete(name);
    this.#save(nowMs, () => this.#topics.set(name, before));
  }

  /**
   * Takes over the master's table, version included; what is not in it is gone. What differed is returned.
   * Errors: RingError DISK_WRITE_FAILED; then nothing changed.
   */
  replace(wrapper: TopicConfigSerializeWrapper): { changed: TopicConfig[]; removed: string[] } {
    const before = new Map(this.#topics);
    const version = this.#version;
    const topics = Object.values(wrapper.topicConfigTable);
    const names = new Set(topics.map(({ topicName }) => topicName));
    const changed = topics.filter(topic => !equalTopics(this.#topics.get(topic.topicName), topic));
    const removed = [...this.#topics.keys()].filter(name => !names.has(name));
    for (const name of removed) this.#topics.delete(name);
    for (const topic of topics) this.#topics.set(topic.topicName, topic);
    this.#version = wrapper.dataVersion;
    try {
      this.save();
    } catch (error) {
      this.#topics.clear();
      for (const [name, topic] of before) this.#topics.set(name, topic);
      this.#version = version;
      throw error;
    }
    return { changed, removed };
  }

  /**
   * Topics that are ordered from now on, as the name server's key-value configuration has them; the others are not.
   * Returns those that changed. Errors: RingError DISK_WRITE_FAILED; then nothing changed.
   */
  setOrdered(ordered: ReadonlySet<string>, nowMs: number): TopicConfig[] {
    const before = [...this.#topics.values()].filter(({ topicName, order }) => order !== ordered.has(topicName));
    if (before.length === 0) return [];
    const changed = before.map(topic => ({ ...topic, order: !topic.order }));
    for (const topic of changed) this.#topics.set(topic.topicName, topic);
    this.#save(nowMs, () => {
      for (const topic of before) this.#topics.set(topic.topicName, topic);
    });
    return changed;
  }

  /** A change of brokerPermission makes a new version without changing a topic. */
  touch(nowMs: number): void {
    this.#save(nowMs, () => {});
  }

  #save(nowMs: number, undo: () => void): void {
    const before = this.#version;
    this.#version = { ...before, counter: before.counter + 1, timestamp: nowMs };
    try {
      this.#file.write(this.wrapper());
    } catch (error) {
      this.#version = before;
      undo();
      throw error;
    }
  }

  /** Stores the table as it is. */
  save(): void {
    this.#file.write(this.wrapper());
  }
}

function equalTopics(left: TopicConfig | undefined, right: TopicConfig): boolean {
  return left !== undefined && JSON.stringify(left) === JSON.stringify(right);
}

function systemTopics(config: TopicTableConfig): TopicConfig[] {
  const plain = (name: string, queues: number, perm: number = READ_WRITE): TopicConfig =>
    createTopicConfig(name, { readQueueNums: queues, writeQueueNums: queues, perm });
  const template = (enabled: boolean): number => Permission.INHERIT | (enabled ? READ_WRITE : 0);
  const topics = [
    plain('SELF_TEST_TOPIC', 1),
    plain('BenchmarkTest', 1024),
    plain(config.brokerClusterName, 16, template(config.clusterTopicEnable)),
    plain(config.brokerName, 1, template(config.brokerTopicEnable)),
    plain('OFFSET_MOVED_EVENT', 1),
    plain(SCHEDULE_TOPIC, SCHEDULE_QUEUES),
    plain(HALF_TOPIC, 1),
    plain(OP_HALF_TOPIC, 1),
    plain(DISCARD_TOPIC, 1),
    plain(`${config.brokerClusterName}_REPLY_TOPIC`, 1),
  ];
  if (config.autoCreateTopicEnable) {
    topics.push(plain(AUTO_CREATE_TOPIC, config.defaultTopicQueueNums, template(true)));
  }
  if (config.traceTopicEnable) topics.push(plain(config.msgTraceTopicName, 1));
  return topics;
}
