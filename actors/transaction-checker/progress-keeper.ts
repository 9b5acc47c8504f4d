/**
 * Commits how far half messages are checked, but only when everything that was stored by then is on the device: after a
 * power failure the progress may be behind what is true, never ahead of the copies and op records it counts on.
 */
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../protocol/topic-names.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { HalfQueue } from './half-queue.js';
import type { TransactionProgress } from './mailbox.js';
import type { Outbox } from './outbox.js';

interface Pending extends TransactionProgress {
  readonly queue: HalfQueue;
  /** The log must be flushed up to here. */
  readonly until: number;
}

export class ProgressKeeper {
  readonly #outbox: Outbox;
  readonly #positions: Positions;
  /** What the coordinator knows, by queue id. */
  readonly #committed: { half: number; op: number }[] = [];
  #pending: Pending | undefined;

  constructor(outbox: Outbox, positions: Positions) {
    this.#outbox = outbox;
    this.#positions = positions;
  }

  /** A run begins with a queue, `from` where the coordinator says. Where nothing is committed, nothing need be. */
  begin(queue: HalfQueue, from: TransactionProgress): void {
    this.#committed[queue.queueId] = {
      half: from.half < 0 ? queue.offset : from.half,
      op: from.op < 0 ? queue.ledger.progress : from.op,
    };
  }

  /** There is progress that the coordinator does not know yet. */
  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Commits what may be committed now; returns how much it did. */
  commit(queues: readonly HalfQueue[]): number {
    this.#pending ??= this.#note(queues);
    if (this.#pending === undefined || this.#positions.read('flushed') < this.#pending.until) return 0;
    const { queue, half, op } = this.#pending;
    const committed = this.#committed[queue.queueId]!;
    // Half messages first: op records that are still needed must never be passed before them.
    if (half !== committed.half && !this.#outbox.commit(HALF_TOPIC, queue.queueId, half)) return 0;
    committed.half = half;
    if (op !== committed.op && !this.#outbox.commit(OP_HALF_TOPIC, queue.queueId, op)) return 0;
    committed.op = op;
    this.#pending = this.#note(queues);
    return 1;
  }

  #note(queues: readonly HalfQueue[]): Pending | undefined {
    for (const queue of queues) {
      const committed = queue === undefined ? undefined : this.#committed[queue.queueId];
      if (committed === undefined) continue;
      queue.ledger.passed(queue.offset);
      const { offset: half, ledger } = queue;
      if (half === committed.half && ledger.progress === committed.op) continue;
      return { queue, half, op: ledger.progress, until: this.#positions.read('appended') };
    }
    return undefined;
  }
}
