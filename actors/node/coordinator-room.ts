/**
 * The coordinator with what hangs on it: tables, registrar, configuration requests. Made on the coordinator's thread.
 * Cold.
 */
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { BrokerConfig, LoadedConfig } from '../../config/index.js';
import { parseDialect } from '../../protocol/json-dialect.js';
import { MESSAGE_MAGIC_V1, recordMagic, recordStoreTimestamp } from '../../protocol/message-record.js';
import type { Logger } from '../../runtime/log/contract.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { Disk } from '../../storage/disk.js';
import { JsonTable } from '../../storage/json-table.js';
import { consumeQueueFolder, type StorePaths } from '../../storage/paths.js';
import { Coordinator } from '../coordinator/actor.js';
import { ClientTable } from '../coordinator/client-table.js';
import { GroupTable } from '../coordinator/group-table.js';
import type { HaStatus } from '../coordinator/mailbox.js';
import { MetadataDesk } from '../coordinator/metadata-desk.js';
import { MetadataSync } from '../coordinator/metadata-sync.js';
import { NewsDesk, type NewsReader } from '../coordinator/news-desk.js';
import { OffsetTable } from '../coordinator/offset-table.js';
import { Registrar } from '../coordinator/registrar.js';
import { TopicTable } from '../coordinator/topic-table.js';
import { HaReceiverType, type MasterPlace } from '../ha-receiver/mailbox.js';
import type { QueueNumbers } from '../queue-numbers.js';
import { StoreState } from '../store-state.js';
import type { Workshop } from './memory.js';
import { NodeRequests } from './node-requests.js';
import { RateSampler } from './rates.js';
import type { Replication } from './replication-facts.js';
import {
  coordinatorSettings,
  isSlave,
  logFlushSettings,
  pullLaneSettings,
  queueFlushSettings,
  sendLaneSettings,
} from './settings.js';

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
}

const encoder = new TextEncoder();

/** A record's head up to the store time, with IPv6 hosts. Units: bytes. */
const HEAD_SIZE = 100;

export class CoordinatorRoom {
  readonly coordinator: Coordinator;
  registrar: Registrar | undefined;
  readonly #options: CoordinatorRoomOptions;
  readonly #probe: EntryProbe;
  readonly #rates: RateSampler;
  readonly #news: NewsDesk;
  readonly #replication: Replication = { slaves: [] };
  #metadataSync: MetadataSync | undefined;
  #loaded: LoadedConfig<BrokerConfig>;

