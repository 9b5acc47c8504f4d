/**
 * The few administration calls that applications, tests and tools of ours need; mqadmin has the rest.
 *
 * @example
 * const admin = new Admin({ namesrvAddr: '127.0.0.1:9876' });
 * await admin.start();
 * await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'Orders', readQueueNums: 8, writeQueueNums: 8 });
 * await admin.shutdown();
 *
 * Source: spec remoting 4.2.2, 11.6; DefaultMQAdminExt.
 */
import { parse, stringify } from 'dot-properties';
import { type ClusterInfo, decodeKVTable, MASTER_ID, type TopicRouteData } from '../protocol/bodies/route.js';
import { Permission, RequestCode } from '../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../protocol/command.js';
import { AUTO_CREATE_TOPIC } from '../protocol/topic-names.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { MQClientError } from './errors.js';
import { checkTopic } from './message.js';
import { decodeAnswer } from './route.js';

export type AdminOptions = ClientOptions;

/** Where a topic is to be: on one broker, or on every master of a cluster. */
export type TopicPlace =
  | { readonly brokerAddr: string; readonly clusterName?: undefined }
  | { readonly clusterName: string; readonly brokerAddr?: undefined };

export type CreateTopicOptions = TopicPlace & {
  readonly topic: string;
  /** Default 8. */
  readonly readQueueNums?: number | undefined;
  /** Default 8. */
  readonly writeQueueNums?: number | undefined;
  /** Bits of {@link Permission}. Default 6: read and write. */
  readonly perm?: number | undefined;
};

export class Admin {
  readonly #instance: ClientInstance;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: AdminOptions) {
    this.#instance = new ClientInstance(options);
  }

  async start(): Promise<void> {
    this.#instance.start();
  }

  async shutdown(): Promise<void> {
    await this.#instance.shutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * Creates a topic, or changes the one of that name. The brokers tell the name servers before they answer.
   * Errors: MQBrokerError; MQClientError NO_ROUTE when the cluster has no master.
   */
  async createTopic(options: CreateTopicOptions): Promise<void> {
    this.#instance.checkRunning();
    checkTopic(options.topic);
    const addresses =
      options.brokerAddr === undefined ? await this.#masterAddresses(options.clusterName) : [options.brokerAddr];
    const fields = {
      topic: options.topic,
      defaultTopic: AUTO_CREATE_TOPIC,
      readQueueNums: options.readQueueNums ?? 8,
      writeQueueNums: options.writeQueueNums ?? 8,
      perm: options.perm ?? Permission.READ | Permission.WRITE,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    };
    for (const address of addresses) await this.#ask(address, RequestCode.UPDATE_AND_CREATE_TOPIC, fields);
  }

  /** Every configuration key of a broker. Errors: MQBrokerError. */
  async brokerConfig(brokerAddr: string): Promise<Record<string, string>> {
    const answer = await this.#ask(brokerAddr, RequestCode.GET_BROKER_CONFIG);
    const properties = parse(new TextDecoder().decode(answer.body ?? new Uint8Array(0)));
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)]));
  }

  /** Changes configuration keys of a running broker; it ignores those it does not know. Errors: MQBrokerError. */
  async updateBrokerConfig(brokerAddr: string, properties: Readonly<Record<string, string>>): Promise<void> {
    const text = stringify({ ...properties }, { lineWidth: null });
    await this.#ask(brokerAddr, RequestCode.UPDATE_BROKER_CONFIG, {}, new TextEncoder().encode(`${text}\n`));
  }

  /** What a broker tells of itself, all as text: `putTps`, `commitLogMaxOffset`, … Errors: MQBrokerError. */
  async brokerRuntimeInfo(brokerAddr: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#ask(brokerAddr, RequestCode.GET_BROKER_RUNTIME_INFO);
    return decodeAnswer(decodeKVTable, answer.body, brokerAddr).table;
  }

  /** Every cluster and broker the name server knows. */
  async clusterInfo(): Promise<ClusterInfo> {
    this.#instance.checkRunning();
    return this.#instance.registry.clusterInfo();
  }

  /** Where a topic lives; null when the name server does not know it. */
  async topicRoute(topic: string): Promise<TopicRouteData | null> {
    this.#instance.checkRunning();
    return this.#instance.registry.route(topic);
  }

  /** The names of all topics, system topics among them. */
  async topicList(): Promise<readonly string[]> {
    this.#instance.checkRunning();
    return this.#instance.registry.topicList();
  }

  async #ask(
    address: string,
    code: number,
    fields: Parameters<typeof createRequest>[1] = {},
    body: Uint8Array | null = null,
  ): Promise<RemotingCommand> {
    this.#instance.checkRunning();
    return this.#instance.invoke(address, createRequest(code, fields, body));
  }

  async #masterAddresses(clusterName: string): Promise<string[]> {
    const info = await this.clusterInfo();
    const addresses = (info.clusterAddrTable[clusterName] ?? [])
      .map(brokerName => info.brokerAddrTable[brokerName]?.brokerAddrs[MASTER_ID])
      .filter(address => address !== undefined);
    if (addresses.length === 0) throw new MQClientError('NO_ROUTE', `cluster ${clusterName} has no master`);
    return addresses;
  }
}
