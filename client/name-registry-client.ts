/**
 * Asks name servers. Of a list it keeps to one server until that fails, then goes on to the next.
 *
 * @example
 * const registry = new NameRegistryClient({ namesrvAddr: '10.0.0.1:9876;10.0.0.2:9876' });
 * const route = await registry.route('Orders'); // null: no such topic
 * await registry.close();
 */
import {
  type ClusterInfo,
  decodeClusterInfo,
  decodeTopicList,
  decodeTopicRouteData,
  type TopicRouteData,
} from '../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../protocol/command.js';
import { parseAddressList } from './address.js';
import { ConnectionPool } from './connection-pool.js';
import { isUnreachable, MQBrokerError } from './errors.js';
import { decodeAnswer } from './route.js';

export interface NameRegistryClientOptions {
  /** `a:9876;b:9876`. */
  readonly namesrvAddr: string;
  readonly timeoutMs?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
}

export class NameRegistryClient {
  readonly addresses: readonly string[];
  readonly #pool: ConnectionPool;
  readonly #timeoutMs: number;
  #chosen: number;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: NameRegistryClientOptions) {
    this.addresses = parseAddressList(options.namesrvAddr);
    this.#timeoutMs = options.timeoutMs ?? 3000;
    this.#pool = new ConnectionPool({ connectTimeoutMs: options.connectTimeoutMs });
    // Clients spread over the servers: each begins at one of its own.
    this.#chosen = Math.floor(Math.random() * this.addresses.length);
  }

  /** The server in use. */
  get chosenAddress(): string {
    return this.addresses[this.#chosen]!;
  }

  /**
   * Sends `command` to the chosen server, or to the next ones while they cannot be reached; any answer counts.
   * Errors: of the last server tried, MQTimeoutError or MQClientError.
   */
  async request(command: RemotingCommand, timeoutMs = this.#timeoutMs): Promise<RemotingCommand> {
    for (let attempt = 1; ; attempt++) {
      const index = this.#chosen;
      try {
        return await this.#pool.request(this.addresses[index]!, command, timeoutMs);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        // Several requests may fail together: only the first moves on.
        if (this.#chosen === index) this.#chosen = (index + 1) % this.addresses.length;
        if (attempt >= this.addresses.length) throw error;
      }
    }
  }

  /**
   * The route of a topic, or null when the name server says TOPIC_NOT_EXIST.
   * Errors: those of {@link request}; MQBrokerError for other codes; MQClientError BAD_ANSWER.
   */
  async route(topic: string, timeoutMs = this.#timeoutMs): Promise<TopicRouteData | null> {
    const request = createRequest(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic, acceptStandardJsonOnly: true });
    const answer = await this.request(request, timeoutMs);
    return answer.code === ResponseCode.TOPIC_NOT_EXIST ? null : this.#decode(decodeTopicRouteData, answer);
  }

  /** Every cluster and broker the name server knows. Errors: as {@link route}. */
  async clusterInfo(): Promise<ClusterInfo> {
    return this.#decode(decodeClusterInfo, await this.request(createRequest(RequestCode.GET_BROKER_CLUSTER_INFO)));
  }

  /** The names of all topics, system topics among them. Errors: as {@link route}. */
  async topicList(): Promise<readonly string[]> {
    const answer = await this.request(createRequest(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER));
    return this.#decode(decodeTopicList, answer).topicList;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #decode<Body>(decode: (bytes: Uint8Array | null) => Body, answer: RemotingCommand): Body {
    if (answer.code !== ResponseCode.SUCCESS) throw new MQBrokerError(answer, this.chosenAddress);
    return decodeAnswer(decode, answer.body, this.chosenAddress);
  }
}
