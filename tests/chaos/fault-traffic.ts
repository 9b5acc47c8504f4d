/** Who uses a pair while it is hurt: producers at the master, consumers at both that remember what they saw. */
import { queueKey } from '../support/checker.js';
import { type MessageMaker, runLoad, storedOf, type TopicShape } from '../support/load.js';
import type { PairAudit } from '../support/pair-audit.js';
import type { Role } from '../support/pair-network.js';
import { type OutgoingMessage, RawClient } from '../support/raw-client.js';
import { pullQueue, queueBound } from '../support/raw-requests.js';
import type { FaultPair } from './fault-pair.js';

/** Between two attempts to reach a broker, and between two looks of a consumer. Units: ms. */
const againMs = 40;
/** Keeps a master that refuses from being asked as fast as it can say no. Units: ms. */
const sendGapMs = 4;

const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, againMs)); // asked again until it is over

export interface TrafficOptions {
  readonly pair: FaultPair;
  readonly audit: PairAudit;
  readonly maker: MessageMaker;
  readonly topics: readonly TopicShape[];
  readonly connections: number;
  readonly window: number;
}

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #clients: Record<Role, Set<RawClient>> = { master: new Set(), slave: new Set() };
  /** Where each consumer of {@link #consume} goes on, by role and queue. */
  readonly #nextOffsets = new Map<string, number>();
  #producersOver = true;
  #over = true;
  #producers: Promise<unknown> = Promise.resolve();
  #consumers: Promise<unknown> = Promise.resolve();
  /** Answers with another code than 0. */
  refused = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    options.pair.onGone = role => {
      for (const client of this.#clients[role]) client.close();
    };
  }

  /** `phase`: that of the attempts in the ledger. */
  start(phase: number): void {
    this.#producersOver = false;
    this.#over = false;
    const { connections } = this.#options;
    this.#producers = Promise.all(Array.from({ length: connections }, () => this.#produce(phase)));
    this.#consumers = Promise.all([this.#consume('master'), this.#consume('slave')]);
  }

  /** Resolves when every send is answered. */
  async stopProducers(): Promise<void> {
    this.#producersOver = true;
    await this.#producers;
  }

  async stop(): Promise<void> {
    this.#producersOver = true;
    this.#over = true;
    for (const clients of Object.values(this.#clients)) for (const client of clients) client.close();
    await Promise.all([this.#producers, this.#consumers]);
  }

  #open(role: Role, client: RawClient): void {
    this.#clients[role].add(client);
    client.onEnd(() => this.#clients[role].delete(client));
  }

  async #produce(phase: number): Promise<void> {
    const { pair, audit, maker, window } = this.#options;
    const load = {
      address: pair.address('master'),
      maker,
      ledger: audit.ledger,
      phase,
      window,
      gapMs: sendGapMs,
      isOver: () => this.#producersOver,
      onOpen: (client: RawClient) => this.#open('master', client),
      onAcknowledged: (message: OutgoingMessage, msgId: string) =>
        audit.acknowledged(message.properties!.UNIQ_KEY!, msgId, performance.now()),
    };
    while (!this.#producersOver) {
      try {
        const { refused } = await runLoad(load);
        for (const count of refused.values()) this.refused += count;
      } catch {} // nobody listens now
      await pause();
    }
  }

  /** Reads every queue of a broker again and again, from where it came to. */
  async #consume(role: Role): Promise<void> {
    const { pair, topics } = this.#options;
    while (!this.#over) {
      try {
        const client = await RawClient.connect(pair.address(role));
        this.#open(role, client);
        while (!this.#over && client.isOpen) {
          for (const { topic, queues } of topics) {
            for (let queueId = 0; queueId < queues; queueId++) await this.#pull(role, client, topic, queueId);
          }
          await pause();
        }
        client.close();
      } catch {} // it is gone, or does not know the topic yet
      await pause();
    }
  }

  async #pull(role: Role, client: RawClient, topic: string, queueId: number): Promise<void> {
    const key = `${role} ${queueKey(topic, queueId)}`;
    const fromOffset = Math.max(this.#nextOffsets.get(key) ?? 0, await queueBound(client, topic, queueId, 'min'));
    const saw = `a consumer of the ${role}`;
    const next = await pullQueue(
      client,
      topic,
      queueId,
      record => {
        const stored = storedOf(record);
        this.#options.audit.saw(saw, stored);
        this.#nextOffsets.set(key, stored.queueOffset + 1);
      },
      { fromOffset, patienceMs: 0 },
    );
    this.#nextOffsets.set(key, next);
  }
}
