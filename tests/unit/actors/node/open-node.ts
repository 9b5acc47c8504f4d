/**
 * A broker node put together as the node does it, with its rooms, its store and its housekeeping in the test's hands.
 */
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { brokerSettings, remotingSettings } from '../../../../actors/node/build-settings.js';
import { Housekeeping } from '../../../../actors/node/housekeeping.js';
import { startBrokerRole, startStoreLife } from '../../../../actors/node/life.js';
import { allocateMemory, Workshop } from '../../../../actors/node/memory.js';
import { stopNode } from '../../../../actors/node/stop-node.js';
import { Store } from '../../../../actors/node/store.js';
import { ThreadHost } from '../../../../actors/node/thread-host.js';
import { MAIN_THREAD, needsEventLoop, planThreads, type ThreadingMode } from '../../../../actors/node/thread-plan.js';
import { planActors, planRings } from '../../../../actors/node/wiring.js';
import { StoreState } from '../../../../actors/store-state.js';
import { type BrokerConfig, loadBrokerConfig } from '../../../../config/index.js';
import { createRootLogger } from '../../../../runtime/log/logger.js';
import { type Disk, nodeDisk } from '../../../../storage/disk.js';
import { nodeProcessProbe } from '../../../../storage/process-probe.js';

/** Small files, so that little makes many: 128 KiB of log, 50 entries of a queue. */
export const smallFiles = {
  mappedFileSizeCommitLog: '131072',
  mappedFileSizeConsumeQueue: '1000',
  maxMessageSize: '16384',
} as const;

/**
 * The keys of a node of a test: any port of this machine alone, all hours count, a busy machine is no reason to refuse,
 * and what is written is soon on the device.
 */
export function testSettings(folder: string): Record<string, string> {
  return {
    ...smallFiles,
    storePathRootDir: folder,
    listenPort: '0',
    bindAddress: '127.0.0.1',
    brokerIP1: '127.0.0.1',
    brokerName: 'broker-a',
    deleteWhen: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';'),
    diskMaxUsedSpaceRatio: '95',
    waitTimeMillsInSendQueue: '10000',
    flushIntervalCommitLog: '10',
    flushCommitLogLeastPages: '0',
    logLevel: 'info',
  };
}

export class OpenNode {
  readonly config: BrokerConfig;
  readonly address: string;
  readonly shop: Workshop;
  readonly store: Store;
  readonly housekeeping: Housekeeping;
  /** Why it cannot go on, when an actor was lost for good. */
  readonly faults: readonly Error[];
  readonly #lines: string[];
  readonly #stop: () => Promise<void>;
  #stopping: Promise<void> | undefined;

  private constructor(
    fields: Pick<OpenNode, 'config' | 'address' | 'shop' | 'store' | 'housekeeping' | 'faults'>,
    lines: string[],
    stop: () => Promise<void>,
  ) {
    this.config = fields.config;
    this.address = fields.address;
    this.shop = fields.shop;
    this.store = fields.store;
    this.housekeeping = fields.housekeeping;
    this.faults = fields.faults;
    this.#lines = lines;
    this.#stop = stop;
  }

  /** `disk`: what housekeeping and threads that are not workers see. */
  static async start(
    mode: ThreadingMode,
    settings: Readonly<Record<string, string>>,
    disk: Disk = nodeDisk,
  ): Promise<OpenNode> {
    const loaded = loadBrokerConfig({ set: settings });
    const { config, inputs } = loaded;
    const lines: string[] = [];
    const output = { isTerminal: false, write: (line: string) => void lines.push(line) };
    const rootLogger = await createRootLogger({
      level: config.logLevel,
      name: config.brokerName,
      pretty: false,
      output,
    });
    const log = rootLogger.logger;
    const actors = planActors({ broker: true, nameRegistry: false, sendLanes: 1, pullLanes: 1 });
    const plan = planThreads(actors, mode, 'a test');
    const shop = new Workshop(allocateMemory(actors, planRings(actors), plan, config.ringCapacityBytes));
    const storeLife = startStoreLife(log);
    const store = Store.open(disk, nodeProcessProbe, config, shop, log, storeLife);
    const faults: Error[] = [];
    const onFailed = (_: string, fault: Error): void => void faults.push(fault);
    const host = new ThreadHost({ shop, disk, log, logLevel: config.logLevel, rootLogger, onFailed });
    const role = startBrokerRole(
      {
        serveAsSlave: () => {},
        openSends: () => shop.storeState.clear(StoreState.CLOSED),
        closeSends: () => shop.storeState.set(StoreState.CLOSED),
      },
      log,
    );
    const housekeeping = new Housekeeping({
      disk,
      paths: store.paths,
      storeState: shop.storeState,
      log,
      cleanResourceInterval: config.cleanResourceInterval,
      config: () => host.control('coordinator').brokerConfig(),
      manualPasses: () => host.control('coordinator').takeManualPasses(),
      retire: position => host.control('commit-log-writer').retire(position),
    });
    role.send({ type: 'RECOVER' });
    const common = {
      memory: shop.memory,
      remoting: remotingSettings(config, ['broker']),
      broker: {
        inputs,
        settings: brokerSettings(config, store.paths, store.queueOffsets, config.brokerIP1),
        queueNumbers: store.numbers.entries(),
        advertisedAddress: config.brokerIP1,
      },
    };
    for (const [thread, group] of plan.threads) {
      const mayBlock = thread !== MAIN_THREAD && !needsEventLoop(group);
      await host.start({ ...common, thread, actors: group, mayBlock });
    }
    const [port] = await host.control('remoting').listen([{ kind: 'broker', host: config.bindAddress, port: 0 }]);
    await host.control('remoting').letIn();
    store.markOpen();
    role.send({ type: 'SERVE_AS_MASTER' });
    const parts = { plan, shop, log, rootLogger, host, store, role, storeLife, housekeeping };
    const fields = { config, address: `127.0.0.1:${port}`, shop, store, housekeeping, faults };
    return new OpenNode(fields, lines, () => stopNode(parts));
  }

  /** Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Sentences it has logged, oldest first. */
  logged(): string[] {
    return this.#lines.map(line => (JSON.parse(line) as { msg: string }).msg);
  }

  /** Names of the log's files, oldest first. */
  logFiles(): string[] {
    return nodeDisk.list(this.store.paths.commitLog);
  }

  /** Makes files of the log look as if nothing was written to them for that long. Units: hours. */
  makeOld(names: readonly string[], hours: number): void {
    const then = new Date(Date.now() - hours * 3_600_000);
    for (const name of names) utimesSync(join(this.store.paths.commitLog, name), then, then);
  }
}
