/**
 * Gets messages as they come: the queues of its topics are divided among the members of its group, pulled, and what
 * comes is given to a listener.
 *
 * @example
 * const consumer = new PushConsumer({ namesrvAddr: '127.0.0.1:9876', consumerGroup: 'billing' });
 * consumer.subscribe('Orders', 'created || paid');
 * consumer.consumeConcurrently(async messages => {
 *   for (const message of messages) await bill(JSON.parse(message.bodyText));
 * });
 * await consumer.start();
 *
 * Source: spec remoting 6, 7, 11.2, scheduling 2, 4; DefaultMQPushConsumerImpl.
 */
import { encodeBody } from '../protocol/bodies/fields.js';
import type { ConsumerData, SubscriptionData } from '../protocol/bodies/group.js';
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { RequestCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';
import { ClientInstance } from './client-instance.js';
import { ConsumeConcurrentlyService } from './consume-concurrently.js';
import { ConsumeOrderlyService } from './consume-orderly.js';
import type { ConsumerTools, ConsumeService } from './consume-service.js';
import { serveConsumerRequests } from './consumer-admin.js';
import { ConsumerStats } from './consumer-stats.js';
import { MQClientError } from './errors.js';
import { LocalOffsetStore } from './local-offset-store.js';
import { checkTopic } from './message.js';
import { MessageBack } from './message-back.js';
import type { MessageListenerConcurrently, MessageListenerOrderly } from './message-listener.js';
import { BrokerOffsetStore } from './offset-store.js';
import type { ProcessQueue } from './process-queue.js';
import { type PullLoopOptions, runPullLoop } from './pull-loop.js';
import { type PushConsumerOptions, type PushConsumerSettings, settingsOf } from './push-consumer-options.js';
import { QueueClient } from './queue-client.js';
import { QueueLock } from './queue-lock.js';
import { Rebalancer } from './rebalance.js';
import { createSubscription, type MessageSelector } from './subscription.js';
import { TraceDispatcher } from './trace-dispatcher.js';

/** What exists while a consumer runs. */
interface Running {
  readonly service: ConsumeService;
  readonly rebalancer: Rebalancer;
  readonly persistTimer: NodeJS.Timeout;
}

export class PushConsumer {
  readonly #consumerGroup: string;
  readonly #settings: PushConsumerSettings;
  readonly #instance: ClientInstance;
  readonly #client: QueueClient;
  readonly #tools: ConsumerTools;
  readonly #lock: QueueLock;
  readonly #subscriptions = new Map<string, SubscriptionData>();
  #createService: (() => ConsumeService) | undefined;
  #running: Running | undefined;
  #suspended = false;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** Errors: MQClientError INVALID_ARGUMENT. */
  constructor(options: PushConsumerOptions) {
    const { consumerGroup } = options;
    const settings = settingsOf(options);
    const isBroadcasting = settings.messageModel === 'BROADCASTING';
    const instanceName = options.instanceName ?? (isBroadcasting ? 'DEFAULT' : undefined);
    const role = { consumerGroup, consumerData: () => this.#consumerData() };
    this.#consumerGroup = consumerGroup;
    this.#settings = settings;
    this.#instance = new ClientInstance({ ...options, instanceName }, role);
    this.#client = new QueueClient(this.#instance, consumerGroup);
    this.#lock = new QueueLock(this.#instance, consumerGroup);
    this.#tools = {
      consumerGroup,
      settings,
      offsets: isBroadcasting
        ? new LocalOffsetStore(settings.localOffsetStoreDir, this.#instance.clientId, consumerGroup)
        : new BrokerOffsetStore(this.#client),
      stats: new ConsumerStats(),
      trace: settings.enableTrace
        ? new TraceDispatcher(this.#instance, consumerGroup, 'CONSUME', settings.traceTopic, settings.onError)
        : undefined,
      messageBack: new MessageBack(this.#instance, consumerGroup),
      assigned: () => this.#running?.rebalancer.assigned ?? [],
    };
  }

  get clientId(): string {
    return this.#instance.clientId;
  }

  /**
   * Asks for messages of a topic: all of them, those with tags (`a || b`), or those a {@link MessageSelector} takes.
   * All members of a group have to subscribe to the same. A condition that brokers refuse is an error of {@link start}.
   * Errors: MQClientError INVALID_ARGUMENT, MESSAGE_ILLEGAL for the name of a topic.
   */
  subscribe(topic: string, selector: string | MessageSelector = '*'): void {
    checkTopic(topic);
    this.#subscriptions.set(topic, createSubscription(topic, selector, Date.now()));
    this.#onSubscriptionChanged();
  }

  /** Gives the queues of a topic away. */
  unsubscribe(topic: string): void {
    if (this.#subscriptions.delete(topic)) this.#onSubscriptionChanged();
  }

  /** Has messages consumed as they come, several at a time. Errors: MQClientError INVALID_ARGUMENT once started. */
  consumeConcurrently(listener: MessageListenerConcurrently): void {
    this.#checkNotStarted();
    this.#createService = () => new ConsumeConcurrentlyService(this.#tools, listener);
  }

  /** Has the messages of each queue consumed in their order. Errors: MQClientError INVALID_ARGUMENT once started. */
  consumeOrderly(listener: MessageListenerOrderly): void {
    this.#checkNotStarted();
    this.#createService = () => new ConsumeOrderlyService(this.#tools, this.#lock, listener);
  }

  /**
   * Begins to consume. Ends when this member has its share of the queues, as far as that can be said now: what cannot
   * be reached is reported to `onError` and tried again.
   * Errors: MQClientError INVALID_ARGUMENT without a listener; of the file with the offsets of a broadcast;
   * MQBrokerError when a broker refuses a condition.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Leaves the group in good order: pulls no more, waits for listeners that run, stores what was consumed, gives locks
   * back and says goodbye, so that the other members go on at once where this one ended.
   */
  shutdown(): Promise<void> {
    this.#stopping ??= this.#shutdown();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Pulls no more until {@link resume}; what was pulled is consumed, and the queues stay with this member. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
  }

  get isSuspended(): boolean {
    return this.#suspended;
  }

  /** The queues this member has now, of one topic or of all. */
  assignedQueues(topic?: string): MessageQueue[] {
    const queues = [...(this.#running?.rebalancer.assigned ?? [])].map(({ queue }) => queue);
    return queues.filter(queue => topic === undefined || queue.topic === topic);
  }

  async #start(): Promise<void> {
    if (this.#createService === undefined) {
      throw new MQClientError('INVALID_ARGUMENT', 'call consumeConcurrently or consumeOrderly before start');
    }
    this.#instance.start();
    if (this.#settings.messageModel === 'CLUSTERING') {
      const topic = `${RETRY_TOPIC_PREFIX}${this.#consumerGroup}`;
      this.#subscriptions.set(topic, createSubscription(topic, '*', Date.now()));
    }
    try {
      await this.#tools.offsets.load();
      await Promise.all([...this.#subscriptions.values()].map(data => this.#checkCondition(data)));
    } catch (error) {
      await this.#instance.shutdown();
      throw error;
    }
    await this.#run(this.#createService());
  }

  async #run(service: ConsumeService): Promise<void> {
    const needsLocks = service.order && this.#settings.messageModel === 'CLUSTERING';
    const subscriptions = this.#subscriptions;
    const rebalancer = new Rebalancer({
      instance: this.#instance,
      client: this.#client,
      tools: this.#tools,
      subscriptions,
      lock: needsLocks ? this.#lock : undefined,
      onAssigned: queue => void runPullLoop(this.#pullOptions(service, rebalancer), queue),
    });
    const persistTimer = setInterval(
      () => void this.#persist(rebalancer.assigned),
      this.#settings.persistConsumerOffsetIntervalMs,
    ).unref();
    this.#running = { service, rebalancer, persistTimer };
    serveConsumerRequests({
      instance: this.#instance,
      tools: this.#tools,
      service,
      rebalancer,
      subscriptions,
      startTimestamp: Date.now(),
    });
    service.start();
    await rebalancer.start();
  }

  #pullOptions(service: ConsumeService, rebalancer: Rebalancer): PullLoopOptions {
    return {
      tools: this.#tools,
      client: this.#client,
      service,
      subscriptionOf: topic => this.#subscriptions.get(topic),
      isSuspended: () => this.#suspended,
      assignedCount: () => rebalancer.assignedCount,
      onIllegalOffset: (queue, offset) => {
        queue.drop();
        void rebalancer.exclusively(async () => {
          this.#tools.offsets.update(queue.queue, offset, false);
          await rebalancer.release([queue], 0);
        });
      },
    };
  }

  async #shutdown(): Promise<void> {
    const running = this.#running;
    if (running !== undefined) {
      const { service, rebalancer, persistTimer } = running;
      clearInterval(persistTimer);
      for (const queue of rebalancer.assigned) queue.retire();
      await rebalancer.stop();
      const queues = [...rebalancer.assigned];
      for (const queue of queues) queue.retire();
      const limitMs = this.#settings.awaitTerminationWhenShutdownMs;
      if (!(await service.stop(limitMs))) {
        const late = new Error(`listeners still run after ${limitMs} ms; their messages come again`);
        this.#settings.onError(late, 'shutting down');
      }
      for (const queue of queues) queue.drop();
      await rebalancer.release(queues, 0);
      await this.#tools.trace?.flush();
    }
    await this.#instance.shutdown();
  }

  async #persist(queues: Iterable<ProcessQueue>): Promise<void> {
    try {
      await this.#tools.offsets.persist([...queues].filter(({ dropped }) => !dropped).map(({ queue }) => queue));
    } catch (error) {
      this.#settings.onError(error, 'storing offsets');
    }
  }

  #consumerData(): ConsumerData {
    return {
      groupName: this.#consumerGroup,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: this.#settings.messageModel,
      consumeFromWhere: this.#settings.consumeFromWhere,
      subscriptionDataSet: [...this.#subscriptions.values()],
      unitMode: false,
    };
  }

  #onSubscriptionChanged(): void {
    if (this.#running === undefined) return;
    void this.#instance.beat();
    this.#running.rebalancer.soon();
  }

  /** Only brokers can read conditions: one of the topic's is asked. Source: MQClientInstance.checkClientInBroker. */
  async #checkCondition(subscriptionData: SubscriptionData): Promise<void> {
    if (subscriptionData.expressionType === 'TAG') return;
    const view = await this.#instance.loadTopic(subscriptionData.topic);
    const address = view?.route.brokerDatas.map(({ brokerAddrs }) => brokerAddrs[MASTER_ID]).find(each => each);
    if (address === undefined) return; // nobody to ask yet
    const body = encodeBody({ clientId: this.clientId, group: this.#consumerGroup, subscriptionData });
    await this.#instance.invoke(address, createRequest(RequestCode.CHECK_CLIENT_CONFIG, {}, body));
  }

  #checkNotStarted(): void {
    if (this.#starting !== undefined) throw new MQClientError('INVALID_ARGUMENT', 'the consumer has started already');
  }
}
