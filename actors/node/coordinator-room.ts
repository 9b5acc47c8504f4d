/**
 * The coordinator with what hangs on it: tables, registrar, configuration requests. Made on the coordinator's thread.
 * Cold.
 */
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type BrokerConfig, type Inputs, type LoadedConfig, parseDelayLevels } from '../../config/index.js';
import { parseDialect } from '../../protocol/json-dialect.js';
import { BloomBits } from '../../protocol/sql-filter.js';
import { SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Disk } from '../../storage/disk.js';
import { JsonTable } from '../../storage/json-table.js';
import type { StorePaths } from '../../storage/paths.js';
import { MANUAL_PASSES } from '../../storage/retention.js';
import { listSetAside } from '../../storage/set-aside.js';
import { Coordinator } from '../coordinator/actor.js';
import { BrokerStats } from '../coordinator/broker-stats.js';
import type { ClientTable } from '../coordinator/client-table.js';
import { FilterTable } from '../coordinator/filter-table.js';
import { GroupTable } from '../coordinator/group-table.js';
import { LockTable } from '../coordinator/lock-table.js';
import type { HaStatus } from '../coordinator/mailbox.js';
import { MetadataDesk } from '../coordinator/metadata-desk.js';
import { MetadataSync } from '../coordinator/metadata-sync.js';
import { NewsDesk, type NewsReader } from '../coordinator/news-desk.js';
import { OffsetTable } from '../coordinator/offset-table.js';
import { Registrar } from '../coordinator/registrar.js';
import { TopicTable } from '../coordinator/topic-table.js';
import { HaReceiverType, type MasterPlace } from '../ha-receiver/mailbox.js';
import { laneKinds } from '../lane-counts.js';
import type { QueueNumbers } from '../queue-numbers.js';
import { StoreState } from '../store-state.js';
import { DelayRequests } from './delay-requests.js';
import { readLedSpan } from './led-span.js';
import type { Workshop } from './memory.js';
import { NodeRequests } from './node-requests.js';
import { RateSampler } from './rates.js';
import type { Replication } from './replication-facts.js';
import { RoleDesk } from './role-desk.js';
import {
  coordinatorSettings,
  isSlave,
  logFlushSettings,
  pullLaneSettings,
  queueFlushSettings,
  schedulerSettings,
  sendLaneSettings,
  transactionCheckerSettings,
} from './settings.js';
import { StoreFiles } from './store-view.js';

export interface CoordinatorRoomOptions {
  readonly loaded: LoadedConfig<BrokerConfig>;
  readonly configFile: string | undefined;
  readonly disk: Disk;
  readonly paths: StorePaths;
  readonly numbers: QueueNumbers;
  readonly shop: Workshop;
  readonly log: Logger;
  /** The address in message ids and registrations. */
  readonly advertisedAddress: string;
  readonly listenPort: number;
  /** Until a successor is registered the name servers must not hear that this broker is no master. */
  readonly waitsForSuccessor: boolean;
  /** Who was connected before the role changed. */
  readonly clients: ClientTable;
  /** Of the role before: left once this broker is registered in its new one. */
  readonly formerRegistrar: Registrar | undefined;
}

const encoder = new TextEncoder();

export class CoordinatorRoom {
  readonly coordinator: Coordinator;
  readonly roleDesk: RoleDesk;
  registrar: Registrar | undefined;
  readonly #options: CoordinatorRoomOptions;
  readonly #files: StoreFiles;
  readonly #rates: RateSampler;
  readonly #news: NewsDesk;
  readonly #replication: Replication;
  #metadataSync: MetadataSync | undefined;
  #loaded: LoadedConfig<BrokerConfig>;
  #manualPasses = 0;
  #isClosed = false;

