/**
 * A node: name server, broker or both in one process. The composition root: it opens the store, allocates shared memory from
 * the wiring table, puts the actors on their threads, listens, and takes everything down again in order.
 *
 * @example
 * const node = await RingNode.start({ broker: loadBrokerConfig({ set: { storePathRootDir: folder } }) });
 * node.ports.broker; // 10911
 * await node.stop();
 */
import { availableParallelism } from 'node:os';
import type { BrokerConfig, LoadedConfig, NamesrvConfig } from '../../config/index.js';
import { thisMachine } from '../../config/index.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { EventLoopRunner } from '../../runtime/actor/duty-cycle.js';
import { systemClock } from '../../runtime/base/clock.js';
import { messageOf } from '../../runtime/base/errors.js';
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { createRootLogger, type RootLogger } from '../../runtime/log/logger.js';
import { type Disk, nodeDisk } from '../../storage/disk.js';
import { nodeProcessProbe } from '../../storage/process-probe.js';
import { Listeners, type ListenerSpec } from '../remoting/listeners.js';
import type { ListenerKind } from '../remoting/routes.js';
import { StoreState } from '../store-state.js';
import { localAddressTowards } from './advertised-address.js';
import { Broker, buildSettings } from './broker.js';
import { type BuildSettings, type BuildTools, buildActor, buildRemoting } from './build-actor.js';
import { allocateMemory, Workshop } from './memory.js';
import { buildNameRegistry } from './name-registry-room.js';
import { Store } from './store.js';
import { chooseMode, MAIN_THREAD, planThreads, type ThreadPlan } from './thread-plan.js';
import { planActors, planRings } from './wiring.js';

export interface NodeOptions {
  readonly broker?: LoadedConfig<BrokerConfig>;
  /** Without it the broker's key namesrvListenPort says whether a name server runs in this process. */
  readonly namesrv?: LoadedConfig<NamesrvConfig>;
  /** The file the configuration came from: runtime changes are stored there. */
  readonly configFile?: string;
  /** Instead of a log of its own. */
  readonly logger?: Logger;
  readonly disk?: Disk;
  /** The node cannot go on: a broken writer, for example. It has stopped by then. */
  readonly onFailed?: (reason: string) => void;
}

/** Ports a node listens on. */
export interface NodePorts {
  readonly broker?: number;
  readonly vip?: number;
  readonly namesrv?: number;
}

/** A running node. */
export class RingNode {
  readonly ports: NodePorts;
  readonly threadPlan: ThreadPlan;
  readonly shop: Workshop;
  readonly log: Logger;
  readonly #parts: NodeParts;
  #stopping: Promise<void> | undefined;

  /** Errors: RingError STORE_LOCKED, STORE_CORRUPT, LISTEN_FAILED, CONFIG_INVALID and disk faults; nothing is left behind. */
  static async start(options: NodeOptions): Promise<RingNode> {
    return new NodeStarter(options).start();
  }

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.ports = parts.ports;
    this.threadPlan = parts.plan;
    this.shop = parts.shop;
    this.log = parts.log;
  }

  /** Drains, flushes, says farewell to the name servers and leaves a clean store. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= stopNode(this.#parts);
    return this.#stopping;
  }
}

/** What a node is made of. */
interface NodeParts {
  readonly ports: NodePorts;
  readonly plan: ThreadPlan;
  readonly shop: Workshop;
  readonly log: Logger;
  readonly rootLogger: RootLogger | undefined;
  readonly runner: EventLoopRunner;
  readonly listeners: Listeners;
  readonly remoting: ReturnType<typeof buildRemoting>;
  readonly store: Store | undefined;
  readonly broker: Broker | undefined;
}

