/**
 * How much one lane handed to each consumer group of each topic, or took back: the lane gives every pair of the two a
 * slot, tells the coordinator which (CoordinatorType.PAIR_NAMED), and counts; the coordinator reads. Hot.
 *
 * Shape: for each slot three Float64 words, messages, bytes and answers, with one writer.
 */

/** Pairs of topic and group that one lane counts; what more there are is not counted. */
export const PAIRS_MAX = 65_536;
const WORDS = 3;

export class GroupTraffic {
  readonly memory: SharedArrayBuffer;
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(PAIRS_MAX * WORDS * 8)) {
    this.memory = memory;
    this.#words = new Float64Array(memory);
  }

  /** One more answer. */
  add(slot: number, messages: number, bytes: number): void {
    const word = slot * WORDS;
    this.#words[word] = this.#words[word]! + messages;
    this.#words[word + 1] = this.#words[word + 1]! + bytes;
    this.#words[word + 2] = this.#words[word + 2]! + 1;
  }

  /** For a slot that means another pair from now on: a lane that was made anew gives out its slots again. */
  clear(slot: number): void {
    this.#words.fill(0, slot * WORDS, (slot + 1) * WORDS);
  }

  messages(slot: number): number {
    return this.#words[slot * WORDS]!;
  }

  bytes(slot: number): number {
    return this.#words[slot * WORDS + 1]!;
  }

  answers(slot: number): number {
    return this.#words[slot * WORDS + 2]!;
  }
}
