/**
 * Administration: clusters and topics here, the rest by subject in `topics`, `groups`, `messages`, `brokers`,
 * `nameServers` and `roles`, whose calls are about one server each.
 *
 * @example
 * const admin = new Admin({ namesrvAddr: '127.0.0.1:9876' });
 * await admin.start();
 * await admin.createTopic({ clusterName: 'DefaultCluster', topic: 'Orders', readQueueNums: 8, writeQueueNums: 8 });
 * await admin.shutdown();
 *
 * Source: spec remoting 4.2.2, 11.6; DefaultMQAdminExt.
 */
import { type ClusterInfo, MASTER_ID, type TopicRouteData } from '../protocol/bodies/route.js';
import { createTopicConfig } from '../protocol/bodies/topic.js';
import { BrokerAdmin } from './admin/brokers.js';
import { AdminCaller } from './admin/caller.js';
import { GroupAdmin } from './admin/groups.js';
import { MessageAdmin } from './admin/messages.js';
import { NameServerAdmin } from './admin/name-servers.js';
import { RoleAdmin } from './admin/roles.js';
import { TopicAdmin } from './admin/topics.js';
import { ClientInstance, type ClientOptions } from './client-instance.js';
import { MQClientError } from './errors.js';
import { checkTopic } from './message.js';

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
  readonly topics: TopicAdmin;
  readonly groups: GroupAdmin;
  readonly messages: MessageAdmin;
  readonly brokers: BrokerAdmin;
  readonly nameServers: NameServerAdmin;
  readonly roles: RoleAdmin;
  readonly #instance: ClientInstance;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: AdminOptions) {
    this.#instance = new ClientInstance(options);
    const caller = new AdminCaller(this.#instance);
    this.topics = new TopicAdmin(caller);
    this.groups = new GroupAdmin(caller);
    this.messages = new MessageAdmin(caller);
    this.brokers = new BrokerAdmin(caller);
    this.nameServers = new NameServerAdmin(caller);
    this.roles = new RoleAdmin(caller);
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
    const config = createTopicConfig(options.topic, {
      readQueueNums: options.readQueueNums ?? 8,
      writeQueueNums: options.writeQueueNums ?? 8,
      ...(options.perm === undefined ? {} : { perm: options.perm }),
    });
    for (const address of addresses) await this.topics.update(address, config);
  }

  /** Every configuration key of a broker. Errors: MQBrokerError. */
  brokerConfig(brokerAddr: string): Promise<Record<string, string>> {
    return this.brokers.config(brokerAddr);
  }

  /** Changes configuration keys of a running broker; it ignores those it does not know. Errors: MQBrokerError. */
  async updateBrokerConfig(brokerAddr: string, properties: Readonly<Record<string, string>>): Promise<void> {
    await this.brokers.updateConfig(brokerAddr, properties);
  }

  /** What a broker tells of itself, all as text: `putTps`, `commitLogMaxOffset`, … Errors: MQBrokerError. */
  brokerRuntimeInfo(brokerAddr: string): Promise<Readonly<Record<string, string>>> {
    return this.brokers.runtimeInfo(brokerAddr);
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

  async #masterAddresses(clusterName: string): Promise<string[]> {
    const info = await this.clusterInfo();
    const addresses = (info.clusterAddrTable[clusterName] ?? [])
      .map(brokerName => info.brokerAddrTable[brokerName]?.brokerAddrs[MASTER_ID])
      .filter(address => address !== undefined);
    if (addresses.length === 0) throw new MQClientError('NO_ROUTE', `cluster ${clusterName} has no master`);
    return addresses;
  }
}
