/**
 * What producer, pull consumer and admin share: connections, routes kept fresh, heartbeats. One instance belongs to
 * one of them. Source: spec remoting 7.1, 11.1, 11.3; MQClientInstance.
 */

import { encodeBody } from '../protocol/bodies/fields.js';
import type { HeartbeatData } from '../protocol/bodies/group.js';
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID, type TopicRouteData } from '../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../protocol/command.js';
import { LEGAL_NAME } from '../protocol/topic-names.js';
import { ConnectionPool } from './connection-pool.js';
import { MQBrokerError, MQClientError } from './errors.js';
import { NameRegistryClient } from './name-registry-client.js';
import { publishQueues, subscribeQueues } from './route.js';
import { localIpv4 } from './unique-id.js';

/** Options every kind of client takes. Units: ms. */
export interface ClientOptions {
  /** Name servers, `a:9876;b:9876`. */
  readonly namesrvAddr: string;
  /** Routes are fetched again this often. Default 30000. */
  readonly pollNameServerIntervalMs?: number | undefined;
  /** Brokers hear from us this often; they forget clients after 120000. Default 30000. */
  readonly heartbeatBrokerIntervalMs?: number | undefined;
  /** How long an answer to anything but sends and pulls may take. Default 3000. */
  readonly mqClientApiTimeoutMs?: number | undefined;
  /** Default 3000. */
  readonly connectTimeoutMs?: number | undefined;
}

export interface ClientGroups {
  readonly producerGroup?: string;
  readonly consumerGroup?: string;
}

/** What is known of a topic. */
export interface TopicView {
  readonly route: TopicRouteData;
  readonly publishQueues: readonly MessageQueue[];
  readonly subscribeQueues: readonly MessageQueue[];
}

