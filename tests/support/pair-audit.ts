/**
 * Judges a master and its slave by the files of their logs, whatever state the brokers are in: what would be gone with
 * the master's disk, whether the slave's log is a prefix of the master's, and whether an offset ever meant two
 * messages.
 */
import { Ledger, queueKey, type Stored } from './checker.js';
import { storedOf } from './load.js';
import { compareLogs } from './log-comparison.js';
import { LogWalk } from './log-files.js';
import { physicalOffsetOf } from './raw-client.js';

export interface PairAuditOptions {
  /** Folders of the two commit logs. */
  readonly master: string;
  readonly slave: string;
  readonly segmentSize: number;
}

/** An acknowledged message that the slave has not, at its place. */
export interface Missing {
  readonly id: string;
  readonly place: string;
  /** As the attempt had it. */
  readonly phase: number;
  readonly acknowledgedMs: number;
  /** What stands there instead: nothing, or another message. */
  readonly instead: 'nothing' | 'another message';
}

/** What is lost with the master, of a pair that does not wait for its slave. */
export interface Loss {
  readonly messages: number;
  readonly bytes: number;
  /** Age of the oldest acknowledgement among them. */
  readonly ms: number;
}

interface Acknowledgement {
  readonly physicalOffset: number;
  readonly atMs: number;
}

/** "TopicTest:3@17". */
export function placeOf({ topic, queueId, queueOffset }: Stored): string {
  return `${queueKey(topic, queueId)}@${queueOffset}`;
}

export class PairAudit {
  readonly ledger = new Ledger();
  readonly #options: PairAuditOptions;
  readonly #acknowledgements = new Map<string, Acknowledgement>();
  /** By place: the first message that anybody saw there, and who. */
  readonly #sightings = new Map<string, { readonly stored: Stored; readonly where: string }>();
  readonly #changes: string[] = [];
  #onSlave = new Map<string, Stored>();
  #walk: LogWalk;
  #mayBeginLate = false;

  constructor(options: PairAuditOptions) {
    this.#options = options;
    this.#walk = this.#newWalk();
  }

  #newWalk(): LogWalk {
    const { slave, master, segmentSize } = this.#options;
    return new LogWalk({ folder: slave, segmentSize, original: master });
  }

  /** Where the slave's log ended when it was looked at last. */
  get slaveEnd(): number {
    return this.#walk.position;
  }

  /** To be called beside {@link Ledger.acknowledge}. */
  acknowledged(id: string, msgId: string, atMs: number): void {
    this.#acknowledgements.set(id, { physicalOffset: physicalOffsetOf(msgId), atMs });
  }

  /** The slave's log was taken away, or its files may have been deleted: it begins late from now on. */
  slaveBeginsLate(): void {
    this.#mayBeginLate = true;
    this.#onSlave = new Map();
    this.#walk = this.#newWalk();
  }

  /** Somebody read a message at its place; `where` is for the report. */
  saw(where: string, stored: Stored): void {
    const place = placeOf(stored);
    const before = this.#sightings.get(place);
    if (before === undefined) this.#sightings.set(place, { stored, where });
    else if (before.stored.id !== stored.id || before.stored.hash !== stored.hash) {
      this.#changes.push(`${place} was ${before.stored.id} for ${before.where}, and is ${stored.id} for ${where}`);
    }
  }

  /** Places that changed their content since the last call. */
  changes(): string[] {
    return this.#changes.splice(0);
  }

  /**
   * What was acknowledged until now and is not in the slave's files. A slave whose log was taken away begins with a
   * newer file of its master; what is in front of it is on the master alone, and no loss of this kind.
   */
  missing(): Missing[] {
    this.#walk.advance(record => {
      const stored = storedOf(record);
      this.#onSlave.set(placeOf(stored), stored);
      this.saw("the slave's log", stored);
    });
    const begin = this.#mayBeginLate ? Math.max(0, this.#walk.begin) : 0;
    const missing: Missing[] = [];
    for (const { id, topic, hash, ackQueueId, ackQueueOffset, phase } of this.ledger.entries()) {
      if (ackQueueOffset < 0) continue;
      const place = `${queueKey(topic, ackQueueId)}@${ackQueueOffset}`;
      const stored = this.#onSlave.get(place);
      if (stored?.id === id && stored.hash === hash) continue;
      const { physicalOffset, atMs } = this.#acknowledgements.get(id) ?? { physicalOffset: begin, atMs: 0 };
      if (physicalOffset < begin) continue;
      const instead = stored === undefined ? 'nothing' : 'another message';
      missing.push({ id, place, phase, acknowledgedMs: atMs, instead });
    }
    return missing;
  }

  /** How much {@link missing} is; the master writes no more. */
  loss(missing: readonly Missing[], nowMs: number): Loss {
    const ids = new Set(missing.map(({ id }) => id));
    let bytes = 0;
    const { master, segmentSize } = this.#options;
    new LogWalk({ folder: master, segmentSize, from: Math.max(0, this.slaveEnd) }).advance(record => {
      if (ids.has(storedOf(record).id)) bytes += record.bytes.length;
    });
    const oldestMs = Math.min(nowMs, ...missing.map(({ acknowledgedMs }) => acknowledgedMs));
    return { messages: missing.length, bytes, ms: Math.round(nowMs - oldestMs) };
  }

  /** Files in which the slave's log is not the master's. `end`: where the slave says that it ends, if it says so. */
  differing(end = this.slaveEnd): readonly string[] {
    const { slave, master, segmentSize } = this.#options;
    return compareLogs(master, slave, { end, segmentBytes: segmentSize }).files;
  }
}
