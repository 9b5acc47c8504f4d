/**
 * Labelled counters in shared memory, one catalogue, readable from outside without asking their actor.
 * Each word has one writer.
 *
 * Shape: `slots` Float64 words for each actor in the order of the catalogue; a word counts exactly up to 2^53.
 */

/** Every counter: what it counts and its unit. */
export const counterCatalogue = {
  requestsIn: 'requests taken in (requests)',
  requestsRefused: 'requests answered SYSTEM_BUSY because a ring or the permits were full (requests)',
  sendsInFlight: 'sends accepted and not answered, now (sends)',
  sendsAwaitingFlush: 'sends in the log whose answers wait for the disk, now (sends)',
  sendsAwaitingSlave: 'sends in the log whose answers wait for a slave, now (sends)',
  responsesOut: 'responses written (responses)',
  bytesIn: 'bytes read from sockets (bytes)',
  bytesOut: 'bytes written to sockets (bytes)',
  connectionsOpened: 'connections accepted (connections)',
  connectionsClosed: 'connections closed (connections)',
  connectionsFaulty: 'connections closed because they broke the protocol (connections)',
  connectionsSlow: 'connections closed because they did not read their answers (connections)',
  requestsLate: 'requests answered SYSTEM_BUSY because they waited too long for their lane (requests)',
  headerFallbacks: 'headers that needed JSON.parse (headers)',
  messagesAppended: 'messages appended to the log (messages)',
  bytesAppended: 'bytes appended to the log (bytes)',
  appendBatches: 'writes to the log (writes)',
  appendMs: 'time the writes to the log took (ms)',
  appendFailures: 'writes to the log that failed (writes)',
  flushes: 'syncs of the log (syncs)',
  flushMs: 'time the syncs of the log took (ms)',
  flushFailures: 'syncs of the log that failed (syncs)',
  unitsDispatched: 'entries written to consume queues (entries)',
  delayedDelivered: 'delayed messages delivered to their queues (messages)',
  delayedDropped: 'delayed messages left out: unreadable, or their topic is gone (messages)',
  pullsFound: 'pulls answered with messages (pulls)',
  pullsHeld: 'pulls held for new messages (pulls)',
  pullsMissed: 'pulls answered without messages (pulls)',
  pullsBehind: 'pulls answered from far behind the end of the log, where the page cache no longer helps (pulls)',
  messagesPulled: 'messages handed to consumers (messages)',
  bytesPulled: 'bytes of messages handed to consumers (bytes)',
  halfMessagesDecided: 'half messages found committed or rolled back (messages)',
  halfMessagesAsked: 'questions to producers about undecided half messages (questions)',
  halfMessagesDiscarded: 'half messages given up undecided (messages)',
  spansExported: 'spans taken by the OTLP collector (spans)',
  spansDropped: 'spans of traced messages that were lost: no room, or the collector did not take them (spans)',
  busyMs: 'time the work of an actor took, without reading sockets (ms)',
  threadBusyMs: 'time a thread with an event loop was not idle (ms)',
  garbageMs: 'time such a thread stood still for garbage collection (ms)',
} as const;

export type CounterName = keyof typeof counterCatalogue;
export const counterNames = Object.keys(counterCatalogue) as CounterName[];

/** Slot of each counter: `counters.add(Counter.requestsIn)`. A number, so that adding is a load and a store. */
export const Counter = Object.fromEntries(counterNames.map((name, index) => [name, index])) as {
  readonly [Name in CounterName]: number;
};

/** The counters of one actor. */
export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(counterNames.length * 8)) {
    this.memory = memory;
    this.#words = new Float64Array(memory);
  }

  /** `slot`: of {@link Counter}. Hot. */
  add(slot: number, by = 1): void {
    this.#words[slot] = this.#words[slot]! + by;
  }

  /** For what is counted down too, or measured elsewhere. Hot. */
  set(slot: number, value: number): void {
    this.#words[slot] = value;
  }

  read(name: CounterName): number {
    return this.#words[Counter[name]]!;
  }

  /** All counters that are not zero. */
  snapshot(): Partial<Record<CounterName, number>> {
    const out: Partial<Record<CounterName, number>> = {};
    for (const name of counterNames) if (this.read(name) !== 0) out[name] = this.read(name);
    return out;
  }
}
