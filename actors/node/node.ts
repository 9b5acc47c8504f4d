/**
 * A node: name server, broker or both in one process. The composition root: it opens the store, allocates shared memory
 * from the wiring table, puts the actors on their threads, listens, and takes everything down again in order.
 *
 * @example
 * const node = await RingNode.start({ broker: loadBrokerConfig({ set: { storePathRootDir: folder } }) });
 * node.ports.broker; // 10911
 * await node.stop();
 */
import { availableParallelism } from 'node:os';
import { type BrokerConfig, type LoadedConfig, type NamesrvConfig, thisMachine } from '../../config/index.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { createRootLogger, type RootLogger } from '../../runtime/log/logger.js';
import { type Disk, nodeDisk } from '../../storage/disk.js';
import { nodeProcessProbe } from '../../storage/process-probe.js';
import type { LaneCounts } from '../lane-counts.js';
import type { ListenerSpec } from '../remoting/listeners.js';
import { reservePort } from '../remoting/reserve-port.js';
import { StoreState } from '../store-state.js';
import { localAddressTowards } from './advertised-address.js';
import type { BrokerRoleActions } from './broker-role.machine.js';
import { brokerSettings, remotingSettings } from './build-settings.js';
import { dumpRecorders } from './flight-dump.js';
import { Housekeeping } from './housekeeping.js';
import { LaneKeeper } from './lane-keeper.js';
import { type Life, startBrokerRole, startStoreLife } from './life.js';
import { allocateMemory, Workshop } from './memory.js';
import { isSlave } from './settings.js';
import { type NodeParts, stopNode } from './stop-node.js';
import { Store } from './store.js';
import type { StoreEvent } from './store-lifecycle.machine.js';
import { ThreadHost } from './thread-host.js';
import { chooseMode, MAIN_THREAD, needsEventLoop, planThreads, type ThreadPlan } from './thread-plan.js';
import type { RoomsData } from './thread-rooms.js';
import { type ActorInstance, planActors, planRings } from './wiring.js';

export interface NodeOptions {
  readonly broker?: LoadedConfig<BrokerConfig>;
  /** A name server, alone or in the broker's process. */
  readonly namesrv?: LoadedConfig<NamesrvConfig>;
  /** The file the configuration came from: runtime changes are stored there. */
  readonly configFile?: string;
  /** Instead of a log of its own; the actors then all run on the main thread. */
  readonly logger?: Logger;
  /** Instead of the real one; the actors then all run on the main thread. */
  readonly disk?: Disk;
  /** The node cannot go on (a crashed writer, for example): stop it. */
  readonly onFailed?: (reason: string) => void;
}

/** Ports a node listens on. */
export interface NodePorts {
  readonly broker?: number;
  readonly vip?: number;
  readonly namesrv?: number;
  /** Replication. */
  readonly ha?: number;
}

/** A running node. */
export class RingNode {
  readonly ports: NodePorts;
  readonly threadPlan: ThreadPlan;
  readonly shop: Workshop;
  readonly log: Logger;
  readonly #parts: NodeParts;
  #stopping: Promise<void> | undefined;

  /**
   * Errors: RingError STORE_LOCKED, STORE_CORRUPT, LISTEN_FAILED, CONFIG_INVALID and disk faults; nothing is left
   * behind.
   */
  static start(options: NodeOptions): Promise<RingNode> {
    return new NodeStarter(options).start();
  }

  constructor(parts: NodeParts, ports: NodePorts) {
    this.#parts = parts;
    this.ports = ports;
    this.threadPlan = parts.plan;
    this.shop = parts.shop;
    this.log = parts.log;
  }

  /**
   * Drains, flushes, says farewell to the name servers and leaves a clean store. Calling it again waits for the same
   * end.
   */
  stop(): Promise<void> {
    this.#stopping ??= stopNode(this.#parts);
    return this.#stopping;
  }
}

