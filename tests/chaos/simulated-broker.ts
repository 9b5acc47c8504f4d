/**
 * A whole broker on one thread, its actors in an order drawn from a seed, on a virtual clock and a disk in memory.
 * Producers and consumers talk to it through remoting's rings; a ledger knows what was acknowledged. The broker stops
 * well, is killed or loses power at a step that the seed chooses, opens its store again, and in the end everything is
 * read back and judged.
 */
import { crc32 } from 'node:zlib';
import { Coordinator } from '../../actors/coordinator/actor.js';
import { ClientTable } from '../../actors/coordinator/client-table.js';
import { GroupTable } from '../../actors/coordinator/group-table.js';
import { NewsDesk } from '../../actors/coordinator/news-desk.js';
import { OffsetTable } from '../../actors/coordinator/offset-table.js';
import { TopicTable } from '../../actors/coordinator/topic-table.js';
import { buildActor, buildRemoting } from '../../actors/node/build-actor.js';
import type { BrokerSettings } from '../../actors/node/build-settings.js';
import { type NodeMemory, Workshop } from '../../actors/node/memory.js';
import { Store } from '../../actors/node/store.js';
import { MAIN_THREAD } from '../../actors/node/thread-plan.js';
import { type ActorInstance, planActors, planRings, type RingInstance } from '../../actors/node/wiring.js';
import { QUEUES_MAX, QueueTable } from '../../actors/queue-table.js';
import type { Remoting } from '../../actors/remoting/actor.js';
import { createTopicConfig } from '../../protocol/bodies/topic.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { parseDialect } from '../../protocol/json-dialect.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { VirtualClock } from '../../runtime/base/clock.js';
import { messageOf } from '../../runtime/base/errors.js';
import { Prng } from '../../runtime/base/prng.js';
import { silentLogger } from '../../runtime/log/contract.js';
import { Counters } from '../../runtime/memory/counters.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { SharedFlags } from '../../runtime/memory/flags.js';
import { Positions } from '../../runtime/memory/positions.js';
import { Ring } from '../../runtime/memory/ring.js';
import { SimScheduler } from '../../runtime/sim/scheduler.js';
import type { Disk, DiskFile } from '../../storage/disk.js';
import { JsonTable } from '../../storage/json-table.js';
import { storePaths } from '../../storage/paths.js';
import type { ProcessProbe } from '../../storage/store-lock.js';
import { Judge, Ledger, type Report, type Stored } from '../support/checker.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../support/faulty-disk.js';
import { decodeRecords, type RawRecord } from '../support/raw-record.js';
import { batchBody, laneSettings, pullSettings, sendContext, sendFrame } from '../support/rooms.js';
import { coordinatorSettings, topicTableConfig } from '../unit/actors/coordinator/support.js';
import { pullFrame } from '../unit/actors/pull-lane/support.js';
import { FakeConnection } from '../unit/actors/remoting/support.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly syncFlush: boolean;
  /** How a run of the broker may end, besides well. */
  readonly ends: readonly End[];
  /** The disk fills up, refuses writes or loses a sync now and then. */
  readonly diskFaults: boolean;
  /** Entries in one file of a consume queue; enough for all unless told otherwise. */
  readonly unitsPerFile?: number;
  /** Size of a commit log file. Units: bytes. */
  readonly segmentSize?: number;
  readonly runs?: number;
}

export type End = 'clean' | 'kill' | 'power';

export interface SimulationResult {
  readonly report: Report;
  /** Promises besides those of the ledger that were broken, in words. */
  readonly broken: readonly string[];
  readonly ends: readonly End[];
  readonly refused: number;
  readonly pulled: number;
}

const root = '/store';
const topics = ['T0', 'T1'];
const queuesOfTopic = 2;
const producersCount = 3;
const messagesOfRun = 25;
const stepsMax = 200_000;

/** A record without an id has lost the page with its properties, as one with zeros in it. */
const idOf = (record: RawRecord): string => record.properties.get('UNIQ_KEY') ?? '\0';
const hashOf = (body: Uint8Array): string => crc32(body).toString(16);

/** Runs one seed. Errors: SimFailure when the broker gets stuck or an actor crashes. */
export function simulate(options: SimulationOptions): SimulationResult {
  const world = new World(options);
  const runs = options.runs ?? world.random.between(2, 3);
  for (let run = 0; run < runs; run++) world.run(run);
  return world.judge();
}

