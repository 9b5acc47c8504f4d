/**
 * The rooms that store and deliver delayed messages, on one thread in an order drawn from a seed, with a virtual clock
 * and a disk in memory. A sender stands in for the send lane. Lives end well, by a kill or by a loss of power; what
 * is in the log at the end is judged.
 */
import { join } from 'node:path';
import { NewsDesk } from '../../../../actors/coordinator/news-desk.js';
import { buildActor } from '../../../../actors/node/build-actor.js';
import type { BrokerSettings } from '../../../../actors/node/build-settings.js';
import { newsReaders } from '../../../../actors/node/coordinator-room.js';
import { allocateMemory, Workshop } from '../../../../actors/node/memory.js';
import { Store } from '../../../../actors/node/store.js';
import { planThreads } from '../../../../actors/node/thread-plan.js';
import { type ActorKind, planActors, planRings } from '../../../../actors/node/wiring.js';
import type { Scheduler } from '../../../../actors/scheduler/actor.js';
import { StoreState } from '../../../../actors/store-state.js';
import { parseDelayLevels } from '../../../../config/index.js';
import { SCHEDULE_TOPIC } from '../../../../protocol/topic-names.js';
import type { Actor } from '../../../../runtime/actor/contract.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { SimScheduler } from '../../../../runtime/sim/scheduler.js';
import { storePaths } from '../../../../storage/paths.js';
import { probeOf } from '../../../support/dead-owner.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { recordsOfLog } from '../../../support/log-records.js';
import type { RawRecord } from '../../../support/raw-record.js';
import { buildRecord } from '../../../support/record-builder.js';
import {
  haSettings,
  laneSettings,
  pullSettings,
  putAppend,
  sendContext,
  takeOutbound,
  topicEntry,
  transactionSettings,
} from '../../../support/rooms.js';

export type End = 'clean' | 'kill' | 'power';

export interface DelayedOptions {
  readonly seed: number;
  readonly ends: readonly End[];
  readonly lives: number;
  readonly messagesOfLife: number;
  readonly delayLevels: string;
  /** The clock is set forward and back. */
  readonly jumps: boolean;
  /** Writes to the log fail now and then. */
  readonly faults: boolean;
}

const root = '/store';
const segmentSize = 16 * 1024;
const ringBytes = 16 * 1024;
const stepsMax = 300_000;
const topics = ['T0', 'T1'];
const queuesOfTopic = 2;

/** What outlives the broker. */
export class DelayedWorld {
  readonly options: DelayedOptions;
  readonly random: Prng;
  readonly clock = new VirtualClock();
  readonly memory = new MemoryDisk();
  /** By id: the queue each message is for, as soon as the broker has promised to keep it. */
  readonly accepted = new Map<string, string>();
  readonly ends: End[] = [];
  /** When each life ended. Units: ms. */
  readonly endsMs: number[] = [];
  nextId = 0;
  #end = 0;

  constructor(options: DelayedOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
  }

  /** All lives, and a last one in which everything is delivered. Errors: SimFailure when one gets stuck. */
  run(): void {
    for (let life = 0; life < this.options.lives; life++) {
      const end = this.random.pick(this.options.ends);
      const broker = new Life(this, this.options.messagesOfLife);
      const lastStep = this.random.between(10, 30 * this.options.messagesOfLife + 100);
      broker.runUntil(() => broker.steps >= lastStep || broker.isDone);
      if (end === 'clean') broker.stop();
      this.ends.push(end);
      this.endsMs.push(this.clock.nowMs());
      if (end === 'power') this.memory.crash(this.random.next());
      this.clock.advance(this.random.below(3000));
    }
    const last = new Life(this, 0);
    last.runUntil(() => last.isDone);
    last.stop();
    this.#end = last.shop.positions.read('appended');
  }

  get log(): RawRecord[] {
    return recordsOfLog(this.memory, join(root, 'commitlog'), segmentSize, this.#end);
  }

  get delayOffsets(): string | undefined {
    return this.memory.readText(join(root, 'config', 'delayOffset.json'));
  }
}

class Life {
  readonly sim: SimScheduler;
  readonly shop: Workshop;
  steps = 0;
  readonly #world: DelayedWorld;
  readonly #store: Store;
  readonly #scheduler: Scheduler;
  readonly #sender: Sender;

