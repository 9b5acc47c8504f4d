/**
 * Producers that send half messages, end their transactions at once, late or never, and answer questions when they feel
 * like it; a broker that stops, is killed or loses power and starts again. The model is what each producer decided.
 */
import type { Actor } from '../../../../runtime/actor/contract.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import { messageOf } from '../../../../runtime/base/errors.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { SimScheduler } from '../../../../runtime/sim/scheduler.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import type { RawRecord } from '../../../support/raw-record.js';
import {
  discardTopic,
  halfTopic,
  opTopic,
  realTopic,
  type StoredProgress,
  TransactionLife,
} from '../../../support/transaction-life.js';

export type End = 'clean' | 'kill' | 'power';

export interface WorldOptions {
  readonly seed: number;
  /** How the lives of the broker end, the last one excepted. */
  readonly ends: readonly End[];
}

export const checkMax = 6;
const settings = {
  check: true,
  transactionTimeOut: 2000,
  transactionCheckMax: checkMax,
  transactionCheckInterval: 5000,
  fileReservedTime: 72,
};
const transactionsOfLife = 40;
const saveEveryMs = 2000;
const stepsMax = 400_000;

interface Transaction {
  readonly name: string;
  readonly verdict: 'commit' | 'rollback' | 'silent';
  /** Questions it leaves unanswered. */
  ignores: number;
  asked: number;
  /** Its half message is on the device. */
  safe: boolean;
  /** When an end of it was first in the log; -1: never. */
  endedMs: number;
}

export class World {
  readonly random: Prng;
  readonly clock = new VirtualClock();
  readonly memory = new MemoryDisk();
  readonly transactions = new Map<string, Transaction>();
  readonly broken: string[] = [];
  saved: StoredProgress = { half: -1, op: -1 };
  readonly isCrashFree: boolean;
  /** No end takes away what was stored. */
  readonly keepsLog: boolean;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = new Prng(options.seed);
    this.keepsLog = !options.ends.includes('power');
    this.isCrashFree = options.ends.every(end => end === 'clean');
  }

  /** All lives, and what must hold after each and in the end. */
  run(): void {
    for (const end of this.#options.ends) this.#live(end);
    const life = this.#start();
    this.#judgeProgress(life);
    const { producers, sim } = this.#people(life, 0);
    this.#runUntil(sim, () => producers.isDone && isSettled(life));
    this.#judge(life);
    life.close();
  }

  #start(): TransactionLife {
    const { memory, clock, saved, random } = this;
    const syncFlush = random.oneIn(2);
    return new TransactionLife({ memory, clock, progress: saved, settings, syncFlush, ringBytes: 256 * 1024 });
  }

  #people(life: TransactionLife, transactions: number): { producers: Producers; sim: SimScheduler } {
    const producers = new Producers(this, life, transactions);
    const sim = new SimScheduler({ seed: this.random.next(), clock: this.clock });
    for (const actor of [...life.actors, new Coordinating(this, life), producers]) sim.add(actor);
    return { producers, sim };
  }

  #live(end: End): void {
    const life = this.#start();
    this.#judgeProgress(life);
    const { producers, sim } = this.#people(life, transactionsOfLife);
    const lastStep = end === 'clean' ? Number.POSITIVE_INFINITY : this.random.between(50, 20_000);
    let steps = 0;
    this.#runUntil(sim, () => (end === 'clean' ? producers.isDone && isSettled(life) : ++steps >= lastStep));
    producers.noteSafe();
    if (end === 'clean') {
      life.close();
      this.saved = { ...life.progress };
    } else if (end === 'power') this.memory.crash(this.random.next());
  }

  #runUntil(sim: SimScheduler, condition: () => boolean): void {
    try {
      sim.runUntil(() => this.broken.length > 0 || condition(), stepsMax);
    } catch (error) {
      this.broken.push(messageOf(error));
    }
  }

  /** What is committed passes no half message that is neither decided nor stored once more behind it. */
  #judgeProgress(life: TransactionLife): void {
    const alive = new Set(
      life
        .stored(halfTopic)
        .filter(({ queueOffset }) => queueOffset >= this.saved.half)
        .map(nameOf),
    );
    const final = this.#finals(life);
    for (const { name, safe } of this.transactions.values()) {
      if (safe && !alive.has(name) && !final.has(name)) this.broken.push(`progress ${this.saved.half} passed ${name}`);
    }
  }

  /** Transactions that are decided or given up. */
  #finals(life: TransactionLife): Set<string> {
    const half = life.stored(halfTopic);
    const ended = life.stored(opTopic).flatMap(({ body }) => body.toString().split(',').map(Number));
    const decided = ended.flatMap(offset => (half[offset] === undefined ? [] : [nameOf(half[offset])]));
    return new Set([...decided, ...life.stored(discardTopic).map(nameOf)]);
  }

  #judge(life: TransactionLife): void {
    const committed = countOf(life.stored(realTopic));
    const discarded = countOf(life.stored(discardTopic));
    const final = this.#finals(life);
    for (const transaction of this.transactions.values()) {
      const { name, verdict, safe } = transaction;
      if (!safe) continue;
      const what = `${name} (${verdict}, asked ${transaction.asked})`;
      const commits = committed.get(name) ?? 0;
      const discards = discarded.get(name) ?? 0;
      if (!final.has(name)) this.broken.push(`${what} is neither ended nor given up`);
      if ((verdict === 'commit') !== commits > 0) this.broken.push(`${what} is committed ${commits} times`);
      if ((verdict === 'silent') !== discards > 0) this.broken.push(`${what} is given up ${discards} times`);
      if (!this.isCrashFree) continue;
      if (discards > 1) this.broken.push(`${what} is given up ${discards} times`);
      if (verdict === 'silent' && transaction.asked !== checkMax) this.broken.push(`${what} is given up`);
    }
    const { half, op } = life.progress;
    const ends = [life.stored(halfTopic).length, life.stored(opTopic).length];
    if (half !== ends[0] || op !== ends[1]) this.broken.push(`progress ${half}, ${op} of ${ends.join(', ')}`);
  }
}

