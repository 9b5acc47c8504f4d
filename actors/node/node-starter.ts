/**
 * Starts a node: opens the store, allocates shared memory from the wiring table, puts the actors on their threads, and
 * listens. Again when a broker changes its role: then with what outlives the rooms. Cold.
 */
import { availableParallelism } from 'node:os';
import {
  type BrokerConfig,
  brokerSchema,
  configFrom,
  type Inputs,
  type LoadedConfig,
  type NamesrvConfig,
  thisMachine,
} from '../../config/index.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { createRootLogger, type RootLogger } from '../../runtime/log/logger.js';
import { type Disk, nodeDisk } from '../../storage/disk.js';
import { storePaths } from '../../storage/paths.js';
import { nodeProcessProbe } from '../../storage/process-probe.js';
import type { BeyondMaster } from '../coordinator/mailbox.js';
import type { Forwarding } from '../forwarder/mailbox.js';
import type { ListenerSpec } from '../remoting/listeners.js';
import { reservePort } from '../remoting/reserve-port.js';
import { StoreState } from '../store-state.js';
import { localAddressTowards } from './advertised-address.js';
import type { BrokerRoleActions, BrokerRoleEvent } from './broker-role.machine.js';
import { brokerSettings, remotingSettings } from './build-settings.js';
import { dumpRecorders } from './flight-dump.js';
import { Housekeeping } from './housekeeping.js';
import { noteRole } from './led-span.js';
import { type Life, startBrokerRole, startStoreLife } from './life.js';
import { allocateMemory, Workshop } from './memory.js';
import type { NodeOptions, NodePorts } from './node.js';
import { type BrokerRole, keptRole, roleOf, withRole } from './role-file.js';
import { isSlave } from './settings.js';
import { type CommonRoomsData, keepLanes, startThreads } from './start-threads.js';
import type { Legacy, NodeParts } from './stop-node.js';
import { Store } from './store.js';
import type { StoreEvent } from './store-lifecycle.machine.js';
import { ThreadHost } from './thread-host.js';
import { chooseMode, MAIN_THREAD, planThreads, type ThreadPlan } from './thread-plan.js';
import type { Heirlooms } from './thread-rooms.js';
import { planActors, planRings } from './wiring.js';

/** A node that runs. */
export interface Running {
  readonly parts: NodeParts;
  readonly ports: NodePorts;
  readonly kept: Kept;
}

/** What outlives the rooms when a broker changes its role. */
export interface Kept {
  readonly log: Logger;
  readonly rootLogger: RootLogger | undefined;
  readonly role: Life<BrokerRoleEvent>;
  /** Where the role's word is. */
  readonly place: { shop: Workshop };
  /** The role that the configuration gives. */
  readonly configured: BrokerRole | undefined;
}

/** How a node comes back after a change of role. */
export interface Comeback {
  readonly before: Running;
  readonly legacy: Legacy;
  /** Address of the broker that is to be the master now; '' when none is known. */
  readonly successor: string;
  /** What the configuration is made from now. */
  readonly inputs: Inputs;
  readonly to: BrokerRole;
  /** What is cut off the log: it was set aside. */
  readonly cut?: BeyondMaster;
}

/**
 * For how long a broker that was the master sends on what clients send it: they refresh their routes every 30 s, and a
 * refresh may fail twice. Units: ms.
 */
const FORWARDS_FOR_MS = 90_000;

export class NodeStarter {
  readonly #options: NodeOptions;
  readonly #disk: Disk;
  readonly #comeback: Comeback | undefined;
  #broker: LoadedConfig<BrokerConfig> | undefined;

