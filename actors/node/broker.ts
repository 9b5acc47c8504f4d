/** What a broker is besides its actors: its open store, its coordinator and registrar, its answers about itself. Cold. */
import { totalmem } from 'node:os';
import type { BrokerConfig, LoadedConfig } from '../../config/index.js';
import { parseIpv4 } from '../../protocol/message-id.js';
import { recordStoreTimestamp } from '../../protocol/message-record.js';
import type { Logger } from '../../runtime/log/contract.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { Disk } from '../../storage/disk.js';
import { consumeQueueFolder } from '../../storage/paths.js';
import { Coordinator } from '../coordinator/actor.js';
import { ClientTable } from '../coordinator/client-table.js';
import { GroupTable } from '../coordinator/group-table.js';
import { NewsDesk, type NewsReader } from '../coordinator/news-desk.js';
import { OffsetTable } from '../coordinator/offset-table.js';
import { Registrar } from '../coordinator/registrar.js';
import { TopicTable } from '../coordinator/topic-table.js';
import type { BuildSettings } from './build-actor.js';
import type { Workshop } from './memory.js';
import { NodeRequests } from './node-requests.js';
import { RateSampler } from './rates.js';
import { coordinatorSettings, pullLaneSettings, sendLaneSettings } from './settings.js';
import type { Store } from './store.js';

export interface BrokerOptions {
  readonly loaded: LoadedConfig<BrokerConfig>;
  readonly configFile: string | undefined;
  readonly disk: Disk;
  readonly store: Store;
  readonly shop: Workshop;
  readonly log: Logger;
  /** The address in message ids and registrations. */
  readonly advertisedAddress: string;
  readonly listenPort: number;
}

/** A record's head up to the store time, with IPv6 hosts. Units: bytes. */
const HEAD_SIZE = 100;

export class Broker {
  readonly coordinator: Coordinator;
  registrar: Registrar | undefined;
  readonly #options: BrokerOptions;
  readonly #rates: RateSampler;
  readonly #news: NewsDesk;
  #loaded: LoadedConfig<BrokerConfig>;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#rates = new RateSampler(options.shop);
    this.#news = new NewsDesk(newsReaders(options.shop));
    const requests = new NodeRequests({
      disk: options.disk,
      paths: options.store.paths,
      shop: options.shop,
      rates: this.#rates,
      log: options.log,
      startedMs: Date.now(),
      configFile: options.configFile,
      config: () => this.#loaded,
      apply: (loaded, changed) => this.#apply(loaded, changed),
    });
    this.coordinator = this.#makeCoordinator(requests);
  }

  get config(): BrokerConfig {
    return this.#loaded.config;
  }

  #makeCoordinator(requests: NodeRequests): Coordinator {
    const { shop, store, log, disk } = this.#options;
    const config = this.config;
    const nowMs = Date.now();
    const probe = new EntryProbe(disk, store, config);
    const name = 'coordinator';
    return new Coordinator({
      fromRemoting: shop.ring('remoting', name),
      fromSendLanes: shop.namesOf('send-lane').map(lane => shop.ring(lane, name)),
      fromPullLanes: shop.namesOf('pull-lane').map(lane => shop.ring(lane, name)),
      toRemoting: shop.ring(name, 'remoting'),
      remotingBell: shop.bell('remoting'),
      registrar: () => this.registrar,
      nodeRequest: requests.answer,
      state: {
        topics: new TopicTable(store.table('topics'), config, nowMs),
        groups: new GroupTable(store.table('subscriptionGroup'), nowMs),
        offsets: new OffsetTable(store.table('consumerOffset')),
        clients: new ClientTable(),
        numbers: store.numbers,
        table: shop.queueTable,
        positions: shop.positions,
        news: this.#news,
        log: log.child({ actor: name }),
        settings: coordinatorSettings(config, totalmem()),
        brokerName: config.brokerName,
        storeTimeOf: (topic, queueId, offset) => probe.storeTimeOf(topic, queueId, offset),
        physicalOffsetOf: (topic, queueId, offset) => probe.physicalOffsetOf(topic, queueId, offset),
      },
    });
  }

  /** Registers with the name servers from now on. */
  openRegistrar(): void {
    const { advertisedAddress, listenPort, log } = this.#options;
    const config = this.config;
    if (config.namesrvAddr === '') {
      log.warn({}, 'no name server is configured (key namesrvAddr): clients find this broker by its address only');
    }
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
        topics: () => this.coordinator.registrationTopics(config.brokerPermission),
        onRegistered: () => {},
        log: log.child({ actor: 'coordinator' }),
      },
      config.namesrvAddr,
    );
  }

  #apply(loaded: LoadedConfig<BrokerConfig>, changed: readonly string[]): void {
    this.#loaded = loaded;
    if (changed.length === 0) return;
    this.#news.settings('sendLane', sendLaneSettings(loaded.config));
    this.#news.settings('pullLane', pullLaneSettings(loaded.config, totalmem()));
    this.coordinator.settings = coordinatorSettings(loaded.config, totalmem());
    if (changed.includes('namesrvAddr')) this.registrar?.setNameServers(loaded.config.namesrvAddr);
    if (changed.includes('brokerPermission')) this.registrar?.registerAll();
  }

  close(): void {
    this.#rates.close();
  }
}