function nameOf(record: RawRecord): string {
  return record.properties.get('UNIQ_KEY') ?? '';
}

function countOf(records: readonly RawRecord[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of records) counts.set(nameOf(record), (counts.get(nameOf(record)) ?? 0) + 1);
  return counts;
}

/** Progress has reached the ends of both queues. */
function isSettled(life: TransactionLife): boolean {
  const { half, op } = life.progress;
  const { positions } = life.shop;
  if (positions.read('dispatched') !== positions.read('appended')) return false;
  return Math.max(half, 0) === life.queueEnd(halfTopic) && Math.max(op, 0) === life.queueEnd(opTopic);
}

/** The coordinator: stores what it knows now and then. */
class Coordinating implements Actor {
  readonly name = 'coordinating';
  readonly #world: World;
  readonly #life: TransactionLife;
  #saveMs = 0;

  constructor(world: World, life: TransactionLife) {
    this.#world = world;
    this.#life = life;
  }

  doWork(nowMs: number): number {
    const work = this.#life.coordinate();
    if (nowMs >= this.#saveMs) {
      this.#saveMs = nowMs + saveEveryMs;
      this.#world.saved = { ...this.#life.progress };
    }
    return work;
  }

  deadlineMs(): number {
    return this.#saveMs;
  }

  close(): void {}
}

/** All producers. */
class Producers implements Actor {
  readonly name = 'producers';
  readonly #world: World;
  readonly #life: TransactionLife;
  #left: number;
  #nextMs = 0;
  /** Half messages on their way, by the writer's number. */
  readonly #sent = new Map<number, Transaction>();
  /** Ends on their way. */
  readonly #ending = new Map<number, readonly Transaction[]>();
  readonly #stored: { readonly transaction: Transaction; readonly end: number }[] = [];
  readonly #later: { readonly atMs: number; readonly run: () => void }[] = [];
  /** Rollbacks that will share an op record, as 5.x writes them. */
  readonly #shared: { readonly transaction: Transaction; readonly halfOffset: number }[] = [];

  constructor(world: World, life: TransactionLife, transactions: number) {
    this.#world = world;
    this.#life = life;
    this.#left = transactions;
  }

  get isDone(): boolean {
    const underway = this.#sent.size + this.#ending.size + this.#later.length + this.#shared.length;
    return this.#left === 0 && underway + this.#life.questions.length === 0;
  }

