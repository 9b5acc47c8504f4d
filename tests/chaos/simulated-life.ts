/** One life of the simulated broker: from opening its store to a stop, a kill or the loss of power. */
import { Coordinator } from '../../actors/coordinator/actor.js';
import { BrokerStats } from '../../actors/coordinator/broker-stats.js';
import { ClientTable } from '../../actors/coordinator/client-table.js';
import { FilterTable } from '../../actors/coordinator/filter-table.js';
import { GroupTable } from '../../actors/coordinator/group-table.js';
import { LockTable } from '../../actors/coordinator/lock-table.js';
import { MetadataDesk } from '../../actors/coordinator/metadata-desk.js';
import { NewsDesk } from '../../actors/coordinator/news-desk.js';
import { OffsetTable } from '../../actors/coordinator/offset-table.js';
import { TopicTable } from '../../actors/coordinator/topic-table.js';
import { buildActor, buildRemoting } from '../../actors/node/build-actor.js';
import type { BrokerSettings } from '../../actors/node/build-settings.js';
import { newsReaders } from '../../actors/node/coordinator-room.js';
import {
  allocateLaneCounts,
  allocateStatistics,
  allocateWaits,
  type NodeMemory,
  Workshop,
} from '../../actors/node/memory.js';
import { Store } from '../../actors/node/store.js';
import { MAIN_THREAD } from '../../actors/node/thread-plan.js';
import { type ActorInstance, planActors, planRings, type RingInstance } from '../../actors/node/wiring.js';
import { QUEUES_MAX, QueueTable } from '../../actors/queue-table.js';
import type { Remoting } from '../../actors/remoting/actor.js';
import { ConnectionTable } from '../../actors/remoting/connection-table.js';
import { createTopicConfig } from '../../protocol/bodies/topic.js';
import { parseDialect } from '../../protocol/json-dialect.js';
import { BloomBits } from '../../protocol/sql-filter.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import { silentLogger } from '../../runtime/log/contract.js';
import { Counters } from '../../runtime/memory/counters.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { SharedFlags } from '../../runtime/memory/flags.js';
import { Positions } from '../../runtime/memory/positions.js';
import { Ring } from '../../runtime/memory/ring.js';
import { SimScheduler } from '../../runtime/sim/scheduler.js';
import { FlightRecorder, TraceSwitch } from '../../runtime/trace/recorder.js';
import { TracedMessages } from '../../runtime/trace/traced-messages.js';
import type { Disk, DiskFile } from '../../storage/disk.js';
import { JsonTable } from '../../storage/json-table.js';
import { storePaths } from '../../storage/paths.js';
import { probeOf } from '../support/dead-owner.js';
import { FaultyDisk, PowerFailure } from '../support/faulty-disk.js';
import { haSettings, laneSettings, pullSettings, sendContext, transactionSettings } from '../support/rooms.js';
import { coordinatorSettings, topicTableConfig } from '../unit/actors/coordinator/support.js';
import type { World } from './simulated-broker.js';
import { queuesOfTopic, topics } from './simulated-clients.js';

const root = '/store';
const stepsMax = 200_000;