/** Who takes news of topics. */
function newsReaders(shop: Workshop): NewsReader[] {
  const readers = [
    ['send-lane', 'sendLane'],
    ['pull-lane', 'pullLane'],
    ['dispatcher', 'dispatcher'],
  ] as const;
  return readers.flatMap(([kind, newsKind]) =>
    shop.namesOf(kind).map(name => ({ kind: newsKind, ring: shop.ring('coordinator', name), bell: shop.bell(name) })),
  );
}

/** What actors are made from, out of the configuration. */
export function buildSettings(options: Omit<BrokerOptions, 'log' | 'configFile' | 'disk'>): Omit<BuildSettings, 'listeners'> {
  const { loaded, store, advertisedAddress, listenPort } = options;
  const { config } = loaded;
  return {
    context: {
      brokerName: config.brokerName,
      brokerClusterName: config.brokerClusterName,
      regionId: config.regionId,
      traceOn: config.traceOn,
      storeAddress: parseIpv4(advertisedAddress),
      storePort: listenPort,
      syncFlush: config.flushDiskType === 'SYNC_FLUSH',
    },
    sendLane: sendLaneSettings(config),
    pullLane: pullLaneSettings(config, totalmem()),
    paths: store.paths,
    mappedFileSizeCommitLog: config.mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue: config.mappedFileSizeConsumeQueue,
    flush: config,
    flushQueues: config,
    syncFlushTimeoutMs: config.syncFlushTimeout,
    connectionsMax: config.connectionsMax,
    maxInflight: config.maxInflight,
    idleMaxMs: config.serverChannelMaxIdleTimeSeconds * 1000,
    queueOffsets: store.queueOffsets,
  };
}

/** Reads single entries for administration. */
class EntryProbe {
  readonly #disk: Disk;
  readonly #store: Store;
  readonly #config: BrokerConfig;
  readonly #unit = new Uint8Array(20);
  readonly #head = new Uint8Array(HEAD_SIZE);

  constructor(disk: Disk, store: Store, config: BrokerConfig) {
    this.#disk = disk;
    this.#store = store;
    this.#config = config;
  }

  physicalOffsetOf(topic: string, queueId: number, offset: number): number {
    const folder = consumeQueueFolder(this.#store.paths, topic, queueId);
    const reader = new ConsumeQueueReader(this.#disk, folder, this.#config.mappedFileSizeConsumeQueue, this.#unit);
    const found = reader.load(offset, 1) === 1;
    reader.close();
    return found ? reader.physicalOffset(0) : -1;
  }

  storeTimeOf(topic: string, queueId: number, offset: number): number {
    const position = this.physicalOffsetOf(topic, queueId, offset);
    if (position < 0) return 0;
    const reader = new CommitLogReader(this.#disk, this.#store.paths.commitLog, this.#config.mappedFileSizeCommitLog, 1);
    const length = reader.read(this.#head, 0, HEAD_SIZE, position);
    reader.close();
    return length >= HEAD_SIZE - 12 ? recordStoreTimestamp(this.#head, 0) : 0;
  }
}
