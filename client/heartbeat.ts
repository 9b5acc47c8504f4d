/**
 * Tells brokers which groups a client is in, each of them as soon as there is a connection to it and then again and
 * again, and says goodbye at the end. Source: spec remoting 7.1, 7.2; MQClientInstance.
 */
import { encodeBody } from '../protocol/bodies/fields.js';
import type { ConsumerData, HeartbeatData } from '../protocol/bodies/group.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { LEGAL_NAME } from '../protocol/topic-names.js';
import type { ConnectionPool } from './connection-pool.js';
import { MQBrokerError, MQClientError } from './errors.js';

/** What a client is to brokers. */
export interface ClientRole {
  readonly producerGroup?: string | undefined;
  readonly consumerGroup?: string | undefined;
  /** What they are told of the consumer, asked for at each beat. Default: one that pulls and subscribes to nothing. */
  readonly consumerData?: (() => ConsumerData) | undefined;
}

/** Addresses of one broker group by broker id. */
export type BrokerAddresses = Readonly<Record<string, string>>;

export class Heartbeat {
  readonly #clientId: string;
  readonly #role: ClientRole;
  readonly #connections: ConnectionPool;
  readonly #brokers: ReadonlyMap<string, BrokerAddresses>;
  readonly #timeoutMs: number;
  /** Brokers that know us, or are being told. */
  readonly #greetings = new Map<string, Promise<void>>();

  /** Errors: MQClientError INVALID_ARGUMENT for a group that may not be called so. */
  constructor(
    clientId: string,
    role: ClientRole,
    connections: ConnectionPool,
    brokers: ReadonlyMap<string, BrokerAddresses>,
    timeoutMs: number,
  ) {
    for (const group of [role.producerGroup, role.consumerGroup]) if (group !== undefined) checkGroup(group);
    this.#clientId = clientId;
    this.#role = role;
    this.#connections = connections;
    this.#brokers = brokers;
    this.#timeoutMs = timeoutMs;
  }

  /** Tells the brokers that do not know us yet; ends when all have answered or failed. */
  async greetNew(): Promise<void> {
    await Promise.all([...this.#addresses()].map(address => this.#greet(address)));
  }

  /** Tells every broker, again. */
  async beat(): Promise<void> {
    this.#greetings.clear();
    await this.greetNew();
  }

  /** A connection was made: the broker behind it has not heard of us on it. */
  onOpen(address: string): void {
    if (this.#addresses().has(address)) void this.#greet(address);
  }

  /** A connection ended, and the broker forgot us with it. */
  onClose(address: string): void {
    this.#greetings.delete(address);
  }

  /** Leaves the groups at every broker that there is a connection to. */
  async farewell(): Promise<void> {
    const { producerGroup, consumerGroup } = this.#role;
    const fields = { clientID: this.#clientId, producerGroup, consumerGroup };
    const known = [...this.#greetings.keys()].filter(address => this.#connections.peek(address) !== undefined);
    await Promise.allSettled(
      known.map(address =>
        this.#connections.request(address, createRequest(RequestCode.UNREGISTER_CLIENT, fields), this.#timeoutMs),
      ),
    );
  }

  /** Consumers are known to slaves as well, producers to masters only. */
  #addresses(): Set<string> {
    const { producerGroup, consumerGroup } = this.#role;
    const addresses = new Set<string>();
    if (producerGroup === undefined && consumerGroup === undefined) return addresses;
    for (const broker of this.#brokers.values()) {
      for (const [brokerId, address] of Object.entries(broker)) {
        if (consumerGroup !== undefined || Number(brokerId) === MASTER_ID) addresses.add(address);
      }
    }
    return addresses;
  }

  #greet(address: string): Promise<void> {
    let greeting = this.#greetings.get(address);
    if (greeting === undefined) {
      greeting = this.#send(address).catch(() => {
        // A broker that cannot be reached now hears from us with the next connection, route or beat.
        if (this.#greetings.get(address) === greeting) this.#greetings.delete(address);
      });
      this.#greetings.set(address, greeting);
    }
    return greeting;
  }

  async #send(address: string): Promise<void> {
    const request = createRequest(RequestCode.HEART_BEAT, {}, encodeBody(this.#heartbeatData()));
    const answer = await this.#connections.request(address, request, this.#timeoutMs);
    if (answer.code !== ResponseCode.SUCCESS) throw new MQBrokerError(answer, address);
  }

  #heartbeatData(): HeartbeatData {
    const { producerGroup, consumerGroup, consumerData } = this.#role;
    return {
      clientID: this.#clientId,
      producerDataSet: producerGroup === undefined ? [] : [{ groupName: producerGroup }],
      consumerDataSet: consumerGroup === undefined ? [] : [consumerData?.() ?? pullConsumerData(consumerGroup)],
    };
  }
}

function pullConsumerData(groupName: string): ConsumerData {
  return {
    groupName,
    consumeType: 'CONSUME_ACTIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    subscriptionDataSet: [],
    unitMode: false,
  };
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