  doWork(nowMs: number): number {
    let work = 0;
    for (const result of this.#life.results()) {
      work++;
      if (result.code !== 0) this.#world.broken.push(`the writer refused with code ${result.code}`);
      const transaction = this.#sent.get(result.opaque);
      if (transaction !== undefined) {
        this.#sent.delete(result.opaque);
        this.#stored.push({ transaction, end: result.physicalOffset + result.size });
        this.#decide(transaction, result.queueOffset);
      }
      this.#noteEnds(result.opaque, nowMs);
    }
    for (const question of this.#life.questions.splice(0)) {
      work++;
      this.#onQuestion(question.fields.transactionId!, Number(question.fields.tranStateTableOffset));
    }
    for (const [index, { atMs, run }] of [...this.#later.entries()].reverse()) {
      if (atMs > nowMs) continue;
      this.#later.splice(index, 1);
      run();
      work++;
    }
    if (this.#left > 0 && nowMs >= this.#nextMs) {
      this.#send(nowMs);
      work++;
    }
    return work;
  }

  deadlineMs(): number {
    const nextMs = this.#left > 0 ? this.#nextMs : Number.POSITIVE_INFINITY;
    return Math.min(nextMs, ...this.#later.map(({ atMs }) => atMs));
  }

  close(): void {}

  /** The life ends: what is on the device now must be settled by a later one. */
  noteSafe(): void {
    const flushed = this.#life.shop.positions.read('flushed');
    for (const { transaction, end } of this.#stored) transaction.safe ||= end <= flushed;
  }

  #send(nowMs: number): void {
    const { random, transactions } = this.#world;
    const name = `t${transactions.size}`;
    const verdict = random.pick(['commit', 'commit', 'rollback', 'silent'] as const);
    const transaction = { name, verdict, ignores: random.below(2), asked: 0, safe: false, endedMs: -1 };
    transactions.set(name, transaction);
    const skewMs = random.oneIn(8) ? random.between(-3000, 3000) : 0;
    const more: Record<string, string> = {};
    if (random.oneIn(5)) more.CHECK_IMMUNITY_TIME_IN_SECONDS = String(random.between(-1, 25));
    const number = this.#life.putHalf({ transaction: name, bornTimestamp: nowMs + skewMs, more });
    this.#sent.set(number, transaction);
    this.#left--;
    this.#nextMs = nowMs + random.below(400);
  }

  /** Its producer ends it at once, late, or dies before. */
  #decide(transaction: Transaction, halfOffset: number): void {
    const { random } = this.#world;
    if (transaction.verdict === 'silent' || random.oneIn(3)) return;
    this.#in(random.oneIn(3) ? random.below(15_000) : random.below(50), () => this.#end(transaction, halfOffset));
  }

  #onQuestion(name: string, halfOffset: number): void {
    const { random, transactions, broken, keepsLog } = this.#world;
    const transaction = transactions.get(name);
    if (transaction === undefined) return void broken.push(`a question about ${name}`);
    transaction.asked++;
    const { endedMs, verdict } = transaction;
    if (keepsLog && endedMs >= 0 && endedMs < this.#life.runStartMs)
      broken.push(`${name} is asked about in a run that began at ${this.#life.runStartMs}, it ended at ${endedMs}`);
    if (verdict === 'silent') return;
    if (transaction.ignores > 0) transaction.ignores--;
    else this.#in(random.below(2000), () => this.#end(transaction, halfOffset));
  }

  #in(delayMs: number, run: () => void): void {
    this.#later.push({ atMs: this.#world.clock.nowMs() + delayMs, run });
  }

  #end(transaction: Transaction, halfOffset: number): void {
    const { random } = this.#world;
    if (transaction.verdict === 'commit') {
      this.#ending.set(this.#life.putCommit(transaction.name, halfOffset), [transaction]);
      return;
    }
    if (random.oneIn(2)) {
      this.#ending.set(this.#life.putOp(halfOffset), [transaction]);
      return;
    }
    this.#shared.push({ transaction, halfOffset });
    if (this.#shared.length === 1) this.#in(random.below(1500), () => this.#endShared());
  }

  #endShared(): void {
    const shared = this.#shared.splice(0);
    const body = shared.map(({ halfOffset }) => `${halfOffset},`).join('');
    const transactions = shared.map(({ transaction }) => transaction);
    this.#ending.set(this.#life.putOp(body), transactions);
  }

  #noteEnds(opaque: number, nowMs: number): void {
    for (const transaction of this.#ending.get(opaque) ?? []) {
      if (transaction.endedMs < 0) transaction.endedMs = nowMs;
    }
    this.#ending.delete(opaque);
  }
}
