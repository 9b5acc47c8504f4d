/**
 * Finds the fields of a header that a hot handler needs, in one pass over its entries. Names are told apart by length
 * and first letter, then compared. Hot.
 *
 * @example
 * const index = new FieldIndex(['topic', 'queueId']);
 * index.read(view);
 * view.integer(index.slots[1]!); // queueId
 */
import { assert } from '../../runtime/base/assert.js';
import type { HeaderView } from '../header-view.js';

const encoder = new TextEncoder();
const LENGTH_MAX = 63;

/** The place of each name among `names`: where a {@link FieldIndex} of them has its field. */
export function slotsOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, slot) => [name, slot])) as Record<Name, number>;
}

export class FieldIndex {
  /**
   * Index of each field in the header view that was read, in the order of the names; -1 where it is missing. Another
   * array may take its place with the next header.
   */
  slots: Int16Array;
  /** For headers without a known shape. */
  readonly #own: Int16Array;
  readonly #names: readonly Uint8Array[];
  readonly #byKey = new Int8Array((LENGTH_MAX + 1) * 32).fill(-1);

  constructor(names: readonly string[]) {
    this.#own = new Int16Array(names.length);
    this.slots = this.#own;
    this.#names = names.map(name => encoder.encode(name));
    for (const [slot, name] of this.#names.entries()) {
      const key = (name.length << 5) | (name[0]! & 31);
      assert(this.#byKey[key] === -1, `length and first letter tell ${names[slot]} apart`);
      this.#byKey[key] = slot;
    }
  }

  read(view: HeaderView): void {
    const { shape } = view;
    if (shape?.slotsOf === this) {
      this.slots = shape.slots!;
      return;
    }
    const slots = shape === undefined ? this.#own : new Int16Array(this.#names.length);
    slots.fill(-1);
    this.slots = slots;
    if (shape !== undefined) {
      shape.slots = slots;
      shape.slotsOf = this;
    }
    const { keyStart, keyEnd, bytes, count } = view;
    for (let index = 0; index < count; index++) {
      const start = keyStart[index]!;
      const length = keyEnd[index]! - start;
      if (length > LENGTH_MAX || length === 0) continue;
      const slot = this.#byKey[(length << 5) | (bytes[start]! & 31)]!;
      if (slot < 0) continue;
      const name = this.#names[slot]!;
      let same = 0;
      while (same < length && bytes[start + same] === name[same]) same++;
      if (same === length) slots[slot] = index;
    }
  }
}
