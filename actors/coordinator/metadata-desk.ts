/**
 * Tells slaves that are RingMQ's what changed in topics, groups and offsets, within milliseconds; a Java slave asks by
 * itself every ten seconds and hears of nothing. Offsets that changed go along, tables are fetched by the slave.
 * Source: design of RingMQ; spec ha 5 for what is synchronised.
 */

import type { DataVersion } from '../../protocol/bodies/topic.js';
import { encodeBody } from '../../protocol/bodies.js';
import { BROKER_METADATA_CHANGED } from '../../protocol/codes.js';
import type { OffsetTable } from './offset-table.js';

/** Changes of so long go in one notice. Units: ms. */
const NOTICE_EVERY_MS = 20;
/** Slaves that are told; more are left to their timer. */
const WATCHERS_MAX = 64;

export interface WatchedTables {
  readonly topics: { readonly version: DataVersion };
  readonly groups: { readonly version: DataVersion };
  readonly offsets: OffsetTable;
}

export type Push = (connectionId: number, code: number, fields: Record<string, string>, body?: Uint8Array) => void;

export class MetadataDesk {
  readonly #watchers = new Set<number>();
  #topics: DataVersion | undefined;
  #groups: DataVersion | undefined;
  #nextMs = 0;

  /** A slave on this connection wants to be told. */
  watch(connectionId: number, { topics, groups, offsets }: WatchedTables): void {
    if (this.#watchers.size >= WATCHERS_MAX) return;
    if (this.#watchers.size === 0) {
      this.#topics = topics.version;
      this.#groups = groups.version;
      offsets.recordChanges(true);
    }
    this.#watchers.add(connectionId);
  }

  /** The connection is closed. */
  forget(connectionId: number, offsets: OffsetTable): void {
    if (this.#watchers.delete(connectionId) && this.#watchers.size === 0) offsets.recordChanges(false);
  }

  /** Connections of slaves that are told. */
  get watchers(): Iterable<number> {
    return this.#watchers;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Tells of what changed since the last notice, at most every {@link NOTICE_EVERY_MS}; returns how many were told. */
  notify({ topics, groups, offsets }: WatchedTables, nowMs: number, push: Push): number {
    if (this.#watchers.size === 0 || nowMs < this.#nextMs || !this.#hasNews(topics, groups, offsets)) return 0;
    this.#nextMs = nowMs + NOTICE_EVERY_MS;
    const fields = {
      topics: String(topics.version !== this.#topics),
      subscriptionGroups: String(groups.version !== this.#groups),
    };
    this.#topics = topics.version;
    this.#groups = groups.version;
    const body = encodeBody({ offsetTable: offsets.takeChanges() });
    for (const connectionId of this.#watchers) push(connectionId, BROKER_METADATA_CHANGED, fields, body);
    return this.#watchers.size;
  }

  /** A version is a new object whenever its table changed. */
  #hasNews(topics: WatchedTables['topics'], groups: WatchedTables['groups'], offsets: OffsetTable): boolean {
    return topics.version !== this.#topics || groups.version !== this.#groups || offsets.hasChanges;
  }

  /** When a notice that is held back is due; Infinity when there is none. */
  deadlineMs({ topics, groups, offsets }: WatchedTables): number {
    if (this.#watchers.size === 0 || !this.#hasNews(topics, groups, offsets)) return Number.POSITIVE_INFINITY;
    return this.#nextMs;
  }
}
