/**
 * What the recorders of a node say together: the hops of one request, and a file for Perfetto or Chrome. Cold.
 */
import { OF_REQUEST, type TraceEventName, type TraceEventSpec, traceEvents } from './events.js';
import { RECORDER_EVENTS, type RecordedEvent } from './recorder.js';

/** A full recorder has a few events less when its actor goes on while it is read. */
const LOST_WHILE_READ_MAX = 1024;

/** An event with the actor that noted it. */
export interface TimedEvent extends RecordedEvent {
  readonly actor: string;
}

/** By actor. */
export type Recording = Readonly<Record<string, readonly RecordedEvent[]>>;

/** One step of a request through the actors. */
export interface Hop {
  readonly actor: string;
  readonly label: string;
  readonly timeMs: number;
  /** Time since the step before. Units: ms. */
  readonly tookMs: number;
}

/** All events of all actors, oldest first. */
export function mergeRecording(recording: Recording): TimedEvent[] {
  return Object.entries(recording)
    .flatMap(([actor, events]) => events.map(event => ({ ...event, actor })))
    .sort((left, right) => left.timeMs - right.timeMs);
}

/** Events that move a position: a message is past them when the position is behind it. */
const positionEvents: ReadonlySet<TraceEventName> = new Set([
  'batchWritten',
  'flushed',
  'dispatched',
  'sentToSlave',
  'received',
  'reported',
  'replicated',
]);

/**
 * The hops of the message whose record begins at `physicalOffset`: those of the request that brought it and of what was
 * made of it, before or after (its copy when it was due, its commit, its return); for each of these records the first
 * time each follower of the log was past it; then the pulls that handed it out. `slaves`: recordings of brokers that
 * follow the same log. Empty when the message was not traced, or is overwritten by now.
 */
export function hopsOf(
  events: readonly TimedEvent[],
  physicalOffset: number,
  slaves: readonly TimedEvent[] = [],
): Hop[] {
  const append = appendOf(events, physicalOffset);
  if (append === undefined) return [];
  const ids = requestIdsOf(events, append.traceId);
  const own = events.filter(({ traceId }) => ids.has(traceId));
  const found = new Set(own);
  const fromMs = own[0]!.timeMs;
  const all = [...events, ...slaves];
  const forgetful = forgetfulActors(all, fromMs);
  const followers = all.filter(
    ({ actor, name, timeMs }) => positionEvents.has(name) && timeMs >= fromMs && !forgetful.has(actor),
  );
  const pulls = events.filter(({ name }) => name === 'pulled');
  for (const record of own.filter(({ name }) => name === 'appended')) {
    for (const event of firstPast(followers, record.value)) found.add(event);
    for (const pull of pulls) if (handedOut(pull, record)) found.add(pull);
  }
  return toHops([...found].sort((left, right) => left.timeMs - right.timeMs));
}

/** The append that a record came with: its own, or that of the first message of its batch. */
function appendOf(events: readonly TimedEvent[], physicalOffset: number): TimedEvent | undefined {
  const sizes = new Map<number, number>();
  for (const { name, traceId, value } of events) if (name === 'laneDone') sizes.set(traceId, value);
  const holds = ({ traceId, value }: TimedEvent): boolean =>
    value === physicalOffset || (value < physicalOffset && physicalOffset < value + (sizes.get(traceId) ?? 0));
  return events.find(event => event.name === 'appended' && holds(event));
}

/** Actors whose recorder was filled since: when they were first past a message is overwritten. */
function forgetfulActors(events: readonly TimedEvent[], sinceMs: number): Set<string> {
  const counts = new Map<string, number>();
  const oldestMs = new Map<string, number>();
  for (const { actor, timeMs } of events) {
    counts.set(actor, (counts.get(actor) ?? 0) + 1);
    oldestMs.set(actor, Math.min(timeMs, oldestMs.get(actor) ?? timeMs));
  }
  const isFull = ([, count]: [string, number]): boolean => count >= RECORDER_EVENTS - LOST_WHILE_READ_MAX;
  const full = [...counts].filter(isFull).map(([actor]) => actor);
  return new Set(full.filter(actor => oldestMs.get(actor)! > sinceMs));
}