  constructor(options: NodeOptions, comeback?: Comeback) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#comeback = comeback;
    this.#broker = options.broker;
  }

  get #config(): BrokerConfig | undefined {
    return this.#broker?.config;
  }

  get #anyConfig(): BrokerConfig | NamesrvConfig {
    return this.#config ?? this.#options.namesrv!.config;
  }

  /** Errors: those of RingNode.start; nothing is left behind. */
  async start(): Promise<Running> {
    const before = this.#comeback?.before.kept;
    const rootLogger = before === undefined ? await this.#openOwnLog() : before.rootLogger;
    const log = before?.log ?? this.#options.logger ?? rootLogger!.logger;
    let parts: NodeParts | undefined;
    try {
      const configured = before?.configured ?? (this.#config && roleOf(this.#config));
      this.#takeRole(log);
      const { shop, plan } = this.#allocate();
      const storeLife = startStoreLife(log);
      const store = this.#openStore(shop, log, storeLife);
      const { role, place } = before ?? newRole(shop, log);
      place.shop = shop;
      const onFailed = (name: string, fault: RingError): void => {
        role.send({ type: 'FAIL', reason: fault.message });
        this.#onFailed(name, fault, shop, log);
      };
      const { logLevel } = this.#anyConfig;
      const heirlooms = this.#heirlooms(plan);
      const host = new ThreadHost({ shop, disk: this.#disk, log, logLevel, rootLogger, onFailed, heirlooms });
      const housekeeping = this.#housekeeping(shop, store, host, log);
      parts = { plan, shop, log, rootLogger, host, store, role, storeLife, housekeeping };
      return await this.#bringUp(parts, { log, rootLogger, role, place, configured });
    } catch (error) {
      // A fault says all in its message; only a bug is worth its stack.
      const facts = error instanceof RingError ? { code: error.code, ...error.facts } : { err: error };
      log.error(facts, `the node did not start: ${messageOf(error)}`);
      (parts?.role ?? before?.role)?.send({ type: 'FAIL', reason: messageOf(error) });
      await parts?.host.stop();
      endHeirlooms(this.#comeback?.legacy.heirlooms);
      parts?.store?.abandon(parts.shop.positions.read('appended'));
      await rootLogger?.close();
      throw error;
    }
  }

  /** The connections stay where remoting stays: on the main thread. */
  #heirlooms({ threads }: ThreadPlan): Heirlooms | undefined {
    const heirlooms = this.#comeback?.legacy.heirlooms;
    if (threads.get(MAIN_THREAD)?.some(({ kind }) => kind === 'remoting')) return heirlooms;
    endHeirlooms(heirlooms);
    return undefined;
  }

  /** The role asked for, or the one that was asked for before the last stop. */
  #takeRole(log: Logger): void {
    const broker = this.#broker;
    if (broker === undefined) return;
    if (this.#comeback !== undefined) {
      const { inputs, to } = this.#comeback;
      this.#broker = withRole(configFrom<BrokerConfig>(brokerSchema, inputs), to);
      return;
    }
    const { storePathRootDir, storePathCommitLog } = broker.config;
    const folder = storePaths(storePathRootDir, storePathCommitLog).config;
    const role = keptRole(this.#disk, folder, broker.config);
    if (role === undefined) return;
    this.#broker = withRole(broker, role);
    log.info({ ...role, configured: roleOf(broker.config), folder }, 'the role is the one that was given on command');
  }

  async #openOwnLog(): Promise<RootLogger | undefined> {
    return this.#options.logger === undefined ? await this.#openLog() : undefined;
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
      telemetry: config !== undefined && config.otlpEndpoint !== '',
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
    const beyond = this.#comeback?.cut;
    const cut = beyond && { position: beyond.from, storeTimestamp: beyond.storeTimestamp };
    const left = this.#comeback?.legacy.left;
    const again = left === undefined ? undefined : Store.openAgain(left, this.#config, shop, life);
    return again ?? Store.open(this.#disk, nodeProcessProbe, this.#config, shop, log, life, cut);
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

  async #bringUp(parts: NodeParts, kept: Kept): Promise<Running> {
    const { plan, host, store, log, role, housekeeping } = parts;
    role.send({ type: 'RECOVER' });
    const advertised = this.#config === undefined ? '' : await this.#advertisedAddress(this.#config);
    const anyPort = this.#config?.listenPort === 0 ? await this.#anyPort(this.#config) : undefined;
    const specs = this.#listenerSpecs(anyPort?.port);
    this.#noteRole(parts);
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
    const slave = this.#config !== undefined && isSlave(this.#config);
    role.send({ type: slave ? 'SERVE_AS_SLAVE' : 'SERVE_AS_MASTER' });
    // Whoever had the role changed lets them go on: a slave may have to come first.
    if (this.#comeback !== undefined) await host.control('remoting').holdSends(true);
    await host.control('remoting').letIn();
    housekeeping?.start();
    const ports = {
      ...(Object.fromEntries(specs.map(({ kind }, index) => [kind, got[index]])) as NodePorts),
      ...(ha === undefined ? {} : { ha }),
    };
    if (slave) await host.control('ha-receiver').startReplica();
    if (store !== undefined) await host.control('coordinator').register();
    this.#sayStarted(log, plan, specs, ports, advertised);
    return { parts, ports, kept };
  }

  /** Before the first byte comes in. */
  #noteRole({ store, shop }: NodeParts): void {
    if (this.#config === undefined || store === undefined) return;
    noteRole(this.#disk, store.paths.config, isSlave(this.#config), shop.positions.read('appended'));
  }

  /** Any free one; the same as before where clients know it already. */
  async #anyPort({ bindAddress }: BrokerConfig): Promise<{ readonly port: number; release(): Promise<void> }> {
    const port = this.#comeback?.before.ports.broker;
    return port === undefined ? await reservePort(bindAddress) : { port, release: async () => {} };
  }

  #roomsData(
    parts: NodeParts,
    specs: readonly ListenerSpec[],
    advertisedAddress: string,
    anyPort: number | undefined,
  ): CommonRoomsData {
    const { shop, store } = parts;
    const { namesrv, configFile } = this.#options;
    const broker = this.#broker;
    const kinds = specs.map(spec => spec.kind);
    const forwarding = this.#forwarding();
    const base = { memory: shop.memory, remoting: remotingSettings(this.#anyConfig, kinds, forwarding) };
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
          forwarding,
        ),
        queueNumbers: store.numbers.entries(),
        advertisedAddress,
        ...(configFile === undefined ? {} : { configFile }),
      },
    };
  }

  #forwarding(): Forwarding | undefined {
    const { successor = '' } = this.#comeback ?? {};
    return successor === '' ? undefined : { successor, untilMs: Date.now() + FORWARDS_FOR_MS };
  }

  /** Every broker does, a slave too: it may have slaves of its own. */
  async #listenForSlaves(host: ThreadHost): Promise<number | undefined> {
    const config = this.#config;
    if (config === undefined) return undefined;
    const port = this.#comeback?.before.ports.ha ?? config.haListenPort;
    return host.control('ha-sender').listenForSlaves(config.bindAddress, port);
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

function endHeirlooms(heirlooms: Heirlooms | undefined): void {
  heirlooms?.door.close();
  heirlooms?.registrar?.leaveAll();
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

function newRole(shop: Workshop, log: Logger): Pick<Kept, 'role' | 'place'> {
  const place = { shop };
  return { role: startBrokerRole(roleActions(place), log), place };
}

/** Lanes refuse sends while the store counts as closed, and on a slave. */
function roleActions(place: Kept['place']): BrokerRoleActions {
  return {
    openSends: () => place.shop.storeState.clear(StoreState.CLOSED | StoreState.SLAVE),
    closeSends: () => place.shop.storeState.set(StoreState.CLOSED),
    serveAsSlave: () => {
      place.shop.storeState.set(StoreState.SLAVE);
      place.shop.storeState.clear(StoreState.CLOSED);
    },
  };
}
