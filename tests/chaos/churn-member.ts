/**
 * A member of the group of the churn rig, in this process or as one of its own. Before its listener returns, what it
 * did is in a file: a member that is killed has told what it consumed.
 *
 * Shape: a line `b QUEUE OFFSET ID NS` when a listener is called, `e QUEUE OFFSET ID NS` when it ends.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PushConsumer } from '../../client/index.js';
import type { MessageExt } from '../../client/message-ext.js';
import type { Consumption } from '../support/consumption-checker.js';
import { runAsProgram } from '../support/rig-arguments.js';

export interface MemberOptions {
  readonly namesrvAddr: string;
  readonly consumerGroup: string;
  readonly topic: string;
  readonly order: boolean;
  /** Of this life; also the name of its journal. */
  readonly member: string;
  readonly journal: string;
  /** Longest time a listener takes. Units: ms. */
  readonly listenerMaxMs: number;
}

/** Small, so that the bound on duplicates is. */
export const PULL_THRESHOLD = 64;
export const PULL_BATCH = 32;
/** How long it may take until a change that nobody announced is noticed. Units: ms. */
export const REBALANCE_INTERVAL_MS = 5000;

export class ChurnMember {
  readonly #journal: number;
  readonly #consumer: PushConsumer;
  readonly #listenerMaxMs: number;
  #leaving: Promise<void> | undefined;

  constructor(options: MemberOptions) {
    this.#journal = fs.openSync(options.journal, 'a');
    this.#listenerMaxMs = options.listenerMaxMs;
    this.#consumer = new PushConsumer({
      namesrvAddr: options.namesrvAddr,
      consumerGroup: options.consumerGroup,
      instanceName: options.member,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      pullThresholdForQueue: PULL_THRESHOLD,
      pullBatchSize: PULL_BATCH,
      rebalanceIntervalMs: REBALANCE_INTERVAL_MS,
      persistConsumerOffsetIntervalMs: 1000,
      onError: () => undefined, // a member that others kill around has a lot to say
    });
    this.#consumer.subscribe(options.topic);
    const listener = (messages: readonly MessageExt[]): Promise<void> => this.#consume(messages[0]!);
    if (options.order) this.#consumer.consumeOrderly(listener);
    else this.#consumer.consumeConcurrently(listener);
  }

  get queueCount(): number {
    return this.#consumer.assignedQueues().filter(({ topic }) => !topic.startsWith('%RETRY%')).length;
  }

  start(): Promise<void> {
    return this.#consumer.start();
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    await this.#consumer.shutdown();
    fs.closeSync(this.#journal);
  }

  async #consume(message: MessageExt): Promise<void> {
    this.#note('b', message);
    const pauseMs = Math.floor(Math.random() * (this.#listenerMaxMs + 1));
    if (pauseMs > 0) await sleep(pauseMs);
    this.#note('e', message);
  }

  #note(what: 'b' | 'e', { queueId, queueOffset, bodyText }: MessageExt): void {
    fs.writeSync(this.#journal, `${what} ${queueId} ${queueOffset} ${bodyText} ${process.hrtime.bigint()}\n`);
  }
}

/** What a member did. A line that was cut by its death does not count. */
export function readJournal(file: string, member: string): Consumption[] {
  const begun = new Map<string, Consumption>();
  const consumptions: Consumption[] = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [what, queueId, queueOffset, id, ns] = line.split(' ') as [string, string, string, string, string];
    if (what === 'b') {
      const before = begun.get(id);
      if (before !== undefined) consumptions.push(before);
      const place = { id, queueId: Number(queueId), queueOffset: Number(queueOffset) };
      begun.set(id, { ...place, member, beginNs: BigInt(ns), endNs: undefined });
      continue;
    }
    consumptions.push({ ...begun.get(id)!, endNs: BigInt(ns) });
    begun.delete(id);
  }
  return [...consumptions, ...begun.values()];
}

/** As a process: leaves on the word of its parent, or with it. */
async function main(): Promise<void> {
  const member = new ChurnMember(JSON.parse(process.argv[2]!) as MemberOptions);
  const leave = (): void => void member.leave().finally(() => process.exit(0));
  process.on('message', leave);
  process.on('disconnect', leave);
  await member.start();
  process.send!('started');
}

runAsProgram(import.meta.filename, main);