  constructor(options: CoordinatorRoomOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#files = new StoreFiles(options.disk, options.paths, options.loaded.config, options.shop.positions);
    this.#rates = new RateSampler(options.shop);
    this.#replication = { slaves: [], lastSetAside: lastSetAside(options.disk, options.paths) };
    this.#news = new NewsDesk(newsReaders(options.shop), ({ kind }, bytes) =>
      options.log.error({ room: kind, bytes }, 'news is larger than a ring takes (key ringCapacityBytes): it is lost'),
    );
    const delays = new DelayRequests(options.disk, options.paths, options.numbers, options.shop.queueTable);
    const requests = new NodeRequests({
      disk: options.disk,
      paths: options.paths,
      shop: options.shop,
      rates: this.#rates,
      log: options.log,
      startedMs: Date.now(),
      configFile: options.configFile,
      config: () => this.#loaded,
      replication: () => this.#replication,
      earliestStoreTime: () => this.#files.storeTimeAt(options.shop.positions.read('minimum')),
      delayProgress: () => delays.progress(),
      deleteExpiredLog: () => {
        this.#manualPasses = MANUAL_PASSES;
      },
      apply: (loaded, changed) => this.#apply(loaded, changed),
    });
    // The topic announces 18 queues, as in Java; every level has one all the same.
    options.numbers.of(SCHEDULE_TOPIC, parseDelayLevels(this.config.messageDelayLevel).length);
    this.roleDesk = new RoleDesk({
      shop: options.shop,
      led: readLedSpan(options.disk, options.paths.config),
      lastSetAside: this.#replication.lastSetAside,
      log: options.log.child({ actor: 'coordinator' }),
      nowMs: () => performance.now(),
      config: () => this.config,
      replication: () => this.#replication,
      isRegistered: () => this.registrar?.isRegistered ?? false,
      haServerAddr: () => this.#haServerAddr,
    });
    const { roleDesk } = this;
    this.coordinator = this.#makeCoordinator(
      request => delays.answer(request) ?? roleDesk.answer(request) ?? requests.answer(request),
    );
  }

  get config(): BrokerConfig {
    return this.#loaded.config;
  }

  get queueNumbers(): [string, Int32Array][] {
    return this.#options.numbers.entries();
  }

  get inputs(): Inputs {
    return this.#loaded.inputs;
  }

  #makeCoordinator(nodeRequest: NodeRequests['answer']): Coordinator {
    const { shop, paths, numbers, log, disk } = this.#options;
    // More levels than the topic has queues in its configuration still have a queue each.
    numbers.of(SCHEDULE_TOPIC, parseDelayLevels(this.config.messageDelayLevel).length);
    const table = (file: string): JsonTable => new JsonTable(disk, join(paths.config, `${file}.json`), parseDialect);
    const config = this.config;
    const nowMs = Date.now();
    const name = 'coordinator';
    return new Coordinator({
      fromRemoting: shop.ring('remoting', name),
      fromSendLanes: shop.namesOf('send-lane').map(lane => shop.ring(lane, name)),
      fromPullLanes: shop.namesOf('pull-lane').map(lane => shop.ring(lane, name)),
      fromTransactionChecker: shop.ring('transaction-checker', name),
      toRemoting: shop.ring(name, 'remoting'),
      remotingBell: shop.bell('remoting'),
      fromDispatcher: shop.ring('dispatcher', name),
      fromHaRooms: ['ha-sender', 'ha-receiver', 'forwarder'].map(room => shop.ring(room, name)),
      registrar: () => this.registrar,
      onHaStatus: status => this.#onHaStatus(status),
      nodeRequest,
      state: {
        topics: new TopicTable(table('topics'), config, nowMs),
        groups: new GroupTable(table('subscriptionGroup'), nowMs),
        offsets: new OffsetTable(table('consumerOffset')),
        clients: this.#options.clients,
        filters: new FilterTable(
          table('consumerFilter'),
          new BloomBits(config.maxErrorRateOfBloomFilter, config.expectConsumerNumUseFilter),
          nowMs,
          log.child({ actor: name }),
        ),
        locks: new LockTable(),
        stats: this.#makeStats(),
        numbers,
        table: shop.queueTable,
        positions: shop.positions,
        news: this.#news,
        desk: new MetadataDesk(),
        isSlave: () => shop.storeState.has(StoreState.SLAVE),
        log: log.child({ actor: name }),
        settings: coordinatorSettings(config, totalmem()),
        brokerName: config.brokerName,
        brokerAddr: () => `${this.#options.advertisedAddress}:${this.#options.listenPort}`,
        store: this.#files,
      },
    });
  }

  // ---- replication ----

  /** A slave that is not attached looks for its master. */
  #onHaStatus(status: HaStatus): void {
    if (status.room === 'forwarder') return this.#onSuccession(status.place);
    if (status.room === 'ha-sender') this.#replication.slaves = status.slaves;
    else this.#replication.receiver = status;
    if (status.room === 'ha-receiver' && status.state !== 'shutdown') {
      this.registrar?.seekMaster(isSlave(this.config) && status.state !== 'transfer');
    }
  }

  /** The successor leads, and may be followed before a name server says so; or it is registered, or given up. */
  #onSuccession(place: MasterPlace | undefined): void {
    if (place === undefined) this.#startRegistrar();
    else this.#onMaster(place);
  }

  get #haServerAddr(): string {
    const { brokerIP2, haListenPort } = this.config;
    return `${brokerIP2 || this.#options.advertisedAddress}:${haListenPort}`;
  }

  /** The name server says where the master is: the HA receiver goes there, and so does the copy of the metadata. */
  #onMaster(place: MasterPlace): void {
    const { shop } = this.#options;
    const ring = shop.ring('coordinator', 'ha-receiver');
    if (ring.offer(HaReceiverType.MASTER, encoder.encode(JSON.stringify(place)))) shop.bell('ha-receiver').ring();
    this.#metadataSync?.setMaster(place.masterAddr);
  }

  #openMetadataSync(): void {
    const { disk, paths, advertisedAddress, listenPort, log } = this.#options;
    const file = join(paths.config, 'delayOffset.json');
    this.#metadataSync = new MetadataSync({
      state: this.coordinator.state,
      brokerAddr: `${advertisedAddress}:${listenPort}`,
      saveDelayOffsets: text => {
        if (text === disk.readText(file)) return;
        disk.writeText(`${file}.tmp`, text);
        disk.rename(`${file}.tmp`, file);
      },
      log: log.child({ actor: 'coordinator' }),
    });
  }

  #makeStats(): BrokerStats {
    const { shop, numbers } = this.#options;
    return new BrokerStats({
      numbers,
      stored: shop.queueTraffic,
      pulled: shop.namesOf('pull-lane').map(lane => shop.groupTraffic(lane)),
      sentBack: shop.namesOf('send-lane').map(lane => shop.groupTraffic(lane)),
      broker: () => ({ put: this.#rates.total('messagesAppended'), get: this.#rates.total('messagesPulled') }),
      clusterName: this.config.brokerClusterName,
    });
  }

  /** Passes over the log's files that an administrator asked for since the last call. */
  takeManualPasses(): number {
    const passes = this.#manualPasses;
    this.#manualPasses = 0;
    return passes;
  }

  /** Tells all rooms of all topics and groups, and behind them the scheduler that it may begin. */
  announce(): void {
    this.coordinator.announceAll();
    this.#news.settings('sendLane', sendLaneSettings(this.config));
    this.#news.settings('pullLane', pullLaneSettings(this.config, totalmem()));
    this.#news.settings('scheduler', schedulerSettings(this.config));
  }

  /** Registers with the name servers from now on, or once its successor is there. */
  openRegistrar(): void {
    if (!this.#options.waitsForSuccessor) this.#startRegistrar();
  }

  #startRegistrar(): void {
    if (this.#isClosed || this.registrar !== undefined) return;
    const { advertisedAddress, listenPort, log, formerRegistrar } = this.#options;
    const config = this.config;
    if (config.namesrvAddr === '') {
      log.warn({}, 'no name server is configured (key namesrvAddr): clients find this broker by its address only');
    }
    const slave = isSlave(config);
    if (slave) this.#openMetadataSync();
    this.registrar = new Registrar(
      {
        registration: {
          brokerName: config.brokerName,
          brokerClusterName: config.brokerClusterName,
          brokerId: config.brokerId,
          listenPort,
          haListenPort: config.haListenPort,
          brokerIP1: advertisedAddress,
          brokerIP2: config.brokerIP2 || advertisedAddress,
        },
        periodMs: Math.min(60_000, Math.max(10_000, config.registerNameServerPeriod)),
        timeoutMs: config.registerBrokerTimeoutMills,
        topics: () => this.coordinator.registrationTopics(this.config.brokerPermission),
        onRegistered: namesrvAddr => formerRegistrar?.leave(namesrvAddr),
        takesOver: formerRegistrar !== undefined,
        ...(slave ? { onMaster: (place: MasterPlace) => this.#onMaster(place) } : {}),
        onOrderedTopics: topics => this.coordinator.setOrdered(topics, Date.now()),
        log: log.child({ actor: 'coordinator' }),
      },
      config.namesrvAddr,
    );
    if (slave) this.registrar.seekMaster(true);
  }

  #apply(loaded: LoadedConfig<BrokerConfig>, changed: readonly string[]): void {
    this.#loaded = loaded;
    if (changed.length === 0) return;
    this.#wantLanes(loaded.config);
    this.#news.settings('sendLane', sendLaneSettings(loaded.config));
    this.#news.settings('pullLane', pullLaneSettings(loaded.config, totalmem()));
    this.#news.settings('flushService', logFlushSettings(loaded.config));
    this.#news.settings('dispatcher', queueFlushSettings(loaded.config));
    this.#news.settings('scheduler', schedulerSettings(loaded.config));
    this.#news.settings('transactionChecker', transactionCheckerSettings(loaded.config));
    this.coordinator.settings = coordinatorSettings(loaded.config, totalmem());
    if (changed.includes('namesrvAddr')) this.registrar?.setNameServers(loaded.config.namesrvAddr);
    if (changed.includes('brokerPermission')) {
      // Name servers take a table over only when its version is new.
      this.coordinator.touchTopics(Date.now());
      this.registrar?.registerAll();
    }
  }

  /** One lane of each kind is all there is where lanes share threads. */
  #wantLanes(config: BrokerConfig): void {
    const { shop } = this.#options;
    const wanted = { 'send-lane': config.sendMessageThreadPoolNums, 'pull-lane': config.pullMessageThreadPoolNums };
    for (const kind of laneKinds) {
      const count = Math.min(wanted[kind], shop.namesOf(kind).length);
      if (count !== shop.laneCounts.wanted(kind)) shop.laneCounts.want(kind, count);
    }
  }

  /** Registers no more; the name servers know this broker as they did. Who keeps them so. */
  restRegistrar(): Registrar | undefined {
    this.coordinator.dismissWatchers();
    const registrar = this.registrar ?? this.#options.formerRegistrar;
    registrar?.rest();
    if (registrar !== this.#options.formerRegistrar) this.#options.formerRegistrar?.leaveAll();
    return registrar;
  }

  /** Farewell to the name servers. */
  async unregister(): Promise<void> {
    this.#isClosed = true;
    const { formerRegistrar } = this.#options;
    if (this.registrar === undefined) return formerRegistrar?.stop();
    formerRegistrar?.leaveAll();
    await this.registrar.stop();
  }

  close(): void {
    this.#isClosed = true;
    this.#metadataSync?.stop();
    this.#rates.close();
  }
}

function lastSetAside(disk: Disk, { setAside }: StorePaths): string {
  const name = listSetAside(disk, setAside).at(-1);
  return name === undefined ? '' : join(setAside, name);
}

/** Who takes news. */
export function newsReaders(shop: Workshop): NewsReader[] {
  const readers = [
    ['send-lane', 'sendLane'],
    ['pull-lane', 'pullLane'],
    ['dispatcher', 'dispatcher'],
    ['scheduler', 'scheduler'],
    ['flush-service', 'flushService'],
    ['transaction-checker', 'transactionChecker'],
  ] as const;
  return readers.flatMap(([kind, newsKind]) =>
    shop.namesOf(kind).map((name, index) => ({
      kind: newsKind,
      ring: shop.ring('coordinator', name),
      bell: shop.bell(name),
      runs: () => (kind === 'send-lane' || kind === 'pull-lane' ? shop.laneCounts.started(kind) > index : true),
    })),
  );
}