class World {
  readonly random: Prng;
  readonly clock = new VirtualClock();
  readonly memory = new MemoryDisk();
  readonly ledger = new Ledger();
  readonly broken: string[] = [];
  /** Sends that were answered with a refusal. */
  refused = 0;
  readonly ends: End[] = [];
  pulled = 0;
  nextId = 0;
  readonly options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
  }

  /** The broker starts, works, and ends as the seed wants. */
  run(run: number): void {
    const end = this.random.pick(this.options.ends);
    const broker = new Broker(this, run);
    const producers = Array.from({ length: producersCount }, (_, index) => new Producer(this, broker, index, run));
    const consumers = queues().map(([topic, queueId]) => new Consumer(this, broker, topic, queueId));
    for (const client of [...producers, ...consumers]) broker.sim.add(client);
    if (end === 'power' && this.random.oneIn(2)) broker.faulty.faults.powerBytes = this.random.below(20_000);
    if (this.options.diskFaults) broker.injectFaults();
    const isDone = (): boolean => producers.every(producer => producer.isDone);
    const crashStep = end === 'clean' ? Number.POSITIVE_INFINITY : this.random.between(20, 4000);
    broker.runUntil(() => isDone() || broker.steps >= crashStep);
    if (broker.hasPower && end === 'clean') {
      broker.faulty.faults = {};
      broker.runUntil(
        () => consumers.every(consumer => consumer.isAtEnd) && broker.isQuiet,
        () => consumers.map(consumer => consumer.where).join('; '),
      );
      broker.stop();
    }
    this.ends.push(broker.hasPower ? end : 'power');
    if (!broker.hasPower || end === 'power') this.memory.crash(this.random.next());
    this.clock.advance(5000);
  }

  /** Opens the store a last time and reads everything back. */
  judge(): SimulationResult {
    const judge = new Judge(this.ledger);
    const broker = new Broker(this, -1);
    const readers = queues().map(
      ([topic, queueId]) => new Consumer(this, broker, topic, queueId, stored => judge.onStored(stored)),
    );
    for (const reader of readers) broker.sim.add(reader);
    broker.runUntil(
      () => readers.every(reader => reader.isAtEnd),
      () => readers.map(reader => reader.where).join('; '),
    );
    const { broken, ends, refused, pulled } = this;
    return { report: withoutTorn(judge.report()), broken, ends, refused, pulled };
  }
}

/**
 * A record that nobody was promised may have lost the page with its properties and not the one with its body, and only
 * the body has a CRC (as in RocketMQ). It is there with zeros for an id; one that was acknowledged would count as lost.
 */
function withoutTorn(report: Report): Report {
  const unknown = report.faults.unknown.filter(fault => !fault.includes('\0'));
  const torn = report.faults.unknown.length - unknown.length;
  return { ...report, faults: { ...report.faults, unknown }, faultCount: report.faultCount - torn };
}

function queues(): [topic: string, queueId: number][] {
  return topics.flatMap(topic =>
    Array.from({ length: queuesOfTopic }, (_, queueId) => [topic, queueId] as [string, number]),
  );
}

/** One life of the broker. */
class Broker {
  readonly sim: SimScheduler;
  readonly shop: Workshop;
  readonly remoting: Remoting;
  readonly faulty: { faults: FaultyDisk['faults'] };
  hasPower = true;
  steps = 0;
  readonly #world: World;
  readonly #store: Store;
  readonly #actors: Actor[] = [];
  #crash: Error | undefined;

