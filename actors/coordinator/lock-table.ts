/**
 * Who may consume which queue in order: one client of a group holds a queue, until it gives it back or has not asked
 * again for a minute. A client that is gone keeps its queues until then, as upstream: it may still be at work.
 * Source: spec remoting 7.5; RebalanceLockManager.
 */
import type { MessageQueue } from '../../protocol/bodies.js';

/** Units: ms. */
export const LOCK_EXPIRY_MS = 60_000;

interface Lock {
  clientId: string;
  lastUpdateMs: number;
}

export class LockTable {
  readonly #groups = new Map<string, Map<string, Lock>>();

  /** Locks what is free, has expired or is the client's own; returns what the client holds now of `queues`. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[], nowMs: number): MessageQueue[] {
    if (queues.length === 0) return [];
    const locks = this.#groups.get(group) ?? new Map<string, Lock>();
    this.#groups.set(group, locks);
    const held = new Map<string, MessageQueue>();
    for (const queue of queues) {
      const key = keyOf(queue);
      const lock = locks.get(key);
      if (lock !== undefined && lock.clientId !== clientId && !isExpired(lock, nowMs)) continue;
      locks.set(key, { clientId, lastUpdateMs: nowMs });
      held.set(key, queue);
    }
    return [...held.values()];
  }

  /** Gives queues back; those of other clients stay theirs. */
  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    const locks = this.#groups.get(group);
    if (locks === undefined) return;
    for (const queue of queues) {
      const key = keyOf(queue);
      if (locks.get(key)?.clientId === clientId) locks.delete(key);
    }
    if (locks.size === 0) this.#groups.delete(group);
  }

  /** Forgets what nobody holds any more. */
  removeExpired(nowMs: number): void {
    for (const [group, locks] of this.#groups) {
      for (const [key, lock] of locks) if (isExpired(lock, nowMs)) locks.delete(key);
      if (locks.size === 0) this.#groups.delete(group);
    }
  }

  /** Locks of all groups, expired ones included. */
  get size(): number {
    let size = 0;
    for (const locks of this.#groups.values()) size += locks.size;
    return size;
  }
}

function isExpired(lock: Lock, nowMs: number): boolean {
  return nowMs - lock.lastUpdateMs > LOCK_EXPIRY_MS;
}

/** As text, because a map finds objects by identity only. */
function keyOf({ brokerName, topic, queueId }: MessageQueue): string {
  return `${queueId}\0${topic}\0${brokerName}`;
}
