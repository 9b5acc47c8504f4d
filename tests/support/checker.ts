/**
 * Judges what a broker kept against what it had acknowledged. Knows nothing of sockets or files: a rig notes attempts
 * and acknowledgements in a {@link Ledger}, reads everything back past a {@link Judge}, and asks for its report.
 */

/** One send of one message. Every attempt has an id of its own, a repeated message included. */
export interface Attempt {
  readonly id: string;
  readonly topic: string;
  readonly queueId: number;
  readonly hash: string;
  /** Which connection sent it; sends of one connection have an order. */
  readonly connection: number;
  /** Says where in a run it happened, for the report (the cycle, for example). */
  readonly phase: number;
}

/** A message as it was read back. */
export interface Stored {
  readonly id: string;
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly hash: string;
}

interface Entry extends Attempt {
  /** -1 until acknowledged. */
  ackQueueId: number;
  ackQueueOffset: number;
}

/** What was tried and what was acknowledged. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  #acknowledged = 0;

  /** Errors: Error when the id was used before. */
  attempt(attempt: Attempt): void {
    if (this.#entries.has(attempt.id)) throw new Error(`attempt ${attempt.id} was noted before`);
    this.#entries.set(attempt.id, { ...attempt, ackQueueId: -1, ackQueueOffset: -1 });
  }

  /** Notes a SEND_OK. Errors: Error for an unknown id or a second acknowledgement. */
  acknowledge(id: string, queueId: number, queueOffset: number): void {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`acknowledgement of ${id}, which was never sent`);
    if (entry.ackQueueOffset >= 0) throw new Error(`${id} was acknowledged twice`);
    entry.ackQueueId = queueId;
    entry.ackQueueOffset = queueOffset;
    this.#acknowledged++;
  }

  get attempted(): number {
    return this.#entries.size;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  entry(id: string): Readonly<Entry> | undefined {
    return this.#entries.get(id);
  }

  /** In the order of the attempts, which is also the order in which each connection sent. */
  entries(): IterableIterator<Readonly<Entry>> {
    return this.#entries.values();
  }

  /** The offset after the last acknowledged message of each queue, by {@link queueKey}. */
  ends(): Map<string, number> {
    const ends = new Map<string, number>();
    for (const entry of this.#entries.values()) {
      if (entry.ackQueueOffset < 0) continue;
      const key = queueKey(entry.topic, entry.ackQueueId);
      ends.set(key, Math.max(ends.get(key) ?? 0, entry.ackQueueOffset + 1));
    }
    return ends;
  }
}

/** "TopicTest:3". */
export function queueKey(topic: string, queueId: number): string {
  return `${topic}:${queueId}`;
}

/** What is wrong, in words, a list a promise. All lists empty: nothing is wrong. */
export interface Faults {
  /** Acknowledged, and not where the acknowledgement said. */
  readonly lost: string[];
  /** Two acknowledgements share a place. */
  readonly reused: string[];
  /** Another content than was sent, or another queue. */
  readonly changed: string[];
  /** Offsets of a queue do not go on by one when read. */
  readonly gaps: string[];
  /** One attempt is there more than once. */
  readonly repeated: string[];
  /** Acknowledged sends of one connection to one queue are out of order. */
  readonly swapped: string[];
  /** Read, and never sent. */
  readonly unknown: string[];
}

export interface Report {
  readonly attempted: number;
  readonly acknowledged: number;
  readonly read: number;
  readonly unacknowledgedButPresent: number;
  readonly faults: Faults;
  readonly faultCount: number;
}

/**
 * Reads a broker's messages against the ledger. Give it each queue's messages in the order in which they were read;
 * queues may come in any order.
 *
 * @example
 * const judge = new Judge(ledger);
 * await pullQueue(client, topic, queueId, record => judge.onStored(storedOf(record)));
 * assert.is(judge.report().faultCount, 0);
 */