/** One life of the broker. */
export class Broker {
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
  readonly #news: NewsDesk;

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
      messageDelayLevel: '1s 5s',
      messageIndexEnable: true,
      maxHashSlotNum: 50,
      maxIndexNum: 200,
    };
    this.#store = Store.open(watched, probeOf(memory), config, this.shop, silentLogger, {
      state: '',
      send: () => {},
    });
    const settings = settingsOf(config, this.#store.queueOffsets, options.syncFlush);
    const mayBlock = random.oneIn(2);
    const tools = { shop: this.shop, settings, disk: watched, log: silentLogger, mayBlock };
    const remoting = {
      listeners: ['broker' as const],
      connectionsMax: 100,
      maxInflight: 64,
      idleMaxMs: 1e9,
      syncFlushTimeoutMs: 5000,
      slaveTimeoutMs: 3000,
      haSlaveFallbehindMax: 1e9,
      backlog: 1,
      outboundBytesMax: 1e9,
      passesOnUntilMs: 0,
    };
    const connections = new ConnectionTable(remoting.connectionsMax);
    const nowMs = (): number => clock.nowMs();
    this.remoting = buildRemoting(this.shop, remoting, settings.context, connections, silentLogger, nowMs);
    this.#news = new NewsDesk(newsReaders(this.shop));
    const coordinator = this.#coordinator(watched, run === 0);
    for (const actor of actors) {
      if (actor.kind === 'remoting') this.#actors.push(this.remoting);
      else if (actor.kind === 'coordinator') this.#actors.push(coordinator);
      else if (!actor.kind.startsWith('ha-') && actor.kind !== 'forwarder') this.#actors.push(buildActor(actor, tools));
    }
    coordinator.announceAll();
    this.#news.settings('scheduler', {
      deliver: true,
      flushDelayOffsetInterval: 10_000,
      scheduleAsyncDeliverMaxPendingLimit: 2000,
    });
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
    return new Coordinator({
      fromRemoting: shop.ring('remoting', 'coordinator'),
      fromSendLanes: shop.namesOf('send-lane').map(lane => shop.ring(lane, 'coordinator')),
      fromPullLanes: shop.namesOf('pull-lane').map(lane => shop.ring(lane, 'coordinator')),
      fromDispatcher: shop.ring('dispatcher', 'coordinator'),
      fromHaRooms: [],
      onHaStatus: () => {},
      fromTransactionChecker: shop.ring('transaction-checker', 'coordinator'),
      toRemoting: shop.ring('coordinator', 'remoting'),
      remotingBell: bell,
      registrar: () => undefined,
      nodeRequest: () => undefined,
      state: {
        topics: known,
        groups: new GroupTable(table('subscriptionGroup'), nowMs),
        offsets: new OffsetTable(table('consumerOffset')),
        clients: new ClientTable(),
        filters: new FilterTable(table('consumerFilter'), new BloomBits(20, 32), nowMs, silentLogger),
        numbers: this.#store.numbers,
        table: shop.queueTable,
        positions: shop.positions,
        news: this.#news,
        log: silentLogger,
        desk: new MetadataDesk(),
        isSlave: () => false,
        settings: coordinatorSettings,
        brokerName: 'broker-a',
        locks: new LockTable(),
        stats: new BrokerStats({
          numbers: this.#store.numbers,
          stored: shop.queueTraffic,
          pulled: shop.namesOf('pull-lane').map(lane => shop.groupTraffic(lane)),
          sentBack: shop.namesOf('send-lane').map(lane => shop.groupTraffic(lane)),
          broker: () => ({ put: 0, get: 0 }),
          clusterName: 'DefaultCluster',
        }),
        brokerAddr: () => '127.0.0.1:10911',
        store: { storeTimeOf: () => 0, physicalOffsetOf: () => -1, entriesOf: () => [], recordAt: () => undefined },
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
/** Nothing is traced, so all actors may share one. */
const recorder = FlightRecorder.allocate();
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
    statistics: allocateStatistics(actors),
    recorders: Object.fromEntries(actors.map(actor => [actor.name, recorder])),
    traceSwitch: new TraceSwitch().memory,
    tracedMessages: new TracedMessages().memory,
    rings: Object.fromEntries(planRings(actors).map(ring => [ring.id, Ring.allocate(size(ring))])),
    bells: { [MAIN_THREAD]: new Doorbell().memory },
    counters: Object.fromEntries(actors.map(actor => [actor.name, new Counters().memory])),
    waits: allocateWaits(actors),
    positions: new Positions().memory,
    storeState: new SharedFlags().memory,
    threadOf: Object.fromEntries(actors.map(actor => [actor.name, MAIN_THREAD])),
    threadingMode: 'inline',
    laneCounts: allocateLaneCounts(actors),
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
    transactionChecker: transactionSettings,
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
    delayLevelsMs: [1000, 5000],
    flushQueues: {
      flushIntervalConsumeQueue: 20,
      flushConsumeQueueLeastPages: 0,
      flushConsumeQueueThoroughInterval: 100,
    },
    ha: haSettings,
    queueOffsets,
  };
}
