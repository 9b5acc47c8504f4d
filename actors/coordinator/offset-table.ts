/**
 * How far groups have consumed: `config/consumerOffset.json`. An update overwrites, backwards too.
 * Source: spec remoting 7.4, storage 7; ConsumerOffsetManager.
 */
import type { JsonTable } from '../../storage/json-table.js';

export class OffsetTable {
  /** By `topic@group`, then by queue id. */
  readonly #offsets = new Map<string, Map<number, number>>();
  readonly #file: JsonTable;
  #changed = false;
  /** What was committed since {@link takeChanges}; undefined while nobody wants to know. By `topic@group`. */
  #changes: Map<string, Map<number, number>> | undefined;

  /** Errors: RingError STORE_CORRUPT when the file and its backup cannot be read. */
  constructor(file: JsonTable) {
    this.#file = file;
    const stored = file.read().value as { offsetTable?: Record<string, Record<string, number>> } | undefined;
    for (const [key, queues] of Object.entries(stored?.offsetTable ?? {})) {
      const byQueue = new Map<number, number>();
      for (const [queueId, offset] of Object.entries(queues)) byQueue.set(Number(queueId), Number(offset));
      this.#offsets.set(key, byQueue);
    }
  }

  /** Units: entries; -1 when the group never committed one. */
  query(group: string, topic: string, queueId: number): number {
    return this.#offsets.get(`${topic}@${group}`)?.get(queueId) ?? -1;
  }

  commit(group: string, topic: string, queueId: number, offset: number): void {
    const key = `${topic}@${group}`;
    const queues = this.#offsets.get(key);
    if (queues === undefined) this.#offsets.set(key, new Map([[queueId, offset]]));
    else queues.set(queueId, offset);
    this.#changed = true;
    if (this.#changes === undefined) return;
    const changes = this.#changes.get(key);
    if (changes === undefined) this.#changes.set(key, new Map([[queueId, offset]]));
    else changes.set(queueId, offset);
  }

  /** Whether to remember what is committed from now on, for those who follow this table. */
  recordChanges(wanted: boolean): void {
    this.#changes = wanted ? new Map() : undefined;
  }

  get hasChanges(): boolean {
    return this.#changes !== undefined && this.#changes.size > 0;
  }

  /** What was committed since the last call, as in the body of code 43. */
  takeChanges(): Record<string, Record<string, number>> {
    const taken: Record<string, Record<string, number>> = {};
    for (const [key, queues] of this.#changes ?? []) taken[key] = Object.fromEntries(queues);
    this.#changes?.clear();
    return taken;
  }

  /** Offsets of a group in a topic, by queue id. */
  queuesOf(group: string, topic: string): ReadonlyMap<number, number> {
    return this.#offsets.get(`${topic}@${group}`) ?? new Map();
  }

  /** Topics that a group ever committed an offset of. */
  topicsOf(group: string): string[] {
    const end = `@${group}`;
    return [...this.#offsets.keys()].filter(key => key.endsWith(end)).map(key => key.slice(0, -end.length));
  }

  /** Groups that ever committed an offset of a topic. */
  groupsOf(topic: string): string[] {
    const start = `${topic}@`;
    return [...this.#offsets.keys()].filter(key => key.startsWith(start)).map(key => key.slice(start.length));
  }

  /** Gives a group the offsets that another has in a topic, in place of its own. */
  clone(fromGroup: string, toGroup: string, topic: string): void {
    const queues = this.#offsets.get(`${topic}@${fromGroup}`);
    if (queues === undefined) return;
    const copied = [...queues];
    this.#offsets.delete(`${topic}@${toGroup}`);
    for (const [queueId, offset] of copied) this.commit(toGroup, topic, queueId, offset);
  }

  /** Forgets every group's offsets of a topic. */
  deleteTopic(topic: string): void {
    for (const key of this.#offsets.keys()) {
      if (key.startsWith(`${topic}@`)) this.#changed = this.#offsets.delete(key) || this.#changed;
    }
  }

  deleteGroup(group: string): void {
    for (const key of this.#offsets.keys()) {
      if (key.endsWith(`@${group}`)) this.#changed = this.#offsets.delete(key) || this.#changed;
    }
  }

  /** Body of code 43, and the file. */
  toObject(): { offsetTable: Record<string, Record<string, number>> } {
    const offsetTable: Record<string, Record<string, number>> = {};
    for (const [key, queues] of this.#offsets) offsetTable[key] = Object.fromEntries(queues);
    return { offsetTable };
  }

  /** Stores the table when it changed. Errors: RingError DISK_WRITE_FAILED; it is tried again next time. */
  save(): void {
    if (!this.#changed) return;
    this.#file.write(this.toObject());
    this.#changed = false;
  }
}
