/** Counts what a lane hands out or takes back, by topic and group. Hot but for the first time a pair comes. */
import type { Ring } from '../runtime/memory/ring.js';
import { CoordinatorType } from './coordinator/mailbox.js';
import { type GroupTraffic, PAIRS_MAX } from './group-traffic.js';

const encoder = new TextEncoder();

export class GroupCounts {
  readonly #traffic: GroupTraffic;
  readonly #toCoordinator: Ring;
  /** By group, then by topic. */
  readonly #slots = new Map<string, Map<string, number>>();
  #next = 0;

  constructor(traffic: GroupTraffic, toCoordinator: Ring) {
    this.#traffic = traffic;
    this.#toCoordinator = toCoordinator;
  }

  /** One answer with messages, or one message that came back. */
  add(topic: string, group: string, messages: number, bytes: number): void {
    const slot = this.#slots.get(group)?.get(topic) ?? this.#name(topic, group);
    if (slot >= 0) this.#traffic.add(slot, messages, bytes);
  }

  /** A slot for a new pair; -1 when there are too many, or the coordinator's ring is full: then a later answer asks. */
  #name(topic: string, group: string): number {
    const slot = this.#next;
    if (slot >= PAIRS_MAX) return -1;
    // Before the coordinator hears: from then on it reads the slot as this pair's.
    this.#traffic.clear(slot);
    const text = encoder.encode(JSON.stringify({ slot, topic, group }));
    if (!this.#toCoordinator.offer(CoordinatorType.PAIR_NAMED, text)) return -1;
    this.#next++;
    const topics = this.#slots.get(group);
    if (topics === undefined) this.#slots.set(group, new Map([[topic, slot]]));
    else topics.set(topic, slot);
    return slot;
  }
}
