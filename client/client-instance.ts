/**
 * What producers, consumers and admin share: connections, routes kept fresh, heartbeats, and the requests that brokers
 * send. One instance belongs to one of them. Source: spec remoting 4.3, 7.1, 11.1, 11.3; MQClientInstance.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID, type TopicRouteData } from '../protocol/bodies/route.js';
import { ResponseCode } from '../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../protocol/command.js';
import type { Connection, RequestHandler } from './connection.js';
import { ConnectionPool } from './connection-pool.js';
import { MQBrokerError, MQClientError } from './errors.js';
import { type BrokerAddresses, type ClientRole, Heartbeat } from './heartbeat.js';
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
  /**
   * Names this client together with the address of the machine. No two members of a group may be called the same.
   * Default the process and the time, and `DEFAULT` for consumers that broadcast: theirs must outlive the process.
   */
  readonly instanceName?: string | undefined;
}

/** What is known of a topic. */
export interface TopicView {
  readonly route: TopicRouteData;
  readonly publishQueues: readonly MessageQueue[];
  readonly subscribeQueues: readonly MessageQueue[];
}

export class ClientInstance {
  /** `ip@instance`; the instance is `pid#nanoseconds`, as Java's clients since 4.9.0 say, unless it was named. */
  readonly clientId: string;
  readonly registry: NameRegistryClient;
  readonly connections: ConnectionPool;
  readonly apiTimeoutMs: number;
  readonly #options: ClientOptions;
  readonly #heartbeat: Heartbeat;
  readonly #handlers = new Map<number, RequestHandler>();
  readonly #topics = new Map<string, TopicView>();
  readonly #refreshing = new Map<string, Promise<TopicView | null>>();
  /** Broker name to its addresses by broker id. */
  readonly #brokers = new Map<string, BrokerAddresses>();
  #timers: NodeJS.Timeout[] = [];
  #state: 'created' | 'running' | 'stopped' = 'created';

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: ClientOptions, role: ClientRole = {}) {
    this.clientId = `${localIpv4()}@${options.instanceName ?? `${process.pid}#${process.hrtime.bigint()}`}`;
    this.apiTimeoutMs = options.mqClientApiTimeoutMs ?? 3000;
    this.registry = new NameRegistryClient({
      namesrvAddr: options.namesrvAddr,
      timeoutMs: this.apiTimeoutMs,
      connectTimeoutMs: options.connectTimeoutMs,
    });
    this.connections = new ConnectionPool({
      connectTimeoutMs: options.connectTimeoutMs,
      onRequest: (request, connection) => this.#answer(request, connection),
      onOpen: address => this.#heartbeat.onOpen(address),
      onClose: address => this.#heartbeat.onClose(address),
    });
    this.#heartbeat = new Heartbeat(this.clientId, role, this.connections, this.#brokers, this.apiTimeoutMs);
    this.#options = options;
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
      setInterval(() => void this.#heartbeat.beat(), heartbeatBrokerIntervalMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Says goodbye to the brokers and closes every connection; what still waits is rejected. */
  async shutdown(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    for (const timer of this.#timers) clearInterval(timer);
    await this.#heartbeat.farewell();
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
    if (this.running) void this.#heartbeat.greetNew();
  }

  /** Answers the requests of brokers that have this code; those without a handler are refused. */
  handle(code: number, handler: RequestHandler): void {
    this.#handlers.set(code, handler);
  }

  /** Ends when every broker known so far has heard of this client, or cannot be reached. */
  async greetBrokers(): Promise<void> {
    await this.#heartbeat.greetNew();
  }

  /** Tells every broker what has changed about this client. */
  async beat(): Promise<void> {
    await this.#heartbeat.beat();
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

  #answer(request: RemotingCommand, connection: Connection): ReturnType<RequestHandler> {
    const handler = this.#handlers.get(request.code);
    if (handler !== undefined) return handler(request, connection);
    return createResponse(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, `request code ${request.code}`);
  }
}