export class Judge {
  readonly #ledger: Ledger;
  readonly #present = new Map<string, Stored>();
  readonly #nextOffset = new Map<string, number>();
  readonly #faults: Faults = { lost: [], reused: [], changed: [], gaps: [], repeated: [], swapped: [], unknown: [] };
  #read = 0;
  #unacknowledgedButPresent = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  onStored(stored: Stored): void {
    this.#read++;
    const queue = queueKey(stored.topic, stored.queueId);
    const place = `${queue}@${stored.queueOffset}`;
    const expected = this.#nextOffset.get(queue) ?? 0;
    if (stored.queueOffset !== expected)
      this.#faults.gaps.push(`${queue}: offset ${stored.queueOffset} after ${expected - 1}`);
    this.#nextOffset.set(queue, stored.queueOffset + 1);

    const entry = this.#ledger.entry(stored.id);
    if (!entry) {
      this.#faults.unknown.push(`${place}: id ${stored.id}`);
      return;
    }
    const before = this.#present.get(stored.id);
    if (before)
      this.#faults.repeated.push(
        `${stored.id}: ${queueKey(before.topic, before.queueId)}@${before.queueOffset} and ${place}`,
      );
    // The copy at the acknowledged place is the one that counts.
    if (!before || stored.queueOffset === entry.ackQueueOffset) this.#present.set(stored.id, stored);
    if (stored.hash !== entry.hash) this.#faults.changed.push(`${place}: ${stored.id} has other content`);
    if (stored.topic !== entry.topic || stored.queueId !== entry.queueId) {
      this.#faults.changed.push(`${place}: ${stored.id} was sent to ${queueKey(entry.topic, entry.queueId)}`);
    }
    if (entry.ackQueueOffset < 0) this.#unacknowledgedButPresent++;
  }

  /** Call once, after everything was read. */
  report(): Report {
    this.#checkAcknowledgements();
    return {
      attempted: this.#ledger.attempted,
      acknowledged: this.#ledger.acknowledged,
      read: this.#read,
      unacknowledgedButPresent: this.#unacknowledgedButPresent,
      faults: this.#faults,
      faultCount: Object.values(this.#faults).reduce((sum: number, list: string[]) => sum + list.length, 0),
    };
  }

  #checkAcknowledgements(): void {
    const owners = new Map<string, string>();
    const lastOfConnection = new Map<string, number>();
    for (const entry of this.#ledger.entries()) {
      if (entry.ackQueueOffset < 0) continue;
      const queue = queueKey(entry.topic, entry.ackQueueId);
      const place = `${queue}@${entry.ackQueueOffset}`;
      const owner = owners.get(place);
      if (owner) this.#faults.reused.push(`${place}: acknowledged to ${owner} and ${entry.id} (phase ${entry.phase})`);
      owners.set(place, entry.id);

      const stored = this.#present.get(entry.id);
      const claim = `${entry.id}: acknowledged as ${place} in phase ${entry.phase}`;
      if (!stored) this.#faults.lost.push(`${claim}, not there`);
      else if (stored.queueOffset !== entry.ackQueueOffset || stored.queueId !== entry.ackQueueId) {
        this.#faults.lost.push(`${claim}, found at ${stored.queueId}@${stored.queueOffset}`);
      }

      const line = `${entry.connection} ${queue}`;
      const last = lastOfConnection.get(line) ?? -1;
      if (entry.ackQueueOffset < last) {
        this.#faults.swapped.push(
          `connection ${entry.connection}, ${queue}: ${entry.ackQueueOffset} sent after ${last}`,
        );
      }
      lastOfConnection.set(line, Math.max(last, entry.ackQueueOffset));
    }
  }
}

/** A {@link Report} for people: one line of counts, then at most a few faults of each kind. */
export function formatReport(report: Report, faultsShown = 5): string {
  const { faults } = report;
  const lines = [
    `attempted ${report.attempted}, acknowledged ${report.acknowledged}, read ${report.read}, ` +
      `lost ${faults.lost.length}, reused ${faults.reused.length}, ` +
      `unacknowledged but present ${report.unacknowledgedButPresent}`,
  ];
  for (const [kind, list] of Object.entries(faults) as [string, string[]][]) {
    for (const fault of list.slice(0, faultsShown)) lines.push(`  ${kind}: ${fault}`);
    if (list.length > faultsShown) lines.push(`  ${kind}: and ${list.length - faultsShown} more`);
  }
  return lines.join('\n');
}
