/**
 * Keeps as many lanes as the configuration asks for, while the node runs: starts those that are missing before requests
 * go to them, and takes requests from those that are too many, which finish what they have and sleep. Cold.
 */
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { type LaneCounts, type LaneKind, laneKinds } from '../lane-counts.js';

export interface LaneKeeperOptions {
  readonly counts: LaneCounts;
  readonly log: Logger;
  /** Resolves when the lane runs. Errors: ACTOR_CRASHED. */
  readonly start: (kind: LaneKind, index: number) => Promise<void>;
  /** Has lanes told of all topics and groups, and of the settings there are now. */
  readonly announce: () => Promise<void>;
}

export class LaneKeeper {
  readonly #options: LaneKeeperOptions;
  readonly #ended: Promise<void>;
  #closed = false;

  constructor(options: LaneKeeperOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** Resolves when nothing is being started any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.counts.bell.ring();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { counts, log } = this.#options;
    while (!this.#closed) {
      const seen = counts.bell.read();
      for (const kind of laneKinds) {
        try {
          await this.#adjust(kind);
        } catch (error) {
          log.error({ err: error, kind }, `a lane could not be started: ${messageOf(error)}`);
        }
      }
      if (!this.#closed) await counts.bell.waitAsync(seen);
    }
  }

  async #adjust(kind: LaneKind): Promise<void> {
    const { counts, start, announce, log } = this.#options;
    const wanted = counts.wanted(kind);
    const active = counts.active(kind);
    if (wanted === active) return;
    for (let index = counts.started(kind); index < wanted; index++) {
      // From here on it gets news, and behind them all there is to know.
      counts.setStarted(kind, index + 1);
      await start(kind, index);
      await announce();
    }
    counts.setActive(kind, wanted);
    log.info({ kind, before: active, lanes: wanted }, 'the number of lanes was changed');
  }
}