export class ClientInstance {
  /** `ip@pid#nanoseconds`, as Java's clients name themselves since 4.9.0. */
  readonly clientId = `${localIpv4()}@${process.pid}#${process.hrtime.bigint()}`;
  readonly registry: NameRegistryClient;
  readonly connections: ConnectionPool;
  readonly apiTimeoutMs: number;
  readonly #options: ClientOptions;
  readonly #groups: ClientGroups;
  readonly #topics = new Map<string, TopicView>();
  readonly #refreshing = new Map<string, Promise<TopicView | null>>();
  /** Broker name to its addresses by broker id. */
  readonly #brokers = new Map<string, Readonly<Record<string, string>>>();
  readonly #greeted = new Set<string>();
  #timers: NodeJS.Timeout[] = [];
  #state: 'created' | 'running' | 'stopped' = 'created';

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: ClientOptions, groups: ClientGroups = {}) {
    for (const group of Object.values(groups)) checkGroup(group);
    this.apiTimeoutMs = options.mqClientApiTimeoutMs ?? 3000;
    this.registry = new NameRegistryClient({
      namesrvAddr: options.namesrvAddr,
      timeoutMs: this.apiTimeoutMs,
      connectTimeoutMs: options.connectTimeoutMs,
    });
    this.connections = new ConnectionPool({ connectTimeoutMs: options.connectTimeoutMs });
    this.#options = options;
    this.#groups = groups;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  /** Starts the timers; none of them keeps the process alive. Errors: MQClientError NOT_RUNNING after a shutdown. */
  start(): void {
    if (this.#state === 'stopped') throw new MQClientError('NOT_RUNNING', 'a client that was shut down stays so');
    if (this.#state === 'running') return;
    this.#state = 'running';
    const { pollNameServerIntervalMs = 30_000, heartbeatBrokerIntervalMs = 30_000 } = this.#options;
    this.#timers = [
      setInterval(() => this.#refreshAll(), pollNameServerIntervalMs),
      setInterval(() => this.#heartbeatAll(), heartbeatBrokerIntervalMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Says goodbye to the brokers and closes every connection; what still waits is rejected. */
  async shutdown(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.allSettled([...this.#greeted].map(address => this.#unregister(address)));
    await Promise.all([this.connections.close(), this.registry.close()]);
  }

  /** Errors: MQClientError NOT_RUNNING. */
  checkRunning(): void {
    if (this.#state === 'running') return;
    const why = this.#state === 'created' ? 'call start() first' : 'the client is shut down';
    throw new MQClientError('NOT_RUNNING', why);
  }

  /** What is known of a topic without asking. */
  topic(topic: string): TopicView | undefined {
    return this.#topics.get(topic);
  }

  /** What is known of a topic, asking the name server when that is nothing; null when it does not know it either. */
  async loadTopic(topic: string): Promise<TopicView | null> {
    return this.#topics.get(topic) ?? (await this.refreshTopic(topic));
  }

  /** Asks the name server; callers at the same time share one request. A topic it does not know keeps its old view. */
  refreshTopic(topic: string): Promise<TopicView | null> {
    let refreshing = this.#refreshing.get(topic);
    if (refreshing === undefined) {
      refreshing = this.#fetchTopic(topic).finally(() => this.#refreshing.delete(topic));
      this.#refreshing.set(topic, refreshing);
    }
    return refreshing;
  }

  /** {@link refreshTopic} after a failure, without waiting: the next attempt finds what it brought. */
  refreshTopicSoon(topic: string): void {
    if (this.running) this.refreshTopic(topic).catch(() => undefined);
  }

  /** Records what the caller worked out, until the name server knows better. */
  setTopic(topic: string, view: TopicView): void {
    this.#topics.set(topic, view);
    for (const broker of view.route.brokerDatas) this.#brokers.set(broker.brokerName, broker.brokerAddrs);
    if (this.running) for (const address of this.#heartbeatAddresses()) this.#greet(address);
  }

  knowsBroker(brokerName: string): boolean {
    return this.#brokers.has(brokerName);
  }

  /** Learns the addresses of every broker the name server knows. */
  async loadBrokers(): Promise<void> {
    const { brokerAddrTable } = await this.registry.clusterInfo();
    for (const [brokerName, broker] of Object.entries(brokerAddrTable)) {
      this.#brokers.set(brokerName, broker.brokerAddrs);
    }
  }

  /** Address of one broker of a group; of the master unless told otherwise. */
  brokerAddress(brokerName: string, brokerId = MASTER_ID): string | undefined {
    return this.#brokers.get(brokerName)?.[brokerId];
  }

  /** Address of the broker asked for, of the next id, or of any of the group. Source: spec remoting 6.5. */
  readableBrokerAddress(brokerName: string, brokerId: number): string | undefined {
    const addresses = this.#brokers.get(brokerName) ?? {};
    const next = brokerId === MASTER_ID ? undefined : addresses[brokerId + 1];
    return addresses[brokerId] ?? next ?? Object.values(addresses)[0];
  }

  /**
   * Asks `address` and insists on one of `codes`.
   * Errors: MQBrokerError for any other code; those of {@link ConnectionPool.request}.
   */
  async invoke(
    address: string,
    command: RemotingCommand,
    timeoutMs = this.apiTimeoutMs,
    codes: readonly number[] = [ResponseCode.SUCCESS],
  ): Promise<RemotingCommand> {
    const answer = await this.connections.request(address, command, timeoutMs);
    if (!codes.includes(answer.code)) throw new MQBrokerError(answer, address);
    return answer;
  }

  async #fetchTopic(topic: string): Promise<TopicView | null> {
    const route = await this.registry.route(topic);
    if (route === null) return null;
    const view = {
      route,
      publishQueues: publishQueues(topic, route),
      subscribeQueues: subscribeQueues(topic, route),
    };
    this.setTopic(topic, view);
    return view;
  }

  #refreshAll(): void {
    for (const topic of this.#topics.keys()) this.refreshTopicSoon(topic);
  }

  #heartbeatAll(): void {
    this.#greeted.clear();
    for (const address of this.#heartbeatAddresses()) this.#greet(address);
  }

  /** Consumers are known to slaves as well, producers to masters only. */
  #heartbeatAddresses(): Set<string> {
    const { producerGroup, consumerGroup } = this.#groups;
    const addresses = new Set<string>();
    if (producerGroup === undefined && consumerGroup === undefined) return addresses;
    for (const broker of this.#brokers.values()) {
      for (const [brokerId, address] of Object.entries(broker)) {
        if (consumerGroup !== undefined || Number(brokerId) === MASTER_ID) addresses.add(address);
      }
    }
    return addresses;
  }

  #greet(address: string): void {
    if (this.#greeted.has(address)) return;
    this.#greeted.add(address);
    const request = createRequest(RequestCode.HEART_BEAT, {}, encodeBody(this.#heartbeatData()));
    // A broker that cannot be reached now hears from us with the next route or the next beat.
    this.invoke(address, request).catch(() => this.#greeted.delete(address));
  }

  #heartbeatData(): HeartbeatData {
    const { producerGroup, consumerGroup } = this.#groups;
    return {
      clientID: this.clientId,
      producerDataSet: producerGroup === undefined ? [] : [{ groupName: producerGroup }],
      consumerDataSet:
        consumerGroup === undefined
          ? []
          : [
              {
                groupName: consumerGroup,
                consumeType: 'CONSUME_ACTIVELY',
                messageModel: 'CLUSTERING',
                consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
                subscriptionDataSet: [],
                unitMode: false,
              },
            ],
    };
  }

  async #unregister(address: string): Promise<void> {
    if (this.connections.peek(address) === undefined) return;
    const { producerGroup, consumerGroup } = this.#groups;
    const fields = { clientID: this.clientId, producerGroup, consumerGroup };
    await this.connections.request(address, createRequest(RequestCode.UNREGISTER_CLIENT, fields), this.apiTimeoutMs);
  }
}

/** Source: Validators.CHARACTER_MAX_LENGTH. Units: characters. */
const GROUP_SIZE_MAX = 255;

/** Errors: MQClientError INVALID_ARGUMENT. Source: Validators.checkGroup. */
function checkGroup(group: string): void {
  const legal = LEGAL_NAME.test(group) && group.length <= GROUP_SIZE_MAX;
  if (!legal || group === 'DEFAULT_PRODUCER' || group === 'DEFAULT_CONSUMER') {
    throw new MQClientError(
      'INVALID_ARGUMENT',
      `group "${group}" is blank, reserved, longer than ${GROUP_SIZE_MAX} or holds characters other than letters, digits and %|_-`,
    );
  }
}
