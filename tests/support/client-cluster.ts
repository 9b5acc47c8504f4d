/**
 * A name server and a broker of one make, and clients of ours that end with them: for tests that our client has to pass
 * whoever made the broker.
 */
import {
  Admin,
  type Message,
  Producer,
  type ProducerOptions,
  PushConsumer,
  type PushConsumerOptions,
  TransactionProducer,
  type TransactionProducerOptions,
} from '../../client/index.js';
import type { Launchers } from './node-process.js';
import { removeFolder, type ServerProcess, startBroker, startNameServer, temporaryFolder } from './node-process.js';
import { until } from './until.js';

interface Client {
  start(): Promise<void>;
  shutdown(): Promise<void>;
}

export type WithoutAddress<Options> = Omit<Options, 'namesrvAddr'>;

let names = 0;
/** A name that no other test has used. */
export function freshName(kind: string): string {
  return `${kind}${process.pid}x${++names}`;
}

export class ClientCluster {
  readonly folder: string;
  readonly nameServer: ServerProcess;
  readonly broker: ServerProcess;
  readonly admin: Admin;
  #clients: Client[] = [];

  static async start(launchers: Launchers, settings: Readonly<Record<string, string>>): Promise<ClientCluster> {
    const folder = temporaryFolder();
    const servers: ServerProcess[] = [];
    let admin: Admin | undefined;
    try {
      const nameServer = await startNameServer(launchers, folder);
      servers.push(nameServer);
      const broker = await startBroker(launchers, { nameServer: nameServer.address, folder, settings });
      servers.push(broker);
      const cluster = new ClientCluster(folder, nameServer, broker);
      admin = cluster.admin;
      await cluster.admin.start();
      // The broker listens before it has registered.
      await eventually(async () => (await cluster.admin.topicRoute('TBW102')) !== null, 'the broker to register');
      return cluster;
    } catch (error) {
      // What is left running would keep the process of the test alive.
      await admin?.shutdown();
      for (const server of servers) await server.kill();
      removeFolder(folder);
      throw error;
    }
  }

  private constructor(folder: string, nameServer: ServerProcess, broker: ServerProcess) {
    this.folder = folder;
    this.nameServer = nameServer;
    this.broker = broker;
    this.admin = new Admin({ namesrvAddr: nameServer.address });
  }

  get namesrvAddr(): string {
    return this.nameServer.address;
  }

  /** A topic that the name server knows. */
  async createTopic(queues: number): Promise<string> {
    const topic = freshName('Topic');
    const nums = { readQueueNums: queues, writeQueueNums: queues };
    await this.admin.createTopic({ brokerAddr: this.broker.address, topic, ...nums });
    await eventually(async () => (await this.admin.topicRoute(topic)) !== null, `the route of ${topic}`);
    return topic;
  }

  producer(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    return this.#started(
      new Producer({
        producerGroup: freshName('PG'),
        sendMsgTimeoutMs: 20_000,
        ...options,
        namesrvAddr: this.namesrvAddr,
      }),
    );
  }

  transactionProducer<Argument>(
    options: WithoutAddress<TransactionProducerOptions<Argument>>,
  ): Promise<TransactionProducer<Argument>> {
    return this.#started(
      new TransactionProducer<Argument>({ sendMsgTimeoutMs: 20_000, ...options, namesrvAddr: this.namesrvAddr }),
    );
  }

  /** Prepared and not started. */
  pushConsumer(options: WithoutAddress<PushConsumerOptions>): PushConsumer {
    const consumer = new PushConsumer({
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      onError: () => undefined,
      ...options,
      namesrvAddr: this.namesrvAddr,
    });
    this.#clients.push(consumer);
    return consumer;
  }

  /** Ends the clients of one test. */
  async endClients(): Promise<void> {
    const clients = this.#clients;
    this.#clients = [];
    await Promise.all(clients.map(client => client.shutdown()));
  }

  async end(): Promise<void> {
    await this.endClients();
    await this.admin.shutdown();
    await this.broker.stop();
    await this.nameServer.stop();
    removeFolder(this.folder);
  }

  async #started<Kind extends Client>(client: Kind): Promise<Kind> {
    this.#clients.push(client);
    await client.start();
    return client;
  }
}

/** Messages that differ in their bodies, `prefix0`, `prefix1`, …. */
export function numbered(topic: string, count: number, prefix = ''): Message[] {
  return Array.from({ length: count }, (_, index) => ({ topic, body: `${prefix}${index}` }));
}

/** {@link until}, with the patience that a cluster of processes needs. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 40_000,
): Promise<void> {
  await until(condition, what, limitMs);
}