  constructor(options: CoordinatorRoomOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#probe = new EntryProbe(options.disk, options.paths, options.loaded.config);
    this.#rates = new RateSampler(options.shop);
    this.#news = new NewsDesk(newsReaders(options.shop), ({ kind }, bytes) =>
      options.log.error({ room: kind, bytes }, 'news is larger than a ring takes (key ringCapacityBytes): it is lost'),
    );
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
      earliestStoreTime: () => this.#probe.storeTimeAt(options.shop.positions.read('minimum')),
      apply: (loaded, changed) => this.#apply(loaded, changed),
    });
    this.coordinator = this.#makeCoordinator(requests);
  }

  get config(): BrokerConfig {
    return this.#loaded.config;
  }

  #makeCoordinator(requests: NodeRequests): Coordinator {
    const { shop, paths, numbers, log, disk } = this.#options;
    const table = (file: string): JsonTable => new JsonTable(disk, join(paths.config, `${file}.json`), parseDialect);
    const config = this.config;
    const nowMs = Date.now();
    const probe = this.#probe;
    const name = 'coordinator';
    return new Coordinator({
      fromRemoting: shop.ring('remoting', name),
      fromSendLanes: shop.namesOf('send-lane').map(lane => shop.ring(lane, name)),
      fromPullLanes: shop.namesOf('pull-lane').map(lane => shop.ring(lane, name)),
      toRemoting: shop.ring(name, 'remoting'),
      remotingBell: shop.bell('remoting'),
      fromDispatcher: shop.ring('dispatcher', name),
      fromHaRooms: ['ha-sender', 'ha-receiver'].map(room => shop.ring(room, name)),
      registrar: () => this.registrar,
      onHaStatus: status => this.#onHaStatus(status),
      nodeRequest: requests.answer,
      state: {
        topics: new TopicTable(table('topics'), config, nowMs),
        groups: new GroupTable(table('subscriptionGroup'), nowMs),
        offsets: new OffsetTable(table('consumerOffset')),
        clients: new ClientTable(),
        numbers,
        table: shop.queueTable,
        positions: shop.positions,
        news: this.#news,
        desk: new MetadataDesk(),
        isSlave: () => shop.storeState.has(StoreState.SLAVE),
        delayOffsets: () => disk.readText(join(paths.config, 'delayOffset.json')),
        log: log.child({ actor: name }),
        settings: coordinatorSettings(config, totalmem()),
        brokerName: config.brokerName,
        storeTimeOf: (topic, queueId, offset) => probe.storeTimeOf(topic, queueId, offset),
        physicalOffsetOf: (topic, queueId, offset) => probe.physicalOffsetOf(topic, queueId, offset),
      },
    });
  }

  // ---- replication ----

  /** A slave that is not attached looks for its master. */
  #onHaStatus(status: HaStatus): void {
    if (status.room === 'ha-sender') this.#replication.slaves = status.slaves;
    else this.#replication.receiver = status;
    if (status.room === 'ha-receiver' && status.state !== 'shutdown') {
      this.registrar?.seekMaster(isSlave(this.config) && status.state !== 'transfer');
    }
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

  /** Registers with the name servers from now on. */
  openRegistrar(): void {
    const { advertisedAddress, listenPort, log } = this.#options;
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
        onRegistered: () => {},
        ...(slave ? { onMaster: (place: MasterPlace) => this.#onMaster(place) } : {}),
        log: log.child({ actor: 'coordinator' }),
      },
      config.namesrvAddr,
    );
    if (slave) this.registrar.seekMaster(true);
  }

  #apply(loaded: LoadedConfig<BrokerConfig>, changed: readonly string[]): void {
    this.#loaded = loaded;
    if (changed.length === 0) return;
    this.#news.settings('sendLane', sendLaneSettings(loaded.config));
    this.#news.settings('pullLane', pullLaneSettings(loaded.config, totalmem()));
    this.#news.settings('flushService', logFlushSettings(loaded.config));
    this.#news.settings('dispatcher', queueFlushSettings(loaded.config));
    this.coordinator.settings = coordinatorSettings(loaded.config, totalmem());
    if (changed.includes('namesrvAddr')) this.registrar?.setNameServers(loaded.config.namesrvAddr);
    if (changed.includes('brokerPermission')) {
      // Name servers take a table over only when its version is new.
      this.coordinator.touchTopics(Date.now());
      this.registrar?.registerAll();
    }
  }

  close(): void {
    this.#metadataSync?.stop();
    this.#rates.close();
  }
}

/** Who takes news of topics. */
function newsReaders(shop: Workshop): NewsReader[] {
  const readers = [
    ['send-lane', 'sendLane'],
    ['pull-lane', 'pullLane'],
    ['dispatcher', 'dispatcher'],
    ['flush-service', 'flushService'],
  ] as const;
  return readers.flatMap(([kind, newsKind]) =>
    shop.namesOf(kind).map(name => ({ kind: newsKind, ring: shop.ring('coordinator', name), bell: shop.bell(name) })),
  );
}

/** Reads single entries for administration. */
class EntryProbe {
  readonly #disk: Disk;
  readonly #paths: StorePaths;
  readonly #config: BrokerConfig;
  readonly #unit = new Uint8Array(20);
  readonly #head = new Uint8Array(HEAD_SIZE);

  constructor(disk: Disk, paths: StorePaths, config: BrokerConfig) {
    this.#disk = disk;
    this.#paths = paths;
    this.#config = config;
  }

  physicalOffsetOf(topic: string, queueId: number, offset: number): number {
    const folder = consumeQueueFolder(this.#paths, topic, queueId);
    const reader = new ConsumeQueueReader(this.#disk, folder, this.#config.mappedFileSizeConsumeQueue, this.#unit);
    const found = reader.load(offset, 1) === 1;
    reader.close();
    return found ? reader.physicalOffset(0) : -1;
  }

  storeTimeOf(topic: string, queueId: number, offset: number): number {
    const position = this.physicalOffsetOf(topic, queueId, offset);
    return position < 0 ? 0 : Math.max(0, this.storeTimeAt(position));
  }

  /** Store time of the record at a position, -1 when there is none. */
  storeTimeAt(position: number): number {
    const reader = new CommitLogReader(this.#disk, this.#paths.commitLog, this.#config.mappedFileSizeCommitLog, 1);
    const length = reader.read(this.#head, 0, HEAD_SIZE, position);
    reader.close();
    const isRecord = length >= HEAD_SIZE - 12 && recordMagic(this.#head, 0) === MESSAGE_MAGIC_V1;
    return isRecord ? recordStoreTimestamp(this.#head, 0) : -1;
  }
}
