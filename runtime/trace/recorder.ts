/**
 * The flight recorder of one actor: a fixed number of events in shared memory, the newest over the oldest. The node
 * owns the memory, so what an actor noted outlives it. Hot when tracing is on; one load and a branch when it is off.
 *
 *   control (Int32): [0] events noted so far, modulo 2^32
 *   event, 32 bytes: | time, f64: ms since the epoch | event, i32 | trace id, i32
 *                    | value, f64                    | first, i32 | second, i32   |
 *
 * A reader copies while the actor goes on: it takes the count before and after, and drops what was overwritten between.
 */
import { type TraceEventName, traceEventNames } from './events.js';
import { TracedMessages } from './traced-messages.js';

/** Events of one recorder; a power of two. */
export const RECORDER_EVENTS = 16_384;
const EVENT_BYTES = 32;
const CONTROL_BYTES = 64;

/** The clock of recorders. It starts with the process at the time of day and goes on evenly. Units: ms. */
export function traceNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** One event, for readers. */
export interface RecordedEvent {
  /** Units: ms since the epoch, with fractions. */
  readonly timeMs: number;
  readonly name: TraceEventName;
  /** 0: the event is about no single request. */
  readonly traceId: number;
  readonly value: number;
  readonly first: number;
  readonly second: number;
}

/** Whether and how much is traced: one word of the node, read by all actors. */
export class TraceSwitch {
  readonly memory: SharedArrayBuffer;
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#word = new Int32Array(memory);
  }

  /** Every so many requests one is traced; 0: none, and nothing is noted. Hot, so not atomic: it may be seen late. */
  get every(): number {
    return this.#word[0]!;
  }

  set every(requests: number) {
    Atomics.store(this.#word, 0, requests);
  }
}

export class FlightRecorder {
  readonly memory: SharedArrayBuffer;
  /** Which messages in the log are traced: the node's, the same for all its recorders. */
  readonly messages: TracedMessages;
  readonly #switch: TraceSwitch;
  readonly #control: Int32Array;
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;
  #count: number;

  constructor(
    traceSwitch: TraceSwitch,
    memory: SharedArrayBuffer = FlightRecorder.allocate(),
    messages: TracedMessages = new TracedMessages(),
  ) {
    this.memory = memory;
    this.messages = messages;
    this.#switch = traceSwitch;
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.#doubles = new Float64Array(memory, CONTROL_BYTES);
    this.#words = new Int32Array(memory, CONTROL_BYTES);
    this.#count = Atomics.load(this.#control, 0);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(CONTROL_BYTES + RECORDER_EVENTS * EVENT_BYTES);
  }

  /** Something is traced now. Hot. */
  get isOn(): boolean {
    return this.#switch.every !== 0;
  }

  /** Notes an event; call it only while {@link isOn}. `event`: of TraceEvent. */
  note(event: number, traceId: number, value: number, first = 0, second = 0): void {
    const index = this.#count & (RECORDER_EVENTS - 1);
    const double = index * 4;
    const word = index * 8;
    this.#doubles[double] = traceNowMs();
    this.#words[word + 2] = event;
    this.#words[word + 3] = traceId;
    this.#doubles[double + 2] = value;
    this.#words[word + 6] = first;
    this.#words[word + 7] = second;
    this.#count = (this.#count + 1) | 0;
    Atomics.store(this.#control, 0, this.#count);
  }
}

/** The events in a recorder's memory that are not older than `sinceMs`, oldest first. On any thread, at any time. */
export function readRecorder(memory: SharedArrayBuffer, sinceMs = 0): RecordedEvent[] {
  const control = new Int32Array(memory, 0, 1);
  const before = Atomics.load(control, 0);
  const copy = memory.slice(CONTROL_BYTES);
  // What was written while we copied may be torn, and so may the event being written.
  const overwritten = ((Atomics.load(control, 0) - before) | 0) + 1;
  const doubles = new Float64Array(copy);
  const words = new Int32Array(copy);
  const events: RecordedEvent[] = [];
  for (let back = RECORDER_EVENTS - overwritten; back > 0; back--) {
    const index = (before - back) & (RECORDER_EVENTS - 1);
    const name = traceEventNames[words[index * 8 + 2]! - 1];
    const timeMs = doubles[index * 4]!;
    if (name === undefined || timeMs < sinceMs) continue;
    events.push({
      timeMs,
      name,
      traceId: words[index * 8 + 3]!,
      value: doubles[index * 4 + 2]!,
      first: words[index * 8 + 6]!,
      second: words[index * 8 + 7]!,
    });
  }
  return events;
}

/** Chooses which requests are traced and numbers them. Owned by the actor at the door. */
export class TraceSampler {
  readonly #switch: TraceSwitch;
  #seen = 0;
  #last = 0;

  constructor(traceSwitch: TraceSwitch) {
    this.#switch = traceSwitch;
  }

  /** The trace id of the next request; 0 when it is not traced. Hot. */
  next(): number {
    const { every } = this.#switch;
    if (every === 0 || ++this.#seen < every) return 0;
    this.#seen = 0;
    this.#last = (this.#last + 1) & 0x7fff_ffff || 1;
    return this.#last;
  }
}
