/**
 * Totals by topic and group, out of the counts of several lanes: every lane gives its own slots to the pairs it meets.
 * Cold.
 */
import type { GroupTraffic } from '../group-traffic.js';
import { NO_TOTAL, type Total } from './stats-item.js';

/** A slot of a lane: which pair it counts, and what of it was told already. */
interface PairSlot {
  readonly key: string;
  readonly traffic: GroupTraffic;
  readonly index: number;
  seen: Total;
}

export class PairTotals {
  readonly #lanes: readonly GroupTraffic[];
  /** By lane, then by index. */
  readonly #slots: PairSlot[][];
  readonly #slotsOf = new Map<string, Set<PairSlot>>();
  readonly #onMore: (key: string, more: Total) => void;

  /** `onMore` hears what came since it last heard of a pair. */
  constructor(lanes: readonly GroupTraffic[], onMore: (key: string, more: Total) => void) {
    this.#lanes = lanes;
    this.#slots = lanes.map(() => []);
    this.#onMore = onMore;
  }

  /** A lane says what a slot of its counts means from now on. */
  named(lane: number, index: number, key: string): void {
    const slots = this.#slots[lane]!;
    const before = slots[index];
    if (before !== undefined) this.#slotsOf.get(before.key)?.delete(before);
    const slot = { key, traffic: this.#lanes[lane]!, index, seen: NO_TOTAL };
    slots[index] = slot;
    const ofKey = this.#slotsOf.get(key);
    if (ofKey === undefined) this.#slotsOf.set(key, new Set([slot]));
    else ofKey.add(slot);
  }

  /** Looks at the counts of one pair. */
  read(key: string): void {
    for (const slot of this.#slotsOf.get(key) ?? []) this.#readSlot(slot);
  }

  readAll(): void {
    for (const slots of this.#slots) for (const slot of slots) this.#readSlot(slot);
  }

  #readSlot(slot: PairSlot): void {
    const { traffic, index, seen, key } = slot;
    const now = { messages: traffic.messages(index), bytes: traffic.bytes(index), times: traffic.answers(index) };
    if (now.times <= seen.times) return;
    slot.seen = now;
    this.#onMore(key, {
      messages: now.messages - seen.messages,
      bytes: now.bytes - seen.bytes,
      times: now.times - seen.times,
    });
  }
}
