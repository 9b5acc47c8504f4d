/**
 * What the op records say: which half messages are decided, and which op records are done with, so that the next
 * start need not read them again.
 *
 * An op record names a half message by its queue offset (4.x), or several, each with a comma behind it (5.x). It is
 * done when all it names are passed; progress goes on over what is done without a gap.
 * Source: spec transaction 5, 6, 8.
 */

/** Decided half messages that are known at once; then they are read only as others are passed. */
const AHEAD_MAX = 1_048_576;

export class OpLedger {
  /** Op records before this one are done. Units: entries of the op queue. */
  progress = 0;
  /** The next op record to be read. Units: entries of the op queue. */
  next = 0;
  /** Op record of each decided half message that is not passed yet. */
  readonly #decided = new Map<number, number>();
  /** What an op record names that is not passed yet: how many. */
  readonly #open = new Map<number, number>();
  readonly #done = new Set<number>();
  /** Transactions that ended by an older copy of their half message than the one that is still to come. */
  readonly #ended = new Map<string, Ended>();

  /** Forgets everything and goes on from this op record. */
  reset(offset: number): void {
    this.progress = offset;
    this.next = offset;
    for (const memory of [this.#decided, this.#open, this.#done, this.#ended]) memory.clear();
  }

  get isFull(): boolean {
    return this.#decided.size >= AHEAD_MAX;
  }

  /** How many decided half messages are still to be passed. */
  get ahead(): number {
    return this.#decided.size;
  }

  /**
   * Takes the op record at {@link next}, which names these half messages. Of one before `passed` only a copy can come,
   * up to the half offset `until`: `transactionOf` says whose, when there may be one. `copied`: after a start there may
   * be copies of the others too.
   */
  add(
    named: readonly number[],
    passed: number,
    until: number,
    transactionOf: (halfOffset: number) => string | undefined,
    copied = false,
  ): void {
    const op = this.next++;
    // Held open while it is read.
    this.#open.set(op, 1);
    for (const halfOffset of named) {
      if (halfOffset >= passed) this.#decide(halfOffset, op);
      if (halfOffset < passed || copied) this.#end(transactionOf(halfOffset), op, until);
    }
    this.#close(op);
  }

  #decide(halfOffset: number, op: number): void {
    const before = this.#decided.get(halfOffset);
    this.#decided.set(halfOffset, op);
    this.#hold(op);
    // Ended twice: the later record stands for both.
    if (before !== undefined) this.#close(before);
  }

  #end(transaction: string | undefined, op: number, until: number): void {
    if (transaction === undefined) return;
    const before = this.#ended.get(transaction);
    this.#ended.set(transaction, { op, until });
    this.#hold(op);
    if (before !== undefined) this.#close(before.op);
  }

  #hold(op: number): void {
    this.#open.set(op, this.#open.get(op)! + 1);
  }

  /** The op record at {@link next} is not there or says nothing. */
  skip(): void {
    this.#finish(this.next++);
  }

  /** Whether the half message at `halfOffset` is decided; it is passed then. */
  take(halfOffset: number): boolean {
    const op = this.#decided.get(halfOffset);
    if (op === undefined) return false;
    this.#decided.delete(halfOffset);
    this.#close(op);
    return true;
  }

  /** Whether a transaction ended by an older copy of its half message than the one that is looked at. */
  hasEnded(transaction: string): boolean {
    return this.#ended.has(transaction);
  }

  /** Half messages before `halfOffset` are passed: a copy that did not come by now will not come. */
  passed(halfOffset: number): void {
    for (const [transaction, { op, until }] of this.#ended) {
      if (halfOffset < until) continue;
      this.#ended.delete(transaction);
      this.#close(op);
    }
  }

  /** The same when half messages were passed without being looked at. */
  skipped(halfOffset: number): void {
    for (const decided of [...this.#decided.keys()]) if (decided < halfOffset) this.take(decided);
    this.passed(halfOffset);
  }

  #close(op: number): void {
    const left = this.#open.get(op)! - 1;
    if (left > 0) this.#open.set(op, left);
    else {
      this.#open.delete(op);
      this.#finish(op);
    }
  }

  #finish(op: number): void {
    this.#done.add(op);
    while (this.#done.delete(this.progress)) this.progress++;
  }
}

interface Ended {
  readonly op: number;
  /** No copy is at this half offset or behind it. */
  readonly until: number;
}