class NodeStarter {
  readonly #options: NodeOptions;
  readonly #disk: Disk;
  readonly #config: BrokerConfig | undefined;
  readonly #namesrv: LoadedConfig<NamesrvConfig> | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#config = options.broker?.config;
    this.#namesrv = options.namesrv;
  }

  async start(): Promise<RingNode> {
    const rootLogger = this.#options.logger === undefined ? await this.#openLog() : undefined;
    const log = this.#options.logger ?? rootLogger!.logger;
    let store: Store | undefined;
    try {
      const shop = this.#allocate();
      store = this.#openStore(shop.shop, log);
      return await this.#assemble(shop.shop, shop.plan, store, log, rootLogger);
    } catch (error) {
      store?.release();
      log.error({ err: error }, `the node did not start: ${messageOf(error)}`);
      await rootLogger?.close();
      throw error;
    }
  }

  #openLog(): Promise<RootLogger> {
    const config = this.#config ?? this.#namesrv!.config;
    const name = this.#config?.brokerName ?? 'namesrv';
    const logDir = config.logDir === '' ? undefined : config.logDir;
    return createRootLogger({ level: config.logLevel, name, logDir, pretty: 'auto' });
  }

  #allocate(): { shop: Workshop; plan: ThreadPlan } {
    const config = this.#config;
    const cores = availableParallelism();
    const { mode, reason } = chooseMode((config ?? this.#namesrv!.config).threadingMode, cores);
    const lanes = (asked: number): number => (mode === 'dedicated' ? Math.min(asked, config?.lanesMax ?? 1) : 1);
    const actors = planActors({
      broker: config !== undefined,
      nameRegistry: this.#namesrv !== undefined,
      sendLanes: lanes(config?.sendMessageThreadPoolNums ?? 1),
      pullLanes: lanes(config?.pullMessageThreadPoolNums ?? 1),
    });
    const plan = planThreads(actors, mode, reason);
    const ringCapacityBytes = (config ?? this.#namesrv!.config).ringCapacityBytes;
    return { shop: new Workshop(allocateMemory(actors, planRings(actors), plan, ringCapacityBytes)), plan };
  }

  #openStore(shop: Workshop, log: Logger): Store | undefined {
    const config = this.#config;
    return config === undefined ? undefined : Store.open(this.#disk, nodeProcessProbe, config, shop, log);
  }

  async #assemble(
    shop: Workshop,
    plan: ThreadPlan,
    store: Store | undefined,
    log: Logger,
    rootLogger: RootLogger | undefined,
  ): Promise<RingNode> {
    const specs = this.#listenerSpecs();
    const runner = new EventLoopRunner(systemClock, (actor, error) => this.#onCrash(actor, error, log));
    shop.threadBell(MAIN_THREAD).listen(runner.schedule);
    const loaded = this.#options.broker;
    const advertisedAddress = loaded === undefined ? '' : await this.#advertisedAddress(loaded.config);
    const listenPort = loaded?.config.listenPort ?? 0;
    const kinds = specs.map(spec => spec.kind);
    let broker: Broker | undefined;
    let settings = namesrvSettings(this.#namesrv?.config, kinds);
    if (loaded !== undefined && store !== undefined) {
      const common = { loaded, store, shop, advertisedAddress, listenPort };
      broker = new Broker({ ...common, configFile: this.#options.configFile, disk: this.#disk, log });
      settings = { ...buildSettings(common), listeners: kinds };
    }
    const tools: BuildTools = { shop, settings, disk: this.#disk, log, mayBlock: false };
    const remoting = buildRemoting(tools, systemClock.nowMs);
    remoting.onWork = runner.schedule;
    for (const actor of plan.threads.get(MAIN_THREAD) ?? []) {
      if (actor.kind === 'remoting') runner.add(remoting);
      else if (actor.kind === 'coordinator') runner.add(broker!.coordinator);
      else if (actor.kind === 'name-registry') runner.add(buildNameRegistry(shop, this.#namesrv!, this.#disk, log));
      else runner.add(buildActor(actor, tools));
    }
    const config = loaded?.config ?? this.#namesrv!.config;
    const listeners = new Listeners(remoting, {
      backlog: config.serverSocketBacklog,
      outboundBytesMax: config.connectionOutboundBytesMax,
    });
    broker?.coordinator.announceAll();
    runner.schedule();
    const got = await listeners.open(specs);
    store?.markOpen();
    const ports = Object.fromEntries(kinds.map((kind, index) => [kind, got[index]])) as NodePorts;
    broker?.openRegistrar();
    this.#sayStarted(log, plan, specs, ports, advertisedAddress);
    return new RingNode({ ports, plan, shop, log, rootLogger, runner, listeners, remoting, store, broker });
  }

  #listenerSpecs(): ListenerSpec[] {
    const specs: ListenerSpec[] = [];
    const config = this.#config;
    if (this.#namesrv !== undefined) {
      specs.push({ kind: 'namesrv', host: this.#namesrv.config.bindAddress, port: this.#namesrv.config.listenPort });
    }
    if (config !== undefined) {
      specs.push({ kind: 'broker', host: config.bindAddress, port: config.listenPort });
      // Old clients send to the port 2 below; port 0 (any free one, for tests) has none.
      if (config.listenPort > 2) specs.push({ kind: 'vip', host: config.bindAddress, port: config.listenPort - 2 });
    }
    return specs;
  }

  /** brokerIP1, or how this machine is reached from where the name server is, or RocketMQ's rule. */
  async #advertisedAddress(config: BrokerConfig): Promise<string> {
    if (config.brokerIP1 !== '') return config.brokerIP1;
    const [first = ''] = config.namesrvAddr.split(';');
    const towards = first === '' ? undefined : await localAddressTowards(first.trim());
    return towards ?? thisMachine().localAddress;
  }

  #onCrash(actor: Actor, error: unknown, log: Logger): void {
    const reason = `${actor.name} crashed: ${messageOf(error)}`;
    log.error({ err: error, actor: actor.name }, 'an actor crashed: the node stops');
    this.#options.onFailed?.(reason);
  }

  #sayStarted(log: Logger, plan: ThreadPlan, specs: readonly ListenerSpec[], ports: NodePorts, advertised: string): void {
    log.info({ threadingMode: plan.mode, reason: plan.reason, threads: [...plan.threads.keys()] }, 'actors are running');
    const config = this.#config;
    if (config !== undefined) {
      const durable = config.flushDiskType === 'SYNC_FLUSH';
      log.info(
        { flushDiskType: config.flushDiskType, store: config.storePathRootDir },
        durable
          ? 'a send is acknowledged when its message is on disk'
          : 'a send is acknowledged when its message is in the page cache: a crash of the machine can lose the last moments',
      );
    }
    for (const { kind, host } of specs) log.info({ kind, listen: `${host}:${ports[kind]}` }, 'listening');
    if (config !== undefined) log.info({ advertised: `${advertised}:${ports.broker}` }, 'clients are told to come here');
  }
}

/** Remoting's settings in a process without a broker. */
function namesrvSettings(config: NamesrvConfig | undefined, listeners: readonly ListenerKind[]): BuildSettings {
  return {
    context: { regionId: '', traceOn: false, storeAddress: 0, storePort: 0, syncFlush: false, brokerName: '', brokerClusterName: '' },
    connectionsMax: config?.connectionsMax ?? 0,
    maxInflight: config?.maxInflight ?? 1,
    idleMaxMs: (config?.serverChannelMaxIdleTimeSeconds ?? 120) * 1000,
    syncFlushTimeoutMs: Number.MAX_SAFE_INTEGER,
    listeners,
  } as BuildSettings;
}

/** How long a stopping node waits for what is in progress. Units: ms. */
const DRAIN_MAX_MS = 5000;

async function stopNode(parts: NodeParts): Promise<void> {
  const { broker, listeners, remoting, runner, shop, store, log, rootLogger } = parts;
  log.info({}, 'stopping: no new connections');
  listeners.close();
  await broker?.registrar?.stop();
  shop.storeState.set(StoreState.CLOSED);
  await drain(parts);
  remoting.close();
  runner.close();
  broker?.close();
  if (store !== undefined) closeStore(parts, store);
  const size = shop.positions.read('appended');
  log.info(store === undefined ? {} : { commitLog: formatBytes(size) }, 'stopped');
  await rootLogger?.close();
}

/** Waits until every accepted send is answered, on disk and dispatched. */
async function drain({ remoting, shop, runner, log }: NodeParts): Promise<void> {
  const untilMs = performance.now() + DRAIN_MAX_MS;
  const { positions } = shop;
  const isDrained = (): boolean =>
    remoting.inflight === 0 && positions.read('dispatched') === positions.read('appended');
  while (!isDrained() && performance.now() < untilMs) {
    runner.schedule();
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  if (!isDrained()) log.warn({ inflight: remoting.inflight }, 'stopping although requests are in progress');
}

function closeStore({ shop, log }: NodeParts, store: Store): void {
  try {
    const end = shop.positions.read('appended');
    store.syncLog(shop.positions.read('flushed'), end);
    shop.positions.publish('flushed', end);
    if (shop.positions.read('dispatched') === end && !shop.storeState.has(StoreState.FLUSH_FAILED)) store.markClosed();
  } catch (error) {
    log.error({ err: error }, 'the store could not be closed cleanly: the next start will read the log back');
  }
  store.release();
}