  constructor(world: DelayedWorld, messages: number) {
    this.#world = world;
    const { random, options, memory, clock } = world;
    this.sim = new SimScheduler({ seed: random.next(), clock });
    const actors = planActors({ broker: true, nameRegistry: false, sendLanes: 1, pullLanes: 1 });
    const plan = planThreads(actors, 'inline', 'simulated');
    this.shop = new Workshop(allocateMemory(actors, planRings(actors), plan, ringBytes));
    const disk = new FaultyDisk(memory);
    const config = {
      storePathRootDir: root,
      storePathCommitLog: join(root, 'commitlog'),
      mappedFileSizeCommitLog: segmentSize,
      mappedFileSizeConsumeQueue: 20 * 20,
      checkCRCOnRecover: true,
      messageDelayLevel: options.delayLevels,
      messageIndexEnable: false,
      maxHashSlotNum: 50,
      maxIndexNum: 200,
    };
    this.#store = Store.open(disk, probeOf(memory), config, this.shop, silentLogger, { state: '', send: () => {} });
    const settings = settingsOf(parseDelayLevels(options.delayLevels), this.#store.queueOffsets);
    const tools = { shop: this.shop, settings, disk, log: silentLogger, mayBlock: true };
    const build = (kind: ActorKind): Actor => buildActor({ kind, name: kind, index: 0 }, tools);
    this.#scheduler = build('scheduler') as Scheduler;
    this.#tellTopics(settings.delayLevelsMs.length);
    const rooms = [build('commit-log-writer'), build('flush-service'), build('dispatcher'), this.#scheduler];
    this.#sender = new Sender(world, this, messages);
    for (const actor of [...rooms, this.#sender]) this.sim.add(actor);
    this.#store.markOpen();
    if (options.faults) this.#injectFaults(disk);
  }

  #tellTopics(levels: number): void {
    const news = new NewsDesk(newsReaders(this.shop));
    const { numbers } = this.#store;
    for (const name of [...topics, SCHEDULE_TOPIC]) {
      const queues = name === SCHEDULE_TOPIC ? levels : queuesOfTopic;
      news.topic(topicEntry(name, queues, { queueNumbers: numbers.of(name, queues) }));
    }
    news.settings('scheduler', {
      deliver: true,
      flushDelayOffsetInterval: this.#world.random.pick([1, 40, 10_000]),
      scheduleAsyncDeliverMaxPendingLimit: this.#world.random.between(1, 30),
    });
  }

  /** Dense number of a queue. */
  numberOf(topic: string, queueId: number): number {
    return this.#store.numbers.find(topic, queueId);
  }

  #injectFaults(disk: FaultyDisk): void {
    const { timers, random } = this.sim;
    const fail = (call: string, path: string): string | undefined =>
      call === 'write' && path.includes('/commitlog/') && random.oneIn(2) ? 'EIO' : undefined;
    const breakIt = (): void => {
      disk.faults.fail = fail;
      timers.setTimeout(
        () => {
          delete disk.faults.fail;
          timers.setTimeout(breakIt, random.between(1, 3000));
        },
        random.between(1, 300),
      );
    };
    timers.setTimeout(breakIt, random.below(200));
  }

  runUntil(condition: () => boolean): void {
    this.sim.runUntil(() => {
      this.steps++;
      return condition();
    }, stepsMax);
  }

  /** All is sent, nothing waits any more in any level, and what was delivered is dispatched and counted. */
  get isDone(): boolean {
    const { positions, queueTable } = this.shop;
    if (!this.#sender.isDone) return false;
    if (positions.read('dispatched') !== positions.read('appended') || this.#scheduler.inFlight > 0) return false;
    const levels = this.#world.options.delayLevels.split(' ').length;
    const offsets = JSON.parse((this.#world.delayOffsets ?? '{"offsetTable":{}}').replaceAll(/(\d+):/g, '"$1":')) as {
      offsetTable: Record<string, number>;
    };
    return Array.from({ length: levels }, (_, index) => index).every(
      index => queueTable.max(this.numberOf(SCHEDULE_TOPIC, index)) === (offsets.offsetTable[index + 1] ?? 0),
    );
  }

  /** As a node stops. */
  stop(): void {
    const { positions, storeState } = this.shop;
    storeState.set(StoreState.CLOSED);
    this.runUntil(() => this.#scheduler.inFlight === 0 && positions.read('dispatched') === positions.read('appended'));
    this.sim.close();
    const end = positions.read('appended');
    this.#store.syncLog(positions.read('flushed'), end);
    this.#store.markClosed();
    this.#store.release();
  }
}

/** Puts delayed messages into the send lane's ring, and takes the writer's answers to them. */
class Sender implements Actor {
  readonly name = 'sender';
  readonly #world: DelayedWorld;
  readonly #life: Life;
  readonly #waiting: { readonly id: string; readonly place: string }[] = [];
  /** Stored, but not on the device yet. */
  readonly #unsafe: { readonly id: string; readonly place: string; readonly end: number }[] = [];
  #left: number;
  #nextMs = 0;

  constructor(world: DelayedWorld, life: Life, messages: number) {
    this.#world = world;
    this.#life = life;
    this.#left = messages;
  }

  get isDone(): boolean {
    return this.#left === 0 && this.#waiting.length === 0;
  }

  doWork(nowMs: number): number {
    const { shop } = this.#life;
    const outbound = takeOutbound(shop.ring('commit-log-writer', 'remoting'));
    for (const { result } of outbound) {
      const sent = this.#waiting.shift()!;
      if (result?.code === 0) this.#unsafe.push({ ...sent, end: result.physicalOffset + result.size });
    }
    this.#promise();
    if (this.#left === 0 || nowMs < this.#nextMs) return outbound.length;
    this.#send();
    return outbound.length + 1;
  }

  /** Only a machine that stays up keeps what is not on the device. */
  #promise(): void {
    const { options, accepted } = this.#world;
    const safe = options.ends.includes('power') ? this.#life.shop.positions.read('flushed') : Number.POSITIVE_INFINITY;
    while (this.#unsafe.length > 0 && this.#unsafe[0]!.end <= safe) {
      const { id, place } = this.#unsafe.shift()!;
      accepted.set(id, place);
    }
  }

  #send(): void {
    const { random, options, clock } = this.#world;
    const level = random.between(1, options.delayLevels.split(' ').length);
    const topic = random.pick(topics);
    const queueId = random.below(queuesOfTopic);
    const id = `m${this.#world.nextId}`;
    const record = buildRecord({
      topic: SCHEDULE_TOPIC,
      queueId: level - 1,
      body: Buffer.from(`${id} ${'.'.repeat(random.below(random.oneIn(20) ? 2000 : 60))}`),
      properties: `DELAY\u0001${level}\u0002REAL_TOPIC\u0001${topic}\u0002REAL_QID\u0001${queueId}`,
      storeTimestamp: 0,
    });
    const queueNumber = this.#life.numberOf(SCHEDULE_TOPIC, level - 1);
    if (!putAppend(this.#life.shop.ring('send-lane-0', 'commit-log-writer'), [record], { queueNumber })) return;
    this.#world.nextId++;
    this.#left--;
    this.#waiting.push({ id, place: `${topic}:${queueId}` });
    if (random.oneIn(4)) this.#nextMs = clock.nowMs() + random.below(500);
    if (options.jumps && random.oneIn(10)) clock.advance(random.between(-20_000, 20_000));
  }

  deadlineMs(): number {
    return this.#left > 0 ? this.#nextMs : Number.POSITIVE_INFINITY;
  }

  close(): void {}
}

function settingsOf(delayLevelsMs: readonly number[], queueOffsets: Float64Array): BrokerSettings {
  return {
    context: sendContext,
    sendLane: laneSettings,
    pullLane: pullSettings,
    transactionChecker: transactionSettings,
    paths: storePaths(root),
    index: { messageIndexEnable: false, maxHashSlotNum: 50, maxIndexNum: 200 },
    mappedFileSizeCommitLog: segmentSize,
    mappedFileSizeConsumeQueue: 20 * 20,
    delayLevelsMs,
    flush: {
      flushIntervalCommitLog: 200,
      flushCommitLogTimed: true,
      flushCommitLogLeastPages: 0,
      flushCommitLogThoroughInterval: 1000,
    },
    flushQueues: {
      flushIntervalConsumeQueue: 20,
      flushConsumeQueueLeastPages: 0,
      flushConsumeQueueThoroughInterval: 100,
    },
    ha: haSettings,
    queueOffsets,
  };
}
