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

/** What the coordinator knows of a queue; where it knows nothing (-1), what counts as that. */
interface Known {
  half: number;
  op: number;
  readonly startHalf: number;
  readonly startOp: number;
}

export class ProgressKeeper {
  readonly #outbox: Outbox;
  readonly #positions: Positions;
  /** By queue id. */
  readonly #known: Known[] = [];
  #pending: Pending | undefined;

  constructor(outbox: Outbox, positions: Positions) {
    this.#outbox = outbox;
    this.#positions = positions;
  }

  /** Whether the coordinator says something else than it was told: somebody moved the offsets, or this is a start. */
  isMoved({ queueId }: HalfQueue, says: TransactionProgress): boolean {
    const known = this.#known[queueId];
    return known === undefined || known.half !== says.half || known.op !== says.op;
  }

  /** The queue has been set to what the coordinator says. */
  moved(queue: HalfQueue, { half, op }: TransactionProgress): void {
    this.#known[queue.queueId] = { half, op, startHalf: queue.offset, startOp: queue.ledger.progress };
    if (this.#pending?.queue === queue) this.#pending = undefined;
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
    const known = this.#known[queue.queueId]!;
    // Half messages first: op records that are still needed must never be passed before them.
    if (isNews(half, known.half, known.startHalf)) {
      if (!this.#outbox.commit(HALF_TOPIC, queue.queueId, half)) return 0;
      known.half = half;
    }
    if (isNews(op, known.op, known.startOp)) {
      if (!this.#outbox.commit(OP_HALF_TOPIC, queue.queueId, op)) return 0;
      known.op = op;
    }
    this.#pending = this.#note(queues);
    return 1;
  }

  #note(queues: readonly HalfQueue[]): Pending | undefined {
    for (const queue of queues) {
      const known = queue === undefined ? undefined : this.#known[queue.queueId];
      if (known === undefined) continue;
      queue.ledger.passed(queue.offset);
      const { offset: half, ledger } = queue;
      const isKnown = !isNews(half, known.half, known.startHalf) && !isNews(ledger.progress, known.op, known.startOp);
      if (!isKnown) return { queue, half, op: ledger.progress, until: this.#positions.read('appended') };
    }
    return undefined;
  }
}

/** Where nothing is committed, nothing need be as long as nothing was passed. */
function isNews(offset: number, known: number, start: number): boolean {
  return offset !== (known < 0 ? start : known);
}