  constructor(world: World, run: number) {
    this.#world = world;
    const { random, options, memory, clock } = world;
    const onCrash = (actor: Actor, error: unknown): void => {
      if (this.hasPower) this.#crash ??= new Error(`${actor.name} crashed: ${messageOf(error)}`, { cause: error });
    };
    this.sim = new SimScheduler({ seed: random.next(), clock, onCrash });
    const plan = {
      broker: true,
      nameRegistry: false,
      sendLanes: random.between(1, 2),
      pullLanes: random.between(1, 2),
    };
    const actors = planActors(plan);
    this.shop = new Workshop(smallMemory(actors));
    const disk = new FaultyDisk(memory);
    this.faulty = disk as { faults: FaultyDisk['faults'] };
    const watched = this.#watch(disk);
    const config = {
      storePathRootDir: root,
      storePathCommitLog: `${root}/commitlog`,
      mappedFileSizeCommitLog: options.segmentSize ?? 32 * 1024,
      mappedFileSizeConsumeQueue: (options.unitsPerFile ?? 1000) * 20,
      checkCRCOnRecover: true,
      messageIndexEnable: true,
      maxHashSlotNum: 50,
      maxIndexNum: 200,
    };
    this.#store = Store.open(watched, probeOf(memory), config, this.shop, silentLogger, { state: '', send: () => {} });
    const settings = settingsOf(config, this.#store.queueOffsets, options.syncFlush);
    const mayBlock = random.oneIn(2);
    const tools = { shop: this.shop, settings, disk: watched, log: silentLogger, mayBlock };
    const remoting = {
      listeners: ['broker' as const],
      connectionsMax: 100,
      maxInflight: 64,
      idleMaxMs: 1e9,
      syncFlushTimeoutMs: 5000,
      backlog: 1,
      outboundBytesMax: 1e9,
    };
    this.remoting = buildRemoting(this.shop, remoting, settings.context, silentLogger, () => clock.nowMs());
    const coordinator = this.#coordinator(watched, run === 0);
    for (const actor of actors) {
      if (actor.kind === 'remoting') this.#actors.push(this.remoting);
      else if (actor.kind === 'coordinator') this.#actors.push(coordinator);
      else this.#actors.push(buildActor(actor, tools));
    }
    coordinator.announceAll();
    this.#store.markOpen();
    for (const actor of this.#actors) this.sim.add(actor);
  }

  #coordinator(disk: Disk, first: boolean): Coordinator {
    const { shop } = this;
    const table = (name: string): JsonTable => new JsonTable(disk, `${root}/config/${name}.json`, parseDialect);
    const nowMs = this.#world.clock.nowMs();
    const known = new TopicTable(table('topics'), topicTableConfig, nowMs);
    if (first) {
      const counts = { readQueueNums: queuesOfTopic, writeQueueNums: queuesOfTopic };
      for (const topic of topics) known.put(createTopicConfig(topic, counts), nowMs);
    }
    const bell = shop.bell('coordinator');
    const readers = (kind: 'send-lane' | 'pull-lane' | 'dispatcher', news: 'sendLane' | 'pullLane' | 'dispatcher') =>
      shop.namesOf(kind).map(name => ({ kind: news, ring: shop.ring('coordinator', name), bell }));
    return new Coordinator({
      fromRemoting: shop.ring('remoting', 'coordinator'),
      fromSendLanes: shop.namesOf('send-lane').map(lane => shop.ring(lane, 'coordinator')),
      fromPullLanes: shop.namesOf('pull-lane').map(lane => shop.ring(lane, 'coordinator')),
      toRemoting: shop.ring('coordinator', 'remoting'),
      remotingBell: bell,
      registrar: () => undefined,
      nodeRequest: () => undefined,
      state: {
        topics: known,
        groups: new GroupTable(table('subscriptionGroup'), nowMs),
        offsets: new OffsetTable(table('consumerOffset')),
        clients: new ClientTable(),
        numbers: this.#store.numbers,
        table: shop.queueTable,
        positions: shop.positions,
        news: new NewsDesk([
          ...readers('send-lane', 'sendLane'),
          ...readers('pull-lane', 'pullLane'),
          ...readers('dispatcher', 'dispatcher'),
        ]),
        log: silentLogger,
        settings: coordinatorSettings,
        brokerName: 'broker-a',
        storeTimeOf: () => 0,
        physicalOffsetOf: () => -1,
      },
    });
  }

  /** Syncs that do not block take a time of the seed's choosing; everybody stops when the power is gone. */
  #watch(disk: FaultyDisk): Disk {
    const guard = <Result>(call: () => Result): Result => {
      try {
        return call();
      } catch (error) {
        if (error instanceof PowerFailure) this.hasPower = false;
        throw error;
      }
    };
    const fileOf = (file: DiskFile): DiskFile => ({
      ...file,
      write: (...given) => guard(() => file.write(...given)),
      truncate: size => guard(() => file.truncate(size)),
      sync: () => guard(() => file.sync()),
      syncAsync: done => {
        let failure: Error | null = null;
        try {
          guard(() => file.sync());
        } catch (error) {
          failure = error as Error;
        }
        this.sim.timers.setTimeout(() => done(failure), this.sim.random.below(20));
      },
    });
    return new Proxy(disk, {
      get: (target, key) => {
        const value = Reflect.get(target, key, target);
        if (key === 'open')
          return (path: string, mode: 'read' | 'write' | 'create') => fileOf(guard(() => target.open(path, mode)));
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => guard(() => value.apply(target, given));
      },
    }) as unknown as Disk;
  }

