/**
 * Which queues this member of the group has. Every member divides the queues of a topic among the members it is told
 * of, takes those that fall to it and lets go of the others. Source: spec remoting 7.2, 7.3; RebalanceImpl.
 */
import { decodeBody, listOf, textOf } from '../protocol/bodies/fields.js';
import type { SubscriptionData } from '../protocol/bodies/group.js';
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { RequestCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';
import type { ClientInstance, TopicView } from './client-instance.js';
import type { ConsumerTools } from './consume-service.js';
import { MQClientError } from './errors.js';
import { ProcessQueue } from './process-queue.js';
import type { QueueClient } from './queue-client.js';
import type { QueueLock } from './queue-lock.js';
import { compareQueues, compareText, decodeAnswer, queueKey } from './route.js';

/** Pause before what is not settled is tried again; it doubles up to the ordinary interval. Units: ms. */
const UNSETTLED_PAUSE_MS = 500;
/** How long listeners of a queue that goes may still run before it goes without them. Units: ms. */
const RELEASE_WAIT_MS = 1000;

export interface RebalancerOptions {
  readonly instance: ClientInstance;
  readonly client: QueueClient;
  readonly tools: ConsumerTools;
  /** By topic. */
  readonly subscriptions: Map<string, SubscriptionData>;
  /** For ordered consumption of a cluster. */
  readonly lock: QueueLock | undefined;
  /** A queue was assigned: begin to pull it. */
  readonly onAssigned: (queue: ProcessQueue) => void;
}

export class Rebalancer {
  readonly #options: RebalancerOptions;
  readonly #assigned = new Map<string, ProcessQueue>();
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = UNSETTLED_PAUSE_MS;
  /** Topics whose last division failed, so that a failure that goes on is reported once. */
  readonly #failing = new Set<string>();

  constructor(options: RebalancerOptions) {
    this.#options = options;
  }

  get assigned(): Iterable<ProcessQueue> {
    return this.#assigned.values();
  }

  get assignedCount(): number {
    return this.#assigned.size;
  }

  /** Divides for the first time; ends when that is done or has failed. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.rebalance();
  }

  /** Divides as soon as possible: members or queues have changed. */
  soon(): void {
    void this.rebalance();
  }

  /** Ends when everything that was asked for is done. */
  rebalance(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run();
    return this.#running;
  }

  /** Does something to what is assigned while nothing is divided, and divides anew after it. */
  async exclusively(work: () => Promise<void>): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#running = this.#run(work);
    await this.#running;
  }

  /** No more divisions. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /**
   * Gives queues away: what was consumed of them is stored, their locks are given back. A queue whose ordered listener
   * goes on is kept until that ends. Errors are reported.
   */
  async release(queues: readonly ProcessQueue[], waitMs = RELEASE_WAIT_MS): Promise<void> {
    await Promise.all(queues.map(queue => this.#release(queue, waitMs)));
  }

  async #run(work?: () => Promise<void>): Promise<void> {
    try {
      await work?.();
      do {
        this.#again = false;
        clearTimeout(this.#timer);
        const isSettled = await this.#divideAll();
        if (this.#stopped) return;
        this.#scheduleNext(isSettled);
      } while (this.#again);
    } finally {
      // Here, and not when the promise settles: who asks in between must not take it for running.
      this.#running = undefined;
    }
  }

  #scheduleNext(isSettled: boolean): void {
    const { rebalanceIntervalMs } = this.#options.tools.settings;
    const pauseMs = isSettled ? rebalanceIntervalMs : Math.min(this.#pauseMs, rebalanceIntervalMs);
    this.#pauseMs = isSettled ? UNSETTLED_PAUSE_MS : pauseMs * 2;
    this.#timer = setTimeout(() => this.soon(), pauseMs).unref();
  }

  /** Returns whether every topic was divided and every queue taken. */
  async #divideAll(): Promise<boolean> {
    const { subscriptions, instance } = this.#options;
    if (this.#stopped) return true;
    await this.#releaseUnsubscribed();
    const outcomes = await Promise.all([...subscriptions.keys()].map(topic => this.#divideSafely(topic)));
    const fresh = outcomes.flatMap(outcome => outcome.fresh);
    if (outcomes.some(outcome => outcome.changed) && !this.#stopped) {
      // A greater version makes brokers take the subscription anew; pulls with it come after it.
      for (const [topic, data] of subscriptions) subscriptions.set(topic, { ...data, subVersion: Date.now() });
      await instance.beat();
    }
    for (const queue of fresh) if (!queue.retired) this.#options.onAssigned(queue);
    return outcomes.every(outcome => outcome.isSettled);
  }

  async #releaseUnsubscribed(): Promise<void> {
    const { subscriptions } = this.#options;
    await this.release([...this.assigned].filter(({ queue }) => !subscriptions.has(queue.topic)));
  }

  async #divideSafely(topic: string): Promise<Division> {
    try {
      const division = await this.#divide(topic);
      this.#failing.delete(topic);
      return division;
    } catch (error) {
      if (!this.#stopped && !this.#failing.has(topic)) {
        this.#options.tools.settings.onError(error, `dividing the queues of topic ${topic}`);
      }
      this.#failing.add(topic);
      return { changed: false, fresh: [], isSettled: false };
    }
  }

  async #divide(topic: string): Promise<Division> {
    const mine = await this.#queuesFor(topic);
    if (mine === undefined || this.#stopped) return { changed: false, fresh: [], isSettled: false };
    const wanted = new Map(mine.map(queue => [queueKey(queue), queue]));
    const current = [...this.assigned].filter(({ queue }) => queue.topic === topic);
    const leaving = current.filter(({ key, retired }) => retired || !wanted.has(key));
    await this.release(leaving);
    const added = [...wanted.values()].filter(queue => !this.#assigned.has(queueKey(queue)));
    const fresh = await this.#take(added);
    return {
      changed: leaving.length > 0 || fresh.length > 0,
      fresh,
      isSettled: fresh.length === added.length && leaving.every(({ key }) => !this.#assigned.has(key)),
    };
  }

  /** The queues of a topic that fall to this member; undefined when that cannot be said now. */
  async #queuesFor(topic: string): Promise<readonly MessageQueue[] | undefined> {
    const { instance, tools } = this.#options;
    const known = instance.topic(topic);
    const view = known === undefined || known.subscribeQueues.length === 0 ? await instance.refreshTopic(topic) : known;
    if (view === null) return undefined;
    if (tools.settings.messageModel === 'BROADCASTING') return view.subscribeQueues;
    await instance.greetBrokers();
    const members = await this.#members(view);
    const queues = [...view.subscribeQueues].sort(compareQueues);
    return tools.settings.allocateMessageQueueStrategy(tools.consumerGroup, instance.clientId, queues, members);
  }

  /**
   * The ids of all members, sorted, from the first broker of the topic that knows this one.
   * Errors: of the last broker, MQBrokerError, MQTimeoutError or MQClientError.
   */
  async #members(view: TopicView): Promise<readonly string[]> {
    const { instance } = this.#options;
    const addresses = view.route.brokerDatas
      .map(({ brokerAddrs }) => brokerAddrs[MASTER_ID] ?? Object.values(brokerAddrs)[0])
      .filter(address => address !== undefined);
    const first = Math.floor(Math.random() * addresses.length);
    let failure: unknown = new MQClientError('NO_ROUTE', 'the topic has no broker');
    for (let tried = 0; tried < addresses.length; tried++) {
      try {
        return await this.#membersAt(addresses[(first + tried) % addresses.length]!);
      } catch (error) {
        failure = error;
      }
    }
    // They forgot us, or have not heard of us yet: giving everything up would help nobody.
    await instance.beat();
    throw failure;
  }

  async #membersAt(address: string): Promise<readonly string[]> {
    const { instance, tools } = this.#options;
    const request = createRequest(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: tools.consumerGroup });
    const answer = await instance.invoke(address, request);
    const body = decodeAnswer(bytes => decodeBody(bytes, 'GetConsumerListByGroup'), answer.body, address);
    const members = listOf(body.consumerIdList, id => textOf(id)).sort(compareText);
    if (members.includes(instance.clientId)) return members;
    throw new MQClientError('BAD_ANSWER', `${address} does not count ${instance.clientId} among the members`);
  }

  /** The queues that could be had, registered. */
  async #take(queues: readonly MessageQueue[]): Promise<ProcessQueue[]> {
    const { lock } = this.#options;
    const outcomes = lock === undefined || queues.length === 0 ? undefined : await lock.lock(queues);
    const error = outcomes?.find(outcome => outcome.error !== undefined)?.error;
    if (error !== undefined) this.#options.tools.settings.onError(error, 'locking queues');
    const isOurs = (queue: MessageQueue): boolean =>
      outcomes === undefined || outcomes.some(({ locked }) => locked.has(queueKey(queue)));
    const taken = await Promise.allSettled(
      queues.filter(isOurs).map(async queue => {
        this.#options.tools.offsets.forget(queue);
        return new ProcessQueue(queue, await this.#startOffset(queue));
      }),
    );
    const fresh = taken.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (this.#stopped) return [];
    for (const queue of fresh) {
      queue.setLocked(lock !== undefined);
      this.#assigned.set(queue.key, queue);
    }
    const failed = taken.find(outcome => outcome.status === 'rejected');
    if (failed !== undefined) this.#options.tools.settings.onError(failed.reason, 'asking where a queue begins');
    return fresh;
  }

  async #startOffset(queue: MessageQueue): Promise<number> {
    const { client, tools } = this.#options;
    const { consumeFromWhere, consumeTimestamp } = tools.settings;
    const stored = await tools.offsets.fetch(queue);
    if (stored !== null) return stored;
    const isRetry = queue.topic.startsWith(RETRY_TOPIC_PREFIX);
    if (consumeFromWhere === 'CONSUME_FROM_FIRST_OFFSET') return 0;
    if (consumeFromWhere === 'CONSUME_FROM_LAST_OFFSET') return isRetry ? 0 : client.maxOffset(queue);
    return isRetry ? client.maxOffset(queue) : client.searchOffset(queue, consumeTimestamp.getTime());
  }

  async #release(queue: ProcessQueue, waitMs: number): Promise<void> {
    const { tools, lock } = this.#options;
    queue.retire();
    const isIdle = await queue.whenIdle(waitMs);
    if (!isIdle && lock !== undefined) {
      // Once a queue: it comes by here again and again while its listener runs.
      if (queue.tryUnlockTimes++ === 0) void queue.whenIdle().then(() => this.soon());
      return;
    }
    queue.drop();
    if (this.#assigned.get(queue.key) !== queue) return;
    try {
      await tools.offsets.persist([queue.queue]);
      if (lock !== undefined) await lock.unlock([queue.queue]);
    } catch (error) {
      tools.settings.onError(error, `giving away ${queue.key}; a later owner may see messages again`);
    }
    tools.offsets.forget(queue.queue);
    if (this.#assigned.get(queue.key) === queue) this.#assigned.delete(queue.key);
  }
}

/** What came of one topic. */
interface Division {
  /** Brokers should hear of it. */
  readonly changed: boolean;
  readonly fresh: readonly ProcessQueue[];
  readonly isSettled: boolean;
}
