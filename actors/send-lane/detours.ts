/** Connections that have frames at the coordinator: what they send meanwhile goes the same way, to keep its order. */
export class Detours {
  readonly #frames = new Map<number, number>();

  has(connectionId: number): boolean {
    return this.#frames.size > 0 && this.#frames.has(connectionId);
  }

  sent(connectionId: number): void {
    this.#frames.set(connectionId, (this.#frames.get(connectionId) ?? 0) + 1);
  }

  returned(connectionId: number): void {
    const left = (this.#frames.get(connectionId) ?? 1) - 1;
    if (left > 0) this.#frames.set(connectionId, left);
    else this.#frames.delete(connectionId);
  }
}