  injectFaults(): void {
    const { timers, random } = this.sim;
    const { faults } = this.faulty;
    const breakIt = (): void => {
      const kind = random.pick(['space', 'write', 'queues', 'sync'] as const);
      if (kind === 'space') faults.spaceBytes = random.below(3000);
      else if (kind === 'write')
        faults.fail = (call, path) => (call === 'write' && path.includes('/commitlog/') ? 'EIO' : undefined);
      else if (kind === 'queues')
        faults.fail = (call, path) => (call === 'write' && path.includes('/consumequeue/') ? 'ENOSPC' : undefined);
      else if (random.oneIn(4))
        faults.fail = (call, path) => (call === 'sync' && path.includes('/commitlog/') ? 'EIO' : undefined);
      timers.setTimeout(repair, random.between(1, 3000));
    };
    const repair = (): void => {
      delete faults.spaceBytes;
      delete faults.fail;
      timers.setTimeout(breakIt, random.between(1, 500));
    };
    timers.setTimeout(breakIt, random.below(200));
  }

  /** Errors: SimFailure; a broker without power simply stops. */
  runUntil(condition: () => boolean, where: () => string = () => ''): void {
    const startSteps = this.steps;
    try {
      this.sim.runUntil(() => {
        this.steps++;
        return !this.hasPower || this.#crash !== undefined || this.steps - startSteps > stepsMax || condition();
      }, stepsMax + 1);
    } catch (error) {
      if (this.hasPower) throw error;
    }
    if (this.hasPower && this.#crash !== undefined) throw this.#crash;
    if (this.steps - startSteps > stepsMax)
      throw new Error(`not there after ${stepsMax} steps: ${[...this.#world.broken.slice(0, 5), where()].join('; ')}`);
  }

  /** Everything is on disk and dispatched, and nobody waits for an answer. */
  get isQuiet(): boolean {
    const { positions } = this.shop;
    return positions.read('dispatched') === positions.read('appended') && this.remoting.inflight === 0;
  }

  /** Dense number of a queue, -1 for none. */
  numberOf(topic: string, queueId: number): number {
    return this.#store.numbers.find(topic, queueId);
  }

  /** As a node stops. */
  stop(): void {
    const { positions } = this.shop;
    this.sim.close();
    const end = positions.read('appended');
    this.#store.syncLog(positions.read('flushed'), end);
    this.#store.markClosed();
    this.#store.release();
  }
}

const queueTable = new QueueTable().memory;
/** Queues whose bounds are forgotten between two lives: more than any has. */
const queuesUsed = 4096;

/**
 * As a node allocates it, but with small rings everywhere, and one queue table for all lives: fresh pages cost time.
 */
function smallMemory(actors: readonly ActorInstance[]): NodeMemory {
  new Uint8Array(queueTable).fill(0, 0, queuesUsed * 16);
  new Uint8Array(queueTable).fill(0, QUEUES_MAX * 16, QUEUES_MAX * 16 + queuesUsed * 4);
  const size = (ring: RingInstance): number => (ring.row.size === 'messages' ? 16 * 1024 : 64 * 1024);
  return {
    actors,
    queueTable,
    rings: Object.fromEntries(planRings(actors).map(ring => [ring.id, Ring.allocate(size(ring))])),
    bells: { [MAIN_THREAD]: new Doorbell().memory },
    counters: Object.fromEntries(actors.map(actor => [actor.name, new Counters().memory])),
    positions: new Positions().memory,
    storeState: new SharedFlags().memory,
    threadOf: Object.fromEntries(actors.map(actor => [actor.name, MAIN_THREAD])),
  };
}

function settingsOf(
  config: { mappedFileSizeCommitLog: number; mappedFileSizeConsumeQueue: number },
  queueOffsets: Float64Array,
  syncFlush: boolean,
): BrokerSettings {
  return {
    context: { ...sendContext, syncFlush },
    sendLane: { ...laneSettings, waitTimeMillsInSendQueue: 1000 },
    pullLane: { ...pullSettings, maxTransferBytesOnMessageInMemory: 4000 },
    paths: storePaths(root),
    index: { messageIndexEnable: true, maxHashSlotNum: 50, maxIndexNum: 200 },
    mappedFileSizeCommitLog: config.mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue: config.mappedFileSizeConsumeQueue,
    flush: {
      flushIntervalCommitLog: 50,
      flushCommitLogTimed: true,
      flushCommitLogLeastPages: 1,
      flushCommitLogThoroughInterval: 500,
    },
    flushQueues: {
      flushIntervalConsumeQueue: 20,
      flushConsumeQueueLeastPages: 0,
      flushConsumeQueueThoroughInterval: 100,
    },
    queueOffsets,
  };
}

/** A process that died owns nothing. */
function probeOf(memory: MemoryDisk): ProcessProbe {
  return {
    pid: 1,
    isAlive: () => false,
    startTime: () => undefined,
    lockedByOther: () => undefined,
    createExclusive: (path, text) => {
      if (memory.facts(path) !== undefined) return false;
      memory.writeText(path, text);
      return true;
    },
  };
}

interface Sent {
  readonly ids: readonly string[];
  readonly durable: boolean;
}

/** Sends single messages and batches, a few at a time, on one connection. */
class Producer implements Actor {
  readonly name: string;
  readonly #world: World;
  readonly #connection: FakeConnection;
  readonly #index: number;
  readonly #run: number;
  readonly #window: number;
  readonly #waiting = new Map<number, Sent>();
  #left = messagesOfRun;
  #opaque = 0;
  #nextMs = 0;