class NodeStarter {
  readonly #options: NodeOptions;
  readonly #disk: Disk;
  readonly #config: BrokerConfig | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#config = options.broker?.config;
  }

  get #anyConfig(): BrokerConfig | NamesrvConfig {
    return this.#config ?? this.#options.namesrv!.config;
  }

  async start(): Promise<RingNode> {
    const rootLogger = this.#options.logger === undefined ? await this.#openLog() : undefined;
    const log = this.#options.logger ?? rootLogger!.logger;
    let parts: NodeParts | undefined;
    try {
      const { shop, plan } = this.#allocate();
      const storeLife = startStoreLife(log);
      const store = this.#openStore(shop, log, storeLife);
      const role = startBrokerRole(roleActions(shop, this.#config !== undefined && isSlave(this.#config)), log);
      const onFailed = (name: string, fault: RingError): void => {
        role.send({ type: 'FAIL', reason: fault.message });
        this.#onFailed(name, fault, shop, log);
      };
      const { logLevel } = this.#anyConfig;
      const host = new ThreadHost({ shop, disk: this.#disk, log, logLevel, rootLogger, onFailed });
      parts = {
        plan,
        shop,
        log,
        rootLogger,
        host,
        store,
        role,
        storeLife,
        housekeeping: this.#housekeeping(shop, store, host, log),
      };
      return await this.#bringUp(parts);
    } catch (error) {
      // A fault says all in its message; only a bug is worth its stack.
      const facts = error instanceof RingError ? { code: error.code, ...error.facts } : { err: error };
      log.error(facts, `the node did not start: ${messageOf(error)}`);
      parts?.role.send({ type: 'FAIL', reason: messageOf(error) });
      await parts?.host.stop();
      parts?.store?.abandon(parts.shop.positions.read('appended'));
      await rootLogger?.close();
      throw error;
    }
  }

  #openLog(): Promise<RootLogger> {
    const { logDir, logLevel } = this.#anyConfig;
    const name = this.#config?.brokerName ?? 'namesrv';
    return createRootLogger({ level: logLevel, name, logDir: logDir === '' ? undefined : logDir, pretty: 'auto' });
  }

  #allocate(): { shop: Workshop; plan: ThreadPlan } {
    const { threadingMode, ringCapacityBytes } = this.#anyConfig;
    const injected = this.#options.logger !== undefined || this.#options.disk !== undefined;
    const { mode, reason } = injected
      ? { mode: 'inline' as const, reason: 'a logger or disk was handed in' }
      : chooseMode(threadingMode, availableParallelism());
    const config = this.#config;
    const lanes = (asked: number): number => (mode === 'dedicated' ? Math.min(asked, config?.lanesMax ?? 1) : 1);
    const actors = planActors({
      broker: config !== undefined,
      nameRegistry: this.#options.namesrv !== undefined,
      // Memory for as many as there may ever be: what is not touched costs nothing.
      sendLanes: lanes(config?.lanesMax ?? 1),
      pullLanes: lanes(config?.lanesMax ?? 1),
    });
    const plan = planThreads(actors, mode, reason);
    const shop = new Workshop(allocateMemory(actors, planRings(actors), plan, ringCapacityBytes));
    if (config !== undefined) {
      shop.laneCounts.set('send-lane', lanes(config.sendMessageThreadPoolNums));
      shop.laneCounts.set('pull-lane', lanes(config.pullMessageThreadPoolNums));
    }
    return { shop, plan };
  }

  #openStore(shop: Workshop, log: Logger, life: Life<StoreEvent>): Store | undefined {
    if (this.#config === undefined) return undefined;
    return Store.open(this.#disk, nodeProcessProbe, this.#config, shop, log, life);
  }

  #housekeeping(shop: Workshop, store: Store | undefined, host: ThreadHost, log: Logger): Housekeeping | undefined {
    const config = this.#config;
    if (store === undefined || config === undefined) return undefined;
    return new Housekeeping({
      disk: this.#disk,
      paths: store.paths,
      storeState: shop.storeState,
      log,
      cleanResourceInterval: config.cleanResourceInterval,
      config: () => host.control('coordinator').brokerConfig(),
      manualPasses: () => host.control('coordinator').takeManualPasses(),
      retire: position => host.control('commit-log-writer').retire(position),
    });
  }

  async #bringUp(parts: NodeParts): Promise<RingNode> {
    const { plan, host, store, log, role, housekeeping } = parts;
    role.send({ type: 'RECOVER' });
    const advertised = this.#config === undefined ? '' : await this.#advertisedAddress(this.#config);
    const anyPort = this.#config?.listenPort === 0 ? await reservePort(this.#config.bindAddress) : undefined;
    const specs = this.#listenerSpecs(anyPort?.port);
    try {
      const common = this.#roomsData(parts, specs, advertised, anyPort?.port);
      await startThreads(plan, host, common, parts.shop.laneCounts);
      if (plan.mode === 'dedicated' && store !== undefined) parts.lanes = keepLanes(parts, common);
      // Before the first message can come in: a kill from here on is no clean stop.
      store?.markOpen();
    } finally {
      await anyPort?.release();
    }
    const got = await host.control('remoting').listen(specs);
    const ha = await this.#listenForSlaves(host);
    role.send({ type: 'SERVE' });
    housekeeping?.start();
    const ports = {
      ...(Object.fromEntries(specs.map(({ kind }, index) => [kind, got[index]])) as NodePorts),
      ...(ha === undefined ? {} : { ha }),
    };
    if (this.#config !== undefined && isSlave(this.#config)) await host.control('ha-receiver').startReplica();
    if (store !== undefined) await host.control('coordinator').register();
    this.#sayStarted(log, plan, specs, ports, advertised);
    return new RingNode(parts, ports);
  }

  #roomsData(
    parts: NodeParts,
    specs: readonly ListenerSpec[],
    advertisedAddress: string,
    anyPort: number | undefined,
  ): CommonRoomsData {
    const { shop, store } = parts;
    const { broker, namesrv, configFile } = this.#options;
    const kinds = specs.map(spec => spec.kind);
    const base = { memory: shop.memory, remoting: remotingSettings(this.#anyConfig, kinds) };
    const withNamesrv = namesrv === undefined ? base : { ...base, namesrv: { inputs: namesrv.inputs } };
    if (broker === undefined || store === undefined) return withNamesrv;
    return {
      ...withNamesrv,
      broker: {
        inputs: broker.inputs,
        settings: brokerSettings(
          { ...broker.config, listenPort: anyPort ?? broker.config.listenPort },
          store.paths,
          store.queueOffsets,
          advertisedAddress,
          store.lastRecordOffset,
        ),
        queueNumbers: store.numbers.entries(),
        advertisedAddress,
        ...(configFile === undefined ? {} : { configFile }),
      },
    };
  }

  /** Every broker does, a slave too: it may have slaves of its own. */
  async #listenForSlaves(host: ThreadHost): Promise<number | undefined> {
    const config = this.#config;
    return config && (await host.control('ha-sender').listenForSlaves(config.bindAddress, config.haListenPort));
  }

  /** `anyPort`: the broker's, where its listenPort is 0. */
  #listenerSpecs(anyPort: number | undefined): ListenerSpec[] {
    const specs: ListenerSpec[] = [];
    const config = this.#config;
    const namesrv = this.#options.namesrv?.config;
    if (namesrv !== undefined) specs.push({ kind: 'namesrv', host: namesrv.bindAddress, port: namesrv.listenPort });
    if (config !== undefined) {
      specs.push({ kind: 'broker', host: config.bindAddress, port: anyPort ?? config.listenPort });
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

  #onFailed(name: string, fault: RingError, shop: Workshop, log: Logger): void {
    log.error({ err: fault, actor: name }, `the node cannot go on: ${fault.message}`);
    const { logDir } = this.#anyConfig;
    const folder = logDir || this.#config?.storePathRootDir;
    if (folder !== undefined) dumpRecorders(this.#disk, folder, shop, log, Date.now());
    this.#options.onFailed?.(fault.message);
  }

  #sayStarted(
    log: Logger,
    plan: ThreadPlan,
    specs: readonly ListenerSpec[],
    ports: NodePorts,
    advertised: string,
  ): void {
    log.info(
      { threadingMode: plan.mode, reason: plan.reason, threads: [...plan.threads.keys()] },
      'actors are running',
    );
    const config = this.#config;
    if (config !== undefined) {
      const { brokerRole, brokerId, flushDiskType, storePathRootDir } = config;
      log.info({ brokerRole, brokerId, flushDiskType, store: storePathRootDir }, acknowledgement(config));
      const { sendMessageThreadPoolNums, pullMessageThreadPoolNums } = config;
      const threads = [...plan.threads.values()].flat().filter(actor => actor.kind.endsWith('lane')).length;
      log.info(
        { sendMessageThreadPoolNums, pullMessageThreadPoolNums, lanes: threads },
        'lanes do not block, so few do the work of the threads asked for',
      );
      if (!config.checkTransactionMessageEnable) {
        log.warn({}, 'producers are never asked about transactions they left open (key checkTransactionMessageEnable)');
      }
    }
    for (const { kind, host } of specs) log.info({ kind, listen: `${host}:${ports[kind]}` }, 'listening');
    if (config !== undefined) log.info({ kind: 'ha', listen: `${config.bindAddress}:${ports.ha}` }, 'listening');
    if (config !== undefined)
      log.info({ advertised: `${advertised}:${ports.broker}` }, 'clients are told to come here');
  }
}

type CommonRoomsData = Omit<RoomsData, 'thread' | 'actors' | 'mayBlock'>;

/** All threads at once: most of a thread's start is waiting for it. Errors: that of the first that failed. */
async function startThreads(
  plan: ThreadPlan,
  host: ThreadHost,
  common: CommonRoomsData,
  laneCounts: LaneCounts,
): Promise<void> {
  const starts = [...plan.threads]
    .filter(([, actors]) => plan.mode !== 'dedicated' || actors.every(actor => runsFromStart(actor, laneCounts)))
    .map(([thread, actors]) => host.start({ ...common, thread, actors, mayBlock: blocks(thread, actors) }));
  // None is left half started: what fails now is taken down with the others.
  const failed = (await Promise.allSettled(starts)).find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function runsFromStart({ kind, index }: ActorInstance, laneCounts: LaneCounts): boolean {
  return kind !== 'send-lane' && kind !== 'pull-lane' ? true : index < laneCounts.started(kind);
}

/** Lanes that are asked for later. */
function keepLanes({ shop, host, log }: NodeParts, common: CommonRoomsData): LaneKeeper {
  return new LaneKeeper({
    counts: shop.laneCounts,
    log,
    start: (kind, index) => {
      const thread = `${kind}-${index}`;
      return host.start({ ...common, thread, actors: [{ kind, index, name: thread }], mayBlock: true });
    },
    announce: async () => void (await host.control('coordinator').announce()),
  });
}

function blocks(thread: string, actors: readonly ActorInstance[]): boolean {
  return thread !== MAIN_THREAD && !needsEventLoop(actors);
}

/** In words: when a send is answered. */
function acknowledgement(config: BrokerConfig): string {
  const { brokerRole, flushDiskType } = config;
  if (isSlave(config)) return 'sends are refused: this broker is a slave';
  const place =
    flushDiskType === 'SYNC_FLUSH' ? 'on disk' : 'in the page cache (a crash of the machine can lose the last moments)';
  const slave = brokerRole === 'SYNC_MASTER' ? ' and a slave has it' : '';
  return `a send is acknowledged when its message is ${place}${slave}`;
}

/** Lanes refuse sends while the store counts as closed, and on a slave. */
function roleActions(shop: Workshop, slave: boolean): BrokerRoleActions {
  return {
    isSlave: slave,
    openSends: () => shop.storeState.clear(StoreState.CLOSED | StoreState.SLAVE),
    closeSends: () => shop.storeState.set(StoreState.CLOSED),
    serveAsSlave: () => {
      shop.storeState.set(StoreState.SLAVE);
      shop.storeState.clear(StoreState.CLOSED);
    },
  };
}