/** The message's own trace id, and those of the requests that made something of it. */
function requestIdsOf(events: readonly TimedEvent[], traceId: number): Set<number> {
  const ids = new Set([traceId]);
  for (const event of events) {
    const { first }: TraceEventSpec = traceEvents[event.name];
    if (event.traceId === traceId && first === OF_REQUEST && event.first !== 0) ids.add(event.first);
  }
  return ids;
}

/**
 * Of each follower the first event that is past a record. Positions are where records end; only a slave may be sent, or
 * report if it is Java, part of one, and then the first part counts.
 */
function firstPast(followers: readonly TimedEvent[], physicalOffset: number): Iterable<TimedEvent> {
  const first = new Map<string, TimedEvent>();
  for (const event of followers) {
    if (event.value <= physicalOffset) continue;
    const key = `${event.actor} ${event.name}`;
    const known = first.get(key);
    if (known === undefined || event.timeMs < known.timeMs) first.set(key, event);
  }
  return first.values();
}

/** `record` was among what a pull handed out. */
function handedOut(pull: TimedEvent, record: TimedEvent): boolean {
  const isThere = pull.value <= record.second && record.second < pull.value + pull.second;
  return isThere && pull.first === record.first;
}

function toHops(events: readonly TimedEvent[]): Hop[] {
  return events.map(({ actor, name, timeMs }, index) => {
    const before = events[index - 1]?.timeMs ?? timeMs;
    return { actor, label: traceEvents[name].label, timeMs, tookMs: timeMs - before };
  });
}

/** From the arrival of a send to its answer; undefined when the hops have not both. Units: ms. */
export function answeredAfterMs(hops: readonly Hop[]): number | undefined {
  const arrived = hops.find(({ label }) => label === traceEvents.arrived.label);
  const answered = hops.find(({ label }) => label === traceEvents.answered.label);
  return arrived === undefined || answered === undefined ? undefined : answered.timeMs - arrived.timeMs;
}

/** A file in Chrome's trace format. */
export interface ChromeTrace {
  readonly traceEvents: object[];
  readonly displayTimeUnit: 'ms';
}

/**
 * Recordings in Chrome's trace format, which Perfetto opens: a group of rows a broker, by name, and a row an actor;
 * what a request did in one actor is a span, everything else an instant.
 * Source: Trace Event Format, JSON Object Format.
 */
export function toChromeTrace(recordings: Readonly<Record<string, Recording>>): ChromeTrace {
  const out: object[] = [];
  for (const [index, [broker, recording]] of Object.entries(recordings).entries()) {
    const pid = index + 1;
    out.push({ pid, ph: 'M', name: 'process_name', args: { name: broker } });
    for (const [row, [actor, events]] of Object.entries(recording).entries()) {
      out.push(...rowOf({ pid, tid: row + 1 }, actor, events));
    }
  }
  return { traceEvents: out, displayTimeUnit: 'ms' };
}

function rowOf(place: { pid: number; tid: number }, actor: string, events: readonly RecordedEvent[]): object[] {
  return [
    { ...place, ph: 'M', name: 'thread_name', args: { name: actor } },
    ...spansOf(events).map(span => ({ ...place, ...span })),
    ...events.map(event => ({ ...place, ph: 'i', s: 't', name: event.name, ...detailsOf(event) })),
  ];
}

function detailsOf(event: RecordedEvent): object {
  const { value, first, second }: TraceEventSpec = traceEvents[event.name];
  const args: Record<string, number> = {};
  if (event.traceId !== 0) args['trace id'] = event.traceId;
  if (value !== undefined) args[value] = event.value;
  if (first !== undefined) args[first] = event.first;
  if (second !== undefined) args[second] = event.second;
  return { ts: event.timeMs * 1000, args };
}

/** From the first to the last event of a request in one actor. */
function spansOf(events: readonly RecordedEvent[]): object[] {
  const byRequest = new Map<number, [RecordedEvent, RecordedEvent]>();
  for (const event of events) {
    if (event.traceId === 0) continue;
    const known = byRequest.get(event.traceId);
    if (known === undefined) byRequest.set(event.traceId, [event, event]);
    else known[1] = event;
  }
  return [...byRequest.values()]
    .filter(([from, to]) => to.timeMs > from.timeMs)
    .map(([from, to]) => {
      const name = `request ${from.traceId}`;
      return { ph: 'X', name, ts: from.timeMs * 1000, dur: (to.timeMs - from.timeMs) * 1000 };
    });
}