  constructor(world: World, broker: Broker, index: number, run: number) {
    this.name = `producer-${index}`;
    this.#world = world;
    this.#index = index;
    this.#run = run;
    this.#window = world.random.between(1, 6);
    this.#connection = FakeConnection.connect(broker.remoting, 0, world.clock.nowMs());
  }

  get isDone(): boolean {
    return this.#left === 0 && this.#waiting.size === 0;
  }

  doWork(nowMs: number): number {
    const answers = this.#connection.answers.splice(0);
    for (const answer of answers) this.#onAnswer(answer);
    if (this.#left === 0 || this.#waiting.size >= this.#window || nowMs < this.#nextMs) return answers.length;
    this.#send();
    if (this.#world.random.oneIn(8)) this.#nextMs = nowMs + this.#world.random.below(400);
    return answers.length + 1;
  }

  deadlineMs(): number {
    return this.#left > 0 && this.#waiting.size < this.#window ? this.#nextMs : Number.POSITIVE_INFINITY;
  }

  close(): void {}

  #send(): void {
    const { random, ledger } = this.#world;
    const topic = random.pick(topics);
    const queueId = random.below(queuesOfTopic);
    const count = random.oneIn(5) ? Math.min(this.#left, random.between(2, 4)) : 1;
    const messages = Array.from({ length: count }, () => {
      const id = `m${this.#world.nextId++}`;
      const body = random.bytes(random.oneIn(10) ? random.below(2500) : random.below(200));
      ledger.attempt({ id, topic, queueId, hash: hashOf(body), connection: this.#index, phase: this.#run });
      return { id, body, properties: `UNIQ_KEY\u0001${id}` };
    });
    const durable = !random.oneIn(6);
    const opaque = this.#opaque++;
    const wait = `WAIT\u0001${durable}`;
    const isBatch = count > 1;
    const frame = sendFrame({
      topic,
      queueId,
      opaque,
      code: isBatch ? 320 : random.pick([10, 310] as const),
      serializeType: random.pick([0, 1] as const),
      body: isBatch ? batchBody(messages) : messages[0]!.body,
      properties: isBatch ? wait : `${messages[0]!.properties}\u0002${wait}`,
    });
    this.#left -= count;
    this.#waiting.set(opaque, { ids: messages.map(message => message.id), durable });
    this.#connection.receive(frame);
  }

  #onAnswer(answer: RemotingCommand): void {
    const sent = this.#waiting.get(answer.opaque);
    if (sent === undefined) {
      this.#world.broken.push(`${this.name}: an answer nobody waits for, opaque ${answer.opaque}`);
      return;
    }
    this.#waiting.delete(answer.opaque);
    if (answer.code === 0) {
      // Under ASYNC_FLUSH, and when the sender does not wait, only a machine that stays up keeps the promise.
      const { syncFlush, ends } = this.#world.options;
      if ((!syncFlush || !sent.durable) && ends.includes('power')) return;
      const { queueId, queueOffset } = answer.extFields;
      for (const [index, id] of sent.ids.entries())
        this.#world.ledger.acknowledge(id, Number(queueId), Number(queueOffset) + index);
    } else if (answer.code === 14 || answer.code === 2) {
      this.#world.refused++;
    } else if (answer.code !== 10) {
      this.#world.broken.push(`${this.name}: code ${answer.code} ${answer.remark}`);
    }
  }
}

const HOLD = 2 | 4;

/** Pulls a queue from its start and checks that what comes is whole and in order. */
class Consumer implements Actor {
  readonly name: string;
  readonly #world: World;
  readonly #broker: Broker;
  readonly #connection: FakeConnection;
  readonly #topic: string;
  readonly #queueId: number;
  readonly #onStored: (stored: Stored) => void;
  #offset = 0;
  #waiting = false;
  #opaque = 0;
  #last = '';

  constructor(
    world: World,
    broker: Broker,
    topic: string,
    queueId: number,
    onStored: (stored: Stored) => void = () => {},
  ) {
    this.name = `consumer-${topic}-${queueId}`;
    this.#world = world;
    this.#broker = broker;
    this.#topic = topic;
    this.#queueId = queueId;
    this.#onStored = onStored;
    this.#connection = FakeConnection.connect(broker.remoting, 0, world.clock.nowMs());
  }

  get isAtEnd(): boolean {
    const { shop } = this.#broker;
    const number = this.#broker.numberOf(this.#topic, this.#queueId);
    const { positions } = shop;
    return (
      positions.read('dispatched') === positions.read('appended') &&
      this.#offset === (number < 0 ? 0 : shop.queueTable.max(number))
    );
  }

  /** For the report of a run that got stuck. */
  get where(): string {
    const number = this.#broker.numberOf(this.#topic, this.#queueId);
    return `${this.name} at ${this.#offset} of ${this.#broker.shop.queueTable.max(number)}: ${this.#last}`;
  }

  doWork(): number {
    const answers = this.#connection.answers.splice(0);
    for (const answer of answers) this.#onAnswer(answer);
    if (this.#waiting) return answers.length;
    this.#waiting = true;
    const suspendMs = this.#world.random.between(1, 300);
    const pull = { topic: this.#topic, queueId: this.#queueId, offset: this.#offset, max: 7, sysFlag: HOLD, suspendMs };
    this.#connection.receive(pullFrame(pull, { opaque: ++this.#opaque }));
    return answers.length + 1;
  }

  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(): void {}

  #onAnswer(answer: RemotingCommand): void {
    if (answer.opaque !== this.#opaque || !this.#waiting) this.#say(`an answer nobody waits for: ${answer.opaque}`);
    this.#waiting = false;
    this.#last = `${answer.code} ${answer.remark}`;
    // Busy; or the group is new and cannot be stored while the disk is full.
    if (answer.code === 2 || (answer.code === 26 && this.#world.options.diskFaults)) return;
    if (answer.code !== 0 && answer.code !== 19 && answer.code !== 20)
      this.#say(`code ${answer.code} ${answer.remark}`);
    for (const record of answer.code === 0 ? decodeRecords(Buffer.from(answer.body ?? [])) : []) this.#onRecord(record);
    const next = Number(answer.extFields.nextBeginOffset);
    if (answer.code !== 21 && next !== this.#offset) this.#say(`next offset ${next} behind ${this.#offset}`);
  }

  #onRecord(record: RawRecord): void {
    const id = idOf(record);
    const sent = this.#world.ledger.entry(id);
    const place = `${record.topic}:${record.queueId}@${record.queueOffset}`;
    if (record.topic !== this.#topic || record.queueId !== this.#queueId) this.#say(`${place} in the wrong queue`);
    if (record.queueOffset !== this.#offset) this.#say(`${place} where ${this.#offset} should be`);
    if (sent?.hash !== hashOf(record.body) && !id.includes('\0')) this.#say(`${place}: ${id} has other content`);
    this.#offset = record.queueOffset + 1;
    this.#world.pulled++;
    const { topic, queueId, queueOffset } = record;
    this.#onStored({ id, topic, queueId, queueOffset, hash: hashOf(record.body) });
  }

  #say(what: string): void {
    this.#world.broken.push(`${this.name}: ${what}`);
  }
}
