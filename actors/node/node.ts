/**
 * A node: name server, broker or both in one process. The composition root: it opens the store, allocates shared memory
 * from the wiring table, puts the actors on their threads, listens, and takes everything down again in order.
 *
 * @example
 * const node = await RingNode.start({ broker: loadBrokerConfig({ set: { storePathRootDir: folder } }) });
 * node.ports.broker; // 10911
 * await node.stop();
 */
import type { BrokerConfig, LoadedConfig, NamesrvConfig } from '../../config/index.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Recording } from '../../runtime/trace/timeline.js';
import { type Disk, nodeDisk } from '../../storage/disk.js';
import type { Workshop } from './memory.js';
import { NodeStarter, type Running } from './node-starter.js';
import { RoleWatch } from './role-change.js';
import { stopNode } from './stop-node.js';
import type { ThreadPlan } from './thread-plan.js';
import { readAll, setTraceEvery } from './trace-requests.js';

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
  readonly #roleWatch: RoleWatch;
  #running: Running;
  #stopping: Promise<void> | undefined;

  /**
   * Errors: RingError STORE_LOCKED, STORE_CORRUPT, LISTEN_FAILED, CONFIG_INVALID and disk faults; nothing is left
   * behind.
   */
  static async start(options: NodeOptions): Promise<RingNode> {
    return new RingNode(options, await new NodeStarter(options).start());
  }

  private constructor(options: NodeOptions, running: Running) {
    this.#running = running;
    this.#roleWatch = new RoleWatch({
      running: () => this.#running,
      disk: options.disk ?? nodeDisk,
      isNameServer: options.namesrv !== undefined,
      comeBack: async comeback => {
        this.#running = await new NodeStarter(options, comeback).start();
      },
      onFailed: reason => options.onFailed?.(reason),
    });
    if (options.broker !== undefined) this.#roleWatch.start();
  }

  get ports(): NodePorts {
    return this.#running.ports;
  }

  get threadPlan(): ThreadPlan {
    return this.#running.parts.plan;
  }

  /** Another one after a change of role. */
  get shop(): Workshop {
    return this.#running.parts.shop;
  }

  /** Traces one in `every` requests from now on; 0: none. What was noted stays. Errors: RangeError. */
  trace(every: number): void {
    setTraceEvery(this.shop, every);
  }

  /** What all actors noted since a time, in ms since the epoch; their recorders keep the newest 16,384 events each. */
  recording(sinceMs = 0): Recording {
    return readAll(this.shop, sinceMs);
  }

  get log(): Logger {
    return this.#running.parts.log;
  }

  /**
   * Drains, flushes, says farewell to the name servers and leaves a clean store. Calling it again waits for the same
   * end; a change of role under way is finished before.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#roleWatch.stop();
    if (!this.#roleWatch.isLost) await stopNode(this.#running.parts);
  }
}
