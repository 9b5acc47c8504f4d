/** A list of texts in which bytes are looked up: names of properties, values of IN. Hot. */

const encoder = new TextEncoder();
/** Fewer are compared one by one. */
const HASHED_FROM = 5;

export class TextIndex {
  readonly #texts: readonly Uint8Array[];
  readonly #byHash: ReadonlyMap<number, readonly number[]> | undefined;

  /** The texts are different from one another. */
  constructor(texts: Iterable<string>) {
    this.#texts = Array.from(texts, text => encoder.encode(text));
    if (this.#texts.length < HASHED_FROM) return;
    const byHash = new Map<number, number[]>();
    for (const [index, text] of this.#texts.entries()) {
      const hash = hashOf(text, 0, text.length);
      const others = byHash.get(hash);
      if (others === undefined) byHash.set(hash, [index]);
      else others.push(index);
    }
    this.#byHash = byHash;
  }

  get size(): number {
    return this.#texts.length;
  }

  /** Which of the texts `bytes[start, end)` is; -1 for none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (this.#byHash !== undefined)
      return this.#findHashed(this.#byHash.get(hashOf(bytes, start, end)), bytes, start, end);
    for (let index = 0; index < this.#texts.length; index++) {
      if (isRange(bytes, start, end, this.#texts[index]!)) return index;
    }
    return -1;
  }

  #findHashed(candidates: readonly number[] | undefined, bytes: Uint8Array, start: number, end: number): number {
    if (candidates === undefined) return -1;
    for (let at = 0; at < candidates.length; at++) {
      const index = candidates[at]!;
      if (isRange(bytes, start, end, this.#texts[index]!)) return index;
    }
    return -1;
  }
}

/** Whether `bytes[start, end)` are `wanted`. */
export function isRange(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let index = 0; index < wanted.length; index++) if (bytes[start + index] !== wanted[index]) return false;
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return hash;
}
