/**
 * Connections by id. An id is a slot and a generation, so that an answer for a connection that is gone never reaches
 * the one that took its slot.
 */
import type { Connection } from './connection.js';

const SLOT_BITS = 18;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION_MASK = (1 << (31 - SLOT_BITS)) - 1;

export class ConnectionTable {
  readonly #slots: (Connection | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  readonly #max: number;
  #size = 0;

  constructor(connectionsMax: number) {
    this.#max = Math.min(connectionsMax, SLOT_MASK);
  }

  get size(): number {
    return this.#size;
  }

  /** Makes a connection under a new id. Errors: undefined when there are too many. */
  add(make: (id: number) => Connection): Connection | undefined {
    if (this.#size >= this.#max) return undefined;
    const slot = this.#free.pop() ?? this.#slots.length;
    const generation = ((this.#generations[slot] ?? 0) + 1) & GENERATION_MASK;
    this.#generations[slot] = generation;
    const connection = make((generation << SLOT_BITS) | slot);
    this.#slots[slot] = connection;
    this.#size++;
    return connection;
  }

  /** The connection when it is still there. */
  get(id: number): Connection | undefined {
    const connection = this.#slots[id & SLOT_MASK];
    return connection !== undefined && connection.id === id ? connection : undefined;
  }

  remove(connection: Connection): void {
    const slot = connection.id & SLOT_MASK;
    if (this.#slots[slot] !== connection) return;
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    this.#size--;
  }

  forEach(visit: (connection: Connection) => void): void {
    for (const connection of this.#slots) if (connection !== undefined) visit(connection);
  }
}
